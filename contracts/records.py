"""State records: fixed-width where it can be, one encoder and decoder each. Integers big-endian.

Records are written by these rules only, so a record that does not decode is a StateError (ours).
Decoders are cached by bytes: sessions, collections and parameters are read for each operation.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache

from ledger.format.outcome import Coordinates

from contracts.errors import StateError

_SIGNER = struct.Struct(">QIB")
_SEQUENCE = struct.Struct(">32sQ")
_SESSION = struct.Struct(">33s32sQIQ32s")
_HEAD = struct.Struct(">BQ")
_STANDING = struct.Struct(">BQQ")  # of a head, with the number of its version
_VERSION = struct.Struct(">Q32sIIB32s16sQHQ")
_PARAMETERS = struct.Struct(">QIIQQQQQQII32s32s")


@dataclass(frozen=True, slots=True)
class Parameters:
    """What genesis and trust documents set, as the rules use it."""

    trust_version: int
    epoch: int
    rules_version: int
    rules_height: int
    session_ms: int
    skew_ms: int
    checkpoint_age_ms: int
    receipt_age_ms: int
    block_interval_ms: int
    value_bytes: int
    denials: int
    trust_digest: bytes
    service_key: bytes
    is_development: bool
    nodes: tuple[bytes, ...]  # Ed25519 keys that may sign as a node


def encode_parameters(parameters: Parameters) -> bytes:
    """Fixed part, then a byte for development, then the node keys."""
    fixed = _PARAMETERS.pack(
        parameters.trust_version,
        parameters.epoch,
        parameters.rules_version,
        parameters.rules_height,
        parameters.session_ms,
        parameters.skew_ms,
        parameters.checkpoint_age_ms,
        parameters.receipt_age_ms,
        parameters.block_interval_ms,
        parameters.value_bytes,
        parameters.denials,
        parameters.trust_digest,
        parameters.service_key,
    )
    return fixed + bytes((parameters.is_development,)) + b"".join(parameters.nodes)


@lru_cache(maxsize=8)
def decode_parameters(data: bytes) -> Parameters:
    """The parameters; StateError if they are not ours."""
    rest = data[_PARAMETERS.size :]
    if len(data) < _PARAMETERS.size + 1 or (len(rest) - 1) % 32 or rest[0] > 1:
        raise StateError("parameters: not ours")
    fixed = _PARAMETERS.unpack_from(data)
    nodes = tuple(rest[at : at + 32] for at in range(1, len(rest), 32))
    fields = (*fixed, bool(rest[0]), nodes)
    return Parameters(*fields)


@dataclass(frozen=True, slots=True)
class CollectionRecord:
    """Who may read and write a collection: canonical policy bytes."""

    readers: bytes
    writers: bytes


def encode_collection(collection: CollectionRecord) -> bytes:
    """Length of the readers' policy (4 bytes), it, then the writers'."""
    return len(collection.readers).to_bytes(4, "big") + collection.readers + collection.writers


@lru_cache(maxsize=4096)
def decode_collection(data: bytes) -> CollectionRecord:
    """The record; StateError if it is cut."""
    at = 4 + int.from_bytes(data[:4], "big")
    if len(data) < at:
        raise StateError("collection: wrong length")
    return CollectionRecord(data[4:at], data[at:])


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """An open session: its key, who it is, and until when (block time)."""

    public_key: bytes
    identity_digest: bytes
    expires_ms: int
    epoch: int
    index: int
    quote_digest: bytes
    identity: bytes  # attestation's canonical identity bytes


def encode_session(session: SessionRecord) -> bytes:
    """Fixed part, then the identity."""
    return (
        _SESSION.pack(
            session.public_key,
            session.identity_digest,
            session.expires_ms,
            session.epoch,
            session.index,
            session.quote_digest,
        )
        + session.identity
    )


@lru_cache(maxsize=4096)
def decode_session(data: bytes) -> SessionRecord:
    """The record; StateError if it is cut."""
    if len(data) <= _SESSION.size:
        raise StateError("session: wrong length")
    fields = (*_SESSION.unpack_from(data), data[_SESSION.size :])
    return SessionRecord(*fields)


@dataclass(frozen=True, slots=True)
class SignerRecord:
    """How far a signer's sequence numbers went, and how often it was denied."""

    highest: int = 0
    denials: int = 0
    is_closed: bool = False


