"""Evidence as a prover sends it: a kind and the quote. Collateral is never part of it.

Rules: one encoding per evidence; the quote is bounded here and judged in `attestation.dcap`.
"""

from dataclasses import dataclass
from enum import IntEnum

from attestation.errors import DecodeError
from attestation.wire import decode_message, encode_message
from sealedger.v1 import attestation_pb2 as pb

MAX_QUOTE_BYTES = 64 * 1024
MAX_EVIDENCE_BYTES = MAX_QUOTE_BYTES + 64


class EvidenceKind(IntEnum):
    """What `Evidence.quote` holds. Numbers 2 to 9 are kept for kinds to come."""

    DCAP = 1


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence; `quote` is 1 to 65,536 bytes."""

    kind: EvidenceKind
    quote: bytes


def encode_evidence(evidence: Evidence) -> bytes:
    """The canonical bytes; raises DecodeError for an empty or oversized quote."""
    _verify_size(evidence.quote)
    message = pb.AttestationEvidence(kind=_KIND_CODES[evidence.kind], quote=evidence.quote)
    return encode_message(message, MAX_EVIDENCE_BYTES)


def decode_evidence(data: bytes) -> Evidence:
    """The evidence of canonical bytes; raises DecodeError for anything else."""
    message = decode_message(pb.AttestationEvidence, data, MAX_EVIDENCE_BYTES)
    if message.kind not in _KINDS:
        raise DecodeError(f"evidence: unknown kind {int(message.kind)}")
    _verify_size(message.quote)
    return Evidence(_KINDS[message.kind], message.quote)


def _verify_size(quote: bytes) -> None:
    if not 0 < len(quote) <= MAX_QUOTE_BYTES:
        raise DecodeError(f"evidence: quote of {len(quote)} bytes, expected 1 to {MAX_QUOTE_BYTES}")


_KIND_CODES = {EvidenceKind.DCAP: pb.EVIDENCE_KIND_DCAP}
_KINDS = {code: kind for kind, code in _KIND_CODES.items()}
