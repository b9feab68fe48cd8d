"""A real node over HTTP: audited while it grows, copied, and the commands as they are typed."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.real_node import Serving, found, serving
from tests.support.repository import ROOT


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Serving]:
    """A node that holds some secrets; its pins are beside it."""
    async with serving(found(tmp_path / "network")) as running:
        running.file.save(tmp_path / "network.toml")
        await use(running, 12)
        yield running


async def use(node: Serving, count: int) -> None:
    """Puts and reads, in transactions of their own."""
    async with node.client() as client:
        for number in range(count):
            await client.put(f"name/{number}", b"never in any output")
            await client.get(f"name/{number}")


async def run(pins: Path, *arguments: str) -> tuple[int, str, str]:
    """The program in a process of its own: exit code, output, errors."""
    command = ("-c", "from node.cli.main import main; main()", "audit", *arguments)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(*command, "--network", str(pins), "--allow-development"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    return process.returncode or 0, out.decode(), error.decode()


def url_of(node: Serving) -> str:
    """Where it serves its log."""
    return f"http://127.0.0.1:{node.running.http_port}"


@pytest.mark.slow
async def test_verify_copy_and_go_on(node: Serving, tmp_path: Path) -> None:
    """A real log holds over HTTP, as a copy, and again after it grew."""
    pins = tmp_path / "network.toml"
    url, state, copy = url_of(node), str(tmp_path / "state"), tmp_path / "copy"
    code, out, error = await run(pins, "verify", url, "--state", state, "--json")
    first = json.loads(out)
    assert (code, error, first["verified"]) == (0, "", True)
    assert first["checkpoint_size"] == first["entries_walked"] > 24
    assert first["sessions"] == 1
    assert first["signatures_not_verified"] == 0
    assert (await run(pins, "fetch", url, str(copy)))[0] == 0
    code, out, _ = await run(pins, "verify", str(copy))
    assert code == 0
    assert first["checkpoint_root"] in out
    await use(node, 3)
    code, out, _ = await run(pins, "verify", url, "--state", state, "--json")
    again = json.loads(out)
    assert (code, again["entries_verified_before"]) == (0, first["checkpoint_size"])
    assert again["extends_sizes"] == [first["checkpoint_size"]]
    older = str(copy / "checkpoint")
    code, out, _ = await run(pins, "verify", url, "--checkpoint", older)
    assert (code, f"checkpoint of {first['checkpoint_size']} entries" in out) == (0, True)
    assert (await run(pins, "fetch", url, str(copy)))[0] == 0
    code, out, _ = await run(pins, "verify", str(copy), "--json")
    assert (code, json.loads(out)["checkpoint_root"]) == (0, again["checkpoint_root"])
    assert "never in any output" not in out


@pytest.mark.slow
async def test_the_wrong_pins_prove_nothing(node: Serving, tmp_path: Path) -> None:
    """Another network's file finds no quorum in this log's checkpoint."""
    pins = tmp_path / "other.toml"
    found(tmp_path / "other").file.save(pins)
    code, _, error = await run(pins, "verify", url_of(node))
    assert code == 1
    assert "not certified by the pinned quorum" in error
