"""The replica over a real store: blocks, repetitions, restarts, and what must not be opened."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.genesis import RULES_VERSION
from contracts.records import decode_parameters, encode_parameters
from ledger import keys
from ledger.format.leaf import BlockHeader, decode_leaf
from ledger.format.outcome import Conflict, PutDone, ReadGranted
from ledger.format.stored import decode_stored
from ledger.leveldb import LevelDB
from ledger.reason import Reason
from ledger.store import Store
from node.errors import DamagedError, LockMissingError, RollbackError
from node.fsck import Options, check_directory
from node.replica import read_head
from tests.support.small_ledger import COLLECTION, SmallLedger
from tests.support.small_rules import Terms, genesis_bytes


def rows(store: Store) -> dict[bytes, bytes]:
    """Everything in a store."""
    return dict(store.scan(b"", b"\xff" * 64))


def test_block_is_leaves_then_header(ledger: SmallLedger) -> None:
    """A block's entries follow one another, its header comes last, and head and tree say so."""
    opened = ledger.open()
    before = opened.replica.head
    first, second = opened.run(ledger.put("a", b"1"), ledger.put("b", b"2"))
    head = opened.replica.head
    assert (first.index, second.index) == (before.size, before.size + 1)
    assert head.size == before.size + 3
    header = decode_leaf(opened.store.get(keys.entry(head.size - 1)) or b"")
    assert isinstance(header, BlockHeader)
    assert (header.height, header.time_ms) == (before.height + 1, head.time_ms)
    assert read_head(opened.store) == head
    opened.close()


def test_refused_block_leaves_no_trace(ledger: SmallLedger) -> None:
    """A block of nothing but refusals and repetitions writes nothing, unless a header is due."""
    opened = ledger.open()
    once = ledger.put("a", b"1")
    late = ledger.transaction((b"\0no operation", b""), terms=Terms(sequence=9))
    (stands,) = opened.run(once)
    before, writes = rows(opened.store), opened.store.writes
    again, refused = opened.run(once, late)
    assert again.is_again
    assert again.index == stands.index
    assert refused.refusal == Reason.MALFORMED.name
    assert rows(opened.store) == before
    assert opened.store.writes == writes
    due = opened.replica.head.time_ms + opened.replica.parameters.block_interval_ms
    (again,) = opened.run(once, now_ms=due)
    assert again.is_again
    assert opened.replica.head.time_ms == due
    assert read_head(opened.store).size == stands.index + 3
    opened.close()


def test_time_never_goes_back(ledger: SmallLedger) -> None:
    """A clock that steps back does not take block time along."""
    opened = ledger.open()
    opened.run(ledger.put("a", b"1"))
    before = opened.replica.head.time_ms
    opened.run(ledger.put("a", b"2"), now_ms=before - 50_000)
    assert opened.replica.head.time_ms == before
    opened.close()


def test_executes_on_top_of_blocks_that_are_not_durable(ledger: SmallLedger) -> None:
    """A finalized block is seen by the next one before either is committed."""
    opened = ledger.open()
    replica = opened.replica
    one = replica.finalize(replica.propose([ledger.put("a", b"1")], replica.head.time_ms))
    two = replica.finalize(
        replica.propose([ledger.put("a", b"2", 1), ledger.read("a")], replica.head.time_ms)
    )
    assert opened.store.get(keys.head_of(COLLECTION, "a")) is None
    replica.commit(one)
    replica.commit(two)
    replica.publish(one)
    put, read = replica.publish(two)
    assert put.outcomes[0].detail == PutDone(2)
    detail = read.outcomes[0].detail
    assert isinstance(detail, ReadGranted)
    assert detail.version == 2
    opened.close()
    assert check_directory(ledger.home.data, ledger.genesis, Options()).is_clean


def test_restart_goes_on(ledger: SmallLedger) -> None:
    """A replica that is opened again stands where the last commit left it, and repeats nothing."""
    opened = ledger.open()
    once = ledger.put("a", b"1")
    (stands,) = opened.run(once)
    head, root = opened.replica.head, opened.replica.tree.root()
    opened.close()
    opened = ledger.open()
    assert opened.replica.head == head
    assert opened.replica.tree.root() == root
    (again,) = opened.run(once)
    assert (again.index, again.is_again) == (stands.index, True)
    (second,) = opened.run(ledger.put("a", b"2", 1))
    assert second.outcomes[0].detail == PutDone(2)
    opened.close()
    assert check_directory(ledger.home.data, ledger.genesis, Options()).is_clean


def test_restart_gives_the_same_bytes(ledger: SmallLedger, tmp_path: Path) -> None:
    """The same blocks with and without restarts between them give the same database, row by row."""
    blocks = [
        [ledger.put("a", b"1"), ledger.put("b", b"2")],
        [ledger.read("a"), ledger.delete("b")],
        [ledger.put("b", b"3", 0)],
    ]
    shutil.copytree(ledger.home.root, tmp_path / "twin")
    opened = ledger.open()
    for block in blocks:
        opened.run(*block)
    straight = rows(opened.store)
    opened.close()
    shutil.rmtree(ledger.home.root)
    shutil.copytree(tmp_path / "twin", ledger.home.root)
    restarted: dict[bytes, bytes] = {}
    for block in blocks:
        opened = ledger.open()
        opened.run(*block)
        restarted = rows(opened.store)
        opened.close()
    assert restarted == straight


