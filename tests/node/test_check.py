"""``sealedger node config check``, and the same check at the beginning of ``node start``."""

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from node.checks import check_files, is_free
from node.cli.node import CORE_MANIFEST
from node.config import NodeConfig
from node.home import Home
from tests.support.command_line import Command
from tests.support.real_node import Found, RealNetwork, found, listening, serving

Spoil = Callable[[Home], object]

# What is done to a sound home; which file is named; what is said; what would be right.
FAULTS: dict[str, tuple[Spoil, str, str, str]] = {
    "no node.toml": (lambda home: home.config.unlink(), "config", "is missing", "node init"),
    "no genesis": (lambda home: home.genesis.unlink(), "genesis", "cannot read", "node init"),
    "other genesis": (lambda home: home.genesis.write_bytes(b"?"), "genesis", "", "bring back"),
    "no network file": (lambda home: home.network.unlink(), "network", "network file", ""),
    "no node key": (lambda home: home.node_key.unlink(), "node_key", "cannot read", "bring back"),
    "short node key": (lambda home: home.node_key.write_bytes(b"7"), "node_key", "1 bytes", "back"),
    "other node key": (
        lambda home: home.node_key.write_bytes(bytes(32)),
        "node_key",
        "none of the network's cosigners",
        "put back the keys",
    ),
    "open node key": (
        lambda home: home.node_key.chmod(0o640),
        "node_key",
        "mode 0640",
        "chmod 600",
    ),
    "open state": (lambda home: home.key_service.chmod(0o604), "key_service", "0604", "chmod 600"),
    "open home": (lambda home: home.root.chmod(0o707), "root", "written by everybody", "chmod o-w"),
    "no platform": (
        lambda home: shutil.rmtree(home.platform),
        "platform",
        "",
        "platform directory",
    ),
    "no state": (
        lambda home: home.key_service.unlink(),
        "key_service",
        "is missing",
        "put the key",
    ),
    "no data": (lambda home: shutil.rmtree(home.data), "data", "no ledger in", "newest data"),
    "no lock": (lambda home: home.lock.unlink(), "lock", "is missing", "renew-lock"),
    "damaged lock": (lambda home: home.lock.write_bytes(b"?"), "lock", "is damaged", "renew-lock"),
}


@pytest.fixture
def network(founded: RealNetwork) -> RealNetwork:
    """A founded network; its node is not running."""
    return founded


def test_a_sound_home_has_no_problems(network: RealNetwork) -> None:
    """Nothing is found where nothing is wrong, and nothing is changed by looking."""
    before = {path: path.stat().st_mtime_ns for path in network.home.root.rglob("*")}
    checked = check_files(network.home, CORE_MANIFEST, {})
    assert (checked.problems, checked.is_running) == ((), False)
    assert {path: path.stat().st_mtime_ns for path in network.home.root.rglob("*")} == before


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found(network: RealNetwork, fault: str) -> None:
    """One fault gives one problem, which names the file and says what would be right."""
    spoil, name, said, fix = FAULTS[fault]
    spoil(network.home)
    (problem,) = check_files(network.home, CORE_MANIFEST, {}).problems
    file: Path = getattr(network.home, name)
    assert problem.file == str(file)
    assert str(file) in problem.message or name == "node_key"
    assert said in problem.message
    assert fix in problem.fix
    assert problem.fix


def test_files_of_another_network(network: RealNetwork, tmp_path: Path) -> None:
    """The network file and the lock of another network are told apart from missing ones."""
    other = found(tmp_path / "other", Found(name="other", platform=network.home.platform)).home
    shutil.copy(other.network, network.home.network)
    shutil.copy(other.lock, network.home.lock)
    said = [one.message for one in check_files(network.home, CORE_MANIFEST, {}).problems]
    assert len(said) == 2
    assert "is of another network than" in said[0]
    assert "belongs to another network" in said[1]


def test_a_missing_manifest(network: RealNetwork, tmp_path: Path) -> None:
    """The manifest that node.toml names is read and its files are measured."""
    table = {**listening("127.0.0.1:0"), "platform": {"manifest": tmp_path / "none.toml"}}
    network.home.config.write_bytes(NodeConfig.model_validate(table).encode())
    (problem,) = check_files(network.home, CORE_MANIFEST, {}).problems
    assert problem.file == str(tmp_path / "none.toml")
    assert "not a readable manifest" in problem.message


@pytest.mark.parametrize(
    "kind, said",
    [("gramine", "attestation_type"), ("tsm", "configfs"), ("occlum", "not Occlum's device")],
)
def test_a_platform_that_is_not_there(network: RealNetwork, kind: str, said: str) -> None:
    """What node.toml chooses and this machine lacks is a problem of its line."""
    free = '[grpc]\nlisten = "127.0.0.1:0"\n[http]\nlisten = "127.0.0.1:0"\n'
    network.home.config.write_text(f'{free}[platform]\nkind = "{kind}"\n')
    (problem,) = check_files(network.home, CORE_MANIFEST, {}).problems
    assert (problem.line, problem.field) == (6, "platform.kind")
    assert str(network.home.config) in problem.message
    assert said in problem.message
    assert "sealedger platform show" in problem.fix


