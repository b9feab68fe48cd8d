"""A Store in memory that checks how it is used, and a Store that fails on purpose.

MemoryStore keeps what is durable apart from what is only visible: `crash` gives the store that a
power cut would leave. FailingStore wraps any Store and fails at its n-th write, before or after the
write was done; a caller that writes again after a failure is at fault, and is told so.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Literal

from ledger.errors import StoreError
from ledger.store import Store


class MemoryStore:
    """A Store on a dictionary; one writer, bytes only, nothing after `close`."""

    def __init__(self, rows: Mapping[bytes, bytes] | None = None) -> None:
        self._visible: dict[bytes, bytes] = dict(rows or {})
        self._durable = dict(self._visible)
        self._is_closed = False
        self._writing = Lock()

    def get(self, key: bytes) -> bytes | None:
        """See Store.get."""
        self._check_open()
        _check_bytes(key)
        return self._visible.get(key)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """See Store.scan: the snapshot is taken here."""
        self._check_open()
        _check_bytes(start)
        _check_bytes(stop)
        keys = sorted(self._visible)
        rows = [(key, self._visible[key]) for key in keys[bisect_left(keys, start) :] if key < stop]
        return iter(rows)

    def write(self, batch: Mapping[bytes, bytes | None], *, sync: bool) -> None:
        """See Store.write; an AssertionError where two write at once."""
        self._check_open()
        if not self._writing.acquire(blocking=False):
            raise AssertionError("two writers at once")
        try:
            staged = dict(self._visible)
            for key, value in batch.items():
                _check_bytes(key)
                if value is None:
                    staged.pop(key, None)
                else:
                    _check_bytes(value)
                    staged[key] = value
            self._visible = staged
            if sync:
                self._durable = dict(staged)
        finally:
            self._writing.release()

    def close(self) -> None:
        """See Store.close."""
        self._is_closed = True

    def crash(self) -> "MemoryStore":
        """What a power cut leaves: the last synced batch and all before it."""
        self._is_closed = True
        return MemoryStore(self._durable)

    def _check_open(self) -> None:
        if self._is_closed:
            raise StoreError("the store is closed")


class FailingStore:
    """A Store whose write number `fail_at` (1 is the first) fails before or after it is done."""

    def __init__(self, inner: Store, *, fail_at: int, when: Literal["before", "after"]) -> None:
        self._inner = inner
        self._fail_at = fail_at
        self._when = when
        self.writes = 0
        self.has_failed = False

    def get(self, key: bytes) -> bytes | None:
        """See Store.get."""
        return self._inner.get(key)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """See Store.scan."""
        return self._inner.scan(start, stop)

    def write(self, batch: Mapping[bytes, bytes | None], *, sync: bool) -> None:
        """See Store.write; StoreError at the chosen one, AssertionError at any after it."""
        if self.has_failed:
            raise AssertionError("a write after a write that failed: the state was unknown")
        self.writes += 1
        self.has_failed = self.writes == self._fail_at
        if self.has_failed and self._when == "before":
            raise StoreError("the test's disk failed before the write")
        self._inner.write(batch, sync=sync)
        if self.has_failed:
            raise StoreError("the test's disk failed after the write")

    def close(self) -> None:
        """See Store.close."""
        self._inner.close()


def _check_bytes(value: object) -> None:
    if not isinstance(value, bytes):
        raise TypeError(f"a store holds bytes, not {type(value).__name__}")
