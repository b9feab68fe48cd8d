"""Connections and bytes that no browser sends: bounded, answered in our form, never a fault."""

import asyncio
import contextlib
import json
import re
import socket

import pytest
from structlog.typing import EventDict

from node.errors import ConfigError
from node.http import server
from node.http.gate import Gate, GateLimits
from node.http.router import Router
from tests.support.published_log import Requests, SmallSite, log_site, small_site, written_log
from tests.support.raw_http import connected, get, status_of, told

OK = get(b"/checkpoint")


async def still_serves(site: SmallSite) -> None:
    """A plain request is answered."""
    assert status_of(await told(site.port, OK)) == 200


MALFORMED = {
    "no HTTP": b"GARBAGE\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "long line": b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "long field": get(b"/checkpoint", b"X: " + b"a" * 5000),
    "many fields": get(b"/checkpoint", *(b"X-%d: 1" % number for number in range(100))),
    "no path": b"GET HTTP/1.1\r\n\r\n",
    "relative path": get(b"checkpoint"),
    "bytes in path": get(b"/\xff\xfe"),
    "bad host": b"GET http://[::bad/ HTTP/1.1\r\n\r\n",
    "no host": b"GET http:///x HTTP/1.1\r\n\r\n",
    "two lengths": get(b"/checkpoint", b"Content-Length: 1", b"Content-Length: 2"),
    "length and chunks": get(b"/checkpoint", b"Content-Length: 1", b"Transfer-Encoding: chunked"),
    "negative length": get(b"/checkpoint", b"Content-Length: -1"),
    "odd version": b"GET /checkpoint HTTP/9.9\r\n\r\n",
    "control in field": get(b"/checkpoint", b"X: a\0b"),
    "unknown method": get(b"/checkpoint", method=b"BREW"),
}


@pytest.mark.parametrize("request_bytes", MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed_requests(request_bytes: bytes, said: list[EventDict]) -> None:
    """What is no request is 400 in JSON, without versions or what was sent; nothing is at fault."""
    async with log_site(written_log([b"entry"])) as site:
        answer = await told(site.port, request_bytes)
        assert status_of(answer) == 400
        head, _, body = answer.partition(b"\r\n\r\n")
        assert set(json.loads(body)) == {"error", "hint"}
        assert b"aiohttp" not in answer
        assert b"Python" not in answer
        assert re.search(rb"\r\nServer: sealedger\r\n", head)
        assert b"Traceback" not in answer
        await still_serves(site)
    assert [event for event in said if event["log_level"] == "error"] == []


ODD = {
    "CONNECT": (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", (400, 405)),
    "asterisk": (get(b"*", method=b"OPTIONS"), (204,)),
    "absolute": (get(b"http://x/checkpoint"), (200,)),
    "expect": (get(b"/checkpoint", b"Expect: 100-continue"), (200,)),
    "upgrade": (b"GET /checkpoint HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n", (200,)),
    "old version": (b"GET /checkpoint HTTP/1.0\r\n\r\n", (200,)),
    "body": (get(b"/checkpoint", b"Content-Length: 5") + b"hello", (413,)),
    "chunked body": (
        get(b"/checkpoint", b"Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n",
        (413,),
    ),
    "unfinished body": (get(b"/checkpoint", b"Content-Length: 500") + b"hello", (413,)),
}


@pytest.mark.parametrize("name", ODD)
async def test_odd_requests(name: str, said: list[EventDict]) -> None:
    """What is odd but a request gets its answer."""
    request, statuses = ODD[name]
    if name == "upgrade":
        request = request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    async with log_site(written_log([b"entry"])) as site:
        assert status_of(await told(site.port, request)) in statuses
        await still_serves(site)
    assert [event for event in said if event["log_level"] == "error"] == []


async def test_pipelined_requests() -> None:
    """Requests sent at once are answered in their order."""
    async with log_site(written_log([b"entry"])) as site:
        asked = [b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in (b"/checkpoint", b"/no")]
        answer = await told(site.port, b"".join((*asked, OK)))
    assert [int(code) for code in re.findall(rb"HTTP/1\.1 (\d+)", answer)] == [200, 404, 200]


async def test_idle_connections_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection with nothing, or with half a request, is closed after a while."""
    monkeypatch.setattr(server, "IDLE_S", 0.05)
    async with log_site(written_log([b"entry"])) as site:
        assert await told(site.port, b"") == b""
        assert await told(site.port, b"GET /checkpoint HTTP/1.1\r\nHos") == b""
        kept = await told(site.port, b"GET /checkpoint HTTP/1.1\r\nHost: x\r\n\r\nGET /ch")
        assert kept.count(b"HTTP/1.1") == 1
        await still_serves(site)


async def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections beyond the limit are cut off; those within it are served."""
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 3)
    async with log_site(written_log([b"entry"])) as site, contextlib.AsyncExitStack() as stack:
        held = [await stack.enter_async_context(connected(site.port)) for _ in range(3)]
        for reader, writer in held:
            writer.write(b"GET /checkpoint HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        assert await told(site.port, OK) == b""
        held[0][1].transport.abort()
        async with asyncio.timeout(10):
            while not (answer := await told(site.port, OK)):  # noqa: ASYNC110  # asks each time
                await asyncio.sleep(0)
        assert status_of(answer) == 200


async def test_an_address_in_use() -> None:
    """An address that another has is the operator's to change, and the message says where."""
    async with small_site(()) as site:
        second = server.HttpServer(
            Gate(Router(()), Requests(), GateLimits()), f"127.0.0.1:{site.port}"
        )
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{site.port}") as refused:
            await second.open()
        await second.close()
    assert "http.listen" in refused.value.hint


async def test_an_address_of_version_6() -> None:
    """An address in brackets is listened on, where the machine has it."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    gate = Gate(Router(()), Requests(), GateLimits())
    six = server.HttpServer(gate, "[::1]:0")
    try:
        await six.open()
    except ConfigError:
        pytest.skip("this machine has no address ::1")
    assert six.port
    await six.close()
