"""What every Store must do, run over each implementation."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.errors import StoreError
from ledger.leveldb import LevelDB
from ledger.store import Store
from tests.support.memory_store import FailingStore, MemoryStore

MakeStore = Callable[[Path], Store]
STORES: dict[str, MakeStore] = {
    "LevelDB": lambda folder: LevelDB(folder / "data", create=True),
    "MemoryStore": lambda _: MemoryStore(),
    "FailingStore": lambda _: FailingStore(MemoryStore(), fail_at=10**9, when="before"),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A new, empty store of each kind."""
    made = STORES[request.param](tmp_path)
    yield made
    made.close()


def rows(store: Store, start: bytes = b"", stop: bytes = b"\xff" * 9) -> list[tuple[bytes, bytes]]:
    """What a scan gives."""
    return list(store.scan(start, stop))


def test_an_empty_store_holds_nothing(store: Store) -> None:
    """Reading what was never written gives None and no rows."""
    assert store.get(b"a") is None
    assert rows(store) == []


@pytest.mark.parametrize("sync", [False, True])
def test_what_was_written_is_read(store: Store, sync: bool) -> None:
    """Values, empty ones and ones with any byte, are visible when `write` returns."""
    batch = {b"a": b"1", b"\0": b"", b"\xff\0": bytes(range(256)), b"": b"empty key"}
    store.write(batch, sync=sync)
    assert {key: store.get(key) for key in batch} == batch
    assert store.get(b"b") is None
    assert rows(store) == sorted(batch.items())


def test_a_batch_replaces_and_deletes(store: Store) -> None:
    """None deletes, also what is not there; the last write of a key counts."""
    store.write({b"a": b"1", b"b": b"1"}, sync=True)
    store.write({b"a": None, b"b": b"2", b"c": None}, sync=True)
    assert rows(store) == [(b"b", b"2")]
    store.write({}, sync=True)
    assert rows(store) == [(b"b", b"2")]


@pytest.mark.parametrize("wrong", [{b"b": "text"}, {"b": b"2"}, {b"b": 1}], ids=repr)
def test_a_batch_is_all_or_nothing(store: Store, wrong: dict[Any, Any]) -> None:
    """A batch that fails half-way leaves nothing of itself."""
    store.write({b"a": b"1"}, sync=True)
    with pytest.raises(TypeError):
        store.write({b"a": b"changed", b"aa": b"new", **wrong}, sync=True)
    assert rows(store) == [(b"a", b"1")]


def test_a_scan_is_in_byte_order_with_its_borders(store: Store) -> None:
    """Keys come as unsigned bytes sort; start belongs to the scan, stop does not."""
    keys = [b"a", b"a\0", b"a\xff", b"aa", b"b", b"\x7f", b"\x80", b"\xff"]
    store.write(dict.fromkeys(reversed(keys), b"x"), sync=False)
    assert [key for key, _ in rows(store)] == sorted(keys)
    assert [key for key, _ in rows(store, b"a", b"b")] == [b"a", b"a\0", b"aa", b"a\xff"]
    assert rows(store, b"b", b"b") == []
    assert rows(store, b"c", b"b") == []


def test_a_scan_sees_the_moment_of_its_call(store: Store) -> None:
    """What is written after the call, even before the first row is taken, is not in the scan."""
    store.write({b"a": b"1", b"b": b"1"}, sync=False)
    scan = store.scan(b"", b"z")
    store.write({b"a": b"2", b"b": None, b"c": b"2"}, sync=False)
    assert list(scan) == [(b"a", b"1"), (b"b", b"1")]
    assert rows(store) == [(b"a", b"2"), (b"c", b"2")]


def test_a_scan_may_be_left_unfinished(store: Store) -> None:
    """A scan that nobody finishes does not stop writing or closing."""
    store.write({bytes((number,)): b"x" for number in range(50)}, sync=False)
    scan = store.scan(b"", b"\xff")
    assert next(scan) == (b"\0", b"x")
    store.write({b"\0": None}, sync=True)
    store.close()


def test_nothing_after_close(store: Store) -> None:
    """Closing twice is safe; any other call afterwards is a StoreError."""
    store.write({b"a": b"1"}, sync=True)
    store.close()
    store.close()
    for call in (
        lambda: store.get(b"a"),
        lambda: rows(store),
        lambda: store.write({b"a": b"2"}, sync=True),
    ):
        with pytest.raises(StoreError):
            call()


def test_reads_may_run_while_a_write_runs(store: Store) -> None:
    """Another thread always sees a whole batch or nothing of it."""
    done = Event()

    def read() -> int:
        reads = 0
        while not done.is_set() or not reads:
            found = rows(store)
            assert len({value for _, value in found}) <= 1
            assert len(found) in (0, 20)
            reads += 1
        return reads

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        for number in range(100):
            value = b"%d" % number
            store.write({b"%02d" % key: value for key in range(20)}, sync=False)
        done.set()
        assert reading.result(timeout=30) >= 1


_keys = st.binary(max_size=3)
_batches = st.lists(
    st.dictionaries(_keys, st.none() | st.binary(max_size=5), max_size=6), max_size=8
)


@pytest.mark.parametrize("name", STORES)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=_batches, borders=st.tuples(_keys, _keys))
def test_a_store_is_a_sorted_dictionary(
    name: str,
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[dict[bytes, bytes | None]],
    borders: tuple[bytes, bytes],
) -> None:
    """After any batches a store answers like a dictionary with its keys in order."""
    store = STORES[name](tmp_path_factory.mktemp("store"))
    model: dict[bytes, bytes] = {}
    for batch in batches:
        store.write(batch, sync=False)
        for key, value in batch.items():
            if value is None:
                model.pop(key, None)
            else:
                model[key] = value
        assert {key: store.get(key) for key in batch} == {key: model.get(key) for key in batch}
    start, stop = borders
    assert rows(store) == sorted(model.items())
    assert rows(store, start, stop) == sorted(
        (key, value) for key, value in model.items() if start <= key < stop
    )
    store.close()
