"""The rollback lock: forward only, through torn writes, for one network and one process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import DamagedError, LockDamagedError, LockMissingError, NodeError, RollbackError
from node.rollback_lock import SLOT_BYTES, Locked, RollbackLock
from tests.support.repository import ROOT

NETWORK = b"\x07" * 32
_HOLD = """
import sys
from pathlib import Path
from node.rollback_lock import RollbackLock
lock = RollbackLock(Path(sys.argv[1]), bytes.fromhex(sys.argv[2]))
print("held", flush=True)
sys.stdin.read()
"""


def tree(size: int) -> Locked:
    """A tree of this size."""
    return Locked(size, bytes((size % 256,)) * 32)


def newest(path: Path) -> Locked:
    """What a new process reads."""
    lock = RollbackLock(path, NETWORK)
    try:
        return lock.newest
    finally:
        lock.close()


def advance_to(path: Path, *sizes: int) -> None:
    """Advance through trees of these sizes."""
    lock = RollbackLock(path, NETWORK)
    try:
        for size in sizes:
            lock.advance(lock.newest, tree(size))
    finally:
        lock.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A lock at size 1."""
    RollbackLock.create(tmp_path / "rollback", NETWORK, tree(1))
    return tmp_path / "rollback"


def test_keeps_the_newest(path: Path) -> None:
    """Each advance is what the next process reads."""
    assert newest(path) == tree(1)
    for size in (2, 3, 10, 11):
        advance_to(path, size)
        assert newest(path) == tree(size)
    assert path.stat().st_size == 2 * SLOT_BYTES
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("new", [tree(4), Locked(5, b"\xff" * 32), Locked(0, bytes(32))])
def test_never_goes_back(path: Path, new: Locked) -> None:
    """A smaller tree, or another root of the same size, is refused and changes nothing."""
    advance_to(path, 5)
    lock = RollbackLock(path, NETWORK)
    with pytest.raises(DamagedError, match="moved under us"):
        lock.advance(tree(5), new)
    assert lock.newest == tree(5)
    lock.advance(tree(5), tree(5))
    lock.advance(tree(5), tree(6))
    lock.close()
    assert newest(path) == tree(6)


def test_compares_before_it_sets(path: Path) -> None:
    """Who expects another tree than the locked one may not advance."""
    lock = RollbackLock(path, NETWORK)
    with pytest.raises(DamagedError, match="moved under us"):
        lock.advance(tree(2), tree(3))
    lock.close()
    assert newest(path) == tree(1)


@pytest.mark.parametrize("cut", [0, 1, 40, 120, SLOT_BYTES - 16, SLOT_BYTES - 1])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_torn_write_leaves_the_one_before(path: Path, count: int, cut: int) -> None:
    """A write that stopped anywhere leaves the old tree or the new one, and the lock works on."""
    advance_to(path, *range(2, 2 + count))
    before = path.read_bytes()
    advance_to(path, 2 + count)
    after = path.read_bytes()
    at = next(at for at in (0, SLOT_BYTES) if before[at : at + SLOT_BYTES] != after[at : at + 128])
    path.write_bytes(after[: at + cut] + before[at + cut :])
    assert newest(path) in (tree(1 + count), tree(2 + count))
    if 8 < cut < 120:
        assert newest(path) == tree(1 + count)
    advance_to(path, 50, 51)
    assert newest(path) == tree(51)


def test_one_damaged_slot(path: Path) -> None:
    """Any changed byte of a slot makes it nothing; the other one counts."""
    advance_to(path, 2)
    whole = path.read_bytes()
    for at in range(SLOT_BYTES - 8):
        for start, other in ((0, tree(2)), (SLOT_BYTES, tree(1))):
            damaged = bytearray(whole)
            damaged[start + at] ^= 1
            path.write_bytes(damaged)
            assert newest(path) == other


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 256, b"\0" * 255, b"\xff" * 256, b"sealroll" + b"\0" * 248]
)
def test_both_slots_damaged(path: Path, data: bytes) -> None:
    """Without a whole slot the lock is refused, and the hint says how to renew it."""
    path.write_bytes(data)
    with pytest.raises(LockDamagedError) as raised:
        RollbackLock(path, NETWORK)
    assert "--renew-lock" in raised.value.hint


