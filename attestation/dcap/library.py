"""The adapter to dcap-qvl: the one place that calls it. Bytes in, a small result out.

Rules: it is called only after the shape check, with a self-issued root and signed, pinned, dated
collateral; it may still hold the interpreter's lock or abort the process, so the node calls it in a
worker process (`attestation.worker`). Its errors are text: the known ones become codes, the rest
REFUSED with the text.
"""

from dataclasses import dataclass

import dcap_qvl

from attestation.collateral import Collateral
from attestation.errors import (
    AttestationError,
    CannotDecideError,
    DecisionFault,
    EvidenceError,
    EvidenceFault,
)

# What the library says (0.7.0) and what it means; the first that occurs in its message counts.
_EVIDENCE_FAULTS = (
    ("CertRevoked", EvidenceFault.REVOKED),
    ("TCB status is invalid: Revoked", EvidenceFault.REVOKED),
    ("Debug mode is enabled", EvidenceFault.DEBUG),
    ("No matching TCB level found", EvidenceFault.NO_TCB_LEVEL),
    ("SEPT_VE_DISABLE", EvidenceFault.TD_ATTRIBUTES),
    ("Invalid MR service TD", EvidenceFault.TD_ATTRIBUTES),
    ("TD profiling is enabled", EvidenceFault.TD_ATTRIBUTES),
    ("TD migration is enabled", EvidenceFault.TD_ATTRIBUTES),
    ("SERVTD_EXT is enabled", EvidenceFault.TD_ATTRIBUTES),
    ("CertExpired", EvidenceFault.CERTIFICATE_DATES),
    ("CertNotValidYet", EvidenceFault.CERTIFICATE_DATES),
    ("ISV enclave report signature is invalid", EvidenceFault.SIGNATURE),
    ("Signature is invalid for qe_report", EvidenceFault.SIGNATURE),
    ("QE report hash mismatch", EvidenceFault.SIGNATURE),
    ("InvalidSignatureForPublicKey", EvidenceFault.SIGNATURE),
)
_DECISION_FAULTS = (
    ("UnknownRevocationStatus", DecisionFault.COLLATERAL_OTHER_PLATFORM),
    ("Fmspc mismatch", DecisionFault.COLLATERAL_OTHER_PLATFORM),
    ("Failed to parse root CA CRL", DecisionFault.COLLATERAL_MALFORMED),
    ("Failed to parse PCK CRL", DecisionFault.COLLATERAL_MALFORMED),
    ("Signature is invalid for tcb_info", DecisionFault.COLLATERAL_UNTRUSTED),
    ("Signature is invalid for qe_identity", DecisionFault.COLLATERAL_UNTRUSTED),
    ("CrlExpired", DecisionFault.COLLATERAL_EXPIRED),
    ("expired", DecisionFault.COLLATERAL_EXPIRED),
    ("issue date is in the future", DecisionFault.COLLATERAL_FROM_FUTURE),
)


@dataclass(frozen=True, slots=True)
class LibraryResult:
    """What the library found: a status word, advisory names and the machine's PPID."""

    status: str
    advisories: tuple[str, ...]
    ppid: bytes


def run_library(quote: bytes, collateral: Collateral, root: bytes, now_s: int) -> LibraryResult:
    """Verify a quote at Unix time `now_s`; raises EvidenceError or CannotDecideError."""
    foreign = dcap_qvl.QuoteCollateralV3(
        collateral.pck_crl_issuer_chain,
        collateral.root_ca_crl,
        collateral.pck_crl,
        collateral.tcb_info_issuer_chain,
        collateral.tcb_info,
        collateral.tcb_info_signature,
        collateral.qe_identity_issuer_chain,
        collateral.qe_identity,
        collateral.qe_identity_signature,
    )
    try:
        report = dcap_qvl.verify_with_root_ca(quote, foreign, root, now_s)
    except ValueError as error:
        raise _refusal(str(error)) from error
    advisories = tuple(sorted(set(report.advisory_ids)))
    return LibraryResult(str(report.status), advisories, bytes(report.ppid))


def _refusal(message: str) -> AttestationError:
    text = " ".join(message.split())
    for words, fault in _EVIDENCE_FAULTS:
        if words in text:
            return EvidenceError(fault, got=text)
    for words, undecided in _DECISION_FAULTS:
        if words in text:
            return CannotDecideError(undecided, got=text)
    return EvidenceError(EvidenceFault.REFUSED, got=text)