def test_memory_is_let_go_of(ledger: SmallLedger) -> None:
    """After publishing, no staged block and no full tile of a durable block stays in memory."""
    opened = ledger.open()
    for _ in range(7):
        opened.run(*(ledger.put("a", b"1") for _ in range(50)))
    assert opened.replica.tree.size > 256
    assert not opened.replica.view._layers
    assert not opened.replica.tree._nodes._staged
    opened.close()


def test_only_what_was_put_is_kept(ledger: SmallLedger) -> None:
    """A value whose put failed, alone or in an atomic transaction, leaves no payload behind."""
    opened = ledger.open()
    good, bad = ledger.put_operation("a", b"1"), ledger.put_operation("b", b"2", 7)
    (mixed,) = opened.run(ledger.transaction(good, bad))
    good, bad = ledger.put_operation("c", b"1"), ledger.put_operation("d", b"2", 7)
    (atomic,) = opened.run(ledger.transaction(good, bad, terms=Terms(atomic=True)))
    assert [one.reason for one in mixed.outcomes] == [Reason.OK, Reason.VERSION_CONFLICT]
    assert mixed.outcomes[1].detail == Conflict(0)
    kept = [
        key for key in rows(opened.store) if key[:1] == b"p" and key >= keys.payload(mixed.index, 0)
    ]
    assert kept == [keys.payload(mixed.index, 0)]
    assert [one.reason for one in atomic.outcomes] == [
        Reason.NOT_EXECUTED,
        Reason.VERSION_CONFLICT,
    ]
    opened.close()
    assert check_directory(ledger.home.data, ledger.genesis, Options()).is_clean


def test_operations_stand_beside_the_leaf(ledger: SmallLedger) -> None:
    """Operations, salts and outcomes of a transaction are kept as they came and as they were."""
    opened = ledger.open()
    submission = ledger.put("a", b"1")
    (answer,) = opened.run(submission)
    stored = decode_stored(opened.store.get(keys.operations(answer.index)) or b"")
    envelope = submission.prepared.envelope
    assert (stored.operations, stored.salts) == (envelope.operations, envelope.salts)
    assert opened.store.get(keys.payload(answer.index, 0)) == envelope.payloads[0]
    opened.close()


def test_older_copy_of_the_data_is_refused(ledger: SmallLedger, tmp_path: Path) -> None:
    """Data from before the lock's tree do not open, and the error says what to do."""
    shutil.copytree(ledger.home.data, tmp_path / "backup")
    opened = ledger.open()
    opened.run(ledger.put("a", b"1"))
    size = opened.replica.head.size
    opened.close()
    shutil.rmtree(ledger.home.data)
    shutil.copytree(tmp_path / "backup", ledger.home.data)
    with pytest.raises(RollbackError, match=f"already signed {size}") as raised:
        ledger.open()
    assert "bring the newest data back" in raised.value.hint
    assert "do not delete the rollback lock" in raised.value.hint


def test_another_history_is_refused(ledger: SmallLedger, tmp_path: Path) -> None:
    """Data that went another way than the locked tree do not open, however long they are."""
    shutil.copytree(ledger.home.root, tmp_path / "twin")
    opened = ledger.open()
    opened.run(ledger.put("a", b"1"))
    opened.close()
    lock = ledger.home.lock.read_bytes()
    shutil.rmtree(ledger.home.root)
    shutil.copytree(tmp_path / "twin", ledger.home.root)
    opened = ledger.open()
    for number in range(3):
        opened.run(ledger.put("b", b"%d" % number))
    opened.close()
    ledger.home.lock.write_bytes(lock)
    with pytest.raises(RollbackError, match="another history") as raised:
        ledger.open()
    assert "bring the right data back" in raised.value.hint


def test_missing_lock_is_refused(ledger: SmallLedger) -> None:
    """Without its rollback lock a ledger does not open."""
    ledger.home.lock.unlink()
    with pytest.raises(LockMissingError, match="is missing") as raised:
        ledger.open()
    assert "--renew-lock" in raised.value.hint


def test_another_networks_data_are_refused(ledger: SmallLedger, tmp_path: Path) -> None:
    """Another network's data under this network's lock do not open."""
    other = SmallLedger(tmp_path / "other", genesis_bytes(salt=b"\x01" * 32))
    shutil.rmtree(ledger.home.data)
    shutil.copytree(other.home.data, ledger.home.data)
    with pytest.raises(RollbackError):
        ledger.open()


def test_empty_database_is_refused(ledger: SmallLedger) -> None:
    """A database without a head is no ledger."""
    shutil.rmtree(ledger.home.data)
    LevelDB(ledger.home.data, create=True).close()
    with pytest.raises(DamagedError, match="holds no ledger"):
        ledger.open()


def test_unknown_rules_are_refused(ledger: SmallLedger) -> None:
    """A ledger under rules that this program does not know does not open."""
    store = LevelDB(ledger.home.data)
    data = store.get(keys.PARAMETERS)
    assert data is not None
    newer = encode_parameters(replace(decode_parameters(data), rules_version=RULES_VERSION + 1))
    store.write({keys.PARAMETERS: newer}, sync=True)
    store.close()
    with pytest.raises(
        DamagedError, match=f"rules {RULES_VERSION + 1}, this program knows {RULES_VERSION}"
    ) as raised:
        ledger.open()
    assert raised.value.hint
