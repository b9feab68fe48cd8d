"""Stopping: told once, a node answers what it took; told twice, or out of time, it ends at once."""

import asyncio
import os
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2

from enclave_client import wire
from enclave_client.errors import UnavailableError
from enclave_client.transactions import Transaction
from enclave_client.transport import SubmitStream
from ledger import keys
from ledger.format.leaf import TransactionLeaf, decode_leaf
from ledger.format.operation import Read
from ledger.leveldb import LevelDB
from ledger.reason import Reason
from node.config import NodeConfig
from node.fsck_home import check_home
from node.grpc_drain import Drain
from node.stopping import Stop
from tests.support import stuck_node
from tests.support.fuzzing import raw_channel
from tests.support.raw_client import RawClient
from tests.support.real_node import (
    ANY_PORT,
    COLLECTION,
    NodeProcess,
    RealNetwork,
    client_of,
    listening,
    serving,
)

STREAMS = 3
IN_FLIGHT = 48
ENOUGH = 300


@dataclass(slots=True)
class Load:
    """One stream that is kept full; what was sent on it, and which of it was recorded."""

    client: RawClient
    stream: SubmitStream
    sent: dict[bytes, Transaction] = field(default_factory=dict)
    recorded: dict[bytes, int] = field(default_factory=dict)  # transaction hash: entry
    refused: dict[bytes, Reason] = field(default_factory=dict)
    ended: str = ""

    async def run(self) -> None:
        """Send until the node says that it stops, and read until it ends the stream."""
        slots = asyncio.Semaphore(IN_FLIGHT)
        writing = asyncio.create_task(self._write(slots))
        try:
            while True:
                answer = wire.decode_answer(await self.stream.read())
                if isinstance(answer.result, wire.Recorded):
                    self.recorded[answer.transaction_hash] = answer.result.index
                else:
                    self.refused[answer.transaction_hash] = answer.result.reason
                slots.release()
        except UnavailableError as error:
            self.ended = str(error)
        await writing

    async def _write(self, slots: asyncio.Semaphore) -> None:
        # Not cancelled: the library would drop the stream, and the answers with it.
        while True:
            await slots.acquire()
            if self.refused:
                return
            one = self.client.make(self.client.put("name", b"value", COLLECTION))
            self.sent[one.hash] = one
            await self.stream.write(one.request)


def entries(network: RealNetwork, signer: bytes) -> dict[bytes, int]:
    """The body of each transaction of a session that stands on the ledger, and its entry."""
    store = LevelDB(network.home.data)
    try:
        found: dict[bytes, int] = {}
        for key, data in store.scan(keys.entry(0), keys.entry(2**40)):
            leaf = decode_leaf(data)
            if isinstance(leaf, TransactionLeaf) and signer in leaf.body:
                found[leaf.body] = int.from_bytes(key[-8:], "big")
        return found
    finally:
        store.close()


def findings(network: RealNetwork) -> list[str]:
    """What fsck finds in a stopped node's home."""
    done = check_home(network.home, network.home.lock, renew_lock=False)
    return [str(one) for one in done.report.findings]


@pytest.mark.slow
async def test_stop_under_load_answers_what_it_took(founded: RealNetwork) -> None:
    """Told to stop under load: exit 0; each transaction was recorded or refused, and told so.

    The ledger is whole and holds no other one, and after a restart the refused ones run once.
    """
    node = NodeProcess(founded)
    await node.start()
    async with await RawClient.open(node.file, founded.app("app")) as client:
        await client.acquire(COLLECTION)
        before = time.monotonic()
        loads = [Load(client, client.link.transport.submit()) for _ in range(STREAMS)]
        running = [asyncio.create_task(load.run()) for load in loads]
        while sum(len(load.recorded) for load in loads) < ENOUGH:
            assert time.monotonic() < before + 60
            await asyncio.sleep(0.01)
        os.kill(node.pid, signal.SIGTERM)
        began = time.monotonic()
        assert await node.ended() == 0
        assert time.monotonic() - began < 10
        await asyncio.gather(*running)
        session = client.session.id
        sent = {hash_: one for load in loads for hash_, one in load.sent.items()}
    for load in loads:
        assert set(load.refused.values()) == {Reason.SHUTTING_DOWN}
        assert "UNAVAILABLE: the node is stopping" in load.ended
        assert load.sent.keys() == load.recorded.keys() | load.refused.keys()
    assert findings(founded) == []
    recorded = {hash_: index for load in loads for hash_, index in load.recorded.items()}
    stand = entries(founded, session)
    puts = {one.hash: stand[one.body] for one in sent.values() if one.body in stand}
    assert puts == recorded
    refused = [one for one in sent.values() if one.hash not in recorded]
    assert refused
    await node.start()
    async with await RawClient.open(node.file, founded.app("app")) as again:
        for one in refused[:IN_FLIGHT]:
            first, second = await again.answer(one), await again.answer(one)
            assert isinstance(first, wire.Recorded)
            assert isinstance(second, wire.Recorded)
            assert first.index == second.index > max(recorded.values())
    assert await node.stop() == 0
    assert findings(founded) == []


