"""Transactions: the signed body, and the envelope that carries it with what stands beside the log.

1. The body is signed once and kept as it came; its hash names the transaction.
2. It commits to each operation by SHA-256(salt ‖ operation), so the log shows no name.
3. Sequence numbers are per signer; `valid_until_ms` is block time.
4. The signature is over ``sealedger/transaction/1`` NUL ‖ network id ‖ body.
Not here: judging any of it (``contracts``).
"""

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import cast

from sealedger.v1 import ledger_pb2 as pb

from ledger.errors import FormatError
from ledger.format.operation import MAX_OPERATION_BYTES, SALT_BYTES, operation_digest
from ledger.format.strict import decode_strict, encode, verify_length
from ledger.reason import Reason

MAX_OPERATIONS = 256
MAX_BODY_BYTES = 8448  # 256 digests and the other fields at their widest are under it
MAX_ENVELOPE_BYTES = 4 * 1024 * 1024
SIGNATURE_DOMAIN = b"sealedger/transaction/1\0"


class SignerKind(IntEnum):
    """Who signs: decides the signature scheme and the width of `signer`."""

    SESSION = 1
    ACCOUNT = 2
    NODE = 3
    NEW_SESSION = 4


SIGNER_BYTES = {
    SignerKind.SESSION: 32,
    SignerKind.ACCOUNT: 20,
    SignerKind.NODE: 32,
    SignerKind.NEW_SESSION: 33,
}
# P-256 r‖s, EIP-712 r‖s‖v, Ed25519, P-256 r‖s
SIGNATURE_BYTES = {
    SignerKind.SESSION: 64,
    SignerKind.ACCOUNT: 65,
    SignerKind.NODE: 64,
    SignerKind.NEW_SESSION: 64,
}


@dataclass(frozen=True, slots=True)
class Body:
    """What is signed."""

    network_id: bytes
    signer_kind: SignerKind
    signer: bytes
    sequence: int
    valid_until_ms: int
    atomic: bool
    operation_digests: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A body with its signature, and the operations, salts and payloads that stand beside it."""

    body: bytes
    signature: bytes
    operations: tuple[bytes, ...]
    salts: tuple[bytes, ...]
    payloads: tuple[bytes, ...]


def writer_of(body: Body) -> bytes:
    """How a sealed value names its writer: the session id, or 12 zero bytes and an address."""
    return body.signer.rjust(32, b"\0") if body.signer_kind is SignerKind.ACCOUNT else body.signer


def transaction_hash(body: bytes) -> bytes:
    """SHA-256 of the body's bytes: the transaction's name."""
    return hashlib.sha256(body).digest()


def signed_message(network_id: bytes, body: bytes) -> bytes:
    """The bytes that a session or node key signs."""
    return SIGNATURE_DOMAIN + network_id + body


def encode_body(body: Body) -> bytes:
    """The canonical bytes of a body."""
    return encode(
        pb.Body(
            network_id=body.network_id,
            signer_kind=cast("pb.SignerKind", body.signer_kind.value),
            signer=body.signer,
            sequence=body.sequence,
            valid_until_ms=body.valid_until_ms,
            atomic=body.atomic,
            operation_digests=b"".join(body.operation_digests),
        )
    )


def decode_body(data: bytes) -> Body:
    """Decode a body of at most 8,448 bytes and 1 to 256 operation digests; FormatError if not."""
    message = decode_strict(pb.Body, data, MAX_BODY_BYTES)
    try:
        kind = SignerKind(message.signer_kind)
    except ValueError as error:
        raise FormatError("body: unknown kind of signer") from error
    digests = message.operation_digests
    count, rest = divmod(len(digests), 32)
    if rest or not 1 <= count <= MAX_OPERATIONS:
        raise FormatError(f"body: {len(digests)} bytes of operation digests, expected 1..256 x 32")
    return Body(
        network_id=verify_length("network_id", message.network_id, 32),
        signer_kind=kind,
        signer=verify_length("signer", message.signer, SIGNER_BYTES[kind]),
        sequence=message.sequence,
        valid_until_ms=message.valid_until_ms,
        atomic=message.atomic,
        operation_digests=split(digests, 32),
    )


def encode_envelope(envelope: Envelope) -> bytes:
    """The canonical bytes of an envelope."""
    return encode(
        pb.Envelope(
            body=envelope.body,
            signature=envelope.signature,
            operations=envelope.operations,
            salts=b"".join(envelope.salts),
            payloads=envelope.payloads,
        )
    )


def decode_envelope(data: bytes) -> Envelope:
    """Decode an envelope of at most 4 MiB; one salt and one payload for each operation.

    Only the shape is judged here; `decode_body` and `verify_commitment` judge the rest. No
    operation has more than 20 KiB: even one that does not decode is kept beside the log.
    """
    message = decode_strict(pb.Envelope, data, MAX_ENVELOPE_BYTES)
    operations = tuple(message.operations)
    salts = message.salts
    payloads = tuple(message.payloads)
    count = len(operations)
    if not 1 <= count <= MAX_OPERATIONS:
        raise FormatError(f"envelope: {count} operations, expected 1 to {MAX_OPERATIONS}")
    if len(payloads) != count or len(salts) != count * SALT_BYTES:
        raise FormatError("envelope: salts and payloads must be one for each operation")
    if max(map(len, operations)) > MAX_OPERATION_BYTES:
        raise FormatError(
            f"envelope: an operation of over {MAX_OPERATION_BYTES} bytes", Reason.TOO_LARGE
        )
    return Envelope(message.body, message.signature, operations, split(salts, SALT_BYTES), payloads)


def verify_commitment(body: Body, operations: tuple[bytes, ...], salts: tuple[bytes, ...]) -> None:
    """Check that the body commits to exactly these operations; FormatError otherwise."""
    digests = tuple(map(operation_digest, salts, operations))
    if len(salts) != len(operations) or digests != body.operation_digests:
        raise FormatError("envelope: the body does not commit to these operations")


def verify_network(body: Body, network_id: bytes) -> None:
    """Check that the body is for this network; FormatError WRONG_NETWORK otherwise."""
    if body.network_id != network_id:
        raise FormatError("the transaction is for another network", Reason.WRONG_NETWORK)


def split(data: bytes, width: int) -> tuple[bytes, ...]:
    """Cut `data` into pieces of `width` bytes (its length is a multiple of it)."""
    return tuple(data[at : at + width] for at in range(0, len(data), width))
