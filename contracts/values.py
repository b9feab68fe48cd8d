"""The rules of secrets: who may put, read, delete, destroy, and have a collection's key.

Each rule takes the operation and where it stands; it gives an outcome and writes its changes.
Policies are judged for each operation, against the collection as it is then. A frozen collection
does nothing for anybody but its owner's `Destroy`. An operation on a name that a session was
denied, a granted read, a deletion and a destruction leave a touch, a put leaves its version: a
secret's history is complete by construction. What an account was denied leaves none: accounts have
no budget of denials, so that strangers could fill any history; it stands in its entry.
"""

from dataclasses import replace

from ledger import keys
from ledger.format.operation import AcquireKey, Delete, Put, Read
from ledger.format.outcome import (
    Conflict,
    Coordinates,
    Deleted,
    Destroyed,
    KeyAcquired,
    Outcome,
    PutDone,
    ReadGranted,
)
from ledger.format.sealed import MODE_PUBLIC, MODE_SESSION, TAG_BYTES
from ledger.format.terms import Destroy
from ledger.reason import Reason

from contracts.place import TOUCH_DENIED, TOUCHED, Access, Place
from contracts.versions import (
    HeadRecord,
    Version,
    decode_head,
    decode_standing,
    decode_version,
    encode_head,
    encode_version,
    version_of_head,
)

MAX_DESTROYED = 256  # versions that one Destroy erases
MAX_TIME_MS = 2**63

_DENIED = Outcome(Reason.DENIED)
_UNKNOWN_COLLECTION = Outcome(Reason.UNKNOWN_COLLECTION)
_FROZEN = Outcome(Reason.FROZEN)
_NOT_FOUND = Outcome(Reason.NOT_FOUND)
_MALFORMED = Outcome(Reason.MALFORMED)
_TOO_LARGE = Outcome(Reason.TOO_LARGE)
_WRONG_EPOCH = Outcome(Reason.WRONG_EPOCH)
_EXPIRED = Outcome(Reason.EXPIRED)
_DESTROYED = Outcome(Reason.DESTROYED)
_QUOTA = Outcome(Reason.QUOTA_EXCEEDED)
_WRONG_SIGNER = Outcome(Reason.WRONG_SIGNER)
_REVOKED = Outcome(Reason.SESSION_REVOKED)


def put(operation: Put, place: Place) -> Outcome:
    """Store the next version: a writer, the active epoch, the expected version, the quota."""
    access = place.access(operation.collection)
    if access is None:
        return _UNKNOWN_COLLECTION
    fault = _put_fault(operation, place, access)
    if fault is not None:
        return fault
    state = place.state
    key = keys.head_of(operation.collection, operation.name)
    head = state.get(key)
    last, deleted_through, destroyed_through = (0, 0, 0) if head is None else decode_standing(head)
    current = 0 if last <= deleted_through else last
    if operation.if_version not in (None, current):
        return Outcome(Reason.VERSION_CONFLICT, Conflict(current))
    owner = access.collection.owner
    if owner:
        limit = place.parameters.owner_bytes
        if place.owner(owner).stored_bytes + operation.size > limit:
            return _QUOTA
        place.hold(owner, stored_bytes=operation.size)
    if head is not None:
        superseded = keys.version_of(operation.collection, operation.name, last)
        state.put(superseded, version_of_head(head))
    version = _version(operation, place, last + 1, access)
    state.put(key, encode_head(HeadRecord(version, deleted_through, destroyed_through)))
    return Outcome(Reason.OK, PutDone(version.number))


def read(operation: Read, place: Place) -> Outcome:
    """Grant one version to a reader; the outcome carries all that a release needs."""
    session = place.session
    if session is None:
        return _WRONG_SIGNER
    access = place.access(operation.collection)
    if access is None:
        return _UNKNOWN_COLLECTION
    if not access.may_read:
        return _deny(operation.collection, operation.name, place, access)
    if access.collection.is_frozen:
        return _FROZEN
    version = _find(operation, place)
    if version is None:
        return _NOT_FOUND
    if version.is_destroyed:
        return _DESTROYED
    if version.expires_ms and place.time_ms >= version.expires_ms:
        return _EXPIRED
    place.touch(operation.collection, operation.name, TOUCHED)
    return Outcome(
        Reason.OK,
        ReadGranted(
            collection=operation.collection,
            name=operation.name,
            version=version.number,
            origin=version.origin,
            sealed_digest=version.sealed_digest,
            reader_session=place.signer,
            identity_digest=session.identity_digest,
            put_index=version.index,
            put_position=version.position,
            reader_epoch=session.epoch,
        ),
    )


