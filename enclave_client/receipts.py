"""Receipts: the proof of an operation, kept by whoever called, checked by anyone offline.

Rules: the client has verified a receipt before a caller sees it. Its file is built only when asked
for. It holds names, coordinates and outcomes, never a value or key: private, not secret.
The format is `ledger.format.receipt`'s; checking one offline is `offline`.
"""

from dataclasses import dataclass
from pathlib import Path

from ledger.format import receipt as form


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction proven to stand on the certified log: shared by its operations' receipts."""

    index: int
    leaf: bytes
    leaf_hash: bytes
    time_ms: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes  # the certified note
    salts: tuple[bytes, ...]
    operations: tuple[bytes, ...]
    outcomes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Receipt:
    """The verified receipt of one operation."""

    entry: Entry
    position: int

    @property
    def index(self) -> int:
        """Where the transaction stands in the log."""
        return self.entry.index

    @property
    def time_ms(self) -> int:
        """The block's time, in milliseconds since 1970."""
        return self.entry.time_ms

    def __repr__(self) -> str:
        """Where it stands, nothing more."""
        return f"Receipt(index={self.entry.index}, position={self.position})"

    def encode(self) -> bytes:
        """The receipt file: a C2SP tlog-proof; leaf, operation and outcome in its extra line."""
        entry, at = self.entry, self.position
        opened = form.Opened(at, entry.salts[at], entry.operations[at], entry.outcomes[at])
        return form.encode_receipt(
            form.Receipt(entry.index, entry.hashes, entry.checkpoint, entry.leaf, (opened,))
        )

    def save(self, path: Path) -> None:
        """Write the receipt file; OSError if it cannot be written."""
        path.write_bytes(self.encode())
