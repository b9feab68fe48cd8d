"""One fixed value of each format, for round trips, fuzzing and the specification's examples."""

from attestation.collateral import Collateral, decode_collateral, encode_collateral
from attestation.dcap.rules import VerificationRules
from attestation.errors import CannotDecideError, EvidenceError, EvidenceFault
from attestation.evidence import Evidence, EvidenceKind, decode_evidence, encode_evidence
from attestation.identity import Identity, decode_identity, encode_identity
from attestation.policy import AllOf, AnyOf, Match, decode_policy, encode_policy
from attestation.verdict import Verdict, decode_verdict, encode_verdict
from attestation.worker_codec import (
    Request,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
)

IDENTITY = Identity(
    platform="sgx",
    measurement=b"\x11" * 32,
    signer=b"\x22" * 32,
    product_id=7,
    svn=3,
    tcb_status="SWHardeningNeeded",
    advisories=("INTEL-SA-00334", "INTEL-SA-00615"),
    platform_id=bytes(range(16)),
    fmspc=bytes.fromhex("00906ed50000"),
)
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
                ),
            )
        ),
    )
)
EVIDENCE = Evidence(EvidenceKind.DCAP, b"a quote stands here")
COLLATERAL = Collateral(
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
VERDICT = Verdict(
    identity=IDENTITY,
    report_data=bytes(range(64)),
    quote_digest=b"\x33" * 32,
    collateral_number=17,
    verified_at_s=1_800_000_100,
    effective_s=1_800_000_000,
)
REQUEST = Request(
    evidence=b"evidence",
    collateral=b"collateral",
    rules=VerificationRules(roots=(b"root",), tcb_signer_pins=(b"\x44" * 32,), grace_s=60),
    now_s=1_800_000_000,
)
REFUSAL = EvidenceError(EvidenceFault.DEBUG, expected="no debug", got="debug")

ENCODED = {
    "identity": encode_identity(IDENTITY),
    "policy": encode_policy(POLICY),
    "evidence": encode_evidence(EVIDENCE),
    "collateral": encode_collateral(COLLATERAL),
    "verdict": encode_verdict(VERDICT),
    "request": encode_request(REQUEST),
    "reply": encode_reply(VERDICT),
}


def recode(name: str, data: bytes) -> bytes:
    """Decode and encode again; raises what the decoder raises."""
    return {
        "identity": lambda: encode_identity(decode_identity(data)),
        "policy": lambda: encode_policy(decode_policy(data)),
        "evidence": lambda: encode_evidence(decode_evidence(data)),
        "collateral": lambda: encode_collateral(decode_collateral(data)),
        "verdict": lambda: encode_verdict(decode_verdict(data)),
        "request": lambda: encode_request(decode_request(data)),
        "reply": lambda: _recode_reply(data),
    }[name]()


def _recode_reply(data: bytes) -> bytes:
    try:
        return encode_reply(decode_reply(data))
    except (EvidenceError, CannotDecideError) as refusal:
        return encode_reply(refusal)
