"""Certified checkpoints as this client has seen them: each note is verified once.

Rules: a note counts only with the pinned quorum, log key and witnesses. All transactions of a block
share one note, so verified notes are remembered by their bytes. One size has one root: another
certified root for a size that was seen is an alarm (LogForkedError). Memory is bounded; the largest
checkpoint is never forgotten. Not here: freshness against a clock (`attest`).
"""

from enclave_client.errors import LogForkedError, ReceiptInvalidError
from ledger.log.errors import LogError
from ledger.log.quorum import CertifiedCheckpoint, QuorumRule, verify_certified

MAX_NOTES = 256


class CheckpointBook:
    """Verifies notes by one rule and watches that they never contradict each other."""

    def __init__(self, rule: QuorumRule) -> None:
        """Start empty."""
        self._rule = rule
        self._notes: dict[bytes, CertifiedCheckpoint] = {}
        self._sizes: dict[int, bytes] = {}  # the note that was seen first for a size
        self._largest = -1

    @property
    def largest(self) -> int:
        """The largest certified size seen, or -1."""
        return self._largest

    def verify(self, note: bytes) -> CertifiedCheckpoint:
        """The certified checkpoint of a signed note.

        Raises ReceiptInvalidError if the rule is not satisfied, LogForkedError for a second root.
        """
        known = self._notes.get(note)
        if known is not None:
            return known
        try:
            certified = verify_certified(note, self._rule)
        except LogError as error:
            raise ReceiptInvalidError(
                f"the checkpoint is not certified: {error}",
                "the node shows a log that the pinned quorum did not sign",
            ) from error
        self._verify_one_root(note, certified)
        self._remember(note, certified)
        return certified

    def _verify_one_root(self, note: bytes, certified: CertifiedCheckpoint) -> None:
        size = certified.checkpoint.size
        first = self._sizes.get(size)
        if first is not None and self._notes[first].checkpoint.root != certified.checkpoint.root:
            raise LogForkedError(size, (first, note))

    def _remember(self, note: bytes, certified: CertifiedCheckpoint) -> None:
        size = certified.checkpoint.size
        self._notes[note] = certified
        self._sizes.setdefault(size, note)
        self._largest = max(self._largest, size)
        if len(self._notes) > MAX_NOTES:
            kept = self._sizes[self._largest]
            oldest = next(one for one in self._notes if one != kept)
            gone = self._notes.pop(oldest)
            if self._sizes.get(gone.checkpoint.size) == oldest:
                del self._sizes[gone.checkpoint.size]
