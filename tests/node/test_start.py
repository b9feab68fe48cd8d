"""Starting a real node on files that do not belong together: refused, with what to do."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kms.errors import KeyServiceStateError
from ledger.errors import StoreError
from ledger.leveldb import LevelDB
from ledger.reason import Reason
from node.errors import ConfigError, DamagedError, NodeError, RollbackError
from node.fsck_home import check_home
from tests.support.faults import Call, Fault, FaultyStore, When
from tests.support.raw_client import RawClient
from tests.support.real_node import (
    COLLECTION,
    Found,
    RealNetwork,
    Serving,
    found,
    serving,
)


@pytest.fixture
def network(founded: RealNetwork) -> RealNetwork:
    """A founded network with one app."""
    return founded


@asynccontextmanager
async def written(network: RealNetwork, *values: bytes) -> AsyncIterator[Serving]:
    """Its node, after an app put these values under one name."""
    async with serving(network) as node:
        async with node.client() as client:
            for value in values:
                await client.put("name", value)
        yield node


async def grow(network: RealNetwork, *values: bytes) -> None:
    """Run the node, put, stop."""
    async with written(network, *values):
        pass


async def test_restart_keeps_what_stands(network: RealNetwork) -> None:
    """What was put before a stop is read after the start, and versions go on."""
    await grow(network, b"one", b"two")
    async with serving(network) as node, node.client() as client:
        assert (await client.get("name")).value == b"two"
        assert (await client.get("name", 1)).value == b"one"
        assert (await client.put("name", b"three")).version == 3
    assert _fsck(network) == ()


async def test_restored_older_data(network: RealNetwork, tmp_path: Path) -> None:
    """A restored older copy of the data does not start; the error says what happened and to do."""
    await grow(network, b"one")
    shutil.copytree(network.home.data, tmp_path / "backup")
    await grow(network, b"two")
    shutil.rmtree(network.home.data)
    shutil.copytree(tmp_path / "backup", network.home.data)
    with pytest.raises(RollbackError, match="but this node already signed") as raised:
        await grow(network)
    assert "bring the newest data back" in raised.value.hint
    (finding,) = _fsck(network)
    assert "already signed" in finding


async def test_restored_data_and_lock(network: RealNetwork, tmp_path: Path) -> None:
    """Data and lock from one old backup are still refused: the key service has seen more."""
    await grow(network, b"one")
    shutil.copytree(network.home.data, tmp_path / "data")
    shutil.copytree(network.home.lock.parent, tmp_path / "lock")
    await grow(network, b"two")
    for place, backup in ((network.home.data, "data"), (network.home.lock.parent, "lock")):
        shutil.rmtree(place)
        shutil.copytree(tmp_path / backup, place)
    with pytest.raises(RollbackError, match="the key service has seen") as raised:
        await grow(network)
    assert "bring the newest data back" in raised.value.hint


async def test_data_of_another_history(network: RealNetwork, tmp_path: Path) -> None:
    """Data and lock that went another way than the key service's checkpoint do not start."""
    await grow(network, b"one")
    for name in ("data", "lock"):
        shutil.copytree(network.home.root / name, tmp_path / name)
    kept = network.home.key_service.read_bytes()
    await grow(network, b"two")
    newer = network.home.key_service.read_bytes()
    for name in ("data", "lock"):
        shutil.rmtree(network.home.root / name)
        shutil.copytree(tmp_path / name, network.home.root / name)
    network.home.key_service.write_bytes(kept)
    await grow(network, b"other", b"more")
    network.home.key_service.write_bytes(newer)
    with pytest.raises(RollbackError, match="does not certify these data") as raised:
        await grow(network)
    assert "of one node together" in raised.value.hint


async def test_older_key_service_is_brought_forward(network: RealNetwork) -> None:
    """An older sealed state only costs a longer proof: the node starts and releases."""
    kept = network.home.key_service.read_bytes()
    await grow(network, b"one", b"two")
    network.home.key_service.write_bytes(kept)
    async with serving(network) as node, node.client() as client:
        assert (await client.get("name")).value == b"two"


