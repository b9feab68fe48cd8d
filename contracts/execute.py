"""One transaction against the state: a flat list of steps over frozen data.

1. Who signs: a session, a node of the trust document, or the key of a session to be.
2. The signature is the signer's over this body.
3. A sequence number runs one body once: again gives the first entry; another body is refused; below
   the window of 1,024 and never run means it never will.
4. The session may be used (standing.py) and the transaction is on time (block time).
5. Each operation is judged and has its own outcome; after too many denials the session closes, also
   in the middle of a transaction.
6. Nothing but operations that cannot be judged (unreadable, of an unknown collection, not for this
   signer): refused, nobody gets free storage. Beside others they count as denials afterwards.
   Accounts have no budget of denials, because they do not end (accounts.py has their rules).
7. Atomic: one failure undoes all but the marks of denied reads.
8. The leaf commits to body, signature and outcomes; the signer's records move on.

Not here: ordering, payloads, storage, proofs.
"""

from dataclasses import dataclass, replace

from ledger import keys
from ledger.crypto import ed25519, p256
from ledger.format.leaf import TransactionLeaf, encode_leaf
from ledger.format.operation import (
    outcome_digest,
)
from ledger.format.outcome import Outcome, encode_outcome
from ledger.format.transaction import SignerKind, signed_message, writer_of
from ledger.reason import Reason

from contracts import accounts, nodes, sessions
from contracts.dispatch import judge
from contracts.errors import RefusedError, StateError
from contracts.place import TOUCH_DENIED, Place
from contracts.prepare import Prepared
from contracts.records import (
    Parameters,
    SequenceRecord,
    SessionRecord,
    SignerRecord,
    decode_parameters,
    decode_sequence,
    decode_session,
    decode_signer,
    encode_sequence,
    encode_signer,
)
from contracts.standing import verify_usable
from contracts.view import Changes, LogView, StateView

SEQUENCE_WINDOW = 1024
SESSION_VALID_MS = 600_000
ACCOUNT_VALID_MS = 7 * 24 * 3_600_000

_DENIALS = frozenset({Reason.DENIED, Reason.SESSION_REVOKED})
_OK = Reason.OK
_NOT_EXECUTED = Outcome(Reason.NOT_EXECUTED)
_CLOSED = Outcome(Reason.SESSION_CLOSED)
_UNJUDGED = {
    Reason.MALFORMED: "the operation does not decode, or its numbers cannot be meant",
    Reason.UNKNOWN_COLLECTION: "check the collection's name; its owner has to create it first",
    Reason.WRONG_SIGNER: "this operation is for another kind of signer",
}
_NO_LIMIT = 2**64


@dataclass(frozen=True, slots=True)
class Block:
    """What the rules know of the block they run in, and the entry that comes next."""

    height: int
    time_ms: int
    index: int


