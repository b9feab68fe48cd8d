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
from attestation.platforms.tsm_snp import OLD_LINES, SERVICE, vcek_addresses
from attestation.snp.endorsement_key import parse_endorsement_key
from attestation.snp.products import line_of_processor
from attestation.snp.report import SnpReport, parse_report

_SERVICE = "AMD's key distribution service"  # where nothing says the product line
_LEAVES = ("VCEK", "VLEK")
_LINE = "LINE"  # in an address, where there are several


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Evidence and collateral, or the names of what they lack and where that is to be had."""

    evidence: Evidence
    collateral: Collateral | None = None
    is_by_chain: bool = False  # the collateral is the chain's authorities, and nothing else
    missing: tuple[str, ...] = ()
    where: str = ""  # what is missing is to be had
    key_place: str = ""  # the address of this chip's VCEK, where there is exactly one


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
    places = _Places(report, _lines(report, evidence.certificate, certificates))
    if missing:
        return Material(evidence=evidence, missing=missing, where=places.words(missing))
    is_by_chain = held is None and not collateral
    if held is None:
        held = _joined(collateral, certificates)
    return Material(
        evidence=evidence,
        collateral=held,
        is_by_chain=is_by_chain,
        key_place="" if report.has_vlek_signature or not report.processor else places.leaf,
    )


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


def _joined(files: Sequence[bytes], certificates: SnpCertificates) -> Collateral:
    """The authorities of the chain, together with the files of collateral that there are."""
    try:
        return read_collateral_files((*files, *certificates.authorities.values()))
    except DecodeError as error:
        if files:
            raise
        raise DecodeError(f"chain: {str(error).partition(': ')[2]}") from error


def _lines(report: SnpReport, leaf: bytes, certificates: SnpCertificates) -> tuple[str, ...]:
    """The product lines that a report may be of: version 2 says none, what is beside it may."""
    processor = report.processor
    if processor is not None:
        line = line_of_processor(processor.family, processor.model)
        return () if line is None else (line,)
    try:
        return (parse_endorsement_key(leaf).line,)
    except DecodeError:
        held = {name.rpartition("-")[2] for name in certificates.authorities}
    return tuple(line for line in OLD_LINES if line in held) or OLD_LINES


@dataclass(frozen=True, slots=True)
class _Places:
    """Where a report's certificates are to be had, in one line whatever its product line."""

    report: SnpReport
    lines: tuple[str, ...]

    @property
    def leaf(self) -> str:
        """The address of the VCEK; empty where the report does not lead to it."""
        try:
            found = vcek_addresses(self.report)
        except DecodeError:
            return ""
        for line in self.lines:
            for one in found:
                if f"/{line}/" in one:
                    return one.replace(f"/{line}/", f"/{self._line}/")
        return ""

    def words(self, missing: Sequence[str]) -> str:
        """The option, and where each that is missing is to be had."""
        kind = "vlek" if self.report.has_vlek_signature else "vcek"
        parts = [f"{one} from {self._of_leaf(one)}" for one in missing if one in _LEAVES]
        signers = " and ".join(one for one in missing if one not in _LEAVES)
        if signers:
            place = f"{SERVICE}/{kind}/v1/{self._line}/cert_chain" if self.lines else _SERVICE
            parts.append(f"{signers} from {place}")
        words = f"--chain FILE: {'; '.join(parts)}"
        if len(self.lines) < 2:
            return words
        lines = " or ".join(self.lines)
        return f"{words} ({_LINE} is {lines}, which a report of version 2 does not say)"

    @property
    def _line(self) -> str:
        return self.lines[0] if len(self.lines) == 1 else _LINE

    def _of_leaf(self, name: str) -> str:
        if name == "VLEK":
            return "whoever runs the host"
        return self.leaf or "the host"
