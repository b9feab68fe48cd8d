"""The checkpoint text: which log, how many leaves, which root (C2SP tlog-checkpoint v1.0.0).

Rules: exactly three lines (origin, decimal size, base64 root), so extension lines are refused:
they are not auditable and not covered by every kind of cosignature. The empty tree has one root.
The origin obeys the rules of a key name, because the log key's name equals it.

Not here: signatures (note.py, cosignature.py) and who must have signed (quorum.py).
"""

from dataclasses import dataclass

from ledger.log.errors import CheckpointError, NoteError
from ledger.log.merkle import EMPTY_ROOT, HASH_BYTES, MAX_TREE_SIZE
from ledger.log.note import check_key_name
from ledger.log.spelling import decode_base64, decode_decimal, encode_base64

_LINES = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's origin, its size in leaves (0 to 2^63 - 1) and its 32-byte root.

    Raises CheckpointError when a part cannot stand in a checkpoint.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        """Check the parts (C2SP tlog-checkpoint; tlog-witness for the root of the empty tree)."""
        try:
            check_key_name(self.origin)
        except NoteError as fault:
            raise CheckpointError(f"origin: {fault}") from None
        if not 0 <= self.size <= MAX_TREE_SIZE:
            raise CheckpointError("checkpoint size is not in 0 to 2^63 - 1")
        if len(self.root) != HASH_BYTES:
            raise CheckpointError(f"checkpoint root has {len(self.root)} bytes, not {HASH_BYTES}")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise CheckpointError("root of the empty tree is not the hash of nothing")


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Return the note text of a checkpoint: three lines, each with its newline."""
    root = encode_base64(checkpoint.root)
    return b"%b\n%d\n%b\n" % (checkpoint.origin.encode(), checkpoint.size, root)


def decode_checkpoint(text: bytes) -> Checkpoint:
    """Return the checkpoint of a note text; raises CheckpointError for any other spelling."""
    lines = text.split(b"\n", _LINES + 1)
    if len(lines) != _LINES + 1 or lines[_LINES]:
        raise CheckpointError("checkpoint has not exactly three lines")
    try:
        origin = lines[0].decode()
    except UnicodeDecodeError:
        raise CheckpointError("origin is not UTF-8") from None
    size = decode_decimal(lines[1], MAX_TREE_SIZE, "checkpoint size", CheckpointError)
    root = decode_base64(lines[2], "checkpoint root", CheckpointError)
    return Checkpoint(origin, size, root)
