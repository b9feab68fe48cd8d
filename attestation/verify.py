"""The one way to judge evidence and collateral, whatever their kind. Pure.

Rules: bytes in; the kinds' own steps are `attestation.dcap.verify` and `attestation.snp.verify`.
The same arguments give the same verdict everywhere. Not here: whether the identity is admitted
(`judging`) and whether the report data is the one expected (`handshake.verify_report_data`): both
are the caller's.
"""

from attestation.collateral import (
    Collateral,
    CollateralFacts,
    DcapCollateral,
    SnpCollateral,
    collateral_digest,
    decode_collateral,
)
from attestation.collateral_verdict import CollateralVerdict
from attestation.dcap import collateral as dcap
from attestation.dcap.verify import quote_key, verify_dcap_collateral, verify_quote
from attestation.errors import (
    CannotDecideError,
    DecisionFault,
    DecodeError,
    EvidenceError,
    EvidenceFault,
)
from attestation.evidence import Evidence, EvidenceKind, decode_evidence
from attestation.rules import VerificationRules
from attestation.snp import authorities as snp
from attestation.snp.verify import snp_collateral_key, verify_snp, verify_snp_collateral
from attestation.verdict import Verdict


def verify(evidence: bytes, collateral: bytes, rules: VerificationRules, now_s: int) -> Verdict:
    """Judge encoded `evidence` at Unix time `now_s` by encoded `collateral` of our own store.

    Raises EvidenceError when the evidence is at fault and CannotDecideError when the rules or the
    collateral are.
    """
    decoded = _evidence(evidence)
    held = _collateral(collateral)
    if decoded.kind is EvidenceKind.DCAP and isinstance(held, DcapCollateral):
        return verify_quote(decoded, held, rules, now_s)
    if decoded.kind is EvidenceKind.SNP and isinstance(held, SnpCollateral):
        needed = not rules.revocations_optional
        return verify_snp(decoded, held, rules, now_s, needs_revocations=needed)
    raise CannotDecideError(
        DecisionFault.COLLATERAL_OTHER_PLATFORM,
        expected=f"collateral for {collateral_key(evidence)}",
        got="of another kind",
    )


def collateral_key(evidence: bytes) -> str:
    """The key of the collateral that encoded evidence claims to need; raises EvidenceError.

    Nothing is verified.
    """
    decoded = _evidence(evidence)
    return quote_key(decoded) if decoded.kind is EvidenceKind.DCAP else snp_collateral_key(decoded)


def verify_collateral(collateral: bytes, rules: VerificationRules, now_s: int) -> CollateralVerdict:
    """Judge encoded collateral by itself at Unix time `now_s`; raises CannotDecideError."""
    held = _collateral(collateral)
    facts: CollateralFacts
    if isinstance(held, DcapCollateral):
        facts = verify_dcap_collateral(held, rules, now_s)
    else:
        facts = verify_snp_collateral(held, rules, now_s)
    return CollateralVerdict(facts=facts, digest=collateral_digest(collateral), verified_at_s=now_s)


def read_facts(collateral: bytes) -> CollateralFacts:
    """What encoded collateral says of itself; CannotDecideError. Verifies no signature."""
    held = _collateral(collateral)
    try:
        if isinstance(held, DcapCollateral):
            return dcap.read_facts(held)
        return snp.read_facts(held)
    except DecodeError as error:
        raise CannotDecideError(DecisionFault.COLLATERAL_MALFORMED, got=str(error)) from error


def _evidence(data: bytes) -> Evidence:
    try:
        return decode_evidence(data)
    except DecodeError as error:
        raise EvidenceError(EvidenceFault.MALFORMED, got=str(error)) from error


def _collateral(data: bytes) -> Collateral:
    try:
        return decode_collateral(data)
    except DecodeError as error:
        raise CannotDecideError(DecisionFault.COLLATERAL_MALFORMED, got=str(error)) from error
