"""Every target holds for its seeds, for what once broke it, and for random inputs within limits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz_nightly.batch import read_last
from tests.fuzz_nightly.targets import FOUND, TARGETS, found_inputs
from tests.support.repository import ROOT

COUNT = 400
FAST = 4000  # inputs of a target that takes microseconds
SLOW_TARGETS = frozenset({"evidence", "messages"})
MAX_GROWTH_MIB = 64
BY_NAME = pytest.mark.parametrize("name", sorted(TARGETS))


@BY_NAME
@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_seeds_and_found_inputs(name: str) -> None:
    """What is valid, and what once broke the target, is judged without a fault."""
    for data in (*TARGETS[name].seeds(), *found_inputs(name)):
        TARGETS[name].check(data)


def test_what_was_found_belongs_to_a_target() -> None:
    """No folder of found inputs is left behind by a target that is gone."""
    assert {path.name for path in FOUND.iterdir() if path.is_dir()} <= set(TARGETS)


@pytest.mark.slow
@BY_NAME
def test_random_inputs_within_limits(name: str, tmp_path: Path) -> None:
    """In a child with 1 GiB and five seconds an input: no crash, no hang, no growth."""
    last = tmp_path / "last"
    is_slow = TARGETS[name].is_structured or name in SLOW_TARGETS
    seed = os.environ.get("FUZZ_SEED", "2026-11-23")
    count = str(COUNT if is_slow else FAST)
    done = subprocess.run(
        (sys.executable, "-m", "tests.fuzz_nightly.batch", name, count, seed, str(last)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        data = read_last(last).hex() if last.exists() else "none"
        pytest.fail(f"exit {done.returncode}\n{done.stderr[-3000:]}\ninput: {data[:4000]}")
    said = json.loads(done.stdout)
    assert said["inputs"] >= int(count)
    assert said["growth_mib"] < MAX_GROWTH_MIB
