"""From what a SEV-SNP guest's kernel gives to evidence: the report, and who signed it.

1. The report has the shape of one, and binds the report data that was asked for.
2. Its certificate is the host's, else the one that was given; VCEK or VLEK as the report says.
3. That key signed this report: a chip gets another key with each firmware update, and an old
   certificate would only be noticed by those who refuse the evidence.
Where there is no good certificate, the error says where this chip's is to be had.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from attestation.errors import DecodeError, PlatformError
from attestation.evidence import Evidence, EvidenceKind
from attestation.platforms.bound import verify_same
from attestation.platforms.tsm_certificates import VCEK_GUID, VLEK_GUID, certificate_in_table
from attestation.snp.endorsement_key import CHIP_ID_SIZES, parse_endorsement_key
from attestation.snp.products import decode_tcb, line_of_processor
from attestation.snp.report import SnpReport, parse_report

SERVICE = "https://kdsintf.amd.com"  # AMD's key distribution service
OLD_LINES = ("Milan", "Genoa")  # a report of version 2 does not say its processor


def snp_evidence(blob: bytes, table: bytes, given: bytes, report_data: bytes) -> Evidence:
    """Evidence of a report (1 to 3 above); raises PlatformError.

    `table` is the host's certificate table, `given` the DER to use if that has none, or empty.
    """
    try:
        report = parse_report(blob)
        verify_same(report.report_data, report_data)
        guid = VLEK_GUID if report.has_vlek_signature else VCEK_GUID
        certificate = certificate_in_table(table, guid) or given
    except DecodeError as error:
        raise PlatformError(f"the host gave something that cannot be used: {error}") from error
    if not certificate:
        raise PlatformError(f"the host hands out no {_key_name(report)} certificate{_mend(report)}")
    if not _is_signed_by(report, certificate):
        raise PlatformError(
            f"this chip's reports are not signed by the {_key_name(report)} of the certificate: "
            f"another chip's, or from before a firmware update{_mend(report)}"
        )
    return Evidence(EvidenceKind.SNP, blob, certificate)


def vcek_addresses(report: SnpReport) -> tuple[str, ...]:
    """Where AMD hands out the VCEK of a report's chip and TCB (AMD 57230); none if masked."""
    if not report.chip_id:
        return ()
    processor = report.processor
    if processor is None:
        return tuple(_address(report, line) for line in OLD_LINES)
    line = line_of_processor(processor.family, processor.model)
    return () if line is None else (_address(report, line),)


def _address(report: SnpReport, line: str) -> str:
    tcb = decode_tcb(report.reported_tcb, line)
    numbers = [
        ("blSPL", tcb.boot_loader),
        ("teeSPL", tcb.tee),
        ("snpSPL", tcb.snp),
        ("ucodeSPL", tcb.microcode),
    ]
    if line == "Turin":
        numbers.insert(0, ("fmcSPL", tcb.fmc))
    query = "&".join(f"{name}={number:02}" for name, number in numbers)
    chip = report.chip_id[: CHIP_ID_SIZES[line]].hex()
    return f"{SERVICE}/vcek/v1/{line}/{chip}?{query}"


def _key_name(report: SnpReport) -> str:
    return "VLEK" if report.has_vlek_signature else "VCEK"


def _mend(report: SnpReport) -> str:
    put = 'name the file in node.toml: [platform] certificate = "/path" (docs/deploy/sev-snp.md)'
    if report.has_vlek_signature:
        return f": get the VLEK's from whoever runs the host, and {put}"
    try:
        places = " or ".join(vcek_addresses(report))
    except DecodeError:
        places = ""
    return f": fetch it from {places or 'the host, which hides the chip id'}, and {put}"


def _is_signed_by(report: SnpReport, certificate: bytes) -> bool:
    try:
        key = parse_endorsement_key(certificate).public_key
        signature = encode_dss_signature(*report.signature)
        key.verify(signature, report.signed_region, ec.ECDSA(hashes.SHA384()))
    except (DecodeError, InvalidSignature):
        return False
    return True
