"""Which platform a quote comes from: the Intel SGX extension of its PCK leaf. Nothing is verified.

Rules: the extension (OID 1.2.840.113741.1.13.1) is a DER sequence of {OID, value} pairs; only its
FMSPC (.4, 6 bytes) and PPID (.1, 16 bytes) are read, definite lengths only, both exactly once. A
store uses this to find the collateral for a quote; `verify` to refuse another platform's.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509

from attestation.dcap.certificates import load_certificate
from attestation.dcap.layout import Quote
from attestation.errors import DecodeError

SGX_EXTENSION = x509.ObjectIdentifier("1.2.840.113741.1.13.1")

_OID_BYTES = bytes.fromhex("2a864886f84d010d01")  # 1.2.840.113741.1.13.1
_PPID_OID = _OID_BYTES + b"\x01"
_FMSPC_OID = _OID_BYTES + b"\x04"
_SEQUENCE, _OID, _OCTETS = 0x30, 0x06, 0x04
_MAX_FIELDS = 64


@dataclass(frozen=True, slots=True)
class PckPlatform:
    """The platform that a PCK certificate names."""

    fmspc: bytes  # 6 bytes, the processor family
    ppid: bytes  # 16 bytes, the machine


def read_platform(quote: Quote) -> PckPlatform:
    """Read the platform from a quote's leaf certificate; raises DecodeError."""
    certificate = load_certificate(quote.chain[0])
    try:
        extension = certificate.extensions.get_extension_for_oid(SGX_EXTENSION).value
    except Exception as error:  # the parser has no one family of errors
        raise DecodeError("PCK certificate: no SGX extension") from error
    if not isinstance(extension, x509.UnrecognizedExtension):
        raise DecodeError("PCK certificate: no SGX extension")
    fields = _fields(extension.value)
    fmspc, ppid = fields.get(_FMSPC_OID, b""), fields.get(_PPID_OID, b"")
    if len(fmspc) != 6 or len(ppid) != 16:
        raise DecodeError("PCK certificate: no FMSPC of 6 bytes and PPID of 16")
    return PckPlatform(fmspc, ppid)


def _fields(der: bytes) -> dict[bytes, bytes]:
    outer = list(_items(der))
    if len(outer) != 1 or outer[0][0] != _SEQUENCE:
        raise DecodeError("PCK certificate: the SGX extension is not one sequence")
    fields: dict[bytes, bytes] = {}
    for tag, body in _items(outer[0][1]):
        pair = list(_items(body)) if tag == _SEQUENCE else []
        if len(pair) != 2 or pair[0][0] != _OID or pair[0][1] in fields:
            raise DecodeError("PCK certificate: the SGX extension is not a list of pairs")
        fields[pair[0][1]] = pair[1][1] if pair[1][0] == _OCTETS else b""
    return fields


def _items(der: bytes) -> Iterator[tuple[int, bytes]]:
    """The (tag, content) of each definite-length DER item, one after the other."""
    at = count = 0
    while at < len(der):
        count += 1
        if count > _MAX_FIELDS or at + 2 > len(der):
            raise DecodeError("PCK certificate: bad DER in the SGX extension")
        tag, length = der[at], der[at + 1]
        at += 2
        if length >= 0x80:
            size = length & 0x7F
            if not 1 <= size <= 2 or at + size > len(der):
                raise DecodeError("PCK certificate: bad DER in the SGX extension")
            length = int.from_bytes(der[at : at + size], "big")
            at += size
        if at + length > len(der):
            raise DecodeError("PCK certificate: bad DER in the SGX extension")
        yield tag, der[at : at + length]
        at += length
