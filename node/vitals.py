"""How the node is at this moment: what readiness judges and what the metrics show as gauges.

Everything is read when asked; only the time of the newest evidence is kept. Ages are in seconds by
this machine's clock and never negative. Not here: what is still good (node.http.readiness).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from attestation.verify import read_facts
from ledger.log.quorum import QuorumRule, verify_certified
from node.certifier import Certified


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
    collateral: tuple[bytes, ...]
    clock_s: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Pulse:
    """One look. Times in whole seconds; what is left of the collateral is negative after its end.

    `collateral_age_s` is that of the oldest edition, `collateral_left_s` of the first to end.
    """

    is_started: bool
    has_failed: bool
    queued_operations: int
    entries: int
    checkpoint_age_s: int
    evidence_age_s: int
    collateral_age_s: int
    collateral_left_s: int


class Vitals:
    """Looks at the parts; may be asked in any thread."""

    def __init__(self, parts: VitalParts) -> None:
        """Read the collateral's dates; its evidence counts as made now."""
        facts = [read_facts(data) for data in parts.collateral]
        self._parts = parts
        self._collateral_from_s = min((one.valid_from_s for one in facts), default=0)
        self._collateral_until_s = min((one.valid_until_s for one in facts), default=0)
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
        return Pulse(
            is_started=parts.key_service.is_started,
            has_failed=parts.engine.has_failed,
            queued_operations=parts.engine.queued_operations,
            entries=certified.size,
            checkpoint_age_s=max(0, now_s - certified_s),
            evidence_age_s=max(0, now_s - self._evidence_s),
            collateral_age_s=max(0, now_s - self._collateral_from_s),
            collateral_left_s=self._collateral_until_s - now_s,
        )
