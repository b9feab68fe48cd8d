"""``python -m tests.fuzz_nightly.guided TARGET [libFuzzer options] CORPUS SEEDS``: by coverage.

Needs atheris, which only the environment of ``make fuzz`` has. Our packages are instrumented as
they are imported; the libraries under them are native and are not. The folder SEEDS is filled here,
because the keys behind valid evidence are drawn by each process anew.
"""

import random
import sys
import warnings
from pathlib import Path

import atheris

INSTRUMENTED = ["attestation", "enclave_client.policy_file", "enclave_client.policy_words"]
BEGINNINGS = 200

with atheris.instrument_imports(include=INSTRUMENTED):
    from tests.fuzz_nightly.batch import MAX_CHOICES
    from tests.fuzz_nightly.target import Target
    from tests.fuzz_nightly.targets import TARGETS, found_inputs


def beginnings(target: Target) -> list[bytes]:
    """Its seeds and what was found; of a structured one, choices that are long enough."""
    rng = random.Random(BEGINNINGS)
    drawn = [rng.randbytes(rng.randrange(64, MAX_CHOICES)) for _ in range(BEGINNINGS)]
    return [*(drawn if target.is_structured else target.seeds()), *found_inputs(target.name)]


def main() -> None:
    """Fuzz until an option says to stop, or something is found."""
    warnings.simplefilter("ignore")
    target, seeds = TARGETS[sys.argv.pop(1)], Path(sys.argv[-1])
    for old in seeds.iterdir():
        old.unlink()
    for number, data in enumerate(beginnings(target)):
        (seeds / f"{number:03d}").write_bytes(data)

    def check(data: bytes) -> None:
        target.check(data)

    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
