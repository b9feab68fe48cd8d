from sealedger.v1 import attestation_pb2 as _attestation_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REASON_UNSPECIFIED: _ClassVar[Reason]
    REASON_OK: _ClassVar[Reason]
    REASON_MALFORMED: _ClassVar[Reason]
    REASON_TOO_LARGE: _ClassVar[Reason]
    REASON_WRONG_NETWORK: _ClassVar[Reason]
    REASON_BAD_SIGNATURE: _ClassVar[Reason]
    REASON_PAYLOAD_MISMATCH: _ClassVar[Reason]
    REASON_UNKNOWN_SIGNER: _ClassVar[Reason]
    REASON_SESSION_EXPIRED: _ClassVar[Reason]
    REASON_SESSION_CLOSED: _ClassVar[Reason]
    REASON_TRANSACTION_EXPIRED: _ClassVar[Reason]
    REASON_VALID_TOO_LONG: _ClassVar[Reason]
    REASON_SEQUENCE_REUSED: _ClassVar[Reason]
    REASON_SEQUENCE_PASSED: _ClassVar[Reason]
    REASON_SESSION_REVOKED: _ClassVar[Reason]
    REASON_COLLATERAL_CHANGED: _ClassVar[Reason]
    REASON_TOO_MANY_SESSIONS: _ClassVar[Reason]
    REASON_DENIED: _ClassVar[Reason]
    REASON_UNKNOWN_COLLECTION: _ClassVar[Reason]
    REASON_NOT_FOUND: _ClassVar[Reason]
    REASON_VERSION_CONFLICT: _ClassVar[Reason]
    REASON_WRONG_EPOCH: _ClassVar[Reason]
    REASON_NOT_EXECUTED: _ClassVar[Reason]
    REASON_WRONG_SIGNER: _ClassVar[Reason]
    REASON_FROZEN: _ClassVar[Reason]
    REASON_EXPIRED: _ClassVar[Reason]
    REASON_DESTROYED: _ClassVar[Reason]
    REASON_UNKNOWN_SESSION: _ClassVar[Reason]
    REASON_QUOTA_EXCEEDED: _ClassVar[Reason]
    REASON_COLLECTION_EXISTS: _ClassVar[Reason]
    REASON_RELEASE_EXISTS: _ClassVar[Reason]
    REASON_UNKNOWN_RELEASE: _ClassVar[Reason]
    REASON_RELEASE_REVOKED: _ClassVar[Reason]
    REASON_WRONG_RELEASE_DIGEST: _ClassVar[Reason]
    REASON_NO_CHANGE: _ClassVar[Reason]
    REASON_EVIDENCE_REFUSED: _ClassVar[Reason]
    REASON_EVIDENCE_UNDECIDED: _ClassVar[Reason]
    REASON_EVIDENCE_REUSED: _ClassVar[Reason]
    REASON_SESSION_KEY_REUSED: _ClassVar[Reason]
    REASON_STALE_CHECKPOINT: _ClassVar[Reason]
    REASON_WRONG_TRUST_DOCUMENT: _ClassVar[Reason]
    REASON_WRONG_SERVICE_KEY: _ClassVar[Reason]
    REASON_WRONG_REPORT_DATA: _ClassVar[Reason]
    REASON_NOT_ADMITTED: _ClassVar[Reason]
    REASON_COLLATERAL_REFUSED: _ClassVar[Reason]
    REASON_COLLATERAL_NOT_NEWER: _ClassVar[Reason]
    REASON_NOT_CERTIFIED: _ClassVar[Reason]
    REASON_NOT_GRANTED: _ClassVar[Reason]
    REASON_RECEIPT_TOO_OLD: _ClassVar[Reason]
    REASON_HEADER_MISMATCH: _ClassVar[Reason]
    REASON_EPOCH_UNKNOWN: _ClassVar[Reason]
    REASON_NOT_STARTED: _ClassVar[Reason]
    REASON_OVERLOADED: _ClassVar[Reason]
    REASON_SHUTTING_DOWN: _ClassVar[Reason]
    REASON_INTERNAL: _ClassVar[Reason]
    REASON_PAYLOAD_ERASED: _ClassVar[Reason]

class SignerKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SIGNER_KIND_UNSPECIFIED: _ClassVar[SignerKind]
    SIGNER_KIND_SESSION: _ClassVar[SignerKind]
    SIGNER_KIND_ACCOUNT: _ClassVar[SignerKind]
    SIGNER_KIND_NODE: _ClassVar[SignerKind]
    SIGNER_KIND_NEW_SESSION: _ClassVar[SignerKind]