@pytest.mark.parametrize("part", ["data", "genesis", "lock", "node_key", "key_service"])
async def test_files_of_another_network(network: RealNetwork, tmp_path: Path, part: str) -> None:
    """Each file of another network in this home is refused, and nothing of either is changed."""
    other = found(tmp_path / "other", Found(name="other", platform=network.home.platform))
    await grow(network, b"one")
    theirs, ours = getattr(other.home, part), getattr(network.home, part)
    if ours.is_dir():
        shutil.rmtree(ours)
        shutil.copytree(theirs, ours)
    else:
        ours.write_bytes(theirs.read_bytes())
    kept = network.home.lock.read_bytes()
    expected = {
        "data": (DamagedError, "belongs to another genesis"),
        "genesis": (DamagedError, "belongs to another genesis"),
        "lock": (DamagedError, "belongs to another network"),
        "node_key": (ConfigError, "none of the network's cosigners"),
        "key_service": (KeyServiceStateError, "another"),
    }
    kind, message = expected[part]
    with pytest.raises(kind, match=message):
        await grow(network)
    assert network.home.lock.read_bytes() == kept


async def test_second_node_on_one_home(network: RealNetwork) -> None:
    """A home that is in use is refused at once, and the running node does not notice."""
    async with written(network, b"one") as node:
        with pytest.raises(NodeError, match="in use") as raised:
            await grow(network)
        assert "sealedger node status" in raised.value.hint
        async with node.client() as client:
            assert (await client.get("name")).value == b"one"


async def test_readable_key_is_refused(network: RealNetwork) -> None:
    """A node key that others can read does not start a node; the hint is the command."""
    network.home.node_key.chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by others") as raised:
        await grow(network)
    assert raised.value.hint.startswith("chmod 600")


@pytest.mark.parametrize("name", ["data", "genesis", "node_key", "lock", "key_service"])
async def test_missing_file(network: RealNetwork, name: str) -> None:
    """Each file that is gone is named, with an error of ours."""
    place = getattr(network.home, name)
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink()
    errors = (ConfigError, StoreError, RollbackError, KeyServiceStateError)
    with pytest.raises(errors) as raised:
        await grow(network)
    assert str(raised.value)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["write", "get"])
async def test_failing_disk_end_to_end(
    network: RealNetwork, monkeypatch: pytest.MonkeyPatch, call: Call, when: When
) -> None:
    """A disk that fails under a real node: waiting calls get INTERNAL, then the same bytes stand.

    The node tells who waits for it to stop; a restart answers the same transaction, once.
    """
    fault = Fault(call, 0, when, is_armed=False)
    opened: list[FaultyStore] = []

    def open_store(directory: Path) -> FaultyStore:
        opened.append(FaultyStore(LevelDB(directory), fault))
        return opened[-1]

    monkeypatch.setattr("node.app.LevelDB", open_store)
    async with serving(network) as node:
        async with await RawClient.open(node.file, network.app("app")) as client:
            await client.acquire(COLLECTION)
            sent = client.make(client.put("name", b"value", COLLECTION))
            fault.is_armed = True
            refusal = await client.answer(sent)
            assert getattr(refusal, "reason", None) is Reason.INTERNAL
            again = await client.answer(client.make(client.put("other", b"value", COLLECTION)))
            assert getattr(again, "reason", None) is Reason.INTERNAL
            assert isinstance(await node.running.engine.failed(), StoreError)
        fault.is_armed = False
    opened[0].verify()
    monkeypatch.undo()
    assert _fsck(network) == ()
    async with serving(network) as node:
        async with await RawClient.open(node.file, network.app("app")) as after:
            first, second = await after.answer(sent), await after.answer(sent)
        assert getattr(first, "index", None) == getattr(second, "index", -1)
        async with node.client() as reader:
            got = await reader.get("name")
            assert (got.version, got.value) == (1, b"value")
    assert _fsck(network) == ()


def _fsck(network: RealNetwork) -> tuple[str, ...]:
    done = check_home(network.home, network.home.lock, renew_lock=False)
    return tuple(map(str, done.report.findings))
