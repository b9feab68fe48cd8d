"""The software platform's stand-in for AMD: a product line's authorities, keys, revocations.

Development only. Rules: the profile of certificates is AMD's (docs/spec/attestation.md): ARK → ASK
→ VCEK, ARK → ASVK → VLEK, RSASSA-PSS with SHA-384, P-384 leaves with the vendor's extensions. RSA
keys have 3,072 bits, not 4,096, so that a platform is made in a second. Unlike AMD's, leaves have
serial numbers. Keys and serials are random, drawn here, at the edge. The time is an argument.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from attestation.collateral import SnpCollateral
from attestation.errors import PlatformError
from attestation.fields import SnpTcb
from attestation.platforms.software_collateral import CollateralOptions
from attestation.platforms.software_pki import CERTIFICATE_DAYS, DAY_S
from attestation.snp.authorities import SALT_SIZE
from attestation.snp.endorsement_key import (
    BOOT_LOADER,
    CHIP_ID,
    CLOUD_ID,
    EXTENSIONS_OID,
    FMC,
    MICROCODE,
    PRODUCT_NAME,
    SNP,
    STRUCT_VERSION,
    TEE,
)

LINE = "Milan"
PRODUCT = "Milan-B0"
RSA_BITS = 3072

_SHA384 = hashes.SHA384()
_PSS = padding.PSS(mgf=padding.MGF1(_SHA384), salt_length=SALT_SIZE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpAuthority:
    """Everything that signs: private keys in memory, and their certificates."""

    ark_key: rsa.RSAPrivateKey
    ask_key: rsa.RSAPrivateKey
    vcek_key: ec.EllipticCurvePrivateKey
    ark: x509.Certificate
    ask: x509.Certificate
    vcek: x509.Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafNumbers:
    """What the certificate of a VCEK or VLEK says. Exactly one of `chip_id` and `cloud` is set."""

    tcb: SnpTcb
    chip_id: bytes = b""  # 64 bytes, 8 on Turin
    cloud: str = ""
    product: str = PRODUCT
    has_fmc: bool = False  # Turin


@dataclass(frozen=True, slots=True)
class Issuer:
    """An authority that issues from one day before `now_s` for ten years."""

    name: str  # its common name
    key: rsa.RSAPrivateKey
    now_s: int

    def signer(self, name: str, key: rsa.RSAPrivateKey) -> x509.Certificate:
        """The certificate of an authority with this common name and key."""
        builder = self._builder(name, key.public_key())
        basic = x509.BasicConstraints(ca=True, path_length=None)
        return self._signed(builder.add_extension(basic, critical=True))

    def leaf(self, numbers: LeafNumbers, key: ec.EllipticCurvePublicKey) -> x509.Certificate:
        """The certificate of a VCEK or VLEK."""
        name = "SEV-VLEK" if numbers.cloud else "SEV-VCEK"
        builder = self._builder(name, key)
        for suffix, value in _extensions(numbers):
            oid = x509.ObjectIdentifier(EXTENSIONS_OID + suffix)
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
        return self._signed(builder)

    def revocations(self, options: CollateralOptions, serials: tuple[int, ...]) -> bytes:
        """A DER revocation list of `serials`; its nextUpdate is its first invalid second."""
        issued = _date(options.issued_s)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(_name(self.name))
            .last_update(issued)
            .next_update(_date(options.issued_s + options.validity_s + 1))
            .add_extension(x509.CRLNumber(options.evaluation_number), critical=False)
        )
        for serial in serials:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(issued)
            builder = builder.add_revoked_certificate(entry.build())
        signed = builder.sign(self.key, _SHA384, rsa_padding=_PSS)
        return signed.public_bytes(Encoding.DER)

    def _builder(
        self, name: str, key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(self.name))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(_date(self.now_s - DAY_S))
            .not_valid_after(_date(self.now_s + CERTIFICATE_DAYS * DAY_S))
        )

    def _signed(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        return builder.sign(self.key, _SHA384, rsa_padding=_PSS)


def new_rsa_key() -> rsa.RSAPrivateKey:
    """A random key for an authority."""
    return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)


def new_snp_authority(numbers: LeafNumbers, now_s: int) -> SnpAuthority:
    """Random keys and their certificates, valid from the day before `now_s` for ten years."""
    ark_key, ask_key = new_rsa_key(), new_rsa_key()
    vcek_key = ec.generate_private_key(ec.SECP384R1())
    root = Issuer(f"ARK-{LINE}", ark_key, now_s)
    signer = Issuer(f"SEV-{LINE}", ask_key, now_s)
    return SnpAuthority(
        ark_key=ark_key,
        ask_key=ask_key,
        vcek_key=vcek_key,
        ark=root.signer(root.name, ark_key),
        ask=root.signer(signer.name, ask_key),
        vcek=signer.leaf(numbers, vcek_key.public_key()),
    )


def make_snp_collateral(authority: SnpAuthority, options: CollateralOptions) -> SnpCollateral:
    """Collateral with a revocation list as `options` wants it; raises PlatformError."""
    dates = CollateralOptions(
        issued_s=options.issued_s,
        validity_s=options.validity_s,
        evaluation_number=options.evaluation_number,
        revoke_ask=options.revoke_ask,
    )
    if options != dates:
        raise PlatformError("SEV-SNP collateral has dates, a number and revocations, no TCB status")
    root = Issuer(f"ARK-{LINE}", authority.ark_key, options.issued_s)
    revoked = (authority.ask.serial_number,) if options.revoke_ask else ()
    return SnpCollateral(
        product=LINE,
        ark=authority.ark.public_bytes(Encoding.DER),
        ask=authority.ask.public_bytes(Encoding.DER),
        crl=root.revocations(options, revoked),
    )


def _extensions(numbers: LeafNumbers) -> list[tuple[str, bytes]]:
    tcb = numbers.tcb
    parts = [(BOOT_LOADER, tcb.boot_loader), (TEE, tcb.tee), (SNP, tcb.snp)]
    if numbers.has_fmc:
        parts.append((FMC, tcb.fmc))
    integers = [(STRUCT_VERSION, 0), *parts, (MICROCODE, tcb.microcode)]
    extensions = [(suffix, asn1.encode_der(value)) for suffix, value in integers]
    extensions.append((PRODUCT_NAME, asn1.encode_der(asn1.IA5String(numbers.product))))
    if numbers.cloud:
        return [*extensions, (CLOUD_ID, asn1.encode_der(asn1.IA5String(numbers.cloud)))]
    return [*extensions, (CHIP_ID, numbers.chip_id)]


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sealedger development"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _date(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
