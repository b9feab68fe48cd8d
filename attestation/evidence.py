"""Evidence as a prover sends it: a kind, and the quote or report. Collateral is never part of it.

Rules: one encoding per evidence; sizes are bounded here, the rest is for `attestation.verify`. An
SNP report travels with the certificate of the key that signed it, which is judged like the report.
"""

from dataclasses import dataclass
from enum import IntEnum

from attestation.errors import DecodeError
from attestation.wire import decode_message, encode_message
from sealedger.v1 import attestation_pb2 as pb

MAX_QUOTE_BYTES = 64 * 1024
MAX_CERTIFICATE_BYTES = 8 * 1024
MAX_EVIDENCE_BYTES = MAX_QUOTE_BYTES + MAX_CERTIFICATE_BYTES + 64
SNP_REPORT_BYTES = 1184


class EvidenceKind(IntEnum):
    """What `Evidence.quote` holds. Numbers 3 to 9 are kept for kinds to come."""

    DCAP = 1  # an Intel DCAP ECDSA quote: SGX or TDX
    SNP = 2  # an AMD SEV-SNP attestation report


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence; `quote` is 1 to 65,536 bytes, 1,184 for SNP.

    `certificate` is the VCEK or VLEK of an SNP report, DER of at most 8 KiB; empty for DCAP.
    """

    kind: EvidenceKind
    quote: bytes
    certificate: bytes = b""


def encode_evidence(evidence: Evidence) -> bytes:
    """The canonical bytes; raises DecodeError for a part of a wrong size."""
    _verify_sizes(evidence)
    message = pb.AttestationEvidence(
        kind=_KIND_CODES[evidence.kind], quote=evidence.quote, certificate=evidence.certificate
    )
    return encode_message(message, MAX_EVIDENCE_BYTES)


def decode_evidence(data: bytes) -> Evidence:
    """The evidence of canonical bytes; raises DecodeError for anything else."""
    message = decode_message(pb.AttestationEvidence, data, MAX_EVIDENCE_BYTES)
    if message.kind not in _KINDS:
        raise DecodeError(f"evidence: unknown kind {int(message.kind)}")
    evidence = Evidence(_KINDS[message.kind], message.quote, message.certificate)
    _verify_sizes(evidence)
    return evidence


def _verify_sizes(evidence: Evidence) -> None:
    size, certificate = len(evidence.quote), len(evidence.certificate)
    if evidence.kind is EvidenceKind.DCAP:
        if not 0 < size <= MAX_QUOTE_BYTES:
            raise DecodeError(f"evidence: quote of {size} bytes, expected 1 to {MAX_QUOTE_BYTES}")
        if certificate:
            raise DecodeError("evidence: a DCAP quote carries its own certificates")
    elif size != SNP_REPORT_BYTES:
        raise DecodeError(f"evidence: report of {size} bytes, expected {SNP_REPORT_BYTES}")
    elif not 0 < certificate <= MAX_CERTIFICATE_BYTES:
        raise DecodeError(
            f"evidence: certificate of {certificate} bytes, expected 1 to {MAX_CERTIFICATE_BYTES}"
        )


_KIND_CODES = {
    EvidenceKind.DCAP: pb.EVIDENCE_KIND_DCAP,
    EvidenceKind.SNP: pb.EVIDENCE_KIND_SNP,
}
_KINDS = {code: kind for kind, code in _KIND_CODES.items()}
