"""Outcomes: what the ledger answered to one operation. Codes and coordinates, no text.

The leaf commits to SHA-256(outcome salt ‖ outcome) of each operation; the outcome itself stands
beside the log. A granted Read's outcome carries every coordinate that a release of its key needs,
so that nothing is taken from a sealed header or a request (design section 6).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from sealedger.v1 import ledger_pb2 as pb

from ledger.errors import FormatError
from ledger.format.names import verify_name
from ledger.format.operation import RECORD_ID_BYTES
from ledger.format.strict import decode_strict, encode, verify_length
from ledger.reason import Reason

MAX_OUTCOME_BYTES = 4096
MAX_VERDICT_BYTES = 3584
MAX_COLLATERAL_VERDICT_BYTES = 512
_OK = Reason.OK
_CONFLICT = Reason.VERSION_CONFLICT
_MAX_MODE = 255  # one byte of the sealed header
_POSITIONS = 256  # of operations in a transaction


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """A session stands on the ledger."""

    session_id: bytes
    expires_ms: int
    epoch: int
    verdict: bytes  # attestation's canonical verdict bytes, at most 3,584


@dataclass(frozen=True, slots=True)
class KeyAcquired:
    """The session may have its key-encryption key of this collection and epoch."""

    collection: str
    epoch: int
    session_id: bytes
    identity_digest: bytes
    session_epoch: int


@dataclass(frozen=True, slots=True)
class PutDone:
    """The value is the name's version `version` (1 is the first)."""

    version: int


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Where a sealed value was made: what its encryption is bound to."""

    collection: str
    name: str
    record_id: bytes
    epoch: int
    mode: int
    writer_session: bytes


@dataclass(frozen=True, slots=True)
class ReadGranted:
    """A read that stands on the ledger, with all that a release of its key needs."""

    collection: str
    name: str
    version: int
    origin: Coordinates
    sealed_digest: bytes
    reader_session: bytes
    identity_digest: bytes
    put_index: int
    put_position: int
    reader_epoch: int


@dataclass(frozen=True, slots=True)
class Deleted:
    """The name ended after version `version`."""

    version: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """`if_version` named another version than the current one (0: none)."""

    version: int


@dataclass(frozen=True, slots=True)
class Destroyed:
    """Versions `first` to `last` are gone for ever."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class CollateralUpdated:
    """The collateral stands on the ledger, with what the verifier said of it."""

    verdict: bytes  # attestation's canonical bytes, 1 to 512


@dataclass(frozen=True, slots=True)
class Votes:
    """How many distinct members or auditors said so, this one counted in."""

    cast: int
    needed: int  # from how many on it counts; 0: nobody counts them here


