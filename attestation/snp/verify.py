"""Judging a SEV-SNP report: report, its key's certificate, our collateral, rules, a time. Pure.

Steps:
1. our collateral's root is one of the rules', and issued the signers and the revocation list
   (`authorities`);
2. the report and the certificate have their known shapes (`report`, `endorsement_key`);
3. they are of one product line, from version 3 on the processor too, and so is the collateral;
4. the time lies within the revocation list's window, or within the grace after it;
5. no certificate has ended at the real time;
6. the revocation list names neither the signer of VCEKs nor that of VLEKs, whichever is used;
7. the signer issued the certificate: of a VCEK, or of a VLEK where the report says so;
8. the certificate's key signed the report;
9. the key was made for the TCB that the report names, and for its chip, unless the host masks it;
10. a guest whose policy allows debugging is refused; the identity is read from the report.
AMD publishes no status for a TCB: policies say themselves how old it may be. Not here: whether the
identity is admitted (`policy`), whether the report data is the one expected (`handshake`).
"""

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from attestation.collateral import (
    CollateralFacts,
    SnpCollateral,
    collateral_digest,
    encode_collateral,
)
from attestation.errors import (
    CannotDecideError,
    DecisionFault,
    DecodeError,
    EvidenceError,
    EvidenceFault,
)
from attestation.evidence import Evidence
from attestation.fields import SnpFields, SnpTcb
from attestation.identity import NOT_RATED, Identity, verify_identity
from attestation.moments import moment
from attestation.rules import VerificationRules, effective_time
from attestation.snp.authorities import (
    Authorities,
    Signer,
    line_key,
    read_facts,
    verify_authorities,
)
from attestation.snp.endorsement_key import EndorsementKey, parse_endorsement_key
from attestation.snp.products import decode_tcb, line_of_processor
from attestation.snp.report import SnpReport, parse_report
from attestation.verdict import Verdict

_ECDSA = ec.ECDSA(hashes.SHA384())


def verify_snp(
    evidence: Evidence,
    collateral: SnpCollateral,
    rules: VerificationRules,
    now_s: int,
    *,
    needs_revocations: bool = True,
) -> Verdict:
    """Judge a report at Unix time `now_s` by collateral of our own store.

    Collateral without a revocation list decides nothing, unless `needs_revocations` is false: then
    revocation is not checked, which the caller must say to whoever reads the result. Raises
    EvidenceError when the evidence is at fault and CannotDecideError when the rules or the
    collateral are. The same arguments give the same verdict everywhere.
    """
    authorities = verify_authorities(collateral, rules.roots)  # 1
    report, key = _read(evidence)  # 2
    _verify_lines(report, key, authorities)  # 3
    effective_s = now_s
    if needs_revocations or collateral.crl:
        effective_s = effective_time(_facts(collateral), rules, now_s)  # 4
    signer = _signer(report, key, authorities)
    _verify_key_dates(key, now_s)  # 5
    _verify_authority_dates((authorities.root, signer), now_s)
    _verify_not_revoked(signer, authorities)  # 6
    _verify_signatures(report, key, signer)  # 7, 8
    _verify_tcb_and_chip(report, key)  # 9
    if report.allows_debug:  # 10
        raise EvidenceError(EvidenceFault.DEBUG)
    return Verdict(
        identity=_identity(report, key),
        report_data=report.report_data,
        quote_digest=report.digest,
        collateral_number=0,
        verified_at_s=now_s,
        effective_s=effective_s,
        collateral_key=line_key(authorities.line),
        collateral_digest=_digest(collateral),
    )


def snp_collateral_key(evidence: Evidence) -> str:
    """The key of the collateral that a report claims to need; EvidenceError. Verifies nothing."""
    _, key = _read(evidence)
    return line_key(key.line)


def verify_snp_collateral(
    collateral: SnpCollateral, rules: VerificationRules, now_s: int
) -> CollateralFacts:
    """Judge collateral by itself (1, 4 and 5 above); raises CannotDecideError.

    A list that revokes a signer of the same collateral is good collateral: that is how evidence
    under that signer comes to be refused.
    """
    authorities = verify_authorities(collateral, rules.roots)
    facts = _facts(collateral)
    effective_time(facts, rules, now_s)
    _verify_authority_dates((authorities.root, *authorities.signers), now_s)
    return facts


def _read(evidence: Evidence) -> tuple[SnpReport, EndorsementKey]:
    try:
        return parse_report(evidence.quote), parse_endorsement_key(evidence.certificate)
    except DecodeError as error:
        raise EvidenceError(EvidenceFault.NOT_CANONICAL, got=str(error)) from error


def _facts(collateral: SnpCollateral) -> CollateralFacts:
    if not collateral.crl:
        raise CannotDecideError(
            DecisionFault.COLLATERAL_NO_REVOCATIONS,
            expected=f"the revocation list of ARK-{collateral.product}",
        )
    try:
        return read_facts(collateral)
    except DecodeError as error:
        raise CannotDecideError(DecisionFault.COLLATERAL_MALFORMED, got=str(error)) from error


@lru_cache(maxsize=32)
def _digest(collateral: SnpCollateral) -> bytes:
    return collateral_digest(encode_collateral(collateral))


