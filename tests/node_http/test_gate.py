"""Every request, whatever it is: one way in, one way to fail, limits, headers, one line of log."""

import asyncio
import contextlib
import re
from collections.abc import Mapping

import pytest
from aiohttp import ClientSession, ServerDisconnectedError, web
from structlog.typing import EventDict

from node.http.answers import NEVER, answer
from node.http.errors import HttpError
from node.http.gate import GateLimits
from node.http.router import Route
from tests.support.published_log import SmallSite, entries_of, log_site, small_site, written_log
from tests.support.raw_http import connected, get, status_of, told

HUGE = 64 * 1024 * 1024
SECRET = "what only the log may say"
ID = re.compile("[0-9a-f]{16}")


async def fine(_request: web.BaseRequest, _found: re.Match[str]) -> web.Response:
    """An answer."""
    return answer(b"fine", "text/plain", NEVER)


async def broken(_request: web.BaseRequest, _found: re.Match[str]) -> web.Response:
    """A fault of ours, whose words are not for everybody."""
    raise RuntimeError(SECRET)


async def refused(_request: web.BaseRequest, _found: re.Match[str]) -> web.Response:
    """A refusal."""
    raise HttpError(418, "wrong", "right", {"Retry-After": "7"})


def route(path: str, handler: object = fine, *, is_public: bool = True) -> Route:
    """A route of one path."""
    assert callable(handler)
    return Route(path, re.compile(re.escape(path)), handler, is_public)


ROUTES = (
    route("/fine"),
    route("/operator", is_public=False),
    route("/broken", broken),
    route("/refused", refused),
)


async def asked(site: SmallSite, method: str, path: str) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body of one request."""
    async with ClientSession() as session, session.request(method, site.url + path) as said:
        return said.status, said.headers, await said.read()


async def test_an_answer(said: list[EventDict]) -> None:
    """An answer has its headers, a fresh id and no versions; its log line has the same id."""
    async with small_site(ROUTES) as site:
        status, headers, body = await asked(site, "GET", "/fine")
        _, others, _ = await asked(site, "GET", "/fine")
    assert (status, body) == (200, b"fine")
    assert headers["Server"] == "sealedger"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert ID.fullmatch(headers["X-Request-Id"])
    assert others["X-Request-Id"] != headers["X-Request-Id"]
    assert site.requests.seen == [("/fine", 200)] * 2
    assert [(event["event"], event["log_level"], event["route"]) for event in said] == [
        ("http request", "debug", "/fine")
    ] * 2


async def test_head_is_get_without_body() -> None:
    """HEAD gives the headers of GET, its length too, and no body."""
    async with small_site(ROUTES) as site:
        for path in ("/fine", "/refused", "/nothing"):
            got = await asked(site, "GET", path)
            head = await asked(site, "HEAD", path)
            assert (head[0], head[2]) == (got[0], b"")
            for name in ("Content-Type", "Content-Length", "Cache-Control"):
                assert head[1][name] == got[1][name]


async def test_operators_paths_are_not_for_browsers() -> None:
    """What is for the operator is not opened to pages of other origins."""
    async with small_site(ROUTES) as site:
        for method in ("GET", "OPTIONS", "POST"):
            _, headers, _ = await asked(site, method, "/operator")
            assert not [name for name in headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
async def test_wrong_methods(method: str) -> None:
    """A method that a path does not have is 405 and says which it has."""
    async with small_site(ROUTES) as site:
        status, headers, body = await asked(site, method, "/fine")
    assert status == 405
    assert headers["Allow"] == "GET, HEAD, OPTIONS"
    assert b'"error":"wrong method"' in body


async def test_preflight() -> None:
    """A browser that asks first is told what it may do."""
    async with small_site(ROUTES) as site:
        status, headers, body = await asked(site, "OPTIONS", "/fine")
    assert (status, body) == (204, b"")
    assert headers["Access-Control-Allow-Methods"] == headers["Allow"] == "GET, HEAD, OPTIONS"


async def test_bodies_are_refused() -> None:
    """No path takes a body yet; the connection is not used to send one either."""
    async with small_site(ROUTES) as site, ClientSession() as session:
        async with session.get(f"{site.url}/fine", data=b"x" * 10) as said:
            assert said.status == 413
        async with session.get(f"{site.url}/fine") as said:
            assert said.status == 200


async def test_faults_are_json(said: list[EventDict]) -> None:
    """A refusal is said with its hint and headers, and is not kept by caches."""
    async with small_site(ROUTES) as site:
        status, headers, body = await asked(site, "GET", "/refused")
    assert (status, body) == (418, b'{"error":"wrong","hint":"right"}')
    assert headers["Retry-After"] == "7"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Type"] == "application/json"
    assert [event["log_level"] for event in said] == ["debug"]


async def test_our_faults_are_logged_not_told(said: list[EventDict]) -> None:
    """What breaks here is 500 without details; the log has them, under the answer's id."""
    async with small_site(ROUTES) as site:
        status, _, body = await asked(site, "GET", "/broken")
    assert status == 500
    assert SECRET.encode() not in body
    assert b"Traceback" not in body
    fault = next(event for event in said if event["log_level"] == "error")
    assert SECRET in fault["error"]
    assert site.requests.seen == [("/broken", 500)]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/Fine",
        "/fine/",
        "//fine",
        "/./fine",
        "/%66ine",
        "/fine%00",
        "/x/../fine",
        "/fin\u00e9",
    ],
)
async def test_one_spelling(path: str) -> None:
    """A path that is spelled otherwise names nothing."""
    async with small_site(ROUTES) as site:
        said = await told(site.port, get(path.encode("latin-1")))
    assert status_of(said) in (400, 404)


