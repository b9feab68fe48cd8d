"""fsck: recomputes log and state from genesis and compares every row with the store.

1. Entry 0 and the genesis row are those of the genesis file.
2. Every entry is there, in order; every transaction runs again and gives its leaf and outcomes;
   every block ends with the header that its entries make (fsck_replay.py).
3. What stands beside an entry belongs to it. A payload is the one that its operation names; a
   sealed value that is gone was erased and is counted, evidence and collateral may not be.
4. Size, root, height and time of the stored head are those of the entries.
5. Every row of state, every tile, and no other row: compared as two streams (fsck_rows.py).
6. The rollback lock names a tree that the log really had.

Memory is flat: the rebuilt ledger lies in a scratch store, which is removed afterwards. Findings
name entries and kinds of rows, never a name or a value.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from contracts.errors import ContractError
from ledger import keys
from ledger.errors import FormatError, LedgerError, StoreError
from ledger.format.genesis import network_id
from ledger.format.leaf import BlockHeader, Leaf, TransactionLeaf, decode_leaf
from ledger.format.stored import decode_stored
from ledger.keys import Head
from ledger.leveldb import LevelDB
from ledger.store import Store
from node.errors import DamagedError, RollbackError
from node.fsck_replay import NOTHING, Replay, Replayed
from node.fsck_rows import Row, RowStream, compare_rows, foreign_rows
from node.replica import read_head, verify_lock
from node.rollback_lock import Locked

MAX_FINDINGS = 20
_PROGRESS_EVERY = 100  # entries

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not what was written: where, and what."""

    where: str
    what: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.where}: {self.what}"


