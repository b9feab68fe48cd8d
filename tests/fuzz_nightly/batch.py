"""``python -m tests.fuzz_nightly.batch TARGET COUNT SEED LAST``: random inputs within limits.

The process may use 1 GiB and five seconds for each input: what needs more ends it, in the kernel,
even inside native code. The input at hand stands in the file LAST, so that it survives its reader.
At the end one line of JSON: how many inputs, the slowest in milliseconds, how memory grew in MiB.
``... TARGET LAST`` runs that one input again.
"""

import json
import random
import resource
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from mmap import mmap
from pathlib import Path

from tests.fuzz_nightly.target import Target
from tests.fuzz_nightly.targets import TARGETS, found_inputs
from tests.support.fuzzing import mangled

MEMORY_BYTES = 1024 * 1024 * 1024
SECONDS = 5
LARGEST_INPUT = 1024 * 1024
MAX_CHOICES = 4096  # bytes that a strategy draws from

_SIZE = 4
_KIB = 1024


def inputs(target: Target, count: int, rng: random.Random) -> Iterator[bytes]:
    """The seeds, what was found before, and `count` random changes of them."""
    known = [*target.seeds(), *found_inputs(target.name)]
    yield from known
    for _ in range(count):
        if target.is_structured:
            yield rng.randbytes(rng.randrange(1, MAX_CHOICES))
        else:
            yield mangled(rng, rng.choice(known))


def read_last(path: Path) -> bytes:
    """The input at hand when the process ended."""
    data = path.read_bytes()
    return data[_SIZE : _SIZE + int.from_bytes(data[:_SIZE], "big")]


def run(target: Target, count: int, seed: str, last: Path) -> dict[str, float]:
    """Check them all; whatever goes wrong ends the process."""
    last.write_bytes(bytes(_SIZE + LARGEST_INPUT))
    slowest, done, warm_kib = 0.0, 0, 0
    with last.open("r+b") as file, mmap(file.fileno(), 0) as kept:
        for data in inputs(target, count, random.Random(seed)):
            kept[: _SIZE + len(data)] = len(data).to_bytes(_SIZE, "big") + data
            signal.alarm(SECONDS)
            started = time.perf_counter()
            target.check(data)
            slowest = max(slowest, time.perf_counter() - started)
            signal.alarm(0)
            done += 1
            if done == count // 2:
                warm_kib = resident_kib()
    return {
        "inputs": done,
        "slowest_ms": round(slowest * 1000, 1),
        "growth_mib": round((resident_kib() - warm_kib) / _KIB, 1),
    }


def resident_kib() -> int:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Limit, run, report."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    # a library's opinion on certificates of the prover's choice is for nobody here
    warnings.simplefilter("ignore")
    target = TARGETS[sys.argv[1]]
    if len(sys.argv) == 3:
        target.check(read_last(Path(sys.argv[2])))
        return
    _, _, count, seed, last = sys.argv
    sys.stdout.write(json.dumps(run(target, int(count), seed, Path(last))) + "\n")


if __name__ == "__main__":
    main()
