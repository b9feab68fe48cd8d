"""The program as a process of its own: real pipes, a real terminal, its real manifest."""

import asyncio
import os
import pty
import subprocess
import sys

import pytest

from attestation.platforms.software_manifest import _expand, read_manifest
from node.cli.target import APP_MANIFEST
from tests.cli.conftest import Shell
from tests.support.repository import ROOT, packages

PROGRAM = ("-c", "from node.cli.main import main; main()")
LOADED = """
import sys, pathlib
import node.cli.main
for module in list(sys.modules.values()):
    file = getattr(module, "__file__", None)
    if file:
        print(pathlib.Path(file).resolve())
"""
VALUE = b"\x00\xff\r\n" + bytes(range(256)) * 100


async def typed(*arguments: str, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
    """Run the program; its exit code and what it wrote."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", *PROGRAM, *arguments,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=ROOT, env={"PYTHONPATH": str(ROOT), "HOME": "/nonexistent"},
    )  # fmt: skip
    out, err = await process.communicate(stdin)
    return process.returncode or 0, out, err


@pytest.mark.slow
async def test_pipes(shell: Shell) -> None:
    """The program, measured as it lies here, is admitted, stores what it is fed, gives it back."""
    at = ("--collection", "piped", *shell.where)
    create = ("collection", "create", "piped", "--allow-self", *shell.owner)
    assert (await typed(*create))[::2] == (0, b"")
    stored = await typed("secret", "put", "name", *at, stdin=VALUE)
    assert stored[::2] == (0, b"")
    assert await typed("secret", "get", "name", *at) == (0, VALUE, b"")
    code, out, err = await typed("secret", "get", "none", *at)
    assert (code, out) == (1, b"")
    assert err.startswith(b"sealedger: error: ")
    master, terminal = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", *PROGRAM, "secret", "get", "name", *at,
        stdin=subprocess.DEVNULL, stdout=terminal, stderr=subprocess.PIPE,
        cwd=ROOT, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    _, err = await process.communicate()
    os.close(terminal)
    os.close(master)
    assert process.returncode == 2
    assert b"would be shown on this terminal" in err


def test_every_module_of_ours_that_the_program_loads_is_measured() -> None:
    """Code that runs in the command line and is not in its measurement could be changed unseen."""
    output = subprocess.run(
        (sys.executable, "-c", LOADED), check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout
    ours = tuple(f"{ROOT / package}/" for package in packages())
    loaded = {line for line in output.splitlines() if line.startswith(ours)}
    measured = {str(path.resolve()) for _, path in _expand(read_manifest(APP_MANIFEST))}
    assert len(loaded) > 50
    assert loaded <= measured
