"""The outer form of X.509 certificates, declared and read as strict DER.

Rules (RFC 5280, 4.1): version 3; the algorithm that stands beside the signature is the one inside
what is signed, so that no byte can be respelled; a signature has no spare bits. Why not the
certificates of `cryptography` alone: AMD numbers its leaves 0, which they will refuse one day, and
they compare the two algorithms only for revocation lists.
"""

from dataclasses import dataclass
from typing import Annotated

from cryptography import x509
from cryptography.hazmat import asn1

from attestation.errors import DecodeError

_VERSION_3 = 2


@asn1.sequence
class Extension:
    """One extension; `value` is what the OCTET STRING holds."""

    oid: x509.ObjectIdentifier
    critical: Annotated[bool, asn1.Default(False)]
    value: bytes


@asn1.sequence
class Validity:
    """The dates of a certificate, both inclusive."""

    start: asn1.UTCTime | asn1.GeneralizedTime
    end: asn1.UTCTime | asn1.GeneralizedTime


@asn1.sequence
class CertificateBody:
    """What a certificate's signature covers."""

    version: Annotated[int, asn1.Explicit(0)]
    serial: int
    algorithm: asn1.TLV
    issuer: asn1.TLV
    validity: Validity
    subject: asn1.TLV
    public_key: asn1.TLV
    extensions: Annotated[list[Extension], asn1.Explicit(3)]


@asn1.sequence
class _Signed:
    body: asn1.TLV
    algorithm: asn1.TLV
    signature: asn1.BitString


@dataclass(frozen=True, slots=True)
class SignedCertificate:
    """A certificate of good form; nothing has been verified."""

    body: CertificateBody
    signed: bytes  # DER: what the signature covers
    signature: bytes


def read_certificate(der: bytes) -> SignedCertificate:
    """Read a certificate; raises DecodeError for another form."""
    try:
        signed = asn1.decode_der(_Signed, der)
        body: CertificateBody = signed.body.parse(CertificateBody)
    except Exception as error:  # the parser has no one family of errors
        raise DecodeError("certificate: not of the known form") from error
    if body.version != _VERSION_3 or signed.signature.padding_bits():
        raise DecodeError("certificate: not of version 3")
    if asn1.encode_der(signed.algorithm) != asn1.encode_der(body.algorithm):
        raise DecodeError("certificate: two different algorithms")
    return SignedCertificate(body, asn1.encode_der(signed.body), signed.signature.as_bytes())
