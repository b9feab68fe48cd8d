"""The adapter to dcap-qvl: the one place that calls it. Bytes in, a small result out.

Rules: it is called only after the shape check, with a self-issued root and signed, pinned, dated
collateral; it may still hold the interpreter's lock or abort the process, so the node calls it in a
worker process (`attestation.worker`). Its errors are text, which may quote what it read: the known
ones become codes, the rest REFUSED with the text.
"""

import json
from dataclasses import dataclass
from datetime import datetime

import dcap_qvl

from attestation.collateral import DcapCollateral
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
    ("Failed to decode TcbInfo", DecisionFault.COLLATERAL_MALFORMED),
    ("Failed to decode QeIdentity", DecisionFault.COLLATERAL_MALFORMED),
    ("Failed to parse TCB Info leaf certificate", DecisionFault.COLLATERAL_MALFORMED),
    ("Failed to parse QE Identity leaf certificate", DecisionFault.COLLATERAL_MALFORMED),
    ("component count mismatch", DecisionFault.COLLATERAL_MALFORMED),
    ("Failed to load root ca", DecisionFault.ROOT_UNUSABLE),
    ("Failed to parse root CA certificate", DecisionFault.ROOT_UNUSABLE),
    ("Signature is invalid for tcb_info", DecisionFault.COLLATERAL_UNTRUSTED),
    ("Signature is invalid for qe_identity", DecisionFault.COLLATERAL_UNTRUSTED),
    ("CrlExpired", DecisionFault.COLLATERAL_EXPIRED),
    ("expired", DecisionFault.COLLATERAL_EXPIRED),
    ("issue date is in the future", DecisionFault.COLLATERAL_FROM_FUTURE),
)


@dataclass(frozen=True, slots=True)
class LibraryResult:
    """What the library found: status word, advisory names, the machine's PPID, the TCB's date."""

    status: str
    advisories: tuple[str, ...]
    ppid: bytes
    tcb_date_s: int  # the older date of the platform's and the quoting enclave's TCB levels


def run_library(quote: bytes, collateral: DcapCollateral, root: bytes, now_s: int) -> LibraryResult:
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
    policy = dcap_qvl.QuotePolicy.claims_only(now_s)
    try:
        claims = dcap_qvl.QuoteVerifier(root).verify_with_policy(quote, foreign, now_s, policy)
    except ValueError as error:
        raise _reason(quote, foreign, root, now_s) from error
    return _read_claims(claims.to_json())


def _read_claims(text: str) -> LibraryResult:
    try:
        claims = json.loads(text)
        tcb, platform, qe = claims["tcb"], claims["platform"], claims["qe"]
        qe_date_s = _unix(qe["tcb_level"]["tcbDate"])
        return LibraryResult(
            status=str(tcb["status"]),
            advisories=tuple(sorted({str(name) for name in tcb["advisory_ids"]})),
            ppid=bytes(platform["pck"]["ppid"]),
            tcb_date_s=min(int(platform["tcb_date_tag"]), qe_date_s),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise CannotDecideError(DecisionFault.RESULT_UNKNOWN, got="other claims") from error


def _unix(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:  # would be read in this machine's zone
        raise ValueError("a date without a zone")
    return int(moment.timestamp())


def _reason(
    quote: bytes, collateral: dcap_qvl.QuoteCollateralV3, root: bytes, now_s: int
) -> AttestationError:
    """The claims carry the outermost message of an error only; this call tells the cause."""
    try:
        dcap_qvl.verify_with_root_ca(quote, collateral, root, now_s)
    except ValueError as error:
        return _refusal(str(error))
    return CannotDecideError(DecisionFault.COLLATERAL_MALFORMED, got="it gives no claims")


def _refusal(message: str) -> AttestationError:
    text = " ".join(message.split())
    for words, fault in _EVIDENCE_FAULTS:
        if words in text:
            return EvidenceError(fault, got=text)
    for words, undecided in _DECISION_FAULTS:
        if words in text:
            return CannotDecideError(undecided, got=text)
    return EvidenceError(EvidenceFault.REFUSED, got=text)
