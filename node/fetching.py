"""Documents of a service over HTTPS, bounded in bytes and time. The adapter of an HTTP client.

Rules: HTTPS, or plain HTTP to this machine alone; redirects, compression and anything but 200 are
refused; a whole answer in `TIMEOUT_S`. The TLS certificate is checked against the system's
authorities, or those of a file: a cache of one's own often signs for itself. Nothing that comes is
believed: what is fetched here carries its vendor's signatures.
"""

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp

from node.errors import ConfigError, FetchError
from sealedger.version import VERSION

TIMEOUT_S = 30.0
MAX_FIELD_BYTES = 32 * 1024
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": f"sealedger/{VERSION}"}


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer; header names are lower-case."""

    body: bytes
    headers: dict[str, str]


class Fetcher:
    """Entered with ``async with``; keeps its connections alive until it is left."""

    def __init__(self, authorities: Path | None = None, timeout_s: float = TIMEOUT_S) -> None:
        """`authorities` is a PEM file of the certificates that may sign for the service."""
        self._authorities = authorities
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open; no connection is made yet. ConfigError if the authorities cannot be used."""
        try:
            context = ssl.create_default_context(
                cafile=None if self._authorities is None else str(self._authorities)
            )
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"cannot use {self._authorities}: {error}", "a file of certificates in PEM"
            ) from error
        self._session = aiohttp.ClientSession(
            headers=_HEADERS,
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            connector=aiohttp.TCPConnector(ssl=context),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=MAX_FIELD_BYTES,
            max_field_size=MAX_FIELD_BYTES,
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

    async def get(self, url: str, most_bytes: int) -> Fetched | None:
        """The answer to a GET of `url`; None if there is no such document (404, 410).

        Raises FetchError.
        """
        if self._session is None:
            raise FetchError("the fetcher is not open")
        _verify_address(url)
        try:
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status in (404, 410):
                    return None
                if response.status != 200:
                    raise FetchError(f"{url}: answered {response.status}", _hint(response.status))
                if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                    raise FetchError(f"{url}: a compressed answer, which was not asked for")
                body = await _body(response, most_bytes + 1)
                headers = {name.lower(): value for name, value in response.headers.items()}
        except TimeoutError as error:
            raise FetchError(
                f"{url}: no whole answer in {self._timeout_s:.0f} s", "try again later"
            ) from error
        except (aiohttp.ClientError, ValueError) as error:
            raise FetchError(
                f"{url}: no answer: {str(error) or type(error).__name__}", _hint_of(error)
            ) from error
        if len(body) > most_bytes:
            raise FetchError(f"{url}: an answer of over {most_bytes} bytes")
        return Fetched(body, headers)


def _verify_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as error:
        raise FetchError(f"{url}: not a URL", "https://HOST/...") from error
    if parts.scheme == "http" and _is_loopback(host):
        return
    if parts.scheme != "https" or not host or parts.username or parts.password:
        raise FetchError(f"{url}: not a URL that can be used", "https://HOST/..., without a user")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _hint_of(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientSSLError):
        return "check the URL; for a service that signs for itself give its certificate: --ca"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "check the address and the port, and whether the service runs"
    return "check the URL: is this the right service?"


def _hint(status: int) -> str:
    if 300 <= status < 400:
        return "it sends elsewhere: give the URL that it means, if you trust that"
    return "try again later" if status == 429 or status >= 500 else "is this the right service?"


async def _body(response: aiohttp.ClientResponse, most: int) -> bytes:
    """At most so many bytes of the body."""
    parts = []
    left = most
    while left and (part := await response.content.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
