"""What the node refused, in its log: reason codes and counts, at most a line in ten seconds.

The first refusal after a quiet time is told at once, with the request's id; those that follow are
counted and told together. At level debug each is a line of its own. Not here: outcomes that stand
on the ledger, denials too (the metrics count them, receipts show them).
"""

import asyncio
import contextvars
from collections import Counter

import structlog

from ledger.reason import Reason

EVERY_S = 10.0

_log = structlog.get_logger()


class RefusalLog:
    """Counts refusals and tells of them. One event loop."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        """Tell at most once in `every_s` seconds."""
        self._every_s = every_s
        self._counts: Counter[tuple[str, Reason]] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def note(self, entrance: str, reason: Reason) -> None:
        """One refusal; `entrance` is the kind of call."""
        _log.debug("refusal", entrance=entrance, reason=reason.name)
        self._counts[entrance, reason] += 1
        if self._timer is None:
            self._tell()
            self._wait()

    def close(self) -> None:
        """Tell what is left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._tell()

    def _wait(self) -> None:
        # An empty context: what is told later belongs to no single request.
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._every_s, self._due, context=contextvars.Context())

    def _due(self) -> None:
        self._timer = None
        if self._counts:
            self._tell()
            self._wait()

    def _tell(self) -> None:
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        by_entrance: dict[str, dict[str, int]] = {}
        for (entrance, reason), count in sorted(counts.items(), key=lambda one: -one[1]):
            by_entrance.setdefault(entrance, {})[reason.name] = count
        _log.info("refused", count=counts.total(), reasons=by_entrance)
