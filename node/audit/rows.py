"""One operation as a row: where and when, who with which code, what, and the outcome.

Every row has the same fields, in the same order, so that rows make a table; what does not apply is
None. Numbers are numbers, bytes are hex, times are UTC.
"""

from attestation.collateral_verdict import decode_collateral_verdict
from attestation.errors import AttestationError
from enclave_client.openings import Event
from ledger.format.address import encode_address
from ledger.format.hygiene import RevokeSession
from ledger.format.operation import Operation, Put
from ledger.format.outcome import (
    CollateralUpdated,
    Conflict,
    Deleted,
    Destroyed,
    Outcome,
    PutDone,
    ReadGranted,
    Votes,
)
from ledger.format.platforms import VotePlatform
from ledger.format.releases import EndorseRelease, PublishRelease, ReleaseVersion, RevokeRelease
from ledger.format.terms import FreezeCollection
from ledger.format.transaction import SignerKind
from node.audit.people import Session, Signed, session_of, transaction_of
from node.audit.report import time_text

Row = dict[str, object]

_COUNTED = tuple(
    one.__name__ for one in (RevokeSession, EndorseRelease, RevokeRelease, VotePlatform)
)

IDENTITY_FIELDS = (
    "session_opened_in",
    "platform",
    "measurement",
    "code_signer",
    "product_id",
    "svn",
    "debug",
    "tcb_status",
    "advisories",
)


def row_of(event: Event, session: Session | None, signed: Signed) -> Row:
    """The row of a proven operation; `session` is the one that acted, if it is known."""
    acting = session_of(event)
    detail = event.outcome.detail
    name, asked_version = _named(event.operation)
    if isinstance(detail, CollateralUpdated):
        name = _key(detail)
    return {
        "entry": event.index,
        "position": event.position,
        "time": time_text(event.time_ms),
        "block": transaction_of(event.receipt.entry).leaf.height,
        "operation": type(event.operation).__name__,
        "collection": getattr(event.operation, "collection", None) or None,
        "name": name,
        "asked": _asked(event.operation),
        "asked_version": asked_version,
        "version": _version(event.outcome),
        "outcome": event.outcome.reason.name,
        "bytes": event.operation.size if isinstance(event.operation, Put) else None,
        "stored_in_entry": detail.put_index if isinstance(detail, ReadGranted) else None,
        "signer_kind": event.signer_kind.name.lower(),
        "signer": signer_text(event),
        "signature": signed.value,
        "session": None if acting is None else acting.hex(),
        **_identity(session),
    }


def signer_text(event: Event) -> str:
    """An account's checksummed address, else the hex of a session id or key."""
    is_account = event.signer_kind is SignerKind.ACCOUNT
    return encode_address(event.signer) if is_account else event.signer.hex()


def line_of(row: Row) -> str:
    """The row as a sentence that can be pasted."""
    name, wanted, about = row["name"], row["asked_version"], row["version"]
    if isinstance(wanted, str):  # of a release
        name = f"{name}@{wanted}"
    parts = row["operation"], row["asked"], row["collection"], name
    what = " ".join(str(part) for part in parts if part is not None)
    version = "" if about is None else f" version {about}"
    if row["operation"] in _COUNTED:
        version = version.replace(" version", ",")
    who = f"{str(row['signer_kind']).replace('_', ' ')} {row['signer']}"
    if row["measurement"] is not None:
        who += (
            f" ({row['platform']} measurement {row['measurement']}, signer {row['code_signer']}, "
            f"product {row['product_id']}, SVN {row['svn']}, {row['tcb_status']}, opened in entry "
            f"{row['session_opened_in']})"
        )
    return (
        f"entry {row['entry']}, operation {row['position']}, {row['time']}: {what}{version}: "
        f"{row['outcome']}, by {who}; signature {row['signature']}"
    )


def _named(operation: Operation) -> tuple[str | None, int | str | None]:
    """What it concerns (a secret, a release, a session, a platform), and which version of it."""
    if isinstance(operation, RevokeSession):
        return operation.session_id.hex(), None
    if isinstance(operation, VotePlatform):
        return operation.platform_id.hex(), None
    subject = operation.release if isinstance(operation, PublishRelease) else operation
    version = getattr(subject, "version", None)
    return getattr(subject, "name", None), (
        str(version) if isinstance(version, ReleaseVersion) else version
    )


def _asked(operation: Operation) -> str | None:
    """What is asked for, where the operation's name leaves that open."""
    match operation:
        case FreezeCollection(frozen=frozen):
            return "freeze" if frozen else "unfreeze"
        case VotePlatform(vote=vote):
            return vote.word
        case _:
            return None


def _key(updated: CollateralUpdated) -> str | None:
    """What the collateral is for; the verdict is the proposer's, so it is decoded with care."""
    try:
        return decode_collateral_verdict(updated.verdict).facts.key
    except AttestationError:
        return None


def _identity(session: Session | None) -> Row:
    if session is None:
        return dict.fromkeys(IDENTITY_FIELDS)
    identity = session.identity
    values = (
        session.opened_in,
        identity.platform,
        identity.measurement.hex(),
        identity.signer.hex(),
        identity.product_id,
        identity.svn,
        identity.debug,
        identity.tcb_status,
        " ".join(identity.advisories),
    )
    return dict(zip(IDENTITY_FIELDS, values, strict=True))


def _version(outcome: Outcome) -> int | str | None:
    match outcome.detail:
        case PutDone() | ReadGranted() | Deleted():
            return outcome.detail.version
        case Conflict(version):
            return f"{version} is current"
        case Votes(cast, needed):
            return f"{cast} of {needed} votes" if needed else f"endorsed by {cast}"
        case Destroyed(first, last):
            return first if first == last else f"{first} to {last}"
        case _:
            return None
