"""``sealedger receipt verify`` and ``network show``: what auditors type, against real receipts."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from enclave_client.errors import DeniedError, NotFoundError
from ledger.format.receipt import Opened, Receipt, decode_receipt, encode_receipt
from node.cli import main as program
from tests.support.real_node import COLLECTION, Serving, found, serving

SECRET = b"never in any output"


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    error: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """Receipt files by what they are of, and network files."""

    folder: Path

    def path(self, name: str) -> str:
        """A file."""
        return str(self.folder / name)

    @property
    def network(self) -> str:
        """The option that names the right network file."""
        return f"--network={self.folder / 'network.toml'}"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Receipts of a put, a read, a deletion, a read that found nothing and a denied one."""
    folder = tmp_path_factory.mktemp("receipts")
    asyncio.run(_fill(folder))
    return Shelf(folder)


async def _fill(folder: Path) -> None:
    network = found(folder / "a")
    async with serving(network) as node:
        node.file.save(folder / "network.toml")
        await _use(node, folder)
    found(folder / "b").file.save(folder / "other.toml")


async def _use(node: Serving, folder: Path) -> None:
    async with node.client("app") as client:
        (await client.put("tls/key.pem", SECRET)).receipt.save(folder / "put")
        (await client.get("tls/key.pem")).receipt.save(folder / "read")
        (await client.delete("tls/key.pem")).receipt.save(folder / "delete")
        with pytest.raises(NotFoundError) as missed:
            await client.get("tls/key.pem")
    async with node.client("other", COLLECTION) as client:
        with pytest.raises(DeniedError) as denied:
            await client.get("tls/key.pem")
    for name, error in (("missing", missed.value), ("denied", denied.value)):
        assert error.receipt is not None
        error.receipt.save(folder / name)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> "Runner":
    """The program, as the console script runs it."""
    return Runner(capsys, monkeypatch)


@dataclass(frozen=True, slots=True)
class Runner:
    """Calls `main` with arguments."""

    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *arguments: str) -> Said:
        """What it printed."""
        self.monkeypatch.setattr("sys.argv", ["sealedger", *arguments])
        code = 0
        try:
            program.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = self.capsys.readouterr()
        return Said(code, said.out, said.err)

    def verify(self, shelf: Shelf, name: str, *options: str) -> Said:
        """``receipt verify`` on a development network that is allowed."""
        given = (*options, "--allow-development")
        return self("receipt", "verify", shelf.path(name), shelf.network, *given)


@pytest.mark.parametrize(
    "name, operation, outcome, version",
    [
        ("put", "Put", "OK", 1),
        ("read", "Read", "OK", 1),
        ("delete", "Delete", "OK", 1),
        ("missing", "Read", "NOT_FOUND", None),
        ("denied", "Read", "DENIED", None),
    ],
)
def test_a_receipt_says_what_happened(
    run: Runner, shelf: Shelf, name: str, operation: str, outcome: str, version: int | None
) -> None:
    """Granted, failed and denied operations alike: what was asked, by whom, and the answer."""
    said = run.verify(shelf, name, "--json")
    proof = json.loads(said.out)
    (opened,) = proof["operations"]
    assert (said.code, said.error, proof["valid"]) == (0, "", True)
    assert (opened["operation"], opened["outcome"]) == (operation, outcome)
    assert (opened["collection"], opened["name"]) == (COLLECTION, "tls/key.pem")
    assert opened.get("version") == version
    assert proof["signer_kind"] == "session"
    assert 0 < proof["index"] < proof["log_size"]


def test_a_read_names_session_and_code(run: Runner, shelf: Shelf) -> None:
    """A granted read names the reader's session, which signed it, and its identity's digest."""
    proof = json.loads(run.verify(shelf, "read", "--json").out)
    (opened,) = proof["operations"]
    assert opened["reader_session"] == proof["signer"]
    assert len(bytes.fromhex(opened["identity_digest"])) == 32
    assert [cosigner["name"] for cosigner in proof["cosigners"]] == ["dev.attacked/node-1"]


