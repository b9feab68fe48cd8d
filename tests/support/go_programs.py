"""Independent programs that are built from pinned Go modules where Go is on the machine.

They are kept below build/, by module version, so that a second run builds nothing.
"""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.repository import ROOT

BUILD_S = 600
RUN_S = 120.0

# v1.0.4 ends with code 0 whether a log is sound or not, and can hang on a bad one: what it prints
# is what counts, and it is always given a limit.
TESSERA = "github.com/transparency-dev/tessera"
TESSERA_VERSION = "v1.0.4"

# v0.10.0 needs a newer Go than tessera does.
TORCHWOOD = "filippo.io/torchwood"
TORCHWOOD_VERSION = "v0.9.0"


@dataclass(frozen=True, slots=True)
class Printed:
    """How a program ended, and what it printed. Code None: it had to be ended."""

    code: int | None
    text: str


def go_program(module: str, command: str, version: str) -> Path:
    """The program `module/command` at a version; skips where it cannot be built, except in CI."""
    directory = ROOT / "build" / "go" / f"{module.rpartition('/')[2]}-{version}"
    program = directory / command.rpartition("/")[2]
    if program.is_file():
        return program
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is not on this machine")
    made = subprocess.run(
        (go, "install", f"{module}/{command}@{version}"),
        env={**os.environ, "GOBIN": str(directory)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BUILD_S,
        check=False,
    )
    if made.returncode:
        if os.environ.get("CI"):
            pytest.fail(f"{module}/{command}@{version} cannot be built: {made.stderr}")
        pytest.skip(f"{module}/{command}@{version} cannot be built on this machine")
    return program


async def run(
    program: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> Printed:
    """Run a program, at most 120 s, with more environment; both its outputs together."""
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        env={**os.environ, **(environment or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(RUN_S):
            text, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        text, _ = await process.communicate()
        return Printed(None, text.decode(errors="replace"))
    return Printed(process.returncode, text.decode(errors="replace"))