def test_settings_of_the_ended_service(network: RealNetwork) -> None:
    """IAS settings are a problem, beside whatever else is wrong."""
    network.home.lock.unlink()
    problems = check_files(network.home, CORE_MANIFEST, {"IAS_SPID": "1"}).problems
    assert [one.file for one in problems] == ["environment", str(network.home.lock)]
    assert "April 2025" in problems[0].message
    assert problems[0].fix == "unset IAS_SPID and IAS_KEY"


async def test_no_start_with_settings_of_the_ended_service(
    network: RealNetwork, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`node start` and `node init` refuse them before anything is opened or made."""
    monkeypatch.setenv("IAS_KEY", "1")
    for arguments in (("start",), ("init",)):
        said = await command("node", *arguments, "--home", str(network.home.root))
        assert said.code == 1
        assert "IAS_KEY set: Intel ended its attestation service" in said.err


def test_wrong_settings_hide_no_other_fault(network: RealNetwork) -> None:
    """With wrong settings the rest is looked at too, but for what the settings would name."""
    network.home.config.write_text('[grpc]\nlisten = "x"\n[ledger]\nlock = "y"\n')
    network.home.key_service.unlink()
    network.home.lock.unlink()
    problems = check_files(network.home, CORE_MANIFEST, {}).problems
    found_fields = [(one.line, one.field) for one in problems]
    assert found_fields == [(2, "grpc.listen"), (4, "ledger.lock"), (None, "")]


@pytest.mark.parametrize("table", ["grpc", "http"])
async def test_taken_address(network: RealNetwork, command: Command, table: str) -> None:
    """An address that another program has is a problem of its line in node.toml."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        assert not is_free(listen)
        settings = {name: listen if name == table else "127.0.0.1:0" for name in ("grpc", "http")}
        lines = (f'{name}.listen = "{address}"\n' for name, address in settings.items())
        network.home.config.write_text("".join(lines))
        said = await command("node", "config", "check", "--home", str(network.home.root), "--json")
    assert said.code == 1
    (problem,) = json.loads(said.out)["problems"]
    assert problem["field"] == f"{table}.listen"
    assert problem["line"] == {"grpc": 1, "http": 2}[table]
    assert problem["problem"] == f"cannot listen on {listen}"
    assert problem["file"] == str(network.home.config)
    assert is_free(listen)


def test_addresses_that_cannot_be_had() -> None:
    """Another machine's address, and a name that nobody has, are not free; port 0 always is."""
    assert is_free("127.0.0.1:0")
    assert is_free("[::1]:0") or not socket.has_ipv6
    assert not is_free("192.0.2.1:8700")
    assert not is_free("name.invalid.:8700")


def test_one_address_for_both(network: RealNetwork) -> None:
    """gRPC and HTTP at one address cannot be."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
    network.home.config.write_text(f'[grpc]\nlisten = "{listen}"\n[http]\nlisten = "{listen}"\n')
    (problem,) = check_files(network.home, CORE_MANIFEST, {}).problems
    assert (problem.line, problem.field) == (4, "http.listen")
    assert "the same address" in problem.message


async def test_while_the_node_runs(network: RealNetwork, command: Command) -> None:
    """The addresses of a running node are its own: no problem, and the node does not notice."""
    home = str(network.home.root)
    async with serving(network) as node:
        listen = {
            "grpc": {"listen": f"127.0.0.1:{node.running.port}"},
            "http": {"listen": f"127.0.0.1:{node.running.http_port}"},
        }
        network.home.config.write_bytes(NodeConfig.model_validate(listen).encode())
        said = await command("node", "config", "check", "--home", home, "--json")
        async with node.client() as client:
            await client.put("name", b"value")
    assert (said.code, said.err) == (0, "")
    assert json.loads(said.out) == {"home": home, "running": True, "ok": True, "problems": []}


async def test_plain_output(network: RealNetwork, command: Command) -> None:
    """For people: each problem with its fix, then the error of a command that failed."""
    home = str(network.home.root)
    sound = await command("node", "config", "check", "--home", home)
    assert (sound.code, sound.err) == (0, "")
    assert "ok       yes" in sound.out
    network.home.node_key.chmod(0o644)
    network.home.key_service.unlink()
    said = await command("node", "config", "check", "--home", home)
    assert said.code == 1
    assert f"fix 1      chmod 600 {network.home.node_key}" in said.out
    assert "problem 2 " in said.out
    assert said.err.startswith("sealedger: error: 2 problems, the first: ")
    assert f"hint: chmod 600 {network.home.node_key}" in said.err


async def test_no_home_at_all(tmp_path: Path, command: Command) -> None:
    """Where nothing was founded, that is the one thing that is said."""
    said = await command("node", "config", "check", "--home", str(tmp_path / "none"))
    assert said.code == 1
    assert "problem 2" not in said.out
    assert said.err.endswith("hint: run sealedger node init\n")
    assert not (tmp_path / "none").exists()


async def test_start_checks_first(network: RealNetwork, command: Command) -> None:
    """`node start` refuses by the same check before it opens anything, in two lines."""
    network.home.node_key.chmod(0o644)
    network.home.config.write_text('[grpc]\nlisten = "x"\n')
    said = await command("node", "start", "--home", str(network.home.root))
    assert said.code == 1
    error, hint = said.err.splitlines()
    assert error == f"sealedger: error: {network.home.config}:2: grpc.listen: not of this form"
    assert hint.endswith("; 1 more: sealedger node config check")
