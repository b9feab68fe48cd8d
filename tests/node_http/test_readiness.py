"""Readiness: each condition alone makes a node unready, and says why."""

from dataclasses import replace
from typing import Any

import pytest

from node.http.readiness import WARNING_S, Freshness, judge
from node.vitals import Pulse

DAY_S = 86_400
LIMITS = Freshness(evidence_s=600, collateral_grace_s=50, roots=())
GOOD = Pulse(
    is_started=True,
    has_failed=False,
    queued_operations=8192,
    entries=3,
    checkpoint_age_s=599,
    evidence_age_s=599,
    collateral_key="sgx/00906ed50000/processor",
    collateral_age_s=40_000_000,
    collateral_left_s=-50,
    ending_key="snp/Milan",
    ending_left_s=-100,
)


def test_ready() -> None:
    """A node whose every condition holds, each just so, is ready; a full queue does not matter."""
    readiness = judge(GOOD, LIMITS)
    assert readiness.ready
    assert all(check.ok and check.reason for check in readiness.checks.values())


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "key_service": ({"is_started": False}, "releases nothing"),
    "engine": ({"has_failed": True}, "stopped"),
    "evidence": ({"evidence_age_s": 600}, "10 min old"),
    "checkpoint": ({"checkpoint_age_s": 600}, "10 min old"),
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


@pytest.mark.parametrize(
    "changed, words",
    [
        ({"collateral_left_s": -50}, "warning: sgx/00906ed50000/processor, "),
        ({"collateral_left_s": -50}, "good for 0 s more"),
        (
            {"collateral_left_s": 3 * DAY_S + 4 * 3600},
            "issued 462 d 23 h ago, good for 3 d 4 h more",
        ),
        (
            {"collateral_left_s": WARNING_S - 1},
            "renew it with: sealedger collateral update --key sgx/00906ed50000/processor --pccs",
        ),
        ({"collateral_left_s": WARNING_S}, "warning: snp/Milan has ended"),
        ({"collateral_left_s": WARNING_S, "ending_left_s": 7}, "warning: snp/Milan ends in 7 s"),
        (
            {"collateral_left_s": WARNING_S, "ending_left_s": 7},
            "sealedger collateral update --key snp/Milan --kds URL",
        ),
    ],
)
def test_the_end_of_collateral_is_told_a_week_before(changed: dict[str, Any], words: str) -> None:
    """The node stays ready, and the reason says what ends and how that is mended."""
    readiness = judge(replace(GOOD, **changed), LIMITS)
    assert readiness.ready
    assert words in readiness.checks["collateral"].reason


def test_no_warning_before() -> None:
    """While all collateral is good for a week or more, the reason is no warning."""
    calm = replace(GOOD, collateral_left_s=WARNING_S, ending_left_s=WARNING_S)
    assert "warning" not in judge(calm, LIMITS).checks["collateral"].reason


def test_what_ended_says_how_it_is_mended() -> None:
    """An unready node names the command; on a network of software, the one for that."""
    ended = replace(GOOD, collateral_left_s=-51)
    reason = judge(ended, LIMITS).checks["collateral"].reason
    assert reason.endswith("update --key sgx/00906ed50000/processor --pccs URL")
    reason = judge(ended, replace(LIMITS, roots=(b"of software",))).checks["collateral"].reason
    assert reason.endswith("sealedger collateral update --platform-directory")


@pytest.mark.parametrize(
    "seconds, words",
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (599, "9 min 59 s"),
        (3600, "1 h"),
        (3659, "1 h"),
        (3661, "1 h 1 min"),
        (DAY_S - 1, "23 h 59 min"),
        (DAY_S, "1 d"),
        (3 * DAY_S + 4 * 3600 + 5, "3 d 4 h"),
        (400 * DAY_S, "400 d"),
    ],
)
def test_ages_are_told_for_people(seconds: int, words: str) -> None:
    """The two largest units, rounded down."""
    checks = judge(replace(GOOD, evidence_age_s=seconds), LIMITS).checks
    assert checks["evidence"].reason == f"{words} old; clients accept 10 min"
