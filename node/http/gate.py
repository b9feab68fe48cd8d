"""What every request passes: an id, limits, the router, one way to fail, headers, log and counters.

1. The request gets an id, which its log lines and its answer carry.
2. No method but the route's, no body where the route takes none; public requests beyond the limit
   are told to come again.
3. Reading an answer and sending it are bounded in time (of a live answer, each part); a client that
   does not take it is cut off.
4. Faults are JSON with a hint. What goes wrong here is logged, and said without details.
5. Browsers of any origin may read what is public.
"""

import asyncio
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from aiohttp import web

from node.http.answers import fault_answer
from node.http.errors import HttpError
from node.http.live import LiveResponse
from node.http.router import Route, Router

SERVER_NAME: Final = "sealedger"  # no versions

_BROWSERS: Mapping[str, str] = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "X-Request-Id",
}
_PREFLIGHT_S = "86400"
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class GateLimits:
    """How much at once and for how long; times in seconds."""

    public_requests: int = 64  # each may hold a bundle of some MiB
    answer_s: float = 10.0
    send_s: float = 30.0


class RequestCounter(Protocol):
    """Who counts requests."""

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """One request was answered; status 0 if the client left before."""
        ...


class Gate:
    """The handler of all requests. One event loop."""

    def __init__(self, router: Router, counter: RequestCounter, limits: GateLimits) -> None:
        """Keep the parts."""
        self._router = router
        self._counter = counter
        self._limits = limits
        self._public = 0

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request (1 to 5 above)."""
        began = time.perf_counter()
        route, found = self._router.find(request.rel_url.raw_path)
        request_id = secrets.token_hex(8)
        status = 0
        is_counted = route.is_public and not route.is_live
        self._public += is_counted
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                response = await self._answer(request, route, found)
                _finish(response, route, request_id)
                await self._send(request, response)
                status = response.status
                return response
            finally:
                self._public -= is_counted
                seconds = time.perf_counter() - began
                self._counter.count_request(route.label, status, seconds)
                _log.debug(
                    "http request",
                    method=request.method,
                    route=route.label,
                    status=status,
                    ms=round(seconds * 1000, 3),
                )

    async def _answer(
        self, request: web.BaseRequest, route: Route, found: re.Match[str]
    ) -> web.StreamResponse:
        try:
            self._verify_room(route)
            if request.method == "OPTIONS":
                return _options(route)
            _verify_request(request, route)
            async with asyncio.timeout(self._limits.answer_s):
                return await route.handler(request, found)
        except HttpError as fault:
            return fault_answer(fault)
        except TimeoutError:
            _log.error("http answer took too long", route=route.label)
            return fault_answer(_busy())
        except Exception as error:  # noqa: BLE001  # a request's top: the client is told nothing
            _log.error("http request failed", route=route.label, error=repr(error))
            return fault_answer(
                HttpError(500, "the node failed to answer", "its log says why; try another node")
            )

    def _verify_room(self, route: Route) -> None:
        if route.is_public and self._public > self._limits.public_requests:
            raise _busy()

    async def _send(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Send all of it; ConnectionError if the client left or does not take it."""
        try:
            if isinstance(response, LiveResponse):
                await response.send(request, self._limits.send_s)
                return
            async with asyncio.timeout(self._limits.send_s):
                await response.prepare(request)
                await response.write_eof()
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionAbortedError("the client does not take its answer") from None


def _busy() -> HttpError:
    return HttpError(503, "the node is busy", "ask again in a moment", {"Retry-After": "1"})


def _verify_request(request: web.BaseRequest, route: Route) -> None:
    allowed = ", ".join((*route.methods, "OPTIONS"))
    if request.method not in route.methods:
        raise HttpError(405, "wrong method", f"use {allowed}", {"Allow": allowed})
    if request.body_exists and not route.max_body:
        raise HttpError(413, "this path takes no body", "send the request without one")


def _options(route: Route) -> web.Response:
    methods = ", ".join((*route.methods, "OPTIONS"))
    response = web.Response(status=204, headers={"Allow": methods})
    if route.is_public:
        response.headers["Access-Control-Allow-Methods"] = methods
        response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        response.headers["Access-Control-Max-Age"] = _PREFLIGHT_S
    return response


def _finish(response: web.StreamResponse, route: Route, request_id: str) -> None:
    headers = response.headers
    headers["Server"] = SERVER_NAME
    headers["X-Request-Id"] = request_id
    headers["X-Content-Type-Options"] = "nosniff"
    if route.is_public:
        headers.update(_BROWSERS)
