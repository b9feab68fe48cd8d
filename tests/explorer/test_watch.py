"""Server-sent events of the log's growth, over a log that a test lets grow."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession, StreamReader

from ledger.format.leaf import BlockHeader, encode_leaf
from node.certifier import Certified
from node.http.gate import GateLimits
from node.http.reader import Reader
from node.http.watch_routes import WatchLimits, WatchRoutes
from tests.support.published_log import SmallSite, Written, small_site, written_log

SIZE = 40


class GrowingLog:
    """The newest certified checkpoint, as a test lets it grow; see GrowingLog of watch_routes."""

    def __init__(self, written: Written, size: int) -> None:
        self._written = written
        self._grown = asyncio.Condition()
        self.waiting = 0
        self.waited_for = asyncio.Event()
        written.certifier.certify(size)

    @property
    def latest(self) -> Certified:
        """See CertifiedLog."""
        return self._written.certifier.latest

    async def beyond(self, size: int) -> None:
        """See GrowingLog."""
        self.waiting += 1
        try:
            if self.latest.size <= size:
                self.waited_for.set()
            async with self._grown:
                await self._grown.wait_for(lambda: self.latest.size > size)
        finally:
            self.waiting -= 1

    async def grow(self, size: int) -> None:
        """Certify this size."""
        async with self._grown:
            self._written.certifier.certify(size)
            self._grown.notify_all()


@dataclass(frozen=True, slots=True)
class Watched:
    """A listening site with nothing but the watch."""

    site: SmallSite
    growing: GrowingLog
    routes: WatchRoutes


@asynccontextmanager
async def watched(limits: WatchLimits) -> AsyncIterator[Watched]:
    """The site, its log at three entries."""
    headers = (BlockHeader(height, 1000 + height, b"", 1, 1, 1) for height in range(SIZE))
    written = written_log(list(map(encode_leaf, headers)))
    growing, reader = GrowingLog(written, 3), Reader()
    routes = WatchRoutes(growing, written.log, reader, limits)
    try:
        async with small_site(routes.routes(), GateLimits(public_requests=1)) as site:
            try:
                yield Watched(site, growing, routes)
            finally:
                routes.close()
    finally:
        reader.close()


QUICK = WatchLimits(pause_s=0)


async def event(content: StreamReader) -> tuple[int, dict[str, object]]:
    """The next event's id and data, comments left out."""
    fields: dict[str, str] = {}
    async with asyncio.timeout(20):
        while line := (await content.readline()).decode():
            if line == "\n" and fields:
                return int(fields["id"]), json.loads(fields["data"])
            name, _, value = line.rstrip("\n").partition(": ")
            if name:
                fields[name] = value
    raise AssertionError("the answer ended")


async def test_growth_is_told() -> None:
    """The standing comes first, then each growth; the id is the number of entries."""
    async with (
        watched(QUICK) as one,
        ClientSession() as client,
        client.get(f"{one.site.url}/v1/watch") as answer,
    ):
        assert answer.content_type == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-store"
        for size in (3, 5, 40):
            await one.growing.grow(size)
            found, status = await event(answer.content)
            assert found == status["entries"] == size
            assert status["height"] == size - 1


async def test_what_was_seen_is_not_told_again() -> None:
    """A client that comes again is told of nothing before there is something new."""
    async with watched(QUICK) as one, ClientSession() as client:
        seen = {"Last-Event-ID": "3"}
        async with client.get(f"{one.site.url}/v1/watch", headers=seen) as answer:
            async with asyncio.timeout(20):
                await one.growing.waited_for.wait()
            await one.growing.grow(4)
            assert (await event(answer.content))[0] == 4


@pytest.mark.parametrize("seen", ["", "4000", "-1", "03", "x", "9" * 30, "3, 3"])
async def test_odd_ids_begin_again(seen: str) -> None:
    """An id that says nothing, or names a longer log than there is, begins anew."""
    async with (
        watched(QUICK) as one,
        ClientSession() as client,
        client.get(f"{one.site.url}/v1/watch", headers={"Last-Event-ID": seen}) as answer,
    ):
        assert (await event(answer.content))[0] == 3


async def test_a_fast_log_is_told_now_and_then() -> None:
    """Growth during the pause becomes one event."""
    async with (
        watched(WatchLimits(pause_s=0.05)) as one,
        ClientSession() as client,
        client.get(f"{one.site.url}/v1/watch") as answer,
    ):
        await event(answer.content)
        for size in range(4, SIZE + 1):
            await one.growing.grow(size)
        assert (await event(answer.content))[0] == SIZE


async def test_silence_is_broken() -> None:
    """A comment tells that the node is still there."""
    async with (
        watched(WatchLimits(pause_s=0, still_here_s=0.01)) as one,
        ClientSession() as client,
        client.get(f"{one.site.url}/v1/watch") as answer,
    ):
        await event(answer.content)
        assert await answer.content.readline() == b": still here\n"


async def test_an_answer_ends_after_a_while() -> None:
    """After its life the answer ends in order; the client may come again."""
    async with watched(WatchLimits(pause_s=0, still_here_s=0.01, life_s=0.03)) as one:
        async with ClientSession() as client:
            for _ in range(3):
                async with client.get(f"{one.site.url}/v1/watch") as answer:
                    assert b"id: 3\n" in await answer.read()
        assert one.growing.waiting == 0


async def test_too_many_are_told_to_come_again() -> None:
    """Beyond the limit 503 with a hint; who leaves makes room. Others' requests are not counted."""
    limits = WatchLimits(watchers=2, pause_s=0, still_here_s=0.01)
    async with watched(limits) as one, ClientSession() as client:
        url = f"{one.site.url}/v1/watch"
        async with client.get(url) as first, client.get(url) as second:
            await event(first.content)
            await event(second.content)
            async with client.get(url) as third:
                assert third.status == 503
                assert "Retry-After" in third.headers
                assert (await third.json())["hint"]
        async with asyncio.timeout(20):
            while True:
                async with client.get(url) as later:
                    if later.status == 200:
                        break


async def test_a_stop_ends_all() -> None:
    """When the node stops, answers end in order and nobody else may watch."""
    async with watched(QUICK) as one, ClientSession() as client:
        async with client.get(f"{one.site.url}/v1/watch") as answer:
            await event(answer.content)
            one.routes.close()
            async with asyncio.timeout(5):
                assert b"id:" not in await answer.content.read()
        async with client.get(f"{one.site.url}/v1/watch") as refused:
            assert refused.status == 503


async def test_only_get() -> None:
    """It is read, with GET."""
    async with watched(QUICK) as one, ClientSession() as client:
        for method in ("HEAD", "POST", "DELETE"):
            async with client.request(method, f"{one.site.url}/v1/watch") as answer:
                assert answer.status == 405
