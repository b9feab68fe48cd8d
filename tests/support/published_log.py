"""A log of any size in memory, certified at any smaller size; and its HTTP side without a node."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ledger import keys
from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import leaf_hash
from ledger.log.tree import Tree
from ledger.store import Store
from node.certifier import Certified
from node.founding import NoTiles
from node.http.gate import Gate, GateLimits
from node.http.log_routes import LogRoutes
from node.http.published import PublishedLog
from node.http.reader import Reader
from node.http.router import Route, Router
from node.http.server import HttpServer
from tests.support.log_signers import log_signer, signed_note
from tests.support.memory_store import MemoryStore

ORIGIN = "dev.published/1"
ANY_PORT = "127.0.0.1:0"


def entries_of(size: int) -> list[bytes]:
    """Entries that differ in length too; one of them is empty."""
    return [b"%d" % index * (index % 4) for index in range(size)]


class SettableLog:
    """The newest certified checkpoint, as a test wants it: one source for all that ask."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.latest = self.at(tree.size)

    def at(self, size: int) -> Certified:
        """The certified checkpoint of this size."""
        root = self._tree.root_at(size)
        note = signed_note(Checkpoint(ORIGIN, size, root), [log_signer(ORIGIN)])
        return Certified(size, root, note)

    def certify(self, size: int) -> None:
        """Say that this size is the newest that is certified."""
        self.latest = self.at(size)


@dataclass(frozen=True, slots=True)
class Written:
    """A store with more entries than may be certified, and what certifies."""

    entries: Sequence[bytes]
    store: MemoryStore
    certifier: SettableLog
    tree: Tree

    @property
    def log(self) -> PublishedLog:
        """What everybody may see."""
        return PublishedLog(self.store, self.certifier)


def written_log(entries: Sequence[bytes]) -> Written:
    """All entries and tiles in a store, as a node writes them."""
    tree = Tree.open(NoTiles(), 0)
    appended = tree.append([leaf_hash(entry) for entry in entries])
    rows = {keys.tile(level, index): row for (level, index), row in appended.tiles.items()}
    rows |= {keys.entry(index): entry for index, entry in enumerate(entries)}
    return Written(entries, MemoryStore(rows), SettableLog(tree), tree)


@dataclass(slots=True)
class Requests:
    """A RequestCounter that keeps what it is told; it refuses what could not be counted."""

    seen: list[tuple[str, int]] = field(default_factory=list)

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """See RequestCounter."""
        if seconds < 0 or not (status == 0 or 200 <= status < 600):
            raise AssertionError(f"no request: {route} {status} {seconds}")
        self.seen.append((route, status))


@dataclass(frozen=True, slots=True)
class SmallSite:
    """A listening gate and what passed it."""

    port: int
    requests: Requests

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def small_site(
    routes: Sequence[Route], limits: GateLimits | None = None
) -> AsyncIterator[SmallSite]:
    """A gate with these routes, listening until the end of the block."""
    requests = Requests()
    server = HttpServer(Gate(Router(routes), requests, limits or GateLimits()), ANY_PORT)
    await server.open()
    try:
        yield SmallSite(server.port, requests)
    finally:
        await server.close()


@asynccontextmanager
async def log_site(written: Written, store: Store | None = None) -> AsyncIterator[SmallSite]:
    """The public log of a synthetic store, over HTTP."""
    reader = Reader()
    log = PublishedLog(store or written.store, written.certifier)
    try:
        async with small_site(LogRoutes(log, reader).routes()) as site:
            yield site
    finally:
        reader.close()
