"""The log as everybody may see it: durable rows up to the certified checkpoint, and nothing beyond.

Rules: widths come from the certified size, never from what is stored: a wider row would show state
that nobody signed. A narrower tile is a prefix of the wider one, so every partial tile of every
earlier size is served too. A row that must be there and is not is damage (StoreError), not absence.

Not here: paths, caching, compression. Reads block on the disk and are safe in any thread.
"""

from dataclasses import dataclass

from ledger import keys
from ledger.errors import StoreError
from ledger.format.leaf import BlockHeader, decode_leaf
from ledger.log.merkle import HASH_BYTES
from ledger.log.proof_file import ProofFile, encode_proof_file
from ledger.log.tiles import (
    TILE_WIDTH,
    EntryBundle,
    HashTile,
    encode_bundle,
    tile_width,
)
from ledger.log.tree import Tree
from ledger.store import Store
from node.http.errors import AbsentError
from node.vitals import CertifiedLog


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the certified log stands, as its last leaf says."""

    size: int
    root: bytes
    header: BlockHeader


class _StoredTiles:
    """ledger.log.nodes.TileReader over durable rows."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read_tile(self, level: int, index: int) -> bytes | None:
        return self._store.get(keys.tile(level, index))


class PublishedLog:
    """Reads for everybody. All methods may raise StoreError."""

    def __init__(self, store: Store, certifier: CertifiedLog) -> None:
        """Keep the parts."""
        self._store = store
        self._certifier = certifier

    def checkpoint(self) -> bytes:
        """The newest certified checkpoint, a signed note."""
        return self._certifier.latest.note

    def tile(self, tile: HashTile) -> bytes:
        """The tile's hashes, 32 bytes each; AbsentError if the certified log has fewer."""
        self._verify_width(tile_width(tile.level, tile.index, self._size), tile.width)
        row = self._store.get(keys.tile(tile.level, tile.index))
        wanted = tile.width * HASH_BYTES
        if row is None or len(row) < wanted:
            raise StoreError(f"tile {tile.index} of level {tile.level} is not in the store")
        return row[:wanted]

    def bundle(self, bundle: EntryBundle) -> bytes:
        """The bundle's entries behind their lengths; AbsentError if the certified log has fewer."""
        self._verify_width(tile_width(0, bundle.index, self._size), bundle.width)
        first = bundle.index * TILE_WIDTH
        stop = first + bundle.width
        rows = list(self._store.scan(keys.entry(first), keys.entry(stop)))
        if [key for key, _ in rows] != [keys.entry(index) for index in range(first, stop)]:
            raise StoreError(f"bundle {bundle.index} has not all its entries in the store")
        return encode_bundle([entry for _, entry in rows])

    def proof(self, index: int) -> bytes:
        """A tlog-proof file (without `extra`) of an entry; AbsentError if it is not certified.

        About 1 ms: at most three tiles for the proof, and the right edge.
        """
        certified = self._certifier.latest
        if not 0 <= index < certified.size:
            raise AbsentError(
                "no such entry", f"entries 0 to {certified.size - 1} are certified now"
            )
        tree = Tree.open(_StoredTiles(self._store), certified.size, certified.root)
        hashes = tree.inclusion_proof(index, certified.size)
        return encode_proof_file(ProofFile(index, hashes, certified.note))

    def standing(self) -> Standing:
        """Size, root and the last block header of the certified log."""
        certified = self._certifier.latest
        row = self._store.get(keys.entry(certified.size - 1))
        header = None if row is None else decode_leaf(row)
        if not isinstance(header, BlockHeader):
            raise StoreError("the certified log does not end in a block header")
        return Standing(certified.size, certified.root, header)

    @property
    def _size(self) -> int:
        return self._certifier.latest.size

    def _verify_width(self, available: int, wanted: int) -> None:
        if wanted > available:
            hint = f"only the first {available} are certified" if available else "see /checkpoint"
            raise AbsentError("the certified log has no such tile", hint)
