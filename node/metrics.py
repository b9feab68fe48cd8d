"""What the node counts, for Prometheus; docs/metrics.md lists it and a test compares.

Rules: no names, no ids, no labels with open ends: kinds, reason codes, routes and statuses only.
Counting is done per transaction or block, never per operation. Each node has a registry of its own.
Not here: where things are counted (metered.py), where the numbers are served (node.http).
"""

import re
from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ledger.format.operation import OpenSession
from ledger.reason import Reason
from node.results import Again, Finalized, Recorded
from node.vitals import Pulse, Vitals
from sealedger.version import VERSION

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

_BLOCK_S = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)
_REQUEST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_MEMORY = (("RssAnon", "anonymous"), ("RssFile", "mapped"))
_SELF_STATUS = Path("/proc/self/status")

# Why OpenSession is refused before it becomes an entry.
_NO_SESSION = frozenset(
    {
        Reason.EVIDENCE_REFUSED,
        Reason.EVIDENCE_UNDECIDED,
        Reason.EVIDENCE_REUSED,
        Reason.SESSION_KEY_REUSED,
        Reason.STALE_CHECKPOINT,
        Reason.WRONG_TRUST_DOCUMENT,
        Reason.WRONG_SERVICE_KEY,
        Reason.WRONG_REPORT_DATA,
        Reason.NOT_ADMITTED,
        Reason.TOO_MANY_SESSIONS,
    }
)


class NodeMetrics:
    """The counters of one node. Safe to use from any thread."""

    def __init__(self) -> None:
        """All at zero."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._blocks = self._counter("blocks", "Blocks written, each in one synced batch.")
        self._entries = self._counter("entries", "Entries appended to the log.", "kind")
        self._transactions = self._counter(
            "transactions", "Transactions that were ordered.", "result"
        )
        self._operations = self._counter(
            "operations", "Operations that stand in entries.", "kind", "reason"
        )
        self._refusals = self._counter("refusals", "Transactions that left no entry.", "reason")
        self._opened = self._counter("sessions_opened", "Sessions opened.")
        self._unopened = self._counter(
            "sessions_refused", "Sessions refused for evidence, keys, freshness or admission."
        )
        self._requests = self._counter("http_requests", "HTTP requests.", "route", "status")
        self.block_finalize = self._histogram("block_finalize", "Executing a block.", _BLOCK_S)
        self.block_commit = self._histogram(
            "block_commit", "Writing a block, synced, and moving the rollback lock.", _BLOCK_S
        )
        self.certify = self._histogram(
            "certify", "The key service certifying a checkpoint.", _BLOCK_S
        )
        self._request_seconds = self._histogram(
            "http_request", "Answering an HTTP request, sending included.", _REQUEST_S, "route"
        )

    def watch(self, vitals: Vitals) -> None:
        """Show these vitals as gauges from now on; once per node."""
        self.registry.register(_Gauges(vitals))

    def count_block(self, finalized: Finalized) -> None:
        """Count a published block: its entries, and each operation by kind and reason."""
        judged: Tally[tuple[type[object], Reason]] = Tally()
        recorded = again = 0
        for result in finalized.results:
            if isinstance(result, Recorded):
                recorded += 1
                kinds = map(type, result.submission.prepared.operations)
                reasons = [outcome.reason for outcome in result.executed.outcomes]
                judged.update(zip(kinds, reasons, strict=True))
            elif isinstance(result, Again):
                again += 1
        if finalized.batch is not None:
            self._blocks.inc()
            self._entries.labels("header").inc()
            self._entries.labels("transaction").inc(recorded)
        refused = len(finalized.results) - recorded - again
        pairs = (("recorded", recorded), ("repeated", again), ("refused", refused))
        for label, count in pairs:
            if count:
                self._transactions.labels(label).inc(count)
        for (kind, reason), count in judged.items():
            self._operations.labels(_kind(kind.__name__), reason.name).inc(count)
        self._opened.inc(judged[OpenSession, Reason.OK])

    def count_refusal(self, reason: Reason) -> None:
        """Count a transaction that left no entry."""
        self._refusals.labels(reason.name).inc()
        if reason in _NO_SESSION:
            self._unopened.inc()

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count an HTTP request; `route` is a path's template or a fixed word."""
        self._requests.labels(route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def render(self) -> bytes:
        """All of it in Prometheus' text format (`CONTENT_TYPE`)."""
        return generate_latest(self.registry)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"sealedger_{name}", about, labels, registry=self.registry)

    def _histogram(
        self, name: str, about: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(
            f"sealedger_{name}_seconds", about, labels, buckets=buckets, registry=self.registry
        )


class _Gauges(Collector):
    """What is read at the moment of the scrape."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def collect(self) -> Iterable[Metric]:
        yield _gauge("build_info", "Always 1; the program's version.", {VERSION: 1}, "version")
        for name, about, value in _readings(self._vitals.pulse()):
            yield _gauge(name, about, {"": value})
        yield _gauge("memory_bytes", "Resident memory by kind.", dict(_memory()), "kind")

    def describe(self) -> Iterable[Metric]:
        """Nothing: names are unique, and nothing can be read before the node has started."""
        return ()


def _readings(pulse: Pulse) -> Iterator[tuple[str, str, float]]:
    yield "log_entries", "Entries under the certified checkpoint.", pulse.entries
    yield "queue_operations", "Operations that wait to be ordered.", pulse.queued_operations
    yield "key_service_started", "1 if the key service releases.", pulse.is_started
    yield "engine_alive", "1 unless the ordering engine stopped.", not pulse.has_failed
    yield "checkpoint_age_seconds", "Age of the certified checkpoint.", pulse.checkpoint_age_s
    yield "evidence_age_seconds", "Age of the key service's evidence.", pulse.evidence_age_s
    yield (
        "collateral_age_seconds",
        "Age of the collateral that this node's evidence is judged by.",
        pulse.collateral_age_s,
    )
    yield "collateral_left_seconds", "Until that collateral ends.", pulse.collateral_left_s
    yield (
        "collateral_first_left_seconds",
        "Until the first of all collateral in force ends.",
        pulse.ending_left_s,
    )


def _gauge(name: str, about: str, values: dict[str, float], *labels: str) -> Metric:
    family = GaugeMetricFamily(f"sealedger_{name}", about, labels=labels)
    for label, value in values.items():
        family.add_metric([label] if labels else [], value)
    return family


def _memory() -> Iterator[tuple[str, float]]:
    """Resident bytes of this process; nothing where the system does not tell."""
    try:
        text = _SELF_STATUS.read_text("ascii")
    except OSError:
        return
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    for field, kind in _MEMORY:
        if field in fields:
            yield kind, int(fields[field].split()[0]) * 1024


@cache
def _kind(name: str) -> str:
    """The label for an operation's class: OpenSession is open_session, none at all malformed."""
    if name == "NoneType":
        return "malformed"
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
