"""Where the hashes of complete subtrees live: right edge, tiles not yet durable, cache, store.

Rules: the rightmost tile of each level is always in memory. A tile that becomes full stays in
memory until it is known to be durable, so the block after may be built while the last one is
synced. Older full tiles are read back, checked against the hash that the level above has of them,
and kept in a bounded cache together with the 254 hashes inside them (about 18 kB a tile).
A node is named by its height (0 = leaf hash) and its index among the nodes of that height.

Not here: roots and proofs (tree.py); writing (the caller persists what `extend` returns).
"""

from collections import OrderedDict
from collections.abc import Sequence
from hmac import compare_digest
from typing import Protocol

from ledger.log.errors import TileError, TreeDamagedError
from ledger.log.merkle import HASH_BYTES, node_hash
from ledger.log.tiles import (
    TILE_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    hash_pairs,
    partial_tiles_of,
)

TileKey = tuple[int, int]

_LEVEL_SHIFT = 3
_ROW_MASK = TILE_HEIGHT - 1


class TileReader(Protocol):
    """The durable tiles of one log.

    A value holds 1 to 256 hashes of 32 bytes. While a tile is the rightmost of its level its value
    is replaced by longer ones that begin with it; a full tile never changes. What was persisted up
    to the size given to `Tree.open` or `Tree.mark_durable` must be found; later tiles are never
    asked for. Called from the thread that uses the tree; may block on the disk; not retried.
    """

    def read_tile(self, level: int, index: int) -> bytes | None:
        """Return the tile's bytes, or None if there is no such tile."""
        ...


class _Tile:
    """A tile with the hashes inside it: row h holds the complete nodes h levels above its own."""

    __slots__ = ("index", "rows")

    def __init__(self, index: int, hashes: bytes = b"") -> None:
        self.index = index
        self.rows = [bytearray() for _ in range(TILE_HEIGHT)]
        self.extend(hashes)

    def extend(self, hashes: bytes) -> None:
        rows = self.rows
        rows[0] += hashes
        for height in range(1, TILE_HEIGHT):
            row = rows[height]
            added = hash_pairs(rows[height - 1][2 * len(row) :])
            if not added:
                break
            row += added

    def root(self) -> bytes:
        top = self.rows[-1]
        return node_hash(bytes(top[:HASH_BYTES]), bytes(top[HASH_BYTES:]))


class Nodes:
    """The complete subtrees of a growing tree. One thread at a time."""

    def __init__(self, reader: TileReader, size: int, edges: list[_Tile], cache_tiles: int) -> None:
        """Keep the parts; use `open_nodes`."""
        self.size = size
        self._reader = reader
        self._edges = edges
        self._staged: dict[TileKey, tuple[_Tile, int]] = {}
        self._cache: OrderedDict[TileKey, _Tile] = OrderedDict()
        self._cache_tiles = cache_tiles

    def node(self, height: int, index: int) -> bytes:
        """Return the 32-byte hash of a complete subtree, which must be one of this tree's.

        Raises TreeDamagedError if the store lacks its tile or holds another one.
        """
        level = height >> _LEVEL_SHIFT
        row = height & _ROW_MASK
        shift = TILE_HEIGHT - row
        tile_index = index >> shift
        tile = self._edges[level]
        if tile.index != tile_index:
            tile = self._full_tile(level, tile_index)
        start = (index - (tile_index << shift)) * HASH_BYTES
        return bytes(tile.rows[row][start : start + HASH_BYTES])

    def extend(self, leaf_hashes: Sequence[bytes]) -> dict[TileKey, bytes]:
        """Add leaf hashes of 32 bytes and return the tiles that changed, with their new bytes.

        Raises TileError, and adds nothing, if a leaf hash has another length.
        """
        if any(len(value) != HASH_BYTES for value in leaf_hashes):
            raise TileError(f"a leaf hash has not {HASH_BYTES} bytes")
        self.size += len(leaf_hashes)
        touched: dict[TileKey, bytes] = {}
        hashes = b"".join(leaf_hashes)
        level = 0
        while hashes:
            hashes = self._extend_level(level, hashes, touched)
            level += 1
        return touched

    def mark_durable(self, size: int) -> None:
        """Let go of the full tiles of the first `size` leaves: the store has them now."""
        while self._staged:
            key, (tile, closed_at) = next(iter(self._staged.items()))
            if closed_at > size:
                break
            del self._staged[key]
            self._remember(key, tile)

    def _extend_level(self, level: int, hashes: bytes, touched: dict[TileKey, bytes]) -> bytes:
        if level == len(self._edges):
            self._edges.append(_Tile(0))
        closed = []
        start = 0
        while start < len(hashes):
            tile = self._edges[level]
            room = TILE_BYTES - len(tile.rows[0])
            tile.extend(hashes[start : start + room])
            start += room
            key = (level, tile.index)
            touched[key] = bytes(tile.rows[0])
            if len(touched[key]) == TILE_BYTES:
                closed.append(tile.root())
                self._staged[key] = (tile, self.size)
                self._edges[level] = _Tile(tile.index + 1)
        return b"".join(closed)

    def _full_tile(self, level: int, index: int) -> _Tile:
        key = (level, index)
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        if key in self._staged:
            return self._staged[key][0]
        data = self._reader.read_tile(level, index)
        if data is None or len(data) != TILE_BYTES:
            raise TreeDamagedError(f"full tile {index} of level {level} is not in the store")
        tile = _Tile(index, data)
        if not compare_digest(tile.root(), self.node(TILE_HEIGHT * (level + 1), index)):
            raise TreeDamagedError(f"tile {index} of level {level} is not the one hashed above it")
        self._remember(key, tile)
        return tile

    def _remember(self, key: TileKey, tile: _Tile) -> None:
        self._cache[key] = tile
        if len(self._cache) > self._cache_tiles:
            self._cache.popitem(last=False)


def open_nodes(reader: TileReader, size: int, cache_tiles: int) -> Nodes:
    """Read the right edge of a tree of `size` leaves: at most one tile for each level.

    Raises TreeDamagedError if a tile is missing or too short.
    """
    edges: list[_Tile] = []
    while hashes := size >> (TILE_HEIGHT * len(edges)):
        edges.append(_Tile(hashes // TILE_WIDTH))
    for partial in partial_tiles_of(size):
        data = reader.read_tile(partial.level, partial.index)
        wanted = partial.width * HASH_BYTES
        if data is None or not wanted <= len(data) <= TILE_BYTES:
            raise TreeDamagedError(
                f"tile {partial.index} of level {partial.level} is not in the store"
            )
        edges[partial.level].extend(data[:wanted])
    return Nodes(reader, size, edges, cache_tiles)
