"""The growing tree: roots, proofs and tiles at every boundary, reopening, damage, memory."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ledger.log.errors import OutsideTreeError, TileError, TreeDamagedError
from ledger.log.merkle import EMPTY_ROOT, MAX_TREE_SIZE, verify_consistency, verify_inclusion
from ledger.log.tiles import tiles_of
from ledger.log.tree import Tree
from tests.support.log_reference import (
    MemoryTiles,
    path_of,
    proof_of,
    root_of,
    synthetic_leaves,
)

BOUNDARIES = (0, 1, 2, 255, 256, 257, 511, 512, 513, 65535, 65536, 65537)
LEAVES = synthetic_leaves(66_100)


def grow(tiles: MemoryTiles, tree: Tree, size: int) -> None:
    """Append the synthetic leaves up to `size`, durably."""
    result = tree.append(LEAVES[tree.size : size])
    tiles.persist(result.tiles)
    tree.mark_durable(result.size)


@pytest.fixture(scope="module")
def grown() -> tuple[MemoryTiles, Tree, dict[int, bytes]]:
    """A tree past every boundary, and the root that it had at each."""
    tiles = MemoryTiles()
    tree = Tree.open(tiles, 0)
    roots = {}
    for size in BOUNDARIES:
        grow(tiles, tree, size)
        roots[size] = tree.root()
    grow(tiles, tree, len(LEAVES))
    return tiles, tree, roots


def test_roots_at_every_boundary(grown: tuple[MemoryTiles, Tree, dict[int, bytes]]) -> None:
    """The root is that of RFC 6962 section 2.1, when reached and when asked for later."""
    _, tree, roots = grown
    for size in BOUNDARIES:
        assert roots[size] == root_of(LEAVES[:size]) == tree.root_at(size)


def test_proofs_between_all_boundaries(grown: tuple[MemoryTiles, Tree, dict[int, bytes]]) -> None:
    """Inclusion and consistency proofs verify for every pair of boundary sizes."""
    _, tree, roots = grown
    for new in BOUNDARIES[1:]:
        for old in BOUNDARIES:
            if old > new:
                break
            proof = tree.consistency_proof(old, new)
            verify_consistency(
                old_size=old,
                old_root=roots[old],
                new_size=new,
                new_root=roots[new],
                proof=proof,
            )
            index = max(old - 1, 0)
            verify_inclusion(
                index=index,
                size=new,
                leaf_hash=LEAVES[index],
                proof=tree.inclusion_proof(index, new),
                root=roots[new],
            )


def test_stored_tiles_are_the_tiles_of_the_size(
    grown: tuple[MemoryTiles, Tree, dict[int, bytes]],
) -> None:
    """What append asked to persist is exactly every tile that tlog-tiles names for the size."""
    tiles, tree, _ = grown
    expected = {(tile.level, tile.index): 32 * tile.width for tile in tiles_of(tree.size)}
    assert {key: len(value) for key, value in tiles.tiles.items()} == expected
    for (level, index), value in tiles.tiles.items():
        span = 256**level
        at = index * 256 * span
        assert value[:32] == root_of(LEAVES[at : at + span])


@settings(max_examples=60)
@given(st.integers(1, 700), st.data())
def test_proofs_are_those_of_the_definitions(size: int, data: st.DataObject) -> None:
    """For any sizes and however the leaves were cut into batches, the very same hashes."""
    cuts = sorted({0, size, *data.draw(st.lists(st.integers(0, size), max_size=8))})
    tiles = MemoryTiles()
    tree = Tree.open(tiles, 0, cache_tiles=1)
    for start, end in pairwise(cuts):
        tiles.persist(tree.append(LEAVES[start:end]).tiles)
    tree.mark_durable(data.draw(st.integers(0, size)))
    past = data.draw(st.integers(1, size))
    old = data.draw(st.integers(1, past))
    index = data.draw(st.integers(0, past - 1))
    leaves = LEAVES[:past]
    assert tree.root_at(past) == root_of(leaves)
    assert tree.inclusion_proof(index, past) == tuple(path_of(index, leaves))
    assert tree.consistency_proof(old, past) == tuple(proof_of(old, leaves))


def test_batches_do_not_matter() -> None:
    """One leaf at a time or all at once gives the same root and the same tiles."""
    single, whole = MemoryTiles(), MemoryTiles()
    one, all_at_once = Tree.open(single, 0), Tree.open(whole, 0)
    for size in range(1, 601):
        grow(single, one, size)
    grow(whole, all_at_once, 600)
    assert one.root() == all_at_once.root()
    assert single.tiles == whole.tiles


@pytest.mark.parametrize("size", BOUNDARIES)
def test_reopening_reads_one_tile_per_level(
    size: int, grown: tuple[MemoryTiles, Tree, dict[int, bytes]]
) -> None:
    """Opening reads only partial tiles of the right edge, and growing on gives the same tree."""
    grown_tiles, _, roots = grown
    tiles = MemoryTiles()
    tiles.tiles = {
        (tile.level, tile.index): grown_tiles.tiles[tile.level, tile.index][: 32 * tile.width]
        for tile in tiles_of(size)
    }
    tree = Tree.open(tiles, size, roots[size])
    assert len(tiles.reads) <= 3
    assert len({level for level, _ in tiles.reads}) == len(tiles.reads)
    grow(tiles, tree, size + 300)
    assert tree.root() == root_of(LEAVES[: size + 300])


def test_a_wider_tile_serves_a_smaller_size(
    grown: tuple[MemoryTiles, Tree, dict[int, bytes]],
) -> None:
    """A tree opens at any earlier size from the tiles of a later one, and grows on from there."""
    tiles, _, roots = grown
    for size in BOUNDARIES:
        tree = Tree.open(tiles, size)
        assert tree.root() == roots[size]
        assert tree.append(LEAVES[size : size + 3]).root == root_of(LEAVES[: size + 3])


def test_leaves_that_are_not_durable_are_provable() -> None:
    """Before anything is persisted the tree proves all that it has, without reading."""
    tiles = MemoryTiles()
    tree = Tree.open(tiles, 0)
    for size in range(100, 2001, 100):
        tree.append(LEAVES[size - 100 : size])
    root = tree.root()
    for index in range(0, 2000, 37):
        proof = tree.inclusion_proof(index, 2000)
        verify_inclusion(index=index, size=2000, leaf_hash=LEAVES[index], proof=proof, root=root)
    verify_consistency(
        old_size=300,
        old_root=tree.root_at(300),
        new_size=2000,
        new_root=root,
        proof=tree.consistency_proof(300, 2000),
    )
    assert tiles.reads == []


def test_only_durable_tiles_are_read() -> None:
    """With a cache of one tile the store is asked for tiles within the durable size only."""
    tiles = MemoryTiles()
    tree = Tree.open(tiles, 0, cache_tiles=1)
    first = tree.append(LEAVES[:1000])
    tree.append(LEAVES[1000:3000])
    tiles.persist(first.tiles)
    tree.mark_durable(1000)
    for index in range(0, 3000, 100):
        assert tree.inclusion_proof(index, 3000) == tuple(path_of(index, LEAVES[:3000]))
    assert tiles.reads
    assert all((index + 1) * 256 <= 1000 for level, index in tiles.reads if level == 0)


def test_memory_does_not_grow_with_the_log(
    grown: tuple[MemoryTiles, Tree, dict[int, bytes]],
) -> None:
    """However many proofs are made, at most `cache_tiles` full tiles are kept."""
    tiles, _, roots = grown
    tree = Tree.open(tiles, 65_537, roots[65_537], cache_tiles=5)
    rng = random.Random(1)
    for _ in range(300):
        index = rng.randrange(65_537)
        proof = tree.inclusion_proof(index, 65_537)
        verify_inclusion(
            index=index, size=65_537, leaf_hash=LEAVES[index], proof=proof, root=roots[65_537]
        )
    assert len(tree._nodes._cache) == 5
    grow(MemoryTiles(), tree, 66_100)
    assert len(tree._nodes._staged) == 0
    assert len(tree._nodes._cache) == 5


def test_a_recent_proof_needs_no_read(
    grown: tuple[MemoryTiles, Tree, dict[int, bytes]],
) -> None:
    """Proofs for leaves just appended and between recent sizes come from memory."""
    tiles, _, _ = grown
    tree = Tree.open(tiles, 65_000)
    tree.append(LEAVES[65_000:66_000])
    tiles.reads.clear()
    tree.inclusion_proof(65_999, 66_000)
    tree.consistency_proof(65_900, 66_000)
    assert tiles.reads == []


@pytest.mark.parametrize("damage", ["gone", "short", "other"])
def test_a_damaged_full_tile_is_never_served(damage: str) -> None:
    """A lost, cut or changed tile is a TreeDamagedError, not a false proof."""
    tiles = MemoryTiles()
    grow(tiles, Tree.open(tiles, 0), 1000)
    tree = Tree.open(tiles, 1000)
    value = tiles.tiles[0, 1]
    if damage == "gone":
        del tiles.tiles[0, 1]
    else:
        tiles.tiles[0, 1] = value[:-32] if damage == "short" else value[32:] + value[:32]
    with pytest.raises(TreeDamagedError):
        tree.inclusion_proof(300, 1000)


@pytest.mark.parametrize("value", [None, b"", bytes(31), bytes(8192 + 32)])
def test_a_damaged_edge_does_not_open(value: bytes | None) -> None:
    """Opening needs the whole right edge."""
    tiles = MemoryTiles()
    grow(tiles, Tree.open(tiles, 0), 300)
    if value is None:
        del tiles.tiles[0, 1]
    else:
        tiles.tiles[0, 1] = value
    with pytest.raises(TreeDamagedError):
        Tree.open(tiles, 300)


def test_another_root_does_not_open() -> None:
    """With the recorded root, opening notices edges that are not its own."""
    tiles = MemoryTiles()
    tree = Tree.open(tiles, 0)
    grow(tiles, tree, 300)
    assert Tree.open(tiles, 300, tree.root()).size == 300
    with pytest.raises(TreeDamagedError, match="another root"):
        Tree.open(tiles, 300, LEAVES[0])
    assert Tree.open(tiles, 0, EMPTY_ROOT).root() == EMPTY_ROOT


def test_what_the_tree_does_not_have_is_refused() -> None:
    """Sizes and indices beyond the tree, and negative ones, are OutsideTreeErrors."""
    tree = Tree.open(MemoryTiles(), 0)
    tree.append(LEAVES[:10])
    for size in (-1, 11):
        with pytest.raises(OutsideTreeError):
            tree.root_at(size)
        with pytest.raises(OutsideTreeError):
            tree.inclusion_proof(0, size)
        with pytest.raises(OutsideTreeError):
            tree.consistency_proof(0, size)
    for index, size in ((-1, 10), (10, 10), (0, 0), (5, 5)):
        with pytest.raises(OutsideTreeError):
            tree.inclusion_proof(index, size)
    with pytest.raises(OutsideTreeError):
        tree.consistency_proof(5, 4)
    with pytest.raises(OutsideTreeError):
        tree.mark_durable(11)
    for size in (-1, MAX_TREE_SIZE + 1):
        with pytest.raises(OutsideTreeError):
            Tree.open(MemoryTiles(), size)


def test_a_refused_append_changes_nothing() -> None:
    """A leaf hash of another length is refused before the tree moves."""
    tree = Tree.open(MemoryTiles(), 0)
    before = tree.append(LEAVES[:10])
    with pytest.raises(TileError):
        tree.append([LEAVES[10], b"short"])
    assert (tree.size, tree.root()) == (before.size, before.root)
    empty = tree.append([])
    assert (empty.size, empty.root, empty.tiles) == (10, before.root, {})


class TreeMachine(RuleBasedStateMachine):
    """Appending, persisting late, reopening and proving, against the definitions."""

    def __init__(self) -> None:
        super().__init__()
        self.tiles = MemoryTiles()
        self.tree = Tree.open(self.tiles, 0, cache_tiles=2)
        self.waiting: list[tuple[int, dict[tuple[int, int], bytes]]] = []
        self.durable = 0

    @rule(count=st.integers(0, 400))
    @precondition(lambda self: self.tree.size < 1500)
    def append(self, count: int) -> None:
        result = self.tree.append(LEAVES[self.tree.size : self.tree.size + count])
        if result.tiles:
            self.waiting.append((result.size, dict(result.tiles)))

    @rule()
    @precondition(lambda self: self.waiting)
    def persist(self) -> None:
        self.durable, tiles = self.waiting.pop(0)
        self.tiles.persist(tiles)
        self.tree.mark_durable(self.durable)

    @rule()
    def crash(self) -> None:
        self.waiting.clear()
        self.tree = Tree.open(self.tiles, self.durable, root_of(LEAVES[: self.durable]))

    @rule(data=st.data())
    @precondition(lambda self: self.tree.size)
    def prove(self, data: st.DataObject) -> None:
        size = data.draw(st.integers(1, self.tree.size))
        index = data.draw(st.integers(0, size - 1))
        leaves = LEAVES[:size]
        assert self.tree.inclusion_proof(index, size) == tuple(path_of(index, leaves))
        assert self.tree.consistency_proof(index + 1, size) == tuple(proof_of(index + 1, leaves))

    @invariant()
    def root_is_right(self) -> None:
        assert self.tree.root() == root_of(LEAVES[: self.tree.size])


TestTreeMachine = TreeMachine.TestCase
TestTreeMachine.settings = settings(max_examples=25, stateful_step_count=15)
