"""Whether a log still begins with the tree of an older checkpoint (RFC 6962 section 2.1.2).

The proof is made from the served tiles and verified against both certified roots, so it does not
matter who serves them. Not here: walking over entries.
"""

import asyncio
from dataclasses import dataclass

from ledger.errors import LedgerError
from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import verify_consistency
from ledger.log.tiles import HashTile, tile_width
from ledger.log.tree import Tree
from node.audit.errors import Finding, NotShownError, NotVerifiedError
from node.audit.source import LogSource, read_resource

_HINT = "two histories of one log: keep both checkpoints, they prove it, and tell the operators"


def verify_not_older(older: Checkpoint, newer: Checkpoint) -> None:
    """Check that the newer checkpoint is not a shorter log or a fork; NotVerifiedError if it is."""
    where = f"checkpoint of {newer.size} entries"
    if newer.size < older.size:
        what = "the log was cut: a longer one was certified before"
        sizes = f"{older.size} entries or more", f"{newer.size}"
        raise NotVerifiedError(Finding(where, what, *sizes), _HINT)
    if newer.size == older.size and newer.root != older.root:
        what = "the log was forked: two roots are certified for one size"
        raise NotVerifiedError(Finding(where, what, older.root.hex(), newer.root.hex()), _HINT)


async def verify_extends(source: LogSource, older: Checkpoint, newer: Checkpoint) -> None:
    """Check that the tree of `newer` begins with that of `older`; both are certified.

    Raises NotVerifiedError if it is shown not to, NotShownError if the served tiles show nothing;
    SourceError.
    """
    verify_not_older(older, newer)
    if newer.size == older.size:
        return
    where = f"checkpoint of {newer.size} entries"
    tiles = _TilesOverLoop(source, newer.size, asyncio.get_running_loop())
    try:
        proof = await asyncio.to_thread(_prove, tiles, older, newer)
    except (LedgerError, NotVerifiedError) as error:
        what = f"the served tiles do not show that it begins with the {older.size} known entries"
        raise NotShownError(Finding(where, f"{what} ({error})")) from error
    try:
        verify_consistency(
            old_size=older.size,
            old_root=older.root,
            new_size=newer.size,
            new_root=newer.root,
            proof=proof,
        )
    except LedgerError as error:
        what = f"the past was changed: it does not begin with the {older.size} entries known"
        raise NotVerifiedError(Finding(where, f"{what} ({error})"), _HINT) from error


def _prove(tiles: "_TilesOverLoop", older: Checkpoint, newer: Checkpoint) -> tuple[bytes, ...]:
    tree = Tree.open(tiles, newer.size, newer.root)
    return tree.consistency_proof(older.size, newer.size)


@dataclass(slots=True)
class _TilesOverLoop:
    """ledger.log.nodes.TileReader, in a thread, over a source of the event loop."""

    source: LogSource
    size: int
    loop: asyncio.AbstractEventLoop

    def read_tile(self, level: int, index: int) -> bytes | None:
        tile = HashTile(level, index, tile_width(level, index, self.size))
        read = asyncio.run_coroutine_threadsafe(read_resource(self.source, tile), self.loop)
        return read.result()
