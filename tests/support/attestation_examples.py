"""One fixed value of each format, for round trips, fuzzing and the specification's examples."""

from collections.abc import Callable
from dataclasses import replace

from attestation.collateral import (
    CollateralFacts,
    DcapCollateral,
    SnpCollateral,
    decode_collateral,
    encode_collateral,
)
from attestation.collateral_verdict import (
    CollateralVerdict,
    decode_collateral_verdict,
    encode_collateral_verdict,
)
from attestation.conditions import ReleaseMatch, SgxMatch, SnpMatch, TdxMatch
from attestation.errors import CannotDecideError, EvidenceError, EvidenceFault
from attestation.evidence import Evidence, EvidenceKind, decode_evidence, encode_evidence
from attestation.facts import ENROLLED, Facts, decode_facts
from attestation.fields import SgxFields, SnpFields, SnpTcb, TdxFields
from attestation.identity import NOT_RATED, Identity, decode_identity, encode_identity
from attestation.policy import AllOf, AnyOf, Match, decode_policy, encode_policy
from attestation.releases import EndorsedRelease, decode_releases, encode_releases
from attestation.rules import VerificationRules
from attestation.verdict import Verdict, decode_verdict, encode_verdict
from attestation.worker_codec import (
    FindKey,
    JudgeCollateral,
    JudgeEvidence,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
)

AUDITORS = tuple(bytes([number]) * 20 for number in (0xA1, 0xA2, 0xA3))

IDENTITY = Identity(
    platform="sgx",
    measurement=b"\x11" * 32,
    signer=b"\x22" * 32,
    product_id=7,
    svn=3,
    tcb_status="SWHardeningNeeded",
    tcb_date_s=1_780_000_000,
    advisories=("INTEL-SA-00334", "INTEL-SA-00615"),
    platform_id=bytes(range(16)),
    fmspc=bytes.fromhex("00906ed50000"),
    fields=SgxFields(
        attributes=bytes.fromhex("0500000000000000e700000000000000"),
        config_id=b"\x51" * 64,
        config_svn=2,
        ext_product_id=b"\x52" * 16,
        family_id=b"\x53" * 16,
    ),
)
TDX_IDENTITY = Identity(
    platform="tdx",
    measurement=b"\x12" * 48,
    tcb_status="UpToDate",
    tcb_date_s=1_780_000_000,
    platform_id=bytes(range(16)),
    fmspc=bytes.fromhex("b0c06f000000"),
    fields=TdxFields(
        mr_td=b"\x60" * 48,
        rtmr0=b"\x61" * 48,
        rtmr1=b"\x62" * 48,
        rtmr2=b"\x63" * 48,
        rtmr3=b"\x64" * 48,
        mr_config_id=b"\x65" * 48,
        mr_owner=b"\x66" * 48,
        mr_owner_config=b"\x67" * 48,
        attributes=bytes.fromhex("0000001000000000"),
        xfam=bytes.fromhex("e702060000000000"),
    ),
)
SNP_IDENTITY = Identity(
    platform="snp",
    measurement=b"\x13" * 48,
    signer=b"\x23" * 48,
    svn=4,
    tcb_status=NOT_RATED,
    platform_id=bytes(range(64)),
    fields=SnpFields(
        host_data=b"\x71" * 32,
        family_id=b"\x72" * 16,
        image_id=b"\x73" * 16,
        author_key_digest=b"\x74" * 48,
        guest_policy=0x30000,
        platform_info=0x3,
        vmpl=0,
        reported_tcb=SnpTcb(boot_loader=4, tee=0, snp=24, microcode=219),
        launch_tcb=SnpTcb(boot_loader=4, tee=0, snp=22, microcode=213),
        product="Milan",
    ),
)
IDENTITIES = (IDENTITY, TDX_IDENTITY, SNP_IDENTITY)
POLICY = AnyOf(
    (
        Match(measurement=b"\x11" * 32),
        AllOf(
            (
                Match(
                    signer=b"\x22" * 32,
                    product_id=7,
                    minimum_svn=3,
                    tcb_statuses=("SWHardeningNeeded", "UpToDate"),
                    advisories=("INTEL-SA-00334", "INTEL-SA-00615"),
                    grace_s=60 * 86_400,
                ),
            )
        ),
    )
)
SGX_MATCH = Match(
    measurement=b"\x11" * 32,
    tee=SgxMatch(
        config_id=b"\x51" * 64,
        minimum_config_svn=2,
        ext_product_id=b"\x52" * 16,
        family_id=b"\x53" * 16,
        attributes=bytes.fromhex("04" + "00" * 15),
        attributes_mask=bytes.fromhex("06" + "00" * 15),
    ),
)
TDX_MATCH = Match(
    tee=TdxMatch(
        mr_td=b"\x60" * 48,
        rtmr1=b"\x62" * 48,
        rtmr2=b"\x63" * 48,
        attributes=bytes(8),
        attributes_mask=bytes.fromhex("ff00000000000000"),
        xfam=bytes.fromhex("e700000000000000"),
        xfam_mask=bytes.fromhex("ff00000000000000"),
    ),
)
SNP_MATCH = Match(
    measurement=b"\x13" * 48,
    platform_ids=(bytes(range(64)),),
    tee=SnpMatch(
        minimum_tcb=SnpTcb(boot_loader=4, snp=24, microcode=219),
        minimum_launch_tcb=SnpTcb(boot_loader=4),
        host_data=b"\x71" * 32,
        family_id=b"\x72" * 16,
        image_id=b"\x73" * 16,
        author_key_digest=b"\x74" * 48,
        maximum_vmpl=1,
        products=("Genoa", "Milan"),
        allow_migration=True,
        allow_vlek=True,
    ),
)
RELEASE_MATCH = Match(
    release=ReleaseMatch(name="fns", minimum=(1, 2, 0), auditors=AUDITORS, threshold=2)
)
ALL_MATCHES = (SGX_MATCH, TDX_MATCH, SNP_MATCH, RELEASE_MATCH)
RELEASES = (
    EndorsedRelease("fns", (1, 2, 0), AUDITORS[:2]),
    EndorsedRelease("fns", (1, 3, 0), ()),
)
EVIDENCE = Evidence(EvidenceKind.DCAP, b"a quote stands here")
SNP_EVIDENCE = Evidence(EvidenceKind.SNP, bytes(1184), b"a certificate stands here")
COLLATERAL = DcapCollateral(
    pck_crl_issuer_chain="PCK CA and root",
    root_ca_crl=b"root list",
    pck_crl=b"PCK list",
    tcb_info_issuer_chain="TCB signer and root",
    tcb_info="{}",
    tcb_info_signature=b"\x01" * 64,
    qe_identity_issuer_chain="TCB signer and root",
    qe_identity="{}",
    qe_identity_signature=b"\x02" * 64,
)
SNP_COLLATERAL = SnpCollateral(product="Milan", ark=b"root", ask=b"signer", asvk=b"", crl=b"list")
VERDICT = Verdict(
    identity=IDENTITY,
    report_data=bytes(range(64)),
    quote_digest=b"\x33" * 32,
    collateral_number=17,
    verified_at_s=1_800_000_100,
    effective_s=1_800_000_000,
    collateral_key="sgx/00906ed50000/processor",
    collateral_digest=b"\x34" * 32,
)
SNP_VERDICT = replace(
    VERDICT, identity=SNP_IDENTITY, collateral_number=0, collateral_key="snp/Milan"
)
COLLATERAL_VERDICT = CollateralVerdict(
    facts=CollateralFacts(
        key="sgx/00906ed50000/processor",
        order=((17, 1_799_000_000), (17, 1_799_000_000), (3, 1_798_000_000), (5, 1_798_500_000)),
        lowest_number=17,
        highest_number=17,
        valid_from_s=1_799_000_000,
        valid_until_s=1_801_000_000,
        substance=b"\x35" * 32,
    ),
    digest=b"\x34" * 32,
    verified_at_s=1_800_000_000,
)
RULES = VerificationRules(roots=(b"root",), tcb_signer_pins=(b"\x44" * 32,), grace_s=60)
REQUEST = JudgeEvidence(b"evidence", b"collateral", RULES, 1_800_000_000)
COLLATERAL_REQUEST = JudgeCollateral(b"collateral", RULES, 1_800_000_000)
REFUSAL = EvidenceError(EvidenceFault.DEBUG, expected="no debug", got="debug")

