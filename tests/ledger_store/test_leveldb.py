"""The LevelDB adapter: opening, damage, and what is durable."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import plyvel
import pytest

from ledger.errors import StoreBusyError, StoreError
from ledger.leveldb import LevelDB
from tests.support.repository import ROOT

ROWS = {b"key %03d" % number: bytes(100) + b"%d" % number for number in range(200)}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A closed store with rows, written in many batches."""
    path = tmp_path / "data"
    store = LevelDB(path, create=True)
    for key, value in ROWS.items():
        store.write({key: value}, sync=False)
    store.close()
    return path


def test_what_was_closed_opens_again(directory: Path) -> None:
    """All rows are there after opening without `create`."""
    store = LevelDB(directory)
    assert dict(store.scan(b"", b"\xff")) == ROWS
    store.close()


def test_a_missing_directory_is_refused_and_not_made(tmp_path: Path) -> None:
    """A mistyped path is a StoreError that names it, and nothing appears there."""
    for path in (tmp_path / "typo", tmp_path / "no" / "such"):
        with pytest.raises(StoreError, match=path.name) as refused:
            LevelDB(path)
        assert not isinstance(refused.value, StoreBusyError)
        assert not path.exists()
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(StoreError, match="no ledger"):
        LevelDB(empty)
    assert list(empty.iterdir()) == []


def test_creating_over_a_store_is_refused(directory: Path) -> None:
    """`create` never opens what is there."""
    with pytest.raises(StoreError, match="exists"):
        LevelDB(directory, create=True)
    store = LevelDB(directory)
    assert store.get(b"key 000") == ROWS[b"key 000"]
    store.close()


def test_creating_where_no_folder_can_be_is_refused(tmp_path: Path) -> None:
    """A path under a file is a StoreError in words, not in a bytes literal."""
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(StoreError, match="cannot open") as refused:
        LevelDB(file / "data", create=True)
    assert "b'" not in str(refused.value)
    assert not isinstance(refused.value, StoreBusyError)


@pytest.mark.parametrize("create", [False, True])
def test_a_second_open_is_refused(directory: Path, create: bool) -> None:
    """While one holds it, another open is refused as busy; afterwards it opens."""
    first = LevelDB(directory)
    with pytest.raises(StoreBusyError, match="in use"):
        LevelDB(directory, create=create)
    assert first.get(b"key 001") == ROWS[b"key 001"]
    first.close()
    LevelDB(directory).close()


def test_a_second_process_is_refused(directory: Path) -> None:
    """The lock holds between processes."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom ledger.errors import StoreBusyError\n"
        "from ledger.leveldb import LevelDB\n"
        "try:\n    LevelDB(Path(sys.argv[1]))\nexcept StoreBusyError:\n    print('busy')\n"
    )
    store = LevelDB(directory)
    said = subprocess.run(
        [sys.executable, "-c", script, str(directory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert said.stdout == "busy\n"
    store.close()


@pytest.mark.parametrize("content", [b"", b"garbage\n", b"MANIFEST-999999\n", b"MANIFEST-000002"])
def test_a_damaged_current_file_is_refused(directory: Path, content: bytes) -> None:
    """A CURRENT file that names nothing is a StoreError, and is not taken for a new store."""
    (directory / "CURRENT").write_bytes(content)
    with pytest.raises(StoreError, match="cannot open") as refused:
        LevelDB(directory)
    assert not isinstance(refused.value, StoreBusyError)


def test_a_missing_current_file_is_refused(directory: Path) -> None:
    """Without CURRENT there is no ledger here, whatever else lies there."""
    (directory / "CURRENT").unlink()
    with pytest.raises(StoreError, match="no ledger"):
        LevelDB(directory)


@pytest.mark.parametrize("position", [0.1, 0.5, 0.9])
def test_a_damaged_record_refuses_to_open(directory: Path, position: float) -> None:
    """A flipped bit in the write-ahead log is said, not passed over with the rows behind it."""
    log = max(directory.glob("*.log"), key=lambda path: path.stat().st_size)
    data = bytearray(log.read_bytes())
    data[int(len(data) * position)] ^= 0x40
    log.write_bytes(data)
    with pytest.raises(StoreError, match="cannot open"):
        LevelDB(directory)


def test_a_torn_last_record_is_what_was_never_acknowledged(directory: Path) -> None:
    """A log cut in its last record opens with all rows but that one."""
    log = max(directory.glob("*.log"), key=lambda path: path.stat().st_size)
    log.write_bytes(log.read_bytes()[:-5])
    store = LevelDB(directory)
    assert dict(store.scan(b"", b"\xff")) == dict(list(ROWS.items())[:-1])
    store.close()


def test_synced_batches_survive_kill(tmp_path: Path) -> None:
    """What `write` had returned for is there after SIGKILL."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom ledger.leveldb import LevelDB\n"
        "store = LevelDB(Path(sys.argv[1]), create=True)\nnumber = 0\n"
        "while True:\n"
        "    store.write({b'%08d' % number: b'x' * 1000, b'last': b'%d' % number}, sync=True)\n"
        "    print(number, flush=True)\n    number += 1\n"
    )
    path = tmp_path / "data"
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(50)][-1]
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait(timeout=60)
    store = LevelDB(path)
    last = int(store.get(b"last") or b"-1")
    assert last >= acknowledged
    assert len(list(store.scan(b"0", b"9"))) == last + 1
    store.close()


def test_failures_while_open_are_store_errors(directory: Path) -> None:
    """What the library raises under a read, a scan or a write becomes a StoreError."""

    class Broken:
        """A database of which every call fails like a disk."""

        def get(self, key: bytes, *, verify_checksums: bool) -> bytes:
            raise plyvel.IOError(b"IO error: disk")

        def iterator(self, *, start: bytes, stop: bytes, verify_checksums: bool) -> object:
            raise plyvel.CorruptionError(b"Corruption: block")

        def write_batch(self, *, sync: bool) -> object:
            raise OSError(28, "No space left on device")

    store = LevelDB(directory)
    store.close()
    store._db = Broken()
    with pytest.raises(StoreError, match="reading failed: IO error: disk"):
        store.get(b"a")
    with pytest.raises(StoreError, match="reading failed: Corruption: block"):
        store.scan(b"a", b"b")
    with pytest.raises(StoreError, match=r"writing failed: .*No space"):
        store.write({b"a": b"1"}, sync=True)


def test_reading_a_damaged_table_is_a_store_error(directory: Path) -> None:
    """A flipped bit in a stored value is an error, for a scan and for a single read."""
    database = plyvel.DB(str(directory))
    database.compact_range()
    database.close()
    table = max(directory.glob("*.ldb"), key=lambda path: path.stat().st_size)
    data = bytearray(table.read_bytes())
    data[100] ^= 0xFF
    table.write_bytes(data)
    store = LevelDB(directory)
    with pytest.raises(StoreError, match="reading failed"):
        list(store.scan(b"", b"\xff"))
    with pytest.raises(StoreError, match="reading failed"):
        store.get(b"key 000")
    store.close()
