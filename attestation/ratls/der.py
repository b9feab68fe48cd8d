"""The X.509 of RA-TLS certificates. The parser is `cryptography.hazmat.asn1`, used nowhere else.

Why not its X.509: certificates made by Gramine and Open Enclave carry a NULL in the parameters of
an ECDSA signature algorithm (RFC 5758 wants none), and `cryptography` refuses to load them. Its
declarative ASN.1 reads them by the schema below; its interface is not promised to stay.

Rules (RFC 5280, section 4.1):
1. DER of version 3 without unique identifiers; both signature algorithm fields equal, parameters
   absent or NULL; the signature a whole number of bytes;
2. no extension stands twice;
3. what is decoded, encoded again, gives the same bytes.
Names, and what the other extensions say, are nobody's business here.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated

from cryptography import x509
from cryptography.hazmat import asn1

from attestation.errors import DecodeError

_VERSION_3 = 2


@asn1.sequence
class _Algorithm:
    algorithm: x509.ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class _Validity:
    not_before: asn1.UTCTime | asn1.GeneralizedTime
    not_after: asn1.UTCTime | asn1.GeneralizedTime


@asn1.sequence
class _Extension:
    name: x509.ObjectIdentifier
    critical: Annotated[bool, asn1.Default(value=False)]
    value: bytes


@asn1.sequence
class _Body:
    version: Annotated[int, asn1.Explicit(0)]
    serial: int
    signature: _Algorithm
    issuer: asn1.TLV
    validity: _Validity
    subject: asn1.TLV
    public_key: asn1.TLV
    extensions: Annotated[list[_Extension], asn1.Explicit(3)]


@asn1.sequence
class _Certificate:
    body: _Body
    algorithm: _Algorithm
    signature: asn1.BitString


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedCertificate:
    """A certificate's parts; nothing in it has been verified."""

    signed: bytes  # DER of TBSCertificate: what the signature is over
    spki: bytes  # DER of SubjectPublicKeyInfo
    not_before_s: int  # Unix time, included
    not_after_s: int  # the same
    extensions: dict[str, bytes]  # by dotted name
    algorithm: str  # dotted name of the signature algorithm
    signature: bytes


def parse_certificate(der: bytes) -> ParsedCertificate:
    """Read one DER certificate; raises DecodeError."""
    try:
        certificate = asn1.decode_der(_Certificate, der)
        again = asn1.encode_der(certificate)
        signed = asn1.encode_der(certificate.body)
        spki = asn1.encode_der(certificate.body.public_key)
    except (ValueError, TypeError, OverflowError) as error:
        raise DecodeError("certificate: cannot be parsed") from error
    if again != der:
        raise DecodeError("certificate: DER that is not in its one form")
    body = certificate.body
    _verify_frame(certificate)
    return ParsedCertificate(
        signed=signed,
        spki=spki,
        not_before_s=_unix_time(body.validity.not_before),
        not_after_s=_unix_time(body.validity.not_after),
        extensions=_extensions(body),
        algorithm=certificate.algorithm.algorithm.dotted_string,
        signature=certificate.signature.as_bytes(),
    )


def _verify_frame(certificate: _Certificate) -> None:
    body = certificate.body
    if body.version != _VERSION_3:
        raise DecodeError(f"certificate: version {body.version + 1}, expected 3")
    if asn1.encode_der(body.signature) != asn1.encode_der(certificate.algorithm):
        raise DecodeError("certificate: two signature algorithms")
    if certificate.signature.padding_bits():
        raise DecodeError("certificate: the signature is not a whole number of bytes")


def _extensions(body: _Body) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for extension in body.extensions:
        name = extension.name.dotted_string
        if name in found:
            raise DecodeError(f"certificate: extension {name} twice")
        found[name] = extension.value
    return found


def _unix_time(time: asn1.UTCTime | asn1.GeneralizedTime) -> int:
    when: dt.datetime = time.as_datetime()
    if when.microsecond:
        raise DecodeError("certificate: a time with a fraction of a second")
    return int(when.replace(tzinfo=dt.UTC).timestamp())
