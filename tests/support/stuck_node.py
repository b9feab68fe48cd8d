"""The real command line of a node whose disk hangs for ever at the first put."""

import threading
from typing import Any

import structlog

from ledger.format.operation import Put
from node.cli.main import main
from node.replica import Replica
from node.results import Finalized

PROGRAM = "tests.support.stuck_node"
EVENT = "the disk hangs"  # its log says so


def run() -> None:
    """Make the replica hang before it writes, then run the command line."""
    commit = Replica.commit

    def stuck(self: Replica[Any], finalized: Finalized) -> None:
        operations = (
            operation
            for result in finalized.results
            for operation in result.submission.prepared.operations
        )
        if any(isinstance(one, Put) for one in operations):
            structlog.get_logger().info(EVENT)
            threading.Event().wait()
        commit(self, finalized)

    Replica.commit = stuck  # type: ignore[method-assign]  # that is what this program is for
    main()


if __name__ == "__main__":
    run()
