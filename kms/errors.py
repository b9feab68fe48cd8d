"""What the key service refuses, by whose fault.

    KmsError
    ├── KeyServiceRefusal     the asker's: these bytes do not entitle to an answer
    └── KeyServiceStateError  ours: the sealed state or genesis is not what this service needs

No message holds a secret, and none repeats bytes of the asker.
"""

from ledger.reason import Reason


class KmsError(Exception):
    """Root of the package's errors."""


class KeyServiceRefusal(KmsError):  # noqa: N818  (an answer of the protocol, not a failure)
    """The key service answers no; `reason` is the code that the asker is told."""

    def __init__(self, reason: Reason, message: str) -> None:
        """Carry the reason code and a hint of what would be right."""
        super().__init__(f"{reason.name}: {message}")
        self.reason = reason


class KeyServiceStateError(KmsError):
    """The key service cannot start or save: the message says what to do."""