def encode_signer(signer: SignerRecord) -> bytes:
    """13 bytes."""
    return _SIGNER.pack(signer.highest, signer.denials, signer.is_closed)


def decode_signer(data: bytes | None) -> SignerRecord:
    """The record; a signer that was never seen has a fresh one."""
    if data is None:
        return SignerRecord()
    if len(data) != _SIGNER.size:
        raise StateError("signer: wrong length")
    highest, denials, closed = _SIGNER.unpack(data)
    if closed > 1:
        raise StateError("signer: not one of ours")
    return SignerRecord(highest, denials, bool(closed))


@dataclass(frozen=True, slots=True)
class SequenceRecord:
    """What a sequence number ran: which body, at which entry."""

    transaction: bytes
    index: int


def encode_sequence(record: SequenceRecord) -> bytes:
    """40 bytes."""
    return _SEQUENCE.pack(record.transaction, record.index)


def decode_sequence(data: bytes) -> SequenceRecord:
    """The record; StateError if it has another length."""
    if len(data) != _SEQUENCE.size:
        raise StateError("sequence: wrong length")
    return SequenceRecord(*_SEQUENCE.unpack(data))


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a secret."""

    number: int
    sealed_digest: bytes
    size: int
    origin: Coordinates
    index: int  # entry and position of the operation whose payload it is
    position: int
    time_ms: int


def encode_version(version: Version) -> bytes:
    """115 bytes, then the origin's collection and name, each with a length byte."""
    origin = version.origin
    collection = origin.collection.encode("ascii")
    name = origin.name.encode("ascii")
    return b"%b%c%b%c%b" % (
        _VERSION.pack(
            version.number,
            version.sealed_digest,
            version.size,
            origin.epoch,
            origin.mode,
            origin.writer_session,
            origin.record_id,
            version.index,
            version.position,
            version.time_ms,
        ),
        len(collection),
        collection,
        len(name),
        name,
    )


def decode_version(data: bytes) -> Version:
    """The record; StateError if it is cut or longer."""
    try:
        (number, digest, size, epoch, mode, writer, record_id, index, position, time_ms) = (
            _VERSION.unpack_from(data)
        )
        middle = _VERSION.size + 1 + data[_VERSION.size]
        collection = data[_VERSION.size + 1 : middle].decode("ascii")
        name = data[middle + 1 :].decode("ascii")
        if len(name) != data[middle]:
            raise StateError("version: wrong length")
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise StateError("version: not one of ours") from error
    origin = Coordinates(collection, name, record_id, epoch, mode, writer)
    return Version(number, digest, size, origin, index, position, time_ms)


@dataclass(frozen=True, slots=True)
class HeadRecord:
    """A secret's current version; versions up to `deleted_through` are gone."""

    version: Version
    deleted_through: int = 0

    @property
    def current(self) -> int:
        """The current version's number; 0 after a deletion."""
        return 0 if self.version.number <= self.deleted_through else self.version.number


def encode_head(head: HeadRecord) -> bytes:
    """A format byte, `deleted_through`, then the version."""
    return _HEAD.pack(1, head.deleted_through) + encode_version(head.version)


def decode_head(data: bytes) -> HeadRecord:
    """The record; StateError if it is not ours."""
    if len(data) < _HEAD.size or data[0] != 1:
        raise StateError("head: not one of ours")
    return HeadRecord(decode_version(data[_HEAD.size :]), _HEAD.unpack_from(data)[1])


def decode_standing(data: bytes) -> tuple[int, int]:
    """The last version's number and `deleted_through` of an encoded head, without the rest."""
    if len(data) <= _HEAD.size + _VERSION.size or data[0] != 1:
        raise StateError("head: not one of ours")
    _, deleted_through, number = _STANDING.unpack_from(data)
    return number, deleted_through


def version_of_head(data: bytes) -> bytes:
    """The encoded version in an encoded head."""
    return data[_HEAD.size :]


def encode_list(items: tuple[bytes, ...]) -> bytes:
    """Each item after its length in 4 bytes."""
    return b"".join(len(item).to_bytes(4, "big") + item for item in items)


@lru_cache(maxsize=8)
def decode_list(data: bytes) -> tuple[bytes, ...]:
    """The items; StateError if the last is cut."""
    items = []
    at = 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            raise StateError("list: wrong length")
        items.append(data[at + 4 : end])
        at = end
    return tuple(items)
