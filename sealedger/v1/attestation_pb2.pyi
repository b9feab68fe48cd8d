from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EvidenceKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVIDENCE_KIND_UNSPECIFIED: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_DCAP: _ClassVar[EvidenceKind]

class TeePlatform(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TEE_PLATFORM_UNSPECIFIED: _ClassVar[TeePlatform]
    TEE_PLATFORM_SGX: _ClassVar[TeePlatform]
    TEE_PLATFORM_TDX: _ClassVar[TeePlatform]
    TEE_PLATFORM_SNP: _ClassVar[TeePlatform]
EVIDENCE_KIND_UNSPECIFIED: EvidenceKind
EVIDENCE_KIND_DCAP: EvidenceKind
TEE_PLATFORM_UNSPECIFIED: TeePlatform
TEE_PLATFORM_SGX: TeePlatform
TEE_PLATFORM_TDX: TeePlatform
TEE_PLATFORM_SNP: TeePlatform

class AttestationEvidence(_message.Message):
    __slots__ = ("kind", "quote")
    KIND_FIELD_NUMBER: _ClassVar[int]
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    kind: EvidenceKind
    quote: bytes
    def __init__(self, kind: _Optional[_Union[EvidenceKind, str]] = ..., quote: _Optional[bytes] = ...) -> None: ...

class DcapCollateral(_message.Message):
    __slots__ = ("pck_crl_issuer_chain", "root_ca_crl", "pck_crl", "tcb_info_issuer_chain", "tcb_info", "tcb_info_signature", "qe_identity_issuer_chain", "qe_identity", "qe_identity_signature")
    PCK_CRL_ISSUER_CHAIN_FIELD_NUMBER: _ClassVar[int]
    ROOT_CA_CRL_FIELD_NUMBER: _ClassVar[int]
    PCK_CRL_FIELD_NUMBER: _ClassVar[int]
    TCB_INFO_ISSUER_CHAIN_FIELD_NUMBER: _ClassVar[int]
    TCB_INFO_FIELD_NUMBER: _ClassVar[int]
    TCB_INFO_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    QE_IDENTITY_ISSUER_CHAIN_FIELD_NUMBER: _ClassVar[int]
    QE_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    QE_IDENTITY_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    pck_crl_issuer_chain: str
    root_ca_crl: bytes
    pck_crl: bytes
    tcb_info_issuer_chain: str
    tcb_info: str
    tcb_info_signature: bytes
    qe_identity_issuer_chain: str
    qe_identity: str
    qe_identity_signature: bytes
    def __init__(self, pck_crl_issuer_chain: _Optional[str] = ..., root_ca_crl: _Optional[bytes] = ..., pck_crl: _Optional[bytes] = ..., tcb_info_issuer_chain: _Optional[str] = ..., tcb_info: _Optional[str] = ..., tcb_info_signature: _Optional[bytes] = ..., qe_identity_issuer_chain: _Optional[str] = ..., qe_identity: _Optional[str] = ..., qe_identity_signature: _Optional[bytes] = ...) -> None: ...

class EnclaveIdentity(_message.Message):
    __slots__ = ("platform", "measurement", "signer", "product_id", "svn", "debug", "tcb_status", "advisories", "platform_id", "fmspc")
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    MEASUREMENT_FIELD_NUMBER: _ClassVar[int]
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    SVN_FIELD_NUMBER: _ClassVar[int]
    DEBUG_FIELD_NUMBER: _ClassVar[int]
    TCB_STATUS_FIELD_NUMBER: _ClassVar[int]
    ADVISORIES_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_ID_FIELD_NUMBER: _ClassVar[int]
    FMSPC_FIELD_NUMBER: _ClassVar[int]
    platform: TeePlatform
    measurement: bytes
    signer: bytes
    product_id: int
    svn: int
    debug: bool
    tcb_status: str
    advisories: _containers.RepeatedScalarFieldContainer[str]
    platform_id: bytes
    fmspc: bytes
    def __init__(self, platform: _Optional[_Union[TeePlatform, str]] = ..., measurement: _Optional[bytes] = ..., signer: _Optional[bytes] = ..., product_id: _Optional[int] = ..., svn: _Optional[int] = ..., debug: _Optional[bool] = ..., tcb_status: _Optional[str] = ..., advisories: _Optional[_Iterable[str]] = ..., platform_id: _Optional[bytes] = ..., fmspc: _Optional[bytes] = ...) -> None: ...

class IdentityMatch(_message.Message):
    __slots__ = ("measurement", "signer", "product_id", "minimum_svn", "tcb_statuses", "advisories", "allow_debug", "platform_ids")
    MEASUREMENT_FIELD_NUMBER: _ClassVar[int]
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_SVN_FIELD_NUMBER: _ClassVar[int]
    TCB_STATUSES_FIELD_NUMBER: _ClassVar[int]
    ADVISORIES_FIELD_NUMBER: _ClassVar[int]
    ALLOW_DEBUG_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_IDS_FIELD_NUMBER: _ClassVar[int]
    measurement: bytes
    signer: bytes
    product_id: int
    minimum_svn: int
    tcb_statuses: _containers.RepeatedScalarFieldContainer[str]
    advisories: _containers.RepeatedScalarFieldContainer[str]
    allow_debug: bool
    platform_ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, measurement: _Optional[bytes] = ..., signer: _Optional[bytes] = ..., product_id: _Optional[int] = ..., minimum_svn: _Optional[int] = ..., tcb_statuses: _Optional[_Iterable[str]] = ..., advisories: _Optional[_Iterable[str]] = ..., allow_debug: _Optional[bool] = ..., platform_ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class IdentityPolicyList(_message.Message):
    __slots__ = ("members",)
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedCompositeFieldContainer[IdentityPolicy]
    def __init__(self, members: _Optional[_Iterable[_Union[IdentityPolicy, _Mapping]]] = ...) -> None: ...

class IdentityPolicy(_message.Message):
    __slots__ = ("match", "any", "all")
    MATCH_FIELD_NUMBER: _ClassVar[int]
    ANY_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    match: IdentityMatch
    any: IdentityPolicyList
    all: IdentityPolicyList
    def __init__(self, match: _Optional[_Union[IdentityMatch, _Mapping]] = ..., any: _Optional[_Union[IdentityPolicyList, _Mapping]] = ..., all: _Optional[_Union[IdentityPolicyList, _Mapping]] = ...) -> None: ...

class AttestationVerdict(_message.Message):
    __slots__ = ("identity", "report_data", "quote_digest", "collateral_number", "verified_at_s", "effective_s")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    REPORT_DATA_FIELD_NUMBER: _ClassVar[int]
    QUOTE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    COLLATERAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_AT_S_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_S_FIELD_NUMBER: _ClassVar[int]
    identity: EnclaveIdentity
    report_data: bytes
    quote_digest: bytes
    collateral_number: int
    verified_at_s: int
    effective_s: int
    def __init__(self, identity: _Optional[_Union[EnclaveIdentity, _Mapping]] = ..., report_data: _Optional[bytes] = ..., quote_digest: _Optional[bytes] = ..., collateral_number: _Optional[int] = ..., verified_at_s: _Optional[int] = ..., effective_s: _Optional[int] = ...) -> None: ...

class VerificationRules(_message.Message):
    __slots__ = ("roots", "tcb_signer_pins", "evaluation_floor", "evaluation_ceiling", "grace_s")
    ROOTS_FIELD_NUMBER: _ClassVar[int]
    TCB_SIGNER_PINS_FIELD_NUMBER: _ClassVar[int]
    EVALUATION_FLOOR_FIELD_NUMBER: _ClassVar[int]
    EVALUATION_CEILING_FIELD_NUMBER: _ClassVar[int]
    GRACE_S_FIELD_NUMBER: _ClassVar[int]
    roots: _containers.RepeatedScalarFieldContainer[bytes]
    tcb_signer_pins: _containers.RepeatedScalarFieldContainer[bytes]
    evaluation_floor: int
    evaluation_ceiling: int
    grace_s: int
    def __init__(self, roots: _Optional[_Iterable[bytes]] = ..., tcb_signer_pins: _Optional[_Iterable[bytes]] = ..., evaluation_floor: _Optional[int] = ..., evaluation_ceiling: _Optional[int] = ..., grace_s: _Optional[int] = ...) -> None: ...

class VerificationRequest(_message.Message):
    __slots__ = ("evidence", "collateral", "rules", "now_s")
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    COLLATERAL_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    NOW_S_FIELD_NUMBER: _ClassVar[int]
    evidence: bytes
    collateral: bytes
    rules: VerificationRules
    now_s: int
    def __init__(self, evidence: _Optional[bytes] = ..., collateral: _Optional[bytes] = ..., rules: _Optional[_Union[VerificationRules, _Mapping]] = ..., now_s: _Optional[int] = ...) -> None: ...

class VerificationRefusal(_message.Message):
    __slots__ = ("undecided", "code", "expected", "got")
    UNDECIDED_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    GOT_FIELD_NUMBER: _ClassVar[int]
    undecided: bool
    code: str
    expected: str
    got: str
    def __init__(self, undecided: _Optional[bool] = ..., code: _Optional[str] = ..., expected: _Optional[str] = ..., got: _Optional[str] = ...) -> None: ...

class VerificationReply(_message.Message):
    __slots__ = ("verdict", "refusal")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    verdict: AttestationVerdict
    refusal: VerificationRefusal
    def __init__(self, verdict: _Optional[_Union[AttestationVerdict, _Mapping]] = ..., refusal: _Optional[_Union[VerificationRefusal, _Mapping]] = ...) -> None: ...
