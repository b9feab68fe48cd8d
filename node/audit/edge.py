"""The right edge of a tree that is recomputed from its leaves, tile by tile (RFC 6962). Pure.

Rules: level l holds the hashes of the tile that is not full yet; a full tile's root goes one level
up and the tile itself comes out, to be compared with the served one. Written apart from
``ledger.log.tree``, so that a fault there is not repeated here.
"""

from ledger.log.merkle import EMPTY_ROOT, HASH_BYTES, node_hash
from ledger.log.tiles import TILE_BYTES, TILE_WIDTH, HashTile, tile_root


class RightEdge:
    """`levels` are the unfinished tiles, level 0 first; `size` is the number of leaves."""

    def __init__(self, size: int = 0, levels: tuple[bytes, ...] = ()) -> None:
        """Go on from an edge that was kept; ValueError if the levels are not those of the size."""
        widths = _widths(size)
        if [len(level) for level in levels] != [width * HASH_BYTES for width in widths]:
            raise ValueError("the edge's hashes are not those of its size")
        self.size = size
        self.levels = list(levels)

    def extend(self, hashes: bytes) -> list[tuple[HashTile, bytes]]:
        """Add leaf hashes, at most up to the end of the level-0 tile.

        Gives the tiles above level 0 that became full, lowest first.
        """
        self.size += len(hashes) // HASH_BYTES
        full = []
        level = 0
        while hashes:
            if level == len(self.levels):
                self.levels.append(b"")
            row = self.levels[level] + hashes
            if len(row) < TILE_BYTES:
                self.levels[level] = row
                break
            self.levels[level] = b""
            if level:
                index = (self.size >> (8 * level)) // TILE_WIDTH - 1
                full.append((HashTile(level, index), row))
            hashes = tile_root(row)
            level += 1
        return full

    def partial_tiles(self) -> list[tuple[HashTile, bytes]]:
        """The unfinished tiles above level 0."""
        return [
            (HashTile(level, (self.size >> (8 * level)) // TILE_WIDTH, len(row) // HASH_BYTES), row)
            for level, row in enumerate(self.levels)
            if level and row
        ]

    def root(self) -> bytes:
        """The tree's root (RFC 6962 section 2.1).

        The hashes of a level and the root of what is right of them are a left-balanced tree of
        their own: pairs go up, an odd one at the end goes up as it is.
        """
        right = b""
        for level in self.levels:
            row = [level[at : at + HASH_BYTES] for at in range(0, len(level), HASH_BYTES)]
            if right:
                row.append(right)
            right = _fold(row)
        return right or EMPTY_ROOT


def _fold(row: list[bytes]) -> bytes:
    while len(row) > 1:
        above = [node_hash(row[at - 1], row[at]) for at in range(1, len(row), 2)]
        if len(row) % 2:
            above.append(row[-1])
        row = above
    return row[0] if row else b""


def _widths(size: int) -> list[int]:
    widths = []
    while size:
        widths.append(size % TILE_WIDTH)
        size //= TILE_WIDTH
    return widths
