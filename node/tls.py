"""The server's TLS key and certificate: new at each start, self-signed.

For our own clients this is transport only: trust is in evidence and signatures, and they compare
the key's digest with what the attested service key signed in Hello. For verifiers that are not ours
the certificate carries the platform's evidence over its key (interoperable RA-TLS; the form is in
`attestation.ratls`). That evidence is as old as the certificate. P-256 because gRPC's TLS refuses
Ed25519 leaves; the name is a SAN because a CN alone is refused.
"""

import datetime as dt
import hashlib
import ipaddress
import os
from dataclasses import dataclass

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from attestation.evidence import decode_evidence
from attestation.platforms.platform import Platform
from attestation.ratls.forms import DICE_OID, ratls_report_data
from attestation.ratls.make import encode_claims, encode_extension

SERVER_NAME = "node.sealedger"
_LIFE = dt.timedelta(days=365)
_SKEW = dt.timedelta(hours=1)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ServerTls:
    """PEM key and certificate for gRPC, and SHA-256 of the SubjectPublicKeyInfo."""

    key: bytes
    certificate: bytes
    spki_digest: bytes

    def __repr__(self) -> str:
        """Without the key."""
        return f"<server TLS {self.spki_digest.hex()}>"


async def make_server_tls(platform: Platform, now_s: int) -> ServerTls:
    """A fresh key, and a certificate with the platform's evidence for it.

    Where no form exists for that kind of evidence (SEV-SNP), the certificate has none, and the log
    says so. Raises PlatformError when the platform gives no evidence.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    certificate = _certificate(key, now_s, await _extension(platform, spki))
    return ServerTls(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        certificate.public_bytes(serialization.Encoding.PEM),
        hashlib.sha256(spki).digest(),
    )


async def _extension(platform: Platform, spki: bytes) -> bytes | None:
    claims = encode_claims(spki)
    evidence = decode_evidence(await platform.evidence(ratls_report_data(claims)))
    extension = encode_extension(evidence, claims)
    if extension is None:
        _log.warning(
            "the TLS certificate carries no evidence",
            platform=platform.name,
            reason=f"there is no interoperable RA-TLS form for {evidence.kind.name} evidence",
        )
    return extension


def _certificate(
    key: ec.EllipticCurvePrivateKey, now_s: int, extension: bytes | None
) -> x509.Certificate:
    now = dt.datetime.fromtimestamp(now_s, dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SERVER_NAME)])
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName(SERVER_NAME),
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
    )
    usage = {
        "content_commitment": False,
        "key_encipherment": False,
        "data_encipherment": False,
        "key_agreement": False,
        "key_cert_sign": False,
        "crl_sign": False,
        "encipher_only": False,
        "decipher_only": False,
    }
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(os.urandom(19), "big") | 1)
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _LIFE)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, **usage), critical=True)
    )
    if extension is not None:
        evidence = x509.UnrecognizedExtension(x509.ObjectIdentifier(DICE_OID), extension)
        builder = builder.add_extension(evidence, critical=False)
    return builder.sign(key, hashes.SHA256())
