"""What can be fuzzed: a check that takes any bytes, and where to begin."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import settings

# A target's own search is not hypothesis's: no database, no deadline, no health checks.
QUIET = settings(database=None, deadline=None, max_examples=1)


@dataclass(frozen=True, slots=True)
class Target:
    """A name, a check, seeds.

    `check` returns for whatever is refused as the rules say and for whatever is accepted and holds;
    any exception is a finding. `seeds` are inputs that reach deep; without any, the bytes only
    choose among a strategy's values (`structured`).
    """

    name: str
    check: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]] = tuple

    @property
    def is_structured(self) -> bool:
        """Whether the bytes are choices, not the input itself."""
        return self.seeds is tuple


def structured(name: str, check: Any) -> Target:
    """A target whose bytes are the choices of a test that `hypothesis.given` has made."""
    return Target(name, check.hypothesis.fuzz_one_input)
