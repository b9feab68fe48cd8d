"""Whether clients should be sent to this node, and if not, why: a judgement of its pulse.

1. The key service has started: it releases.
2. The ordering engine lives.
3. Evidence and checkpoint are younger than what clients accept (`checkpoint_age_ms` of genesis).
4. The collateral that sessions are judged by has not ended, the trust document's grace included.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from node.http.views import CheckView, ReadinessView
from node.vitals import Pulse


@dataclass(frozen=True, slots=True)
class Freshness:
    """What is still good, in seconds."""

    evidence_s: int
    collateral_grace_s: int


def judge(pulse: Pulse, freshness: Freshness) -> ReadinessView:
    """Every condition with its reason (1 to 4 above)."""
    checks = dict(_checks(pulse, freshness))
    return ReadinessView(ready=all(check.ok for check in checks.values()), checks=checks)


def _checks(pulse: Pulse, freshness: Freshness) -> Iterator[tuple[str, CheckView]]:
    started = "started" if pulse.is_started else "starting: it releases nothing yet"
    yield "key_service", CheckView(ok=pulse.is_started, reason=started)
    engine = "stopped: see the log, restart the node" if pulse.has_failed else "running"
    yield "engine", CheckView(ok=not pulse.has_failed, reason=engine)
    yield "evidence", _young(pulse.evidence_age_s, freshness.evidence_s)
    yield "checkpoint", _young(pulse.checkpoint_age_s, freshness.evidence_s)
    left = pulse.collateral_left_s + freshness.collateral_grace_s
    collateral = f"issued {pulse.collateral_age_s} s ago, " + (
        f"good for {left} s" if left >= 0 else f"ended {-left} s ago: no session opens"
    )
    yield "collateral", CheckView(ok=left >= 0, reason=collateral)


def _young(age_s: int, limit_s: int) -> CheckView:
    return CheckView(ok=age_s < limit_s, reason=f"{age_s} s old; clients accept {limit_s} s")
