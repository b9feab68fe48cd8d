"""Certificates made for tests: self-signed, with any name."""

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

START = datetime(2027, 1, 1, tzinfo=UTC)


def named(common_name: str) -> x509.Certificate:
    """A self-signed P-256 certificate of that common name, for the year 2027."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(START.replace(year=2028))
    )
    return builder.sign(key, hashes.SHA256())
