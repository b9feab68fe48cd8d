"""The messages of the node's gRPC service, between bytes and frozen dataclasses.

Rules: answers are outside bytes: whatever does not parse, or has fields of another size or number
than it must, is a ReceiptInvalidError and nothing else. Signed and hashed parts stay bytes, their
own codecs are strict. Hints are for people: cut, printable.
Not here: judging an answer (`attest`, `replies`), sockets (`transport`).
"""

from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from attestation.collateral import is_key
from enclave_client.errors import ReceiptInvalidError
from ledger.errors import FormatError
from ledger.format.strict import decode_strict
from ledger.format.transaction import MAX_OPERATIONS
from ledger.reason import Reason
from sealedger.v1 import kms_pb2, node_pb2

MAX_HINT = 512  # a refusal says what it expected, what it got, and what mends it
MAX_PROOF_BYTES = 63 * 32
MAX_GRANT_BYTES = 8 * 1024
MAX_COLLATERAL_ROWS = 4096
_UNSET = Reason.INTERNAL  # what an unset reason in a reply means: the node did not say
_M = TypeVar("_M", bound=Message)
_REASONS = {reason.value: reason for reason in Reason}


@dataclass(frozen=True, slots=True)
class OfferedCollateral:
    """Collateral that a node handed over, with the receipt of its entry (empty for genesis')."""

    collateral: bytes
    receipt: bytes