def delete(operation: Delete, place: Place) -> Outcome:
    """End a name: its versions can no longer be read; the next put goes on counting."""
    access = place.access(operation.collection)
    if access is None:
        return _UNKNOWN_COLLECTION
    if not access.may_write:
        return _deny(operation.collection, operation.name, place, access)
    if access.collection.is_frozen:
        return _FROZEN
    key = keys.head_of(operation.collection, operation.name)
    data = place.state.get(key)
    head = None if data is None else decode_head(data)
    current = 0 if head is None else head.current
    if operation.if_version not in (None, current):
        return Outcome(Reason.VERSION_CONFLICT, Conflict(current))
    if head is None or current == 0:
        return _NOT_FOUND
    place.state.put(key, encode_head(replace(head, deleted_through=current)))
    place.touch(operation.collection, operation.name, TOUCHED)
    return Outcome(Reason.OK, Deleted(current))


def destroy(operation: Destroy, place: Place) -> Outcome:
    """Erase payloads for ever: one version, or the oldest 256 that are left.

    Only the owner may; the outcome says which versions are gone. A frozen collection can be
    destroyed: stopping and erasing are what an owner in trouble needs.
    """
    access = place.access(operation.collection)
    if access is None:
        return _UNKNOWN_COLLECTION
    if not access.is_owner:
        return _deny(operation.collection, operation.name, place, access)
    key = keys.head_of(operation.collection, operation.name)
    data = place.state.get(key)
    if data is None:
        return _NOT_FOUND
    head = decode_head(data)
    last = head.version.number
    first = head.destroyed_through + 1 if operation.version is None else operation.version
    if first > last:
        return _DESTROYED if operation.version is None else _NOT_FOUND
    until = min(last, first + MAX_DESTROYED - 1) if operation.version is None else first
    freed = sum(_destroy_version(operation, number, place) for number in range(first, until + 1))
    if operation.version is None:
        head = replace(head, destroyed_through=until)
    if until == last:
        head = replace(head, version=_destroyed(head.version))
    place.state.put(key, encode_head(head))
    place.hold(access.collection.owner, stored_bytes=-freed)
    place.touch(operation.collection, operation.name, TOUCHED)
    return Outcome(Reason.OK, Destroyed(first, until))


def acquire_key(operation: AcquireKey, place: Place) -> Outcome:
    """Let a writer's session have its key-encryption key of a collection."""
    session = place.session
    if session is None:
        return _WRONG_SIGNER
    access = place.access(operation.collection)
    if access is None:
        return _UNKNOWN_COLLECTION
    if not access.may_write:
        return _denied(access)
    if access.collection.is_frozen:
        return _FROZEN
    return Outcome(
        Reason.OK,
        KeyAcquired(
            operation.collection,
            place.parameters.epoch,
            place.signer,
            session.identity_digest,
            session.epoch,
        ),
    )


def _put_fault(operation: Put, place: Place, access: Access) -> Outcome | None:
    if not access.may_write:
        return _deny(operation.collection, operation.name, place, access)
    if access.collection.is_frozen:
        return _FROZEN
    mode = MODE_PUBLIC if place.session is None else MODE_SESSION
    if operation.mode != mode or operation.size < TAG_BYTES:
        return _MALFORMED
    if operation.size > place.parameters.value_bytes + TAG_BYTES:
        return _TOO_LARGE
    if operation.epoch != place.parameters.epoch:
        return _WRONG_EPOCH
    return None


def _deny(collection: str, name: str, place: Place, access: Access) -> Outcome:
    if place.session is not None:
        place.touch(collection, name, TOUCH_DENIED)
    return _denied(access)


def _denied(access: Access) -> Outcome:
    return _REVOKED if access.is_revoked else _DENIED


def _destroy_version(operation: Destroy, number: int, place: Place) -> int:
    """Erase one version's payload; gives the bytes that it held."""
    key = keys.version_of(operation.collection, operation.name, number)
    data = place.state.get(key)
    if data is None:  # the current version lives in the head
        head = place.state.get(keys.head_of(operation.collection, operation.name))
        version = decode_head(head).version if head is not None else None
    else:
        version = decode_version(data)
    if version is None or version.is_destroyed:
        return 0
    place.state.put(keys.payload(version.index, version.position), None)
    if data is not None:
        place.state.put(key, encode_version(_destroyed(version)))
    return version.size


def _destroyed(version: Version) -> Version:
    return replace(version, is_destroyed=True)


def _find(operation: Read, place: Place) -> Version | None:
    head = place.state.get(keys.head_of(operation.collection, operation.name))
    if head is None:
        return None
    last, deleted_through, _ = decode_standing(head)
    wanted = last if operation.version is None else operation.version
    if wanted <= deleted_through:
        return None
    if wanted == last:
        return decode_version(version_of_head(head))
    data = place.state.get(keys.version_of(operation.collection, operation.name, wanted))
    return None if data is None else decode_version(data)


def _version(operation: Put, place: Place, number: int, access: Access) -> Version:
    ttl_ms = operation.ttl_ms or access.collection.terms.ttl_ms
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
            place.signer,
        ),
        index=place.index,
        position=place.position,
        time_ms=place.time_ms,
        expires_ms=min(place.time_ms + ttl_ms, MAX_TIME_MS) if ttl_ms else 0,
    )
