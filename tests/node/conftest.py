"""A ledger with one enclave's open session, closed again so that each test opens it itself."""

from pathlib import Path

import pytest

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
