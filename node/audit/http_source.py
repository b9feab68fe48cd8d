"""A log over HTTP (c2sp.org/tlog-tiles). The only adapter of an HTTP client.

Rules: what comes is bounded in bytes and time, also when it is compressed; redirects are refused;
an answer that is neither the thing nor its absence is tried again a few times. Compression is not
asked for: entries are mostly digests and signatures. Nothing that comes is believed.
"""

import asyncio
import zlib
from types import TracebackType
from typing import Self

import aiohttp

from node.audit.errors import SourceError
from sealedger.version import VERSION

CONNECTIONS = 8
TRIES = 4
FIRST_WAIT_S = 0.2
TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5, sock_read=15)
_GZIP = 31  # zlib's window bits of the gzip format
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": f"sealedger-audit/{VERSION}"}


class HttpSource:
    """Entered with ``async with``; keeps its connections alive until it is left."""

    def __init__(self, prefix: str, timeout: aiohttp.ClientTimeout = TIMEOUT) -> None:
        """`prefix` is the log's URL, with or without the last slash."""
        self._prefix = prefix.rstrip("/")
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open; no connection is made yet."""
        self._session = aiohttp.ClientSession(
            headers=_HEADERS,
            timeout=self._timeout,
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def read(self, path: str, limit: int) -> bytes | None:
        """See node.audit.source.LogSource."""
        url = f"{self._prefix}/{path}"
        wait_s = FIRST_WAIT_S
        for left in reversed(range(TRIES)):
            try:
                return await self._get(url, limit)
            except _PassingError as error:
                if not left:
                    raise SourceError(f"{url}: {error}", "try again later") from error
            await asyncio.sleep(wait_s)
            wait_s *= 2
        raise SourceError(f"{url}: not tried")

    async def _get(self, url: str, limit: int) -> bytes | None:
        if self._session is None:
            raise SourceError("the source is not open")
        try:
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status in (404, 410):
                    return None
                if response.status != 200:
                    _refuse(response.status, url)
                if _is_gzip(response):
                    # What does not compress grows by 5 bytes in 16 KiB, and gzip's own 18.
                    data = await _body(response, limit + limit // 128 + 128)
                    return _inflated(data, limit, url)
                return await _body(response, limit + 1)
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise _PassingError(f"no answer: {str(error) or type(error).__name__}") from error
        except TimeoutError as error:
            raise _PassingError("no whole answer in time") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise SourceError(f"{url}: {error}", "is this the URL of a log?") from error


class _PassingError(Exception):
    """Worth another try."""


def _refuse(status: int, url: str) -> None:
    if status == 429 or status >= 500:
        raise _PassingError(f"answered {status}")
    raise SourceError(f"{url}: answered {status}", "is this the URL of a log?")


async def _body(response: aiohttp.ClientResponse, most: int) -> bytes:
    """At most so many bytes of the body."""
    parts = []
    left = most
    while left and (part := await response.content.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _is_gzip(response: aiohttp.ClientResponse) -> bool:
    return response.headers.get("Content-Encoding", "").lower() in ("gzip", "x-gzip")


def _inflated(data: bytes, limit: int, url: str) -> bytes:
    """A server may compress unasked (C2SP tlog-tiles, Log entries)."""
    try:
        return zlib.decompressobj(_GZIP).decompress(data, limit + 1)
    except zlib.error as error:
        raise SourceError(f"{url}: not valid gzip") from error
