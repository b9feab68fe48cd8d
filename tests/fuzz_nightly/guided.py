"""``python -m tests.fuzz_nightly.guided TARGET [libFuzzer options] CORPUS SEEDS``: by coverage.

Needs atheris, which only the environment of ``make fuzz`` has. Our packages are instrumented as
they are imported; the libraries under them are native and are not.
"""

import sys
import warnings

import atheris

INSTRUMENTED = ["attestation", "enclave_client.policy_file", "enclave_client.policy_words"]

with atheris.instrument_imports(include=INSTRUMENTED):
    from tests.fuzz_nightly.targets import TARGETS


def main() -> None:
    """Fuzz until an option says to stop, or something is found."""
    warnings.simplefilter("ignore")
    target = TARGETS[sys.argv.pop(1)]

    def check(data: bytes) -> None:
        target.check(data)

    target.seeds()  # what is made once is not the first input's cost
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
