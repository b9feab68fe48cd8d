"""Times, accounts and what stands on the ledger, in the words of the commands for people."""

import datetime as dt

from enclave_client.openings import Event
from enclave_client.rows import SecretRow
from ledger.format.address import encode_address
from ledger.format.outcome import Conflict, Deleted, Destroyed, Detail, PutDone, ReadGranted
from ledger.format.sealed import TAG_BYTES
from ledger.format.transaction import SignerKind

Fields = dict[str, object]
_SHORT = 16  # hex digits
_NO_SESSION = bytes(12)  # what stands before an account's address where a session's id could stand


def time_words(milliseconds: int) -> str:
    """UTC in milliseconds, as ISO 8601."""
    try:
        moment = dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
    except (OverflowError, ValueError, OSError):
        return f"{milliseconds} ms"
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def signer_fields(name: str, kind: SignerKind, signer: bytes, *, short: bool) -> Fields:
    """Who signed, as the field `name`: an account's address, else the hex of a key or id.

    `short`, for a table: its beginning behind the kind. Else the kind is a field of its own, so
    that the whole can be pasted into another command.
    """
    is_account = kind is SignerKind.ACCOUNT
    bare = encode_address(signer) if is_account else signer.hex()
    word = kind.name.lower()
    if short:
        return {name: bare if is_account else f"{word.replace('_', ' ')} {bare[:_SHORT]}"}
    return {f"{name}_kind": word, name: bare}


def plain(fields: Fields) -> Fields:
    """The fields for people: lists joined, nothing as a dash, yes and no."""
    return {name: _plain(value) for name, value in fields.items()}


def event_fields(event: Event, *, short: bool) -> Fields:
    """One operation that stands on the ledger; `short` for a table."""
    return {
        "time": time_words(event.time_ms),
        "entry": event.index,
        "position": event.position,
        "operation": type(event.operation).__name__,
        "outcome": event.outcome.reason.name,
        "version": _version(event.outcome.detail),
        **signer_fields("signer", event.signer_kind, event.signer, short=short),
    }


def secret_fields(row: SecretRow, now_ms: int, *, short: bool) -> Fields:
    """One secret's current version; `short` for a table."""
    kind, writer = SignerKind.SESSION, row.writer
    if writer.startswith(_NO_SESSION):
        kind, writer = SignerKind.ACCOUNT, writer[len(_NO_SESSION) :]
    return {
        "name": row.name,
        "version": row.version,
        "bytes": max(0, row.size - TAG_BYTES),
        "state": _state(row, now_ms),
        "stored": time_words(row.time_ms),
        "expires": time_words(row.expires_ms) if row.expires_ms else None,
        "entry": row.index,
        **signer_fields("writer", kind, writer, short=short),
    }


def _plain(value: object) -> object:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else value


def _state(row: SecretRow, now_ms: int) -> str:
    if row.is_destroyed:
        return "destroyed"
    if row.is_deleted:
        return "deleted"
    return "expired" if row.expires_ms and row.expires_ms <= now_ms else "live"


def _version(detail: Detail | None) -> int | str | None:
    match detail:
        case PutDone() | ReadGranted() | Deleted():
            return detail.version
        case Conflict(version):
            return f"{version} is current"
        case Destroyed(first, last):
            return first if first == last else f"{first} to {last}"
        case _:
            return None


def missing_votes(cast: int, needed: int) -> str:
    """Whose votes are needed yet: ``the vote of another member``."""
    missing = needed - cast
    return f"the vote of {'another member' if missing == 1 else f'{missing} other members'}"
