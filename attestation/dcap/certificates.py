"""The few questions that are asked of an X.509 certificate. The parser is `cryptography`.

Rules: anything that it cannot load is a DecodeError. Extensions, names and revocation on the way to
the root are the verification library's business, not decided here.
"""

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from attestation.errors import DecodeError


def load_certificate(der: bytes) -> x509.Certificate:
    """Parse one DER certificate with a P-256 key; raises DecodeError."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
    except Exception as error:  # the parser has no one family of errors
        raise DecodeError("certificate: cannot be parsed") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise DecodeError("certificate: its key is not P-256")
    return certificate


def public_key(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """The P-256 key of a certificate that `load_certificate` gave."""
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise DecodeError("certificate: its key is not P-256")
    return key


def spki_digest(certificate: x509.Certificate) -> bytes:
    """SHA-256 of the DER SubjectPublicKeyInfo: what a pin names."""
    key = certificate.public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()


def is_valid_at(certificate: x509.Certificate, now_s: int) -> bool:
    """Whether Unix time `now_s` lies in the certificate's validity, both ends included."""
    start = int(certificate.not_valid_before_utc.timestamp())
    end = int(certificate.not_valid_after_utc.timestamp())
    return start <= now_s <= end