def test_people_read_the_same(run: Runner, shelf: Shelf) -> None:
    """Without --json each field stands on its own line, and nothing secret is there."""
    said = run.verify(shelf, "read")
    proof = json.loads(run.verify(shelf, "read", "--json").out)
    lines = [line.split(maxsplit=1)[-1].strip() for line in said.out.splitlines() if line]
    flat = {**proof, **proof["operations"][0]}
    for field in ("network_id", "origin", "block_time", "identity_digest", "name", "outcome"):
        assert any(line.endswith(str(flat[field])) for line in lines), field
    assert SECRET.decode() not in said.out


def test_a_development_network_needs_permission(run: Runner, shelf: Shelf) -> None:
    """Without --allow-development: exit code 2, and a hint that says how."""
    said = run("receipt", "verify", shelf.path("read"), shelf.network)
    assert (said.code, said.out) == (2, "")
    assert "development network" in said.error
    assert "hint: for trials: --allow-development" in said.error


def test_a_receipt_of_another_network_is_not_valid(run: Runner, shelf: Shelf) -> None:
    """Under another network's file the receipt proves nothing: exit code 1."""
    network = f"--network={shelf.path('other.toml')}"
    said = run("receipt", "verify", shelf.path("read"), network, "--allow-development", "--json")
    assert (said.code, said.out) == (1, "")
    assert said.error.startswith("sealedger: error: the receipt does not hold")
    assert said.error.count("hint:") == 1


def _altered(data: bytes, **changes: bytes) -> bytes:
    receipt = decode_receipt(data)
    (one,) = receipt.opened
    fields = {"salt": one.salt, "operation": one.operation, "outcome": one.outcome, **changes}
    opened = Opened(one.position, **fields)
    return encode_receipt(
        Receipt(receipt.index, receipt.hashes, receipt.checkpoint, receipt.leaf, (opened,))
    )


def test_a_forged_receipt_is_not_valid(run: Runner, shelf: Shelf) -> None:
    """Another name, another outcome, another entry's proof: exit code 1, and no claim printed."""
    read = Path(shelf.path("read")).read_bytes()
    (opened,) = decode_receipt(read).opened
    (denied,) = decode_receipt(Path(shelf.path("denied")).read_bytes()).opened
    forgeries = {
        "name": _altered(read, operation=opened.operation.replace(b"key.pem", b"car.pem")),
        "outcome": _altered(read, outcome=denied.outcome),
        "salt": _altered(read, salt=bytes(16)),
        "file": read[:-10],
        "nothing": b"",
    }
    for forged in forgeries.values():
        assert forged != read
        Path(shelf.path("forged")).write_bytes(forged)
        said = run.verify(shelf, "forged")
        assert (said.code, said.out) == (1, "")
        assert "Traceback" not in said.error


@pytest.mark.parametrize("name", ["absent", "a"])
def test_files_that_cannot_be_used(run: Runner, shelf: Shelf, name: str) -> None:
    """A receipt or network file that is missing or a folder: exit code 2."""
    assert run.verify(shelf, name).code == 2
    network = f"--network={shelf.path(name)}"
    said = run("receipt", "verify", shelf.path("read"), network, "--allow-development")
    assert said.code == 2
    assert said.error.startswith("sealedger: error: ")


def test_a_network_file_with_a_fault_is_named(run: Runner, shelf: Shelf) -> None:
    """A network file that is none: exit code 2, the field and a hint."""
    broken = Path(shelf.path("broken.toml"))
    broken.write_text(Path(shelf.path("network.toml")).read_text().replace("quorum = 1", ""))
    network = f"--network={broken}"
    said = run("receipt", "verify", shelf.path("read"), network, "--allow-development")
    assert said.code == 2
    assert "field log.quorum" in said.error
    assert "hint: " in said.error


def test_network_show_prints_the_file(run: Runner, shelf: Shelf) -> None:
    """The home's network file, byte for byte; without one, exit code 1 and a hint."""
    said = run("network", "show", "--home", shelf.path("a/home"))
    assert (said.code, said.out) == (0, Path(shelf.path("a/home/network.toml")).read_text())
    missing = run("network", "show", "--home", shelf.path("nowhere"))
    assert (missing.code, missing.out) == (1, "")


def test_every_command_is_mounted() -> None:
    """The program has these nouns."""
    assert isinstance(program.sealedger, click.Group)
    assert {"network", "node", "receipt"} <= set(program.sealedger.commands)
