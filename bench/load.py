"""Throughput and latency of one client process over gRPC and TLS.

256 tasks wait for one `await` each; values of 512 bytes are really sealed and opened, every answer
is a verified receipt, and everything is durable before it is acknowledged.
"""

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from enclave_client.client import SecretClient

CALLERS = 256
NAMES = 20_000
VALUE_BYTES = 512

Call = Callable[[int], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Rate:
    """Operations a second in each of the rounds; the median is what counts."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median round."""
        return statistics.median(self.rounds)


def name_of(number: int) -> str:
    """One of the 20,000 names."""
    return f"credentials/app/{number % NAMES:05d}"


def put_call(client: SecretClient) -> Call:
    """Puts of random values."""
    values = [os.urandom(VALUE_BYTES) for _ in range(256)]
    return lambda number: client.put(name_of(number), values[number % 256])


def get_call(client: SecretClient) -> Call:
    """Reads; a value of another size is a failure."""

    async def call(number: int) -> None:
        got = await client.get(name_of(number))
        if len(got.value) != VALUE_BYTES:
            raise RuntimeError("a value of another size came back")

    return call


async def fill(call: Call) -> None:
    """Run every name once."""
    numbers = iter(range(NAMES))

    async def caller() -> None:
        for number in numbers:
            await call(number)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))


async def rate(call: Call, *, warm_s: float, round_s: float, rounds: int) -> Rate:
    """Operations a second with 256 callers waiting, after a warm-up."""
    done = 0
    number = 0
    is_over = False

    async def caller() -> None:
        nonlocal done, number
        while not is_over:
            number += 1
            await call(number)
            done += 1

    callers = [asyncio.create_task(caller()) for _ in range(CALLERS)]
    await asyncio.sleep(warm_s)
    measured = []
    for _ in range(rounds):
        before, started = done, time.perf_counter()
        await asyncio.sleep(round_s)
        measured.append((done - before) / (time.perf_counter() - started))
    is_over = True
    await asyncio.gather(*callers)
    return Rate(tuple(measured))


async def lone_ms(call: Call, times: int) -> tuple[float, float]:
    """(p50, p99) milliseconds of calls one after the other."""
    taken = []
    for number in range(times):
        started = time.perf_counter()
        await call(number)
        taken.append((time.perf_counter() - started) * 1000)
    taken.sort()
    return statistics.median(taken), taken[int(len(taken) * 0.99)]
