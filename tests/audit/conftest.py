"""A log of 600 entries, and audits of what was written of it."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from node.audit.source import DirectorySource
from node.audit.verify import Audited, Options, audit_log
from tests.support.audited_log import AuditedLog, pins

Verify = Callable[..., Audited]
SIZE = 600


@pytest.fixture(scope="session")
def honest() -> AuditedLog:
    """600 entries of two sessions; no test changes it."""
    log = AuditedLog()
    log.fill(log.session(), 300)
    log.fill(log.session(), SIZE)
    return log


@pytest.fixture(scope="session")
def _written(honest: AuditedLog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return honest.write(tmp_path_factory.mktemp("honest"))


@pytest.fixture
def copy(_written: Path, tmp_path: Path) -> Path:
    """The files of that log, for a test to change."""
    return Path(shutil.copytree(_written, tmp_path / "log"))


@pytest.fixture
def verify() -> Verify:
    """Audits a directory by the pins."""

    def run(folder: Path, state: Path | None = None, older: bytes | None = None) -> Audited:
        return asyncio.run(
            audit_log(DirectorySource(folder), pins(), Options(state, older), lambda *_: None)
        )

    return run
