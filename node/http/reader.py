"""A few threads for reads that may wait for the disk, so that the event loop never does."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

THREADS = 2

P = ParamSpec("P")
T = TypeVar("T")


class Reader:
    """Runs blocking reads; `close` waits for those that run."""

    def __init__(self, threads: int = THREADS) -> None:
        """Threads start when they are needed."""
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="http-read")

    async def run(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `read` gives or raises, run in one of the threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: read(*args, **kwargs))

    def close(self) -> None:
        """Drop what waits, wait for what runs."""
        self._executor.shutdown(wait=True, cancel_futures=True)
