"""``sealedger node fsck`` and ``status`` as an operator types them."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from ledger import keys
from ledger.leveldb import LevelDB
from node.config import NodeConfig
from tests.support.command_line import Command
from tests.support.real_node import Found, RealNetwork, Serving, found, listening, serving

NAME = "planted-name"
VALUE = b"planted value"


@pytest.fixture
async def network(founded: RealNetwork) -> RealNetwork:
    """A network whose node ran and was stopped; one value stands."""
    async with serving(founded) as node, node.client() as client:
        await client.put(NAME, VALUE)
        assert (await client.get(NAME)).value == VALUE
    return founded


def spoil(network: RealNetwork) -> None:
    """Change the stored outcome of the session's opening."""
    store = LevelDB(network.home.data)
    store.write({keys.operations(3): store.get(keys.operations(5))}, sync=True)
    store.close()


def listen_on(node: Serving) -> None:
    """Say in node.toml which port the node got."""
    listen = listening(f"127.0.0.1:{node.running.port}")
    node.network.home.config.write_bytes(NodeConfig.model_validate(listen).encode())


async def test_fsck_of_a_clean_home(network: RealNetwork, command: Command) -> None:
    """A clean home: exit 0, the counts, nothing on standard error; nothing is left behind."""
    before = sorted(network.home.root.iterdir())
    home = str(network.home.root)
    said = await command("node", "fsck", "--home", home)
    assert (said.code, said.err) == (0, "")
    assert "clean         yes" in said.out
    fields = json.loads((await command("node", "fsck", "--home", home, "--json")).out)
    assert fields["clean"] is True
    assert fields["complete"] is True
    assert fields["findings"] == []
    assert fields["payloads"] == 2
    assert fields["entries"] == 1 + fields["blocks"] + fields["transactions"]
    assert fields["network_id"] == network.file.network_id.hex()
    assert sorted(network.home.root.iterdir()) == before


async def test_fsck_of_a_damaged_home(network: RealNetwork, command: Command) -> None:
    """Damage: exit 1, the first finding on standard error with a hint, all in the report."""
    spoil(network)
    said = await command("node", "fsck", "--home", str(network.home.root), "--json")
    fields = json.loads(said.out)
    assert said.code == 1
    assert fields["clean"] is False
    assert fields["findings"][0].startswith("entry 3: ")
    assert "sealedger: error: " in said.err
    assert "entry 3: " in said.err
    assert "hint: do not start this node on these data" in said.err
    plain = await command("node", "fsck", "--home", str(network.home.root))
    assert plain.code == 1
    assert "finding 1 " in plain.out
    for text in (said.out, said.err, plain.out, plain.err):
        assert NAME not in text
        assert "Traceback" not in text


async def test_fsck_refuses_while_the_node_runs(network: RealNetwork, command: Command) -> None:
    """A running node's home is not opened, with and without its lock file; the node goes on."""
    home = str(network.home.root)
    async with serving(network) as node:
        said = await command("node", "fsck", "--home", home)
        assert said.code == 1
        assert "held by another process" in said.err
        assert "hint: stop the node that uses this home first" in said.err
        network.home.lock.rename(network.home.root / "elsewhere")
        said = await command("node", "fsck", "--home", home, "--renew-lock")
        assert said.code == 1
        assert "is in use" in said.err
        assert "stop the node" in said.err
        assert not network.home.lock.exists()
        (network.home.root / "elsewhere").rename(network.home.lock)
        async with node.client() as client:
            assert (await client.get(NAME)).value == VALUE


@pytest.mark.parametrize("how", ["missing", "damaged"])
async def test_renewing_a_lost_lock(network: RealNetwork, command: Command, how: str) -> None:
    """A lost lock fails the check; renewed after a clean one, the node starts again."""
    if how == "missing":
        shutil.rmtree(network.home.lock.parent)
    else:
        network.home.lock.write_bytes(b"damaged")
    home = str(network.home.root)
    said = await command("node", "fsck", "--home", home)
    assert said.code == 1
    assert f"is {how}" in said.err
    assert "--renew-lock" in said.err
    renewed = await command("node", "fsck", "--home", home, "--renew-lock", "--json")
    assert (renewed.code, json.loads(renewed.out)["lock_renewed"]) == (0, True)
    async with serving(network) as node, node.client() as client:
        assert (await client.get(NAME)).value == VALUE
    assert (await command("node", "fsck", "--home", home)).code == 0


