"""``python -m tests.fuzz_nightly [--seconds S] [--jobs N] [TARGET ...]``: what ``make fuzz`` runs.

Each target has its own process, corpus (kept in build/fuzz/corpus, so that a night begins where the
last one ended) and limits. An input that breaks one is left in build/fuzz/found/TARGET; move it to
tests/fuzz_nightly/found/TARGET when you mend what it shows. Exit 1 if there was any.
"""

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz_nightly.batch import MAX_CHOICES
from tests.fuzz_nightly.targets import TARGETS
from tests.support.repository import ROOT

FOLDER = ROOT / "build" / "fuzz"
MEMORY_MIB = 2048
INPUT_TIMEOUT_S = 10
MAX_INPUT_BYTES = 64 * 1024
START_S = 120  # a run that is silent for so long beyond its time is stuck

_DONE = re.compile(r"Done (\d+) runs in (\d+) second")
_COVERAGE = re.compile(r"cov: (\d+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one target fared."""

    name: str
    runs: int
    coverage: int  # edges of our code
    found: tuple[Path, ...]
    log: Path
    has_ended_well: bool


def fuzz(name: str, seconds: int) -> Outcome:
    """Run one target in a process of its own."""
    corpus, seeds, found = (FOLDER / kind / name for kind in ("corpus", "seeds", "found"))
    for folder in (corpus, seeds, found):
        folder.mkdir(parents=True, exist_ok=True)
    longest = MAX_CHOICES if TARGETS[name].is_structured else MAX_INPUT_BYTES
    log = FOLDER / f"{name}.log"
    before = set(found.iterdir())
    options = (
        f"-max_total_time={seconds}",
        f"-timeout={INPUT_TIMEOUT_S}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-max_len={longest}",
        "-len_control=0",
        f"-artifact_prefix={found}/",
        "-print_final_stats=1",
    )
    command = (sys.executable, "-m", "tests.fuzz_nightly.guided", name, *options)
    with log.open("wb") as output:
        process = subprocess.Popen(
            (*command, str(corpus), str(seeds)), cwd=ROOT, stdout=output, stderr=output
        )
        try:
            code = process.wait(seconds + START_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
    text = log.read_text(errors="replace")
    runs, coverage = _DONE.findall(text), _COVERAGE.findall(text)
    return Outcome(
        name=name,
        runs=int(runs[-1][0]) if runs else 0,
        coverage=int(coverage[-1]) if coverage else 0,
        found=tuple(sorted(set(found.iterdir()) - before)),
        log=log,
        has_ended_well=code == 0 and bool(runs),
    )


def main() -> int:
    """Fuzz the targets, tell how they fared."""
    parser = argparse.ArgumentParser(prog="tests.fuzz_nightly")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("targets", nargs="*", metavar="TARGET", choices=[[], *sorted(TARGETS)])
    arguments = parser.parse_args()
    names = arguments.targets or sorted(TARGETS)
    has_failed = False
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for one in pool.map(lambda name: fuzz(name, arguments.seconds), names):
            has_failed |= not one.has_ended_well or bool(one.found)
            state = "ok" if one.has_ended_well and not one.found else f"FAILED, see {one.log}"
            line = f"{one.name:22}{one.runs:12} runs {one.coverage:6} edges  {state}\n"
            sys.stdout.write(line + "".join(f"    {path}\n" for path in one.found))
            sys.stdout.flush()
    return int(has_failed)


if __name__ == "__main__":
    sys.exit(main())
