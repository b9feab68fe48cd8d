"""What a verifier is told to believe: roots, the pinned TCB signer, limits on collateral.

Rules: all of it comes from the trust document, nothing from a request. A root must be self-issued
and self-signed: the verification library aborts the process on some others, and this check is what
keeps them away from it.
"""

from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509

from attestation.dcap.certificates import is_issued_by, load_certificate
from attestation.errors import CannotDecideError, DecisionFault, DecodeError


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationRules:
    """The trust document's part in verification. Hashable; equal rules verify equally."""

    roots: tuple[bytes, ...]  # DER, at least one
    tcb_signer_pins: tuple[bytes, ...]  # SHA-256 of SubjectPublicKeyInfo, at least one
    evaluation_floor: int = 0  # lowest tcbEvaluationDataNumber
    evaluation_ceiling: int = 0  # highest; 0: none
    grace_s: int = 0  # how long collateral is used after its nextUpdate


@lru_cache(maxsize=64)
def load_root(der: bytes) -> x509.Certificate:
    """A usable root; raises CannotDecideError (ROOT_UNUSABLE) for any other certificate."""
    try:
        certificate = load_certificate(der)
    except DecodeError as error:
        raise CannotDecideError(DecisionFault.ROOT_UNUSABLE, got="not a certificate") from error
    if certificate.issuer != certificate.subject or not is_issued_by(certificate, certificate):
        raise CannotDecideError(
            DecisionFault.ROOT_UNUSABLE, expected="a self-issued root", got="another issuer"
        )
    return certificate


def verify_rules(rules: VerificationRules) -> None:
    """Check that the rules can be used at all; raises CannotDecideError (ROOT_UNUSABLE)."""
    if not rules.roots or not rules.tcb_signer_pins:
        raise CannotDecideError(DecisionFault.ROOT_UNUSABLE, got="no root or no pin")
    for der in rules.roots:
        load_root(der)
