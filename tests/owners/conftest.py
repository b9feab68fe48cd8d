"""A real network and its node for owners and their apps; the node's log is caught."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from tests.support.owners import copy_of
from tests.support.real_node import RealNetwork, Serving, found, serving


@pytest.fixture(scope="session")
def _founded_once(tmp_path_factory: pytest.TempPathFactory) -> RealNetwork:
    return found(tmp_path_factory.mktemp("founded") / "network")


@pytest.fixture
def network(_founded_once: RealNetwork, tmp_path: Path) -> RealNetwork:
    """A founded network, in a directory of the test."""
    return copy_of(_founded_once, tmp_path)


@pytest.fixture
async def node(network: RealNetwork) -> AsyncIterator[Serving]:
    """Its node, in this process."""
    async with serving(network) as running:
        yield running


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield
