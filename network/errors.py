"""Errors of ordering, by whose fault or moment.

`OverloadedError` and `ClosingError` are the moment's: nothing ran, ask again later or elsewhere.
`BlockRefusedError` is the proposer's, or our moment's: this replica does not vote for the block.
`EngineFailedError` is ours: the state is unknown; the process stops and recovers at its next start.
"""


class NetworkError(Exception):
    """Root of the package's errors."""


class OverloadedError(NetworkError):
    """The queue is full; the submission was not taken."""


class ClosingError(NetworkError):
    """The engine is closing; the submission was not taken."""


class EngineFailedError(NetworkError):
    """A block could not be executed or stored; whether it stands is known after a restart."""


class BlockRefusedError(NetworkError):
    """A proposed block says what this replica cannot find to be so; nothing has changed."""
