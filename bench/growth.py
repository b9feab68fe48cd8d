"""A ledger of 10^5 and 10^6 entries: how long it takes to open and how much memory it holds.

Entries are real: each transaction is sealed, signed, judged, synced and certified by the node's own
parts in this process (gRPC left out, because it adds nothing to what is stored).
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable

from rich.progress import Progress

from attestation.platforms.software import SoftwarePlatform
from bench.load import VALUE_BYTES, lone_ms, name_of
from bench.local_node import COLLECTION, BenchHome, NodeProcess, running
from contracts.prepare import prepare
from enclave_client.checkpoints import CheckpointBook
from enclave_client.client import SecretClient
from enclave_client.connector import Connector
from enclave_client.keeper import SessionKeeper
from enclave_client.session import Session
from enclave_client.transactions import Work, sign_transaction
from ledger import sealing
from ledger.crypto.secret import Secret
from ledger.format.operation import Put, encode_operation
from ledger.format.outcome import Coordinates
from ledger.format.sealed import MODE_SESSION
from node.app import RunningNode, clock_ms, open_node
from node.candidates import Submission
from node.cli.node import CORE_MANIFEST
from node.config import LogConfig, NodeConfig
from node.home import Home
from node.logs import configure_logs
from sealedger.v1 import node_pb2

WAITING = 64


async def grow(home: BenchHome, entries: int, show: Callable[[int], None]) -> None:
    """Add transactions of one Put each until the log has `entries` entries."""
    config = NodeConfig.load(home.root / "node.toml")
    core = SoftwarePlatform.open(home.root / "platform", CORE_MANIFEST)
    async with open_node(Home(home.root), config, core) as node:
        network = home.network(node.port)
        book = CheckpointBook(network.rule())
        connector = Connector(network, home.platform, book, proxied=False, now_ms=clock_ms)
        link = await connector.link()
        session = await SessionKeeper(connector, clock_ms).current(link)
        await connector.acquire(link, session, COLLECTION)

        async def writer() -> None:
            while node.replica.head.size < entries:
                await _put(node, session)
                show(node.replica.head.size)

        await asyncio.gather(*(writer() for _ in range(WAITING)))
        await link.transport.close()


async def _put(node: RunningNode, session: Session) -> None:
    randomness = os.urandom(64)
    sequence = session.next_sequence()
    key = session.writer_keys[COLLECTION]
    at = Coordinates(
        COLLECTION, name_of(sequence), randomness[:16], key.epoch, MODE_SESSION, session.id
    )
    network_id = session.signer.network_id
    value = bytes(VALUE_BYTES)
    sealed, digest = sealing.seal_value(network_id, at, key.kek, Secret(randomness[32:]), value)
    operation = Put(
        at.collection, at.name, at.record_id, at.epoch, at.mode, digest, VALUE_BYTES + 16
    )
    work = Work((encode_operation(operation),), (randomness[16:32],), (sealed,))
    transaction = sign_transaction(session.signer, sequence, clock_ms(), work)
    envelope = node_pb2.SubmitRequest.FromString(transaction.request).envelope
    reply = await node.engine.submit(Submission(prepare(envelope, network_id), None, len(envelope)))
    if not reply.HasField("recorded"):
        raise RuntimeError(f"refused: {reply.refusal.hint}")


def open_s(home: BenchHome) -> float:
    """Seconds from the call to a serving node, in a fresh process, imports left out."""
    output = subprocess.run(
        (sys.executable, "-m", "bench.opening", home.root),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return float(output)


def rss_anon_mib(home: BenchHome, reads: int) -> float:
    """RssAnon of a node process on this ledger after it served `reads` lone reads and puts."""

    async def serve(node: NodeProcess) -> None:
        async with SecretClient.connect(
            network=home.network(node.port),
            platform=home.platform,
            collection=COLLECTION,
            allow_development=True,
        ) as client:
            await lone_ms(lambda number: client.put(name_of(number), bytes(512)), reads)
            await lone_ms(lambda number: client.get(name_of(number)), reads)

    with running(home) as node:
        asyncio.run(serve(node))
        return node.rss_anon_mib()


def measure_growth(home: BenchHome, small: int, large: int) -> dict[str, float]:
    """Grow to `small` and `large` entries; opening time at `large`, memory at both."""
    configure_logs(LogConfig(level="error"))
    result: dict[str, float] = {}
    with Progress(transient=True) as progress:
        task = progress.add_task("entries", total=large)

        def show(entries: int) -> None:
            progress.update(task, completed=entries)

        started = time.perf_counter()
        asyncio.run(grow(home, small, show))
        result["rss_small_mib"] = rss_anon_mib(home, 500)
        asyncio.run(grow(home, large, show))
        result["grow_s"] = time.perf_counter() - started
    result["open_s"] = open_s(home)
    result["rss_large_mib"] = rss_anon_mib(home, 500)
    return result
