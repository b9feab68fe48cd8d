"""HTTP by hand: bytes on a connection, for what no client library would send."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

LIMIT_S = 20.0


@contextlib.asynccontextmanager
async def connected(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a port of this machine; cut off at the end, whatever happened."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(LIMIT_S):
            yield reader, writer
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def told(port: int, request: bytes) -> bytes:
    """All that a server says to these bytes before it closes; it has 20 s."""
    async with connected(port) as (reader, writer):
        writer.write(request)
        said = bytearray()
        with contextlib.suppress(ConnectionError):
            while part := await reader.read(65_536):
                said += part
        return bytes(said)


def get(path: bytes, *fields: bytes, method: bytes = b"GET") -> bytes:
    """A request that ends its connection."""
    lines = (method + b" " + path + b" HTTP/1.1", b"Host: x", b"Connection: close", *fields)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def status_of(said: bytes) -> int:
    """The status of an answer, which must begin with one; AssertionError otherwise."""
    version, _, rest = said.partition(b" ")
    if version not in (b"HTTP/1.1", b"HTTP/1.0") or not rest[:3].isdigit():
        raise AssertionError(f"no answer: {said[:100]!r}")
    return int(rest[:3])
