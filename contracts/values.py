"""The rules of secrets: who may put, read, delete, and have a collection's key.

Each rule takes the session, the operation and where it stands; it gives an outcome and writes its
changes. Policies are judged for each operation, against the collection as it is at that moment. A
denied or granted read leaves a touch, so that a secret's history is complete by construction.
"""

from dataclasses import dataclass

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
    CollectionRecord,
    HeadRecord,
    Parameters,
    SessionRecord,
    Version,
    decode_collection,
    decode_head,
    decode_version,
    encode_head,
    encode_version,
)
from contracts.view import Changes

_DENIED = Outcome(Reason.DENIED)
_UNKNOWN_COLLECTION = Outcome(Reason.UNKNOWN_COLLECTION)
_NOT_FOUND = Outcome(Reason.NOT_FOUND)
_MALFORMED = Outcome(Reason.MALFORMED)
_TOO_LARGE = Outcome(Reason.TOO_LARGE)
_WRONG_EPOCH = Outcome(Reason.WRONG_EPOCH)


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

    def collection(self, name: str) -> CollectionRecord | None:
        """The collection's record, or None."""
        data = self.state.get(keys.collection(name))
        return None if data is None else decode_collection(data)

    def is_admitted(self, policy: bytes) -> bool:
        """Whether the session's identity is admitted."""
        return admits(policy, self.session.identity, self.parameters.is_development)

    def head(self, collection: str, name: str) -> HeadRecord | None:
        """The secret's head, or None."""
        data = self.state.get(keys.head_of(collection, name))
        return None if data is None else decode_head(data)

    def touch(self, collection: str, name: str, reason: Reason) -> None:
        """Mark that this operation concerned the secret."""
        key = keys.touch(collection, name, self.index, self.position)
        self.state.put(key, bytes((reason,)))


def put(operation: Put, place: Place) -> Outcome:
    """Store the next version: a writer, the active epoch, the expected version."""
    collection = place.collection(operation.collection)
    if collection is None:
        return _UNKNOWN_COLLECTION
    if not place.is_admitted(collection.writers):
        place.touch(operation.collection, operation.name, Reason.DENIED)
        return _DENIED
    if operation.mode != MODE_SESSION or operation.size < TAG_BYTES:
        return _MALFORMED
    if operation.size > place.parameters.value_bytes + TAG_BYTES:
        return _TOO_LARGE
    if operation.epoch != place.parameters.epoch:
        return _WRONG_EPOCH
    head = place.head(operation.collection, operation.name)
    current = 0 if head is None else head.current
    if operation.if_version not in (None, current):
        return Outcome(Reason.VERSION_CONFLICT, Conflict(current))
    if head is not None:
        key = keys.version_of(operation.collection, operation.name, head.version.number)
        place.state.put(key, encode_version(head.version))
    version = _version(operation, place, 1 if head is None else head.version.number + 1)
    deleted_through = 0 if head is None else head.deleted_through
    place.state.put(
        keys.head_of(operation.collection, operation.name),
        encode_head(HeadRecord(version, deleted_through)),
    )
    return Outcome(Reason.OK, PutDone(version.number))


def read(operation: Read, place: Place) -> Outcome:
    """Grant one version to a reader; the outcome carries all that a release needs."""
    collection = place.collection(operation.collection)
    if collection is None:
        return _UNKNOWN_COLLECTION
    if not place.is_admitted(collection.readers):
        place.touch(operation.collection, operation.name, Reason.DENIED)
        return _DENIED
    version = _find(operation, place)
    if version is None:
        return _NOT_FOUND
    place.touch(operation.collection, operation.name, Reason.OK)
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
    collection = place.collection(operation.collection)
    if collection is None:
        return _UNKNOWN_COLLECTION
    if not place.is_admitted(collection.writers):
        place.touch(operation.collection, operation.name, Reason.DENIED)
        return _DENIED
    head = place.head(operation.collection, operation.name)
    current = 0 if head is None else head.current
    if operation.if_version not in (None, current):
        return Outcome(Reason.VERSION_CONFLICT, Conflict(current))
    if head is None or current == 0:
        return _NOT_FOUND
    place.state.put(
        keys.head_of(operation.collection, operation.name),
        encode_head(HeadRecord(head.version, head.version.number)),
    )
    place.touch(operation.collection, operation.name, Reason.OK)
    return Outcome(Reason.OK, Deleted(current))


def acquire_key(operation: AcquireKey, place: Place) -> Outcome:
    """Let a writer's session have its key-encryption key of a collection."""
    collection = place.collection(operation.collection)
    if collection is None:
        return _UNKNOWN_COLLECTION
    if not place.is_admitted(collection.writers):
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
    head = place.head(operation.collection, operation.name)
    if head is None:
        return None
    wanted = head.current if operation.version is None else operation.version
    if wanted <= head.deleted_through:
        return None
    if wanted == head.version.number:
        return head.version
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
