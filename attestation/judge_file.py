"""A person's question: is this file of evidence good? Judged as a ledger would, and told in full.

Steps:
1. the file is recognised (`evidence_files`); some are refused on sight;
2. what it needs is gathered: collateral, for SEV-SNP the certificates above the report;
3. the roots are the vendors', pinned, unless the question names another;
4. the verifier judges evidence by collateral at the given time (`attestation.verify`);
5. of a certificate its own signature, its binding to the evidence and its validity are judged;
6. the policy, where there is one, is asked about the verified identity.
What differs from a ledger: the person brings the collateral, so whether a newer one exists is the
person's to know; SEV-SNP may be judged without a revocation list, and the answer says so; there is
no grace. Pure but for the verifier that it is given: the process behind walls, `worker`.
"""

import hashlib
from dataclasses import replace
from typing import Protocol

from attestation.collateral import (
    Collateral,
    DcapCollateral,
    SnpCollateral,
    collateral_digest,
    encode_collateral,
)
from attestation.collateral_files import read_collateral_files
from attestation.dcap.certificates import load_certificate, spki_digest
from attestation.dcap.layout import parse_quote
from attestation.dcap.pem import decode_chain
from attestation.errors import (
    CannotDecideError,
    DecisionFault,
    DecodeError,
    EvidenceError,
    EvidenceFault,
)
from attestation.evidence import Evidence, EvidenceKind, encode_evidence
from attestation.evidence_files import read_evidence_file
from attestation.explain import explain, missing_words
from attestation.identity import Identity
from attestation.inspect import identity_of_unverified, shape_fault
from attestation.judgement import Decision, Judgement, Question, Reason, Window
from attestation.judging import Subject, is_admitted
from attestation.mends import SHAPE_MENDS, chain_mend_words, mend_needs_key, mend_words
from attestation.policy import Policy
from attestation.ratls.certificate import RaTlsCertificate, verify_binding, verify_validity
from attestation.rules import VerificationRules
from attestation.snp_material import Material, gather_snp
from attestation.vendors import INTEL_ROOT, INTEL_TCB_SIGNER, vendor_rules
from attestation.verdict import Verdict
from attestation.verify import read_facts

POLICY_CHECK = "policy"

_OTHER_KEY = (EvidenceFault.PRODUCT, EvidenceFault.TCB_MISMATCH, EvidenceFault.CHIP_MISMATCH)
_Refusal = EvidenceError | CannotDecideError
_POLICY_MEND = "docs/policies.md says what each field asks"  # the findings say what is not met


class Verifier(Protocol):
    """`attestation.verify` behind a wall; see attestation.worker."""

    async def verify(
        self, evidence: bytes, collateral: bytes, rules: VerificationRules, now_s: int
    ) -> Verdict:
        """The verdict on evidence; EvidenceError or CannotDecideError."""
        ...

    async def collateral_key(self, evidence: bytes) -> str:
        """The key of the collateral that evidence needs; EvidenceError or CannotDecideError."""
        ...


async def judge_file(question: Question, verifier: Verifier) -> Judgement:
    """Judge a file; raises DecodeError where it, or one beside it, cannot be used at all."""
    file = read_evidence_file(question.file)  # 1
    if file.evidence is None:
        reasons = () if file.fault is None else (_reason(file.fault),)
        return Judgement(kind=file.kind, decision=Decision.REFUSED, reasons=reasons)
    start = Judgement(
        kind=file.kind,
        decision=Decision.REFUSED,
        form=file.certificate.form if file.certificate else "",
        claimed=_claimed(file.evidence),
    )
    try:
        material = _gather(file.evidence, question)  # 2
    except EvidenceError as error:
        return replace(start, reasons=(_refusal(error, Material(evidence=file.evidence)),))
    judgement = await _judge(start, material, question, verifier)  # 3, 4
    if file.certificate is not None:
        judgement = _with_certificate(judgement, file.certificate, question.now_s)  # 5
    if question.policy is None or judgement.verdict is None:
        return judgement
    return _with_policy(judgement, question.policy, question.now_s)  # 6


def _gather(evidence: Evidence, question: Question) -> Material:
    if evidence.kind is EvidenceKind.SNP:
        return gather_snp(evidence, question.chain, question.collateral)
    if question.chain:
        raise DecodeError("chain: a DCAP quote carries its own certificates; give collateral")
    held = read_collateral_files(question.collateral) if question.collateral else None
    return Material(evidence=evidence, collateral=held)


async def _judge(
    start: Judgement, material: Material, question: Question, verifier: Verifier
) -> Judgement:
    collateral = material.collateral
    judgement = replace(
        start,
        claimed=start.claimed or _claimed(material.evidence),
        collateral=None if collateral is None else _window(collateral),
        is_by_chain=material.is_by_chain,
    )
    try:
        verdict = await _verdict(material, question, verifier)
    except EvidenceError as error:
        return replace(judgement, reasons=(_refusal(error, material),))
    except CannotDecideError as error:
        key = await _key(material, verifier) if mend_needs_key(error.code) else ""
        if isinstance(collateral, SnpCollateral) and material.is_by_chain:
            return _undecided(judgement, _of_chain(error, collateral, key))
        return _undecided(judgement, _reason(error, material.where, key))
    is_listed = not isinstance(collateral, SnpCollateral) or bool(collateral.crl)
    return replace(
        judgement,
        decision=Decision.ACCEPTED,
        verdict=verdict,
        claimed=None,
        checks_revocation=is_listed,
    )


