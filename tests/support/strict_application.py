"""An Application that does nothing but check what an engine promised, and fails when told to.

Each call checks the order and the thread that `network.application` promises; a broken promise is
an AssertionError, which the test sees at `verify_promises`, whatever the engine made of it.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from network.application import Application

DEADLINE_S = 10.0


class ToldToFailError(Exception):
    """The test wanted this failure."""


@dataclass(frozen=True, slots=True)
class Item:
    """A candidate."""

    number: int
    operations: int = 1
    size: int = 100


@dataclass(frozen=True, slots=True)
class Block:
    """A proposed block, and a finalized one."""

    number: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """Fail the call `call` for the block `number` (from 0)."""

    call: str
    number: int = 0


@dataclass(slots=True)
class StrictApplication:
    """Answers each item with its number; made in the loop's thread."""

    in_flight: int = 2
    failure: Failure | None = None
    proposed: list[Block] = field(default_factory=list)
    finalized: list[Block] = field(default_factory=list)
    committed: list[Block] = field(default_factory=list)
    published: list[Block] = field(default_factory=list)
    tried: int = 0  # commits begun
    gate: threading.Event = field(default_factory=threading.Event)  # commits wait for it
    broken: list[str] = field(default_factory=list)
    _loop_thread: int = field(default_factory=threading.get_ident)
    _writer_thread: int = 0
    _failed: bool = False  # any call
    _knows: bool = False  # the loop's thread cannot know of a commit that fails at this moment
    _busy: threading.Lock = field(default_factory=threading.Lock)

    def propose(self, candidates: Sequence[Item], now_ms: int) -> Block:
        self._check(threading.get_ident() == self._loop_thread, "propose ran in another thread")
        self._check(now_ms > 0, "there was no time")
        block = Block(len(self.proposed), tuple(candidates))
        self._check(not self._knows, "a block was proposed after a failure")
        self.proposed.append(block)
        self._fail_if_told("propose", block)
        return block

    async def verify(self, block: Block) -> None:
        self._check(block in self.proposed, "a block was judged that nobody proposed")
        self._check(block not in self.finalized, "a block was judged after it was executed")

    def finalize(self, block: Block) -> Block:
        self._check(threading.get_ident() == self._loop_thread, "finalize ran in another thread")
        self._check(block.number == len(self.finalized), "finalize ran out of order")
        self._check(not self._knows, "a block was finalized after a failure")
        self._fail_if_told("finalize", block)
        self.finalized.append(block)
        flying = len(self.finalized) - len(self.published)
        self._check(flying <= self.in_flight, f"{flying} blocks are in flight")
        return block

    def commit(self, finalized: Block) -> None:
        thread = threading.get_ident()
        self._check(thread != self._loop_thread, "commit ran in the loop's thread")
        self._check(self._writer_thread in (0, thread), "commit ran in a second thread")
        self._writer_thread = thread
        self._check(self._busy.acquire(blocking=False), "two commits ran at once")
        try:
            self._check(not self._failed, "a block was committed after a failure")
            self._check(finalized.number == len(self.committed), "commit ran out of order")
            self.tried += 1
            self._check(self.gate.wait(DEADLINE_S), "the test never opened the gate")
            self._fail_if_told("commit", finalized)
            self.committed.append(finalized)
        finally:
            self._busy.release()

    def publish(self, finalized: Block) -> list[int]:
        self._check(threading.get_ident() == self._loop_thread, "publish ran in another thread")
        self._check(finalized.number == len(self.published), "publish ran out of order")
        self._check(finalized in self.committed, "publish ran before commit")
        self._check(not self._knows, "a block was published after a failure")
        self._fail_if_told("publish", finalized)
        self.published.append(finalized)
        return [item.number for item in finalized.items]

    def verify_promises(self) -> None:
        """Every promise was kept."""
        assert not self.broken, self.broken

    def _fail_if_told(self, call: str, block: Block) -> None:
        if self.failure == Failure(call, block.number):
            self._failed = True
            self._knows = self._knows or call != "commit"
            raise ToldToFailError(call)

    def _check(self, kept: bool, promise: str) -> None:
        if not kept:
            self.broken.append(promise)
            raise AssertionError(promise)


def as_port(application: StrictApplication) -> Application[Item, Block, Block, int]:
    """The same, as the type checker sees the port."""
    return application


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; AssertionError if it does not come in ten seconds."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "what the test waits for did not come"
        await asyncio.sleep(0.001)
