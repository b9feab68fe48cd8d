"""How the node is at this moment: what readiness judges and what the metrics show as gauges.

Everything is read when asked; only the time of the newest evidence is kept. Ages are in seconds by
this machine's clock and never negative. Not here: what is still good (node.http.readiness).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from contracts.view import ScanView
from ledger.log.quorum import QuorumRule, verify_certified
from node.certifier import Certified
from node.collateral import standing


class Queue(Protocol):
    """The ordering engine, as far as its health goes."""

    @property
    def queued_operations(self) -> int:
        """Operations that wait to be ordered."""
        ...

    @property
    def has_failed(self) -> bool:
        """Whether it stopped for good."""
        ...


class Start(Protocol):
    """The key service, as far as its health goes."""

    @property
    def is_started(self) -> bool:
        """Whether it releases."""
        ...


class CertifiedLog(Protocol):
    """Where the newest certified checkpoint is; see node.certifier."""

    @property
    def latest(self) -> Certified:
        """The newest one; safe to read in any thread."""
        ...


@dataclass(frozen=True, slots=True)
class VitalParts:
    """What is looked at."""

    engine: Queue
    key_service: Start
    certifier: CertifiedLog
    rule: QuorumRule
    collateral: ScanView  # durable state
    own_key: str  # of the collateral that this node's own evidence needs
    clock_s: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Pulse:
    """One look. Times in whole seconds; what is left of collateral is negative after its end.

    `collateral_…` is what this node's own evidence is judged by, `ending_…` what ends first of all
    that is in force.
    """

    is_started: bool
    has_failed: bool
    queued_operations: int
    entries: int
    checkpoint_age_s: int
    evidence_age_s: int
    collateral_key: str
    collateral_age_s: int
    collateral_left_s: int
    ending_key: str
    ending_left_s: int


class Vitals:
    """Looks at the parts; may be asked in any thread."""

    def __init__(self, parts: VitalParts) -> None:
        """Keep the parts; the node's evidence counts as made now."""
        self._parts = parts
        self._evidence_s = parts.clock_s()

    def evidence_renewed(self) -> None:
        """Say that the key service's evidence was made just now."""
        self._evidence_s = self._parts.clock_s()

    def pulse(self) -> Pulse:
        """One look; about 0.3 ms, because the checkpoint's time is verified."""
        parts = self._parts
        now_s = parts.clock_s()
        certified = parts.certifier.latest
        certified_s = verify_certified(certified.note, parts.rule).time_s
        held = {
            key: (one.valid_from_s, one.valid_until_s) for key, one in standing(parts.collateral)
        }
        own_from_s, own_until_s = held.get(parts.own_key, (now_s, 0))
        ends = ((until_s, key) for key, (_, until_s) in held.items())
        ending_s, ending_key = min(ends, default=(0, ""))
        return Pulse(
            is_started=parts.key_service.is_started,
            has_failed=parts.engine.has_failed,
            queued_operations=parts.engine.queued_operations,
            entries=certified.size,
            checkpoint_age_s=max(0, now_s - certified_s),
            evidence_age_s=max(0, now_s - self._evidence_s),
            collateral_key=parts.own_key,
            collateral_age_s=max(0, now_s - own_from_s),
            collateral_left_s=own_until_s - now_s,
            ending_key=ending_key,
            ending_left_s=ending_s - now_s,
        )
