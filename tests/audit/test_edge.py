"""The recomputed right edge against the definition, and against the tree that nodes use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.tiles import HashTile, tiles_of
from ledger.log.tree import Tree
from node.audit.edge import RightEdge
from node.founding import NoTiles
from tests.support.log_reference import root_of, synthetic_leaves

SIZES = (0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 1000, 65535, 65536, 65537)
LEAVES = synthetic_leaves(65537)


def grown(size: int, edge: RightEdge | None = None) -> tuple[RightEdge, dict[HashTile, bytes]]:
    """An edge brought to a size tile by tile, and the tiles above level 0 that became full."""
    edge = edge or RightEdge()
    full: dict[HashTile, bytes] = {}
    while edge.size < size:
        stop = min(size, (edge.size // 256 + 1) * 256)
        full.update(edge.extend(b"".join(LEAVES[edge.size : stop])))
    return edge, full


@pytest.mark.parametrize("size", SIZES)
def test_the_root_is_the_definitions(size: int) -> None:
    """At every boundary of tiles the root is RFC 6962's."""
    assert grown(size)[0].root() == root_of(LEAVES[:size])


@pytest.mark.parametrize("size", SIZES[1:])
def test_every_tile_above_comes_out(size: int) -> None:
    """Full and unfinished tiles above level 0 are exactly those of the tree, with their bytes."""
    edge, tiles = grown(size)
    tiles.update(edge.partial_tiles())
    made = Tree.open(NoTiles(), 0).append(LEAVES[:size]).tiles
    wanted = [tile for tile in tiles_of(size) if tile.level]
    assert sorted(tiles, key=repr) == sorted(wanted, key=repr)
    assert all(tiles[tile] == made[tile.level, tile.index] for tile in wanted)


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_an_edge_that_was_kept_goes_on(first: int, more: int) -> None:
    """From the levels of any size, the same tree grows."""
    kept = grown(first)[0]
    again = RightEdge(kept.size, tuple(kept.levels))
    size = min(first + more, 4000)
    assert grown(size, again)[0].root() == root_of(LEAVES[:size])


@given(st.integers(1, 70000), st.lists(st.integers(0, 40), max_size=4))
def test_a_shape_of_another_size_is_refused(size: int, widths: list[int]) -> None:
    """Levels that no tree of the size has are a ValueError."""
    levels = tuple(bytes(32 * width) for width in widths)
    wanted = []
    left = size
    while left:
        wanted.append(left % 256)
        left //= 256
    if widths == wanted:
        assert RightEdge(size, levels).size == size
        return
    with pytest.raises(ValueError, match="not those of its size"):
        RightEdge(size, levels)
