"""What a file of evidence is, told from its bytes, and the evidence in it. Nothing is verified.

Kinds, in the order in which they are looked for:
1. `certificate`: PEM or DER of an RA-TLS certificate; the evidence is the one that it carries;
2. `ias`: a report of Intel's attestation service for EPID, which ended in April 2025: its JSON
   body, or a certificate that carries one. Recognised so that it can be refused for what it is;
3. `quote`: an Intel DCAP quote, SGX or TDX, as the platform gives it;
4. `report`: a SEV-SNP report of 1,184 bytes, without the certificate of its key;
5. `evidence`: our own encoding.
A file of a known kind whose content is wrong is evidence to be refused. A file of no known kind,
certificates of AMD's and others without evidence are none at all: only that is an error here.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from attestation.certificate_files import amd_words, is_plain_file
from attestation.collateral_files import read_json_object
from attestation.dcap.layout import INTEL_QE_VENDOR, KEY_TYPE_P256, TEE_SGX, TEE_TDX
from attestation.errors import DecodeError, EvidenceError, EvidenceFault
from attestation.evidence import SNP_REPORT_BYTES, Evidence, EvidenceKind, decode_evidence
from attestation.ratls.certificate import RaTlsCertificate, read_certificate
from attestation.ratls.der import ParsedCertificate, parse_certificate
from attestation.ratls.forms import OIDS
from attestation.ratls.pem import read_der
from attestation.ratls.signature import is_signed_by
from attestation.snp.report import parse_report

MAX_FILE_BYTES = 128 * 1024

IAS_TEXT = "Intel ended this service (IAS, EPID) in April 2025: see docs/attestation.md"

_IAS_OID = "2.16.840.1.113730.1.13"  # a Netscape comment: where IAS reports were put
_OPEN_ENCLAVE_OID = "1.2.840.113556.10.1.1"
_EVIDENCE_OIDS = (*OIDS, _IAS_OID, _OPEN_ENCLAVE_OID)
_IAS_KEYS = frozenset({"isvEnclaveQuoteBody", "isvEnclaveQuoteStatus"})
_TEES = {(3, TEE_SGX), (4, TEE_TDX), (5, TEE_TDX)}
_VENDOR = slice(12, 28)
_ENCODED = (b"\x08\x01\x12", b"\x08\x02\x12")  # fields 1 and 2 of AttestationEvidence
_PEM = b"-----BEGIN CERTIFICATE-----"
_DER_STARTS = (b"\x30\x81", b"\x30\x82", b"\x30\x83")  # a SEQUENCE of 128 bytes or more
_HEX = re.compile(rb"[0-9A-Fa-f\s]+")
_BASE64 = re.compile(rb"[0-9A-Za-z+/=\s]+")


class FileKind(StrEnum):
    """What a file is."""

    QUOTE = "quote"
    REPORT = "report"
    EVIDENCE = "evidence"
    CERTIFICATE = "certificate"
    IAS = "ias"


_WORDS = {
    FileKind.QUOTE: "a quote",
    FileKind.REPORT: "a report of SEV-SNP",
    FileKind.EVIDENCE: "evidence in our own encoding",
    FileKind.CERTIFICATE: "a certificate with evidence",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """The evidence in a file, or why it is refused on sight: exactly one of the two is there."""

    kind: FileKind
    evidence: Evidence | None = None  # of a `report`: without a certificate, so not to be encoded
    certificate: RaTlsCertificate | None = None  # of a `certificate`
    fault: EvidenceError | None = None


def read_evidence_file(data: bytes) -> EvidenceFile:
    """Recognise and read 1 to 131,072 bytes; raises DecodeError for what is no evidence."""
    if not 0 < len(data) <= MAX_FILE_BYTES:
        raise DecodeError(f"evidence: {len(data)} bytes, expected 1 to {MAX_FILE_BYTES}")
    text = data.strip()
    if text.startswith(_PEM) or data.startswith(_DER_STARTS):
        return _certificate(data)
    if text.startswith(b"{"):
        return _json(text)
    if is_quote(data):
        return EvidenceFile(kind=FileKind.QUOTE, evidence=Evidence(EvidenceKind.DCAP, data))
    if len(data) == SNP_REPORT_BYTES:
        return EvidenceFile(kind=FileKind.REPORT, evidence=Evidence(EvidenceKind.SNP, data))
    if data.startswith(_ENCODED):
        return _encoded(data)
    raise DecodeError(f"evidence: {_unknown(data)}")


def is_quote(data: bytes) -> bool:
    """Whether this begins as a DCAP quote does, right or wrong."""
    version, key_type = (int.from_bytes(data[at : at + 2], "little") for at in (0, 2))
    tee = int.from_bytes(data[4:8], "little")
    is_known = key_type == KEY_TYPE_P256 and (version, tee) in _TEES
    return is_known or data[_VENDOR] == INTEL_QE_VENDOR


def evidence_words(data: bytes) -> str:
    """What a file is, if it is evidence: ``a quote``, ``a report``; else empty."""
    try:
        file = read_evidence_file(data)
        if file.kind is FileKind.REPORT:
            parse_report(data)  # its size alone does not tell it from any other file
    except DecodeError:
        return ""
    return "" if file.evidence is None else _WORDS[file.kind]


def _certificate(data: bytes) -> EvidenceFile:
    if amd := amd_words(data):
        raise DecodeError(f"evidence: this is AMD's {amd}: give it with --chain beside the report")
    if is_plain_file(data, _EVIDENCE_OIDS):
        raise DecodeError("evidence: a certificate without evidence")
    try:
        parsed = parse_certificate(read_der(data))
    except DecodeError as error:
        return _refused(FileKind.CERTIFICATE, EvidenceFault.MALFORMED, str(error))
    if not OIDS.keys() & parsed.extensions.keys():
        return _foreign(parsed)
    try:
        certificate = read_certificate(data)
    except DecodeError as error:
        return _refused(FileKind.CERTIFICATE, EvidenceFault.MALFORMED, str(error))
    return EvidenceFile(
        kind=FileKind.CERTIFICATE, evidence=certificate.evidence, certificate=certificate
    )


def _foreign(parsed: ParsedCertificate) -> EvidenceFile:
    """A certificate in none of our forms: of an old kind, a bad one, or without evidence."""
    if _IAS_OID in parsed.extensions:
        return _refused(FileKind.IAS, EvidenceFault.RETIRED, IAS_TEXT)
    is_signed = is_signed_by(parsed.spki, parsed.algorithm, parsed.signature, parsed.signed)
    if _OPEN_ENCLAVE_OID in parsed.extensions and not is_signed:
        return _refused(
            FileKind.CERTIFICATE, EvidenceFault.SIGNATURE, "a certificate that its key did not sign"
        )
    if _OPEN_ENCLAVE_OID in parsed.extensions:
        raise DecodeError(
            "evidence: another kind of RA-TLS (Open Enclave), not read by this version"
        )
    raise DecodeError("evidence: a certificate without evidence")


def _json(text: bytes) -> EvidenceFile:
    try:
        document = read_json_object(text.decode())
    except (DecodeError, UnicodeDecodeError) as error:
        raise DecodeError("evidence: text that begins as JSON and is none") from error
    if document.keys() & _IAS_KEYS:
        return _refused(FileKind.IAS, EvidenceFault.RETIRED, IAS_TEXT)
    raise DecodeError("evidence: JSON that is none; collateral is an option of its own")


def _encoded(data: bytes) -> EvidenceFile:
    try:
        return EvidenceFile(kind=FileKind.EVIDENCE, evidence=decode_evidence(data))
    except DecodeError as error:
        return _refused(FileKind.EVIDENCE, EvidenceFault.MALFORMED, str(error))


def _refused(kind: FileKind, code: EvidenceFault, got: str) -> EvidenceFile:
    return EvidenceFile(kind=kind, fault=EvidenceError(code, got=got))


def _unknown(data: bytes) -> str:
    text = data.strip()
    if not text:
        return "white space alone"
    if _HEX.fullmatch(text):
        return "hexadecimal text: decode it first (xxd -r -p)"
    if _BASE64.fullmatch(text):
        return "text, perhaps base64: decode it first (base64 -d)"
    return (
        f"{len(data)} bytes that are no DCAP quote, no SEV-SNP report ({SNP_REPORT_BYTES} bytes), "
        "no certificate and not our own encoding"
    )
