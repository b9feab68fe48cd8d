"""Operations: what a transaction asks the ledger to do.

One dataclass per kind, one encoder, one strict decoder. An operation's digest,
SHA-256(salt ‖ operation), is what the signed body commits to; the salt is 16 random bytes of the
client, so that the public log does not let anyone guess names (design section 4).
Not here: who may do what (``contracts``).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from sealedger.v1 import ledger_pb2 as pb

from ledger.errors import FormatError
from ledger.format.hygiene import (
    HygieneOperation,
    RevokeSession,
    UpdateCollateral,
    decode_collateral,
    decode_revoke_session,
    hygiene_message,
)
from ledger.format.names import verify_name
from ledger.format.platforms import VotePlatform, decode_platform, platform_message
from ledger.format.releases import (
    EndorseRelease,
    PublishRelease,
    ReleaseOperation,
    RevokeRelease,
    decode_endorse,
    decode_publish,
    decode_revoke,
    release_message,
)
from ledger.format.strict import decode_strict, encode, verify_length
from ledger.format.terms import (
    OwnerOperation,
    decode_create,
    decode_destroy,
    decode_freeze,
    decode_set_policy,
    owner_message,
)

SALT_BYTES = 16
# an owner's terms with two policies of 8 KiB are the largest
MAX_OPERATION_BYTES = 20 * 1024
RECORD_ID_BYTES = 16
SESSION_KEY_BYTES = 33
KEM_KEY_BYTES = 1216
MAX_MODE = 255


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Opens a session; the payload beside it is the evidence."""

    session_key: bytes  # compressed P-256 point, 33 bytes
    kem_key: bytes  # X-Wing public key, 1,216 bytes
    evidence_digest: bytes  # SHA-256 of the payload
    service_key: bytes  # the key service that the evidence was made for, 32 bytes
    trust_digest: bytes
    checkpoint_size: int
    checkpoint_root: bytes


@dataclass(frozen=True, slots=True)
class AcquireKey:
    """Asks for the session's key-encryption key of one collection (writers only)."""

    collection: str


@dataclass(frozen=True, slots=True)
class Put:
    """Stores a sealed value as the next version of a name; the payload beside it is that value."""

    collection: str
    name: str
    record_id: bytes
    epoch: int
    mode: int
    sealed_digest: bytes
    size: int  # bytes of the ciphertext, tag included
    if_version: int | None = None  # 0: only if the name has no version yet
    ttl_ms: int = 0  # how long it can be read, from block time; 0: the collection's default


@dataclass(frozen=True, slots=True)
class Read:
    """Asks for a version of a name (the current one without `version`)."""

    collection: str
    name: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Ends a name: later reads find nothing until it is put again."""

    collection: str
    name: str
    if_version: int | None = None


@dataclass(frozen=True, slots=True)
class KeyServiceStart:
    """A key service's fresh nonce, which it wants to see on the ledger before it releases."""

    nonce: bytes  # 32 bytes
    service_key: bytes  # 32 bytes


Operation = (
    OpenSession
    | AcquireKey
    | Put
    | Read
    | Delete
    | KeyServiceStart
    | HygieneOperation
    | OwnerOperation
    | ReleaseOperation
    | VotePlatform
)


def operation_digest(salt: bytes, operation: bytes) -> bytes:
    """SHA-256(salt ‖ operation): what the body commits to."""
    return hashlib.sha256(salt + operation).digest()


def outcome_salt(salt: bytes) -> bytes:
    """The salt of an operation's outcome, derived from the operation's own."""
    return hashlib.sha256(b"outcome\0" + salt).digest()


def outcome_digest(salt: bytes, outcome: bytes) -> bytes:
    """SHA-256(outcome salt ‖ outcome), for the operation whose salt is `salt`."""
    return hashlib.sha256(hashlib.sha256(b"outcome\0" + salt).digest() + outcome).digest()


def encode_operation(operation: Operation) -> bytes:
    """The canonical bytes of an operation."""
    message = pb.Operation()
    match operation:
        case Put():
            message.put.CopyFrom(_put_message(operation))
        case Read(collection, name, version):
            message.read.CopyFrom(pb.Read(collection=collection, name=name, version=version))
        case AcquireKey(collection):
            message.acquire_key.collection = collection
        case Delete(collection, name, if_version):
            message.delete.CopyFrom(
                pb.Delete(collection=collection, name=name, if_version=if_version)
            )
        case OpenSession():
            message.open_session.CopyFrom(_open_message(operation))
        case KeyServiceStart(nonce, service_key):
            message.key_service_start.CopyFrom(
                pb.KeyServiceStart(nonce=nonce, service_key=service_key)
            )
        case UpdateCollateral() | RevokeSession():
            message = hygiene_message(operation)
        case PublishRelease() | EndorseRelease() | RevokeRelease():
            message = release_message(operation)
        case VotePlatform():
            message = platform_message(operation)
        case _:
            message = owner_message(operation)
    return encode(message)


