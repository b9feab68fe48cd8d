"""State records of secrets: versions and heads, fixed-width up to the origin's names.

A head holds the current version; what it supersedes moves to a key of its own. Integers are
big-endian. Records are written by these rules only: one that does not decode is a StateError.
"""

import struct
from dataclasses import dataclass

from ledger.format.outcome import Coordinates

from contracts.errors import StateError

_HEAD = struct.Struct(">BQQ")
_STANDING = struct.Struct(">BQQQ")
_VERSION = struct.Struct(">Q32sIIB32s16sQHQQB")


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
    expires_ms: int = 0  # block time from which it cannot be read; 0: never
    is_destroyed: bool = False


def encode_version(version: Version) -> bytes:
    """124 bytes, then the origin's collection and name, each with a length byte."""
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
            version.expires_ms,
            version.is_destroyed,
        ),
        len(collection),
        collection,
        len(name),
        name,
    )


def decode_version(data: bytes) -> Version:
    """The record; StateError if it is cut or longer."""
    try:
        fixed = _VERSION.unpack_from(data)
        middle = _VERSION.size + 1 + data[_VERSION.size]
        collection = data[_VERSION.size + 1 : middle].decode("ascii")
        name = data[middle + 1 :].decode("ascii")
        if len(name) != data[middle]:
            raise StateError("version: wrong length")
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise StateError("version: not one of ours") from error
    number, digest, size, epoch, mode, writer, record_id, *where, destroyed = fixed
    if destroyed > 1:
        raise StateError("version: not one of ours")
    origin = Coordinates(collection, name, record_id, epoch, mode, writer)
    fields = (number, digest, size, origin, *where, bool(destroyed))
    return Version(*fields)


@dataclass(frozen=True, slots=True)
class HeadRecord:
    """A secret's current version.

    Versions up to `deleted_through` cannot be read, those up to `destroyed_through` are erased.
    """

    version: Version
    deleted_through: int = 0
    destroyed_through: int = 0

    @property
    def current(self) -> int:
        """The current version's number; 0 after a deletion."""
        return 0 if self.version.number <= self.deleted_through else self.version.number


def encode_head(head: HeadRecord) -> bytes:
    """A format byte, `deleted_through`, `destroyed_through`, then the version."""
    fixed = _HEAD.pack(1, head.deleted_through, head.destroyed_through)
    return fixed + encode_version(head.version)


def decode_head(data: bytes) -> HeadRecord:
    """The record; StateError if it is not ours."""
    if len(data) < _HEAD.size or data[0] != 1:
        raise StateError("head: not one of ours")
    _, deleted_through, destroyed_through = _HEAD.unpack_from(data)
    return HeadRecord(decode_version(data[_HEAD.size :]), deleted_through, destroyed_through)


def decode_standing(data: bytes) -> tuple[int, int, int]:
    """Number of the last version, `deleted_through`, `destroyed_through` of an encoded head."""
    if len(data) <= _HEAD.size + _VERSION.size or data[0] != 1:
        raise StateError("head: not one of ours")
    _, deleted_through, destroyed_through, number = _STANDING.unpack_from(data)
    return number, deleted_through, destroyed_through


def version_of_head(data: bytes) -> bytes:
    """The encoded version in an encoded head."""
    return data[_HEAD.size :]
