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
    EVIDENCE_KIND_SNP: _ClassVar[EvidenceKind]

class TeePlatform(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TEE_PLATFORM_UNSPECIFIED: _ClassVar[TeePlatform]
    TEE_PLATFORM_SGX: _ClassVar[TeePlatform]
    TEE_PLATFORM_TDX: _ClassVar[TeePlatform]
    TEE_PLATFORM_SNP: _ClassVar[TeePlatform]
EVIDENCE_KIND_UNSPECIFIED: EvidenceKind
EVIDENCE_KIND_DCAP: EvidenceKind
EVIDENCE_KIND_SNP: EvidenceKind
TEE_PLATFORM_UNSPECIFIED: TeePlatform
TEE_PLATFORM_SGX: TeePlatform
TEE_PLATFORM_TDX: TeePlatform
TEE_PLATFORM_SNP: TeePlatform

class AttestationEvidence(_message.Message):
    __slots__ = ("kind", "quote", "certificate")
    KIND_FIELD_NUMBER: _ClassVar[int]
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    kind: EvidenceKind
    quote: bytes
    certificate: bytes
    def __init__(self, kind: _Optional[_Union[EvidenceKind, str]] = ..., quote: _Optional[bytes] = ..., certificate: _Optional[bytes] = ...) -> None: ...

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

class SnpCollateral(_message.Message):
    __slots__ = ("product", "ark", "ask", "asvk", "crl")
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    ARK_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    ASVK_FIELD_NUMBER: _ClassVar[int]
    CRL_FIELD_NUMBER: _ClassVar[int]
    product: str
    ark: bytes
    ask: bytes
    asvk: bytes
    crl: bytes
    def __init__(self, product: _Optional[str] = ..., ark: _Optional[bytes] = ..., ask: _Optional[bytes] = ..., asvk: _Optional[bytes] = ..., crl: _Optional[bytes] = ...) -> None: ...

class EvidenceCollateral(_message.Message):
    __slots__ = ("dcap", "snp")
    DCAP_FIELD_NUMBER: _ClassVar[int]
    SNP_FIELD_NUMBER: _ClassVar[int]
    dcap: DcapCollateral
    snp: SnpCollateral
    def __init__(self, dcap: _Optional[_Union[DcapCollateral, _Mapping]] = ..., snp: _Optional[_Union[SnpCollateral, _Mapping]] = ...) -> None: ...

class CollateralVerdict(_message.Message):
    __slots__ = ("key", "digest", "order", "lowest_number", "highest_number", "valid_from_s", "valid_until_s", "substance", "verified_at_s")
    KEY_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    LOWEST_NUMBER_FIELD_NUMBER: _ClassVar[int]
    HIGHEST_NUMBER_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_S_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_S_FIELD_NUMBER: _ClassVar[int]
    SUBSTANCE_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_AT_S_FIELD_NUMBER: _ClassVar[int]
    key: str
    digest: bytes
    order: _containers.RepeatedScalarFieldContainer[int]
    lowest_number: int
    highest_number: int
    valid_from_s: int
    valid_until_s: int
    substance: bytes
    verified_at_s: int
    def __init__(self, key: _Optional[str] = ..., digest: _Optional[bytes] = ..., order: _Optional[_Iterable[int]] = ..., lowest_number: _Optional[int] = ..., highest_number: _Optional[int] = ..., valid_from_s: _Optional[int] = ..., valid_until_s: _Optional[int] = ..., substance: _Optional[bytes] = ..., verified_at_s: _Optional[int] = ...) -> None: ...

class SgxFields(_message.Message):
    __slots__ = ("attributes", "config_id", "config_svn", "ext_product_id", "family_id")
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    CONFIG_ID_FIELD_NUMBER: _ClassVar[int]
    CONFIG_SVN_FIELD_NUMBER: _ClassVar[int]
    EXT_PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    FAMILY_ID_FIELD_NUMBER: _ClassVar[int]
    attributes: bytes
    config_id: bytes
    config_svn: int
    ext_product_id: bytes
    family_id: bytes
    def __init__(self, attributes: _Optional[bytes] = ..., config_id: _Optional[bytes] = ..., config_svn: _Optional[int] = ..., ext_product_id: _Optional[bytes] = ..., family_id: _Optional[bytes] = ...) -> None: ...

class TdxFields(_message.Message):
    __slots__ = ("mr_td", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "mr_config_id", "mr_owner", "mr_owner_config", "attributes", "xfam")
    MR_TD_FIELD_NUMBER: _ClassVar[int]
    RTMR0_FIELD_NUMBER: _ClassVar[int]
    RTMR1_FIELD_NUMBER: _ClassVar[int]
    RTMR2_FIELD_NUMBER: _ClassVar[int]
    RTMR3_FIELD_NUMBER: _ClassVar[int]
    MR_CONFIG_ID_FIELD_NUMBER: _ClassVar[int]
    MR_OWNER_FIELD_NUMBER: _ClassVar[int]
    MR_OWNER_CONFIG_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    XFAM_FIELD_NUMBER: _ClassVar[int]
    mr_td: bytes
    rtmr0: bytes
    rtmr1: bytes
    rtmr2: bytes
    rtmr3: bytes
    mr_config_id: bytes
    mr_owner: bytes
    mr_owner_config: bytes
    attributes: bytes
    xfam: bytes
    def __init__(self, mr_td: _Optional[bytes] = ..., rtmr0: _Optional[bytes] = ..., rtmr1: _Optional[bytes] = ..., rtmr2: _Optional[bytes] = ..., rtmr3: _Optional[bytes] = ..., mr_config_id: _Optional[bytes] = ..., mr_owner: _Optional[bytes] = ..., mr_owner_config: _Optional[bytes] = ..., attributes: _Optional[bytes] = ..., xfam: _Optional[bytes] = ...) -> None: ...

class SnpTcb(_message.Message):
    __slots__ = ("boot_loader", "tee", "snp", "microcode", "fmc")
    BOOT_LOADER_FIELD_NUMBER: _ClassVar[int]
    TEE_FIELD_NUMBER: _ClassVar[int]
    SNP_FIELD_NUMBER: _ClassVar[int]
    MICROCODE_FIELD_NUMBER: _ClassVar[int]
    FMC_FIELD_NUMBER: _ClassVar[int]
    boot_loader: int
    tee: int
    snp: int
    microcode: int
    fmc: int
    def __init__(self, boot_loader: _Optional[int] = ..., tee: _Optional[int] = ..., snp: _Optional[int] = ..., microcode: _Optional[int] = ..., fmc: _Optional[int] = ...) -> None: ...

class SnpFields(_message.Message):
    __slots__ = ("host_data", "family_id", "image_id", "author_key_digest", "guest_policy", "platform_info", "vmpl", "reported_tcb", "launch_tcb", "product", "is_vlek")
    HOST_DATA_FIELD_NUMBER: _ClassVar[int]
    FAMILY_ID_FIELD_NUMBER: _ClassVar[int]
    IMAGE_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_KEY_DIGEST_FIELD_NUMBER: _ClassVar[int]
    GUEST_POLICY_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_INFO_FIELD_NUMBER: _ClassVar[int]
    VMPL_FIELD_NUMBER: _ClassVar[int]
    REPORTED_TCB_FIELD_NUMBER: _ClassVar[int]
    LAUNCH_TCB_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    IS_VLEK_FIELD_NUMBER: _ClassVar[int]
    host_data: bytes
    family_id: bytes
    image_id: bytes
    author_key_digest: bytes
    guest_policy: int
    platform_info: int
    vmpl: int
    reported_tcb: SnpTcb
    launch_tcb: SnpTcb
    product: str
    is_vlek: bool
    def __init__(self, host_data: _Optional[bytes] = ..., family_id: _Optional[bytes] = ..., image_id: _Optional[bytes] = ..., author_key_digest: _Optional[bytes] = ..., guest_policy: _Optional[int] = ..., platform_info: _Optional[int] = ..., vmpl: _Optional[int] = ..., reported_tcb: _Optional[_Union[SnpTcb, _Mapping]] = ..., launch_tcb: _Optional[_Union[SnpTcb, _Mapping]] = ..., product: _Optional[str] = ..., is_vlek: _Optional[bool] = ...) -> None: ...

class EnclaveIdentity(_message.Message):
    __slots__ = ("platform", "measurement", "signer", "product_id", "svn", "debug", "tcb_status", "advisories", "platform_id", "fmspc", "tcb_date_s", "sgx", "tdx", "snp")
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
    TCB_DATE_S_FIELD_NUMBER: _ClassVar[int]
    SGX_FIELD_NUMBER: _ClassVar[int]
    TDX_FIELD_NUMBER: _ClassVar[int]
    SNP_FIELD_NUMBER: _ClassVar[int]
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
    tcb_date_s: int
    sgx: SgxFields
    tdx: TdxFields
    snp: SnpFields
    def __init__(self, platform: _Optional[_Union[TeePlatform, str]] = ..., measurement: _Optional[bytes] = ..., signer: _Optional[bytes] = ..., product_id: _Optional[int] = ..., svn: _Optional[int] = ..., debug: _Optional[bool] = ..., tcb_status: _Optional[str] = ..., advisories: _Optional[_Iterable[str]] = ..., platform_id: _Optional[bytes] = ..., fmspc: _Optional[bytes] = ..., tcb_date_s: _Optional[int] = ..., sgx: _Optional[_Union[SgxFields, _Mapping]] = ..., tdx: _Optional[_Union[TdxFields, _Mapping]] = ..., snp: _Optional[_Union[SnpFields, _Mapping]] = ...) -> None: ...

class SgxMatch(_message.Message):
    __slots__ = ("config_id", "minimum_config_svn", "ext_product_id", "family_id", "attributes", "attributes_mask")
    CONFIG_ID_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_CONFIG_SVN_FIELD_NUMBER: _ClassVar[int]
    EXT_PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    FAMILY_ID_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_MASK_FIELD_NUMBER: _ClassVar[int]
    config_id: bytes
    minimum_config_svn: int
    ext_product_id: bytes
    family_id: bytes
    attributes: bytes
    attributes_mask: bytes
    def __init__(self, config_id: _Optional[bytes] = ..., minimum_config_svn: _Optional[int] = ..., ext_product_id: _Optional[bytes] = ..., family_id: _Optional[bytes] = ..., attributes: _Optional[bytes] = ..., attributes_mask: _Optional[bytes] = ...) -> None: ...

class TdxMatch(_message.Message):
    __slots__ = ("mr_td", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "mr_config_id", "mr_owner", "mr_owner_config", "attributes", "attributes_mask", "xfam", "xfam_mask")
    MR_TD_FIELD_NUMBER: _ClassVar[int]
    RTMR0_FIELD_NUMBER: _ClassVar[int]
    RTMR1_FIELD_NUMBER: _ClassVar[int]
    RTMR2_FIELD_NUMBER: _ClassVar[int]
    RTMR3_FIELD_NUMBER: _ClassVar[int]
    MR_CONFIG_ID_FIELD_NUMBER: _ClassVar[int]
    MR_OWNER_FIELD_NUMBER: _ClassVar[int]
    MR_OWNER_CONFIG_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_MASK_FIELD_NUMBER: _ClassVar[int]
    XFAM_FIELD_NUMBER: _ClassVar[int]
    XFAM_MASK_FIELD_NUMBER: _ClassVar[int]
    mr_td: bytes
    rtmr0: bytes
    rtmr1: bytes
    rtmr2: bytes
    rtmr3: bytes
    mr_config_id: bytes
    mr_owner: bytes
    mr_owner_config: bytes
    attributes: bytes
    attributes_mask: bytes
    xfam: bytes
    xfam_mask: bytes
    def __init__(self, mr_td: _Optional[bytes] = ..., rtmr0: _Optional[bytes] = ..., rtmr1: _Optional[bytes] = ..., rtmr2: _Optional[bytes] = ..., rtmr3: _Optional[bytes] = ..., mr_config_id: _Optional[bytes] = ..., mr_owner: _Optional[bytes] = ..., mr_owner_config: _Optional[bytes] = ..., attributes: _Optional[bytes] = ..., attributes_mask: _Optional[bytes] = ..., xfam: _Optional[bytes] = ..., xfam_mask: _Optional[bytes] = ...) -> None: ...

class SnpMatch(_message.Message):
    __slots__ = ("host_data", "family_id", "image_id", "author_key_digest", "minimum_tcb", "minimum_launch_tcb", "maximum_vmpl", "products", "allow_migration", "allow_vlek", "require_single_thread")
    HOST_DATA_FIELD_NUMBER: _ClassVar[int]
    FAMILY_ID_FIELD_NUMBER: _ClassVar[int]
    IMAGE_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_KEY_DIGEST_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_TCB_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_LAUNCH_TCB_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_VMPL_FIELD_NUMBER: _ClassVar[int]
    PRODUCTS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MIGRATION_FIELD_NUMBER: _ClassVar[int]
    ALLOW_VLEK_FIELD_NUMBER: _ClassVar[int]
    REQUIRE_SINGLE_THREAD_FIELD_NUMBER: _ClassVar[int]
    host_data: bytes
    family_id: bytes
    image_id: bytes
    author_key_digest: bytes
    minimum_tcb: SnpTcb
    minimum_launch_tcb: SnpTcb
    maximum_vmpl: int
    products: _containers.RepeatedScalarFieldContainer[str]
    allow_migration: bool
    allow_vlek: bool
    require_single_thread: bool
    def __init__(self, host_data: _Optional[bytes] = ..., family_id: _Optional[bytes] = ..., image_id: _Optional[bytes] = ..., author_key_digest: _Optional[bytes] = ..., minimum_tcb: _Optional[_Union[SnpTcb, _Mapping]] = ..., minimum_launch_tcb: _Optional[_Union[SnpTcb, _Mapping]] = ..., maximum_vmpl: _Optional[int] = ..., products: _Optional[_Iterable[str]] = ..., allow_migration: _Optional[bool] = ..., allow_vlek: _Optional[bool] = ..., require_single_thread: _Optional[bool] = ...) -> None: ...

class ReleaseVersion(_message.Message):
    __slots__ = ("major", "minor", "patch")
    MAJOR_FIELD_NUMBER: _ClassVar[int]
    MINOR_FIELD_NUMBER: _ClassVar[int]
    PATCH_FIELD_NUMBER: _ClassVar[int]
    major: int
    minor: int
    patch: int
    def __init__(self, major: _Optional[int] = ..., minor: _Optional[int] = ..., patch: _Optional[int] = ...) -> None: ...

class ReleaseMatch(_message.Message):
    __slots__ = ("name", "minimum", "auditors", "threshold")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    AUDITORS_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    name: str
    minimum: ReleaseVersion
    auditors: _containers.RepeatedScalarFieldContainer[bytes]
    threshold: int
    def __init__(self, name: _Optional[str] = ..., minimum: _Optional[_Union[ReleaseVersion, _Mapping]] = ..., auditors: _Optional[_Iterable[bytes]] = ..., threshold: _Optional[int] = ...) -> None: ...

class EndorsedRelease(_message.Message):
    __slots__ = ("name", "version", "endorsers")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ENDORSERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: ReleaseVersion
    endorsers: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, name: _Optional[str] = ..., version: _Optional[_Union[ReleaseVersion, _Mapping]] = ..., endorsers: _Optional[_Iterable[bytes]] = ...) -> None: ...

