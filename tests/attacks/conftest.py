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


class _Complaints(logging.Handler):
    """Keeps what libraries complain of, in every phase of a test."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(f"{record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Attack or not: no library complains, no trace is printed, nothing hidden is logged."""
    complaints = _Complaints()
    logging.getLogger().addHandler(complaints)
    try:
        with structlog.testing.capture_logs() as events:
            yield
    finally:
        logging.getLogger().removeHandler(complaints)
    assert not complaints.said
    for event in events:
        assert event["log_level"] not in ("error", "critical"), event
        text = repr(event).encode()
        assert not any(hidden in text for hidden in HIDDEN)
