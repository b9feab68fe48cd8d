"""The software platform's own authority: keys, certificates, revocation lists. Development only.

Rules: the profile of certificates is Intel's (docs/spec/attestation.md): root → PCK CA → PCK leaf
with the SGX extension, root → TCB signer; P-256 with SHA-256 throughout. Keys and serial numbers
are random, drawn here, at the edge. The time is an argument. Files are `software_files`.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from attestation.platforms.software_der import (
    SGX_EXTENSION_OID,
    PlatformNumbers,
    encode_sgx_extension,
)

DAY_S = 86_400
CERTIFICATE_DAYS = 3650
CRL_URL = "https://software.invalid/crl"

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SHA256 = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Everything that signs: private keys in memory, and their certificates."""

    root_key: ec.EllipticCurvePrivateKey
    pck_ca_key: ec.EllipticCurvePrivateKey
    tcb_signer_key: ec.EllipticCurvePrivateKey
    pck_key: ec.EllipticCurvePrivateKey
    root: x509.Certificate
    pck_ca: x509.Certificate
    tcb_signer: x509.Certificate
    pck: x509.Certificate


@dataclass(frozen=True, slots=True)
class _Role:
    name: str
    is_ca: bool
    path_length: int | None = None
    sgx_extension: bytes = b""


_ROOT = _Role("Sealedger Software Root CA", is_ca=True, path_length=1)
_PCK_CA = _Role("Sealedger Software PCK Processor CA", is_ca=True, path_length=0)
_TCB_SIGNER = _Role("Sealedger Software TCB Signing", is_ca=False)


def new_key() -> ec.EllipticCurvePrivateKey:
    """A random P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def new_authority(numbers: PlatformNumbers, now_s: int) -> Authority:
    """Random keys and their certificates, valid from the day before `now_s` for ten years."""
    root_key, pck_ca_key, tcb_signer_key, pck_key = (new_key() for _ in range(4))
    pck = _Role(
        "Sealedger Software PCK Certificate",
        is_ca=False,
        sgx_extension=encode_sgx_extension(numbers),
    )
    issue = _Issuer(_ROOT, root_key, now_s)
    return Authority(
        root_key=root_key,
        pck_ca_key=pck_ca_key,
        tcb_signer_key=tcb_signer_key,
        pck_key=pck_key,
        root=issue.certificate(_ROOT, root_key),
        pck_ca=issue.certificate(_PCK_CA, pck_ca_key),
        tcb_signer=issue.certificate(_TCB_SIGNER, tcb_signer_key),
        pck=_Issuer(_PCK_CA, pck_ca_key, now_s).certificate(pck, pck_key),
    )


def sign_raw(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """ECDSA P-256/SHA-256 as r ‖ s, 64 bytes, low s."""
    r, s = decode_dss_signature(key.sign(message, _SHA256))
    return r.to_bytes(32, "big") + min(s, _ORDER - s).to_bytes(32, "big")


def raw_public_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public point as x ‖ y, 64 bytes."""
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return point[1:]


def signer_pin(certificate: x509.Certificate) -> bytes:
    """SHA-256 of the certificate's SubjectPublicKeyInfo, to be pinned in the trust document."""
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()


def make_crl(
    issuer: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    *,
    issued_s: int,
    next_update_s: int,
    revoked: tuple[int, ...] = (),
) -> bytes:
    """A DER revocation list of serial numbers; `next_update_s` is its first invalid second."""
    issued = _date(issued_s)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(issued)
        .next_update(_date(next_update_s))
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(_authority_key(key), critical=False)
    )
    for serial in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(issued)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


class _Issuer:
    """One issuer's name and key, and the time at which it issues."""

    def __init__(self, role: _Role, key: ec.EllipticCurvePrivateKey, now_s: int) -> None:
        self._role = role
        self._key = key
        self._now_s = now_s

    def certificate(self, role: _Role, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        """A certificate for `key` in `role`, in Intel's profile."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(role.name))
            .issuer_name(_name(self._role.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_date(self._now_s - DAY_S))
            .not_valid_after(_date(self._now_s + CERTIFICATE_DAYS * DAY_S))
            .add_extension(_authority_key(self._key), critical=False)
            .add_extension(_crl_location(), critical=False)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(_key_usage(is_ca=role.is_ca), critical=True)
            .add_extension(x509.BasicConstraints(role.is_ca, role.path_length), critical=True)
        )
        if role.sgx_extension:
            oid = x509.ObjectIdentifier(SGX_EXTENSION_OID)
            extension = x509.UnrecognizedExtension(oid, role.sgx_extension)
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sealedger development"),
        ]
    )


def _date(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _authority_key(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _crl_location() -> x509.CRLDistributionPoints:
    name = x509.UniformResourceIdentifier(CRL_URL)
    return x509.CRLDistributionPoints([x509.DistributionPoint([name], None, None, None)])


def _key_usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=not is_ca,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )
