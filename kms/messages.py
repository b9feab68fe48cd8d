"""The messages of the key service (proto/sealedger/v1/kms.proto): one encoder, one strict decoder.

Rules: canonical bytes only, bounded sizes, proofs of at most 63 hashes of 32 bytes, at most 256
release items, their positions strictly growing. Every decoder raises KeyServiceRefusal
(MALFORMED or TOO_LARGE) and nothing else.

Not here: judging any of it; the sealed state (state.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from google.protobuf.message import Message

from kms.errors import KeyServiceRefusal
from ledger.errors import FormatError
from ledger.format.leaf import MAX_LEAF_BYTES
from ledger.format.names import verify_name
from ledger.format.operation import MAX_OPERATION_BYTES
from ledger.format.outcome import MAX_OUTCOME_BYTES
from ledger.format.strict import decode_strict, encode
from ledger.format.transaction import MAX_OPERATIONS, split
from ledger.log.merkle import HASH_BYTES, MAX_PROOF_HASHES
from ledger.log.note import MAX_NOTE_BYTES
from ledger.reason import Reason
from sealedger.v1 import kms_pb2 as pb
from sealedger.v1 import ledger_pb2

MAX_RELEASE_BYTES = 4 * 1024 * 1024
MAX_START_BYTES = MAX_LEAF_BYTES + MAX_OPERATION_BYTES + MAX_OUTCOME_BYTES + 4096
MAX_CERTIFY_BYTES = MAX_NOTE_BYTES + MAX_LEAF_BYTES + 8192
MAX_HELLO_BYTES = 256 * 1024
MAX_GRANT_BYTES = 4096
MAX_QUESTION_BYTES = 256
MAX_STATEMENT_BYTES = 2048

_MAX_PROOF_BYTES = MAX_PROOF_HASHES * HASH_BYTES

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class CertifyRequest:
    """A cosigned note and what shows that it extends the held checkpoint (`CertifyRequest`)."""

    note: bytes
    consistency: tuple[bytes, ...]
    header: bytes
    header_hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class StartRequest:
    """The entry of this start's nonce, operation 0 of its leaf (`StartRequest`)."""

    index: int
    leaf: bytes
    hashes: tuple[bytes, ...]
    salt: bytes
    operation: bytes
    outcome: bytes


@dataclass(frozen=True, slots=True)
class ReleaseItem:
    """One operation of the leaf whose key is asked for (`ReleaseItem`)."""

    position: int
    salt: bytes
    outcome: bytes
    operation: bytes = b""  # for an OpenSession
    sealed_header: bytes = b""  # for a Read
    ciphertext_digest: bytes = b""  # for a Read


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """A leaf in the tree of (size, root), and the items to release (`ReleaseRequest`)."""

    index: int
    leaf: bytes
    hashes: tuple[bytes, ...]
    size: int
    root: bytes
    consistency: tuple[bytes, ...]
    items: tuple[ReleaseItem, ...]


@dataclass(frozen=True, slots=True)
class Released:
    """The answer to one item: OK and the sealed key, or why not and nothing (`Released`)."""

    reason: Reason
    sealed_key: bytes = b""


@dataclass(frozen=True, slots=True)
class SessionGrant:
    """A session's secret, sealed to its KEM key and signed (`SessionGrant`)."""

    session_id: bytes
    expires_ms: int
    sealed_secret: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class HelloEvidence:
    """The evidence of the key service, signed for one client's nonce (`HelloEvidence`)."""

    evidence: bytes
    checkpoint: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SealingKeyStatement:
    """A collection's public sealing key in an epoch, signed by the service key."""

    public_key: bytes
    epoch: int
    signature: bytes


def encode_certify_request(request: CertifyRequest) -> bytes:
    """The canonical bytes."""
    return encode(
        pb.CertifyRequest(
            note=request.note,
            consistency=b"".join(request.consistency),
            header=request.header,
            header_hashes=b"".join(request.header_hashes),
        )
    )


def decode_certify_request(data: bytes) -> CertifyRequest:
    """Decode at most MAX_CERTIFY_BYTES; KeyServiceRefusal for any other spelling."""
    message = _decode(pb.CertifyRequest, data, MAX_CERTIFY_BYTES)
    return CertifyRequest(
        message.note,
        _hashes(message.consistency),
        message.header,
        _hashes(message.header_hashes),
    )


def encode_certify_reply(note: bytes) -> bytes:
    """The canonical bytes of the reply with the signed note."""
    return encode(pb.CertifyReply(note=note))


def decode_certify_reply(data: bytes) -> bytes:
    """The signed note of a reply; KeyServiceRefusal for any other spelling."""
    return _decode(pb.CertifyReply, data, MAX_CERTIFY_BYTES).note


def encode_start_request(request: StartRequest) -> bytes:
    """The canonical bytes."""
    return encode(
        pb.StartRequest(
            index=request.index,
            leaf=request.leaf,
            hashes=b"".join(request.hashes),
            salt=request.salt,
            operation=request.operation,
            outcome=request.outcome,
        )
    )


def decode_start_request(data: bytes) -> StartRequest:
    """Decode at most MAX_START_BYTES; KeyServiceRefusal for any other spelling."""
    message = _decode(pb.StartRequest, data, MAX_START_BYTES)
    return StartRequest(
        message.index,
        message.leaf,
        _hashes(message.hashes),
        message.salt,
        message.operation,
        message.outcome,
    )


