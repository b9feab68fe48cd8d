"""The walk over a whole log, from an edge that is known to the size of a certified checkpoint.

1. Each entry bundle and its level-0 tile is fetched and examined (leaves.py), several at once.
2. In the order of the log: the entries obey the rules (rules.py), and every tile above level 0 that
   they complete is fetched and must be the recomputed one (compare.py).
3. Sessions' signatures are verified by the keys of the entries that opened them.
4. At the end every unfinished tile is compared, the last block is ended, and the root recomputed
   from the entries is the checkpoint's.

The first finding in the order of the log ends the walk. What is held at once is bounded.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from ledger.log.checkpoint import Checkpoint
from ledger.log.tiles import TILE_WIDTH, EntryBundle, HashTile, tile_width
from node.audit.compare import Served, blame, verify_same_past
from node.audit.edge import RightEdge
from node.audit.errors import Finding, NotVerifiedError
from node.audit.leaves import Bundle, Examined, Unchecked, examine, verify_signatures
from node.audit.rules import LogRules
from node.audit.source import LogSource, read_resource
from node.audit.workers import Workers

AHEAD = 4  # bundles on the way for each worker
MAX_UNCHECKED = 64  # bundles whose signatures may be behind

# entries done, entries in all
Shown = Callable[[int, int], None]


@dataclass(slots=True)
class Progress:
    """How far the log is verified, and what the next entries are judged by."""

    edge: RightEdge
    rules: LogRules

    @property
    def size(self) -> int:
        """Entries that are verified."""
        return self.edge.size


class Keeper(Protocol):
    """Keeps progress, so that an interrupted walk can go on."""

    def is_due(self) -> bool:
        """Whether to keep now; asked after every bundle."""
        ...

    def keep(self, progress: Progress) -> None:
        """Keep it; everything before `progress.size` is verified."""
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """What is walked: `target` is certified, for the pinned network."""

    source: LogSource
    workers: Workers
    target: Checkpoint
    network_id: bytes


class Walk:
    """One walk, run once."""

    def __init__(self, task: Task, progress: Progress) -> None:
        """Keep the parts; the progress is not beyond the target, and is moved on."""
        self._task = task
        self._progress = progress
        self._served = Served(task.source, progress.size)
        self._started: deque[tuple[EntryBundle, asyncio.Task[Examined]]] = deque()
        self._unchecked: deque[asyncio.Task[None]] = deque()
        self.bytes_read = 0

    async def run(self, show: Shown, keeper: Keeper) -> None:
        """Go to the end (1 to 4 above); NotVerifiedError or SourceError otherwise."""
        try:
            await self._walk(show, keeper)
            await self._end()
        except NotVerifiedError:
            await self._settle(0)  # an earlier entry's signature is the first finding
            raise
        finally:
            left = [*(task for _, task in self._started), *self._unchecked]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _walk(self, show: Shown, keeper: Keeper) -> None:
        target = self._task.target.size
        wanted = self._wanted()
        for _ in range(AHEAD * self._task.workers.jobs):
            self._start(wanted)
        while self._started:
            bundle, task = self._started.popleft()
            examined = await task
            self._start(wanted)
            await self._absorb(bundle, examined)
            await self._settle(MAX_UNCHECKED)
            show(self._progress.size, target)
            if keeper.is_due():
                await self._settle(0)
                keeper.keep(self._progress)
        await self._settle(0)

    def _wanted(self) -> Iterator[EntryBundle]:
        """What is left: the bundle that the progress ends in is read again if it is wider now."""
        size = self._task.target.size
        if self._progress.size < size:
            for index in range(self._progress.size // TILE_WIDTH, -(-size // TILE_WIDTH)):
                yield EntryBundle(index, tile_width(0, index, size))

    def _start(self, wanted: Iterator[EntryBundle]) -> None:
        bundle = next(wanted, None)
        if bundle is not None:
            self._started.append((bundle, asyncio.create_task(self._examined(bundle))))

    async def _examined(self, bundle: EntryBundle) -> Examined:
        source = self._task.source
        entries, tile = await asyncio.gather(
            read_resource(source, bundle),
            read_resource(source, HashTile(0, bundle.index, bundle.width)),
        )
        self.bytes_read += len(entries) + len(tile)
        known = max(0, self._served.known - bundle.index * TILE_WIDTH)
        return await self._task.workers.run(
            examine,
            Bundle(bundle.index, bundle.width, known, entries, tile, self._task.network_id),
        )

    async def _absorb(self, bundle: EntryBundle, examined: Examined) -> None:
        edge, rules = self._progress.edge, self._progress.rules
        if examined.finding is not None:
            raise NotVerifiedError(await blame(self._task, edge, bundle, examined))
        known = edge.levels[0] if edge.levels else b""
        verify_same_past(bundle, known, examined.hashes)
        unchecked = rules.absorb(edge.size, examined.facts)
        for tile, row in edge.extend(examined.hashes[len(known) :]):
            await self._served.verify(tile, row)
        if unchecked:
            self._unchecked.append(asyncio.create_task(self._verify_signed(unchecked)))

    async def _verify_signed(self, rows: tuple[Unchecked, ...]) -> None:
        index = await self._task.workers.run(verify_signatures, self._task.network_id, rows)
        if index is not None:
            raise NotVerifiedError(Finding(f"entry {index}", "its session did not sign it"))

    async def _settle(self, allowed: int) -> None:
        """Wait until at most `allowed` bundles have signatures left to verify."""
        while len(self._unchecked) > allowed:
            await self._unchecked.popleft()

    async def _end(self) -> None:
        edge, target = self._progress.edge, self._task.target
        for tile, row in edge.partial_tiles():
            await self._served.verify(tile, row)
        self._progress.rules.verify_ended(target.size)
        root = edge.root()
        if root != target.root:
            known = self._served.known
            before = f", after {known} that an earlier run verified," if known else ""
            what = f"the entries{before} do not lead to the root of the certified checkpoint"
            raise NotVerifiedError(
                Finding(f"root of {target.size} entries", what, target.root.hex(), root.hex()),
                "another history is shown than the one that was certified: keep the checkpoint",
            )