class EndorsedReleases(_message.Message):
    __slots__ = ("releases",)
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    releases: _containers.RepeatedCompositeFieldContainer[EndorsedRelease]
    def __init__(self, releases: _Optional[_Iterable[_Union[EndorsedRelease, _Mapping]]] = ...) -> None: ...

class SubjectFacts(_message.Message):
    __slots__ = ("releases", "is_enrolled")
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    IS_ENROLLED_FIELD_NUMBER: _ClassVar[int]
    releases: _containers.RepeatedCompositeFieldContainer[EndorsedRelease]
    is_enrolled: bool
    def __init__(self, releases: _Optional[_Iterable[_Union[EndorsedRelease, _Mapping]]] = ..., is_enrolled: _Optional[bool] = ...) -> None: ...

class IdentityMatch(_message.Message):
    __slots__ = ("measurement", "signer", "product_id", "minimum_svn", "tcb_statuses", "advisories", "allow_debug", "platform_ids", "grace_s", "sgx", "tdx", "snp", "release", "enrolled")
    MEASUREMENT_FIELD_NUMBER: _ClassVar[int]
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_SVN_FIELD_NUMBER: _ClassVar[int]
    TCB_STATUSES_FIELD_NUMBER: _ClassVar[int]
    ADVISORIES_FIELD_NUMBER: _ClassVar[int]
    ALLOW_DEBUG_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_IDS_FIELD_NUMBER: _ClassVar[int]
    GRACE_S_FIELD_NUMBER: _ClassVar[int]
    SGX_FIELD_NUMBER: _ClassVar[int]
    TDX_FIELD_NUMBER: _ClassVar[int]
    SNP_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    ENROLLED_FIELD_NUMBER: _ClassVar[int]
    measurement: bytes
    signer: bytes
    product_id: int
    minimum_svn: int
    tcb_statuses: _containers.RepeatedScalarFieldContainer[str]
    advisories: _containers.RepeatedScalarFieldContainer[str]
    allow_debug: bool
    platform_ids: _containers.RepeatedScalarFieldContainer[bytes]
    grace_s: int
    sgx: SgxMatch
    tdx: TdxMatch
    snp: SnpMatch
    release: ReleaseMatch
    enrolled: bool
    def __init__(self, measurement: _Optional[bytes] = ..., signer: _Optional[bytes] = ..., product_id: _Optional[int] = ..., minimum_svn: _Optional[int] = ..., tcb_statuses: _Optional[_Iterable[str]] = ..., advisories: _Optional[_Iterable[str]] = ..., allow_debug: _Optional[bool] = ..., platform_ids: _Optional[_Iterable[bytes]] = ..., grace_s: _Optional[int] = ..., sgx: _Optional[_Union[SgxMatch, _Mapping]] = ..., tdx: _Optional[_Union[TdxMatch, _Mapping]] = ..., snp: _Optional[_Union[SnpMatch, _Mapping]] = ..., release: _Optional[_Union[ReleaseMatch, _Mapping]] = ..., enrolled: _Optional[bool] = ...) -> None: ...

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
    __slots__ = ("identity", "report_data", "quote_digest", "collateral_number", "verified_at_s", "effective_s", "collateral_key", "collateral_digest")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    REPORT_DATA_FIELD_NUMBER: _ClassVar[int]
    QUOTE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    COLLATERAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_AT_S_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_S_FIELD_NUMBER: _ClassVar[int]
    COLLATERAL_KEY_FIELD_NUMBER: _ClassVar[int]
    COLLATERAL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    identity: EnclaveIdentity
    report_data: bytes
    quote_digest: bytes
    collateral_number: int
    verified_at_s: int
    effective_s: int
    collateral_key: str
    collateral_digest: bytes
    def __init__(self, identity: _Optional[_Union[EnclaveIdentity, _Mapping]] = ..., report_data: _Optional[bytes] = ..., quote_digest: _Optional[bytes] = ..., collateral_number: _Optional[int] = ..., verified_at_s: _Optional[int] = ..., effective_s: _Optional[int] = ..., collateral_key: _Optional[str] = ..., collateral_digest: _Optional[bytes] = ...) -> None: ...

