"""The real command line of a node that kills itself, as kill -9 does, at a chosen moment.

Arguments: the operation (put, read, delete) whose first success it dies of; whether before the
block is written or after it is durable and before it is answered; then the command line's own.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Never

from ledger.format.outcome import Deleted, PutDone, ReadGranted
from node.cli.main import main
from node.replica import Replica
from node.results import Finalized, Recorded

PROGRAM = "tests.support.dying_node"
DETAILS = {"put": PutDone, "read": ReadGranted, "delete": Deleted}
MOMENTS = {"before": "commit", "after": "publish"}


def _holds(finalized: Finalized, detail: type) -> bool:
    return any(
        isinstance(outcome.detail, detail)
        for result in finalized.results
        if isinstance(result, Recorded)
        for outcome in result.executed.outcomes
    )


def _die() -> Never:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("this process outlived kill -9")


def run(operation: str, moment: str) -> None:
    """Make the replica deadly, then run the command line."""
    detail = DETAILS[operation]
    step = MOMENTS[moment]
    original: Callable[..., Any] = getattr(Replica, step)

    def deadly(self: Replica[Any], finalized: Finalized) -> object:
        if _holds(finalized, detail):
            _die()
        return original(self, finalized)

    setattr(Replica, step, deadly)
    main()


if __name__ == "__main__":
    chosen = sys.argv[1:3]
    del sys.argv[1:3]
    run(*chosen)