async def test_queries_change_nothing() -> None:
    """A query after the path is ignored."""
    async with small_site(ROUTES) as site:
        assert (await asked(site, "GET", "/fine?a=b"))[0] == 200


async def test_crowds_are_told_to_come_again() -> None:
    """Beyond the limit public requests are 503 at once; the operator's are still answered."""
    release = asyncio.Event()
    waiting = asyncio.Event()

    async def wait(request: web.BaseRequest, found: re.Match[str]) -> web.Response:
        waiting.set()
        await release.wait()
        return await fine(request, found)

    routes = (*ROUTES, route("/wait", wait))
    async with small_site(routes, GateLimits(public_requests=1)) as site:
        first = asyncio.create_task(asked(site, "GET", "/wait"))
        await waiting.wait()
        status, headers, _ = await asked(site, "GET", "/fine")
        assert (status, headers["Retry-After"]) == (503, "1")
        assert (await asked(site, "GET", "/operator"))[0] == 200
        release.set()
        assert (await first)[0] == 200
        assert (await asked(site, "GET", "/fine"))[0] == 200


async def test_slow_answers_end(said: list[EventDict]) -> None:
    """An answer that is not found in time is 503 and logged; the place is free again."""

    async def hang(_request: web.BaseRequest, _found: re.Match[str]) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError("nobody set it")

    limits = GateLimits(public_requests=1, answer_s=0.05)
    async with small_site((*ROUTES, route("/hang", hang)), limits) as site:
        assert (await asked(site, "GET", "/hang"))[0] == 503
        assert (await asked(site, "GET", "/fine"))[0] == 200
    assert "http answer took too long" in [event["event"] for event in said]


async def test_slow_readers_are_cut_off() -> None:
    """A client that does not take its answer loses the connection, and its place is free again."""

    async def huge(_request: web.BaseRequest, _found: re.Match[str]) -> web.Response:
        return answer(bytes(HUGE), "application/octet-stream", NEVER)

    limits = GateLimits(public_requests=1, send_s=0.1)
    async with small_site((*ROUTES, route("/huge", huge)), limits) as site:
        async with connected(site.port) as (reader, writer):
            writer.write(get(b"/huge"))
            await site.requests.counted(("/huge", 0))
            taken = 0
            with contextlib.suppress(ConnectionError):
                while part := await reader.read(1024 * 1024):
                    taken += len(part)
        assert taken < HUGE
        assert (await asked(site, "GET", "/fine"))[0] == 200


async def test_a_client_that_leaves(said: list[EventDict]) -> None:
    """A client that leaves in the middle is no fault of ours."""
    started = asyncio.Event()
    release = asyncio.Event()

    async def wait(request: web.BaseRequest, found: re.Match[str]) -> web.Response:
        started.set()
        await release.wait()
        return await fine(request, found)

    async with small_site((*ROUTES, route("/wait", wait))) as site:
        async with connected(site.port) as (_, writer):
            writer.write(get(b"/wait"))
            await started.wait()
        release.set()
        await site.requests.counted(("/wait", 0))
        assert (await asked(site, "GET", "/fine"))[0] == 200
    assert [event for event in said if event["log_level"] == "error"] == []


async def test_closing_finishes_what_runs() -> None:
    """Closing lets a running request end, and afterwards nobody listens."""
    written = written_log(entries_of(300))
    async with log_site(written) as site:
        assert (await asked(site, "GET", "/tile/0/000"))[0] == 200
    with pytest.raises((OSError, ServerDisconnectedError)):
        await asked(site, "GET", "/tile/0/000")