async def test_no_new_lock_for_damaged_data(network: RealNetwork, command: Command) -> None:
    """Data that are not clean get no new lock."""
    spoil(network)
    network.home.lock.unlink()
    said = await command("node", "fsck", "--home", str(network.home.root), "--renew-lock")
    assert said.code == 1
    assert not network.home.lock.exists()


async def test_renewing_is_no_way_back(
    network: RealNetwork, command: Command, tmp_path: Path
) -> None:
    """Older data under a lock that can be read stay refused, whatever is asked for."""
    shutil.copytree(network.home.data, tmp_path / "backup")
    async with serving(network):
        pass
    shutil.rmtree(network.home.data)
    shutil.copytree(tmp_path / "backup", network.home.data)
    before = network.home.lock.read_bytes()
    said = await command("node", "fsck", "--home", str(network.home.root), "--renew-lock")
    assert said.code == 1
    assert "already signed" in said.err
    assert network.home.lock.read_bytes() == before


async def test_lock_of_another_network_is_not_replaced(
    network: RealNetwork, command: Command, tmp_path: Path
) -> None:
    """The lock of another network is neither missing nor unreadable: it stays."""
    other = found(tmp_path / "other", Found(name="other", platform=network.home.platform))
    theirs = other.home.lock.read_bytes()
    network.home.lock.write_bytes(theirs)
    said = await command("node", "fsck", "--home", str(network.home.root), "--renew-lock")
    assert said.code == 1
    assert "belongs to another network" in said.err
    assert network.home.lock.read_bytes() == theirs


async def test_fsck_without_data(network: RealNetwork, command: Command) -> None:
    """A home without data, or without genesis, is an error with a hint, not a trace."""
    shutil.rmtree(network.home.data)
    said = await command("node", "fsck", "--home", str(network.home.root))
    assert said.code == 1
    assert "no ledger in the data directory" in said.err
    network.home.genesis.unlink()
    said = await command("node", "fsck", "--home", str(network.home.root))
    assert said.code == 1
    assert "genesis.pb" in said.err


async def test_status_of_a_running_node(network: RealNetwork, command: Command) -> None:
    """Status says health, network, origin, entries and block time of the node that runs."""
    home = str(network.home.root)
    async with serving(network) as node:
        listen_on(node)
        said = await command("node", "status", "--home", home, "--json")
        plain = await command("node", "status", "--home", home)
        head = node.running.replica.head
    fields = json.loads(said.out)
    assert (said.code, said.err) == (0, "")
    assert fields["health"] == "SERVING"
    assert fields["network_id"] == network.file.network_id.hex()
    assert fields["origin"] == network.file.origin
    assert fields["entries"] == head.size
    assert fields["block_time"].endswith("Z")
    assert f"entries     {head.size}" in plain.out


async def test_status_without_a_node(network: RealNetwork, command: Command) -> None:
    """Nothing listens: exit 1 and what to do; the database is not touched."""
    async with serving(network) as node:
        listen_on(node)
    said = await command("node", "status", "--home", str(network.home.root))
    assert said.code == 1
    assert "no node answers at 127.0.0.1:" in said.err
    assert "hint: start it" in said.err


async def test_status_of_another_network(
    network: RealNetwork, command: Command, tmp_path: Path
) -> None:
    """Another network's node at the address is named as that."""
    other = found(tmp_path / "other", Found(name="other", platform=network.home.platform))
    async with serving(other) as node:
        listen_on(node)
        shutil.copy(other.home.config, network.home.config)
        home = str(network.home.root)
        said = await command("node", "status", "--home", home)
    assert said.code == 1
    assert f"is of network {other.file.network_id.hex()}" in said.err


async def test_status_of_something_else(network: RealNetwork, command: Command) -> None:
    """Something that speaks no TLS at the address is no node."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    listen = listening(f"127.0.0.1:{port}")
    network.home.config.write_bytes(NodeConfig.model_validate(listen).encode())
    home = str(network.home.root)
    said = await command("node", "status", "--home", home)
    server.close()
    await server.wait_closed()
    assert said.code == 1
    assert "no node answers" in said.err
    assert "Traceback" not in said.err
