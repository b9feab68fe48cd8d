"""What happens to submissions in a block: the values that pass between replica and publisher."""

from dataclasses import dataclass

from contracts.errors import RefusedError
from contracts.execute import Executed
from ledger.keys import Head
from node.candidates import Submission

Writes = dict[bytes, bytes | None]


@dataclass(frozen=True, slots=True)
class Block:
    """Submissions in their order, at the proposer's time."""

    submissions: tuple[Submission, ...]
    now_ms: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """A submission that stands at `index`."""

    submission: Submission
    index: int
    executed: Executed


@dataclass(frozen=True, slots=True)
class Again:
    """A submission that ran before, at `index`."""

    submission: Submission
    index: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A submission that left no entry."""

    submission: Submission
    error: RefusedError


Result = Recorded | Again | Refused


@dataclass(frozen=True, slots=True)
class Finalized:
    """An executed block. `batch` is None if there is nothing to write."""

    results: tuple[Result, ...]
    batch: Writes | None
    head: Head
    header: bytes
