"""Ends the streams of a node that stops, in three steps that lose no answer.

1. What was taken before is answered; what comes now is refused as SHUTTING_DOWN, in replies.
2. Clients that were told so leave by themselves; they have a moment for it. A stream that the node
   ends while its client writes makes the client's library forget replies that it has not read.
3. Whoever stays gets a status. What nobody read did not run, and never will on this connection.
A stream's reading runs as a task of its own, so that it can be ended alone.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

STOPPING = "the node is stopping: connect again later, or to another one"
LEAVING_S = 0.5


class Drain:
    """The readings of all open streams, and the answers that are under way. One event loop."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._readings: set[asyncio.Task[None]] = set()
        self._answers: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def answering(self, answer: asyncio.Task[None]) -> None:
        """Say that this task will write an answer."""
        self._answers.add(answer)
        answer.add_done_callback(self._answers.discard)

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

    async def close(self, grace_s: float) -> None:
        """Let what is taken now be answered within the grace, then end every reading (1 to 3)."""
        await _wait(self._answers, grace_s)
        await _wait(self._readings, min(grace_s, LEAVING_S))
        self._is_closed = True
        for task in self._readings:
            task.cancel()


async def _wait(tasks: set[asyncio.Task[None]], time_s: float) -> None:
    if tasks:
        await asyncio.wait(tuple(tasks), timeout=time_s)
