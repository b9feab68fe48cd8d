"""AMD's certificates as people have them in files, told apart by their names. Nothing is verified.

1. PEM with any number of certificates, whatever stands between them; or DER, any number one behind
   the other; or the table in which a host hands them to its guest (the kernel's `auxblob`).
2. A certificate's common name says what it is: SEV-VCEK, SEV-VLEK, ARK-, SEV- or SEV-VLEK- with a
   product line (AMD 57230). No more of a certificate is read here than its subject, so that what is
   wrong with one is said by whoever verifies it.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from cryptography import x509
from cryptography.hazmat import asn1

from attestation.errors import DecodeError
from attestation.evidence import MAX_CERTIFICATE_BYTES
from attestation.fields import PRODUCTS
from attestation.platforms.tsm_certificates import parse_certificate_table

MAX_FILE_BYTES = 64 * 1024
MAX_FILES = 8
MAX_CERTIFICATES = 8  # of all files

VCEK, VLEK = "SEV-VCEK", "SEV-VLEK"

_AUTHORITIES = frozenset(
    f"{start}{line}" for start in ("ARK-", "SEV-", "SEV-VLEK-") for line in PRODUCTS
)
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_COMMON_NAME = "2.5.4.3"
_DER_SEQUENCE = b"\x30"
_DER_STARTS = (b"\x30\x81", b"\x30\x82")  # of 128 bytes or more


@asn1.sequence
class _Attribute:
    name: x509.ObjectIdentifier
    value: asn1.TLV


@asn1.sequence
class _Body:
    version: Annotated[int, asn1.Explicit(0)]
    serial: int
    algorithm: asn1.TLV
    issuer: asn1.TLV
    validity: asn1.TLV
    subject: list[asn1.SetOf[_Attribute]]
    public_key: asn1.TLV
    extensions: Annotated[asn1.TLV, asn1.Explicit(3)]


@asn1.sequence
class _Certificate:
    body: _Body
    algorithm: asn1.TLV
    signature: asn1.TLV


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpCertificates:
    """Certificates by their common names, each DER; nothing in them has been verified."""

    leaf: bytes = b""  # the VCEK's or VLEK's; empty where there is none
    authorities: dict[str, bytes]  # ARK-, SEV-, SEV-VLEK- and the product line


def read_snp_certificates(files: Sequence[bytes]) -> SnpCertificates:
    """The certificates in the contents of at most 8 files of 1 to 65,536 bytes.

    Raises DecodeError for what is no certificate, one of another name, and two of one name that
    differ.
    """
    if len(files) > MAX_FILES:
        raise DecodeError(f"chain: {len(files)} files, at most {MAX_FILES}")
    found: dict[str, bytes] = {}
    for count, der in enumerate(der for data in files for der in _certificates(data)):
        if count == MAX_CERTIFICATES:
            raise DecodeError(f"chain: more than {MAX_CERTIFICATES} certificates")
        name = "leaf" if (full := _name(der)) in (VCEK, VLEK) else full
        if found.setdefault(name, der) != der:
            raise DecodeError(f"chain: two different certificates of {full}")
    leaf = found.pop("leaf", b"")
    return SnpCertificates(leaf=leaf, authorities=found)


def amd_words(data: bytes) -> str:
    """What a file with certificates of AMD's is: ``VCEK``, ``ASK and ARK``; empty if it is none."""
    try:
        names = [_name(der) for der in _certificates(data)]
    except DecodeError:
        return ""
    return " and ".join(map(_amd_word, names))


def is_plain_file(data: bytes, evidence_oids: Iterable[str]) -> bool:
    """Whether this is certificates and none of them has an extension of one of these names."""
    try:
        bodies = [_read(der).body for der in _certificates(data)]
    except DecodeError:
        return False
    marks = [asn1.encode_der(x509.ObjectIdentifier(oid)) for oid in evidence_oids]
    return not any(mark in bytes(body.extensions.data) for body in bodies for mark in marks)


def _amd_word(name: str) -> str:
    if name in (VCEK, VLEK):
        return name.removeprefix("SEV-")
    for start, word in (("SEV-VLEK-", "ASVK"), ("SEV-", "ASK")):
        if name.startswith(start):
            return word
    return "ARK"


def _certificates(data: bytes) -> Iterator[bytes]:
    if not 0 < len(data) <= MAX_FILE_BYTES:
        raise DecodeError(f"chain: {len(data)} bytes, expected 1 to {MAX_FILE_BYTES}")
    if b"-----BEGIN" in data and not data.startswith(_DER_STARTS):  # DER may hold a quote's PEM
        yield from _of_pem(data)
    elif data.startswith(_DER_SEQUENCE):
        yield from _of_der(data)
    else:
        for one in parse_certificate_table(data).values():
            yield from _of_pem(one) if b"-----BEGIN" in one else _of_der(one)


def _of_pem(data: bytes) -> Iterator[bytes]:
    blocks = _PEM.findall(data)
    if not blocks:
        raise DecodeError("chain: PEM without a certificate")
    for block in blocks:
        try:
            yield base64.b64decode(b"".join(block.split()), validate=True)
        except binascii.Error as error:
            raise DecodeError("chain: PEM that is not base64") from error


def _of_der(data: bytes) -> Iterator[bytes]:
    """Each item of a row of DER sequences, by its length; one of less than 128 bytes is none."""
    at = 0
    while at < len(data):
        sizes = {0x81: 1, 0x82: 2}.get(int.from_bytes(data[at + 1 : at + 2], "big"), 0)
        start = at + 2 + sizes
        end = start + int.from_bytes(data[at + 2 : start], "big")
        if not sizes or data[at : at + 1] != _DER_SEQUENCE or end > len(data):
            raise DecodeError("chain: not certificates in DER, one behind the other")
        yield data[at:end]
        at = end


def _read(der: bytes) -> _Certificate:
    try:
        return asn1.decode_der(_Certificate, der)
    except (ValueError, TypeError, OverflowError) as error:
        raise DecodeError("chain: a certificate that cannot be read") from error


def _name(der: bytes) -> str:
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise DecodeError(f"chain: a certificate of {len(der)} bytes, at most 8,192")
    try:
        names = [
            bytes(attribute.value.data).decode("ascii")
            for part in _read(der).body.subject
            for attribute in part.as_list()
            if attribute.name.dotted_string == _COMMON_NAME
        ]
    except (ValueError, TypeError, OverflowError) as error:
        raise DecodeError("chain: a certificate that cannot be read") from error
    if len(names) != 1 or names[0] not in (VCEK, VLEK, *_AUTHORITIES):
        raise DecodeError(
            f"chain: a certificate of {', '.join(names)[:80]!a}, which is none of AMD's VCEK, "
            "VLEK, ASK, ASVK and ARK"
        )
    return names[0]
