"""What it takes to judge a SEV-SNP report, out of the files that a person has. Verifies nothing.

Rules:
1. the certificate of the key is the one in our own encoding, else the leaf of the chain;
2. authorities come from collateral that stands alone (ours, or AMD's files with a root); else from
   the chain, together with what collateral files there are, such as a revocation list;
3. what is missing is named, and said where to get: a VCEK needs the ASK, a VLEK the ASVK.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from attestation.certificate_files import SnpCertificates, read_snp_certificates
from attestation.collateral import Collateral
from attestation.collateral_files import read_collateral_files
from attestation.errors import DecodeError, EvidenceError, EvidenceFault
from attestation.evidence import Evidence
from attestation.fields import PRODUCTS
from attestation.snp.products import decode_tcb, line_of_processor
from attestation.snp.report import SnpReport, parse_report

_SERVICE = "AMD's key distribution service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Evidence and collateral, or the names of what they lack and where that is to be had."""

    evidence: Evidence
    collateral: Collateral | None = None
    missing: tuple[str, ...] = ()
    where: str = ""


def gather_snp(evidence: Evidence, chain: Sequence[bytes], collateral: Sequence[bytes]) -> Material:
    """Put a report together with the files beside it.

    Raises DecodeError for files that cannot be used, EvidenceError for a report of a bad shape.
    """
    try:
        report = parse_report(evidence.quote)
    except DecodeError as error:
        raise EvidenceError(EvidenceFault.NOT_CANONICAL, got=str(error)) from error
    certificates = read_snp_certificates(chain)
    if not evidence.certificate:
        evidence = replace(evidence, certificate=certificates.leaf)
    held = _alone(collateral, certificates)
    missing = _missing(report, evidence, certificates, has_collateral=held is not None)
    if missing:
        where = _where(report, _line(report, certificates))
        return Material(evidence=evidence, missing=missing, where=where)
    if held is None:
        held = read_collateral_files((*collateral, *certificates.authorities.values()))
    return Material(evidence=evidence, collateral=held)


def _alone(files: Sequence[bytes], certificates: SnpCertificates) -> Collateral | None:
    """The collateral in files that need nothing beside them."""
    if not files:
        return None
    try:
        return read_collateral_files(files)
    except DecodeError:
        if not certificates.authorities:
            raise
    return None


def _missing(
    report: SnpReport,
    evidence: Evidence,
    certificates: SnpCertificates,
    *,
    has_collateral: bool,
) -> tuple[str, ...]:
    is_vlek = report.has_vlek_signature
    names = [] if evidence.certificate else ["VLEK" if is_vlek else "VCEK"]
    if not has_collateral:
        signers = [f"SEV-VLEK-{one}" if is_vlek else f"SEV-{one}" for one in PRODUCTS]
        if not certificates.authorities.keys() & set(signers):
            names.append("ASVK" if is_vlek else "ASK")
        if not certificates.authorities.keys() & {f"ARK-{one}" for one in PRODUCTS}:
            names.append("ARK")
    return tuple(names)


def _line(report: SnpReport, certificates: SnpCertificates) -> str | None:
    """The product line, by the report's processor or the authorities' names."""
    processor = report.processor
    if processor is not None:
        return line_of_processor(processor.family, processor.model)
    names = {name.rpartition("-")[2] for name in certificates.authorities}
    return names.pop() if len(names) == 1 else None


def _where(report: SnpReport, line: str | None) -> str:
    product = line or "PRODUCT"  # a report of version 2 does not say: Milan or Genoa
    if report.has_vlek_signature:
        return (
            f"the VLEK comes with the report from the cloud's host (auxblob of configfs-tsm); ASVK "
            f"and ARK from {_SERVICE}, /vlek/v1/{product}/cert_chain"
        )
    return (
        f"{_SERVICE}: /vcek/v1/{product}/{_leaf_path(report, line)} for the VCEK, "
        f"/vcek/v1/{product}/cert_chain for ASK and ARK; a host may hand out all three (auxblob of "
        "configfs-tsm)"
    )


def _leaf_path(report: SnpReport, line: str | None) -> str:
    """Chip and TCB as AMD's service wants them (AMD 57230, chapter 4)."""
    chip = report.chip_id[:8] if line == "Turin" else report.chip_id
    try:
        tcb = decode_tcb(report.reported_tcb, line or "Milan")  # Genoa has Milan's layout
    except DecodeError:
        return "CHIP_ID?blSPL=…"
    fmc = f"fmcSPL={tcb.fmc}&" if line == "Turin" else ""
    levels = f"blSPL={tcb.boot_loader}&teeSPL={tcb.tee}&snpSPL={tcb.snp}&ucodeSPL={tcb.microcode}"
    return f"{chip.hex() or 'CHIP_ID'}?{fmc}{levels}"
