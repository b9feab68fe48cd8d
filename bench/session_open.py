"""How long an app waits for a session: from a new connection to a granted, certified session.

Over the real port of a node in a process of its own, for each kind of TEE: TLS, Hello, the client's
verification of the node's evidence, its own evidence, Attest (the node's verifier process, the
block, its certificate), the grant. One after the other, and several at once.
"""

import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from attestation.platforms.software import SoftwarePlatform
from bench.local_node import COLLECTION, BenchHome, found, running
from enclave_client.client import SecretClient
from enclave_client.network_file import NetworkFile

AT_ONCE = 8
_WARM = 5


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening cost: milliseconds one after the other, and sessions a second at once."""

    p50_ms: float
    p99_ms: float
    per_s: float


def measure_opening(tee: str, count: int) -> Opened:
    """Open `count` sessions alone, then as many at once; at most 256 of one app may be open."""
    with tempfile.TemporaryDirectory(prefix="sealedger-bench-") as directory:
        home = found(Path(directory), tee)
        with running(home) as node:
            return asyncio.run(_open(home, home.network(node.port), count))


async def _open(home: BenchHome, network: NetworkFile, count: int) -> Opened:
    alone, together = home.platform, replace(home, manifest=home.second).platform
    for _ in range(_WARM):
        await _once(network, alone)
    taken = sorted([await _once(network, alone) for _ in range(count)])
    started = time.perf_counter()
    waiting = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with waiting:
            await _once(network, together)

    await asyncio.gather(*(one() for _ in range(count)))
    return Opened(
        statistics.median(taken) * 1000,
        taken[min(count - 1, count * 99 // 100)] * 1000,
        count / (time.perf_counter() - started),
    )


async def _once(network: NetworkFile, platform: SoftwarePlatform) -> float:
    client = SecretClient.connect(
        network=network, platform=platform, collection=COLLECTION, allow_development=True
    )
    started = time.perf_counter()
    await client.open()
    taken = time.perf_counter() - started
    await client.close()
    return taken
