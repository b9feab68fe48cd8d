"""A node with an owner's account, and the program as people type it."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from ledger.crypto.secret import Secret
from node.cli.main import main
from node.keystore import encode_keystore, write_keystore
from tests.support.owners import copy_of
from tests.support.real_node import RealNetwork, Serving, found, serving

PASSWORD = "correct horse"
CHEAP = 2  # scrypt's cost in these tests


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: bytes
    err: str

    @property
    def fields(self) -> Any:
        """The printed JSON."""
        return json.loads(self.out)

    @property
    def done(self) -> "Said":
        """Itself; AssertionError if the command failed or complained."""
        assert (self.code, self.err) == (0, "")
        return self

    def failed(self, code: int = 1) -> str:
        """The error as printed; AssertionError unless it is one error and one hint."""
        assert self.code == code, self
        lines = self.err.splitlines()
        assert lines[0].startswith("sealedger: error: ")
        assert lines[1].startswith("hint: ")
        assert len(lines) == 2
        assert self.out == b""
        return self.err


@dataclass(frozen=True, slots=True)
class Shell:
    """Types commands for the owner of a node's home."""

    node: Serving
    directory: Path
    monkeypatch: pytest.MonkeyPatch
    captured: pytest.CaptureFixture[bytes]

    @property
    def network(self) -> RealNetwork:
        """The node's network."""
        return self.node.network

    @property
    def where(self) -> tuple[str, ...]:
        """The options that name home and network."""
        home, network = self.network.home.root, self.directory / "network.toml"
        return ("--home", str(home), "--network", str(network), "--allow-development")

    @property
    def owner(self) -> tuple[str, ...]:
        """The options that name home, network and account."""
        return (*self.where, "--account", self.keystore(), "--password-file", self.password)

    def by(self, number: int) -> tuple[str, ...]:
        """The options that name home, network and one of many accounts."""
        return (*self.where, "--account", self.keystore(number), "--password-file", self.password)

    @property
    def password(self) -> str:
        """The password file."""
        return str(self.directory / "password")

    def keystore(self, number: int = 1) -> str:
        """The keystore file of one of many accounts."""
        path = self.directory / "keys" / f"{number}.json"
        if not path.exists():
            seed = Secret(number.to_bytes(32, "big"))
            write_keystore(path, encode_keystore(seed, Secret(PASSWORD.encode()), CHEAP))
        return str(path)

    def manifest(self, app: str) -> str:
        """The manifest of an app."""
        return str(self.network.apps / f"{app}.toml")

    async def __call__(self, *arguments: str, stdin: bytes = b"") -> Said:
        """Run the program in a thread of this process."""
        self.monkeypatch.setattr("sys.argv", ["sealedger", *arguments])
        self.monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        self.captured.readouterr()
        code = await asyncio.to_thread(_main)
        captured = self.captured.readouterr()
        err = captured.err.decode()
        assert "Traceback" not in err
        return Said(code, captured.out, err)

    async def as_owner(self, *arguments: str, stdin: bytes = b"") -> Said:
        """The same with the account's options behind."""
        return await self(*arguments, *self.owner, stdin=stdin)

    async def as_app(self, *arguments: str, stdin: bytes = b"") -> Said:
        """The same as the attested program."""
        return await self(*arguments, *self.where, stdin=stdin)


def _main() -> int:
    try:
        main()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else -1
    return 0


@pytest.fixture(scope="session")
def _founded_once(tmp_path_factory: pytest.TempPathFactory) -> RealNetwork:
    return found(tmp_path_factory.mktemp("founded") / "network")


@pytest.fixture
async def node(_founded_once: RealNetwork, tmp_path: Path) -> AsyncIterator[Serving]:
    """A node, in this process."""
    async with serving(copy_of(_founded_once, tmp_path)) as running:
        yield running


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program's manifest, of one small file: the real one measures the whole repository."""
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "code").write_text("as it was admitted")
    manifest = folder / "app.toml"
    manifest.write_text(
        'name = "cli"\nsigner = "tests"\nproduct_id = 1\nsvn = 1\nfiles = ["code"]\n'
    )
    monkeypatch.setattr("node.cli.target.APP_MANIFEST", manifest)
    monkeypatch.setattr("node.cli.collection.APP_MANIFEST", manifest)
    return manifest


@pytest.fixture
def shell(
    node: Serving,
    program: Path,  # noqa: ARG001  (in place before anything is typed)
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> Shell:
    """Types commands."""
    node.file.save(tmp_path / "network.toml")
    shell = Shell(node, tmp_path, monkeypatch, capsysbinary)
    password = Path(shell.password)
    password.write_text(PASSWORD + "\n")
    password.chmod(0o600)
    return shell


@pytest.fixture(autouse=True)
def log() -> Iterator[list[Any]]:
    """What the node logs."""
    with structlog.testing.capture_logs() as events:
        yield events
