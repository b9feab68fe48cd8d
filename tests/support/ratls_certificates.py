"""RA-TLS certificates for tests: any key, any extensions, quotes of a software platform."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from attestation.ratls.cbor import encode, encode_tagged
from attestation.ratls.forms import TEE_QUOTE_TAG, ratls_report_data
from tests.support.attested import NOW_S, REPORT, SoftwareWorld

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "anybody")])
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a certificate shall be: its key, who signs (None: itself), with which hash."""

    key: PrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    signer: PrivateKey | None = None
    algorithm: hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None = field(
        default_factory=hashes.SHA256
    )


def spki_of(key: PrivateKey) -> bytes:
    """The DER SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def make_certificate(wanted: Wanted, extensions: Mapping[str, bytes], now_s: int = NOW_S) -> bytes:
    """DER of a certificate with these extensions, by dotted name; valid for a day around now."""
    now = dt.datetime.fromtimestamp(now_s, dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_NAME)
        .issuer_name(_NAME)
        .public_key(wanted.key.public_key())
        .serial_number(7)
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
    )
    for name, value in extensions.items():
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier(name), value)
        builder = builder.add_extension(unknown, critical=False)
    return builder.sign(wanted.signer or wanted.key, wanted.algorithm).public_bytes(Encoding.DER)


def quote_over(world: SoftwareWorld, report_data: bytes) -> bytes:
    """The platform's quote over 64 bytes."""
    return world.quote(replace(REPORT, report_data=report_data))


def dice_value(world: SoftwareWorld, claims: bytes) -> bytes:
    """Tagged evidence of these claims."""
    return encode_tagged(TEE_QUOTE_TAG, [quote_over(world, ratls_report_data(claims)), claims])


def claims_with(algorithm: int, digest: bytes, **others: bytes) -> bytes:
    """Claims whose pubkey-hash is this, and others behind it."""
    return encode({"pubkey-hash": encode([algorithm, digest]), **others})


def legacy_value(world: SoftwareWorld, spki: bytes) -> bytes:
    """A bare quote for a key."""
    return quote_over(world, ratls_report_data(spki))
