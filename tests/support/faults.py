"""A store and a rollback lock that fail when told to, before or after they did their work.

After a failure nobody may write again: a write that follows is noted, and `verify` says so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ledger.errors import StoreError
from ledger.store import Store
from node.rollback_lock import Locked, RollbackLock

Call = Literal["get", "scan", "write", "advance"]
When = Literal["before", "after"]


@dataclass(slots=True)
class Fault:
    """Fails the call with this number, from 0, counted from when it was armed."""

    call: Call
    number: int
    when: When
    is_armed: bool = True
    happened: bool = False
    seen: int = field(default=0)

    def is_due(self, call: Call, when: When) -> bool:
        """Whether to fail now; counts the calls of its kind."""
        if not self.is_armed or self.happened or call != self.call or when != self.when:
            return False
        self.happened = self.seen == self.number
        self.seen += 1
        return self.happened


@dataclass(slots=True)
class FaultyStore:
    """A Store around another."""

    inner: Store
    fault: Fault | None = None
    written_after: int = 0
    writes: int = 0

    def get(self, key: bytes) -> bytes | None:
        """See Store."""
        self._fail("get", "before")
        value = self.inner.get(key)
        self._fail("get", "after")
        return value

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """See Store."""
        self._fail("scan", "before")
        return self.inner.scan(start, stop)

    def write(self, batch: Mapping[bytes, bytes | None], *, sync: bool) -> None:
        """See Store."""
        if self.fault is not None and self.fault.happened:
            self.written_after += 1
        self._fail("write", "before")
        self.inner.write(batch, sync=sync)
        self.writes += 1
        self._fail("write", "after")

    def close(self) -> None:
        """See Store."""
        self.inner.close()

    def verify(self) -> None:
        """Nothing was written after the failure."""
        assert not self.written_after, "a block was written after one that failed"

    def _fail(self, call: Call, when: When) -> None:
        if self.fault is not None and self.fault.is_due(call, when):
            raise StoreError(f"the test's disk failed {when} {call}")


class FaultyLock(RollbackLock):
    """A real lock file whose disk fails."""

    def __init__(self, path: Path, network_id: bytes, fault: Fault | None = None) -> None:
        super().__init__(path, network_id)
        self.fault = fault

    def advance(self, expected: Locked, new: Locked) -> None:
        self._fail("before")
        super().advance(expected, new)
        self._fail("after")

    def _fail(self, when: When) -> None:
        if self.fault is not None and self.fault.is_due("advance", when):
            raise OSError(5, f"the test's disk failed {when} advance")
