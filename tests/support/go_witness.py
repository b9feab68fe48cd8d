"""litewitness of torchwood: a witness that is not ours, with a key in an ssh-agent of its own.

Both processes are children of the test and end with its block. Logs are added as witnessctl adds
them, one row each in the tables `log` and `key`: that program cannot be built everywhere, for one
of its modules is not served by every Go module proxy.
"""

import asyncio
import base64
import os
import shutil
import signal
import socket
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientSession

from ledger.log.merkle import EMPTY_ROOT
from ledger.log.note import (
    SignatureLine,
    SignatureType,
    VerifierKey,
    decode_signature_lines,
    encode_vkey,
)
from tests.support.go_programs import Printed, run

NAME = "witness.example/w1"
START_S = 30.0
_TICK_S = 0.02
_KEY_BYTES = 32

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness answered to a checkpoint."""

    status: int
    body: bytes

    @property
    def cosignature(self) -> SignatureLine:
        """The one line of a 200; AssertionError otherwise."""
        if self.status != 200:
            raise AssertionError(f"not cosigned: {self.status} {self.body!r}")
        (line,) = decode_signature_lines(self.body)
        return line


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness that listens, and the key that it cosigns with."""

    key: VerifierKey
    port: int
    database: Path

    def add_log(self, log: VerifierKey) -> None:
        """Have it witness the log of this key, of which it has seen nothing yet."""
        root = base64.b64encode(EMPTY_ROOT).decode()
        with closing(sqlite3.connect(self.database)) as rows, rows:
            rows.execute("INSERT INTO log VALUES (?, 0, ?)", (log.name, root))
            rows.execute("INSERT INTO key VALUES (?, ?)", (log.name, encode_vkey(log)))

    async def add_checkpoint(self, old: int, note: bytes, proof: Sequence[bytes] = ()) -> Answer:
        """Ask for a cosignature (C2SP tlog-witness, add-checkpoint)."""
        hashes = b"".join(base64.b64encode(one) + b"\n" for one in proof)
        body = b"old %d\n%b\n%b" % (old, hashes, note)
        url = f"http://127.0.0.1:{self.port}/add-checkpoint"
        async with ClientSession() as session, session.post(url, data=body) as said:
            return Answer(said.status, await said.read())


@asynccontextmanager
async def litewitness(program: Path) -> AsyncIterator[Witness]:
    """A new witness with a new key, until the end of the block; it has to end as it should."""
    agent, add, keygen = map(_ssh_program, ("ssh-agent", "ssh-add", "ssh-keygen"))
    # not in the test's own directory: a socket's path has at most about a hundred bytes
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        secret, sock = directory / "key", directory / "agent"
        _succeeded(await run(keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(secret)))
        said = directory / "agent.log"
        async with _child(agent, "-D", "-a", str(sock), log=said) as keeper:
            await _reached(keeper, lambda: asyncio.open_unix_connection(sock), said)
            environment = {"SSH_AUTH_SOCK": str(sock)}
            _succeeded(await run(add, "-q", str(secret), environment=environment))
            listed = _succeeded(await run(keygen, "-l", "-E", "sha256", "-f", f"{secret}.pub"))
            port, database, log = _free_port(), directory / "db", directory / "log"
            arguments = (
                f"-db={database}",
                f"-name={NAME}",
                f"-key={listed.text.split()[1]}",
                f"-ssh-agent={sock}",
                f"-listen=127.0.0.1:{port}",
            )
            async with _child(program, *arguments, log=log) as process:
                await _reached(process, lambda: asyncio.open_connection("127.0.0.1", port), log)
                key = _public_key(directory / "key.pub")
                if encode_vkey(key) not in log.read_text():
                    raise _fault("it has another verifier key", log)
                yield Witness(key, port, database)
            if process.returncode != 0 or "shutting down" not in log.read_text():
                raise _fault(f"it ended with {process.returncode}", log)


def _ssh_program(name: str) -> Path:
    program = shutil.which(name)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} (OpenSSH) is not on this machine")
        pytest.skip(f"{name} (OpenSSH), which keeps the witness's key, is not on this machine")
    return Path(program)


@asynccontextmanager
async def _child(
    program: Path, *arguments: str, log: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process until the end of the block, interrupted then; what it says goes to `log`."""
    with log.open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            program, *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=said, stderr=said
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(START_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _reached(process: asyncio.subprocess.Process, connect: Connect, log: Path) -> None:
    """Wait until a connection is taken."""
    async with asyncio.timeout(START_S):
        while process.returncode is None:
            try:
                _, writer = await connect()
            except (FileNotFoundError, ConnectionRefusedError):
                await asyncio.sleep(_TICK_S)
            else:
                writer.close()
                await writer.wait_closed()
                return
    raise _fault("it did not start", log)


def _fault(what: str, log: Path) -> AssertionError:
    return AssertionError(f"{what}: {log.read_text()}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _public_key(path: Path) -> VerifierKey:
    """The witness's key, from OpenSSH's file: the key's bytes are the last of it."""
    blob = base64.b64decode(path.read_text().split()[1])
    return VerifierKey(NAME, SignatureType.COSIGNATURE, blob[-_KEY_BYTES:])


def _succeeded(said: Printed) -> Printed:
    if said.code != 0:
        raise AssertionError(said.text)
    return said
