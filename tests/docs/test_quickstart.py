"""docs/quickstart.md is run as it stands there."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from enclave_client.policy_file import decode_policy_file
from tests.support.documents import document, shown
from tests.support.repository import ROOT

PAGE = "docs/quickstart.md"
STARTED = b'"event":"node started"'
START_TIMEOUT_S = 30.0


def steps() -> Iterator[tuple[str, list[str]]]:
    """Each command of the page, and the lines that it shows."""
    for block in re.findall(r"^```console\n(.*?)^```$", document(PAGE), re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = part.rstrip("\n").split("\n")
            yield command, lines


def matches(lines: list[str], said: str) -> bool:
    """Whether the output is what the page shows; an ellipsis is anything, also more lines."""
    pattern = ".*".join(map(re.escape, "\n".join(lines).split("…")))
    return re.fullmatch(pattern, said.rstrip("\n"), re.DOTALL) is not None


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder to type in, with `sealedger` on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "sealedger"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m node.cli.main "$@"\n')
    program.chmod(0o755)
    return tmp_path


@pytest.mark.slow
def test_the_page_runs_as_it_stands(place: Path) -> None:
    """Every command succeeds, in order, and prints what the page shows."""
    environment = {
        **os.environ, "PATH": f"{place / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    node: subprocess.Popen[bytes] | None = None
    try:
        for command, lines in steps():
            if command.endswith("&"):
                node = subprocess.Popen(
                    ("bash", "-c", f"exec {command[:-1]}"), cwd=place, env=environment
                )
                wait_for_start(place / "trial.log", node)
                continue
            typed = command
            if " node init " in command:  # the page's ports may be taken here
                typed += " --listen 127.0.0.1:0 --http-listen 127.0.0.1:0"
            done = subprocess.run(
                ("bash", "-euo", "pipefail", "-c", typed),
                cwd=place, env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert (done.returncode, done.stderr) == (0, ""), command
            assert matches(lines, done.stdout), f"{command}\n{done.stdout}"
            if " node start" not in command and (place / "trial.log").exists():
                lead_to(place)
    finally:
        if node is not None:
            node.send_signal(signal.SIGTERM)
            node.wait(START_TIMEOUT_S)


def wait_for_start(log: Path, node: subprocess.Popen[bytes]) -> None:
    """Until the node says that it serves."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while not (log.exists() and STARTED in log.read_bytes().replace(b": ", b":")):
        assert node.poll() is None, log.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def lead_to(place: Path) -> None:
    """Let network files name the port that the node got."""
    port = re.search(r'"port": ?(\d+)', (place / "trial.log").read_text())
    assert port is not None
    for file in (place / "trial" / "network.toml", place / "network.toml"):
        if file.exists():
            file.write_text(file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port[1]}"))


def test_the_policy_file_is_one() -> None:
    """The file that the page explains is taken as it stands."""
    terms = decode_policy_file(shown(PAGE, "policy file").encode())
    assert terms.ttl_ms == 90 * 24 * 3_600_000
    assert terms.auditors == ()
