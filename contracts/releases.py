"""The rules of releases: an account publishes, the auditors that it names endorse, both revoke.

1. A name belongs to its first publisher; a version of it is published once, also if it is revoked.
2. An account publishes as many releases as genesis allows, for ever: a revoked one counts.
3. Only the auditors that a release names endorse it, by the digest of its canonical bytes; saying
   it twice changes nothing.
4. The publisher revokes a release for everybody; an auditor takes back the own endorsement, given
   or not. Neither ends: nobody endorses it again.
5. All of it takes effect with the next operation: a session that a policy admitted by the release
   is denied from then on.
What an account may not do leaves no entry (`accounts`). Not here: what policies read (`registry`).
"""

from dataclasses import replace

from ledger.format.outcome import Outcome, Votes
from ledger.format.releases import (
    EndorseRelease,
    PublishRelease,
    RevokeRelease,
    encode_release,
    release_digest,
)
from ledger.reason import Reason

from contracts import registry
from contracts.place import Place
from contracts.registry import ReleaseRecord

_OK = Outcome(Reason.OK)
_DENIED = Outcome(Reason.DENIED)
_WRONG_SIGNER = Outcome(Reason.WRONG_SIGNER)
_QUOTA = Outcome(Reason.QUOTA_EXCEEDED)
_EXISTS = Outcome(Reason.RELEASE_EXISTS)
_UNKNOWN = Outcome(Reason.UNKNOWN_RELEASE)
_REVOKED = Outcome(Reason.RELEASE_REVOKED)
_WRONG_DIGEST = Outcome(Reason.WRONG_RELEASE_DIGEST)


def publish(operation: PublishRelease, place: Place) -> Outcome:
    """Make a release known (1 and 2 above)."""
    release = operation.release
    if not place.account:
        return _WRONG_SIGNER
    holder = registry.publisher_of(place.state, release.name)
    if holder not in (None, place.account):
        return _DENIED
    if registry.find_release(place.state, release.name, release.version.packed) is not None:
        return _EXISTS
    held = place.owner(place.account)
    if held.releases >= place.parameters.owner_releases:
        return _QUOTA
    if not registry.has_room(place.state, release):
        return _QUOTA
    if holder is None:
        registry.claim_name(place.state, release.name, place.account)
    place.hold(place.account, releases=1)
    record = ReleaseRecord(encode_release(release), place.account, place.index)
    registry.store_release(place.state, record)
    return _OK


def endorse(operation: EndorseRelease, place: Place) -> Outcome:
    """Let an auditor stand for a release (3 above)."""
    if not place.account:
        return _WRONG_SIGNER
    record = registry.find_release(place.state, operation.name, operation.version.packed)
    if record is None:
        return _UNKNOWN
    if place.account not in record.decoded().auditors:
        return _DENIED
    if operation.release_digest != release_digest(record.release):
        return _WRONG_DIGEST
    if record.is_revoked or _has_said(place.account, record.withdrawn):
        return _REVOKED
    if not _has_said(place.account, record.endorsed):
        record = registry.endorse(record, place.account, place.index)
        registry.store_release(place.state, record)
    return _counted(record)


def revoke(operation: RevokeRelease, place: Place) -> Outcome:
    """Take a release back, or an endorsement (4 above)."""
    if not place.account:
        return _WRONG_SIGNER
    record = registry.find_release(place.state, operation.name, operation.version.packed)
    if record is None:
        return _UNKNOWN
    is_publisher = place.account == record.publisher
    if not is_publisher and place.account not in record.decoded().auditors:
        return _DENIED
    if record.is_revoked:
        return _REVOKED
    if is_publisher:
        registry.store_release(place.state, replace(record, revoked_index=place.index))
        return _OK
    if _has_said(place.account, record.withdrawn):
        return _REVOKED
    record = registry.withdraw(record, place.account, place.index)
    registry.store_release(place.state, record)
    return _counted(record)


def _has_said(auditor: bytes, statements: tuple[registry.Statement, ...]) -> bool:
    return any(one.auditor == auditor for one in statements)


def _counted(record: ReleaseRecord) -> Outcome:
    return Outcome(Reason.OK, Votes(len(record.endorsed), 0))
