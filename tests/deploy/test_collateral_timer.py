"""The units that renew collateral: a command of ours, each day, closed as the node's own."""

import subprocess
from pathlib import Path

from tests.deploy.test_systemd import MAX_EXPOSURE, UNIT, _Unit, needs_systemd, unit
from tests.support.help_texts import commands

FOLDER = UNIT.parent
SERVICE = FOLDER / "sealedger-collateral.service"
TIMER = FOLDER / "sealedger-collateral.timer"
HARDENING = ("Protect", "Private", "Restrict", "SystemCall", "Capability", "NoNew", "Memory")


def read(path: Path) -> _Unit:
    """A unit as systemd reads it."""
    parsed = _Unit()
    parsed.read(path)
    return parsed


def test_it_starts_a_command_of_ours_on_the_nodes_home() -> None:
    """The command exists, and the home is the one of the node's unit."""
    words = read(SERVICE)["Service"]["ExecStart"].split()
    ours = unit()["Service"]["ExecStart"].split()
    at = words.index("--home")
    assert words[0] == ours[0]
    assert " ".join(words[1:at]) in set(commands())
    assert words[at + 1] == ours[ours.index("--home") + 1]
    assert words[at + 2 :] == ["$COLLATERAL_FROM"]


def test_it_may_do_no_more_than_the_node() -> None:
    """The same user, and every restriction of the node's unit."""
    node, mine = unit()["Service"], read(SERVICE)["Service"]
    assert (mine["User"], mine["Group"]) == (node["User"], node["Group"])
    for name, value in node.items():
        if name.startswith(HARDENING):
            assert mine[name] == value, name
    assert "StateDirectory" not in mine  # it writes nothing


def test_the_timer_is_of_this_service() -> None:
    """A timer starts the service of its name, once a day, also after a night that was off."""
    assert TIMER.stem == SERVICE.stem
    timer = read(TIMER)["Timer"]
    assert (timer["OnCalendar"], timer["Persistent"]) == ("daily", "yes")


@needs_systemd
def test_systemd_finds_them_sound(tmp_path: Path) -> None:
    """`systemd-analyze verify` says nothing about either, and the service is closed."""
    program = tmp_path / "sealedger"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copies = []
    for path in (SERVICE, TIMER):
        text = path.read_text().replace("/opt/sealedger/.venv/bin/sealedger", str(program))
        copies.append(tmp_path / path.name)
        copies[-1].write_text(text)
    said = subprocess.run(
        ["systemd-analyze", "verify", *map(str, copies)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in said.stderr.splitlines() if "sealedger-collateral" in line] == []
    command = [
        "systemd-analyze",
        "security",
        "--offline=true",
        f"--threshold={MAX_EXPOSURE * 10:.0f}",
    ]
    closed = subprocess.run([*command, str(copies[0])], capture_output=True, text=True, check=False)
    assert closed.returncode == 0, closed.stdout
