"""The growing RFC 6962 tree: append leaf hashes, ask for roots and proofs of any past size.

Rules: append is deterministic and does no I/O; the caller persists the returned tiles in the same
batch as the block and then calls `mark_durable`. Roots and proofs of sizes that are appended but
not yet durable are available at once. Opening reads at most one tile for each level, the root of
the current size is known, and proofs take O(log n) hashes. If persisting fails, the tree's state is
unknown: drop it and open again.

Not here: where hashes are kept (nodes.py), verifying proofs (merkle.py), signing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest

from ledger.log.errors import OutsideTreeError, TreeDamagedError
from ledger.log.merkle import EMPTY_ROOT, MAX_TREE_SIZE, node_hash
from ledger.log.nodes import Nodes, TileKey, TileReader, open_nodes

DEFAULT_CACHE_TILES = 256


@dataclass(frozen=True, slots=True)
class AppendResult:
    """The tree after an append, and the tiles to persist with it.

    `tiles` maps (level, index) to the tile's whole new value of 32 to 8,192 bytes.
    """

    size: int
    root: bytes
    tiles: Mapping[TileKey, bytes]


class Tree:
    """A log's Merkle tree over a TileReader. One thread at a time; memory is bounded."""

    __slots__ = ("_nodes", "_root")

    def __init__(self, nodes: Nodes) -> None:
        """Keep the parts; use `Tree.open`."""
        self._nodes = nodes
        self._root: bytes | None = None

    @classmethod
    def open(
        cls,
        reader: TileReader,
        size: int,
        root: bytes | None = None,
        *,
        cache_tiles: int = DEFAULT_CACHE_TILES,
    ) -> "Tree":
        """Open the tree of the first `size` leaves; with `root`, check that it is this tree.

        Keeps up to `cache_tiles` full tiles of about 18 kB each in memory. Raises OutsideTreeError
        for an impossible size and TreeDamagedError if tiles are missing or give another root.
        """
        if not 0 <= size <= MAX_TREE_SIZE:
            raise OutsideTreeError("tree size is not in 0 to 2^63 - 1")
        tree = cls(open_nodes(reader, size, cache_tiles))
        if root is not None and not compare_digest(tree.root(), root):
            raise TreeDamagedError(f"stored tiles give another root for size {size}")
        return tree

    @property
    def size(self) -> int:
        """The number of leaves, appended ones that are not yet durable included."""
        return self._nodes.size

    def root(self) -> bytes:
        """Return the 32-byte root of the current size."""
        if self._root is None:
            self._root = self.root_at(self.size)
        return self._root

    def root_at(self, size: int) -> bytes:
        """Return the 32-byte root that the tree had at `size` leaves.

        Raises OutsideTreeError for a size that it has not reached.
        """
        if not 0 <= size <= self.size:
            raise OutsideTreeError(f"tree has {self.size} leaves, not {size}")
        return self._fold(size, size.bit_length()) if size else EMPTY_ROOT

    def append(self, leaf_hashes: Sequence[bytes]) -> AppendResult:
        """Add leaf hashes of 32 bytes and return the new size, root and tiles to persist.

        Raises TileError, and changes nothing, if a leaf hash has another length.
        """
        tiles = self._nodes.extend(leaf_hashes)
        self._root = None
        return AppendResult(self.size, self.root(), tiles)

    def mark_durable(self, size: int) -> None:
        """Say that the tiles of the first `size` leaves are persisted and can be read back.

        Until then full tiles stay in memory. Raises OutsideTreeError for a size beyond the tree.
        """
        if size > self.size:
            raise OutsideTreeError(f"tree has {self.size} leaves, not {size}")
        self._nodes.mark_durable(size)

    def inclusion_proof(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the proof that leaf `index` stands in the tree of `size` leaves.

        The leaf's sibling comes first (RFC 6962 section 2.1.1). Raises OutsideTreeError unless
        0 <= index < size <= the current size.
        """
        if not 0 <= index < size <= self.size:
            raise OutsideTreeError(f"no leaf {index} under size {size} of {self.size} leaves")
        return tuple(self._siblings(index, size, 0))

    def consistency_proof(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """Return the proof that the tree of `new_size` begins with the one of `old_size`.

        Empty if the sizes are equal or the old one is 0 (RFC 6962 section 2.1.2). Raises
        OutsideTreeError unless 0 <= old_size <= new_size <= the current size.
        """
        if not 0 <= old_size <= new_size <= self.size:
            raise OutsideTreeError(f"no sizes {old_size} to {new_size} of {self.size} leaves")
        if old_size in (0, new_size):
            return ()
        # The largest complete subtree that ends the old tree; it is the whole old tree, and left
        # out, when the old size is a power of two.
        height = (old_size & -old_size).bit_length() - 1
        index = (old_size >> height) - 1
        start = [self._nodes.node(height, index)] if index else []
        return tuple(start + self._siblings(old_size - 1, new_size, height))

    def _siblings(self, leaf: int, size: int, height: int) -> list[bytes]:
        """Return what is missing between the node of `height` over `leaf` and the root."""
        node = self._nodes.node
        index = leaf >> height
        last = (size - 1) >> height
        path = []
        while last:
            if index & 1:
                path.append(node(height, index - 1))
            elif index + 1 < last:
                path.append(node(height, index + 1))
            elif index < last:
                path.append(self._right_edge(size, height))
            index >>= 1
            last >>= 1
            height += 1
        return path

    def _right_edge(self, size: int, height: int) -> bytes:
        """Return the root over the last 1 to 2^height leaves, from a multiple of 2^height on."""
        if size & ((1 << height) - 1):
            return self._fold(size, height)
        return self._nodes.node(height, (size >> height) - 1)

    def _fold(self, size: int, height: int) -> bytes:
        """Return the root over the last `size mod 2^height` leaves, which are not none.

        They are one complete subtree for each bit that is set, the smallest one last.
        """
        node = self._nodes.node
        rest = size & ((1 << height) - 1)
        low = (rest & -rest).bit_length() - 1
        result = node(low, (size >> low) - 1)
        rest &= rest - 1
        while rest:
            low = (rest & -rest).bit_length() - 1
            result = node_hash(node(low, (size >> low) - 1), result)
            rest &= rest - 1
        return result
