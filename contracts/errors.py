"""Errors of the rules, by whose fault.

`RefusedError` is the sender's: the transaction is answered with a reason and leaves no entry.
`StateError` is ours: the state holds something the rules never wrote; stop.
"""

from ledger.reason import Reason


class ContractError(Exception):
    """Root of the package's errors."""


class RefusedError(ContractError):
    """The transaction does not run and leaves no entry."""

    def __init__(self, reason: Reason, hint: str) -> None:
        """Carry the reason code, and what would be right."""
        super().__init__(hint)
        self.reason = reason
        self.hint = hint


class StateError(ContractError):
    """The state is not what the rules wrote."""