def _undecided(judgement: Judgement, reason: Reason) -> Judgement:
    """Nothing could be decided; but a debug enclave would be refused whatever was found."""
    if judgement.claimed is None or not judgement.claimed.debug:
        return replace(judgement, decision=Decision.UNDECIDED, reasons=(reason,))
    return replace(judgement, reasons=(_reason(EvidenceError(EvidenceFault.DEBUG)), reason))


async def _verdict(material: Material, question: Question, verifier: Verifier) -> Verdict:
    if material.missing:
        raise CannotDecideError(
            DecisionFault.CERTIFICATE_MISSING, expected=" and ".join(material.missing), got="none"
        )
    evidence, collateral = encode_evidence(material.evidence), material.collateral
    if collateral is None:
        key = await verifier.collateral_key(evidence)
        raise CannotDecideError(
            DecisionFault.COLLATERAL_MISSING, expected=f"collateral for {key}", got="none"
        )
    rules = _rules(collateral, question.root)
    return await verifier.verify(evidence, encode_collateral(collateral), rules, question.now_s)


async def _key(material: Material, verifier: Verifier) -> str:
    """The key of the collateral that the evidence needs; empty if it does not say."""
    try:
        return await verifier.collateral_key(encode_evidence(material.evidence))
    except (EvidenceError, CannotDecideError):
        return ""


def _rules(collateral: Collateral, root: bytes | None) -> VerificationRules:
    if root is None:
        rules = vendor_rules(collateral)
    else:
        rules = VerificationRules(roots=(root,), tcb_signer_pins=_pins(collateral, root))
    if isinstance(collateral, SnpCollateral) and not collateral.crl:
        return replace(rules, revocations_optional=True)
    return rules


def _pins(collateral: Collateral, root: bytes) -> tuple[bytes, ...]:
    """Intel's, pinned, under Intel's root; under another one that of the collateral itself."""
    if not isinstance(collateral, DcapCollateral):
        return ()
    if hashlib.sha256(root).digest() == INTEL_ROOT:
        return (INTEL_TCB_SIGNER,)
    try:
        signer = decode_chain(collateral.tcb_info_issuer_chain.encode(), 2)[0]
        return (spki_digest(load_certificate(signer)),)
    except DecodeError as error:
        raise CannotDecideError(DecisionFault.COLLATERAL_UNTRUSTED, got=str(error)) from error


def _window(collateral: Collateral) -> Window | None:
    data = encode_collateral(collateral)
    digest = collateral_digest(data)
    try:
        facts = read_facts(data)
    except CannotDecideError:  # no list, no dates; or it cannot be read, which the verdict says
        if isinstance(collateral, SnpCollateral):
            return Window(key=f"snp/{collateral.product}", digest=digest)
        return None
    return Window(
        key=facts.key,
        digest=digest,
        number=facts.lowest_number,
        valid_from_s=facts.valid_from_s,
        valid_until_s=facts.valid_until_s,
    )


def _with_certificate(judgement: Judgement, certificate: RaTlsCertificate, now_s: int) -> Judgement:
    """Whatever became of the evidence, a certificate that is not its own is refused."""
    faults = []
    for check in (_verify_binding, verify_validity):
        try:
            check(certificate, now_s)
        except EvidenceError as error:
            faults.append(_reason(error))
    if not faults:
        return judgement
    verdict = judgement.verdict
    return replace(
        judgement,
        decision=Decision.REFUSED,
        reasons=(*faults, *judgement.reasons),
        verdict=None,
        claimed=verdict.identity if verdict else judgement.claimed,
        checks_revocation=False,
    )


def _verify_binding(certificate: RaTlsCertificate, _now_s: int) -> None:
    try:
        report_data = parse_quote(certificate.evidence.quote).report.report_data
    except DecodeError:  # the verifier refuses it
        return
    verify_binding(certificate, report_data)


def _with_policy(judgement: Judgement, policy: Policy, now_s: int) -> Judgement:
    verdict = judgement.verdict
    if verdict is None:
        return judgement
    identity = verdict.identity
    findings = explain(policy, Subject(identity), development=False, now_s=now_s)
    judgement = replace(judgement, findings=findings)
    if is_admitted(policy, identity, development=False, now_s=now_s):
        return replace(judgement, is_admitted=True)
    got = missing_words(findings)
    reason = Reason(check=POLICY_CHECK, expected="admitted", got=got, mend=_POLICY_MEND)
    return replace(judgement, decision=Decision.REFUSED, reasons=(*judgement.reasons, reason))


def _claimed(evidence: Evidence) -> Identity | None:
    try:
        return identity_of_unverified(evidence)
    except EvidenceError:
        return None


def _refusal(error: EvidenceError, material: Material) -> Reason:
    """The reason; a bad shape is mended by what is wrong with it, a VCEK has an address."""
    if error.code in _OTHER_KEY and material.key_place:
        return _reason(error, f"{mend_words(error.code)}: {material.key_place}")
    is_shape = error.code == EvidenceFault.NOT_CANONICAL
    fault = shape_fault(material.evidence) if is_shape else None
    return _reason(error, "" if fault is None else SHAPE_MENDS[fault].mend)


def _of_chain(error: CannotDecideError, held: SnpCollateral, key: str) -> Reason:
    """The reason in words of the certificates that were given: nobody gave collateral."""
    line = key.rpartition("/")[2]
    reason = _reason(error, chain_mend_words(error.code, line), key)
    if error.code != DecisionFault.COLLATERAL_OTHER_PLATFORM:
        return reason
    return replace(
        reason, expected=f"ASK or ASVK and ARK of {line}", got=f"those of {held.product}"
    )


def _reason(error: _Refusal, where: str = "", key: str = "") -> Reason:
    return Reason(
        check=str(error.code),
        expected=error.expected,
        got=error.got,
        mend=where or mend_words(error.code, key),
    )