# One value of each shape that a format has: "identity tdx" is an identity.
ENCODED = {
    "identity": encode_identity(IDENTITY),
    "identity tdx": encode_identity(TDX_IDENTITY),
    "identity snp": encode_identity(SNP_IDENTITY),
    "policy": encode_policy(POLICY),
    "policy sgx": encode_policy(SGX_MATCH),
    "policy tdx": encode_policy(TDX_MATCH),
    "policy snp": encode_policy(SNP_MATCH),
    "policy release": encode_policy(RELEASE_MATCH),
    "policy enrolled": encode_policy(Match(measurement=IDENTITY.measurement, enrolled=True)),
    "releases": encode_releases(RELEASES),
    "facts": encode_releases(RELEASES) + ENROLLED,
    "facts of a platform alone": ENROLLED,
    "evidence": encode_evidence(EVIDENCE),
    "evidence snp": encode_evidence(SNP_EVIDENCE),
    "collateral": encode_collateral(COLLATERAL),
    "collateral snp": encode_collateral(SNP_COLLATERAL),
    "verdict": encode_verdict(VERDICT),
    "verdict snp": encode_verdict(SNP_VERDICT),
    "collateral_verdict": encode_collateral_verdict(COLLATERAL_VERDICT),
    "request": encode_request(REQUEST),
    "request key": encode_request(FindKey(b"evidence")),
    "request collateral": encode_request(COLLATERAL_REQUEST),
    "reply": encode_reply(VERDICT),
    "reply key": encode_reply("snp/Turin"),
    "reply collateral": encode_reply(COLLATERAL_VERDICT),
    "reply refusal": encode_reply(REFUSAL),
}


def recode(name: str, data: bytes) -> bytes:
    """Decode and encode again; raises what the decoder raises."""
    return _RECODE[name.split()[0]](data)


def _encode_facts(facts: Facts) -> bytes:
    """As the ledger joins them: rows of releases, then the enrolment."""
    return encode_releases(facts.releases) + (ENROLLED if facts.is_enrolled else b"")


def _recode_reply(data: bytes) -> bytes:
    try:
        return encode_reply(decode_reply(data))
    except (EvidenceError, CannotDecideError) as refusal:
        return encode_reply(refusal)


_RECODE: dict[str, Callable[[bytes], bytes]] = {
    "identity": lambda data: encode_identity(decode_identity(data)),
    "policy": lambda data: encode_policy(decode_policy(data)),
    "releases": lambda data: encode_releases(decode_releases(data)),
    "facts": lambda data: _encode_facts(decode_facts(data)),
    "evidence": lambda data: encode_evidence(decode_evidence(data)),
    "collateral": lambda data: encode_collateral(decode_collateral(data)),
    "verdict": lambda data: encode_verdict(decode_verdict(data)),
    "collateral_verdict": lambda data: encode_collateral_verdict(decode_collateral_verdict(data)),
    "request": lambda data: encode_request(decode_request(data)),
    "reply": _recode_reply,
}
