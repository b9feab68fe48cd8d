"""The rollback lock: a compare-and-set record, beside the data, of the newest (size, root).

It guards against a careless restore, not against the host: it is kept in another place than the
data and is never part of a backup. Two fixed slots of 128 bytes are written in turn (pwrite, then
fdatasync), so a torn write leaves the other slot. The file is locked for one process.

Slot: magic 8 · turn u64 · network id 32 · size u64 · root 32 · SHA-256 of these 32; big-endian.
"""

import fcntl
import hashlib
import os
import struct
from dataclasses import dataclass
from pathlib import Path

from node.errors import DamagedError, LockDamagedError, LockHeldError, LockMissingError

SLOT_BYTES = 128
_FIELDS = struct.Struct(">8sQ32sQ32s")
_MAGIC = b"sealroll"


@dataclass(frozen=True, slots=True)
class Locked:
    """The newest tree that this node may have shown to anyone."""

    size: int
    root: bytes


class RollbackLock:
    """An open lock file; one process at a time."""

    def __init__(self, path: Path, network_id: bytes) -> None:
        """Open and lock the file.

        Raises LockMissingError, LockDamagedError, LockHeldError if another process holds it, and
        DamagedError if it is for another network.
        """
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise LockMissingError(
                f"the rollback lock {path} is missing",
                "if this home was restored or moved, bring the newest lock file with it; "
                "sealedger node fsck --renew-lock makes a new one after checking the ledger",
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise LockHeldError(
                f"the rollback lock {path} is held by another process",
                "stop the node that uses this home first",
            ) from error
        self._network_id = network_id
        self._path = path
        try:
            self._turn, self.newest = self._load()
        except BaseException:
            os.close(self._file)
            raise

    @staticmethod
    def create(path: Path, network_id: bytes, first: Locked) -> None:
        """Write a new lock file; FileExistsError if there is one."""
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(file, _slot(0, network_id, first) + bytes(SLOT_BYTES), 0)
            os.fsync(file)
        finally:
            os.close(file)
        _sync_directory(path.parent)

    @staticmethod
    def replace(path: Path, network_id: bytes, first: Locked) -> None:
        """Write a new lock file over a missing or unreadable one, whole or not at all."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".new")
        beside.unlink(missing_ok=True)
        RollbackLock.create(beside, network_id, first)
        beside.replace(path)
        _sync_directory(path.parent)

    def advance(self, expected: Locked, new: Locked) -> None:
        """Replace `expected` by `new`, durably; never to a smaller tree, nor to another root.

        The file is read again first: whoever wrote it meanwhile, `flock` or not, is noticed. Raises
        DamagedError if it holds something else, OSError if the disk fails.
        """
        is_forward = new.size > expected.size or new == expected
        if self._load() != (self._turn, expected) or not is_forward:
            raise DamagedError("the rollback lock moved under us")
        turn = self._turn + 1
        slot = _slot(turn, self._network_id, new)
        if os.pwrite(self._file, slot, (turn % 2) * SLOT_BYTES) != SLOT_BYTES:
            raise DamagedError("the rollback lock was written in part")
        os.fdatasync(self._file)
        self._turn, self.newest = turn, new

    def close(self) -> None:
        """Release the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _load(self) -> tuple[int, Locked]:
        data = os.pread(self._file, 2 * SLOT_BYTES + 1, 0)
        slots = [_decode(data[at : at + SLOT_BYTES]) for at in (0, SLOT_BYTES)]
        valid = [slot for slot in slots if slot is not None]
        if not valid or len(data) != 2 * SLOT_BYTES:
            raise LockDamagedError(
                f"the rollback lock {self._path} is damaged",
                "sealedger node fsck --renew-lock makes a new one after checking the ledger",
            )
        turn, network_id, locked = max(valid, key=lambda slot: slot[0])
        if network_id != self._network_id:
            raise DamagedError(
                f"the rollback lock {self._path} belongs to another network",
                "point the node at the lock of this network",
            )
        return turn, locked


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _slot(turn: int, network_id: bytes, locked: Locked) -> bytes:
    fields = _FIELDS.pack(_MAGIC, turn, network_id, locked.size, locked.root)
    return (fields + hashlib.sha256(fields).digest()).ljust(SLOT_BYTES, b"\0")


def _decode(slot: bytes) -> tuple[int, bytes, Locked] | None:
    fields = slot[: _FIELDS.size]
    if slot[_FIELDS.size : _FIELDS.size + 32] != hashlib.sha256(fields).digest():
        return None
    magic, turn, network_id, size, root = _FIELDS.unpack(fields)
    return (turn, network_id, Locked(size, root)) if magic == _MAGIC else None
