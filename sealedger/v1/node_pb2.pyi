from sealedger.v1 import ledger_pb2 as _ledger_pb2
from sealedger.v1 import kms_pb2 as _kms_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HelloRequest(_message.Message):
    __slots__ = ("nonce",)
    NONCE_FIELD_NUMBER: _ClassVar[int]
    nonce: bytes
    def __init__(self, nonce: _Optional[bytes] = ...) -> None: ...

class HelloReply(_message.Message):
    __slots__ = ("genesis", "checkpoint", "evidence", "tls_spki_digest", "signature", "time_ms", "latest_checkpoint", "collateral")
    GENESIS_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    TLS_SPKI_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    LATEST_CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    COLLATERAL_FIELD_NUMBER: _ClassVar[int]
    genesis: bytes
    checkpoint: bytes
    evidence: bytes
    tls_spki_digest: bytes
    signature: bytes
    time_ms: int
    latest_checkpoint: bytes
    collateral: CollateralEntry
    def __init__(self, genesis: _Optional[bytes] = ..., checkpoint: _Optional[bytes] = ..., evidence: _Optional[bytes] = ..., tls_spki_digest: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., time_ms: _Optional[int] = ..., latest_checkpoint: _Optional[bytes] = ..., collateral: _Optional[_Union[CollateralEntry, _Mapping]] = ...) -> None: ...

class CollateralEntry(_message.Message):
    __slots__ = ("collateral", "receipt")
    COLLATERAL_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    collateral: bytes
    receipt: bytes
    def __init__(self, collateral: _Optional[bytes] = ..., receipt: _Optional[bytes] = ...) -> None: ...

class SubmitRequest(_message.Message):
    __slots__ = ("envelope",)
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    envelope: bytes
    def __init__(self, envelope: _Optional[bytes] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("reason", "hint")
    REASON_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    reason: _ledger_pb2.Reason
    hint: str
    def __init__(self, reason: _Optional[_Union[_ledger_pb2.Reason, str]] = ..., hint: _Optional[str] = ...) -> None: ...

class Recorded(_message.Message):
    __slots__ = ("index", "leaf", "hashes", "checkpoint", "outcomes", "sealed", "released")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    LEAF_FIELD_NUMBER: _ClassVar[int]
    HASHES_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    SEALED_FIELD_NUMBER: _ClassVar[int]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    index: int
    leaf: bytes
    hashes: bytes
    checkpoint: bytes
    outcomes: _containers.RepeatedScalarFieldContainer[bytes]
    sealed: _containers.RepeatedScalarFieldContainer[bytes]
    released: _containers.RepeatedCompositeFieldContainer[_kms_pb2.Released]
    def __init__(self, index: _Optional[int] = ..., leaf: _Optional[bytes] = ..., hashes: _Optional[bytes] = ..., checkpoint: _Optional[bytes] = ..., outcomes: _Optional[_Iterable[bytes]] = ..., sealed: _Optional[_Iterable[bytes]] = ..., released: _Optional[_Iterable[_Union[_kms_pb2.Released, _Mapping]]] = ...) -> None: ...

class SubmitReply(_message.Message):
    __slots__ = ("transaction_hash", "refusal", "recorded")
    TRANSACTION_HASH_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    transaction_hash: bytes
    refusal: Refusal
    recorded: Recorded
    def __init__(self, transaction_hash: _Optional[bytes] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ..., recorded: _Optional[_Union[Recorded, _Mapping]] = ...) -> None: ...

class ReleaseTicket(_message.Message):
    __slots__ = ("receipt",)
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    receipt: bytes
    def __init__(self, receipt: _Optional[bytes] = ...) -> None: ...

class ReleaseAnswer(_message.Message):
    __slots__ = ("refusal", "released")
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    refusal: Refusal
    released: ReleasedSecret
    def __init__(self, refusal: _Optional[_Union[Refusal, _Mapping]] = ..., released: _Optional[_Union[ReleasedSecret, _Mapping]] = ...) -> None: ...

class ReleasedSecret(_message.Message):
    __slots__ = ("sealed", "released")
    SEALED_FIELD_NUMBER: _ClassVar[int]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    sealed: bytes
    released: _kms_pb2.Released
    def __init__(self, sealed: _Optional[bytes] = ..., released: _Optional[_Union[_kms_pb2.Released, _Mapping]] = ...) -> None: ...

class QueryRequest(_message.Message):
    __slots__ = ("query", "signature")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    query: bytes
    signature: bytes
    def __init__(self, query: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class SecretRow(_message.Message):
    __slots__ = ("name", "version", "size", "time_ms", "expires_ms", "writer", "index", "position", "destroyed", "deleted")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_MS_FIELD_NUMBER: _ClassVar[int]
    WRITER_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    DESTROYED_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    size: int
    time_ms: int
    expires_ms: int
    writer: bytes
    index: int
    position: int
    destroyed: bool
    deleted: bool
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ..., size: _Optional[int] = ..., time_ms: _Optional[int] = ..., expires_ms: _Optional[int] = ..., writer: _Optional[bytes] = ..., index: _Optional[int] = ..., position: _Optional[int] = ..., destroyed: _Optional[bool] = ..., deleted: _Optional[bool] = ...) -> None: ...

class HistoryRow(_message.Message):
    __slots__ = ("index", "position")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    index: int
    position: int
    def __init__(self, index: _Optional[int] = ..., position: _Optional[int] = ...) -> None: ...

class CollectionRow(_message.Message):
    __slots__ = ("name", "owner", "frozen", "terms")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    FROZEN_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    name: str
    owner: bytes
    frozen: bool
    terms: _ledger_pb2.CollectionTerms
    def __init__(self, name: _Optional[str] = ..., owner: _Optional[bytes] = ..., frozen: _Optional[bool] = ..., terms: _Optional[_Union[_ledger_pb2.CollectionTerms, _Mapping]] = ...) -> None: ...

class OpenedEntry(_message.Message):
    __slots__ = ("index", "leaf", "hashes", "operations")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    LEAF_FIELD_NUMBER: _ClassVar[int]
    HASHES_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    index: int
    leaf: bytes
    hashes: bytes
    operations: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.OpenedOperation]
    def __init__(self, index: _Optional[int] = ..., leaf: _Optional[bytes] = ..., hashes: _Optional[bytes] = ..., operations: _Optional[_Iterable[_Union[_ledger_pb2.OpenedOperation, _Mapping]]] = ...) -> None: ...

