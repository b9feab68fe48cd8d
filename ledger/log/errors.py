"""Every error of the log, by whose fault it is.

    LogError                a ledger.errors.LedgerError
    ├── RefusedError        the sender's (a FormatError): bytes or proofs that do not hold
    │   ├── TileError       a tile path, a tile or an entry bundle
    │   ├── NoteError       a signed note, a verifier key or a signature
    │   ├── CheckpointError a checkpoint text
    │   ├── ProofError      an inclusion or consistency proof, or a proof file
    │   └── QuorumError     a quorum rule, or a note that does not satisfy one
    ├── OutsideTreeError    expected: an index or a size that this tree does not have
    └── TreeDamagedError    ours (a StoreError): stored tiles are not the tree's; stop, recover

The caller knows what the bytes were for and says so: a QuorumError under a receipt becomes the
reason NOT_CERTIFIED there. Messages name the rule that failed and sizes; nothing here is secret.
"""

from ledger.errors import FormatError, LedgerError, StoreError


class LogError(LedgerError):
    """Root of all errors raised by `ledger.log`."""


class RefusedError(LogError, FormatError):
    """Bytes or proofs from outside that are malformed or do not verify."""


class TileError(RefusedError):
    """A tile path, a hash tile or an entry bundle is not in its only allowed form."""


class NoteError(RefusedError):
    """A signed note, verifier key or signature is malformed or does not verify."""


class CheckpointError(RefusedError):
    """A checkpoint text is not in its only allowed form."""


class ProofError(RefusedError):
    """An inclusion proof, consistency proof or proof file is malformed or does not verify."""


class QuorumError(RefusedError):
    """A quorum rule is impossible, or a note does not satisfy its rule."""


class OutsideTreeError(LogError):
    """An index or a size was asked for that the tree does not have."""


class TreeDamagedError(LogError, StoreError):
    """The store lacks a tile that the tree wrote, or holds other bytes in its place."""
