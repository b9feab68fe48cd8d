"""The port between ordering and the rules, shaped like CometBFT's ABCI.

An engine orders candidates into blocks; it knows nothing of what is in them. One loop calls
`propose`, `verify`, `finalize` and `publish`; `commit` is called from one writer thread, in block
order.

- `propose` makes a block of candidates that `check` let pass; it does not execute them.
- `verify` judges a block that another replica proposed, before this one votes for it: what the
  proposer found out with means that rules do not have is found out again. It may take seconds, and
  changes nothing. Whatever it says, a block that was decided is finalized by everybody alike.
- `finalize` executes a block on top of all finalized ones and keeps the result in memory. It gives
  the same bytes on every replica. A later block may be finalized before this one is committed.
- `commit` makes a finalized block durable in one atomic, synced write; it blocks. When it returns,
  a crash cannot undo the block. It is never called again for a block whose call failed.
- `publish` runs after `commit`: certifies the log and makes one answer for each candidate.

Any exception of `finalize`, `commit` or `publish` is fatal: the state is unknown, the engine stops.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Candidate(Protocol):
    """A checked submission that waits to be ordered."""

    @property
    def operations(self) -> int:
        """How many operations it has, 1 to 256."""
        ...

    @property
    def size(self) -> int:
        """Bytes of its envelope."""
        ...


C_contra = TypeVar("C_contra", bound=Candidate, contravariant=True)
B = TypeVar("B")
F = TypeVar("F")
A_co = TypeVar("A_co", covariant=True)


class Application(Protocol[C_contra, B, F, A_co]):
    """What an engine drives: candidates C, blocks B, finalized blocks F, answers A."""

    def propose(self, candidates: Sequence[C_contra], now_ms: int) -> B:
        """A block of these candidates, in this order, at the clock's time."""
        ...

    async def verify(self, block: B) -> None:
        """Judge another replica's proposal; BlockRefusedError: no vote for it."""
        ...

    def finalize(self, block: B) -> F:
        """Execute the block; deterministic."""
        ...

    def commit(self, finalized: F) -> None:
        """Make it durable; blocks; called from the writer thread."""
        ...

    def publish(self, finalized: F) -> Sequence[A_co]:
        """Certify, and answer each candidate in the block's order."""
        ...
