from sealedger.v1 import ledger_pb2 as _ledger_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CertifyRequest(_message.Message):
    __slots__ = ("note", "consistency", "header", "header_hashes")
    NOTE_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    HEADER_HASHES_FIELD_NUMBER: _ClassVar[int]
    note: bytes
    consistency: bytes
    header: bytes
    header_hashes: bytes
    def __init__(self, note: _Optional[bytes] = ..., consistency: _Optional[bytes] = ..., header: _Optional[bytes] = ..., header_hashes: _Optional[bytes] = ...) -> None: ...

class CertifyReply(_message.Message):
    __slots__ = ("note",)
    NOTE_FIELD_NUMBER: _ClassVar[int]
    note: bytes
    def __init__(self, note: _Optional[bytes] = ...) -> None: ...

class ReleaseItem(_message.Message):
    __slots__ = ("position", "salt", "operation", "outcome", "sealed_header", "ciphertext_digest")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    SEALED_HEADER_FIELD_NUMBER: _ClassVar[int]
    CIPHERTEXT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    position: int
    salt: bytes
    operation: bytes
    outcome: bytes
    sealed_header: bytes
    ciphertext_digest: bytes
    def __init__(self, position: _Optional[int] = ..., salt: _Optional[bytes] = ..., operation: _Optional[bytes] = ..., outcome: _Optional[bytes] = ..., sealed_header: _Optional[bytes] = ..., ciphertext_digest: _Optional[bytes] = ...) -> None: ...

class ReleaseRequest(_message.Message):
    __slots__ = ("index", "leaf", "hashes", "size", "root", "consistency", "items")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    LEAF_FIELD_NUMBER: _ClassVar[int]
    HASHES_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    index: int
    leaf: bytes
    hashes: bytes
    size: int
    root: bytes
    consistency: bytes
    items: _containers.RepeatedCompositeFieldContainer[ReleaseItem]
    def __init__(self, index: _Optional[int] = ..., leaf: _Optional[bytes] = ..., hashes: _Optional[bytes] = ..., size: _Optional[int] = ..., root: _Optional[bytes] = ..., consistency: _Optional[bytes] = ..., items: _Optional[_Iterable[_Union[ReleaseItem, _Mapping]]] = ...) -> None: ...

class Released(_message.Message):
    __slots__ = ("reason", "sealed_key")
    REASON_FIELD_NUMBER: _ClassVar[int]
    SEALED_KEY_FIELD_NUMBER: _ClassVar[int]
    reason: _ledger_pb2.Reason
    sealed_key: bytes
    def __init__(self, reason: _Optional[_Union[_ledger_pb2.Reason, str]] = ..., sealed_key: _Optional[bytes] = ...) -> None: ...

class ReleaseReply(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[Released]
    def __init__(self, items: _Optional[_Iterable[_Union[Released, _Mapping]]] = ...) -> None: ...

class StartRequest(_message.Message):
    __slots__ = ("index", "leaf", "hashes", "salt", "operation", "outcome")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    LEAF_FIELD_NUMBER: _ClassVar[int]
    HASHES_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    index: int
    leaf: bytes
    hashes: bytes
    salt: bytes
    operation: bytes
    outcome: bytes
    def __init__(self, index: _Optional[int] = ..., leaf: _Optional[bytes] = ..., hashes: _Optional[bytes] = ..., salt: _Optional[bytes] = ..., operation: _Optional[bytes] = ..., outcome: _Optional[bytes] = ...) -> None: ...

class SessionGrant(_message.Message):
    __slots__ = ("session_id", "expires_ms", "sealed_secret", "signature")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_MS_FIELD_NUMBER: _ClassVar[int]
    SEALED_SECRET_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    session_id: bytes
    expires_ms: int
    sealed_secret: bytes
    signature: bytes
    def __init__(self, session_id: _Optional[bytes] = ..., expires_ms: _Optional[int] = ..., sealed_secret: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class KeyServiceState(_message.Message):
    __slots__ = ("network_id", "service_seed", "epochs", "trust", "held_size", "held_root", "held_time_ms")
    NETWORK_ID_FIELD_NUMBER: _ClassVar[int]
    SERVICE_SEED_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    TRUST_FIELD_NUMBER: _ClassVar[int]
    HELD_SIZE_FIELD_NUMBER: _ClassVar[int]
    HELD_ROOT_FIELD_NUMBER: _ClassVar[int]
    HELD_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    network_id: bytes
    service_seed: bytes
    epochs: _containers.RepeatedCompositeFieldContainer[EpochSecret]
    trust: bytes
    held_size: int
    held_root: bytes
    held_time_ms: int
    def __init__(self, network_id: _Optional[bytes] = ..., service_seed: _Optional[bytes] = ..., epochs: _Optional[_Iterable[_Union[EpochSecret, _Mapping]]] = ..., trust: _Optional[bytes] = ..., held_size: _Optional[int] = ..., held_root: _Optional[bytes] = ..., held_time_ms: _Optional[int] = ...) -> None: ...

class EpochSecret(_message.Message):
    __slots__ = ("epoch", "secret")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    secret: bytes
    def __init__(self, epoch: _Optional[int] = ..., secret: _Optional[bytes] = ...) -> None: ...

class HelloEvidence(_message.Message):
    __slots__ = ("evidence", "checkpoint", "signature")
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    evidence: bytes
    checkpoint: bytes
    signature: bytes
    def __init__(self, evidence: _Optional[bytes] = ..., checkpoint: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class SealingKeyQuestion(_message.Message):
    __slots__ = ("collection",)
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    collection: str
    def __init__(self, collection: _Optional[str] = ...) -> None: ...

class SealingKeyStatement(_message.Message):
    __slots__ = ("public_key", "epoch", "signature")
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    public_key: bytes
    epoch: int
    signature: bytes
    def __init__(self, public_key: _Optional[bytes] = ..., epoch: _Optional[int] = ..., signature: _Optional[bytes] = ...) -> None: ...
