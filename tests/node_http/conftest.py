"""One real node with some hundred entries for the tests of a module; silence in this process."""

import asyncio
import json
from collections.abc import Iterator

import pytest
import structlog
from structlog.typing import EventDict

from tests.support.grown_node import Grown
from tests.support.planted import HIDDEN
from tests.support.real_node import (
    COLLECTION,
    Found,
    NodeProcess,
    found,
    verify_log,
)

PUTS = 140


@pytest.fixture(autouse=True)
def said() -> Iterator[list[EventDict]]:
    """What the HTTP side logs in this process."""
    with structlog.testing.capture_logs() as events:
        yield events


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grown]:
    """The node; whatever is asked of it, its log shows nothing and it ends as it should."""
    wanted = Found(apps=("app",), grants={COLLECTION: ("app",)})
    process = NodeProcess(found(tmp_path_factory.mktemp("http") / "network", wanted))
    node = Grown(process)

    async def start() -> None:
        await process.start()
        await node.put(PUTS)

    asyncio.run(start())
    try:
        yield node
        assert process.is_running()
        assert asyncio.run(process.stop()) == 0
    finally:
        asyncio.run(process.stop())
    verify_log(process.lines(), HIDDEN)
    assert not [line for line in process.lines() if json.loads(line)["level"] == "error"]
