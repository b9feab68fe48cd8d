"""The store port: an ordered key/value store with atomic, durable batches.

`write` is all or nothing and durable when it returns (``sync=True``); what was written is visible
to every later read. Reads may run in any thread, also while a write runs; there is one writer.
Values are bytes, keys sort bytewise. Every failure is a StoreError: the state on disk is then
unknown, so the caller stops; opening again recovers to the last durable batch.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol


class Store(Protocol):
    """What the ledger asks of a database."""

    def get(self, key: bytes) -> bytes | None:
        """The value, or None; StoreError if the read fails."""
        ...

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Rows with start <= key < stop in key order, from one snapshot taken by this call."""
        ...

    def write(self, batch: Mapping[bytes, bytes | None], *, sync: bool) -> None:
        """Put every key (delete where the value is None) in one atomic batch.

        A batch that cannot be read to its end (a key or value that is no bytes) writes nothing.
        """
        ...

    def close(self) -> None:
        """Close; nothing may be called afterwards. Safe to call twice."""
        ...