class VerificationRules(_message.Message):
    __slots__ = ("roots", "tcb_signer_pins", "evaluation_floor", "evaluation_ceiling", "grace_s", "revocations_optional")
    ROOTS_FIELD_NUMBER: _ClassVar[int]
    TCB_SIGNER_PINS_FIELD_NUMBER: _ClassVar[int]
    EVALUATION_FLOOR_FIELD_NUMBER: _ClassVar[int]
    EVALUATION_CEILING_FIELD_NUMBER: _ClassVar[int]
    GRACE_S_FIELD_NUMBER: _ClassVar[int]
    REVOCATIONS_OPTIONAL_FIELD_NUMBER: _ClassVar[int]
    roots: _containers.RepeatedScalarFieldContainer[bytes]
    tcb_signer_pins: _containers.RepeatedScalarFieldContainer[bytes]
    evaluation_floor: int
    evaluation_ceiling: int
    grace_s: int
    revocations_optional: bool
    def __init__(self, roots: _Optional[_Iterable[bytes]] = ..., tcb_signer_pins: _Optional[_Iterable[bytes]] = ..., evaluation_floor: _Optional[int] = ..., evaluation_ceiling: _Optional[int] = ..., grace_s: _Optional[int] = ..., revocations_optional: _Optional[bool] = ...) -> None: ...

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
    __slots__ = ("verdict", "refusal", "collateral", "collateral_key")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    COLLATERAL_FIELD_NUMBER: _ClassVar[int]
    COLLATERAL_KEY_FIELD_NUMBER: _ClassVar[int]
    verdict: AttestationVerdict
    refusal: VerificationRefusal
    collateral: CollateralVerdict
    collateral_key: str
    def __init__(self, verdict: _Optional[_Union[AttestationVerdict, _Mapping]] = ..., refusal: _Optional[_Union[VerificationRefusal, _Mapping]] = ..., collateral: _Optional[_Union[CollateralVerdict, _Mapping]] = ..., collateral_key: _Optional[str] = ...) -> None: ...
