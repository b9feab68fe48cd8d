"""Streams that are cut, abandoned, flooded and never read; and how much a node takes for it."""

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest

from enclave_client import wire
from enclave_client.transactions import Transaction
from enclave_client.transport import SubmitStream
from ledger.format.operation import Read
from ledger.format.outcome import Coordinates
from ledger.format.sealed import MODE_SESSION
from ledger.format.transaction import MAX_ENVELOPE_BYTES
from ledger.reason import Reason
from tests.support.fuzzing import SERVICE, mangled, raw_channel
from tests.support.raw_client import RawClient
from tests.support.real_node import COLLECTION, NodeProcess

pytestmark = pytest.mark.slow  # all of them together; the fast checks have test_wire

MIB = 1024 * 1024
MAX_GROWTH_KIB = 1024 * 1024  # about 0.7 GiB are taken, however much is sent
MAX_UNREAD_KIB = 512 * 1024
Stream = grpc.aio.StreamStreamCall[bytes, bytes]


def reads(client: RawClient, count: int) -> list[Transaction]:
    """That many transactions of one read each."""
    return [client.make((Read(COLLECTION, "n"), b"")) for _ in range(count)]


async def read_all(stream: SubmitStream, count: int) -> dict[bytes, wire.Answer]:
    """The next answers by the hash of what they answer."""
    answers = [wire.decode_answer(await stream.read()) for _ in range(count)]
    return {one.transaction_hash: one for one in answers}


