"""The sealed secret: header (coordinates and wraps) and ciphertext, fixed-width where it can be.

Layout, integers big-endian::

    0   1  version, 1
    1   1  mode: 1 = wrapped under the writer session's key
    2   4  epoch
    6  32  network id
   38  32  writer session
   70  16  record id, random
   86   1  length of the origin collection, then it
    .   1  length of the origin name, then it            <- coordinates end here
    .   1  number of wraps, 1..8
    .      per wrap: kind (1 byte), length (2 bytes), bytes
           <- header ends here
    .      ciphertext of the value: AES-256-GCM with its 16-byte tag

The coordinates are additional data of the value and of each wrap. The digest that the ledger keeps
is SHA-256("sealedger/sealed/1" NUL ‖ header ‖ SHA-256(ciphertext)) (design section 4).
Not here: keys (``ledger.sealing``).
"""

import hashlib
import struct
from dataclasses import dataclass

from ledger.errors import FormatError
from ledger.format.names import verify_name
from ledger.format.outcome import Coordinates
from ledger.reason import Reason

VERSION = 1
MODE_SESSION = 1
MODE_PUBLIC = 2  # wrapped to the collection's public sealing key, by an owner's account
WRAP_SESSION = 1
WRAP_PUBLIC = 2
MAX_WRAPS = 8
MAX_WRAP_BYTES = 2048
TAG_BYTES = 16
MAX_HEADER_BYTES = 4096
_FIXED = struct.Struct(">BBI32s32s16s")
_WRAP = struct.Struct(">BH")
_DOMAIN = b"sealedger/sealed/1\0"


@dataclass(frozen=True, slots=True)
class Wrap:
    """The data key, wrapped one way."""

    kind: int
    data: bytes


@dataclass(frozen=True, slots=True)
class SealedHeader:
    """A decoded header; `coordinates_bytes` is the additional data of everything inside."""

    network_id: bytes
    coordinates: Coordinates
    coordinates_bytes: bytes
    wraps: tuple[Wrap, ...]


def encode_coordinates(network_id: bytes, at: Coordinates) -> bytes:
    """The coordinates' bytes (version byte included)."""
    collection = at.collection.encode("ascii")
    name = at.name.encode("ascii")
    fixed = _FIXED.pack(VERSION, at.mode, at.epoch, network_id, at.writer_session, at.record_id)
    return b"%b%c%b%c%b" % (fixed, len(collection), collection, len(name), name)


def encode_header(coordinates: bytes, wraps: tuple[Wrap, ...]) -> bytes:
    """The header: coordinates, then the wraps."""
    parts = [coordinates, bytes((len(wraps),))]
    for wrap in wraps:
        parts.append(_WRAP.pack(wrap.kind, len(wrap.data)))
        parts.append(wrap.data)
    return b"".join(parts)


def header_length(sealed: bytes) -> int:
    """Where the ciphertext starts; FormatError if the header is cut or over 4,096 bytes."""
    at = _FIXED.size
    try:
        at += 1 + sealed[at]
        at += 1 + sealed[at]
        count = sealed[at]
        at += 1
        if not 1 <= count <= MAX_WRAPS:
            raise FormatError(f"sealed secret: {count} wraps, expected 1 to {MAX_WRAPS}")
        for _ in range(count):
            at += 3 + (sealed[at + 1] << 8 | sealed[at + 2])
    except IndexError as error:
        raise FormatError("sealed secret: the header is cut short") from error
    if at > MAX_HEADER_BYTES:
        raise FormatError(f"sealed secret: a header of {at} bytes", Reason.TOO_LARGE)
    if at > len(sealed):
        raise FormatError("sealed secret: the header is cut short")
    return at


def split_sealed(sealed: bytes) -> tuple[bytes, bytes]:
    """Split into (header, ciphertext); the ciphertext holds at least its 16-byte tag."""
    at = header_length(sealed)
    if len(sealed) - at < TAG_BYTES:
        raise FormatError("sealed secret: the ciphertext is shorter than its tag")
    return sealed[:at], sealed[at:]


def decode_header(header: bytes) -> SealedHeader:
    """Decode a whole header of at most 4,096 bytes; FormatError for any other spelling."""
    if len(header) > MAX_HEADER_BYTES:
        raise FormatError(f"sealed secret: a header of {len(header)} bytes", Reason.TOO_LARGE)
    if header_length(header) != len(header):
        raise FormatError("sealed secret: bytes after the header")
    version, mode, epoch, network_id, writer, record_id = _FIXED.unpack_from(header)
    if version != VERSION or not mode:
        raise FormatError(f"sealed secret: version {version}, mode {mode}; expected {VERSION}, 1")
    collection, at = _text(header, _FIXED.size)
    name, at = _text(header, at)
    coordinates = Coordinates(collection, name, record_id, epoch, mode, writer)
    return SealedHeader(network_id, coordinates, header[:at], _wraps(header, at))


def open_header(header: bytes, network_id: bytes, at: Coordinates) -> SealedHeader | None:
    """Decode a header that must be of these coordinates; None if it is of others.

    One encoding per value makes comparing bytes the same as decoding and comparing fields, and
    several times as fast. FormatError if the wraps do not decode.
    """
    expected = encode_coordinates(network_id, at)
    if not header.startswith(expected):
        return None
    if header_length(header) != len(header):
        raise FormatError("sealed secret: bytes after the header")
    return SealedHeader(network_id, at, expected, _wraps(header, len(expected)))


def sealed_digest(header: bytes, ciphertext_digest: bytes) -> bytes:
    """What the ledger keeps of a sealed secret."""
    return hashlib.sha256(_DOMAIN + header + ciphertext_digest).digest()


def digest_of(sealed: bytes) -> bytes:
    """`sealed_digest` of a whole sealed secret; FormatError if it cannot be split."""
    header, ciphertext = split_sealed(sealed)
    return sealed_digest(header, hashlib.sha256(ciphertext).digest())


def _wraps(header: bytes, at: int) -> tuple[Wrap, ...]:
    wraps = []
    at += 1
    while at < len(header):
        kind, length = _WRAP.unpack_from(header, at)
        if length > MAX_WRAP_BYTES:
            raise FormatError(f"sealed secret: a wrap of {length} bytes")
        wraps.append(Wrap(kind, header[at + 3 : at + 3 + length]))
        at += 3 + length
    return tuple(wraps)


def _text(data: bytes, at: int) -> tuple[str, int]:
    end = at + 1 + data[at]
    try:
        return verify_name(data[at + 1 : end].decode("ascii")), end
    except UnicodeDecodeError as error:
        raise FormatError("sealed secret: a name is not ASCII") from error