Detail = (
    Destroyed
    | SessionOpened
    | KeyAcquired
    | PutDone
    | ReadGranted
    | Deleted
    | CollateralUpdated
    | Votes
    | Conflict
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The reason code, and the detail that goes with it."""

    reason: Reason
    detail: Detail | None = None


def encode_outcome(outcome: Outcome) -> bytes:
    """The canonical bytes of an outcome."""
    message = pb.Outcome(reason=cast("pb.Reason", outcome.reason.value))
    match outcome.detail:
        case PutDone(version):
            message.put_done.version = version
        case ReadGranted():
            message.read_granted.CopyFrom(_read_message(outcome.detail))
        case KeyAcquired(collection, epoch, session_id, identity_digest, session_epoch):
            message.key_acquired.CopyFrom(
                pb.KeyAcquired(
                    collection=collection,
                    epoch=epoch,
                    session_id=session_id,
                    identity_digest=identity_digest,
                    session_epoch=session_epoch,
                )
            )
        case SessionOpened(session_id, expires_ms, epoch, verdict):
            message.session_opened.CopyFrom(
                pb.SessionOpened(
                    session_id=session_id, expires_ms=expires_ms, epoch=epoch, verdict=verdict
                )
            )
        case Deleted(version):
            message.deleted.version = version
        case Destroyed(first, last):
            message.destroyed.CopyFrom(pb.Destroyed(first=first, last=last))
        case CollateralUpdated(verdict):
            message.collateral_updated.verdict = verdict
        case Votes(cast_so_far, needed):
            message.votes.CopyFrom(pb.Votes(cast=cast_so_far, needed=needed))
        case None:
            pass
        case _:
            message.conflict.SetInParent()
            message.conflict.version = outcome.detail.version
    return encode(message)


def decode_outcome(data: bytes) -> Outcome:
    """Decode one outcome of at most 4,096 bytes; FormatError for anything that cannot be meant.

    A detail says what was granted, so it stands beside OK only; VERSION_CONFLICT, and nothing else,
    names the current version.
    """
    message = decode_strict(pb.Outcome, data, MAX_OUTCOME_BYTES)
    try:
        reason = Reason(message.reason)
    except ValueError as error:
        raise FormatError("outcome: unknown reason") from error
    kind = message.WhichOneof("detail")
    if kind is None:
        if reason is _CONFLICT:
            raise FormatError("outcome: a conflict without the current version")
        return Outcome(reason)
    if reason is not (_CONFLICT if kind == "conflict" else _OK):
        raise FormatError("outcome: the detail is not of this reason")
    return Outcome(reason, _DECODERS[kind](message))


def _read_message(read: ReadGranted) -> pb.ReadGranted:
    origin = read.origin
    return pb.ReadGranted(
        collection=read.collection,
        name=read.name,
        version=read.version,
        origin_collection=origin.collection,
        origin_name=origin.name,
        record_id=origin.record_id,
        epoch=origin.epoch,
        mode=origin.mode,
        writer_session=origin.writer_session,
        sealed_digest=read.sealed_digest,
        reader_session=read.reader_session,
        identity_digest=read.identity_digest,
        put_index=read.put_index,
        put_position=read.put_position,
        reader_epoch=read.reader_epoch,
    )


def _decode_read(message: pb.Outcome) -> Detail:
    read = message.read_granted
    if not 1 <= read.mode <= _MAX_MODE or read.put_position >= _POSITIONS:
        raise FormatError("outcome: no value was ever put with this mode or at this position")
    return ReadGranted(
        verify_name(read.collection),
        verify_name(read.name),
        _version(read.version),
        Coordinates(
            verify_name(read.origin_collection),
            verify_name(read.origin_name),
            verify_length("record_id", read.record_id, RECORD_ID_BYTES),
            read.epoch,
            read.mode,
            verify_length("writer_session", read.writer_session, 32),
        ),
        verify_length("sealed_digest", read.sealed_digest, 32),
        verify_length("reader_session", read.reader_session, 32),
        verify_length("identity_digest", read.identity_digest, 32),
        read.put_index,
        read.put_position,
        read.reader_epoch,
    )


def _decode_key(message: pb.Outcome) -> Detail:
    key = message.key_acquired
    return KeyAcquired(
        verify_name(key.collection),
        key.epoch,
        verify_length("session_id", key.session_id, 32),
        verify_length("identity_digest", key.identity_digest, 32),
        key.session_epoch,
    )


def _decode_session(message: pb.Outcome) -> Detail:
    opened = message.session_opened
    if len(opened.verdict) > MAX_VERDICT_BYTES:
        raise FormatError(f"outcome: a verdict has at most {MAX_VERDICT_BYTES} bytes")
    return SessionOpened(
        verify_length("session_id", opened.session_id, 32),
        opened.expires_ms,
        opened.epoch,
        opened.verdict,
    )


def _decode_destroyed(message: pb.Outcome) -> Detail:
    destroyed = message.destroyed
    if destroyed.last < destroyed.first:
        raise FormatError("outcome: the last destroyed version is before the first")
    return Destroyed(_version(destroyed.first), destroyed.last)


def _decode_collateral(message: pb.Outcome) -> Detail:
    verdict = message.collateral_updated.verdict
    if not 1 <= len(verdict) <= MAX_COLLATERAL_VERDICT_BYTES:
        raise FormatError("outcome: a verdict of collateral has 1 to 512 bytes")
    return CollateralUpdated(verdict)


def _version(number: int) -> int:
    if not number:
        raise FormatError("outcome: versions start at 1")
    return number


_DECODERS: dict[str, Callable[[pb.Outcome], Detail]] = {
    "session_opened": _decode_session,
    "key_acquired": _decode_key,
    "put_done": lambda m: PutDone(_version(m.put_done.version)),
    "read_granted": _decode_read,
    "deleted": lambda m: Deleted(_version(m.deleted.version)),
    "destroyed": _decode_destroyed,
    "collateral_updated": _decode_collateral,
    "votes": lambda m: Votes(m.votes.cast, m.votes.needed),
    "conflict": lambda m: Conflict(m.conflict.version),
}
