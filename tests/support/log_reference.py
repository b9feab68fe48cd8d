"""The RFC 6962 definitions written down as they stand, and a store of tiles that checks its use.

Slow on purpose: recursion over lists of leaf hashes, nothing shared with the code under test.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256

TileKey = tuple[int, int]


def synthetic_leaves(count: int) -> list[bytes]:
    """Distinct 32-byte leaf hashes that are the same in every run."""
    return [sha256(b"\x00leaf %d" % number).digest() for number in range(count)]


def root_of(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, over leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return sha256(b"\x01" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def path_of(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1."""
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*path_of(index, leaves[:split]), root_of(leaves[split:])]
    return [*path_of(index - split, leaves[split:]), root_of(leaves[:split])]


def proof_of(old_size: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PROOF of RFC 6962 section 2.1.2, for 0 < old_size <= len(leaves)."""
    return _subproof(old_size, leaves, is_whole=True)


def _subproof(old_size: int, leaves: Sequence[bytes], *, is_whole: bool) -> list[bytes]:
    if old_size == len(leaves):
        return [] if is_whole else [root_of(leaves)]
    split = _split(len(leaves))
    if old_size <= split:
        left = _subproof(old_size, leaves[:split], is_whole=is_whole)
        return [*left, root_of(leaves[split:])]
    right = _subproof(old_size - split, leaves[split:], is_whole=False)
    return [*right, root_of(leaves[:split])]


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    split = 1
    while split * 2 < size:
        split *= 2
    return split


class MemoryTiles:
    """Tiles in memory: refuses a write that is no extension of what is there; counts reads."""

    def __init__(self) -> None:
        self.tiles: dict[TileKey, bytes] = {}
        self.reads: list[TileKey] = []

    def read_tile(self, level: int, index: int) -> bytes | None:
        self.reads.append((level, index))
        return self.tiles.get((level, index))

    def persist(self, tiles: Mapping[TileKey, bytes]) -> None:
        """Write the tiles of one append, as a batch would."""
        for key, value in tiles.items():
            before = self.tiles.get(key, b"")
            if not value.startswith(before) or len(value) <= len(before):
                raise AssertionError(f"tile {key} is not extended but replaced")
            if not 0 < len(value) <= 8192 or len(value) % 32:
                raise AssertionError(f"tile {key} has {len(value)} bytes")
            self.tiles[key] = value
