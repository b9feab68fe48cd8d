"""From reason codes to errors: which exception, and what would be right."""

from enclave_client.errors import (
    DeniedError,
    NotFoundError,
    RefusedError,
    SessionRevokedError,
    TooManySessionsError,
    VersionConflictError,
)
from enclave_client.receipts import Receipt
from ledger.format.outcome import Conflict, Detail, Outcome
from ledger.reason import Reason

_KINDS: dict[Reason, type[RefusedError]] = {
    Reason.NOT_FOUND: NotFoundError,
    Reason.EXPIRED: NotFoundError,
    Reason.DESTROYED: NotFoundError,
    Reason.DENIED: DeniedError,
    Reason.NOT_ADMITTED: DeniedError,
    Reason.SESSION_REVOKED: SessionRevokedError,
    Reason.TOO_MANY_SESSIONS: TooManySessionsError,
    Reason.VERSION_CONFLICT: VersionConflictError,
}

_HINTS: dict[Reason, str] = {
    Reason.NOT_FOUND: "nothing is stored under this name and version, or it was deleted",
    Reason.DENIED: "the collection's policy does not admit this enclave: its code, the state or id "
    "of its platform, or its release; sealedger policy explain compares them",
    Reason.NOT_ADMITTED: "no collection's policy admits this enclave",
    Reason.VERSION_CONFLICT: "someone stored another version meanwhile: read it, then decide",
    Reason.UNKNOWN_COLLECTION: "check the collection's name; its owner has to create it first",
    Reason.FROZEN: "the collection's owner stopped all reads and writes for now",
    Reason.EXPIRED: "its time to live is over; a new version can be put",
    Reason.DESTROYED: "its owner erased it for good; the record of it stays",
    Reason.QUOTA_EXCEEDED: "the owner's collections hold as much as the network allows",
    Reason.COLLECTION_EXISTS: "choose another name: collections of all owners share their names",
    Reason.TOO_LARGE: "a value has at most the bytes that the network allows",
    Reason.VALID_TOO_LONG: "this machine's clock is ahead: set it",
    Reason.TRANSACTION_EXPIRED: "this machine's clock is behind: set it",
    Reason.SESSION_CLOSED: "closed after too many denials: connect again, and ask for less",
    Reason.SESSION_REVOKED: "the collection's owner revoked this session: ask before you connect "
    "again",
    Reason.COLLATERAL_CHANGED: "it kept changing while this was signed again: try again",
    Reason.TOO_MANY_SESSIONS: "try again when an older session of this program has ended",
    Reason.UNKNOWN_SESSION: "no session of this network has this id: take it from the history",
    Reason.EVIDENCE_REFUSED: "the node does not believe this program's quote",
    Reason.EVIDENCE_UNDECIDED: "the network has no current collateral for this platform",
    Reason.STALE_CHECKPOINT: "try again; if it stays, this machine or the node stands still",
    Reason.RECEIPT_TOO_OLD: "read again: a new read gives a new ticket",
    Reason.PAYLOAD_ERASED: "the sealed value was erased for good; the record of it stays",
    Reason.EPOCH_UNKNOWN: "the value was sealed under keys that were destroyed",
    Reason.NOT_STARTED: "the key service is starting: try again in a moment",
    Reason.OVERLOADED: "try again in a moment",
}


def refused(
    reason: Reason, what: str, hint: str = "", receipt: Receipt | None = None
) -> RefusedError:
    """The error of a reason; `hint` is the node's own words, if it gave any."""
    kind = _KINDS.get(reason, RefusedError)
    message = f"{what}: {reason.name}"
    return kind(reason, message, hint or _HINTS.get(reason, ""), receipt)


def granted_detail(outcome: Outcome, what: str, receipt: Receipt, hint: str = "") -> Detail | None:
    """The detail of an outcome that granted what was asked; else raises what it means."""
    if outcome.reason is Reason.OK:
        return outcome.detail
    error = refused(outcome.reason, what, hint, receipt)
    if isinstance(error, VersionConflictError) and isinstance(outcome.detail, Conflict):
        error.current = outcome.detail.version
        error.message += f": version {error.current} is current"
    raise error