@dataclass(slots=True)
class Counts:
    """How much was checked."""

    blocks: int = 0
    transactions: int = 0
    operations: int = 0
    payloads: int = 0
    erased: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What fsck found; `head` is recomputed, `is_whole` says whether the check came to its end."""

    network_id: bytes
    head: Head
    counts: Counts
    findings: tuple[Finding, ...]
    is_whole: bool

    @property
    def is_clean(self) -> bool:
        """Whether everything was checked and nothing was found."""
        return self.is_whole and not self.findings


@dataclass(frozen=True, slots=True)
class Options:
    """The lock to compare with (None: there is none to believe), and when to stop."""

    locked: Locked | None = None
    max_findings: int = MAX_FINDINGS
    progress: Progress | None = None


class _StopError(Exception):
    """The check cannot or need not go on; the reason is among the findings."""


def check_directory(data: Path, genesis: bytes, options: Options) -> Report:
    """Check a closed data directory; StoreError if it cannot be opened.

    The scratch store lies beside it, on the same (encrypted) disk, as large as state and tiles.
    """
    store = LevelDB(data)
    try:
        place = Path(tempfile.mkdtemp(prefix="fsck-", dir=data.parent))
        try:
            scratch = LevelDB(place / "data", create=True)
            try:
                return check_ledger(store, scratch, genesis, options)
            finally:
                scratch.close()
        finally:
            shutil.rmtree(place, ignore_errors=True)
    finally:
        store.close()


def check_ledger(store: Store, scratch: Store, genesis: bytes, options: Options) -> Report:
    """Check `store` (1 to 6 above) with the help of an empty `scratch` store."""
    check = _Check(store, Replay(scratch, genesis), options)
    is_whole = True
    try:
        check.genesis(genesis)
        check.entries()
        check.rows(scratch)
        check.lock()
    except StoreError as error:
        check.findings.append(Finding("the database", str(error)))
        is_whole = False
    except _StopError:
        is_whole = False
    return Report(
        network_id(genesis), check.replay.head, check.counts, tuple(check.findings), is_whole
    )


class _Check:
    """One run: the store, the replay, what was counted and found."""

    def __init__(self, store: Store, replay: Replay, options: Options) -> None:
        self.replay = replay
        self.counts = Counts()
        self.findings: list[Finding] = []
        self._store = store
        self._options = options

    def genesis(self, genesis: bytes) -> None:
        if self._store.get(keys.GENESIS) != genesis:
            self._stop("genesis", "the data belong to another genesis than the file, or to none")

    def entries(self) -> None:
        """Log, operations and payloads, side by side; then the head."""
        head = self._head()
        scan = self._store.scan
        leaves = RowStream(scan(b"e", b"f"))
        beside = RowStream(scan(b"o", b"p"))
        payloads = RowStream(scan(b"p", b"q"))
        for index in range(head.size):
            leaf = self._row(leaves, keys.entry(index), keys.entry(index + 1))
            if leaf is None:
                self._stop(f"entry {index}", "it is missing")
            stored = self._row(beside, keys.operations(index), keys.operations(index + 1))
            replayed = self._entry(index, leaf, stored)
            self._payloads(index, replayed, payloads.until(keys.payload(index + 1, 0)))
            self._progress(index + 1, head.size)
        for stream in (leaves, beside, payloads):
            for _ in stream.until(b"t"):
                self._find("the database", f"a row stands beyond the last entry, {head.size - 1}")
        if not self.replay.is_between_blocks:
            self._stop(f"entry {head.size - 1}", "the last block has no header")
        if head != self.replay.head:
            self._find("the head", "size, root, height or time are not what the entries make")

    def _progress(self, done: int, total: int) -> None:
        progress = self._options.progress
        if progress is not None and (done == total or not done % _PROGRESS_EVERY):
            progress(done, total)

    def rows(self, scratch: Store) -> None:
        for what, start, stop in (("state", b"s", b"t"), ("tiles", b"t", b"u")):
            pairs = compare_rows(self._store.scan(start, stop), scratch.scan(start, stop))
            for difference in pairs:
                self._find(what, difference)
        for foreign in foreign_rows(self._store):
            self._find("the database", foreign)

    def lock(self) -> None:
        if self._options.locked is None:
            return
        try:
            verify_lock(self._options.locked, self.replay.tree)
        except RollbackError as error:
            self._find("the rollback lock", str(error))

    def _head(self) -> Head:
        try:
            return read_head(self._store)
        except DamagedError as error:
            self._stop("the head", str(error))

    def _row(self, stream: RowStream, wanted: bytes, stop: bytes) -> bytes | None:
        found = None
        for key, value in stream.until(stop):
            if key == wanted:
                found = value
            else:
                self._find("the database", f"a row near entry {wanted[1:].hex()} has a bad key")
        return found

    def _entry(self, index: int, data: bytes, stored: bytes | None) -> Replayed | None:
        """Replay one entry; None for a transaction that is not the one that was written."""
        try:
            if index == 0:
                self.replay.verify_genesis(data)
            else:
                self.replay.count(data)
                leaf = decode_leaf(data)
                if isinstance(leaf, TransactionLeaf):
                    return self._transaction(index, data, leaf, stored)
                self._header(data, leaf)
        except (LedgerError, ContractError, DamagedError) as error:
            self._find(f"entry {index}", str(error))
            return None
        if stored is not None:
            self._find(f"entry {index}", "operations stand beside an entry that is no transaction")
        return NOTHING

    def _transaction(
        self, index: int, data: bytes, leaf: TransactionLeaf, stored: bytes | None
    ) -> Replayed:
        if stored is None:
            raise DamagedError("its operations are missing")
        replayed = self.replay.run(index, data, leaf, decode_stored(stored))
        self.counts.transactions += 1
        self.counts.operations += len(replayed.operations)
        return replayed

    def _header(self, data: bytes, leaf: Leaf) -> None:
        if not isinstance(leaf, BlockHeader):
            raise DamagedError("a second genesis")
        self.counts.blocks += 1
        self.replay.end_block(data, leaf)

    def _payloads(self, index: int, replayed: Replayed | None, rows: Iterator[Row]) -> None:
        present: set[int] = set()
        for key, payload in rows:
            position = int.from_bytes(key[9:], "big")
            if len(key) != len(keys.payload(0, 0)):
                self._find(f"entry {index}", "a payload has a bad key")
            elif replayed is not None:
                present.add(position)
                self._payload(index, position, replayed, payload)
        for position, kept in () if replayed is None else replayed.payloads():
            if position in present:
                self.counts.payloads += 1
            elif kept:
                self._find(f"entry {index}", f"its {kept} is missing")
            else:
                self.counts.erased += 1

    def _payload(self, index: int, position: int, replayed: Replayed, payload: bytes) -> None:
        try:
            replayed.verify_payload(position, payload, self.replay.network_id)
        except FormatError as error:
            self._find(f"payload {position} of entry {index}", str(error))

    def _find(self, where: str, what: str) -> None:
        self.findings.append(Finding(where, what))
        if len(self.findings) >= self._options.max_findings:
            raise _StopError

    def _stop(self, where: str, what: str) -> NoReturn:
        self.findings.append(Finding(where, what))
        raise _StopError
