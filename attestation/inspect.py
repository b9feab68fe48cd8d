"""What evidence claims, before anything about it is verified: for people, never for deciding. Pure.

Rules: the identity is what the report says. It is a lie until `attestation.verify` has judged it,
so its TCB status is UNKNOWN, which no verified identity has and no policy admits; an SNP guest, for
which there is no status, stays NOT_RATED, and the caller says that nothing was verified.
"""

from dataclasses import replace

from attestation.dcap.layout import parse_quote
from attestation.dcap.pck import read_platform
from attestation.dcap.verify import read_code
from attestation.errors import (
    DecodeError,
    EvidenceError,
    EvidenceFault,
    ShapeError,
    ShapeFault,
)
from attestation.evidence import Evidence, EvidenceKind
from attestation.identity import UNKNOWN, Identity
from attestation.snp.endorsement_key import parse_endorsement_key
from attestation.snp.products import line_of_processor
from attestation.snp.report import SnpReport, parse_report
from attestation.snp.verify import read_identity


def identity_of_unverified(evidence: Evidence) -> Identity:
    """Who evidence claims to speak of; EvidenceError where it has not the shape of its kind.

    A SEV-SNP report may come without a certificate if it names its processor (from version 3 on).
    Nothing is verified.
    """
    try:
        return _of_quote(evidence) if evidence.kind is EvidenceKind.DCAP else _of_report(evidence)
    except DecodeError as error:
        raise EvidenceError(EvidenceFault.NOT_CANONICAL, got=str(error)) from error


def shape_fault(evidence: Evidence) -> ShapeFault | None:
    """What is wrong with evidence that was refused for its shape (NOT_CANONICAL).

    None where nothing better can be said than which shapes are accepted.
    """
    try:
        if evidence.kind is EvidenceKind.DCAP:
            parse_quote(evidence.quote)
            return ShapeFault.CHAIN  # what it was refused for stands in its certificates
        parse_report(evidence.quote)
    except ShapeError as error:
        return error.fault
    except DecodeError:
        return None
    try:
        parse_endorsement_key(evidence.certificate)
    except DecodeError:
        return ShapeFault.CERTIFICATE
    return None


def _of_quote(evidence: Evidence) -> Identity:
    quote = parse_quote(evidence.quote)
    platform = read_platform(quote)
    measurement, signer, product_id, svn, fields = read_code(quote.report)
    return Identity(
        platform=quote.platform,
        measurement=measurement,
        signer=signer,
        product_id=product_id,
        svn=svn,
        debug=quote.report.debug,
        tcb_status=UNKNOWN,
        platform_id=platform.ppid,
        fmspc=platform.fmspc,
        fields=fields,
    )


def _of_report(evidence: Evidence) -> Identity:
    report = parse_report(evidence.quote)
    line, is_vlek = _line(report), report.has_vlek_signature
    if evidence.certificate:
        key = parse_endorsement_key(evidence.certificate)
        line, is_vlek = key.line, key.is_vlek
    if line is None:
        raise DecodeError("report: names no known processor, and no certificate came with it")
    return replace(read_identity(report, line, is_vlek=is_vlek), debug=report.allows_debug)


def _line(report: SnpReport) -> str | None:
    processor = report.processor
    return None if processor is None else line_of_processor(processor.family, processor.model)
