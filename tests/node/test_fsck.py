"""fsck: a ledger that was written by the rules is clean; one changed row, anywhere, is found."""

import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.leveldb import LevelDB
from node.fsck import Options, Report, check_directory
from node.fsck_rows import compare_rows
from node.rollback_lock import Locked
from tests.support.damages import DAMAGES, NAME, Rows
from tests.support.small_ledger import SmallLedger
from tests.support.small_rules import Terms

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


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_named(full: SmallLedger, tmp_path: Path, damage: str) -> None:
    """Each kind of damage is found, the first finding says where and what, and nobody's name."""
    rows = rows_of(full)
    expected = DAMAGES[damage](rows)
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
