"""The harness finds what it is for: a target that crashes, hangs, or eats memory ends its child."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz_nightly.batch import read_last
from tests.support.repository import ROOT

PLANT = """
import sys
from tests.fuzz_nightly import batch
from tests.fuzz_nightly.target import Target

def check(data):
    if data != b"bad":
        return
    {what}

batch.SECONDS = 1
batch.TARGETS["planted"] = Target("planted", check, lambda: [b"good", b"bad"])
sys.argv = ["batch", "planted", "10", "1", sys.argv[1]]
batch.main()
"""
BAD = {
    "raises": "raise KeyError(data)",
    "aborts": "import os; os.abort()",
    "hangs": "while True: pass",
    "eats": "bytearray(2**31)",
}


@pytest.mark.parametrize("how", BAD)
def test_a_planted_fault_is_found_with_its_input(how: str, tmp_path: Path) -> None:
    """The child ends otherwise than well, and the input that did it is kept."""
    last = tmp_path / "last"
    done = subprocess.run(
        (sys.executable, "-c", PLANT.format(what=BAD[how]), str(last)),
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=60,
    )
    expected = {"aborts": -signal.SIGABRT, "hangs": -signal.SIGALRM}.get(how, 1)
    assert done.returncode == expected, done.stderr.decode()[-2000:]
    assert read_last(last) == b"bad"
