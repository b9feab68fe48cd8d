"""Tiles and entry bundles: paths, widths and bytes (C2SP tlog-tiles v0.1.0, draft).

Rules: a tile holds 1 to 256 hashes of 32 bytes; element i of tile n at level l is the root over
the leaves [(n * 256 + i) * 256^l, (n * 256 + i + 1) * 256^l). Only a full tile is hashed into the
level above. A narrower tile is a prefix of the wider one. A path has one spelling; every other is
refused. An entry in a bundle has at most 65,535 bytes behind a 16-bit length.

Not here: which tiles are stored (tree.py), how they are served.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from ledger.log.errors import TileError
from ledger.log.merkle import HASH_BYTES, MAX_TREE_SIZE

TILE_HEIGHT = 8
TILE_WIDTH = 256
TILE_BYTES = TILE_WIDTH * HASH_BYTES
MAX_LEVEL = 63
MAX_ENTRY_BYTES = 65_535

_LENGTH_BYTES = 2
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)"
    r"/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class HashTile:
    """The first `width` (1 to 256) hashes of tile `index` at `level` (0 to 63)."""

    level: int
    index: int
    width: int = TILE_WIDTH


@dataclass(frozen=True, slots=True)
class EntryBundle:
    """The first `width` (1 to 256) entries of bundle `index`."""

    index: int
    width: int = TILE_WIDTH


def encode_path(resource: HashTile | EntryBundle) -> str:
    """Return the path below a log's URL prefix, such as `tile/0/x001/234.p/5`.

    Raises TileError for numbers that no path can carry.
    """
    kind = "entries"
    if isinstance(resource, HashTile):
        if not 0 <= resource.level <= MAX_LEVEL:
            raise TileError(f"tile level {resource.level} is not in 0 to {MAX_LEVEL}")
        kind = str(resource.level)
    if not 0 <= resource.index <= MAX_TREE_SIZE:
        raise TileError("tile index is not in 0 to 2^63 - 1")
    if not 1 <= resource.width <= TILE_WIDTH:
        raise TileError(f"tile width {resource.width} is not in 1 to {TILE_WIDTH}")
    digits = str(resource.index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    partial = "" if resource.width == TILE_WIDTH else f".p/{resource.width}"
    return f"tile/{kind}/{number}{partial}"


def decode_path(path: str) -> HashTile | EntryBundle:
    """Return what a path names; raises TileError unless it is spelled the only allowed way."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise TileError("path names no tile")
    index = int(found["index"].replace("/", "").replace("x", ""))
    width = TILE_WIDTH if found["width"] is None else int(found["width"])
    resource = (
        EntryBundle(index, width)
        if found["level"] == "entries"
        else HashTile(int(found["level"]), index, width)
    )
    if encode_path(resource) != path:
        raise TileError("path is not in its shortest form")
    return resource


def tile_width(level: int, index: int, size: int) -> int:
    """Return how many hashes (0 to 256) tile `index` of `level` has in a tree of `size` leaves."""
    return max(0, min(TILE_WIDTH, (size >> (TILE_HEIGHT * level)) - index * TILE_WIDTH))


def tiles_of(size: int) -> Iterator[HashTile]:
    """Yield every tile of a tree of `size` leaves, full and partial, level by level."""
    level = 0
    while hashes := size >> (TILE_HEIGHT * level):
        for index in range(-(-hashes // TILE_WIDTH)):
            yield HashTile(level, index, tile_width(level, index, size))
        level += 1


def partial_tiles_of(size: int) -> Iterator[HashTile]:
    """Yield the partial tiles of a tree of `size` leaves, at most one for each level."""
    level = 0
    while hashes := size >> (TILE_HEIGHT * level):
        if width := hashes % TILE_WIDTH:
            yield HashTile(level, hashes // TILE_WIDTH, width)
        level += 1


def bundles_of(size: int) -> Iterator[EntryBundle]:
    """Yield every entry bundle of a log of `size` entries, the partial one last."""
    for index in range(-(-size // TILE_WIDTH)):
        yield EntryBundle(index, tile_width(0, index, size))


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return 1 to 256 entries, each behind its 16-bit big-endian length; raises TileError."""
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise TileError(f"bundle has {len(entries)} entries, not 1 to {TILE_WIDTH}")
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise TileError(f"entry has {len(entry)} bytes, at most {MAX_ENTRY_BYTES} allowed")
        parts += (len(entry).to_bytes(_LENGTH_BYTES, "big"), entry)
    return b"".join(parts)


def decode_bundle(data: bytes, width: int) -> tuple[bytes, ...]:
    """Return the `width` (1 to 256) entries of a bundle; raises TileError if it holds others."""
    if not 1 <= width <= TILE_WIDTH:
        raise TileError(f"bundle width {width} is not in 1 to {TILE_WIDTH}")
    entries = []
    at = 0
    for _ in range(width):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or at > len(data):
            raise TileError("bundle ends inside an entry")
        entries.append(data[start:at])
    if at != len(data):
        raise TileError("bundle has bytes after its last entry")
    return tuple(entries)


def decode_tile(data: bytes, width: int) -> tuple[bytes, ...]:
    """Return the `width` (1 to 256) hashes of a tile; raises TileError for another length."""
    if not 1 <= width <= TILE_WIDTH or len(data) != width * HASH_BYTES:
        raise TileError(f"tile has {len(data)} bytes, not {HASH_BYTES} for each of {width} hashes")
    return tuple(data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES))


def tile_root(data: bytes) -> bytes:
    """Return the 32-byte root over a full tile of 8,192 bytes; raises TileError for others."""
    if len(data) != TILE_BYTES:
        raise TileError(f"tile has {len(data)} bytes, only full ones have a root above")
    row = data
    while len(row) > HASH_BYTES:
        row = hash_pairs(row)
    return row


def hash_pairs(row: bytes | bytearray) -> bytes:
    """Return the row above: one 32-byte node hash for each whole pair of 32-byte hashes."""
    ends = range(2 * HASH_BYTES, len(row) + 1, 2 * HASH_BYTES)
    return b"".join([sha256(b"\x01" + row[end - 2 * HASH_BYTES : end]).digest() for end in ends])
