"""README's second block is what ``make test`` prints; tests/demo compares the first."""

import re
import subprocess

import pytest

from tests.support.documents import shown
from tests.support.repository import ROOT

MASKS = (
    (r"(\b\d+|…) passed", "N passed"),
    (r", \d+ (skipped|deselected|warnings?)", ""),
    (r" in (\d+\.\d\ds( \(\d+:\d\d:\d\d\))?|…)", " in T"),
    (r"=+", "="),
)


def masked(line: str) -> str:
    """A line of pytest's without counts and times."""
    for pattern, word in MASKS:
        line = re.sub(pattern, word, line)
    return line


@pytest.mark.slow
def test_readme_shows_what_make_test_prints() -> None:
    """First and last line of the block are those of a run; counts and times, which grow, are …."""
    command = ["make", "-C", str(ROOT), "test", "TESTS=tests/ledger_log/test_errors.py"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [line for line in said.splitlines() if line.startswith("=")]
    block = shown("README.md", "test").splitlines()
    assert block[0] == "$ make test"
    assert [masked(block[1]), masked(block[-1])] == [masked(lines[0]), masked(lines[-1])]


def test_readme_starts_with_the_two_commands() -> None:
    """`make demo` and `make test` are the first commands that README shows, in this order."""
    text = (ROOT / "README.md").read_text()
    assert re.findall(r"^\$ (.+)$", text, re.MULTILINE)[:2] == ["make demo", "make test"]
