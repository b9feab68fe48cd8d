"""fsck: a ledger that was written by the rules is clean; one changed row, anywhere, is found."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import keys
from ledger.format.leaf import BlockHeader, TransactionLeaf, decode_leaf, encode_leaf
from ledger.format.stored import decode_stored, encode_stored
from ledger.leveldb import LevelDB
from node.fsck import Options, Report, check_directory
from node.fsck_rows import compare_rows
from node.rollback_lock import Locked
from tests.support.small_ledger import COLLECTION, SmallLedger
from tests.support.small_rules import Terms

NAME = "planted-name"
VALUE = b"planted value"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> SmallLedger:
    """A ledger with every kind of entry, in several blocks and tiles."""
    made = SmallLedger(tmp_path_factory.mktemp("fsck") / "node")
    opened = made.open()
    made.open_session(opened)
    opened.run(made.put(NAME, VALUE), made.put(NAME, VALUE, 1), made.put("other", VALUE))
    opened.run(made.read(NAME), made.delete("other"), made.read("other"))
    conflict = made.put_operation(NAME, VALUE, 77)
    opened.run(made.transaction(made.put_operation("c", VALUE), conflict, terms=Terms(atomic=True)))
    opened.run(made.transaction((b"\0malformed", b""), made.put_operation("d", VALUE)))
    for _ in range(30):
        opened.run(*(made.put(f"many/{number}", VALUE) for number in range(10)))
    opened.run(now_ms=opened.replica.head.time_ms + 10_000_000)  # a header alone
    opened.close()
    return made


Rows = dict[bytes, bytes]


def rows_of(ledger: SmallLedger) -> Rows:
    """All rows."""
    store = LevelDB(ledger.home.data)
    try:
        return dict(store.scan(b"", b"\xff" * 64))
    finally:
        store.close()


def check(rows: Rows, ledger: SmallLedger, directory: Path, options: Options) -> Report:
    """fsck of a database that holds exactly these rows."""
    store = LevelDB(directory / "data", create=True)
    store.write(dict(rows), sync=False)
    store.close()
    report = check_directory(directory / "data", ledger.genesis, options)
    assert [one.name for one in directory.iterdir()] == ["data"], "the scratch store stays behind"
    return report


def test_clean(full: SmallLedger) -> None:
    """A ledger as it was written is clean, with all of it counted, and the lock fits."""
    opened = full.open()
    head, newest = opened.replica.head, opened.lock.newest
    opened.close()
    seen: list[tuple[int, int]] = []
    report = check_directory(
        full.home.data, full.genesis, Options(newest, progress=lambda *at: seen.append(at))
    )
    assert report.findings == ()
    assert report.is_clean
    assert report.head == head
    counts = report.counts
    assert (counts.blocks, counts.transactions, counts.operations) == (36, 309, 311)
    assert (counts.payloads, counts.erased) == (1 + 3 + 1 + 300, 0)
    assert counts.blocks + counts.transactions + 1 == head.size
    assert seen[-1] == (head.size, head.size)
    assert [done for done, _ in seen] == [*range(100, head.size, 100), head.size]


def test_lone_genesis(tmp_path: Path) -> None:
    """A ledger that was just founded is clean."""
    made = SmallLedger(tmp_path / "node")
    report = check_directory(made.home.data, made.genesis, Options())
    assert report.is_clean
    assert report.head.size == 1


def test_erased_values_are_counted(full: SmallLedger, tmp_path: Path) -> None:
    """A sealed value that is gone is counted as erased and is no fault."""
    rows = rows_of(full)
    payloads = sorted(key for key in rows if key[:1] == b"p")
    for key in payloads[1:8]:
        del rows[key]
    report = check(rows, full, tmp_path, Options())
    assert report.is_clean
    assert report.counts.erased == 7


# Each takes the rows, spoils something, and says what the first finding must be.
Spoil = Callable[[Rows], str]


def _first(rows: Rows, kind: type, skip: int = 0) -> tuple[int, bytes]:
    found = [
        (int.from_bytes(key[1:], "big"), value)
        for key, value in sorted(rows.items())
        if key[:1] == b"e" and isinstance(decode_leaf(value), kind)
    ]
    return found[skip]


def _last(rows: Rows) -> int:
    return keys.decode_head(rows[keys.HEAD]).size - 1


def _missing_entry(rows: Rows) -> str:
    del rows[keys.entry(5)]
    return "entry 5: it is missing"


def _missing_operations(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf, 2)
    del rows[keys.operations(index)]
    return f"entry {index}: its operations are missing"


def _missing_evidence(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf)
    del rows[keys.payload(index, 0)]
    return f"entry {index}: its evidence is missing"


def _missing_tile(rows: Rows) -> str:
    del rows[keys.tile(0, 1)]
    return "tiles: tile 1 of level 0 is missing"


def _missing_state(rows: Rows) -> str:
    del rows[keys.head_of(COLLECTION, NAME)]
    return "state: the head of a secret .* is missing"


def _missing_head(rows: Rows) -> str:
    del rows[keys.HEAD]
    return "the head: the data directory holds no ledger"


def _missing_genesis(rows: Rows) -> str:
    del rows[keys.GENESIS]
    return "genesis: the data belong to another genesis"


def _spelled_signature(rows: Rows) -> str:
    index, data = _first(rows, TransactionLeaf, 4)
    leaf = decode_leaf(data)
    assert isinstance(leaf, TransactionLeaf)
    spoiled = replace(leaf, signature=leaf.signature[:-1] + bytes((leaf.signature[-1] ^ 1,)))
    rows[keys.entry(index)] = encode_leaf(spoiled)
    return f"entry {index}: sign the body with the signer's own key"


def _another_outcome(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf, 3)
    stored = decode_stored(rows[keys.operations(index)])
    other = decode_stored(rows[keys.operations(_first(rows, TransactionLeaf, 5)[0])])
    rows[keys.operations(index)] = encode_stored(replace(stored, outcomes=other.outcomes))
    return f"entry {index}: its outcomes are not what the rules give"


def _another_operation(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf, 3)
    rows[keys.operations(index)] = rows[keys.operations(_first(rows, TransactionLeaf, 5)[0])]
    return f"entry {index}: .*the body does not commit to these operations"


def _another_outcome_digest(rows: Rows) -> str:
    index, data = _first(rows, TransactionLeaf, 4)
    leaf = decode_leaf(data)
    assert isinstance(leaf, TransactionLeaf)
    rows[keys.entry(index)] = encode_leaf(replace(leaf, outcome_digests=(bytes(32),)))
    return f"entry {index}: its leaf is not what the rules give"


def _repeated_transaction(rows: Rows) -> str:
    index, data = _first(rows, TransactionLeaf, 3)
    first, again = _first(rows, TransactionLeaf, 1)
    leaf, other = decode_leaf(data), decode_leaf(again)
    assert isinstance(leaf, TransactionLeaf)
    assert isinstance(other, TransactionLeaf)
    rows[keys.entry(index)] = encode_leaf(replace(other, height=leaf.height, time_ms=leaf.time_ms))
    rows[keys.operations(index)] = rows[keys.operations(first)]
    return f"entry {index}: it repeats the transaction of entry {first}"


def _another_verdict(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf)
    stored = decode_stored(rows[keys.operations(index)])
    rows[keys.operations(index)] = encode_stored(replace(stored, outcomes=(b"\x08\x01",)))
    return f"entry {index}: the evidence was not judged"


def _later_block(rows: Rows) -> str:
    index, data = _first(rows, BlockHeader, 2)
    header = decode_leaf(data)
    assert isinstance(header, BlockHeader)
    rows[keys.entry(index)] = encode_leaf(replace(header, time_ms=header.time_ms + 1))
    return f"entry {index}: its time is not its block's"


def _higher_block(rows: Rows) -> str:
    index, data = _first(rows, BlockHeader, 2)
    header = decode_leaf(data)
    assert isinstance(header, BlockHeader)
    rows[keys.entry(index)] = encode_leaf(replace(header, height=header.height + 1))
    return f"entry {index}: it says height {header.height + 1}, expected {header.height}"


def _another_epoch(rows: Rows) -> str:
    index, data = _first(rows, BlockHeader, 2)
    header = decode_leaf(data)
    assert isinstance(header, BlockHeader)
    rows[keys.entry(index)] = encode_leaf(replace(header, epoch=2))
    return f"entry {index}: its header is not what the entries before it make"


def _no_last_header(rows: Rows) -> str:
    del rows[keys.entry(_last(rows))]
    return "entry .*: it is missing"


def _shorter_head(rows: Rows) -> str:
    head = keys.decode_head(rows[keys.HEAD])
    rows[keys.HEAD] = replace(head, size=head.size - 1).encode()
    return "the database: a row stands beyond the last entry"


def _another_root(rows: Rows) -> str:
    head = keys.decode_head(rows[keys.HEAD])
    rows[keys.HEAD] = replace(head, root=bytes(32)).encode()
    return "the head: size, root, height or time"


def _another_height(rows: Rows) -> str:
    head = keys.decode_head(rows[keys.HEAD])
    rows[keys.HEAD] = replace(head, height=head.height + 1).encode()
    return "the head: size, root, height or time"


def _another_genesis_leaf(rows: Rows) -> str:
    rows[keys.entry(0)] = rows[keys.entry(1)]
    return "entry 0: it is not the one that genesis makes"


def _second_genesis(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf, 3)
    rows[keys.entry(index)] = rows[keys.entry(0)]
    return f"entry {index}: a second genesis"


def _no_leaf_at_all(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf, 3)
    rows[keys.entry(index)] = b"\xff\xff"
    return f"entry {index}: "


def _operations_beside_a_header(rows: Rows) -> str:
    index, _ = _first(rows, BlockHeader, 1)
    rows[keys.operations(index)] = rows[keys.operations(_first(rows, TransactionLeaf)[0])]
    return f"entry {index}: operations stand beside an entry that is no transaction"


def _operations_beyond_the_end(rows: Rows) -> str:
    rows[keys.operations(_last(rows) + 1)] = b""
    return "the database: a row stands beyond the last entry"


def _payload_beside_a_header(rows: Rows) -> str:
    index, _ = _first(rows, BlockHeader, 1)
    rows[keys.payload(index, 0)] = b"value"
    return f"payload 0 of entry {index}: it belongs to no operation"


def _payload_of_a_read(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf, 4)
    rows[keys.payload(index, 0)] = rows[keys.payload(_first(rows, TransactionLeaf, 1)[0], 0)]
    return f"payload 0 of entry {index}: it belongs to no operation"


def _payload_of_another_put(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf, 1)
    rows[keys.payload(index, 0)] = rows[keys.payload(_first(rows, TransactionLeaf, 2)[0], 0)]
    return f"payload 0 of entry {index}: a payload is not what its operation names"


def _changed_payload(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf, 1)
    payload = rows[keys.payload(index, 0)]
    rows[keys.payload(index, 0)] = payload[:-1] + bytes((payload[-1] ^ 1,))
    return f"payload 0 of entry {index}: a payload is not what its operation names"


def _changed_evidence(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf)
    rows[keys.payload(index, 0)] = b"other evidence"
    return f"payload 0 of entry {index}: a payload is not what its operation names"


def _payload_with_a_bad_key(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf, 1)
    rows[keys.payload(index, 0) + b"\0"] = b"value"
    return f"entry {index}: a payload has a bad key"


def _entry_with_a_bad_key(rows: Rows) -> str:
    rows[keys.entry(4) + b"\0"] = b"value"
    return "the database: a row near entry 0000000000000004 has a bad key"


def _changed_tile(rows: Rows) -> str:
    tile = rows[keys.tile(0, 0)]
    rows[keys.tile(0, 0)] = tile[:32] + bytes(32) + tile[64:]
    return "tiles: tile 0 of level 0 is not what the entries make of it"


def _more_tiles(rows: Rows) -> str:
    rows[keys.tile(5, 0)] = bytes(32)
    return "tiles: tile 0 of level 5 stands in the store and should not"


def _changed_state(rows: Rows) -> str:
    key = keys.head_of(COLLECTION, NAME)
    rows[key] = rows[key][:-1] + b"X"
    return "state: the head of a secret .* is not what the entries make of it"


def _more_state(rows: Rows) -> str:
    rows[keys.session(bytes(32))] = b"forged"
    return "state: a session .* stands in the store and should not"


def _foreign_row(rows: Rows) -> str:
    rows[b"zebra"] = b"1"
    return "the database: a row of unknown kind .* stands in the store and should not"


def _foreign_row_beside_the_head(rows: Rows) -> str:
    rows[b"m\0"] = b"1"
    return "the database: a row of unknown kind"


SPOILS: dict[str, Spoil] = {
    "missing entry": _missing_entry,
    "missing operations": _missing_operations,
    "missing evidence": _missing_evidence,
    "missing tile": _missing_tile,
    "missing state": _missing_state,
    "missing head": _missing_head,
    "missing genesis": _missing_genesis,
    "spelled signature": _spelled_signature,
    "another outcome": _another_outcome,
    "another operation": _another_operation,
    "another outcome digest": _another_outcome_digest,
    "repeated transaction": _repeated_transaction,
    "another verdict": _another_verdict,
    "later block": _later_block,
    "higher block": _higher_block,
    "another epoch": _another_epoch,
    "no last header": _no_last_header,
    "shorter head": _shorter_head,
    "another root": _another_root,
    "another height": _another_height,
    "another genesis leaf": _another_genesis_leaf,
    "second genesis": _second_genesis,
    "no leaf at all": _no_leaf_at_all,
    "operations beside a header": _operations_beside_a_header,
    "operations beyond the end": _operations_beyond_the_end,
    "payload beside a header": _payload_beside_a_header,
    "payload of a read": _payload_of_a_read,
    "payload of another put": _payload_of_another_put,
    "changed payload": _changed_payload,
    "changed evidence": _changed_evidence,
    "payload with a bad key": _payload_with_a_bad_key,
    "entry with a bad key": _entry_with_a_bad_key,
    "changed tile": _changed_tile,
    "more tiles": _more_tiles,
    "changed state": _changed_state,
    "more state": _more_state,
    "foreign row": _foreign_row,
    "foreign row beside the head": _foreign_row_beside_the_head,
}


@pytest.mark.parametrize("damage", SPOILS)
def test_damage_is_named(full: SmallLedger, tmp_path: Path, damage: str) -> None:
    """Each kind of damage is found, the first finding says where and what, and nobody's name."""
    rows = rows_of(full)
    expected = SPOILS[damage](rows)
    report = check(rows, full, tmp_path, Options())
    assert not report.is_clean
    first = str(report.findings[0])
    assert re.match(expected, first), first
    for finding in report.findings:
        assert NAME not in str(finding)
        assert NAME.encode().hex() not in str(finding)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_row_is_found(
    full: SmallLedger, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever row is changed, cut, dropped or copied elsewhere, the check says it is not clean."""
    rows = rows_of(full)
    key = data.draw(st.sampled_from(sorted(rows)))
    how = data.draw(st.sampled_from(["flip", "cut", "grow", "drop", "copy"]))
    value = rows[key]
    if how == "flip":
        at = data.draw(st.integers(0, len(value) - 1))
        rows[key] = (
            value[:at] + bytes((value[at] ^ (1 << data.draw(st.integers(0, 7))),)) + value[at + 1 :]
        )
    elif how == "cut":
        rows[key] = value[: data.draw(st.integers(0, len(value) - 1))]
    elif how == "grow":
        rows[key] = value + data.draw(st.binary(min_size=1, max_size=4))
    elif how == "copy":
        new = key[:1] + data.draw(st.binary(max_size=12))
        if new in rows:
            return
        rows[new] = value
    else:
        del rows[key]
    report = check(rows, full, tmp_path_factory.mktemp("any"), Options(max_findings=3))
    is_erasure = how == "drop" and key[:1] == b"p" and report.counts.erased == 1
    assert report.is_clean == is_erasure, (key, how)


def test_stops_after_enough_findings(full: SmallLedger, tmp_path: Path) -> None:
    """A ledger full of damage gives the first findings, and says that the check did not end."""
    rows = {key: value for key, value in rows_of(full).items() if key[:1] != b"s"}
    report = check(rows, full, tmp_path, Options(max_findings=5))
    assert len(report.findings) == 5
    assert not report.is_whole


@pytest.mark.parametrize(
    "locked, expected",
    [
        (Locked(10_000, bytes(32)), "already signed 10000"),
        (Locked(7, bytes(32)), "another history"),
    ],
)
def test_lock_that_does_not_fit(full: SmallLedger, locked: Locked, expected: str) -> None:
    """A lock beyond the log, or of another history, is a finding."""
    report = check_directory(full.home.data, full.genesis, Options(locked))
    assert len(report.findings) == 1
    assert re.search(expected, str(report.findings[0]))


def test_any_earlier_lock_fits(full: SmallLedger) -> None:
    """A lock behind the log is what a crash between write and lock leaves: it fits."""
    opened = full.open()
    tree = opened.replica.tree
    locks = [Locked(size, tree.root_at(size)) for size in (1, 3, 256, 257, tree.size)]
    opened.close()
    for locked in locks:
        assert check_directory(full.home.data, full.genesis, Options(locked)).is_clean


def test_check_changes_nothing(full: SmallLedger) -> None:
    """The rows are the same after a check as before."""
    before = rows_of(full)
    check_directory(full.home.data, full.genesis, Options())
    assert rows_of(full) == before


@given(
    found=st.dictionaries(st.binary(max_size=2), st.binary(max_size=1), max_size=8),
    rebuilt=st.dictionaries(st.binary(max_size=2), st.binary(max_size=1), max_size=8),
)
def test_compared_streams_say_each_difference(found: Rows, rebuilt: Rows) -> None:
    """Two ordered streams differ in exactly as many sentences as the dicts have differing keys."""
    different = [key for key in found | rebuilt if found.get(key) != rebuilt.get(key)]
    said = list(compare_rows(iter(sorted(found.items())), iter(sorted(rebuilt.items()))))
    assert len(said) == len(different)
    for key in different:
        assert any(hashlib.sha256(key).hexdigest()[:16] in one for one in said)
