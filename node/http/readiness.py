"""Whether clients should be sent to this node, and if not, why: a judgement of its pulse.

1. The key service has started: it releases.
2. The ordering engine lives.
3. Evidence and checkpoint are younger than what clients accept (`checkpoint_age_ms` of genesis).
4. The collateral that clients judge this node by has not ended, the trust document's grace
   included. A week before any collateral ends the reason says so, and which command mends it.
Reasons are for people, lengths of time in them too; programs take the seconds from /metrics.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from attestation.renewal import update_command
from node.http.views import CheckView, ReadinessView
from node.vitals import Pulse

WARNING_S = 7 * 24 * 3600
_UNITS = (("d", 24 * 3600), ("h", 3600), ("min", 60), ("s", 1))


@dataclass(frozen=True, slots=True)
class Freshness:
    """What is still good, in seconds."""

    evidence_s: int
    collateral_grace_s: int
    roots: tuple[bytes, ...]  # DER, of the network: who may sign newer collateral


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
    left_s = pulse.collateral_left_s + freshness.collateral_grace_s
    reason = _collateral(pulse, left_s, freshness.roots)
    yield "collateral", CheckView(ok=left_s >= 0, reason=reason)


def _collateral(pulse: Pulse, left_s: int, roots: tuple[bytes, ...]) -> str:
    own = f"{pulse.collateral_key}, issued {_length(pulse.collateral_age_s)} ago"
    mend = update_command(pulse.collateral_key, roots)
    if left_s < 0:
        ended = f"ended {_length(-left_s)} ago"
        return f"{own}, {ended}: no client attests this node; mend it with: {mend}"
    if pulse.collateral_left_s < WARNING_S:
        return f"warning: {own}, good for {_length(left_s)} more; renew it with: {mend}"
    if pulse.ending_left_s < WARNING_S:
        left = _length(pulse.ending_left_s)
        state = "has ended" if pulse.ending_left_s < 0 else f"ends in {left}"
        mend = update_command(pulse.ending_key, roots)
        return f"warning: {pulse.ending_key} {state}; renew it with: {mend}"
    return f"{own}, good for {_length(left_s)}"


def _young(age_s: int, limit_s: int) -> CheckView:
    reason = f"{_length(age_s)} old; clients accept {_length(limit_s)}"
    return CheckView(ok=age_s < limit_s, reason=reason)


def _length(seconds: int) -> str:
    """A length of time for people: its two largest units, such as ``3 d 4 h``, rounded down."""
    for (unit, size), (below, smaller) in pairwise(_UNITS):
        count, rest = divmod(seconds, size)
        if count > 0:
            part = rest // smaller
            return f"{count} {unit} {part} {below}" if part else f"{count} {unit}"
    return f"{max(0, seconds)} s"  # a clock that was set back makes no age below none
