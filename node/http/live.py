"""Live answers: parts that are sent as they come, for as long as the client listens."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from aiohttp import web


class LiveResponse(web.StreamResponse):
    """Server-sent events (WHATWG HTML, section 9.2) from an iterator of their bytes."""

    def __init__(self, parts: AsyncGenerator[bytes, None], ended: Callable[[], None]) -> None:
        """Keep the parts; `ended` is called when it is over, however it ended."""
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        super().__init__(headers=headers)
        self._parts = parts
        self._ended = ended

    async def send(self, request: web.BaseRequest, part_s: float) -> None:
        """Send all parts.

        TimeoutError if the client does not take one within `part_s` seconds, ConnectionError if it
        left.
        """
        try:
            async with asyncio.timeout(part_s):
                await self.prepare(request)
            async with aclosing(self._parts) as parts:
                async for part in parts:
                    async with asyncio.timeout(part_s):
                        await self.write(part)
            async with asyncio.timeout(part_s):
                await self.write_eof()
        finally:
            self._ended()
