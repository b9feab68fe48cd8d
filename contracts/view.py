"""What the rules may look at, and how their changes wait until a block is done.

`StateView` and `LogView` are ports of the replica: both are deterministic functions of the entries
before the block. `Changes` is a layer over a view: reads see its own writes, nothing below changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol


class StateView(Protocol):
    """Key/value state as of the last executed operation."""

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""
        ...


class ScanView(StateView, Protocol):
    """State that can be walked in key order: what queries read, always as of one moment."""

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Rows with start <= key < stop, in key order."""
        ...


@dataclass(frozen=True, slots=True)
class BlockEnd:
    """A size at which a block ended, with the log's root there and the block's time."""

    root: bytes
    time_ms: int


class LogView(Protocol):
    """The log before this block."""

    def block_end(self, size: int) -> BlockEnd | None:
        """What stood at `size`, or None if no block ended there."""
        ...


@dataclass(slots=True)
class Changes:
    """Writes over a view; None deletes."""

    below: StateView
    writes: dict[bytes, bytes | None] = field(default_factory=dict)

    def get(self, key: bytes) -> bytes | None:
        """The newest value, own writes first."""
        if key in self.writes:
            return self.writes[key]
        return self.below.get(key)

    def put(self, key: bytes, value: bytes | None) -> None:
        """Write (None: delete)."""
        self.writes[key] = value
