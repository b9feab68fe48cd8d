"""Everything that is fuzzed, by name, and the inputs that once broke it."""

from pathlib import Path

from tests.fuzz_nightly import (
    codecs,
    collateral,
    evidence,
    files,
    policies,
    resigned_collateral,
    resigned_quotes,
    resigned_reports,
)
from tests.fuzz_nightly.target import Target

FOUND = Path(__file__).resolve().parent / "found"

_MODULES = (
    codecs,
    evidence,
    files,
    collateral,
    policies,
    resigned_quotes,
    resigned_reports,
    resigned_collateral,
)
TARGETS: dict[str, Target] = {
    target.name: target for module in _MODULES for target in module.TARGETS
}


def found_inputs(name: str) -> list[bytes]:
    """Inputs that once broke the target; each file was written by a run that it ended."""
    return [path.read_bytes() for path in sorted((FOUND / name).glob("*"))]
