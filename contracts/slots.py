"""How many sessions one identity may have open: places that a session takes and never gives back.

An identity has as many places as the network allows open sessions. A new session takes the place of
one that cannot be used any more. Sessions end in the order in which they were opened, so the search
starts behind the place that was taken last and nearly always ends at once; only where one was
closed or revoked out of turn it goes on, over at most 256 places.
"""

from ledger import keys
from ledger.format.transaction import SignerKind
from ledger.reason import Reason

from contracts.errors import RefusedError, StateError
from contracts.records import Parameters, SessionRecord, decode_session, decode_signer
from contracts.standing import is_usable
from contracts.view import Changes

MAX_LOOKED_AT = 256  # places
_COUNT_BYTES = 4


def take_slot(
    session_id: bytes,
    identity_digest: bytes,
    state: Changes,
    parameters: Parameters,
    time_ms: int,
) -> None:
    """Give a session that is about to open a place of its identity.

    Raises RefusedError TOO_MANY_SESSIONS, saying when a place is free again, if all are in use.
    """
    counter = keys.identity_counter(identity_digest)
    slots = parameters.identity_sessions
    first = _number(state.get(counter))
    ends_ms = []
    for step in range(min(slots, MAX_LOOKED_AT)):
        slot = (first + step) % slots
        key = keys.identity_slot(identity_digest, slot)
        held = _usable(state.get(key), state, parameters, time_ms)
        if held is None:
            state.put(key, session_id)
            state.put(counter, ((slot + 1) % slots).to_bytes(_COUNT_BYTES, "big"))
            return
        ends_ms.append(held.expires_ms)
    wait_s = -((time_ms - min(ends_ms)) // 1000)
    raise RefusedError(
        Reason.TOO_MANY_SESSIONS,
        f"this identity has {slots} sessions open, as many as the network allows: the next one "
        f"ends in {wait_s} s",
    )


def _usable(
    session_id: bytes | None, state: Changes, parameters: Parameters, time_ms: int
) -> SessionRecord | None:
    """The session in a place, if it may still be used."""
    if session_id is None:
        return None
    data = state.get(keys.session(session_id))
    if data is None:
        raise StateError("a place of an identity holds no session")
    session = decode_session(data)
    signer = decode_signer(state.get(keys.signer(SignerKind.SESSION, session_id)))
    return session if is_usable(session, signer, state, parameters, time_ms) else None


def _number(data: bytes | None) -> int:
    if data is None:
        return 0
    if len(data) != _COUNT_BYTES:
        raise StateError("places of an identity: wrong length")
    return int.from_bytes(data, "big")
