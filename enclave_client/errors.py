"""Every error of the client, by whose fault it is, with a hint at what would be right.

    SealedgerClientError
    ├── InvalidRequestError      yours: a name, value or version that no ledger takes
    ├── NetworkFileError         yours: the network file cannot be used; names the field
    ├── PolicyFileError          yours: a collection's policy file cannot be used; names the field
    ├── ReleaseFileError         yours: a release file cannot be used; names the field
    ├── RefusedError             the rules said no (``reason``; ``receipt`` where it is an entry)
    │   ├── NotFoundError
    │   ├── DeniedError
    │   ├── SessionRevokedError  members, or the collection's owner, ended this session
    │   ├── TooManySessionsError this program has too many sessions open: try later
    │   └── VersionConflictError (``current``)
    ├── AttestationFailedError   the node did not prove what it should (``check``): nothing was sent
    ├── ReceiptInvalidError      an answer does not prove what it claims
    │   └── LogForkedError       two roots for one size: an alarm; the client stops
    ├── UnavailableError         the moment's: nothing ran, try later
    │   └── OutcomeUnknownError  it was sent and no answer came: it may have run, once
    └── ClosedError              the client is closed

Messages carry names and codes, never a value, key or quote.
"""

from enum import StrEnum

from enclave_client.receipts import Receipt
from ledger.reason import Reason


class SealedgerClientError(Exception):
    """Root of the package's errors; ``str`` gives message and hint, ``message`` the first alone."""

    def __init__(self, message: str, hint: str = "") -> None:
        """Keep both parts."""
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """The message, then the hint."""
        return f"{self.message} (hint: {self.hint})" if self.hint else self.message


class InvalidRequestError(SealedgerClientError):
    """The call's arguments cannot be meant; nothing was sent."""


class NetworkFileError(SealedgerClientError):
    """The network file is missing, malformed, or of a network that was not allowed."""


class PolicyFileError(SealedgerClientError):
    """A collection's policy file is missing or malformed."""


class ReleaseFileError(SealedgerClientError):
    """A release file is missing or malformed."""


class RefusedError(SealedgerClientError):
    """The ledger refused; ``receipt`` proves it where the refusal is an entry of the log."""

    def __init__(
        self, reason: Reason, message: str, hint: str = "", receipt: Receipt | None = None
    ) -> None:
        """Carry the reason code."""
        super().__init__(message, hint)
        self.reason = reason
        self.receipt = receipt


class NotFoundError(RefusedError):
    """The name, or that version of it, does not exist, or no more: deleted, expired, destroyed."""


class DeniedError(RefusedError):
    """No policy admits this enclave's identity for this; denied reads are entries too."""


class SessionRevokedError(RefusedError):
    """Members revoked the session, or the collection's owner did so there.

    The client does not attest again by itself: somebody wants this program to stop.
    """


class TooManySessionsError(RefusedError):
    """This program has as many sessions open on this platform as the network allows."""


class VersionConflictError(RefusedError):
    """``if_version`` named another version than the current one, ``current`` (0: none)."""

    current: int = 0


class Check(StrEnum):
    """Which step of the mutual attestation failed, in the order of `enclave_client.attest`."""

    TLS = "tls"
    NETWORK = "network"
    TRUST_DOCUMENT = "trust-document"
    CHECKPOINT = "checkpoint"
    EVIDENCE = "evidence"
    IDENTITY = "identity"
    REPORT_DATA = "report-data"
    SIGNATURE = "signature"
    GRANT = "session-grant"
    OWN_EVIDENCE = "own-evidence"


class AttestationFailedError(SealedgerClientError):
    """A step of the mutual attestation failed."""

    def __init__(self, check: Check, message: str, hint: str = "") -> None:
        """Carry the step."""
        super().__init__(f"attestation failed at {check}: {message}", hint)
        self.check = check


class ReceiptInvalidError(SealedgerClientError):
    """An answer whose proof does not hold; whether the operation ran is not known."""


class LogForkedError(ReceiptInvalidError):
    """The quorum certified two roots for one size: keep both notes and tell the operators."""

    def __init__(self, size: int, notes: tuple[bytes, bytes]) -> None:
        """Carry the two contradicting signed notes, which are the evidence."""
        super().__init__(
            f"the log showed two certified roots for size {size}",
            "stop using this network and give both notes to its operators and auditors",
        )
        self.notes = notes


class UnavailableError(SealedgerClientError):
    """The node cannot be reached or cannot serve now; the operation did not run."""


class OutcomeUnknownError(UnavailableError):
    """The operation was sent and no answer came in time: it ran once or not at all."""


class SessionOverError(SealedgerClientError):
    """The ledger no longer knows the session. Caught inside the package: it attests again."""


class NotDeliveredError(SealedgerClientError):
    """A granted read came without value or key. Caught inside the package: the ticket has them."""


class ClosedError(SealedgerClientError):
    """The client is not open."""