def _verify_lines(report: SnpReport, key: EndorsementKey, authorities: Authorities) -> None:
    processor = report.processor
    if processor is not None:
        line = line_of_processor(processor.family, processor.model)
        if line != key.line:
            raise EvidenceError(
                EvidenceFault.PRODUCT,
                expected=f"a processor of {key.line}",
                got=f"{line or 'none that is known'}: family {processor.family:#x}, "
                f"model {processor.model:#x}",
            )
    if key.line != authorities.line:
        raise CannotDecideError(
            DecisionFault.COLLATERAL_OTHER_PLATFORM,
            expected=f"collateral for {line_key(key.line)}",
            got=line_key(authorities.line),
        )


def _signer(report: SnpReport, key: EndorsementKey, authorities: Authorities) -> Signer:
    if report.has_vlek_signature != key.is_vlek:
        names = ("VCEK", "VLEK")
        raise EvidenceError(
            EvidenceFault.SIGNATURE,
            expected=f"the certificate of a {names[report.has_vlek_signature]}",
            got=f"that of a {names[key.is_vlek]}",
        )
    if not key.is_vlek and report.is_chip_key_masked:
        raise EvidenceError(EvidenceFault.SIGNATURE, got="none: the host masks the chip's key")
    signer = authorities.vlek_signer if key.is_vlek else authorities.vcek_signer
    if signer is None:
        raise CannotDecideError(
            DecisionFault.COLLATERAL_UNTRUSTED,
            expected=f"collateral with SEV-{'VLEK-' if key.is_vlek else ''}{authorities.line}",
            got=f"none: it has no signer of {'VLEK' if key.is_vlek else 'VCEK'}s",
        )
    return signer


def _verify_key_dates(key: EndorsementKey, now_s: int) -> None:
    if not key.valid_from_s <= now_s <= key.valid_until_s:
        raise EvidenceError(
            EvidenceFault.CERTIFICATE_DATES,
            expected=f"valid at {moment(now_s)}",
            got=f"{moment(key.valid_from_s)} to {moment(key.valid_until_s)}",
        )


def _verify_authority_dates(signers: tuple[Signer, ...], now_s: int) -> None:
    for one in signers:
        if not one.valid_from_s <= now_s <= one.valid_until_s:
            raise CannotDecideError(
                DecisionFault.COLLATERAL_EXPIRED, got="the certificate of the root or a signer"
            )


def _verify_not_revoked(signer: Signer, authorities: Authorities) -> None:
    revocations = authorities.revocations
    if revocations is not None and signer.certificate.serial_number in revocations.serials:
        raise EvidenceError(
            EvidenceFault.REVOKED, got=f"signer {signer.certificate.serial_number:#x}"
        )


def _verify_signatures(report: SnpReport, key: EndorsementKey, signer: Signer) -> None:
    if key.issuer != signer.name:
        raise EvidenceError(
            EvidenceFault.UNKNOWN_ROOT,
            expected=f"a certificate of SEV-{'VLEK-' if key.is_vlek else ''}{key.line}'s",
            got="one of another issuer",
        )
    if not signer.has_signed(key.signed, key.signature):
        raise EvidenceError(
            EvidenceFault.SIGNATURE, got="a certificate that its signer did not sign"
        )
    signature = encode_dss_signature(*report.signature)
    try:
        key.public_key.verify(signature, report.signed_region, _ECDSA)
    except InvalidSignature as error:
        raise EvidenceError(
            EvidenceFault.SIGNATURE, got="a report that its certificate's key did not sign"
        ) from error


def _verify_tcb_and_chip(report: SnpReport, key: EndorsementKey) -> None:
    reported = _tcb(report.reported_tcb, key.line)
    if reported != key.tcb:
        raise EvidenceError(
            EvidenceFault.TCB_MISMATCH, expected=f"the report's {reported}", got=f"{key.tcb}"
        )
    if not key.is_vlek and report.chip_id and report.chip_id != key.chip_id.ljust(64, b"\0"):
        raise EvidenceError(
            EvidenceFault.CHIP_MISMATCH,
            expected=f"the report's {report.chip_id[:8].hex()}…",
            got=f"{key.chip_id[:8].hex()}…",
        )


def _tcb(raw: bytes, line: str) -> SnpTcb:
    try:
        return decode_tcb(raw, line)
    except DecodeError as error:
        raise EvidenceError(EvidenceFault.NOT_CANONICAL, got=str(error)) from error


def read_identity(report: SnpReport, line: str, *, is_vlek: bool) -> Identity:
    """What a report of this product line says of its guest; EvidenceError. Verifies nothing."""
    return Identity(
        platform="snp",
        measurement=report.measurement,
        signer=report.id_key_digest,
        svn=report.guest_svn,
        tcb_status=NOT_RATED,
        platform_id=report.chip_id,
        fields=SnpFields(
            host_data=report.host_data,
            family_id=report.family_id,
            image_id=report.image_id,
            author_key_digest=report.author_key_digest,
            guest_policy=report.guest_policy,
            platform_info=report.platform_info,
            vmpl=report.vmpl,
            reported_tcb=_tcb(report.reported_tcb, line),
            launch_tcb=_tcb(report.launch_tcb, line),
            product=line,
            is_vlek=is_vlek,
        ),
    )


def _identity(report: SnpReport, key: EndorsementKey) -> Identity:
    identity = read_identity(report, key.line, is_vlek=key.is_vlek)
    try:
        verify_identity(identity)
    except DecodeError as error:
        raise CannotDecideError(DecisionFault.RESULT_UNKNOWN, got=str(error)) from error
    return identity