@dataclass(frozen=True, slots=True)
class HelloAnswer:
    """What a node says of itself; nothing in it is verified yet."""

    genesis: bytes
    checkpoint: bytes
    evidence: bytes
    tls_spki_digest: bytes
    signature: bytes
    latest_checkpoint: bytes
    collateral: OfferedCollateral | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The node or the ledger refused the whole transaction."""

    reason: Reason
    hint: str


@dataclass(frozen=True, slots=True)
class Released:
    """What the key service answered for one operation; `sealed_key` is empty unless granted."""

    reason: Reason
    sealed_key: bytes


_EMPTY = {reason: Released(reason, b"") for reason in Reason}  # most operations release nothing


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry of the log; nothing in it is verified yet.

    `sealed` and `released` are empty or one for each operation.
    """

    index: int
    leaf: bytes
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    outcomes: tuple[bytes, ...]
    sealed: tuple[bytes, ...]
    released: tuple[Released | None, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one transaction, named by its hash."""

    transaction_hash: bytes
    result: Refusal | Recorded


@dataclass(frozen=True, slots=True)
class Grant:
    """A decoded SessionGrant; nothing in it is verified yet."""

    session_id: bytes
    expires_ms: int
    sealed_secret: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class ReleasedSecret:
    """What a ticket gave: the sealed secret, and the key service's answer."""

    sealed: bytes
    released: Released


@dataclass(frozen=True, slots=True)
class CollateralRow:
    """What a node says is in force for a key. Times are Unix seconds; index 0: genesis."""

    key: str
    digest: bytes
    number: int
    valid_from_s: int
    valid_until_s: int
    index: int
    generation: int


@dataclass(frozen=True, slots=True)
class CollateralAnswer:
    """The rows that were asked for, and the bytes of the one, if it was one."""

    rows: tuple[CollateralRow, ...]
    offered: OfferedCollateral | None


def encode_hello(nonce: bytes) -> bytes:
    """A HelloRequest with 32 random bytes."""
    return node_pb2.HelloRequest(nonce=nonce).SerializeToString()


def decode_hello(data: bytes) -> HelloAnswer:
    """The parts of a HelloReply."""
    message = parse_answer(node_pb2.HelloReply, data)
    return HelloAnswer(
        message.genesis,
        message.checkpoint,
        message.evidence,
        message.tls_spki_digest,
        message.signature,
        message.latest_checkpoint,
        _offered(message, "collateral"),
    )


def encode_submit(envelope: bytes) -> bytes:
    """A SubmitRequest."""
    return node_pb2.SubmitRequest(envelope=envelope).SerializeToString()


def decode_answer(data: bytes) -> Answer:
    """The parts of a SubmitReply."""
    message = parse_answer(node_pb2.SubmitReply, data)
    kind = message.WhichOneof("result")
    if kind == "refusal":
        return Answer(message.transaction_hash, read_refusal(message.refusal))
    if kind != "recorded":
        raise ReceiptInvalidError("the node's answer is neither an entry nor a refusal")
    return Answer(message.transaction_hash, _recorded(message.recorded))


def decode_grant(data: bytes) -> Grant:
    """The parts of a SessionGrant in its canonical bytes."""
    try:
        message = decode_strict(kms_pb2.SessionGrant, data, MAX_GRANT_BYTES)
    except FormatError as error:
        raise ReceiptInvalidError(f"the session grant does not decode: {error}") from error
    return Grant(message.session_id, message.expires_ms, message.sealed_secret, message.signature)


def encode_ticket(receipt: bytes) -> bytes:
    """A ReleaseTicket of a receipt file."""
    return node_pb2.ReleaseTicket(receipt=receipt).SerializeToString()


def decode_release(data: bytes) -> Refusal | ReleasedSecret:
    """The parts of a ReleaseAnswer."""
    message = parse_answer(node_pb2.ReleaseAnswer, data)
    kind = message.WhichOneof("result")
    if kind == "refusal":
        return read_refusal(message.refusal)
    if kind != "released":
        raise ReceiptInvalidError("the node's answer is neither a key nor a refusal")
    return ReleasedSecret(
        message.released.sealed, _released(message.released.released) or Released(_UNSET, b"")
    )


def encode_collateral_question(key: str) -> bytes:
    """A CollateralQuestion for one key, or for all rows (empty)."""
    return node_pb2.CollateralQuestion(key=key).SerializeToString()


def decode_collateral(data: bytes) -> Refusal | CollateralAnswer:
    """The parts of a CollateralReply."""
    message = parse_answer(node_pb2.CollateralReply, data)
    if message.HasField("refusal"):
        return read_refusal(message.refusal)
    if len(message.rows) > MAX_COLLATERAL_ROWS:
        raise ReceiptInvalidError("the answer has more collateral than there are platforms")
    return CollateralAnswer(tuple(map(_collateral_row, message.rows)), _offered(message, "entry"))


def clean(text: str) -> str:
    """Text of the other side, fit for a message: printable, at most 200 characters."""
    return "".join(c if c.isprintable() else "?" for c in text[:MAX_HINT])


def parse_answer(kind: type[_M], data: bytes) -> _M:
    """The message of an answer's bytes; ReceiptInvalidError if they are none."""
    message = kind()
    try:
        message.ParseFromString(data)
    except (DecodeError, RecursionError, ValueError) as error:
        raise ReceiptInvalidError("the node's answer does not parse") from error
    return message


def _collateral_row(row: node_pb2.CollateralRow) -> CollateralRow:
    if not is_key(row.key) or len(row.digest) != 32:
        raise ReceiptInvalidError("a row of collateral has no key or digest")
    return CollateralRow(
        row.key,
        row.digest,
        row.number,
        row.valid_from_s,
        row.valid_until_s,
        row.index,
        row.generation,
    )


def _offered(
    message: node_pb2.HelloReply | node_pb2.CollateralReply, field: str
) -> OfferedCollateral | None:
    if not message.HasField(field):
        return None
    return OfferedCollateral(getattr(message, field).collateral, getattr(message, field).receipt)


def _reason(number: int) -> Reason:
    return _REASONS.get(number, _UNSET)


def read_refusal(message: node_pb2.Refusal) -> Refusal:
    """The reason and the hint, cut and printable."""
    return Refusal(_reason(message.reason), clean(message.hint))


def _released(message: kms_pb2.Released) -> Released | None:
    if not message.reason:
        return None
    key = message.sealed_key
    return Released(_reason(message.reason), key) if key else _EMPTY[_reason(message.reason)]


def _recorded(message: node_pb2.Recorded) -> Recorded:
    hashes = message.hashes
    if len(hashes) % 32 or len(hashes) > MAX_PROOF_BYTES:
        raise ReceiptInvalidError("the inclusion proof is not 0 to 63 hashes of 32 bytes")
    outcomes = tuple(message.outcomes)
    sealed = tuple(message.sealed)
    released = tuple(map(_released, message.released))
    if not 1 <= len(outcomes) <= MAX_OPERATIONS or {len(sealed), len(released)} - {
        0,
        len(outcomes),
    }:
        raise ReceiptInvalidError("the answer has not one part for each operation")
    return Recorded(
        message.index,
        message.leaf,
        tuple(hashes[at : at + 32] for at in range(0, len(hashes), 32)),
        message.checkpoint,
        outcomes,
        sealed,
        released,
    )
