"""Put, get and delete: how each becomes an operation, and what its outcome means.

Rules: a value is sealed when the transaction is made, for the session that signs it, because its
coordinates name that session; made again in a new session, it is sealed again. An outcome must be
of the kind that was asked, for what was asked. Released keys and values live no longer than the
call. Not here: sending, proving (`pipeline`, `replies`).
"""

import asyncio
import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from enclave_client.errors import (
    NotDeliveredError,
    ReceiptInvalidError,
    SealedgerClientError,
)
from enclave_client.outcomes import granted_detail, refused
from enclave_client.receipts import Entry, Receipt
from enclave_client.session import Session
from enclave_client.wire import Released
from ledger.crypto.aead import OpenError
from ledger.crypto.secret import Secret
from ledger.errors import FormatError
from ledger.format.operation import (
    RECORD_ID_BYTES,
    Delete,
    Put,
    Read,
    encode_operation,
)
from ledger.format.outcome import (
    Coordinates,
    Deleted,
    Detail,
    Outcome,
    PutDone,
    ReadGranted,
)
from ledger.format.sealed import MODE_SESSION, TAG_BYTES, split_sealed
from ledger.reason import Reason
from ledger.sealing import open_released, open_value, release_key, seal_value, verify_header

RANDOM_BYTES = RECORD_ID_BYTES + 32  # per operation, beside its salt
# Why a granted read may come without its value: it did not fit, or the key service was not ready.
_BY_TICKET = frozenset(
    {Reason.OK, Reason.TOO_LARGE, Reason.NOT_STARTED, Reason.NOT_CERTIFIED, Reason.OVERLOADED}
)


@dataclass(frozen=True, slots=True)
class Stored:
    """A value stands on the ledger as this version."""

    version: int
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Got:
    """A value; hidden from the repr."""

    value: bytes = field(repr=False)
    version: int
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Removed:
    """The name ended after this version."""

    version: int
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Landed:
    """A proven transaction of a session, with what the node sent beside it."""

    session: Session
    entry: Entry
    sealed: tuple[bytes, ...]
    released: tuple[Released | None, ...]


class Call(ABC):
    """One waiting call: its arguments and the future that its caller awaits."""

    __slots__ = ("collection", "future", "name", "tries", "version")

    is_write = False  # needs the session's key of the collection

    def __init__(self, collection: str, name: str, version: int | None) -> None:
        """Keep the arguments; `version` is the one wanted or expected."""
        self.collection = collection
        self.name = name
        self.version = version
        self.tries = 0
        self.future: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    @property
    def size(self) -> int:
        """Bytes of payload."""
        return 0

    @abstractmethod
    def prepare(self, session: Session, random: bytes) -> tuple[bytes, bytes]:
        """(operation, payload) for this session; `random` are 48 random bytes for this alone."""

    @abstractmethod
    def finish(self, landed: Landed, position: int, outcome: Outcome) -> object:
        """The call's result; raises what the outcome means."""

    def fail(self, error: SealedgerClientError) -> None:
        """Tell the caller, unless it no longer waits."""
        if not self.future.done():
            self.future.set_exception(error)

    def _detail(self, landed: Landed, position: int, outcome: Outcome) -> Detail | None:
        if outcome.reason is Reason.OK:
            return outcome.detail  # the fast way: nothing is built
        what = f"{self.collection}: {self.name}"
        return granted_detail(outcome, what, Receipt(landed.entry, position))


