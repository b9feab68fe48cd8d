"""How long to wait before the next attempt: doubling, bounded, with jitter; and when to give up."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar

from enclave_client.errors import UnavailableError

FIRST_S = 0.02
LONGEST_S = 2.0
PATIENCE_S = 30.0  # without any node
_Result = TypeVar("_Result")


class Backoff:
    """One line of attempts; `reset` after a success."""

    def __init__(self) -> None:
        """Start with the shortest wait."""
        self._delay_s = FIRST_S

    def next_s(self) -> float:
        """Seconds to wait now: between half of the current delay and all of it."""
        delay_s = delay_of(self._delay_s)
        self._delay_s = min(2 * self._delay_s, LONGEST_S)
        return delay_s

    def reset(self) -> None:
        """Back to the shortest wait."""
        self._delay_s = FIRST_S


def delay_of(longest_s: float) -> float:
    """Seconds between half of `longest_s` and all of it, so that clients do not march in step."""
    return longest_s * (0.5 + secrets.randbelow(1024) / 2048)


def attempt_delay_s(attempt: int) -> float:
    """Seconds to wait before the attempt with this number (0 is the first repetition)."""
    return delay_of(min(FIRST_S * 2 ** min(attempt, 16), LONGEST_S))


async def patiently(attempt: Callable[[], Awaitable[_Result]]) -> _Result:
    """What `attempt` gives, tried for half a minute while it raises UnavailableError.

    Raises the last UnavailableError, or at once whatever else `attempt` raises.
    """
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + PATIENCE_S
    tried = 0
    while True:
        try:
            return await attempt()
        except UnavailableError:
            delay_s = attempt_delay_s(tried)
            if loop.time() + delay_s > ends_s:
                raise
        await asyncio.sleep(delay_s)
        tried += 1
