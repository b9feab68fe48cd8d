"""Errors of the node, by whose fault.

`ConfigError` is the operator's (the message names file, field and what would be right),
`KeystoreError` that of whoever has an account, `FetchError` that of a service or the way to it.
`RollbackError` says that the data are older than what this node already signed, `DamagedError` that
the store or the key service's state is not what we wrote: both stop the node.
"""


class NodeError(Exception):
    """Root of the package's errors; `hint` says what to do next."""

    def __init__(self, message: str, hint: str = "") -> None:
        """Carry the message and the hint."""
        super().__init__(message)
        self.hint = hint


class ConfigError(NodeError):
    """The configuration or a file it names cannot be used."""


class FetchError(NodeError):
    """A service on the network did not give what was asked for; nothing has changed here."""


class KeystoreError(NodeError):
    """An account's keystore, key or password file cannot be used, or the password is wrong."""


class NotAcceptedError(NodeError):
    """Evidence in a file was refused, or nothing could be decided about it."""


class RollbackError(NodeError):
    """The data directory is older than the rollback lock: a restored backup or a lost disk."""


class LockMissingError(RollbackError):
    """There is no rollback lock."""


class LockHeldError(RollbackError):
    """Another process holds the rollback lock: the node runs."""


class DamagedError(NodeError):
    """What is stored is not what was written."""


class LockDamagedError(DamagedError):
    """The rollback lock cannot be read."""
