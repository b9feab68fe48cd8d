"""Releases of the small rules' enclaves: who publishes, audits and asks for them."""

from dataclasses import replace
from functools import cache
from hashlib import sha256

from attestation.conditions import ReleaseMatch
from attestation.policy import Match
from attestation.releases import EndorsedRelease, decode_releases
from contracts.registry import (
    ReleaseRecord,
    decode_record,
)
from ledger import keys
from ledger.format.operation import Operation
from ledger.format.releases import (
    EnclaveRelease,
    EndorseRelease,
    ReleaseMeasurement,
    RevokeRelease,
    encode_release,
    parse_version,
    release_digest,
)
from ledger.reason import Reason
from tests.support import small_rules
from tests.support.refusals import refuses
from tests.support.small_rules import (
    Signer,
    SmallRules,
    identity_of,
)

account = cache(small_rules.account)  # one signer for each name, so that its numbers grow
STATE = (b"sA", b"sD", b"sF", b"sM", b"sO", b"sR", b"sU")
AUDITORS = tuple(sorted(account(f"auditor {n}").name for n in range(3)))


def auditor(number: int) -> Signer:
    """One of the three auditors, in the order of their addresses."""
    for n in range(3):
        if account(f"auditor {n}").name == AUDITORS[number]:
            return account(f"auditor {n}")
    raise AssertionError("there are three auditors")


def release_of(version: str = "1.2.0", *enclaves: str, **changes: object) -> EnclaveRelease:
    """A release of "fns" that measures these enclaves (gamma)."""
    measured = (
        ReleaseMeasurement(1, identity_of(one).measurement) for one in enclaves or ("gamma",)
    )
    usual = EnclaveRelease(
        name="fns",
        version=parse_version(version),
        measurements=tuple(sorted(measured)),
        source_digest=sha256(b"source").digest(),
        notes="first",
        auditors=AUDITORS,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]  # a test's shorthand for fields of any type


def endorsing(release: EnclaveRelease) -> EndorseRelease:
    """The endorsement of exactly this release."""
    return EndorseRelease(release.name, release.version, release_digest(encode_release(release)))


def revoking(release: EnclaveRelease) -> RevokeRelease:
    """Its revocation."""
    return RevokeRelease(release.name, release.version)


def asking_for(
    minimum: tuple[int, int, int] = (1, 2, 0), threshold: int = 2, name: str = "fns"
) -> Match:
    """The policy "any endorsed release of fns >= 1.2 by 2 of these 3 auditors"."""
    return Match(
        release=ReleaseMatch(name=name, minimum=minimum, auditors=AUDITORS, threshold=threshold)
    )


def reasons(rules: SmallRules, signer: Signer, *operations: Operation) -> list[Reason]:
    """The reasons of a transaction that must stand."""
    return [one.reason for one in rules.outcomes(signer, *operations)]


def refused(rules: SmallRules, signer: Signer, reason: Reason, *operations: Operation) -> None:
    """The transaction leaves no entry and changes nothing."""
    before = dict(rules.state.rows)
    with refuses(reason):
        rules.do(rules.envelope(signer, *operations))
    assert rules.state.rows == before


def row(rules: SmallRules, who: str, name: str = "fns") -> tuple[EndorsedRelease, ...]:
    """What policies read of an enclave's releases."""
    data = rules.state.get(keys.releases_of(1, identity_of(who).measurement, name))
    return () if data is None else decode_releases(data)


def record(rules: SmallRules, release: EnclaveRelease) -> ReleaseRecord:
    """A release as the state has it."""
    return decode_record(rules.state.rows[keys.release(release.name, release.version.packed)])
