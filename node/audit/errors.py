"""Errors of an audit, by whose fault.

AuditError (a NodeError)
├── NotVerifiedError   the log's: it is not what its certified checkpoint says (``finding``)
├── SourceError        the source cannot be used now: nothing is said about the log
└── StateFileError     the auditor's state file cannot be used
"""

from dataclasses import dataclass

from node.errors import NodeError


class AuditError(NodeError):
    """Root of the errors of an audit."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong: where, what, and, where two things differ, what was expected and what came."""

    where: str
    what: str
    expected: str = ""
    got: str = ""

    def __str__(self) -> str:
        """One line."""
        line = f"{self.where}: {self.what}"
        return f"{line}: expected {self.expected}, got {self.got}" if self.expected else line


class NotVerifiedError(AuditError):
    """The log does not hold."""

    def __init__(self, finding: Finding, hint: str = "") -> None:
        """Carry the finding."""
        super().__init__(
            str(finding),
            hint or "keep what you fetched and its checkpoint, and ask the operators to explain it",
        )
        self.finding = finding


class NotShownError(NotVerifiedError):
    """Served tiles do not show what an older checkpoint has to do with the log."""


class SourceError(AuditError):
    """The source does not answer, or not with a log."""


class StateFileError(AuditError):
    """The state file is not one, or of another network."""


class OutputError(AuditError):
    """A file or directory cannot be written."""
