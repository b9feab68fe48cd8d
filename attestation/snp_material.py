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
from attestation.platforms.tsm_snp import vcek_addresses
from attestation.snp.report import SnpReport, parse_report

_SERVICE = "AMD's key distribution service"  # where the report does not say the product line


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
        where = _where(report, certificates)
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


def _where(report: SnpReport, certificates: SnpCertificates) -> str:
    """Where certificates are to be had; authorities tell the line of a report that does not."""
    try:
        places = vcek_addresses(report)
    except DecodeError:
        places = ()
    lines = {name.rpartition("-")[2] for name in certificates.authorities}
    leaves = [one for one in places if any(f"/{line}/" in one for line in lines)] or places
    chains = [f"{one.partition('?')[0].rpartition('/')[0]}/cert_chain" for one in leaves]
    if report.has_vlek_signature:
        chain = " or ".join(chains).replace("/vcek/", "/vlek/")
        return f"VLEK: from whoever runs the host; ASVK and ARK: {chain or _SERVICE}"
    leaf, chain = " or ".join(leaves), " or ".join(chains)
    return f"VCEK: {leaf or 'from the host'}; ASK and ARK: {chain or _SERVICE}"