class PlatformVote(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PLATFORM_VOTE_UNSPECIFIED: _ClassVar[PlatformVote]
    PLATFORM_VOTE_ENROL: _ClassVar[PlatformVote]
    PLATFORM_VOTE_REMOVE: _ClassVar[PlatformVote]
    PLATFORM_VOTE_TAKE_BACK: _ClassVar[PlatformVote]

class Profile(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROFILE_UNSPECIFIED: _ClassVar[Profile]
    PROFILE_DEVELOPMENT: _ClassVar[Profile]
    PROFILE_SINGLE: _ClassVar[Profile]
    PROFILE_CONSORTIUM: _ClassVar[Profile]
REASON_UNSPECIFIED: Reason
REASON_OK: Reason
REASON_MALFORMED: Reason
REASON_TOO_LARGE: Reason
REASON_WRONG_NETWORK: Reason
REASON_BAD_SIGNATURE: Reason
REASON_PAYLOAD_MISMATCH: Reason
REASON_UNKNOWN_SIGNER: Reason
REASON_SESSION_EXPIRED: Reason
REASON_SESSION_CLOSED: Reason
REASON_TRANSACTION_EXPIRED: Reason
REASON_VALID_TOO_LONG: Reason
REASON_SEQUENCE_REUSED: Reason
REASON_SEQUENCE_PASSED: Reason
REASON_SESSION_REVOKED: Reason
REASON_COLLATERAL_CHANGED: Reason
REASON_TOO_MANY_SESSIONS: Reason
REASON_DENIED: Reason
REASON_UNKNOWN_COLLECTION: Reason
REASON_NOT_FOUND: Reason
REASON_VERSION_CONFLICT: Reason
REASON_WRONG_EPOCH: Reason
REASON_NOT_EXECUTED: Reason
REASON_WRONG_SIGNER: Reason
REASON_FROZEN: Reason
REASON_EXPIRED: Reason
REASON_DESTROYED: Reason
REASON_UNKNOWN_SESSION: Reason
REASON_QUOTA_EXCEEDED: Reason
REASON_COLLECTION_EXISTS: Reason
REASON_RELEASE_EXISTS: Reason
REASON_UNKNOWN_RELEASE: Reason
REASON_RELEASE_REVOKED: Reason
REASON_WRONG_RELEASE_DIGEST: Reason
REASON_NO_CHANGE: Reason
REASON_EVIDENCE_REFUSED: Reason
REASON_EVIDENCE_UNDECIDED: Reason
REASON_EVIDENCE_REUSED: Reason
REASON_SESSION_KEY_REUSED: Reason
REASON_STALE_CHECKPOINT: Reason
REASON_WRONG_TRUST_DOCUMENT: Reason
REASON_WRONG_SERVICE_KEY: Reason
REASON_WRONG_REPORT_DATA: Reason
REASON_NOT_ADMITTED: Reason
REASON_COLLATERAL_REFUSED: Reason
REASON_COLLATERAL_NOT_NEWER: Reason
REASON_NOT_CERTIFIED: Reason
REASON_NOT_GRANTED: Reason
REASON_RECEIPT_TOO_OLD: Reason
REASON_HEADER_MISMATCH: Reason
REASON_EPOCH_UNKNOWN: Reason
REASON_NOT_STARTED: Reason
REASON_OVERLOADED: Reason
REASON_SHUTTING_DOWN: Reason
REASON_INTERNAL: Reason
REASON_PAYLOAD_ERASED: Reason
SIGNER_KIND_UNSPECIFIED: SignerKind
SIGNER_KIND_SESSION: SignerKind
SIGNER_KIND_ACCOUNT: SignerKind
SIGNER_KIND_NODE: SignerKind
SIGNER_KIND_NEW_SESSION: SignerKind
PLATFORM_VOTE_UNSPECIFIED: PlatformVote
PLATFORM_VOTE_ENROL: PlatformVote
PLATFORM_VOTE_REMOVE: PlatformVote
PLATFORM_VOTE_TAKE_BACK: PlatformVote
PROFILE_UNSPECIFIED: Profile
PROFILE_DEVELOPMENT: Profile
PROFILE_SINGLE: Profile
PROFILE_CONSORTIUM: Profile

class Body(_message.Message):
    __slots__ = ("network_id", "signer_kind", "signer", "sequence", "valid_until_ms", "atomic", "operation_digests")
    NETWORK_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNER_KIND_FIELD_NUMBER: _ClassVar[int]
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    ATOMIC_FIELD_NUMBER: _ClassVar[int]
    OPERATION_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    network_id: bytes
    signer_kind: SignerKind
    signer: bytes
    sequence: int
    valid_until_ms: int
    atomic: bool
    operation_digests: bytes
    def __init__(self, network_id: _Optional[bytes] = ..., signer_kind: _Optional[_Union[SignerKind, str]] = ..., signer: _Optional[bytes] = ..., sequence: _Optional[int] = ..., valid_until_ms: _Optional[int] = ..., atomic: _Optional[bool] = ..., operation_digests: _Optional[bytes] = ...) -> None: ...

class Envelope(_message.Message):
    __slots__ = ("body", "signature", "operations", "salts", "payloads")
    BODY_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    SALTS_FIELD_NUMBER: _ClassVar[int]
    PAYLOADS_FIELD_NUMBER: _ClassVar[int]
    body: bytes
    signature: bytes
    operations: _containers.RepeatedScalarFieldContainer[bytes]
    salts: bytes
    payloads: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, body: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., operations: _Optional[_Iterable[bytes]] = ..., salts: _Optional[bytes] = ..., payloads: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Operation(_message.Message):
    __slots__ = ("open_session", "acquire_key", "put", "read", "delete", "key_service_start", "create_collection", "set_policy", "freeze_collection", "destroy", "update_collateral", "publish_release", "endorse_release", "revoke_release", "revoke_session", "vote_platform")
    OPEN_SESSION_FIELD_NUMBER: _ClassVar[int]
    ACQUIRE_KEY_FIELD_NUMBER: _ClassVar[int]
    PUT_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    DELETE_FIELD_NUMBER: _ClassVar[int]
    KEY_SERVICE_START_FIELD_NUMBER: _ClassVar[int]
    CREATE_COLLECTION_FIELD_NUMBER: _ClassVar[int]
    SET_POLICY_FIELD_NUMBER: _ClassVar[int]
    FREEZE_COLLECTION_FIELD_NUMBER: _ClassVar[int]
    DESTROY_FIELD_NUMBER: _ClassVar[int]
    UPDATE_COLLATERAL_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_RELEASE_FIELD_NUMBER: _ClassVar[int]
    ENDORSE_RELEASE_FIELD_NUMBER: _ClassVar[int]
    REVOKE_RELEASE_FIELD_NUMBER: _ClassVar[int]
    REVOKE_SESSION_FIELD_NUMBER: _ClassVar[int]
    VOTE_PLATFORM_FIELD_NUMBER: _ClassVar[int]
    open_session: OpenSession
    acquire_key: AcquireKey
    put: Put
    read: Read
    delete: Delete
    key_service_start: KeyServiceStart
    create_collection: CreateCollection
    set_policy: SetPolicy
    freeze_collection: FreezeCollection
    destroy: Destroy
    update_collateral: UpdateCollateral
    publish_release: PublishRelease
    endorse_release: EndorseRelease
    revoke_release: RevokeRelease
    revoke_session: RevokeSession
    vote_platform: VotePlatform
    def __init__(self, open_session: _Optional[_Union[OpenSession, _Mapping]] = ..., acquire_key: _Optional[_Union[AcquireKey, _Mapping]] = ..., put: _Optional[_Union[Put, _Mapping]] = ..., read: _Optional[_Union[Read, _Mapping]] = ..., delete: _Optional[_Union[Delete, _Mapping]] = ..., key_service_start: _Optional[_Union[KeyServiceStart, _Mapping]] = ..., create_collection: _Optional[_Union[CreateCollection, _Mapping]] = ..., set_policy: _Optional[_Union[SetPolicy, _Mapping]] = ..., freeze_collection: _Optional[_Union[FreezeCollection, _Mapping]] = ..., destroy: _Optional[_Union[Destroy, _Mapping]] = ..., update_collateral: _Optional[_Union[UpdateCollateral, _Mapping]] = ..., publish_release: _Optional[_Union[PublishRelease, _Mapping]] = ..., endorse_release: _Optional[_Union[EndorseRelease, _Mapping]] = ..., revoke_release: _Optional[_Union[RevokeRelease, _Mapping]] = ..., revoke_session: _Optional[_Union[RevokeSession, _Mapping]] = ..., vote_platform: _Optional[_Union[VotePlatform, _Mapping]] = ...) -> None: ...

class UpdateCollateral(_message.Message):
    __slots__ = ("digest",)
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    digest: bytes
    def __init__(self, digest: _Optional[bytes] = ...) -> None: ...

class ReleaseMeasurement(_message.Message):
    __slots__ = ("platform", "measurement")
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    MEASUREMENT_FIELD_NUMBER: _ClassVar[int]
    platform: int
    measurement: bytes
    def __init__(self, platform: _Optional[int] = ..., measurement: _Optional[bytes] = ...) -> None: ...

class EnclaveRelease(_message.Message):
    __slots__ = ("name", "version", "measurements", "source_digest", "notes", "auditors")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MEASUREMENTS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    AUDITORS_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: _attestation_pb2.ReleaseVersion
    measurements: _containers.RepeatedCompositeFieldContainer[ReleaseMeasurement]
    source_digest: bytes
    notes: str
    auditors: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, name: _Optional[str] = ..., version: _Optional[_Union[_attestation_pb2.ReleaseVersion, _Mapping]] = ..., measurements: _Optional[_Iterable[_Union[ReleaseMeasurement, _Mapping]]] = ..., source_digest: _Optional[bytes] = ..., notes: _Optional[str] = ..., auditors: _Optional[_Iterable[bytes]] = ...) -> None: ...

class PublishRelease(_message.Message):
    __slots__ = ("release",)
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    release: EnclaveRelease
    def __init__(self, release: _Optional[_Union[EnclaveRelease, _Mapping]] = ...) -> None: ...

class EndorseRelease(_message.Message):
    __slots__ = ("name", "version", "release_digest")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RELEASE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: _attestation_pb2.ReleaseVersion
    release_digest: bytes
    def __init__(self, name: _Optional[str] = ..., version: _Optional[_Union[_attestation_pb2.ReleaseVersion, _Mapping]] = ..., release_digest: _Optional[bytes] = ...) -> None: ...

class RevokeRelease(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: _attestation_pb2.ReleaseVersion
    def __init__(self, name: _Optional[str] = ..., version: _Optional[_Union[_attestation_pb2.ReleaseVersion, _Mapping]] = ...) -> None: ...

class RevokeSession(_message.Message):
    __slots__ = ("session_id", "collection")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    session_id: bytes
    collection: str
    def __init__(self, session_id: _Optional[bytes] = ..., collection: _Optional[str] = ...) -> None: ...

class VotePlatform(_message.Message):
    __slots__ = ("platform_id", "vote", "since")
    PLATFORM_ID_FIELD_NUMBER: _ClassVar[int]
    VOTE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    platform_id: bytes
    vote: PlatformVote
    since: int
    def __init__(self, platform_id: _Optional[bytes] = ..., vote: _Optional[_Union[PlatformVote, str]] = ..., since: _Optional[int] = ...) -> None: ...

class OpenSession(_message.Message):
    __slots__ = ("session_key", "kem_key", "evidence_digest", "service_key", "trust_digest", "checkpoint_size", "checkpoint_root")
    SESSION_KEY_FIELD_NUMBER: _ClassVar[int]
    KEM_KEY_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SERVICE_KEY_FIELD_NUMBER: _ClassVar[int]
    TRUST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_SIZE_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_ROOT_FIELD_NUMBER: _ClassVar[int]
    session_key: bytes
    kem_key: bytes
    evidence_digest: bytes
    service_key: bytes
    trust_digest: bytes
    checkpoint_size: int
    checkpoint_root: bytes
    def __init__(self, session_key: _Optional[bytes] = ..., kem_key: _Optional[bytes] = ..., evidence_digest: _Optional[bytes] = ..., service_key: _Optional[bytes] = ..., trust_digest: _Optional[bytes] = ..., checkpoint_size: _Optional[int] = ..., checkpoint_root: _Optional[bytes] = ...) -> None: ...

class AcquireKey(_message.Message):
    __slots__ = ("collection",)
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    collection: str
    def __init__(self, collection: _Optional[str] = ...) -> None: ...

class Put(_message.Message):
    __slots__ = ("collection", "name", "record_id", "epoch", "mode", "sealed_digest", "size", "if_version", "ttl_ms")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    SEALED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    IF_VERSION_FIELD_NUMBER: _ClassVar[int]
    TTL_MS_FIELD_NUMBER: _ClassVar[int]
    collection: str
    name: str
    record_id: bytes
    epoch: int
    mode: int
    sealed_digest: bytes
    size: int
    if_version: int
    ttl_ms: int
    def __init__(self, collection: _Optional[str] = ..., name: _Optional[str] = ..., record_id: _Optional[bytes] = ..., epoch: _Optional[int] = ..., mode: _Optional[int] = ..., sealed_digest: _Optional[bytes] = ..., size: _Optional[int] = ..., if_version: _Optional[int] = ..., ttl_ms: _Optional[int] = ...) -> None: ...

class Read(_message.Message):
    __slots__ = ("collection", "name", "version")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    collection: str
    name: str
    version: int
    def __init__(self, collection: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class Delete(_message.Message):
    __slots__ = ("collection", "name", "if_version")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    IF_VERSION_FIELD_NUMBER: _ClassVar[int]
    collection: str
    name: str
    if_version: int
    def __init__(self, collection: _Optional[str] = ..., name: _Optional[str] = ..., if_version: _Optional[int] = ...) -> None: ...

class KeyServiceStart(_message.Message):
    __slots__ = ("nonce", "service_key")
    NONCE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_KEY_FIELD_NUMBER: _ClassVar[int]
    nonce: bytes
    service_key: bytes
    def __init__(self, nonce: _Optional[bytes] = ..., service_key: _Optional[bytes] = ...) -> None: ...

class CollectionTerms(_message.Message):
    __slots__ = ("readers", "writers", "auditors", "ttl_ms")
    READERS_FIELD_NUMBER: _ClassVar[int]
    WRITERS_FIELD_NUMBER: _ClassVar[int]
    AUDITORS_FIELD_NUMBER: _ClassVar[int]
    TTL_MS_FIELD_NUMBER: _ClassVar[int]
    readers: bytes
    writers: bytes
    auditors: _containers.RepeatedScalarFieldContainer[bytes]
    ttl_ms: int
    def __init__(self, readers: _Optional[bytes] = ..., writers: _Optional[bytes] = ..., auditors: _Optional[_Iterable[bytes]] = ..., ttl_ms: _Optional[int] = ...) -> None: ...

class CreateCollection(_message.Message):
    __slots__ = ("collection", "terms")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    collection: str
    terms: CollectionTerms
    def __init__(self, collection: _Optional[str] = ..., terms: _Optional[_Union[CollectionTerms, _Mapping]] = ...) -> None: ...

class SetPolicy(_message.Message):
    __slots__ = ("collection", "terms")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    collection: str
    terms: CollectionTerms
    def __init__(self, collection: _Optional[str] = ..., terms: _Optional[_Union[CollectionTerms, _Mapping]] = ...) -> None: ...

class FreezeCollection(_message.Message):
    __slots__ = ("collection", "frozen")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    FROZEN_FIELD_NUMBER: _ClassVar[int]
    collection: str
    frozen: bool
    def __init__(self, collection: _Optional[str] = ..., frozen: _Optional[bool] = ...) -> None: ...

class Destroy(_message.Message):
    __slots__ = ("collection", "name", "version")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    collection: str
    name: str
    version: int
    def __init__(self, collection: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class Outcome(_message.Message):
    __slots__ = ("reason", "session_opened", "key_acquired", "put_done", "read_granted", "deleted", "conflict", "destroyed", "collateral_updated", "votes")
    REASON_FIELD_NUMBER: _ClassVar[int]
    SESSION_OPENED_FIELD_NUMBER: _ClassVar[int]
    KEY_ACQUIRED_FIELD_NUMBER: _ClassVar[int]
    PUT_DONE_FIELD_NUMBER: _ClassVar[int]
    READ_GRANTED_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    CONFLICT_FIELD_NUMBER: _ClassVar[int]
    DESTROYED_FIELD_NUMBER: _ClassVar[int]
    COLLATERAL_UPDATED_FIELD_NUMBER: _ClassVar[int]
    VOTES_FIELD_NUMBER: _ClassVar[int]
    reason: Reason
    session_opened: SessionOpened
    key_acquired: KeyAcquired
    put_done: PutDone
    read_granted: ReadGranted
    deleted: Deleted
    conflict: Conflict
    destroyed: Destroyed
    collateral_updated: CollateralUpdated
    votes: Votes
    def __init__(self, reason: _Optional[_Union[Reason, str]] = ..., session_opened: _Optional[_Union[SessionOpened, _Mapping]] = ..., key_acquired: _Optional[_Union[KeyAcquired, _Mapping]] = ..., put_done: _Optional[_Union[PutDone, _Mapping]] = ..., read_granted: _Optional[_Union[ReadGranted, _Mapping]] = ..., deleted: _Optional[_Union[Deleted, _Mapping]] = ..., conflict: _Optional[_Union[Conflict, _Mapping]] = ..., destroyed: _Optional[_Union[Destroyed, _Mapping]] = ..., collateral_updated: _Optional[_Union[CollateralUpdated, _Mapping]] = ..., votes: _Optional[_Union[Votes, _Mapping]] = ...) -> None: ...

class CollateralUpdated(_message.Message):
    __slots__ = ("verdict",)
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    verdict: bytes
    def __init__(self, verdict: _Optional[bytes] = ...) -> None: ...

class Votes(_message.Message):
    __slots__ = ("cast", "needed")
    CAST_FIELD_NUMBER: _ClassVar[int]
    NEEDED_FIELD_NUMBER: _ClassVar[int]
    cast: int
    needed: int
    def __init__(self, cast: _Optional[int] = ..., needed: _Optional[int] = ...) -> None: ...

class SessionOpened(_message.Message):
    __slots__ = ("session_id", "expires_ms", "epoch", "verdict")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_MS_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    session_id: bytes
    expires_ms: int
    epoch: int
    verdict: bytes
    def __init__(self, session_id: _Optional[bytes] = ..., expires_ms: _Optional[int] = ..., epoch: _Optional[int] = ..., verdict: _Optional[bytes] = ...) -> None: ...

class KeyAcquired(_message.Message):
    __slots__ = ("collection", "epoch", "session_id", "identity_digest", "session_epoch")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SESSION_EPOCH_FIELD_NUMBER: _ClassVar[int]
    collection: str
    epoch: int
    session_id: bytes
    identity_digest: bytes
    session_epoch: int
    def __init__(self, collection: _Optional[str] = ..., epoch: _Optional[int] = ..., session_id: _Optional[bytes] = ..., identity_digest: _Optional[bytes] = ..., session_epoch: _Optional[int] = ...) -> None: ...

class PutDone(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: int
    def __init__(self, version: _Optional[int] = ...) -> None: ...

class ReadGranted(_message.Message):
    __slots__ = ("collection", "name", "version", "origin_collection", "origin_name", "record_id", "epoch", "mode", "writer_session", "sealed_digest", "reader_session", "identity_digest", "put_index", "put_position", "reader_epoch")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_COLLECTION_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_NAME_FIELD_NUMBER: _ClassVar[int]
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    WRITER_SESSION_FIELD_NUMBER: _ClassVar[int]
    SEALED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    READER_SESSION_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_DIGEST_FIELD_NUMBER: _ClassVar[int]
    PUT_INDEX_FIELD_NUMBER: _ClassVar[int]
    PUT_POSITION_FIELD_NUMBER: _ClassVar[int]
    READER_EPOCH_FIELD_NUMBER: _ClassVar[int]
    collection: str
    name: str
    version: int
    origin_collection: str
    origin_name: str
    record_id: bytes
    epoch: int
    mode: int
    writer_session: bytes
    sealed_digest: bytes
    reader_session: bytes
    identity_digest: bytes
    put_index: int
    put_position: int
    reader_epoch: int
    def __init__(self, collection: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[int] = ..., origin_collection: _Optional[str] = ..., origin_name: _Optional[str] = ..., record_id: _Optional[bytes] = ..., epoch: _Optional[int] = ..., mode: _Optional[int] = ..., writer_session: _Optional[bytes] = ..., sealed_digest: _Optional[bytes] = ..., reader_session: _Optional[bytes] = ..., identity_digest: _Optional[bytes] = ..., put_index: _Optional[int] = ..., put_position: _Optional[int] = ..., reader_epoch: _Optional[int] = ...) -> None: ...

class Deleted(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: int
    def __init__(self, version: _Optional[int] = ...) -> None: ...

class Destroyed(_message.Message):
    __slots__ = ("first", "last")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    first: int
    last: int
    def __init__(self, first: _Optional[int] = ..., last: _Optional[int] = ...) -> None: ...

class Conflict(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: int
    def __init__(self, version: _Optional[int] = ...) -> None: ...

class Leaf(_message.Message):
    __slots__ = ("transaction", "header", "genesis")
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    GENESIS_FIELD_NUMBER: _ClassVar[int]
    transaction: TransactionLeaf
    header: BlockHeader
    genesis: GenesisLeaf
    def __init__(self, transaction: _Optional[_Union[TransactionLeaf, _Mapping]] = ..., header: _Optional[_Union[BlockHeader, _Mapping]] = ..., genesis: _Optional[_Union[GenesisLeaf, _Mapping]] = ...) -> None: ...

class TransactionLeaf(_message.Message):
    __slots__ = ("height", "time_ms", "body", "signature", "outcome_digests")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    height: int
    time_ms: int
    body: bytes
    signature: bytes
    outcome_digests: bytes
    def __init__(self, height: _Optional[int] = ..., time_ms: _Optional[int] = ..., body: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., outcome_digests: _Optional[bytes] = ...) -> None: ...

class BlockHeader(_message.Message):
    __slots__ = ("height", "time_ms", "state_root", "trust_version", "epoch", "rules_version")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    STATE_ROOT_FIELD_NUMBER: _ClassVar[int]
    TRUST_VERSION_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    RULES_VERSION_FIELD_NUMBER: _ClassVar[int]
    height: int
    time_ms: int
    state_root: bytes
    trust_version: int
    epoch: int
    rules_version: int
    def __init__(self, height: _Optional[int] = ..., time_ms: _Optional[int] = ..., state_root: _Optional[bytes] = ..., trust_version: _Optional[int] = ..., epoch: _Optional[int] = ..., rules_version: _Optional[int] = ...) -> None: ...

class GenesisLeaf(_message.Message):
    __slots__ = ("network_id", "time_ms")
    NETWORK_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    network_id: bytes
    time_ms: int
    def __init__(self, network_id: _Optional[bytes] = ..., time_ms: _Optional[int] = ...) -> None: ...

class Cosigner(_message.Message):
    __slots__ = ("name", "public_key", "operator")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    public_key: bytes
    operator: str
    def __init__(self, name: _Optional[str] = ..., public_key: _Optional[bytes] = ..., operator: _Optional[str] = ...) -> None: ...

class TrustDocument(_message.Message):
    __slots__ = ("version", "previous_digest", "members", "member_threshold", "origin", "log_generation", "log_key", "service_key", "cosigners", "quorum", "witnesses", "witness_quorum", "core_policy", "roots", "tcb_signer_pins", "tcb_floor", "tcb_ceiling", "rules_version", "rules_height", "epoch", "grace_s")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    MEMBER_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    LOG_GENERATION_FIELD_NUMBER: _ClassVar[int]
    LOG_KEY_FIELD_NUMBER: _ClassVar[int]
    SERVICE_KEY_FIELD_NUMBER: _ClassVar[int]
    COSIGNERS_FIELD_NUMBER: _ClassVar[int]
    QUORUM_FIELD_NUMBER: _ClassVar[int]
    WITNESSES_FIELD_NUMBER: _ClassVar[int]
    WITNESS_QUORUM_FIELD_NUMBER: _ClassVar[int]
    CORE_POLICY_FIELD_NUMBER: _ClassVar[int]
    ROOTS_FIELD_NUMBER: _ClassVar[int]
    TCB_SIGNER_PINS_FIELD_NUMBER: _ClassVar[int]
    TCB_FLOOR_FIELD_NUMBER: _ClassVar[int]
    TCB_CEILING_FIELD_NUMBER: _ClassVar[int]
    RULES_VERSION_FIELD_NUMBER: _ClassVar[int]
    RULES_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    GRACE_S_FIELD_NUMBER: _ClassVar[int]
    version: int
    previous_digest: bytes
    members: _containers.RepeatedScalarFieldContainer[bytes]
    member_threshold: int
    origin: str
    log_generation: int
    log_key: bytes
    service_key: bytes
    cosigners: _containers.RepeatedCompositeFieldContainer[Cosigner]
    quorum: int
    witnesses: _containers.RepeatedCompositeFieldContainer[Cosigner]
    witness_quorum: int
    core_policy: bytes
    roots: _containers.RepeatedScalarFieldContainer[bytes]
    tcb_signer_pins: _containers.RepeatedScalarFieldContainer[bytes]
    tcb_floor: int
    tcb_ceiling: int
    rules_version: int
    rules_height: int
    epoch: int
    grace_s: int
    def __init__(self, version: _Optional[int] = ..., previous_digest: _Optional[bytes] = ..., members: _Optional[_Iterable[bytes]] = ..., member_threshold: _Optional[int] = ..., origin: _Optional[str] = ..., log_generation: _Optional[int] = ..., log_key: _Optional[bytes] = ..., service_key: _Optional[bytes] = ..., cosigners: _Optional[_Iterable[_Union[Cosigner, _Mapping]]] = ..., quorum: _Optional[int] = ..., witnesses: _Optional[_Iterable[_Union[Cosigner, _Mapping]]] = ..., witness_quorum: _Optional[int] = ..., core_policy: _Optional[bytes] = ..., roots: _Optional[_Iterable[bytes]] = ..., tcb_signer_pins: _Optional[_Iterable[bytes]] = ..., tcb_floor: _Optional[int] = ..., tcb_ceiling: _Optional[int] = ..., rules_version: _Optional[int] = ..., rules_height: _Optional[int] = ..., epoch: _Optional[int] = ..., grace_s: _Optional[int] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("session_ms", "skew_ms", "checkpoint_age_ms", "receipt_age_ms", "block_interval_ms", "value_bytes", "denials", "owner_collections", "owner_bytes", "identity_sessions", "owner_releases")
    SESSION_MS_FIELD_NUMBER: _ClassVar[int]
    SKEW_MS_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_AGE_MS_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_AGE_MS_FIELD_NUMBER: _ClassVar[int]
    BLOCK_INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    VALUE_BYTES_FIELD_NUMBER: _ClassVar[int]
    DENIALS_FIELD_NUMBER: _ClassVar[int]
    OWNER_COLLECTIONS_FIELD_NUMBER: _ClassVar[int]
    OWNER_BYTES_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    OWNER_RELEASES_FIELD_NUMBER: _ClassVar[int]
    session_ms: int
    skew_ms: int
    checkpoint_age_ms: int
    receipt_age_ms: int
    block_interval_ms: int
    value_bytes: int
    denials: int
    owner_collections: int
    owner_bytes: int
    identity_sessions: int
    owner_releases: int
    def __init__(self, session_ms: _Optional[int] = ..., skew_ms: _Optional[int] = ..., checkpoint_age_ms: _Optional[int] = ..., receipt_age_ms: _Optional[int] = ..., block_interval_ms: _Optional[int] = ..., value_bytes: _Optional[int] = ..., denials: _Optional[int] = ..., owner_collections: _Optional[int] = ..., owner_bytes: _Optional[int] = ..., identity_sessions: _Optional[int] = ..., owner_releases: _Optional[int] = ...) -> None: ...

class CollectionGrant(_message.Message):
    __slots__ = ("name", "readers", "writers")
    NAME_FIELD_NUMBER: _ClassVar[int]
    READERS_FIELD_NUMBER: _ClassVar[int]
    WRITERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    readers: bytes
    writers: bytes
    def __init__(self, name: _Optional[str] = ..., readers: _Optional[bytes] = ..., writers: _Optional[bytes] = ...) -> None: ...

class Genesis(_message.Message):
    __slots__ = ("name", "profile", "time_ms", "salt", "trust", "collateral", "limits", "collections", "auditors", "platforms")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    TRUST_FIELD_NUMBER: _ClassVar[int]
    COLLATERAL_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    COLLECTIONS_FIELD_NUMBER: _ClassVar[int]
    AUDITORS_FIELD_NUMBER: _ClassVar[int]
    PLATFORMS_FIELD_NUMBER: _ClassVar[int]
    name: str
    profile: Profile
    time_ms: int
    salt: bytes
    trust: bytes
    collateral: _containers.RepeatedScalarFieldContainer[bytes]
    limits: Limits
    collections: _containers.RepeatedCompositeFieldContainer[CollectionGrant]
    auditors: _containers.RepeatedScalarFieldContainer[bytes]
    platforms: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, name: _Optional[str] = ..., profile: _Optional[_Union[Profile, str]] = ..., time_ms: _Optional[int] = ..., salt: _Optional[bytes] = ..., trust: _Optional[bytes] = ..., collateral: _Optional[_Iterable[bytes]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., collections: _Optional[_Iterable[_Union[CollectionGrant, _Mapping]]] = ..., auditors: _Optional[_Iterable[bytes]] = ..., platforms: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Opening(_message.Message):
    __slots__ = ("leaf", "operations")
    LEAF_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    leaf: bytes
    operations: _containers.RepeatedCompositeFieldContainer[OpenedOperation]
    def __init__(self, leaf: _Optional[bytes] = ..., operations: _Optional[_Iterable[_Union[OpenedOperation, _Mapping]]] = ...) -> None: ...

class OpenedOperation(_message.Message):
    __slots__ = ("position", "salt", "operation", "outcome")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    position: int
    salt: bytes
    operation: bytes
    outcome: bytes
    def __init__(self, position: _Optional[int] = ..., salt: _Optional[bytes] = ..., operation: _Optional[bytes] = ..., outcome: _Optional[bytes] = ...) -> None: ...

class StoredOperations(_message.Message):
    __slots__ = ("operations", "salts", "outcomes")
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    SALTS_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    operations: _containers.RepeatedScalarFieldContainer[bytes]
    salts: bytes
    outcomes: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, operations: _Optional[_Iterable[bytes]] = ..., salts: _Optional[bytes] = ..., outcomes: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Query(_message.Message):
    __slots__ = ("network_id", "signer_kind", "signer", "time_ms", "list_secrets", "show_head", "show_history", "show_collection", "list_collections", "open_entries", "list_releases", "list_platforms")
    NETWORK_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNER_KIND_FIELD_NUMBER: _ClassVar[int]
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    LIST_SECRETS_FIELD_NUMBER: _ClassVar[int]
    SHOW_HEAD_FIELD_NUMBER: _ClassVar[int]
    SHOW_HISTORY_FIELD_NUMBER: _ClassVar[int]
    SHOW_COLLECTION_FIELD_NUMBER: _ClassVar[int]
    LIST_COLLECTIONS_FIELD_NUMBER: _ClassVar[int]
    OPEN_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    LIST_RELEASES_FIELD_NUMBER: _ClassVar[int]
    LIST_PLATFORMS_FIELD_NUMBER: _ClassVar[int]
    network_id: bytes
    signer_kind: SignerKind
    signer: bytes
    time_ms: int
    list_secrets: ListSecrets
    show_head: ShowHead
    show_history: ShowHistory
    show_collection: ShowCollection
    list_collections: ListCollections
    open_entries: OpenEntries
    list_releases: ListReleases
    list_platforms: ListPlatforms
    def __init__(self, network_id: _Optional[bytes] = ..., signer_kind: _Optional[_Union[SignerKind, str]] = ..., signer: _Optional[bytes] = ..., time_ms: _Optional[int] = ..., list_secrets: _Optional[_Union[ListSecrets, _Mapping]] = ..., show_head: _Optional[_Union[ShowHead, _Mapping]] = ..., show_history: _Optional[_Union[ShowHistory, _Mapping]] = ..., show_collection: _Optional[_Union[ShowCollection, _Mapping]] = ..., list_collections: _Optional[_Union[ListCollections, _Mapping]] = ..., open_entries: _Optional[_Union[OpenEntries, _Mapping]] = ..., list_releases: _Optional[_Union[ListReleases, _Mapping]] = ..., list_platforms: _Optional[_Union[ListPlatforms, _Mapping]] = ...) -> None: ...

class ListSecrets(_message.Message):
    __slots__ = ("collection", "prefix", "after", "limit")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    collection: str
    prefix: str
    after: str
    limit: int
    def __init__(self, collection: _Optional[str] = ..., prefix: _Optional[str] = ..., after: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ShowHead(_message.Message):
    __slots__ = ("collection", "name")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    collection: str
    name: str
    def __init__(self, collection: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class ShowHistory(_message.Message):
    __slots__ = ("collection", "name", "from_index", "limit")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    FROM_INDEX_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    collection: str
    name: str
    from_index: int
    limit: int
    def __init__(self, collection: _Optional[str] = ..., name: _Optional[str] = ..., from_index: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ShowCollection(_message.Message):
    __slots__ = ("collection",)
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    collection: str
    def __init__(self, collection: _Optional[str] = ...) -> None: ...

class ListCollections(_message.Message):
    __slots__ = ("after", "limit")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    after: str
    limit: int
    def __init__(self, after: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class OpenEntries(_message.Message):
    __slots__ = ("from_index", "limit", "collection", "session", "indices")
    FROM_INDEX_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    INDICES_FIELD_NUMBER: _ClassVar[int]
    from_index: int
    limit: int
    collection: str
    session: bytes
    indices: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, from_index: _Optional[int] = ..., limit: _Optional[int] = ..., collection: _Optional[str] = ..., session: _Optional[bytes] = ..., indices: _Optional[_Iterable[int]] = ...) -> None: ...

class ListReleases(_message.Message):
    __slots__ = ("name", "after", "limit")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    name: str
    after: str
    limit: int
    def __init__(self, name: _Optional[str] = ..., after: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListPlatforms(_message.Message):
    __slots__ = ("after", "limit")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    after: bytes
    limit: int
    def __init__(self, after: _Optional[bytes] = ..., limit: _Optional[int] = ...) -> None: ...