async def test_good_and_bad_on_one_stream(
    client: RawClient, rng: random.Random, rounds: int
) -> None:
    """Refusals are replies: a stream goes on after them, and each answer names what it answers."""
    stream = client.link.transport.submit()
    for _ in range(max(2, rounds // 8)):
        good = reads(client, 8)
        bad = [mangled(rng, one.request[4:]) for one in reads(client, 8)]
        requests = [one.request for one in good] + [wire.encode_submit(one) for one in bad]
        for request in rng.sample(requests, len(requests)):
            await stream.write(request)
        answers = [wire.decode_answer(await stream.read()) for _ in requests]
        recorded = {
            one.transaction_hash for one in answers if isinstance(one.result, wire.Recorded)
        }
        assert recorded == {one.hash for one in good}
    stream.cancel()


async def test_duplicates_and_another_order(client: RawClient, rng: random.Random) -> None:
    """Sent three times in any order over two streams: one entry each."""
    sent = reads(client, 30)
    streams = [client.link.transport.submit() for _ in range(2)]
    for stream in streams:
        for one in rng.sample(sent * 2, 2 * len(sent)):
            await stream.write(one.request)
    answers = [await read_all(stream, 2 * len(sent)) for stream in streams]
    for one in sent:
        results = [found[one.hash].result for found in answers]
        first, second = results
        assert isinstance(first, wire.Recorded)
        assert isinstance(second, wire.Recorded)
        assert first.index == second.index
    for stream in streams:
        stream.cancel()


async def test_streams_that_are_cut(
    node: NodeProcess, client: RawClient, rng: random.Random, rounds: int
) -> None:
    """Cancelled calls, closed channels and half-read streams leave no trace but their entries."""
    sent = reads(client, 1)
    for _ in range(rounds):
        sent = reads(client, rng.randint(1, 40))
        async with raw_channel(node.port) as channel:
            stream: Stream = channel.stream_stream(SERVICE + "Submit")()
            with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
                for one in sent:
                    await stream.write(one.request)
                for _ in range(rng.randint(0, len(sent) // 2)):
                    await stream.read()
            if rng.random() < 0.5:
                stream.cancel()
    last = sent[-1]
    again = await client.answer(last)
    assert isinstance(again, wire.Recorded)


async def test_unary_calls_that_are_abandoned(
    node: NodeProcess, client: RawClient, rounds: int
) -> None:
    """A caller that does not wait costs nothing and changes nothing for the others."""
    async with raw_channel(node.port) as channel:
        submit: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            SERVICE + "SubmitOne"
        )
        calls = [submit(one.request) for one in reads(client, 4 * rounds)]
        await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    assert (await client.run((Read(COLLECTION, "n"), b""))).reasons == [Reason.NOT_FOUND]


@contextlib.asynccontextmanager
async def watched(node: NodeProcess) -> AsyncIterator[list[int]]:
    """The node's own memory over time, in KiB; the first number is from before."""
    seen = [node.rss_anon_kib()]

    async def watch() -> None:
        while True:
            seen.append(node.rss_anon_kib())
            await asyncio.sleep(0.02)

    task = asyncio.create_task(watch())
    try:
        yield seen
    finally:
        task.cancel()


def large(client: RawClient) -> bytes:
    """A request of almost 4 MiB that nobody signed, its payload as it should be."""
    at = Coordinates(COLLECTION, "fuzz/large", os.urandom(16), 1, MODE_SESSION, os.urandom(32))
    step = client.sealed(at, bytes(MAX_ENVELOPE_BYTES - 16 * 1024))
    draft = client.draft(step, signer=at.writer_session)
    return client.sign(draft, lambda _: bytes(64)).request


@pytest.mark.parametrize("count", [1, 10, 256])
async def test_answers_that_nobody_reads(node: NodeProcess, client: RawClient, count: int) -> None:
    """Attack: large values are asked for and the answers left lying: the node stops taking more."""
    value = os.urandom(MIB)
    await client.run(client.put("fuzz/unread", value, COLLECTION))
    steps = [(Read(COLLECTION, "fuzz/unread"), b"")] * count

    async def ask(channel: grpc.aio.Channel) -> None:
        stream: Stream = channel.stream_stream(SERVICE + "Submit")()
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            for _ in range(64):
                await stream.write(client.make(*steps).request)
            await asyncio.Event().wait()

    async with contextlib.AsyncExitStack() as stack, watched(node) as seen:
        channels = [await stack.enter_async_context(raw_channel(node.port)) for _ in range(4)]
        asking = [asyncio.create_task(ask(channel)) for channel in channels]
        for _ in range(100):
            assert (await client.run((Read(COLLECTION, "n"), b""))).reasons == [Reason.NOT_FOUND]
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    assert max(seen) - seen[0] < MAX_UNREAD_KIB, f"{seen[0]} to {max(seen)} KiB"


async def test_many_streams_that_say_nothing(node: NodeProcess, client: RawClient) -> None:
    """Attack: hundreds of open, silent streams do not keep others out."""
    async with raw_channel(node.port) as channel:
        streams: list[Stream] = [channel.stream_stream(SERVICE + "Submit")() for _ in range(500)]
        for stream in streams[::10]:
            await stream.write(reads(client, 1)[0].request)
        assert (await client.run((Read(COLLECTION, "n"), b""))).reasons == [Reason.NOT_FOUND]
        for stream in streams:
            stream.cancel()


async def test_a_flood_of_large_transactions(node: NodeProcess, client: RawClient) -> None:
    """Attack: 2 GiB in pieces of 4 MiB, signed by nobody, on many streams: memory is bounded."""
    requests = [large(client) for _ in range(8)]

    async def flood(channel: grpc.aio.Channel) -> None:
        stream: Stream = channel.stream_stream(SERVICE + "Submit")()
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            for _ in range(9):
                for request in requests:
                    await stream.write(request)
            await stream.done_writing()
            while (data := await stream.read()) is not grpc.aio.EOF:
                assert isinstance(data, bytes)
                result = wire.decode_answer(data).result
                assert isinstance(result, wire.Refusal)
                assert result.reason in (Reason.UNKNOWN_SIGNER, Reason.OVERLOADED)

    async with contextlib.AsyncExitStack() as stack, watched(node) as seen:
        channels = [await stack.enter_async_context(raw_channel(node.port)) for _ in range(8)]
        await asyncio.gather(*(flood(channel) for channel in channels))
    assert max(seen) - seen[0] < MAX_GROWTH_KIB, f"{seen[0]} to {max(seen)} KiB"
