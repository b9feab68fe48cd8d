"""Ends the streams of a node that stops: nothing more is read, what was read is still answered.

A stream's reading runs as a task of its own, so that it can be ended alone: answers that are under
way are written, then the stream gets its status. What a client had sent and nobody read did not run
and never will under this connection; it sends the same bytes again.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

STOPPING = "the node is stopping: connect again later, or to another one"


class Drain:
    """The readings of all open streams. One event loop."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._readings: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def read(self, reading: Coroutine[Any, Any, None]) -> bool:
        """Run a stream's reading; whether it was cut short because the node stops."""
        task = asyncio.create_task(reading)
        self._readings.add(task)
        if self._is_closed:
            task.cancel()
        try:
            await asyncio.wait({task})
        finally:
            self._readings.discard(task)
            task.cancel()  # no effect unless the stream itself was cut
        if task.cancelled():
            return True
        task.result()  # raises what went wrong
        return False

    def close(self) -> None:
        """End every reading, and each later one at once."""
        self._is_closed = True
        for task in self._readings:
            task.cancel()
