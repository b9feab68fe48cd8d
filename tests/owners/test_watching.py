"""Watching: from any entry on, over restarts, each operation once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from enclave_client.client import SecretClient
from enclave_client.errors import DeniedError, ReceiptInvalidError, UnavailableError
from enclave_client.openings import Event
from enclave_client.wire_queries import QueryAnswer
from ledger.format.operation import Put
from node.config import NodeConfig
from sealedger.v1 import node_pb2 as pb
from tests.support.owners import OWNED, account, admitting, owner_of
from tests.support.real_node import (
    COLLECTION,
    RealNetwork,
    Serving,
    client_of,
    listening,
    serving,
    with_endpoint,
)


async def puts(events: AsyncGenerator[Event, None], count: int) -> list[str]:
    """The names of the next puts."""
    names: list[str] = []
    async for event in events:
        if isinstance(event.operation, Put):
            names.append(event.operation.name)
            if len(names) == count:
                break
    return names


async def test_what_stands_and_what_comes(node: Serving) -> None:
    """A watch gives what is there, waits, and gives what is added; from an index on, if asked."""
    async with node.client() as app:
        first = await app.put("a", b"")
        async with aclosing(app.watch()) as events:
            assert await puts(events, 1) == ["a"]
            coming = asyncio.create_task(puts(events, 2))
            await app.put("b", b"")
            await app.put("c", b"")
            assert await coming == ["b", "c"]
        async with aclosing(app.watch(first.receipt.index + 1)) as events:
            assert await puts(events, 2) == ["b", "c"]


async def test_an_owner_watches(node: Serving, network: RealNetwork) -> None:
    """The owner sees what apps do, and nothing of other collections; a stranger nothing."""
    async with owner_of(node) as owner, node.client("app", OWNED) as app:
        await owner.create_collection(OWNED, admitting(network, "app"))
        async with aclosing(owner.watch(OWNED)) as events:
            await anext(events)
            async with node.client("app", COLLECTION) as elsewhere:
                await elsewhere.put("elsewhere", b"")
            await app.put("here", b"")
            assert await puts(events, 1) == ["here"]
        async with owner_of(node, account(2)) as stranger:
            with pytest.raises(DeniedError):
                await anext(stranger.watch(OWNED))


async def test_a_watch_outlives_the_node(network: RealNetwork) -> None:
    """Over a restart on the same port nothing is lost and nothing comes twice."""
    async with serving(network) as node:
        port = node.running.port
    listen = listening(f"127.0.0.1:{port}")
    network.home.config.write_bytes(NodeConfig.model_validate(listen).encode())
    client = client_of(with_endpoint(network.file, port), network.app("app"))
    async with serving(network) as node:
        await client.open()
        await client.put("a", b"")
        events = client.watch()
        assert await puts(events, 1) == ["a"]
        coming = asyncio.create_task(puts(events, 3))
        await client.put("b", b"")
    async with serving(network):
        await client.put("c", b"")
        await client.put("d", b"")
        assert await coming == ["b", "c", "d"]
        await events.aclose()
        await client.close()


async def test_a_watch_without_a_node_ends(
    network: RealNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When no node comes back in time, whoever watches is told."""
    monkeypatch.setattr("enclave_client.watching.PATIENCE_S", 0.2)
    async with serving(network) as node:
        client = node.client()
        await client.open()
        events = client.watch()
        await client.put("a", b"")
        assert await puts(events, 1) == ["a"]
    with pytest.raises(UnavailableError):
        await puts(events, 1)
    await client.close()


async def test_a_silent_stream_is_opened_anew(
    node: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence is not trusted: after a while the question is signed and sent again."""
    monkeypatch.setattr("enclave_client.asking.SILENCE_S", 0.05)
    async with node.client() as app:
        await app.put("a", b"")
        anew = _third_stream(app, monkeypatch)
        events = app.watch()
        assert await puts(events, 1) == ["a"]
        coming = asyncio.create_task(puts(events, 1))
        await anew.wait()
        await app.put("b", b"")
        assert await coming == ["b"]
        await events.aclose()


def _third_stream(app: SecretClient, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when the third stream is opened."""
    link = app._pipeline._link
    assert link is not None
    real = link.transport.watch
    opened: list[bytes] = []
    anew = asyncio.Event()

    def watch(request: bytes) -> object:
        opened.append(request)
        if len(opened) == 3:
            anew.set()
        return real(request)

    monkeypatch.setattr(link.transport, "watch", watch)
    return anew


async def test_closing_the_client_ends_the_watch(node: Serving) -> None:
    """A watch of a client that was closed is told so; it is not left hanging."""
    async with node.client() as app:
        await app.put("a", b"")
        events = app.watch()
        assert await puts(events, 1) == ["a"]
        coming = asyncio.create_task(puts(events, 1))
        await asyncio.sleep(0)
    with pytest.raises(Exception, match="clos"):
        await coming


@pytest.mark.parametrize("how", ["back", "stuck", "elsewhere"])
async def test_a_watch_that_goes_back(
    node: Serving, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries from before, an index that does not move, operations on another collection."""
    async with node.client() as app:
        await app.put("a", b"")
        real = app._asking.follow

        async def lying(question: object, what: str) -> AsyncGenerator[QueryAnswer, None]:
            asked = question
            if how == "back":
                asked = type(question)(0, 256, COLLECTION)  # type: ignore[call-arg]
            if how == "elsewhere":
                asked = type(question)(0, 256)  # type: ignore[call-arg]
            async for answer in real(asked, what):  # type: ignore[arg-type]
                yield _stuck(answer) if how == "stuck" else answer

        monkeypatch.setattr(app._asking, "follow", lying)
        start = {"back": 7, "stuck": 0, "elsewhere": 0}[how]
        events = app.watch(start)
        with pytest.raises(ReceiptInvalidError):
            await puts(events, 100)


def _stuck(answer: QueryAnswer) -> QueryAnswer:
    fields = {name: getattr(answer, name) for name in QueryAnswer.__dataclass_fields__}
    return QueryAnswer(**{**fields, "next_index": answer.entries[-1].index})


def test_the_fields_are_the_protos() -> None:
    """What an answer has on the wire is what is decoded of it."""
    wire = {field.name for field in pb.QueryReply.DESCRIPTOR.fields} - {"refusal"}
    assert wire == set(QueryAnswer.__dataclass_fields__)
