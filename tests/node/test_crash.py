"""kill -9 under load: nothing acknowledged is lost, nothing runs twice, the ledger is whole."""

from pathlib import Path

import pytest

from tests.node.crash_loop import crash_loop

SECONDS = 12.0


@pytest.mark.slow
async def test_kill_under_load(tmp_path: Path) -> None:
    """A node killed at random moments keeps all it acknowledged, once, and fsck finds it clean."""
    result = await crash_loop(tmp_path / "run", SECONDS, seed=20)
    assert result.kills >= 2
    assert result.acknowledged > 100
    assert result.reads > 100
