"""Where bundles are examined: in this process, or in several of their own.

Rules: a task is a pure function of its arguments, so it may run anywhere; a worker that dies is an
error of the moment, never a verdict. Processes are spawned, not forked: this one may have threads.
"""

import asyncio
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Protocol, TypeVar

from node.audit.errors import SourceError

T = TypeVar("T")
A = TypeVar("A")


class Workers(Protocol):
    """Runs pure functions; several calls may wait at once, in one event loop."""

    jobs: int

    async def run(self, work: Callable[..., T], *given: object) -> T:
        """What `work(*given)` gives; both must be picklable."""
        ...


class Inline:
    """Runs everything at once, here."""

    jobs = 1

    async def run(self, work: Callable[..., T], *given: object) -> T:
        """See Workers."""
        return work(*given)


class Processes:
    """Runs everything in a pool of processes."""

    def __init__(self, pool: ProcessPoolExecutor, jobs: int) -> None:
        """Keep the parts; use `open_workers`."""
        self.jobs = jobs
        self._pool = pool

    async def run(self, work: Callable[..., T], *given: object) -> T:
        """See Workers."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *given)
        except BrokenProcessPool as error:
            raise SourceError(
                "a process of this audit ended", "is memory short? try again with --jobs 1"
            ) from error


@contextmanager
def open_workers(jobs: int) -> Iterator[Workers]:
    """Workers in `jobs` processes; 1 means here."""
    if jobs == 1:
        yield Inline()
        return
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, spawn, initializer=_leave_interrupts)
    try:
        yield Processes(pool, jobs)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _leave_interrupts() -> None:
    """Ctrl-C is for the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
