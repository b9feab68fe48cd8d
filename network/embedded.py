"""The embedded engine: one process orders for itself, with group commit and nothing to install.

A block is whatever waited while the last one was synced. At most two blocks are in flight: the next
is executed while a writer thread syncs the last. Answers come after the sync. The queue is bounded
in operations and bytes; a full queue refuses at once, so that waiting time stays bounded too.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from network.application import Application, Candidate
from network.errors import ClosingError, EngineFailedError, OverloadedError

C = TypeVar("C", bound=Candidate)
B = TypeVar("B")
F = TypeVar("F")
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """How much waits and how much one block takes."""

    queue_operations: int = 8192
    queue_bytes: int = 256 * 1024 * 1024
    block_operations: int = 2048
    block_bytes: int = 16 * 1024 * 1024
    block_interval_s: float = 600.0
    in_flight: int = 2


class EmbeddedEngine(Generic[C, B, F, A]):
    """Orders submissions of one process; use as an async context manager."""

    def __init__(
        self,
        application: Application[C, B, F, A],
        *,
        clock_ms: Callable[[], int],
        limits: EngineLimits,
    ) -> None:
        """Keep the parts; entering the context starts the engine."""
        self._application = application
        self._clock_ms = clock_ms
        self._limits = limits
        self._waiting: deque[tuple[C, asyncio.Future[A]]] = deque()
        self._queued = 0
        self._queued_bytes = 0
        self._wake = asyncio.Event()
        self._is_closing = False
        self._failure: BaseException | None = None
        self._failed = asyncio.Event()
        self._is_commit_barred = False
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="commit")
        self._slots = asyncio.Semaphore(limits.in_flight)
        self._publishing: asyncio.Task[None] | None = None
        self._loop: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "EmbeddedEngine[C, B, F, A]":
        """Start ordering."""
        self._loop = asyncio.create_task(self._run(), name="engine")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Take nothing more, finish what waits, stop."""
        self._is_closing = True
        self._wake.set()
        if self._loop is not None:
            await self._loop
        if self._publishing is not None:
            await self._publishing
        self._writer.shutdown(wait=True)

    async def failed(self) -> BaseException:
        """Wait until the engine failed, and say why."""
        await self._failed.wait()
        return self._failure or EngineFailedError("unknown")

    @property
    def has_failed(self) -> bool:
        """Whether a block failed, so that nothing is ordered any more."""
        return self._failure is not None

    @property
    def queued_operations(self) -> int:
        """Operations that wait to be ordered."""
        return self._queued

    async def submit(self, candidate: C) -> A:
        """Order one candidate; its answer comes when its block is durable and certified.

        Raises OverloadedError, ClosingError (not taken) or EngineFailedError (unknown).
        """
        self._verify_alive()
        if self._is_closing:
            raise ClosingError("the node is shutting down")
        limits = self._limits
        if (
            self._queued + candidate.operations > limits.queue_operations
            or self._queued_bytes + candidate.size > limits.queue_bytes
        ):
            raise OverloadedError("the queue is full")
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((candidate, answer))
        self._queued += candidate.operations
        self._queued_bytes += candidate.size
        self._wake.set()
        return await answer

    async def _run(self) -> None:
        try:
            while await self._next():
                await self._slots.acquire()
                if self._failure is None:
                    self._start_block(self._take())
        except Exception as error:  # noqa: BLE001  # a task's top: every fault of a block is fatal
            self._fail(error)

    async def _next(self) -> bool:
        while not self._waiting:
            if self._is_closing or self._failure is not None:
                return False
            self._wake.clear()
            try:
                async with asyncio.timeout(self._limits.block_interval_s):
                    await self._wake.wait()
            except TimeoutError:
                return True
        return self._failure is None

    def _take(self) -> list[tuple[C, asyncio.Future[A]]]:
        limits = self._limits
        taken: list[tuple[C, asyncio.Future[A]]] = []
        operations = size = 0
        while self._waiting:
            candidate = self._waiting[0][0]
            operations += candidate.operations
            size += candidate.size
            if taken and (operations > limits.block_operations or size > limits.block_bytes):
                break
            taken.append(self._waiting.popleft())
            self._queued -= candidate.operations
            self._queued_bytes -= candidate.size
        return taken

    def _start_block(self, taken: list[tuple[C, asyncio.Future[A]]]) -> None:
        try:
            block = self._application.propose([one for one, _ in taken], self._clock_ms())
            finalized = self._application.finalize(block)
        except BaseException as error:
            self._reject([answer for _, answer in taken], error)
            raise
        committed = asyncio.get_running_loop().run_in_executor(
            self._writer, self._commit, finalized
        )
        answers = [answer for _, answer in taken]
        self._publishing = asyncio.create_task(
            self._publish(self._publishing, committed, finalized, answers), name="publish"
        )

    def _commit(self, finalized: F) -> None:
        """In the writer thread: nothing is written on top of a block that failed."""
        if self._is_commit_barred:
            raise EngineFailedError("an earlier block failed")
        try:
            self._application.commit(finalized)
        except BaseException:
            self._is_commit_barred = True
            raise

    async def _publish(
        self,
        before: "asyncio.Task[None] | None",
        committed: "asyncio.Future[None]",
        finalized: F,
        answers: list[asyncio.Future[A]],
    ) -> None:
        try:
            await committed
            if before is not None:
                await before
            self._verify_alive()
            for answer, value in zip(answers, self._application.publish(finalized), strict=True):
                if not answer.done():
                    answer.set_result(value)
        except Exception as error:  # noqa: BLE001  # a task's top: every fault of a block is fatal
            self._reject(answers, error)
            self._fail(error)
        finally:
            self._slots.release()

    def _verify_alive(self) -> None:
        if self._failure is not None:
            raise EngineFailedError("the engine stopped") from self._failure

    def _fail(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error
        self._is_commit_barred = True
        self._reject([answer for _, answer in self._waiting], error)
        self._waiting.clear()
        self._queued = self._queued_bytes = 0
        self._failed.set()
        self._wake.set()

    @staticmethod
    def _reject(answers: list[asyncio.Future[A]], error: BaseException) -> None:
        for answer in answers:
            if not answer.done():
                failure = EngineFailedError("the block failed; ask again after the restart")
                failure.__cause__ = error
                answer.set_exception(failure)
