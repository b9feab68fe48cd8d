"""What a verifier is told to believe: roots, the pinned TCB signer, limits on collateral. Pure.

Rules: all of it comes from the trust document, nothing from a request. A root must be self-issued
and self-signed: the library that verifies quotes aborts the process on some others, and this check
is what keeps them away from it. Intel's root and AMD's (one for each product line) stand side by
side: a chain must end in one of them, byte for byte.
"""

from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from attestation.collateral import CollateralFacts
from attestation.errors import CannotDecideError, DecisionFault
from attestation.moments import moment


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationRules:
    """The trust document's part in verification. Hashable; equal rules verify equally."""

    roots: tuple[bytes, ...]  # DER, at least one
    tcb_signer_pins: tuple[bytes, ...]  # SHA-256 of SubjectPublicKeyInfo, at least one
    evaluation_floor: int = 0  # lowest tcbEvaluationDataNumber
    evaluation_ceiling: int = 0  # highest; 0: none
    grace_s: int = 0  # how long collateral is used after its nextUpdate
    # SEV-SNP: go without a revocation list where collateral has none. Never on a ledger: whoever
    # says so must tell the reader of the verdict that revocation was not checked
    revocations_optional: bool = False


@lru_cache(maxsize=64)
def load_root(der: bytes) -> x509.Certificate:
    """A usable root; raises CannotDecideError (ROOT_UNUSABLE) for any other certificate."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
        is_self_issued = certificate.issuer == certificate.subject  # names are parsed here
    except Exception as error:  # the parser has no one family of errors
        raise CannotDecideError(DecisionFault.ROOT_UNUSABLE, got="not a certificate") from error
    is_known_kind = isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    if not is_known_kind or not is_self_issued or not is_issued_by(certificate, certificate):
        raise CannotDecideError(
            DecisionFault.ROOT_UNUSABLE, expected="a self-issued root", got="another issuer"
        )
    return certificate


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's name and key fit: the signature verifies."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def verify_rules(rules: VerificationRules) -> None:
    """Check that the rules can be used at all; raises CannotDecideError (ROOT_UNUSABLE)."""
    if not rules.roots or not rules.tcb_signer_pins:
        raise CannotDecideError(DecisionFault.ROOT_UNUSABLE, got="no root or no pin")
    for der in rules.roots:
        load_root(der)


def effective_time(facts: CollateralFacts, rules: VerificationRules, now_s: int) -> int:
    """The time to judge as of: `now_s`, or the collateral's last second within the grace after it.

    Raises CannotDecideError when the evaluation numbers lie outside floor and ceiling, or the time
    outside the collateral's window and grace.
    """
    numbers = (facts.lowest_number, facts.highest_number)
    ceiling = rules.evaluation_ceiling
    if facts.is_numbered and (numbers[0] < rules.evaluation_floor or 0 < ceiling < numbers[1]):
        raise CannotDecideError(
            DecisionFault.COLLATERAL_NUMBER,
            expected=f"{rules.evaluation_floor} to {ceiling or 'any'}",
            got=f"{numbers[0]} and {numbers[1]}",
        )
    if facts.valid_until_s < facts.valid_from_s:
        raise CannotDecideError(
            DecisionFault.COLLATERAL_MALFORMED,
            expected="parts that are valid together",
            got=f"{facts.key} from {moment(facts.valid_from_s)} to {moment(facts.valid_until_s)}",
        )
    if now_s < facts.valid_from_s:
        raise CannotDecideError(
            DecisionFault.COLLATERAL_FROM_FUTURE,
            expected=f"issued by {moment(now_s)}",
            got=moment(facts.valid_from_s),
        )
    if now_s > facts.valid_until_s + rules.grace_s:
        raise CannotDecideError(
            DecisionFault.COLLATERAL_EXPIRED,
            expected=f"valid at {moment(now_s)}",
            got=f"{facts.key} valid to {moment(facts.valid_until_s)}, grace {rules.grace_s} s",
        )
    return min(now_s, facts.valid_until_s)
