from sealedger.v1 import ledger_pb2 as _ledger_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LeafProof(_message.Message):
    __slots__ = ("index", "leaf", "hashes", "checkpoint")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    LEAF_FIELD_NUMBER: _ClassVar[int]
    HASHES_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    index: int
    leaf: bytes
    hashes: bytes
    checkpoint: bytes
    def __init__(self, index: _Optional[int] = ..., leaf: _Optional[bytes] = ..., hashes: _Optional[bytes] = ..., checkpoint: _Optional[bytes] = ...) -> None: ...

class CertifyRequest(_message.Message):
    __slots__ = ("note", "consistency")
    NOTE_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    note: bytes
    consistency: bytes
    def __init__(self, note: _Optional[bytes] = ..., consistency: _Optional[bytes] = ...) -> None: ...

class CertifyReply(_message.Message):
    __slots__ = ("note",)
    NOTE_FIELD_NUMBER: _ClassVar[int]
    note: bytes
    def __init__(self, note: _Optional[bytes] = ...) -> None: ...

class ReleaseItem(_message.Message):
    __slots__ = ("opened", "sealed_header", "ciphertext_digest")
    OPENED_FIELD_NUMBER: _ClassVar[int]
    SEALED_HEADER_FIELD_NUMBER: _ClassVar[int]
    CIPHERTEXT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    opened: _ledger_pb2.OpenedOperation
    sealed_header: bytes
    ciphertext_digest: bytes
    def __init__(self, opened: _Optional[_Union[_ledger_pb2.OpenedOperation, _Mapping]] = ..., sealed_header: _Optional[bytes] = ..., ciphertext_digest: _Optional[bytes] = ...) -> None: ...

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
    __slots__ = ("network_id", "service_seed", "epochs", "trust", "held_size", "held_root")
    NETWORK_ID_FIELD_NUMBER: _ClassVar[int]
    SERVICE_SEED_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    TRUST_FIELD_NUMBER: _ClassVar[int]
    HELD_SIZE_FIELD_NUMBER: _ClassVar[int]
    HELD_ROOT_FIELD_NUMBER: _ClassVar[int]
    network_id: bytes
    service_seed: bytes
    epochs: _containers.RepeatedCompositeFieldContainer[EpochSecret]
    trust: bytes
    held_size: int
    held_root: bytes
    def __init__(self, network_id: _Optional[bytes] = ..., service_seed: _Optional[bytes] = ..., epochs: _Optional[_Iterable[_Union[EpochSecret, _Mapping]]] = ..., trust: _Optional[bytes] = ..., held_size: _Optional[int] = ..., held_root: _Optional[bytes] = ...) -> None: ...

class EpochSecret(_message.Message):
    __slots__ = ("epoch", "secret")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    secret: bytes
    def __init__(self, epoch: _Optional[int] = ..., secret: _Optional[bytes] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("evidence", "checkpoint_size", "checkpoint_root", "signature")
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_SIZE_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_ROOT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    evidence: bytes
    checkpoint_size: int
    checkpoint_root: bytes
    signature: bytes
    def __init__(self, evidence: _Optional[bytes] = ..., checkpoint_size: _Optional[int] = ..., checkpoint_root: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...