def encode_release_request(request: ReleaseRequest) -> bytes:
    """The canonical bytes."""
    return encode(
        pb.ReleaseRequest(
            index=request.index,
            leaf=request.leaf,
            hashes=b"".join(request.hashes),
            size=request.size,
            root=request.root,
            consistency=b"".join(request.consistency),
            items=(
                pb.ReleaseItem(
                    position=item.position,
                    salt=item.salt,
                    operation=item.operation,
                    outcome=item.outcome,
                    sealed_header=item.sealed_header,
                    ciphertext_digest=item.ciphertext_digest,
                )
                for item in request.items
            ),
        )
    )


def decode_release_request(data: bytes) -> ReleaseRequest:
    """Decode at most 4 MiB with 1 to 256 items; KeyServiceRefusal for any other spelling."""
    message = _decode(pb.ReleaseRequest, data, MAX_RELEASE_BYTES)
    items = tuple(
        ReleaseItem(
            item.position,
            item.salt,
            item.outcome,
            item.operation,
            item.sealed_header,
            item.ciphertext_digest,
        )
        for item in message.items
    )
    if not 1 <= len(items) <= MAX_OPERATIONS:
        raise _malformed(f"{len(items)} items, expected 1 to {MAX_OPERATIONS}")
    last = -1
    for item in items:
        if item.position <= last:
            raise _malformed("positions must grow")
        last = item.position
    return ReleaseRequest(
        message.index,
        message.leaf,
        _hashes(message.hashes),
        message.size,
        message.root,
        _hashes(message.consistency),
        items,
    )


def encode_release_reply(items: Sequence[Released]) -> bytes:
    """The canonical bytes of a reply, one answer for each item of the request, in order."""
    reply = pb.ReleaseReply()
    add = reply.items.add  # each release waits for this: no list in between
    for item in items:
        add(reason=cast("ledger_pb2.Reason", item.reason), sealed_key=item.sealed_key)
    return encode(reply)


def decode_release_reply(data: bytes) -> tuple[Released, ...]:
    """The answers in the order of the items; KeyServiceRefusal for any other spelling."""
    message = _decode(pb.ReleaseReply, data, MAX_RELEASE_BYTES)
    try:
        return tuple(Released(Reason(item.reason), item.sealed_key) for item in message.items)
    except ValueError as error:
        raise _malformed("unknown reason") from error


def encode_session_grant(grant: SessionGrant) -> bytes:
    """The canonical bytes."""
    return encode(
        pb.SessionGrant(
            session_id=grant.session_id,
            expires_ms=grant.expires_ms,
            sealed_secret=grant.sealed_secret,
            signature=grant.signature,
        )
    )


def decode_session_grant(data: bytes) -> SessionGrant:
    """Decode at most 4,096 bytes; KeyServiceRefusal for any other spelling."""
    message = _decode(pb.SessionGrant, data, MAX_GRANT_BYTES)
    return SessionGrant(
        message.session_id, message.expires_ms, message.sealed_secret, message.signature
    )


def encode_sealing_key_question(collection: str) -> bytes:
    """The canonical bytes."""
    return encode(pb.SealingKeyQuestion(collection=collection))


def decode_sealing_key_question(data: bytes) -> str:
    """The collection's name; KeyServiceRefusal for any other spelling."""
    message = _decode(pb.SealingKeyQuestion, data, MAX_QUESTION_BYTES)
    try:
        return verify_name(message.collection)
    except FormatError as error:
        raise KeyServiceRefusal(error.reason, str(error)) from error


def encode_sealing_key_statement(statement: SealingKeyStatement) -> bytes:
    """The canonical bytes."""
    return encode(
        pb.SealingKeyStatement(
            public_key=statement.public_key,
            epoch=statement.epoch,
            signature=statement.signature,
        )
    )


def decode_sealing_key_statement(data: bytes) -> SealingKeyStatement:
    """Decode; KeyServiceRefusal for any other spelling. The signature is not checked here."""
    message = _decode(pb.SealingKeyStatement, data, MAX_STATEMENT_BYTES)
    return SealingKeyStatement(message.public_key, message.epoch, message.signature)


def encode_hello_evidence(hello: HelloEvidence) -> bytes:
    """The canonical bytes."""
    return encode(
        pb.HelloEvidence(
            evidence=hello.evidence, checkpoint=hello.checkpoint, signature=hello.signature
        )
    )


def decode_hello_evidence(data: bytes) -> HelloEvidence:
    """Decode at most 256 KiB; KeyServiceRefusal for any other spelling."""
    message = _decode(pb.HelloEvidence, data, MAX_HELLO_BYTES)
    return HelloEvidence(message.evidence, message.checkpoint, message.signature)


def _decode(kind: type[M], data: bytes, limit: int) -> M:
    try:
        return decode_strict(kind, data, limit)
    except FormatError as error:
        raise KeyServiceRefusal(error.reason, str(error)) from error


def _hashes(data: bytes) -> tuple[bytes, ...]:
    if len(data) % HASH_BYTES or len(data) > _MAX_PROOF_BYTES:
        raise _malformed("a proof has 0 to 63 hashes of 32 bytes")
    return split(data, HASH_BYTES)


def _malformed(message: str) -> KeyServiceRefusal:
    return KeyServiceRefusal(Reason.MALFORMED, message)
