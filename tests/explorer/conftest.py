"""A real node with one secret's life, a browser, and a way between them that can forge answers."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from tests.support.audited_ledger import AUDITOR, OWNED, Lived, audited_network, live
from tests.support.browser import Browser, browser_program, browsing, driver
from tests.support.real_node import NodeProcess, client_of
from tests.support.repository import ROOT
from tests.support.wallet import sign_typed_data

SCREENSHOTS = ROOT / "build" / "screenshots"

Forge = Callable[[str, bytes], bytes]


@dataclass(frozen=True, slots=True)
class Explored:
    """A node in a process of its own, and what happened on its ledger."""

    process: NodeProcess
    lived: Lived
    http_port: int

    @property
    def url(self) -> str:
        """Where it serves HTTP."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def network_id(self) -> str:
        """The network's id, hex."""
        return self.process.network.file.network_id.hex()

    async def put(self, count: int = 1) -> None:
        """Have an app store so many more values, one after the other: the log grows."""
        app = self.process.network.app("app")
        async with client_of(self.process.file, app, OWNED) as client:
            for _ in range(count):
                await client.put("grown", b"more")


@dataclass(slots=True)
class Between:
    """A server that passes everything on to a node, and changes answers as a test says."""

    node: str
    port: int = 0
    forge: Forge = field(default=lambda _path, body: body)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Pass a request on; sign what a wallet is asked to."""
        if request.path == "/test/wallet":
            return web.Response(text=sign_typed_data(AUDITOR, await request.json()))
        if request.path == "/v1/watch":
            return web.Response(status=503)  # it is asked for in another test
        async with ClientSession(auto_decompress=True) as client:
            kind = {"Content-Type": request.headers.get("Content-Type", "")}
            body = await request.read() or None
            async with client.request(
                request.method,
                self.node + request.path,
                data=body,
                headers=kind if body else {},
                allow_redirects=False,
            ) as answer:
                found = self.forge(request.path, await answer.read())
                kept = ("Content-Type", "Content-Security-Policy", "Location")
                headers = {name: answer.headers[name] for name in kept if name in answer.headers}
                return web.Response(status=answer.status, body=found, headers=headers)


@pytest.fixture(scope="module")
def explored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Explored]:
    """The node."""
    process = NodeProcess(audited_network(tmp_path_factory.mktemp("explored") / "network"))

    async def start() -> Lived:
        await process.start()
        return await live(process)

    try:
        lived = asyncio.run(start())
        yield Explored(process, lived, _http_port(process))
        assert process.is_running()
    finally:
        asyncio.run(process.stop())


def _http_port(process: NodeProcess) -> int:
    events = [json.loads(line) for line in process.lines()]
    return int(next(one["http_port"] for one in events if one["event"] == "node started"))


@pytest.fixture(scope="module")
def driver_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The browser's driver; the test is skipped where no browser is, but not in CI."""
    if browser_program() is None:
        reason = "no Chromium with chromedriver on this machine: apt-get install chromium-driver"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with driver(tmp_path_factory.mktemp("driver") / "log") as port:
        yield port


@pytest.fixture
async def browser(driver_port: int, tmp_path: Path) -> AsyncIterator[Browser]:
    """A fresh browser."""
    async with browsing(driver_port, tmp_path / "profile") as opened:
        yield opened


@asynccontextmanager
async def _listening(between: Between) -> AsyncIterator[Between]:
    runner = web.ServerRunner(web.Server(between.handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    between.port = int(runner.addresses[0][1])
    try:
        yield between
    finally:
        await runner.cleanup()


@pytest.fixture
async def between(explored: Explored) -> AsyncIterator[Between]:
    """The way between browser and node."""
    async with _listening(Between(explored.url)) as listening:
        yield listening


@pytest.fixture
def screenshots() -> Path:
    """Where pictures are kept."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return SCREENSHOTS


@pytest.fixture(scope="session")
def node_js() -> str:
    """The program that runs JavaScript without a browser; skipped where there is none."""
    found = shutil.which("node")
    if found is None:
        reason = "no node on this machine: apt-get install nodejs"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found