def decode_operation(data: bytes) -> Operation:
    """Decode one operation of at most 20 KiB; FormatError for anything non-canonical."""
    message = decode_strict(pb.Operation, data, MAX_OPERATION_BYTES)
    kind = message.WhichOneof("kind")
    decoder = _DECODERS.get(kind or "")
    if decoder is None:
        raise FormatError("operation: no kind")
    return decoder(message)


def _put_message(put: Put) -> pb.Put:
    return pb.Put(
        collection=put.collection,
        name=put.name,
        record_id=put.record_id,
        epoch=put.epoch,
        mode=put.mode,
        sealed_digest=put.sealed_digest,
        size=put.size,
        if_version=put.if_version,
        ttl_ms=put.ttl_ms,
    )


def _open_message(opened: OpenSession) -> pb.OpenSession:
    return pb.OpenSession(
        session_key=opened.session_key,
        kem_key=opened.kem_key,
        evidence_digest=opened.evidence_digest,
        service_key=opened.service_key,
        trust_digest=opened.trust_digest,
        checkpoint_size=opened.checkpoint_size,
        checkpoint_root=opened.checkpoint_root,
    )


def _decode_put(message: pb.Operation) -> Operation:
    put = message.put
    if put.mode > MAX_MODE:
        raise FormatError(f"put: mode {put.mode}, it is one byte of the sealed header")
    return Put(
        verify_name(put.collection),
        verify_name(put.name),
        verify_length("record_id", put.record_id, RECORD_ID_BYTES),
        put.epoch,
        put.mode,
        verify_length("sealed_digest", put.sealed_digest, 32),
        put.size,
        put.if_version if put.HasField("if_version") else None,
        put.ttl_ms,
    )


def _decode_read(message: pb.Operation) -> Operation:
    read = message.read
    version = read.version if read.HasField("version") else None
    if version == 0:
        raise FormatError("read: versions start at 1")
    return Read(verify_name(read.collection), verify_name(read.name), version)


def _decode_delete(message: pb.Operation) -> Operation:
    delete = message.delete
    return Delete(
        verify_name(delete.collection),
        verify_name(delete.name),
        delete.if_version if delete.HasField("if_version") else None,
    )


def _decode_acquire(message: pb.Operation) -> Operation:
    return AcquireKey(verify_name(message.acquire_key.collection))


def _decode_open_session(message: pb.Operation) -> Operation:
    opened = message.open_session
    return OpenSession(
        session_key=verify_length("session_key", opened.session_key, SESSION_KEY_BYTES),
        kem_key=verify_length("kem_key", opened.kem_key, KEM_KEY_BYTES),
        evidence_digest=verify_length("evidence_digest", opened.evidence_digest, 32),
        service_key=verify_length("service_key", opened.service_key, 32),
        trust_digest=verify_length("trust_digest", opened.trust_digest, 32),
        checkpoint_size=opened.checkpoint_size,
        checkpoint_root=verify_length("checkpoint_root", opened.checkpoint_root, 32),
    )


def _decode_start(message: pb.Operation) -> Operation:
    start = message.key_service_start
    return KeyServiceStart(
        verify_length("nonce", start.nonce, 32),
        verify_length("service_key", start.service_key, 32),
    )


_DECODERS: dict[str, Callable[[pb.Operation], Operation]] = {
    "put": _decode_put,
    "read": _decode_read,
    "delete": _decode_delete,
    "acquire_key": _decode_acquire,
    "open_session": _decode_open_session,
    "key_service_start": _decode_start,
    "create_collection": decode_create,
    "set_policy": decode_set_policy,
    "freeze_collection": decode_freeze,
    "destroy": decode_destroy,
    "update_collateral": decode_collateral,
    "revoke_session": decode_revoke_session,
    "publish_release": decode_publish,
    "endorse_release": decode_endorse,
    "revoke_release": decode_revoke,
    "vote_platform": decode_platform,
}
