"""The one list of reasons: outcomes of operations, refusals of transactions, status details.

The numbers are those of ``enum Reason`` in proto/sealedger/v1/ledger.proto (a test compares them).
Reasons are codes; explanations are hints beside them and never enter the log.
"""

from enum import IntEnum


class Reason(IntEnum):
    """Why something was granted, refused or failed."""

    OK = 1

    MALFORMED = 10
    TOO_LARGE = 11
    WRONG_NETWORK = 12
    BAD_SIGNATURE = 13
    PAYLOAD_MISMATCH = 14

    UNKNOWN_SIGNER = 20
    SESSION_EXPIRED = 21
    SESSION_CLOSED = 22
    TRANSACTION_EXPIRED = 23
    VALID_TOO_LONG = 24
    SEQUENCE_REUSED = 25
    SEQUENCE_PASSED = 26
    SESSION_REVOKED = 27
    COLLATERAL_CHANGED = 28
    TOO_MANY_SESSIONS = 29

    DENIED = 30
    UNKNOWN_COLLECTION = 31
    NOT_FOUND = 32
    VERSION_CONFLICT = 33
    WRONG_EPOCH = 34
    NOT_EXECUTED = 35
    WRONG_SIGNER = 36
    FROZEN = 37
    EXPIRED = 38
    DESTROYED = 39
    UNKNOWN_SESSION = 64
    QUOTA_EXCEEDED = 65
    COLLECTION_EXISTS = 66
    RELEASE_EXISTS = 67
    UNKNOWN_RELEASE = 68
    RELEASE_REVOKED = 69
    WRONG_RELEASE_DIGEST = 70
    NO_CHANGE = 72

    EVIDENCE_REFUSED = 40
    EVIDENCE_UNDECIDED = 41
    EVIDENCE_REUSED = 42
    SESSION_KEY_REUSED = 43
    STALE_CHECKPOINT = 44
    WRONG_TRUST_DOCUMENT = 45
    WRONG_SERVICE_KEY = 46
    WRONG_REPORT_DATA = 47
    NOT_ADMITTED = 48
    COLLATERAL_REFUSED = 49
    COLLATERAL_NOT_NEWER = 71

    NOT_CERTIFIED = 50
    NOT_GRANTED = 51
    RECEIPT_TOO_OLD = 52
    HEADER_MISMATCH = 53
    EPOCH_UNKNOWN = 54
    NOT_STARTED = 55

    OVERLOADED = 60
    SHUTTING_DOWN = 61
    INTERNAL = 62
    PAYLOAD_ERASED = 63
