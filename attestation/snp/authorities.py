"""Who may vouch for keys that sign reports: AMD's root of a product line, its two signers. Pure.

Rules (AMD 57230), all signatures RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48:
1. the root (ARK) is byte for byte one of the configured roots, self-issued and self-signed;
2. it issued the signer of VCEKs (ASK) and the signer of VLEKs (ASVK), one of which may be missing,
   both certificate authorities;
3. their common names are ARK-, SEV- and SEV-VLEK- with the product line of the collateral;
4. it signed the revocation list. Only a caller that says so may do without a list.
Dates and revocation are judged in `verify`. What orders editions is the list (number, thisUpdate)
and each signer (1, notBefore; 0, 0 for one that is missing): so nobody who renews the list can
leave a signer out, and one that was missing can be added under the same list.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from attestation.collateral import CollateralFacts, SnpCollateral
from attestation.errors import CannotDecideError, DecisionFault, DecodeError
from attestation.fields import PRODUCTS
from attestation.snp.forms import read_certificate
from attestation.snp.revocations import Revocations, parse_revocations

MIN_KEY_BITS = 2048
SALT_SIZE = 48

_SHA384 = hashes.SHA384()
_PSS = padding.PSS(mgf=padding.MGF1(_SHA384), salt_length=SALT_SIZE)
_SUBSTANCE_LABEL = b"sealedger/snp-substance/1\0"


@dataclass(frozen=True, slots=True)
class Signer:
    """A certificate authority below the root."""

    certificate: x509.Certificate
    name: bytes  # DER of its subject

    @property
    def valid_from_s(self) -> int:
        """Unix seconds, inclusive."""
        return int(self.certificate.not_valid_before_utc.timestamp())

    @property
    def valid_until_s(self) -> int:
        """Unix seconds, inclusive."""
        return int(self.certificate.not_valid_after_utc.timestamp())

    def has_signed(self, body: bytes, signature: bytes) -> bool:
        """Whether this signer's key made `signature` over `body`."""
        return _has_signed(self.certificate, body, signature)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorities:
    """The verified authorities of one product line."""

    line: str
    root: Signer
    vcek_signer: Signer | None  # one of the two is there
    vlek_signer: Signer | None
    revocations: Revocations | None

    @property
    def signers(self) -> tuple[Signer, ...]:
        """All that the root issued."""
        return tuple(one for one in (self.vcek_signer, self.vlek_signer) if one is not None)


@lru_cache(maxsize=32)
def verify_authorities(collateral: SnpCollateral, roots: tuple[bytes, ...]) -> Authorities:
    """Steps 1 to 4; raises CannotDecideError (COLLATERAL_MALFORMED or COLLATERAL_UNTRUSTED)."""
    line = collateral.product
    if line not in PRODUCTS:
        raise CannotDecideError(DecisionFault.COLLATERAL_MALFORMED, got="an unknown product")
    if collateral.ark not in roots:
        raise _untrusted("a root that is not configured")
    if not collateral.ask and not collateral.asvk:
        raise CannotDecideError(DecisionFault.COLLATERAL_MALFORMED, got="neither ASK nor ASVK")
    root = _load(collateral.ark, f"ARK-{line}")
    authorities = Authorities(
        line=line,
        root=_issued(root, root),
        vcek_signer=_signer(collateral.ask, f"SEV-{line}", root),
        vlek_signer=_signer(collateral.asvk, f"SEV-VLEK-{line}", root),
        revocations=_revocations(collateral.crl) if collateral.crl else None,
    )
    _verify_list(authorities)
    return authorities


@lru_cache(maxsize=32)
def read_facts(collateral: SnpCollateral) -> CollateralFacts:
    """What the collateral says about itself; raises DecodeError. Verifies no signature.

    Collateral without a revocation list has no dates of its own, so no facts.
    """
    if not collateral.crl:
        raise DecodeError("collateral: no revocation list")
    revocations = parse_revocations(collateral.crl)
    return CollateralFacts(
        key=line_key(collateral.product),
        order=(
            (revocations.number, revocations.issued_s),
            _order_of_signer(collateral.ask),
            _order_of_signer(collateral.asvk),
        ),
        lowest_number=0,
        highest_number=0,
        valid_from_s=revocations.issued_s,
        valid_until_s=revocations.next_update_s - 1,
        substance=_substance(collateral, revocations),
    )


def line_key(line: str) -> str:
    """The key of a product line's collateral, such as ``snp/Milan``; raises DecodeError."""
    if line not in PRODUCTS:
        raise DecodeError("collateral: an unknown product")
    return f"snp/{line}"


def _order_of_signer(der: bytes) -> tuple[int, int]:
    if not der:
        return (0, 0)
    try:
        since_s = Signer(x509.load_der_x509_certificate(der), b"").valid_from_s
    except Exception as error:  # the parser has no one family of errors
        raise DecodeError("collateral: a signer that cannot be read") from error
    if since_s < 0:
        raise DecodeError("collateral: a date before 1970")
    return (1, since_s)


def _substance(collateral: SnpCollateral, revocations: Revocations) -> bytes:
    digest = hashlib.sha256(_SUBSTANCE_LABEL)
    serials = ",".join(f"{serial:x}" for serial in revocations.serials)
    parts = (collateral.ark, collateral.ask, collateral.asvk, serials.encode())
    for part in (collateral.product.encode(), *parts):
        digest.update(len(part).to_bytes(4, "big") + part)
    return digest.digest()


def _load(der: bytes, common_name: str) -> Signer:
    try:
        read_certificate(der)
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        signer = Signer(certificate, certificate.subject.public_bytes())
        certificate.issuer.public_bytes()  # read later: what cannot be read shall fail here
    except Exception as error:  # the parser has no one family of errors
        raise CannotDecideError(
            DecisionFault.COLLATERAL_MALFORMED, expected=f"the certificate of {common_name}"
        ) from error
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < MIN_KEY_BITS or not basic.ca:
        raise _untrusted(f"{common_name} is no authority with an RSA key")
    if [name.value for name in names] != [common_name]:
        raise _untrusted(f"a certificate that is not that of {common_name}")
    return signer


def _signer(der: bytes, common_name: str, root: Signer) -> Signer | None:
    return _issued(_load(der, common_name), root) if der else None


def _issued(signer: Signer, root: Signer) -> Signer:
    certificate = signer.certificate
    is_good = certificate.issuer.public_bytes() == root.name and root.has_signed(
        certificate.tbs_certificate_bytes, certificate.signature
    )
    if not is_good:
        raise _untrusted("a certificate that the root did not issue")
    return signer


def _revocations(der: bytes) -> Revocations:
    try:
        return parse_revocations(der)
    except DecodeError as error:
        raise CannotDecideError(DecisionFault.COLLATERAL_MALFORMED, got=str(error)) from error


def _verify_list(authorities: Authorities) -> None:
    revocations, root = authorities.revocations, authorities.root
    if revocations is None:
        return
    is_good = revocations.issuer == root.certificate.subject and root.has_signed(
        revocations.body, revocations.signature
    )
    if not is_good:
        raise _untrusted("a revocation list of another issuer")


def _has_signed(issuer: x509.Certificate, body: bytes, signature: bytes) -> bool:
    key = issuer.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(signature, body, _PSS, _SHA384)
    except InvalidSignature:
        return False
    return True


def _untrusted(got: str) -> CannotDecideError:
    return CannotDecideError(DecisionFault.COLLATERAL_UNTRUSTED, got=got)
