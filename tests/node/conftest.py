"""Ledgers and networks that are made once, copied for each test; and silence of the node's log."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from node.home import Home
from tests.support.command_line import Command, command_line
from tests.support.real_node import COLLECTION, Found, RealNetwork, found
from tests.support.small_ledger import SmallLedger


@pytest.fixture
def ledger(tmp_path: Path) -> SmallLedger:
    """A ledger in a directory of the test; the enclave's session stands on it."""
    made = SmallLedger(tmp_path / "node")
    opened = made.open()
    try:
        made.open_session(opened)
    finally:
        opened.close()
    return made


@pytest.fixture(scope="session")
def _founded_once(tmp_path_factory: pytest.TempPathFactory) -> RealNetwork:
    wanted = Found(apps=("app",), grants={COLLECTION: ("app",)})
    return found(tmp_path_factory.mktemp("founded") / "network", wanted)


@pytest.fixture
def founded(_founded_once: RealNetwork, tmp_path: Path) -> RealNetwork:
    """A founded network with one app, in a directory of the test; its node never ran."""
    root = tmp_path / "network"
    shutil.copytree(_founded_once.apps.parent, root, symlinks=True)
    home = Home(root / _founded_once.home.root.name)
    return replace(_founded_once, home=home, apps=root / _founded_once.apps.name)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the program with these arguments, in a thread of this process."""
    return command_line(monkeypatch, capsys)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """A node in this process logs nothing into what a test captures."""
    with structlog.testing.capture_logs():
        yield
