"""What the ledger knows of an identity, as far as a policy asks: canonical `attestation.facts`.

Each of a session's operations asks for it, so a policy that asks for nothing costs no look at the
state, and which policy asks for what is remembered by its bytes.
"""

from functools import lru_cache

from attestation.errors import AttestationError
from attestation.facts import ENROLLED
from attestation.identity import decode_identity
from attestation.policy import decode_policy, matches_of

from contracts import enrolment, registry
from contracts.errors import StateError
from contracts.view import StateView


def facts_for(view: StateView, policy: bytes, identity: bytes) -> bytes:
    """What canonical policy bytes may ask of the ledger about canonical identity bytes."""
    names, asks_platform = _asked_by(policy)
    known = registry.releases_for(view, names, identity) if names else b""
    if asks_platform and enrolment.is_enrolled(view, _platform_of(identity)):
        return known + ENROLLED
    return known


@lru_cache(maxsize=4096)
def _asked_by(policy: bytes) -> tuple[tuple[str, ...], bool]:
    """The names of releases that a policy asks for, sorted; whether it asks for an enrolment."""
    try:
        matches = matches_of(decode_policy(policy))
    except AttestationError as error:
        raise StateError(f"a stored policy does not decode: {error}") from error
    names = {one.release.name for one in matches if one.release is not None}
    return tuple(sorted(names)), any(one.enrolled for one in matches)


@lru_cache(maxsize=4096)
def _platform_of(identity: bytes) -> bytes:
    try:
        return decode_identity(identity).platform_id
    except AttestationError as error:
        raise StateError(f"a stored identity does not decode: {error}") from error
