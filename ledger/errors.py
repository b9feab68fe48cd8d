"""The root of everything that ``ledger`` raises, and the codec's one error.

Families by whose fault: `FormatError` is the sender's (bytes that are not what they claim to be),
`StoreError` is ours (the disk or the state on it is not what we wrote: stop and recover).
"""

from ledger.reason import Reason


class LedgerError(Exception):
    """Root of the package's errors."""


class FormatError(LedgerError):
    """The sender's bytes are malformed, non-canonical, too large or for another network."""

    def __init__(self, message: str, reason: Reason = Reason.MALFORMED) -> None:
        """Carry the reason code that the sender is told."""
        super().__init__(message)
        self.reason = reason


class StoreError(LedgerError):
    """The store failed or holds something we did not write; the state is unknown."""


class StoreBusyError(StoreError):
    """Another process has the store open; nothing is wrong with it."""