class PutCall(Call):
    """Store a value as the next version of a name."""

    __slots__ = ("_ttl_ms", "_value")

    is_write = True

    def __init__(
        self, collection: str, name: str, value: bytes, if_version: int | None, ttl_ms: int = 0
    ) -> None:
        """Keep the value until it is stored; `ttl_ms` 0 takes the collection's default."""
        super().__init__(collection, name, if_version)
        self._value = value
        self._ttl_ms = ttl_ms

    @property
    def size(self) -> int:
        """Bytes of the value."""
        return len(self._value)

    def prepare(self, session: Session, random: bytes) -> tuple[bytes, bytes]:
        """Seal the value under a fresh data key for this session."""
        key = session.writer_keys[self.collection]
        record_id = random[:RECORD_ID_BYTES]
        at = Coordinates(self.collection, self.name, record_id, key.epoch, MODE_SESSION, session.id)
        data_key = Secret(random[RECORD_ID_BYTES:])
        sealed, digest = seal_value(session.signer.network_id, at, key.kek, data_key, self._value)
        operation = Put(
            self.collection,
            self.name,
            record_id,
            key.epoch,
            MODE_SESSION,
            digest,
            len(self._value) + TAG_BYTES,
            self.version,
            self._ttl_ms,
        )
        return encode_operation(operation), sealed

    def finish(self, landed: Landed, position: int, outcome: Outcome) -> Stored:
        """The version that it became."""
        detail = self._detail(landed, position, outcome)
        if not isinstance(detail, PutDone):
            raise ReceiptInvalidError("the outcome is not that of a put")
        return Stored(detail.version, Receipt(landed.entry, position))


class GetCall(Call):
    """Read a name's current version, or the one asked for."""

    __slots__ = ()

    def prepare(self, session: Session, random: bytes) -> tuple[bytes, bytes]:
        """The operation; nothing stands beside it, so only a put needs the two."""
        del session, random
        return encode_operation(Read(self.collection, self.name, self.version)), b""

    def finish(self, landed: Landed, position: int, outcome: Outcome) -> Got:
        """Open the released key and the value, which must be exactly the recorded ones."""
        granted = self._detail(landed, position, outcome)
        if not isinstance(granted, ReadGranted) or not self._is_asked(granted, landed.session):
            raise ReceiptInvalidError("the outcome is of another read")
        released = landed.released[position] if landed.released else None
        sealed = landed.sealed[position] if landed.sealed else b""
        if released is None or (released.reason in _BY_TICKET and not sealed):
            raise NotDeliveredError("the value did not come with the answer")
        if released.reason is not Reason.OK:
            what = f"{self.collection}: {self.name}: the read is recorded, its key not released"
            raise refused(released.reason, what, receipt=Receipt(landed.entry, position))
        network_id = landed.session.signer.network_id
        try:
            header, ciphertext = split_sealed(sealed)
            digest = hashlib.sha256(ciphertext).digest()
            verify_header(header, network_id, granted.origin, granted.sealed_digest, digest)
            one_time = release_key(landed.session.secret, landed.entry.leaf_hash, position)
            data_key = open_released(one_time, released.sealed_key)
            value = open_value(data_key, sealed, network_id, granted.origin)
        except (FormatError, OpenError) as error:
            raise ReceiptInvalidError(
                f"{self.collection}: {self.name}: not the recorded value: {error}",
                "the node gave other bytes than those that the ledger recorded",
            ) from error
        return Got(value, granted.version, Receipt(landed.entry, position))

    def _is_asked(self, granted: ReadGranted, session: Session) -> bool:
        return (
            granted.name == self.name
            and granted.collection == self.collection
            and granted.reader_session == session.id
            and self.version in (None, granted.version)
        )


class DeleteCall(Call):
    """End a name."""

    __slots__ = ()

    def prepare(self, session: Session, random: bytes) -> tuple[bytes, bytes]:
        """The operation; nothing stands beside it, so only a put needs the two."""
        del session, random
        return encode_operation(Delete(self.collection, self.name, self.version)), b""

    def finish(self, landed: Landed, position: int, outcome: Outcome) -> Removed:
        """The last version that there was."""
        detail = self._detail(landed, position, outcome)
        if not isinstance(detail, Deleted):
            raise ReceiptInvalidError("the outcome is not that of a delete")
        return Removed(detail.version, Receipt(landed.entry, position))
