"""Who signed the collateral: chains, pins, signatures of documents and revocation lists. Pure.

The verification library accepts TCB info and QE identities signed by any end entity under the root,
so a prover with a PCK key could certify itself. Here:
1. each chain is the canonical PEM of two certificates whose second is a configured root;
2. the documents' signer has a pinned key, and the root issued its certificate;
3. signatures have 64 bytes and verify over the exact text;
4. the root signed the root CRL, and the PCK CA, which the root issued, the PCK CRL.
All three chains end in one root. Dates are judged in `verify`.
"""

from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from attestation.collateral import DcapCollateral
from attestation.dcap.certificates import (
    load_certificate,
    public_key,
    spki_digest,
)
from attestation.dcap.pem import decode_chain
from attestation.errors import CannotDecideError, DecisionFault, DecodeError
from attestation.rules import VerificationRules, is_issued_by, load_root

_SIGNATURE_SIZE = 64
_ECDSA = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True, slots=True)
class TrustedChains:
    """The certificates behind verified collateral."""

    root: bytes  # DER, one of the rules' roots
    pck_ca: bytes  # DER
    certificates: tuple[x509.Certificate, ...]  # all signers below the root


@lru_cache(maxsize=32)
def verify_chains(collateral: DcapCollateral, rules: VerificationRules) -> TrustedChains:
    """Steps 1 to 4; raises CannotDecideError (COLLATERAL_UNTRUSTED or ROOT_UNUSABLE)."""
    tcb_signer, root = _chain(collateral.tcb_info_issuer_chain, rules)
    qe_signer, qe_root = _chain(collateral.qe_identity_issuer_chain, rules)
    pck_ca, pck_root = _chain(collateral.pck_crl_issuer_chain, rules)
    if not root == qe_root == pck_root:
        raise _untrusted("chains with different roots")
    issuer = load_root(root)
    tcb_certificate = _signer(tcb_signer, issuer, rules)
    qe_certificate = _signer(qe_signer, issuer, rules)
    ca_certificate = _issued(pck_ca, issuer)
    _verify_text(tcb_certificate, collateral.tcb_info, collateral.tcb_info_signature)
    _verify_text(qe_certificate, collateral.qe_identity, collateral.qe_identity_signature)
    _verify_crl(collateral.root_ca_crl, issuer)
    _verify_crl(collateral.pck_crl, ca_certificate)
    return TrustedChains(root, pck_ca, (tcb_certificate, qe_certificate, ca_certificate))


def _chain(text: str, rules: VerificationRules) -> tuple[bytes, bytes]:
    try:
        first, root = decode_chain(text.encode(), 2)
    except DecodeError as error:
        raise _untrusted(str(error)) from error
    if root not in rules.roots:
        raise _untrusted("a chain that ends in no configured root")
    return first, root


def _issued(der: bytes, issuer: x509.Certificate) -> x509.Certificate:
    try:
        certificate = load_certificate(der)
    except DecodeError as error:
        raise _untrusted(str(error)) from error
    if not is_issued_by(certificate, issuer):
        raise _untrusted("a certificate that the root did not issue")
    return certificate


def _signer(der: bytes, issuer: x509.Certificate, rules: VerificationRules) -> x509.Certificate:
    certificate = _issued(der, issuer)
    digest = spki_digest(certificate)
    if digest not in rules.tcb_signer_pins:
        pins = ",".join(pin.hex() for pin in rules.tcb_signer_pins)
        raise CannotDecideError(
            DecisionFault.COLLATERAL_UNTRUSTED,
            expected=f"TCB signer {pins}",
            got=digest.hex(),
        )
    return certificate


def _verify_text(signer: x509.Certificate, text: str, signature: bytes) -> None:
    if len(signature) != _SIGNATURE_SIZE:
        raise _untrusted(f"a signature of {len(signature)} bytes")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        public_key(signer).verify(encode_dss_signature(r, s), text.encode(), _ECDSA)
    except InvalidSignature as error:
        raise _untrusted("a document whose signature does not verify") from error


def _verify_crl(der: bytes, issuer: x509.Certificate) -> None:
    try:
        is_good = x509.load_der_x509_crl(der).is_signature_valid(public_key(issuer))
    except Exception as error:  # the parser has no one family of errors
        raise _untrusted("a revocation list that cannot be read") from error
    if not is_good:
        raise _untrusted("a revocation list of another issuer")


def _untrusted(got: str) -> CannotDecideError:
    return CannotDecideError(DecisionFault.COLLATERAL_UNTRUSTED, got=got)
