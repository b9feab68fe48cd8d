"""The rules of secrets: who may put, read, delete, and have a collection's key.

Each rule takes the session, the operation and where it stands; it gives an outcome and writes its
changes. Policies are judged for each operation, against the collection as the transaction finds it:
no operation of a session changes a collection. A denied operation on a name, a granted read and a
deletion leave a touch, a put leaves its version: a secret's history is complete by construction.
"""

from dataclasses import dataclass, field

from ledger import keys
from ledger.format.operation import AcquireKey, Delete, Put, Read
from ledger.format.outcome import (
    Conflict,
    Coordinates,
    Deleted,
    KeyAcquired,
    Outcome,
    PutDone,
    ReadGranted,
)
from ledger.format.reason import Reason
from ledger.format.sealed import MODE_SESSION, TAG_BYTES

from contracts.admission import admits
from contracts.records import (
    HeadRecord,
    Parameters,
    SessionRecord,
    Version,
    decode_collection,
    decode_head,
    decode_standing,
    decode_version,
    encode_head,
    version_of_head,
)
from contracts.view import Changes

TOUCHED = bytes((Reason.OK,))  # the values of touches
TOUCH_DENIED = bytes((Reason.DENIED,))

_DENIED = Outcome(Reason.DENIED)
_UNKNOWN_COLLECTION = Outcome(Reason.UNKNOWN_COLLECTION)
_NOT_FOUND = Outcome(Reason.NOT_FOUND)
_MALFORMED = Outcome(Reason.MALFORMED)
_TOO_LARGE = Outcome(Reason.TOO_LARGE)
_WRONG_EPOCH = Outcome(Reason.WRONG_EPOCH)


@dataclass(frozen=True, slots=True)
class Access:
    """What the session may do in a collection."""

    may_read: bool
    may_write: bool


@dataclass(slots=True)
class Place:
    """Where an operation runs: the state, the rules' parameters, its entry and position."""

    state: Changes
    parameters: Parameters
    time_ms: int
    index: int
    position: int
    session_id: bytes
    session: SessionRecord
    _judged: dict[str, Access | None] = field(default_factory=dict)

    def access(self, name: str) -> Access | None:
        """What the session may do in a collection; None if there is no such collection."""
        if name not in self._judged:
            self._judged[name] = self._judge(name)
        return self._judged[name]

    def touch(self, collection: str, name: str, mark: bytes) -> None:
        """Mark that this operation concerned the secret."""
        self.state.put(keys.touch(collection, name, self.index, self.position), mark)

    def _judge(self, name: str) -> Access | None:
        data = self.state.get(keys.collection(name))
        if data is None:
            return None
        collection = decode_collection(data)
        return Access(self._is_admitted(collection.readers), self._is_admitted(collection.writers))

    def _is_admitted(self, policy: bytes) -> bool:
        return admits(policy, self.session.identity, self.parameters.is_development)


def put(operation: Put, place: Place) -> Outcome:
    """Store the next version: a writer, the active epoch, the expected version."""
    access = place.access(operation.collection)
    if access is None:
        return _UNKNOWN_COLLECTION
    if not access.may_write:
        place.touch(operation.collection, operation.name, TOUCH_DENIED)
        return _DENIED
    if operation.mode != MODE_SESSION or operation.size < TAG_BYTES:
        return _MALFORMED
    if operation.size > place.parameters.value_bytes + TAG_BYTES:
        return _TOO_LARGE
    if operation.epoch != place.parameters.epoch:
        return _WRONG_EPOCH
    state = place.state
    key = keys.head_of(operation.collection, operation.name)
    head = state.get(key)
    last, deleted_through = (0, 0) if head is None else decode_standing(head)
    current = 0 if last <= deleted_through else last
    if operation.if_version not in (None, current):
        return Outcome(Reason.VERSION_CONFLICT, Conflict(current))
    if head is not None:
        superseded = keys.version_of(operation.collection, operation.name, last)
        state.put(superseded, version_of_head(head))
    version = _version(operation, place, last + 1)
    state.put(key, encode_head(HeadRecord(version, deleted_through)))
    return Outcome(Reason.OK, PutDone(version.number))


def read(operation: Read, place: Place) -> Outcome:
    """Grant one version to a reader; the outcome carries all that a release needs."""
    access = place.access(operation.collection)
    if access is None:
        return _UNKNOWN_COLLECTION
    if not access.may_read:
        place.touch(operation.collection, operation.name, TOUCH_DENIED)
        return _DENIED
    version = _find(operation, place)
    if version is None:
        return _NOT_FOUND
    place.touch(operation.collection, operation.name, TOUCHED)
    return Outcome(
        Reason.OK,
        ReadGranted(
            collection=operation.collection,
            name=operation.name,
            version=version.number,
            origin=version.origin,
            sealed_digest=version.sealed_digest,
            reader_session=place.session_id,
            identity_digest=place.session.identity_digest,
            put_index=version.index,
            put_position=version.position,
            reader_epoch=place.session.epoch,
        ),
    )


def delete(operation: Delete, place: Place) -> Outcome:
    """End a name: its versions can no longer be read; the next put goes on counting."""
    access = place.access(operation.collection)
    if access is None:
        return _UNKNOWN_COLLECTION
    if not access.may_write:
        place.touch(operation.collection, operation.name, TOUCH_DENIED)
        return _DENIED
    key = keys.head_of(operation.collection, operation.name)
    data = place.state.get(key)
    head = None if data is None else decode_head(data)
    current = 0 if head is None else head.current
    if operation.if_version not in (None, current):
        return Outcome(Reason.VERSION_CONFLICT, Conflict(current))
    if head is None or current == 0:
        return _NOT_FOUND
    place.state.put(key, encode_head(HeadRecord(head.version, current)))
    place.touch(operation.collection, operation.name, TOUCHED)
    return Outcome(Reason.OK, Deleted(current))


def acquire_key(operation: AcquireKey, place: Place) -> Outcome:
    """Let a writer's session have its key-encryption key of a collection."""
    access = place.access(operation.collection)
    if access is None:
        return _UNKNOWN_COLLECTION
    if not access.may_write:
        return _DENIED
    return Outcome(
        Reason.OK,
        KeyAcquired(
            operation.collection,
            place.parameters.epoch,
            place.session_id,
            place.session.identity_digest,
            place.session.epoch,
        ),
    )


def _find(operation: Read, place: Place) -> Version | None:
    head = place.state.get(keys.head_of(operation.collection, operation.name))
    if head is None:
        return None
    last, deleted_through = decode_standing(head)
    wanted = last if operation.version is None else operation.version
    if wanted <= deleted_through:
        return None
    if wanted == last:
        return decode_version(version_of_head(head))
    data = place.state.get(keys.version_of(operation.collection, operation.name, wanted))
    return None if data is None else decode_version(data)


def _version(operation: Put, place: Place, number: int) -> Version:
    return Version(
        number=number,
        sealed_digest=operation.sealed_digest,
        size=operation.size,
        origin=Coordinates(
            operation.collection,
            operation.name,
            operation.record_id,
            operation.epoch,
            operation.mode,
            place.session_id,
        ),
        index=place.index,
        position=place.position,
        time_ms=place.time_ms,
    )