@dataclass(frozen=True, slots=True)
class Executed:
    """A transaction that stands on the ledger."""

    leaf: bytes
    outcomes: tuple[Outcome, ...]
    encoded: tuple[bytes, ...]
    writes: dict[bytes, bytes | None]


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same transaction again: its first entry answers."""

    index: int


def execute(
    prepared: Prepared, verdict: bytes | None, view: StateView, log: LogView, block: Block
) -> Executed | Repeated:
    """Run one transaction (1 to 8 above); RefusedError if it leaves no entry.

    `verdict` is the block's verdict on the evidence of an OpenSession or the collateral of an
    UpdateCollateral, None for anything else.
    """
    state = Changes(view)
    parameters = parameters_of(view)
    body = prepared.body
    signer_key = keys.signer(body.signer_kind, body.signer)
    session = _signer(prepared, state, parameters)
    _verify_signature(prepared, session)
    sequence_key = keys.sequence(body.signer_kind, body.signer, body.sequence)
    signer = decode_signer(state.get(signer_key))
    first = _first_run(prepared, state.get(sequence_key), signer)
    if first is not None:
        return Repeated(first)
    if session is not None:
        verify_usable(session, signer, state, parameters, block.time_ms)
    _verify_time(prepared, block, parameters)
    outcomes: tuple[Outcome, ...]
    if body.signer_kind is SignerKind.NEW_SESSION:
        when = (block.time_ms, block.index)
        outcomes = (sessions.open_session(prepared, verdict, state, parameters, log, when),)
    elif body.signer_kind is SignerKind.NODE:
        when = (block.time_ms, block.index)
        outcomes = nodes.run(prepared, verdict, state, parameters, when)
    else:
        place = _place(prepared, state, parameters, block, session)
        outcomes, signer = _run(prepared, place, signer)
    _verify_worth(outcomes)
    if body.atomic and any(one.reason is not Reason.OK for one in outcomes):
        state.writes = dict(filter(_is_denied_touch, state.writes.items()))
        outcomes = tuple(_NOT_EXECUTED if o.reason is Reason.OK else o for o in outcomes)
    if body.signer_kind is SignerKind.ACCOUNT:
        accounts.verify_worth(body.signer, outcomes, state)
    encoded = tuple(map(encode_outcome, outcomes))
    leaf = encode_leaf(
        TransactionLeaf(
            block.height,
            block.time_ms,
            prepared.envelope.body,
            prepared.envelope.signature,
            tuple(map(outcome_digest, prepared.envelope.salts, encoded)),
        )
    )
    signer = replace(signer, highest=max(signer.highest, body.sequence))
    state.put(signer_key, encode_signer(signer))
    state.put(sequence_key, encode_sequence(SequenceRecord(prepared.hash, block.index)))
    return Executed(leaf, outcomes, encoded, state.writes)


def parameters_of(view: StateView) -> Parameters:
    """The current parameters; StateError if there are none."""
    data = view.get(keys.PARAMETERS)
    if data is None:
        raise StateError("the state has no parameters")
    return decode_parameters(data)


def _signer(prepared: Prepared, state: Changes, parameters: Parameters) -> SessionRecord | None:
    body = prepared.body
    if body.signer_kind is SignerKind.SESSION:
        data = state.get(keys.session(body.signer))
        if data is None:
            raise RefusedError(Reason.UNKNOWN_SIGNER, "open a session first")
        return decode_session(data)
    if body.signer_kind is SignerKind.NODE:
        if body.signer not in parameters.nodes:
            raise RefusedError(Reason.UNKNOWN_SIGNER, "the trust document names no such node")
        return None
    return None


def _place(
    prepared: Prepared,
    state: Changes,
    parameters: Parameters,
    block: Block,
    session: SessionRecord | None,
) -> Place:
    account = b"" if session is not None else prepared.body.signer
    writer = writer_of(prepared.body)
    return Place(state, parameters, block.time_ms, block.index, 0, writer, session, account)


def _verify_signature(prepared: Prepared, session: SessionRecord | None) -> None:
    body = prepared.body
    message = signed_message(body.network_id, prepared.envelope.body)
    signature = prepared.envelope.signature
    if body.signer_kind is SignerKind.NODE:
        is_good = ed25519.is_valid(body.signer, signature, message)
    elif body.signer_kind is SignerKind.ACCOUNT:
        is_good = accounts.is_signed(prepared)
    else:
        public = body.signer if session is None else session.public_key
        is_good = p256.is_valid(public, signature, message)
    if not is_good:
        raise RefusedError(Reason.BAD_SIGNATURE, "sign the body with the signer's own key, low s")


def _first_run(prepared: Prepared, data: bytes | None, signer: SignerRecord) -> int | None:
    if data is not None:
        first = decode_sequence(data)
        if first.transaction == prepared.hash:
            return first.index
        if prepared.body.signer_kind is SignerKind.NEW_SESSION:
            raise RefusedError(Reason.SESSION_KEY_REUSED, "make a new session key")
        raise RefusedError(
            Reason.SEQUENCE_REUSED, "another transaction ran under this sequence number"
        )
    if prepared.body.sequence + SEQUENCE_WINDOW <= signer.highest:
        raise RefusedError(
            Reason.SEQUENCE_PASSED, "it did not run and never will: sign it again with a new number"
        )
    return None


def _verify_time(prepared: Prepared, block: Block, parameters: Parameters) -> None:
    until = prepared.body.valid_until_ms
    if until <= block.time_ms:
        raise RefusedError(
            Reason.TRANSACTION_EXPIRED, "it did not run and never will: sign it again"
        )
    is_account = prepared.body.signer_kind is SignerKind.ACCOUNT
    longest = ACCOUNT_VALID_MS if is_account else SESSION_VALID_MS
    if until > block.time_ms + longest + parameters.skew_ms:
        raise RefusedError(
            Reason.VALID_TOO_LONG,
            "valid_until is at most 10 minutes ahead, 7 days for accounts",
        )


def _run(
    prepared: Prepared, place: Place, signer: SignerRecord
) -> tuple[tuple[Outcome, ...], SignerRecord]:
    outcomes = []
    denials = signer.denials
    unjudged = 0
    limit = place.parameters.denials if place.session is not None else _NO_LIMIT
    for position, operation in enumerate(prepared.operations):
        if denials >= limit or place.is_over:
            outcomes.append(_CLOSED)
            continue
        place.position = position
        outcome = judge(operation, place)
        outcomes.append(outcome)
        if outcome.reason in _DENIALS:
            denials += 1
        elif outcome.reason in _UNJUDGED:
            unjudged += 1
    if place.session is None:
        return tuple(outcomes), signer
    denials += unjudged
    is_undone = prepared.body.atomic and any(one.reason is not _OK for one in outcomes)
    is_closed = denials >= limit or (place.is_over and not is_undone)
    return tuple(outcomes), replace(signer, denials=denials, is_closed=is_closed)


def _is_denied_touch(row: tuple[bytes, bytes | None]) -> bool:
    return row[0].startswith(keys.TOUCH) and row[1] == TOUCH_DENIED


def _verify_worth(outcomes: tuple[Outcome, ...]) -> None:
    if all(one.reason in _UNJUDGED for one in outcomes):
        raise RefusedError(outcomes[0].reason, _UNJUDGED[outcomes[0].reason])