class QueryReply(_message.Message):
    __slots__ = ("refusal", "secrets", "history", "collections", "entries", "checkpoint", "more", "next_index", "next_after", "releases", "platforms")
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    COLLECTIONS_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    NEXT_INDEX_FIELD_NUMBER: _ClassVar[int]
    NEXT_AFTER_FIELD_NUMBER: _ClassVar[int]
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    PLATFORMS_FIELD_NUMBER: _ClassVar[int]
    refusal: Refusal
    secrets: _containers.RepeatedCompositeFieldContainer[SecretRow]
    history: _containers.RepeatedCompositeFieldContainer[HistoryRow]
    collections: _containers.RepeatedCompositeFieldContainer[CollectionRow]
    entries: _containers.RepeatedCompositeFieldContainer[OpenedEntry]
    checkpoint: bytes
    more: bool
    next_index: int
    next_after: str
    releases: _containers.RepeatedCompositeFieldContainer[ReleaseRow]
    platforms: _containers.RepeatedCompositeFieldContainer[PlatformRow]
    def __init__(self, refusal: _Optional[_Union[Refusal, _Mapping]] = ..., secrets: _Optional[_Iterable[_Union[SecretRow, _Mapping]]] = ..., history: _Optional[_Iterable[_Union[HistoryRow, _Mapping]]] = ..., collections: _Optional[_Iterable[_Union[CollectionRow, _Mapping]]] = ..., entries: _Optional[_Iterable[_Union[OpenedEntry, _Mapping]]] = ..., checkpoint: _Optional[bytes] = ..., more: _Optional[bool] = ..., next_index: _Optional[int] = ..., next_after: _Optional[str] = ..., releases: _Optional[_Iterable[_Union[ReleaseRow, _Mapping]]] = ..., platforms: _Optional[_Iterable[_Union[PlatformRow, _Mapping]]] = ...) -> None: ...

