"""Whether an identity is admitted by a policy, remembered by their bytes.

A pure function of its arguments, so remembering it changes no answer; it makes a policy cost well
under a microsecond for each operation.
"""

from functools import lru_cache

from attestation.errors import AttestationError
from attestation.identity import decode_identity
from attestation.policy import decode_policy, is_admitted

from contracts.errors import StateError


@lru_cache(maxsize=16384)
def admits(policy: bytes, identity: bytes, is_development: bool) -> bool:
    """Whether canonical policy bytes admit canonical identity bytes."""
    try:
        return is_admitted(
            decode_policy(policy), decode_identity(identity), development=is_development
        )
    except AttestationError as error:
        raise StateError(f"a stored policy or identity does not decode: {error}") from error
