"""How a node's process ends when it is told to.

1. SIGINT or SIGTERM: the node stops in order (node.app), within `within_s` seconds.
2. A second signal, or the end of that time: the process ends at once with exit code 1. That loses
   nothing that was acknowledged: it was synced before, and the next start is that after a crash.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable

import structlog

SIGNALS = (signal.SIGINT, signal.SIGTERM)

_log = structlog.get_logger()


class Stop:
    """The wish to stop. One event loop; `end` is what ends the process."""

    def __init__(self, within_s: float, end: Callable[[int], object] = os._exit) -> None:
        """Nobody wishes it yet."""
        self._within_s = within_s
        self._end = end
        self._asked = asyncio.Event()
        self._timer: threading.Timer | None = None

    @property
    def is_asked(self) -> bool:
        """Whether a signal came."""
        return self._asked.is_set()

    def listen(self) -> None:
        """Take the signals of this process."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.ask)

    def ask(self) -> None:
        """A signal came: stop in order, or, if that was asked already, at once."""
        if self.is_asked:
            self._end_now("told twice")
            return
        self._asked.set()
        self.begin()

    def begin(self) -> None:
        """From now on the time runs, in a thread: a sync that hangs may block everything else."""
        if self._timer is None:
            self._timer = threading.Timer(self._within_s, self._end_now, ("not closed in time",))
            self._timer.daemon = True
            self._timer.start()

    async def asked(self) -> None:
        """Wait for the first signal."""
        await self._asked.wait()

    def _end_now(self, why: str) -> None:
        _log.error("node stopped at once", why=why)
        self._end(1)