@pytest.mark.parametrize("length", [255, 257])
def test_another_length(path: Path, length: int) -> None:
    """A file of another length is no lock, though a slot of it is whole."""
    path.write_bytes(path.read_bytes().ljust(length, b"\0")[:length])
    with pytest.raises(LockDamagedError):
        RollbackLock(path, NETWORK)


@given(data=st.binary(max_size=300))
def test_random_bytes_raise_our_errors(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    """Whatever is in the file, it is a lock or an error of ours."""
    path = tmp_path_factory.getbasetemp() / "random-lock"
    path.write_bytes(data)
    with pytest.raises(NodeError):
        RollbackLock(path, NETWORK)


def test_wrong_network(path: Path) -> None:
    """The lock of another network is refused; it is neither missing nor damaged."""
    with pytest.raises(DamagedError, match="another network") as raised:
        RollbackLock(path, b"\x08" * 32)
    assert not isinstance(raised.value, LockDamagedError)
    assert newest(path) == tree(1)


def test_missing(tmp_path: Path) -> None:
    """A missing lock is refused, never made by opening."""
    with pytest.raises(LockMissingError) as raised:
        RollbackLock(tmp_path / "rollback", NETWORK)
    assert "bring the newest lock file" in raised.value.hint
    assert not (tmp_path / "rollback").exists()


def test_held_by_another_process(path: Path) -> None:
    """One process at a time; when it ends, even by SIGKILL, the next may have it."""
    with subprocess.Popen(
        (sys.executable, "-c", _HOLD, str(path), NETWORK.hex()),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT)},
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(RollbackError, match="held by another process") as raised:
            RollbackLock(path, NETWORK)
        assert "stop the node" in raised.value.hint
        assert not isinstance(raised.value, LockMissingError)
        holder.kill()
        holder.wait()
    assert newest(path) == tree(1)


def test_held_in_this_process(path: Path) -> None:
    """A second opening in the same process is refused too, and closing gives the lock free."""
    lock = RollbackLock(path, NETWORK)
    with pytest.raises(RollbackError, match="held"):
        RollbackLock(path, NETWORK)
    lock.close()
    lock.close()
    assert newest(path) == tree(1)


def test_create_never_replaces(path: Path) -> None:
    """Creating where a lock stands is refused."""
    with pytest.raises(FileExistsError):
        RollbackLock.create(path, NETWORK, tree(9))
    assert newest(path) == tree(1)


def test_replace_is_whole_or_nothing(tmp_path: Path) -> None:
    """A new lock takes the place of a damaged one, also after a replacement that was cut short."""
    path = tmp_path / "deep" / "rollback"
    RollbackLock.replace(path, NETWORK, tree(4))
    assert newest(path) == tree(4)
    path.write_bytes(b"damaged")
    path.with_name("rollback.new").write_bytes(b"cut short")
    RollbackLock.replace(path, NETWORK, tree(5))
    assert newest(path) == tree(5)
    assert [one.name for one in path.parent.iterdir()] == ["rollback"]


def test_advance_is_synced(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An advance counts when its bytes were written and then synced, in this order."""
    calls: list[str] = []
    write, sync = os.pwrite, os.fdatasync

    def pwrite(file: int, data: bytes, at: int) -> int:
        calls.append("write")
        return write(file, data, at)

    def fdatasync(file: int) -> None:
        calls.append("sync")
        sync(file)

    monkeypatch.setattr(os, "pwrite", pwrite)
    monkeypatch.setattr(os, "fdatasync", fdatasync)
    advance_to(path, 2, 3)
    assert calls == ["write", "sync", "write", "sync"]

    def fail(_: int) -> None:
        raise OSError(5, "the test's disk failed")

    monkeypatch.setattr(os, "fdatasync", fail)
    lock = RollbackLock(path, NETWORK)
    with pytest.raises(OSError, match="the test's disk failed"):
        lock.advance(tree(3), tree(4))
    assert lock.newest == tree(3)
    lock.close()


def test_failing_disk_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails or stops half-way does not count as advanced."""
    lock = RollbackLock(path, NETWORK)
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, at: whole(file, data[:60], at))
    with pytest.raises(DamagedError, match="in part"):
        lock.advance(tree(1), tree(2))
    monkeypatch.undo()
    assert lock.newest == tree(1)
    lock.close()
    assert newest(path) == tree(1)
