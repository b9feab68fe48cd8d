"""A network and its node for each attack; and whatever happens, a log that shows nothing."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from tests.support.planted import HIDDEN
from tests.support.real_node import RealNetwork, Serving, found, serving


@pytest.fixture
def network(tmp_path: Path) -> RealNetwork:
    """A founded network."""
    return found(tmp_path / "network")


@pytest.fixture
async def node(network: RealNetwork) -> AsyncIterator[Serving]:
    """Its node, in this process."""
    async with serving(network) as running:
        yield running


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Attack or not: no library complains, no trace is printed, nothing hidden is logged."""
    with structlog.testing.capture_logs() as events:
        yield
    complaints = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert not complaints, [one.getMessage() for one in complaints]
    for event in events:
        assert event["log_level"] not in ("error", "critical"), event
        text = repr(event).encode()
        assert not any(hidden in text for hidden in HIDDEN)
