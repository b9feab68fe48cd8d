"""Readiness: each condition alone makes a node unready, and says why."""

from dataclasses import replace
from typing import Any

import pytest

from node.http.readiness import Freshness, judge
from node.vitals import Pulse

LIMITS = Freshness(evidence_s=600, collateral_grace_s=50)
GOOD = Pulse(
    is_started=True,
    has_failed=False,
    queued_operations=8192,
    entries=3,
    checkpoint_age_s=599,
    evidence_age_s=599,
    collateral_age_s=40_000_000,
    collateral_left_s=-50,
)


def test_ready() -> None:
    """A node whose every condition holds, each just so, is ready; a full queue does not matter."""
    readiness = judge(GOOD, LIMITS)
    assert readiness.ready
    assert all(check.ok and check.reason for check in readiness.checks.values())


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "key_service": ({"is_started": False}, "releases nothing"),
    "engine": ({"has_failed": True}, "stopped"),
    "evidence": ({"evidence_age_s": 600}, "600 s old"),
    "checkpoint": ({"checkpoint_age_s": 600}, "600 s old"),
    "collateral": ({"collateral_left_s": -51}, "ended 1 s ago"),
}


@pytest.mark.parametrize("check", BAD)
def test_unready(check: str) -> None:
    """One condition that fails makes the node unready, and only that one says so."""
    changed, words = BAD[check]
    readiness = judge(replace(GOOD, **changed), LIMITS)
    assert not readiness.ready
    assert [name for name, one in readiness.checks.items() if not one.ok] == [check]
    assert words in readiness.checks[check].reason


def test_every_check_has_its_case() -> None:
    """No condition is judged without a test above."""
    assert set(judge(GOOD, LIMITS).checks) == set(BAD)