async def stuck(network: RealNetwork, within_s: int) -> tuple[NodeProcess, asyncio.Task[object]]:
    """A node that hangs in a write, and the put that waits for it."""
    table = {**listening(ANY_PORT), "stop": {"within_s": within_s}}
    network.home.config.write_bytes(NodeConfig.model_validate(table).encode())
    node = NodeProcess(network, ("-m", stuck_node.PROGRAM))
    await node.start()
    client = await RawClient.open(node.file, network.app("app"))
    await client.acquire(COLLECTION)
    sent = client.make(client.put("name", b"value", COLLECTION))
    waiting = asyncio.create_task(client.answer(sent))
    await told(node, stuck_node.EVENT)
    return node, waiting


async def told(node: NodeProcess, event: str) -> None:
    """Wait until a running node's log has an event."""
    while not any(f'"{event}"'.encode() in line for line in node.lines()):
        assert node.is_running()
        await asyncio.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["told twice", "not closed in time"])
async def test_a_stop_that_hangs_ends_at_once(founded: RealNetwork, how: str) -> None:
    """With a disk that hangs: a second signal, or the end of the time, ends it with exit code 1.

    The ledger is as it was, and the next start serves.
    """
    node, waiting = await stuck(founded, 600 if how == "told twice" else 2)
    os.kill(node.pid, signal.SIGTERM)
    if how == "told twice":
        await told(node, "node stopping")
        os.kill(node.pid, signal.SIGINT)
    assert await node.ended() == 1
    assert f'"why": "{how}"'.encode() in node.lines()[-1]
    with pytest.raises(UnavailableError):
        await waiting
    assert findings(founded) == []
    await node.start(("-c", "from node.cli.main import main; main()"))
    async with client_of(node.file, founded.app("app")) as client:
        assert (await client.put("name", b"value")).version == 1
    assert await node.stop() == 0


async def test_open_streams_end_at_a_stop(founded: RealNetwork) -> None:
    """Idle streams get a status at once, not at the end of the grace; health says why before."""
    async with AsyncExitStack() as stack:
        running = AsyncExitStack()
        node = await running.enter_async_context(serving(founded))
        client = await stack.enter_async_context(
            await RawClient.open(node.file, founded.app("app"))
        )
        submit = client.link.transport.submit()
        await submit.write(client.make((Read(COLLECTION, "name"), b"")).request)
        await submit.read()
        channel = await stack.enter_async_context(raw_channel(node.running.port))
        health: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(
            "/grpc.health.v1.Health/Watch"
        )
        watch = health(health_pb2.HealthCheckRequest().SerializeToString())
        assert await watch.read() == b"\x08\x01"  # SERVING
        began = time.monotonic()
        await running.aclose()
        assert time.monotonic() - began < 4
        assert await watch.read() == b"\x08\x02"  # NOT_SERVING
        assert await watch.code() is grpc.StatusCode.UNAVAILABLE
        with pytest.raises(UnavailableError, match="stopping"):
            await submit.read()


async def test_a_drain_ends_reading_and_nothing_else() -> None:
    """A reading ends by itself, with its fault, or by the drain; a cut stream ends its reading."""
    drain = Drain()
    begun, gone = asyncio.Event(), asyncio.Event()

    async def forever() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()

    async def fault() -> None:
        raise ValueError("the reading failed")

    assert not await drain.read(asyncio.sleep(0))
    with pytest.raises(ValueError, match="the reading failed"):
        await drain.read(fault())
    cut = asyncio.create_task(drain.read(forever()))
    await begun.wait()
    cut.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cut
    await gone.wait()
    begun.clear()
    reading = asyncio.create_task(drain.read(forever()))
    await begun.wait()
    answer = asyncio.create_task(asyncio.sleep(0))
    drain.answering(answer)
    await drain.close(0.01)
    assert answer.done()
    assert await reading
    assert await drain.read(forever())


async def test_signals_and_time() -> None:
    """The first wish starts the time, the second ends the process; so does the end of the time."""
    ended: list[int] = []
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    twice = Stop(600, ended.append)
    twice.ask()
    await twice.asked()
    assert (twice.is_asked, ended) == (True, [])
    twice.ask()
    assert ended == [1]
    late = Stop(0.01, lambda _: loop.call_soon_threadsafe(over.set))
    late.begin()
    late.begin()
    await asyncio.wait_for(over.wait(), 10)
    assert not late.is_asked
