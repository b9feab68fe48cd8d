"""The explorer's files, as they are served."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from node.http.explorer_routes import FOLDER, ExplorerRoutes
from tests.support.published_log import SmallSite, small_site

SERVED = sorted(path for path in FOLDER.iterdir() if path.suffix != ".json")


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    """The files, over HTTP."""
    async with small_site(ExplorerRoutes().routes()) as listening:
        yield listening


async def test_every_file_is_served(site: SmallSite) -> None:
    """Each file comes as it is, with its type and a policy that lets nothing else in."""
    types = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
    async with ClientSession() as client:
        for path in SERVED:
            async with client.get(f"{site.url}/explorer/{path.name}") as answer:
                assert await answer.read() == await asyncio.to_thread(path.read_bytes)
                assert answer.content_type == types.get(path.suffix, "image/svg+xml")
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert "http" not in policy
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Referrer-Policy"] == "no-referrer"
                assert "Set-Cookie" not in answer.headers


async def test_the_page_is_found(site: SmallSite) -> None:
    """The address alone leads to the page."""
    async with ClientSession() as client:
        for path in ("/", "/explorer", "/explorer/"):
            async with client.get(site.url + path) as answer:
                assert answer.url.path == "/explorer/"
                assert "<title>Sealedger explorer</title>" in await answer.text()


async def test_an_unchanged_file_is_not_sent_again(site: SmallSite) -> None:
    """A visitor's copy is compared by its hash at each visit."""
    async with ClientSession() as client:
        async with client.get(f"{site.url}/explorer/app.js") as first:
            tag = first.headers["ETag"]
            assert first.headers["Cache-Control"] == "no-cache"
        for given, wanted in ((tag, 304), ('"other"', 200)):
            headers = {"If-None-Match": given}
            async with client.get(f"{site.url}/explorer/app.js", headers=headers) as again:
                assert again.status == wanted
                assert bool(await again.read()) == (wanted == 200)


@pytest.mark.parametrize(
    "path",
    ["package.json", "none.js", "../gate.py", "%2e%2e/gate.py", "app.js/", "APP.JS", "app.js%00"],
)
async def test_nothing_else_is_served(site: SmallSite, path: str) -> None:
    """Only the explorer's own files are there, each by one name."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(f"GET /explorer/{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert (await reader.readline()).split()[1] == b"404"
    writer.close()
