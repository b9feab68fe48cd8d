"""``/v1/watch``: server-sent events that say where the certified log stands as it grows.

1. An event's data is the body of ``/v1/status``, its id the number of entries; a client that comes
   again says by ``Last-Event-ID`` what it has seen. Nothing else than that is public is told.
2. Events are at least 0.25 s apart, however fast the log grows. A comment every 15 s tells both
   sides that the other is there; after 10 minutes the answer ends and the client comes again.
3. At most 64 watch; when the node stops, all answers end.
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from node.http.errors import HttpError
from node.http.fact_routes import status_view
from node.http.live import LiveResponse
from node.http.published import PublishedLog
from node.http.reader import Reader
from node.http.router import Route
from node.vitals import CertifiedLog

_SEEN = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_STILL_HERE = b": still here\n\n"


class GrowingLog(CertifiedLog, Protocol):
    """A certified log whose growth can be waited for; see node.certifier."""

    async def beyond(self, size: int) -> None:
        """Wait until a larger tree than `size` is certified. One event loop."""
        ...


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """How many at once, and times in seconds (2 and 3 above)."""

    watchers: int = 64
    pause_s: float = 0.25
    still_here_s: float = 15.0
    life_s: float = 600.0


class WatchRoutes:
    """Tells whoever watches of the log's growth. One event loop."""

    def __init__(
        self, growing: GrowingLog, log: PublishedLog, reader: Reader, limits: WatchLimits
    ) -> None:
        """Keep the parts; nobody watches yet."""
        self._growing = growing
        self._log = log
        self._reader = reader
        self._limits = limits
        self._watchers = 0
        self._closing = asyncio.Event()

    def routes(self) -> tuple[Route, ...]:
        """The one route."""
        path = re.compile(r"/v1/watch")
        return (Route("/v1/watch", path, self._watch, methods=("GET",), is_live=True),)

    def close(self) -> None:
        """End all answers."""
        self._closing.set()

    async def _watch(self, request: web.BaseRequest, _found: re.Match[str]) -> LiveResponse:
        if self._watchers >= self._limits.watchers or self._closing.is_set():
            hint = "ask again in a moment, or ask /v1/status now and then"
            raise HttpError(503, "nobody else can watch now", hint, {"Retry-After": "5"})
        seen = request.headers.get("Last-Event-ID", "")
        self._watchers += 1
        events = self._events(int(seen) if _SEEN.fullmatch(seen) else 0)
        return LiveResponse(events, self._ended)

    def _ended(self) -> None:
        self._watchers -= 1

    async def _events(self, seen: int) -> AsyncGenerator[bytes, None]:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._limits.life_s
        # What was seen of a longer log is not of this one: begin again.
        seen = seen if seen <= self._growing.latest.size else 0
        while not self._closing.is_set() and loop.time() < end:
            if not await self._grown(seen):
                yield _STILL_HERE
                continue
            standing = await self._reader.run(self._log.standing)
            seen = standing.size
            data = status_view(standing).model_dump_json()
            yield f"id: {seen}\ndata: {data}\n\n".encode()
            await asyncio.sleep(self._limits.pause_s)

    async def _grown(self, seen: int) -> bool:
        """Wait for growth, a while at most; whether there was any."""
        growth = asyncio.create_task(self._growing.beyond(seen))
        closing = asyncio.create_task(self._closing.wait())
        wanted = {growth, closing}
        try:
            await asyncio.wait(
                wanted, timeout=self._limits.still_here_s, return_when=asyncio.FIRST_COMPLETED
            )
            return growth.done()
        finally:
            for task in wanted:
                task.cancel()
