"""One real node in a process of its own for all fuzzing of a module, used by others meanwhile.

The seeds are fixed, so a run can be repeated; ``pytest tests/fuzz --long`` tries fifty times more.
At the end of each module: the process lives, stops when told, and its log is clean.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator

import pytest

from enclave_client.client import SecretClient
from tests.support.planted import HIDDEN, NAME, VALUE
from tests.support.raw_client import RawClient
from tests.support.real_node import (
    COLLECTION,
    NodeProcess,
    client_of,
    found,
    verify_log,
)

SEED = 20_261_123
LONG = 50


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --long."""
    parser.addoption("--long", action="store_true", help="fuzz fifty times longer")


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How many mutations of each class."""
    return 24 * (LONG if request.config.getoption("--long", default=False) else 1)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """The same numbers in each run of a test."""
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """The node; whatever it is sent, it ends as it should and its log shows nothing."""
    process = NodeProcess(found(tmp_path_factory.mktemp("fuzz") / "network"))
    asyncio.run(process.start())
    try:
        yield process
        assert process.is_running()
        assert asyncio.run(process.stop()) == 0
    finally:
        asyncio.run(process.stop())
    verify_log(process.lines(), HIDDEN)


@pytest.fixture(autouse=True)
async def bystander(node: NodeProcess) -> AsyncIterator[None]:
    """An app that stores and reads all the while, and never sees an error."""
    done = asyncio.Event()
    async with client_of(node.file, node.network.app("app")) as client:
        working = asyncio.create_task(_work(client, done))
        try:
            yield
        finally:
            done.set()
            served = await working
    assert served > 0


async def _work(client: SecretClient, done: asyncio.Event) -> int:
    served = 0
    while not done.is_set() or not served:
        stored = await client.put(NAME, VALUE)
        got = await client.get(NAME, stored.version)
        assert got.value == VALUE
        served += 1
    return served


@pytest.fixture
async def client(node: NodeProcess) -> AsyncIterator[RawClient]:
    """An attested session that misbehaves."""
    async with await RawClient.open(node.file, node.network.app("app")) as opened:
        await opened.acquire(COLLECTION)
        yield opened
