"""How fast the log's tree grows and proves, beside raw SHA-256 of the same number of hashes.

`python -m bench.log_tree [leaves]` prints medians. The floor of appending is two SHA-256 of 65 and
33 bytes for each leaf (its own hash and, over the whole tree, one node); the floor of a proof is
nothing but copying, so proofs are compared with verifying them.
"""

import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from hashlib import sha256

from ledger.log.merkle import leaf_hash, verify_consistency, verify_inclusion
from ledger.log.tree import Tree

BATCH = 1000
ROUNDS = 3000
RECENT = 1000


class Tiles(dict[tuple[int, int], bytes]):
    """Tiles in memory, so that only the tree is measured."""

    def read_tile(self, level: int, index: int) -> bytes | None:
        """Return the stored bytes."""
        return self.get((level, index))

    def persist(self, tiles: Mapping[tuple[int, int], bytes]) -> None:
        """Keep the tiles of one append."""
        self.update(tiles)


def median_us(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median microseconds of one call."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


def append_rate(count: int) -> tuple[Tiles, Tree, float]:
    """Hash and append `count` entries in batches; leaves a second."""
    tiles = Tiles()
    tree = Tree.open(tiles, 0)
    entries = [b"%032d" % number for number in range(count)]
    seconds = []
    for at in range(0, count, BATCH):
        start = time.perf_counter()
        result = tree.append([leaf_hash(entry) for entry in entries[at : at + BATCH]])
        tiles.persist(result.tiles)
        tree.mark_durable(result.size)
        seconds.append(time.perf_counter() - start)
    return tiles, tree, BATCH / statistics.median(seconds)


def floor_rate() -> float:
    """Raw SHA-256 of the same inputs: entries and nodes a second."""
    leaf, node = bytes(33), bytes(65)

    def batch() -> None:
        for _ in range(BATCH):
            sha256(leaf).digest()
            sha256(node).digest()

    return BATCH / (median_us(batch, 200) / 1e6)


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    tiles, tree, rate = append_rate(count)
    floor = floor_rate()
    rng = random.Random(1)
    size, root = tree.size, tree.root()
    cold = Tree.open(tiles, size, root, cache_tiles=1)

    def recent() -> int:
        return size - rng.randrange(1, min(RECENT, size))

    index = recent()
    path, proof = tree.inclusion_proof(index, size), tree.consistency_proof(index, size)
    leaf, old_root = leaf_hash(b"%032d" % index), tree.root_at(index)
    rows: dict[str, Callable[[], object]] = {
        "inclusion proof, recent leaf": lambda: tree.inclusion_proof(recent(), size),
        "inclusion proof, any leaf, no cache": lambda: cold.inclusion_proof(
            rng.randrange(size), size
        ),
        "consistency proof, recent sizes": lambda: tree.consistency_proof(recent(), size),
        "root at a recent size": lambda: tree.root_at(recent()),
        "verify inclusion": lambda: verify_inclusion(
            index=index, size=size, leaf_hash=leaf, proof=path, root=root
        ),
        "verify consistency": lambda: verify_consistency(
            old_size=index, old_root=old_root, new_size=size, new_root=root, proof=proof
        ),
        "open and check the root": lambda: Tree.open(tiles, size, root),
    }
    print(f"tree of {size:,} leaves")
    print(f"{'append, batches of 1,000':40}{rate:12,.0f} leaves/s")
    print(f"{'floor: the same SHA-256 calls alone':40}{floor:12,.0f} leaves/s")
    print(f"{'ratio':40}{rate / floor:12.2f}")
    for name, call in rows.items():
        print(f"{name:40}{median_us(call):12.1f} us")
    single = median_us(lambda: tree.mark_durable(tree.append([leaf]).size))
    print(f"{'append one leaf, with the new root':40}{single:12.1f} us")


if __name__ == "__main__":
    main()
