"""Logs over HTTP, and servers that lie about sizes, stall, break off or redirect."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from node.audit import http_source
from node.audit.errors import NotVerifiedError, SourceError
from node.audit.http_source import HttpSource
from node.audit.verify import Audited, Options, audit_log
from tests.support.audited_log import AuditedLog, pins

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
SHORT = aiohttp.ClientTimeout(total=0.3, sock_connect=0.3)
MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_source, "FIRST_WAIT_S", 0.001)


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    """A server with this handler; its URL."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def read(handler: Handler, limit: int = 1000) -> bytes | None:
    """What a source gives of that server."""
    async with served(handler) as url, HttpSource(url + "/", SHORT) as source:
        return await source.read("tile/0/000", limit)


async def audited(handler: Handler) -> Audited:
    """An audit of that server."""
    async with served(handler) as url, HttpSource(url, SHORT) as source:
        return await audit_log(source, pins(), Options(), lambda *_: None)


def files(folder: Path, *, compress: bool = False) -> Handler:
    """A server of files; compressed for all, asked or not."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        path = folder / request.path[1:]
        if not path.is_file():
            return web.Response(status=404)
        if compress:
            body = gzip.compress(path.read_bytes())
            return web.Response(body=body, headers={"Content-Encoding": "gzip"})
        assert request.headers["Accept-Encoding"] == "identity"
        return web.Response(body=path.read_bytes())

    return handle


@pytest.mark.parametrize("compress", [False, True])
async def test_a_log_is_verified(copy: Path, honest: AuditedLog, compress: bool) -> None:
    """Over HTTP as from a directory, also from a server that compresses unasked."""
    done = await audited(files(copy, compress=compress))
    assert done.certified.checkpoint.size == honest.size


async def test_what_is_not_there_is_none() -> None:
    """404 and 410 are absence."""
    for status in (404, 410):

        async def handle(_: web.BaseRequest, status: int = status) -> web.StreamResponse:
            return web.Response(status=status, body=b"x")

        assert await read(handle) is None


async def test_a_missing_partial_is_the_logs_fault(copy: Path) -> None:
    """404 for what the checkpoint promises means that the log does not hold."""
    (copy / "tile/entries/002.p/88").unlink()
    with pytest.raises(NotVerifiedError, match="is missing"):
        await audited(files(copy))


async def test_a_body_without_end_is_cut() -> None:
    """Never more than one byte beyond the limit is kept, however much comes."""
    sent = 0

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 1000 * MIB:
            await response.write(bytes(MIB))
            sent += MIB
        return response

    assert await read(handle) == bytes(1001)
    assert sent < 100 * MIB


async def test_a_compressed_bomb_is_cut() -> None:
    """What inflates is bounded by the limit too."""
    bomb = gzip.compress(bytes(400 * 1000))

    async def handle(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    assert await read(handle) == bytes(1001)


async def test_what_is_no_gzip_is_refused() -> None:
    """A body that is not what its header says cannot be used."""

    async def handle(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b"plain", headers={"Content-Encoding": "gzip"})

    with pytest.raises(SourceError, match="not valid gzip"):
        await read(handle)


async def test_a_server_that_says_nothing_ends() -> None:
    """After a few tries in bounded time there is an error, not a wait for ever."""
    asked = 0
    stop = asyncio.Event()

    async def handle(_: web.BaseRequest) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        await stop.wait()
        return web.Response()

    async with served(handle) as url, HttpSource(url, SHORT) as source:
        with pytest.raises(SourceError, match="no whole answer in time"):
            await asyncio.wait_for(source.read("checkpoint", 1000), 20)
        stop.set()
    assert asked == http_source.TRIES


async def test_a_server_that_drips_ends() -> None:
    """One byte now and then does not keep an audit waiting."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b".")
            await asyncio.sleep(0.05)
        return response

    with pytest.raises(SourceError, match=r"in time|no answer"):
        await asyncio.wait_for(read(handle), 20)


async def test_a_passing_fault_is_tried_again(copy: Path) -> None:
    """Overload and broken connections are asked again, and the audit goes on."""
    fine = files(copy)
    count = 0

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal count
        count += 1
        if count % 3 == 1:
            return web.Response(status=503)
        if count % 3 == 2 and request.transport is not None:
            request.transport.abort()
        return await fine(request)

    async with served(handle) as url, HttpSource(url, SHORT) as source:
        assert await source.read("checkpoint", 70_000) == (copy / "checkpoint").read_bytes()


@pytest.mark.parametrize("status", [301, 302, 307, 401, 403, 204, 206])
async def test_other_answers_are_refused(status: int) -> None:
    """A redirect is not followed, and nothing but 200 is a body."""
    followed = False

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal followed
        followed |= request.path == "/elsewhere"
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    with pytest.raises(SourceError, match=f"answered {status}"):
        await read(handle)
    assert not followed


async def test_no_server_is_an_error() -> None:
    """Where nobody listens, and what is no URL, cannot be used."""
    for url in ("http://127.0.0.1:1", "http://[", "http://127.0.0.1:99999"):
        async with HttpSource(url, SHORT) as source:
            with pytest.raises(SourceError):
                await source.read("checkpoint", 1000)
    with pytest.raises(SourceError, match="not open"):
        await HttpSource("http://127.0.0.1:1").read("checkpoint", 1)
