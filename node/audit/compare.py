"""Served tiles beside recomputed ones: which one is wrong, and whether the past was changed.

Not here: recomputing (edge.py), the order of things (walk.py).
"""

from dataclasses import dataclass
from typing import Protocol

from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import HASH_BYTES
from ledger.log.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    EntryBundle,
    HashTile,
    encode_path,
    tile_root,
    tile_width,
)
from node.audit.edge import RightEdge
from node.audit.errors import Finding, NotVerifiedError
from node.audit.leaves import Examined
from node.audit.source import LogSource, read_resource

PAST = "the past was changed: it is not what an earlier run verified"
_PAST_HINT = (
    "two histories of one log: keep the state file and both checkpoints, tell the operators"
)


@dataclass(slots=True)
class Served:
    """Served tiles above level 0, of a log whose first `known` entries were verified before."""

    source: LogSource
    known: int

    async def verify(self, tile: HashTile, row: bytes) -> None:
        """Compare with the recomputed row; NotVerifiedError names the first other hash."""
        path = encode_path(tile)
        served = await read_resource(self.source, tile)
        if len(served) != len(row):
            sizes = f"{len(row)} bytes", f"{len(served)} bytes"
            raise NotVerifiedError(Finding(path, "wrong size", *sizes))
        place = first_difference(row, served)
        if place is None:
            return
        at = slice(place * HASH_BYTES, (place + 1) * HASH_BYTES)
        covered = (tile.index * TILE_WIDTH + place + 1) << (TILE_HEIGHT * tile.level)
        if covered <= self.known:
            what = "not the hash that an earlier run verified: this tile was changed, or the past"
        else:
            what = "not the hash that the tiles below make"
        raise NotVerifiedError(
            Finding(f"{path}, hash {place}", what, row[at].hex(), served[at].hex())
        )


def verify_same_past(bundle: EntryBundle, known: bytes, hashes: bytes) -> None:
    """Check that a bundle begins with the leaf hashes verified before; NotVerifiedError if not."""
    place = first_difference(known, hashes[: len(known)])
    if place is not None:
        at = slice(place * HASH_BYTES, (place + 1) * HASH_BYTES)
        where = f"entry {bundle.index * TILE_WIDTH + place}"
        raise NotVerifiedError(Finding(where, PAST, known[at].hex(), hashes[at].hex()), _PAST_HINT)


def first_difference(wanted: bytes, found: bytes) -> int | None:
    """The place of the first hash that differs in two rows of one length; None if none does."""
    if wanted == found:
        return None
    starts = range(0, len(wanted), HASH_BYTES)
    return next(
        at // HASH_BYTES
        for at in starts
        if wanted[at : at + HASH_BYTES] != found[at : at + HASH_BYTES]
    )


class Aimed(Protocol):
    """A log, and the checkpoint that it must lead to."""

    @property
    def source(self) -> LogSource:
        """Where it is read from."""
        ...

    @property
    def target(self) -> Checkpoint:
        """The certified checkpoint."""
        ...


async def blame(log: Aimed, edge: RightEdge, bundle: EntryBundle, examined: Examined) -> Finding:
    """The finding of a bundle; where an entry and its tile disagree, which of them was changed.

    The tree above decides: the tile above a full one, the certified root for the last one.
    """
    finding = examined.finding or Finding("log", "nothing was found")
    if examined.differs_at is None:
        return finding
    tile = HashTile(0, bundle.index, bundle.width)
    try:
        served = await read_resource(log.source, tile)
        above = await _hash_above(log, bundle)
    except NotVerifiedError:
        return finding
    if _leads(edge, examined.hashes, bundle) == above:
        what = f"the hash of entry {examined.differs_at} is not the one that the tree has"
        return Finding(encode_path(tile), what, finding.got, finding.expected)
    if _leads(edge, served, bundle) == above:
        return Finding(
            finding.where, "it is not the entry that the tree has", finding.expected, finding.got
        )
    return finding


async def _hash_above(log: Aimed, bundle: EntryBundle) -> bytes:
    """What the tree has of a level-0 tile: an element of the tile above, or the root itself."""
    if bundle.width < TILE_WIDTH:
        return log.target.root
    index, place = divmod(bundle.index, TILE_WIDTH)
    row = await read_resource(log.source, HashTile(1, index, tile_width(1, index, log.target.size)))
    return row[place * HASH_BYTES : (place + 1) * HASH_BYTES]


def _leads(edge: RightEdge, hashes: bytes, bundle: EntryBundle) -> bytes:
    """The hash that a tile's hashes lead to, of the same kind as `_hash_above`."""
    if bundle.width == TILE_WIDTH:
        return tile_root(hashes)
    start = bundle.index * TILE_WIDTH
    whole = RightEdge(start, (b"", *edge.levels[1:]) if start else ())
    whole.extend(hashes)
    return whole.root()