class PlatformRow(_message.Message):
    __slots__ = ("platform_id", "enrolled", "index", "voters", "needed")
    PLATFORM_ID_FIELD_NUMBER: _ClassVar[int]
    ENROLLED_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    VOTERS_FIELD_NUMBER: _ClassVar[int]
    NEEDED_FIELD_NUMBER: _ClassVar[int]
    platform_id: bytes
    enrolled: bool
    index: int
    voters: _containers.RepeatedScalarFieldContainer[bytes]
    needed: int
    def __init__(self, platform_id: _Optional[bytes] = ..., enrolled: _Optional[bool] = ..., index: _Optional[int] = ..., voters: _Optional[_Iterable[bytes]] = ..., needed: _Optional[int] = ...) -> None: ...

class ReleaseStatement(_message.Message):
    __slots__ = ("auditor", "index")
    AUDITOR_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    auditor: bytes
    index: int
    def __init__(self, auditor: _Optional[bytes] = ..., index: _Optional[int] = ...) -> None: ...

class ReleaseRow(_message.Message):
    __slots__ = ("release", "publisher", "index", "revoked_index", "endorsed", "withdrawn")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    PUBLISHER_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    REVOKED_INDEX_FIELD_NUMBER: _ClassVar[int]
    ENDORSED_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWN_FIELD_NUMBER: _ClassVar[int]
    release: _ledger_pb2.EnclaveRelease
    publisher: bytes
    index: int
    revoked_index: int
    endorsed: _containers.RepeatedCompositeFieldContainer[ReleaseStatement]
    withdrawn: _containers.RepeatedCompositeFieldContainer[ReleaseStatement]
    def __init__(self, release: _Optional[_Union[_ledger_pb2.EnclaveRelease, _Mapping]] = ..., publisher: _Optional[bytes] = ..., index: _Optional[int] = ..., revoked_index: _Optional[int] = ..., endorsed: _Optional[_Iterable[_Union[ReleaseStatement, _Mapping]]] = ..., withdrawn: _Optional[_Iterable[_Union[ReleaseStatement, _Mapping]]] = ...) -> None: ...

class CollateralQuestion(_message.Message):
    __slots__ = ("key",)
    KEY_FIELD_NUMBER: _ClassVar[int]
    key: str
    def __init__(self, key: _Optional[str] = ...) -> None: ...

class CollateralRow(_message.Message):
    __slots__ = ("key", "digest", "number", "valid_from_s", "valid_until_s", "index", "generation")
    KEY_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_S_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_S_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    key: str
    digest: bytes
    number: int
    valid_from_s: int
    valid_until_s: int
    index: int
    generation: int
    def __init__(self, key: _Optional[str] = ..., digest: _Optional[bytes] = ..., number: _Optional[int] = ..., valid_from_s: _Optional[int] = ..., valid_until_s: _Optional[int] = ..., index: _Optional[int] = ..., generation: _Optional[int] = ...) -> None: ...

class CollateralReply(_message.Message):
    __slots__ = ("refusal", "rows", "entry")
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    refusal: Refusal
    rows: _containers.RepeatedCompositeFieldContainer[CollateralRow]
    entry: CollateralEntry
    def __init__(self, refusal: _Optional[_Union[Refusal, _Mapping]] = ..., rows: _Optional[_Iterable[_Union[CollateralRow, _Mapping]]] = ..., entry: _Optional[_Union[CollateralEntry, _Mapping]] = ...) -> None: ...

class SealingKeyReply(_message.Message):
    __slots__ = ("refusal", "statement")
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    refusal: Refusal
    statement: _kms_pb2.SealingKeyStatement
    def __init__(self, refusal: _Optional[_Union[Refusal, _Mapping]] = ..., statement: _Optional[_Union[_kms_pb2.SealingKeyStatement, _Mapping]] = ...) -> None: ...
