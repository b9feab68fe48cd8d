"""The unit for systemd: what it starts is ours, and systemd itself finds it sound and closed."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from node.config import NodeConfig
from tests.support.help_texts import commands
from tests.support.repository import ROOT

UNIT = ROOT / "deploy" / "systemd" / "sealedger-node.service"
MAX_EXPOSURE = 2.0  # of 10, by `systemd-analyze security`

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine"
)


class _Unit(configparser.RawConfigParser):
    """A unit file: keys have capitals, and may come again (the last one is kept)."""

    def __init__(self) -> None:
        super().__init__(strict=False, delimiters=("=",), comment_prefixes=("#",))
        self.optionxform = str  # type: ignore[assignment,method-assign]  # keep the capitals


def unit() -> _Unit:
    """The unit as systemd reads it."""
    parsed = _Unit()
    parsed.read(UNIT)
    return parsed


def test_it_starts_a_command_of_ours() -> None:
    """ExecStart is a command that the program has, on a home that the unit owns."""
    program, *words = unit()["Service"]["ExecStart"].split()
    assert program.endswith("/sealedger")
    at = words.index("--home")
    assert " ".join(words[:at]) in set(commands())
    state = {f"/var/lib/{name}" for name in unit()["Service"]["StateDirectory"].split()}
    assert words[at + 1] in state
    assert len(state) == 2  # the home, and the lock beside it


def test_a_refused_start_is_not_repeated_for_ever() -> None:
    """It restarts after failures, at most five times in five minutes, never after wrong usage."""
    service, general = unit()["Service"], unit()["Unit"]
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"] == "2"
    attempts_s = int(general["StartLimitBurst"]) * int(service["RestartSec"])
    assert attempts_s < int(general["StartLimitIntervalSec"])


def test_time_to_stop() -> None:
    """systemd waits longer than the node takes by default, signalling it alone."""
    assert int(unit()["Service"]["TimeoutStopSec"]) >= 2 * NodeConfig().stop.within_s
    assert unit()["Service"]["KillMode"] == "mixed"


@needs_systemd
def test_systemd_finds_it_sound(tmp_path: Path) -> None:
    """`systemd-analyze verify` says nothing about the unit, its program put where this one is."""
    program = tmp_path / "sealedger"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    text = UNIT.read_text().replace("/opt/sealedger/.venv/bin/sealedger", str(program))
    copy = tmp_path / UNIT.name
    copy.write_text(text)
    said = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False
    )
    assert [line for line in said.stderr.splitlines() if UNIT.name in line] == []
    assert said.returncode == 0


@needs_systemd
def test_systemd_finds_it_closed() -> None:
    """`systemd-analyze security` rates what the service could do to the machine as little."""
    said = subprocess.run(
        ["systemd-analyze", "security", "--no-pager", "--offline=true", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )
    rating = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said.stdout)
    assert rating is not None, said.stderr
    assert float(rating[1]) <= MAX_EXPOSURE
