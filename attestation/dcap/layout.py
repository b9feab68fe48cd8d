"""The strict shape check of a DCAP quote, before any library sees it.

Rules (Intel's quote formats 3, 4, 5; docs/spec/attestation.md):
1. version and TEE are a known pair: 3 with SGX, 4 or 5 with TDX; key type ECDSA P-256; Intel's QE;
2. every length field is exact and nothing follows the end, except that a TDX quote may be padded
   with zeros to its buffer's size: those are cut off;
3. outer certification type 6 (TDX), inner type 5, authentication data 32 bytes;
4. the certificate part is the canonical PEM of exactly three certificates, with one NUL after it or
   none (both exist in the field).
A quote's identity is the hash of its signed region: its other bytes can be respelled (s to n-s)
without breaking a signature. Nothing is verified here but shape.
"""

import hashlib
from dataclasses import dataclass

from attestation.dcap.pem import decode_chain
from attestation.dcap.reports import (
    SGX_REPORT_SIZE,
    TD10_SIZE,
    TD_REPORT_SIZES,
    Report,
    parse_sgx_report,
    parse_td_report,
)
from attestation.errors import DecodeError, ShapeError, ShapeFault
from attestation.evidence import MAX_QUOTE_BYTES

SGX = "sgx"
TDX = "tdx"

HEADER_SIZE = 48
KEY_TYPE_P256 = 2
TEE_SGX = 0
TEE_TDX = 0x81
INTEL_QE_VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
SIGNATURE_SIZE = 64
AUTH_DATA_SIZE = 32
CERT_TYPE_PEM_CHAIN = 5
CERT_TYPE_QE_REPORT = 6
CHAIN_LENGTH = 3  # PCK leaf, PCK CA, root

_TEE_OF_VERSION = {3: TEE_SGX, 4: TEE_TDX, 5: TEE_TDX}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A quote of canonical shape; nothing in it has been verified."""

    version: int
    platform: str  # SGX or TDX
    report: Report
    signed_region: bytes
    chain: tuple[bytes, ...]  # DER: PCK leaf, PCK CA, root
    canonical: bytes  # the quote without padding

    @property
    def digest(self) -> bytes:
        """SHA-256 of the signed region: what identifies this quote."""
        return hashlib.sha256(self.signed_region).digest()


class _Cursor:
    """Reads a byte string from its start; raises DecodeError at its end."""

    __slots__ = ("at", "data", "name")

    def __init__(self, data: bytes, name: str = "quote") -> None:
        self.data = data
        self.name = name
        self.at = 0

    def take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.data):
            raise ShapeError(
                ShapeFault.NOT_WHOLE, f"{self.name}: {len(self.data)} bytes, ends inside a field"
            )
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")


def parse_quote(data: bytes) -> Quote:
    """Check the shape of `data` (at most 64 KiB) and read it; raises DecodeError."""
    if len(data) > MAX_QUOTE_BYTES:
        raise DecodeError(f"quote: {len(data)} bytes, at most {MAX_QUOTE_BYTES}")
    cursor = _Cursor(data)
    version = _header(cursor)
    body = cursor.take(_body_size(cursor, version))
    signed_region = data[: cursor.at]
    signature_section = cursor.take(cursor.number(4))
    _verify_end(cursor, version)
    chain = _signature_section(_Cursor(signature_section, "signature section"), version)
    is_sgx = version == 3
    return Quote(
        version=version,
        platform=SGX if is_sgx else TDX,
        report=parse_sgx_report(body) if is_sgx else parse_td_report(body),
        signed_region=signed_region,
        chain=chain,
        canonical=data[: cursor.at],
    )


def signed_region(data: bytes) -> bytes:
    """The bytes of a quote that the attestation key signed; raises DecodeError for a bad shape."""
    return parse_quote(data).signed_region


def quote_digest(data: bytes) -> bytes:
    """SHA-256 of the signed region, the quote's identity; raises DecodeError for a bad shape."""
    return parse_quote(data).digest


def _header(cursor: _Cursor) -> int:
    version, key_type, tee = cursor.number(2), cursor.number(2), cursor.number(4)
    cursor.take(4)  # QE SVN, PCE SVN: signed, not judged
    vendor = cursor.take(16)
    cursor.take(20)  # user data: signed, not judged
    if _TEE_OF_VERSION.get(version) != tee:
        raise DecodeError(f"quote: version {version} with TEE type {tee:#x} is not known")
    if key_type != KEY_TYPE_P256:
        raise DecodeError(f"quote: attestation key type {key_type}, expected {KEY_TYPE_P256}")
    if vendor != INTEL_QE_VENDOR:
        raise DecodeError("quote: the quoting enclave is not of Intel's kind")
    return version


def _body_size(cursor: _Cursor, version: int) -> int:
    if version == 3:
        return SGX_REPORT_SIZE
    if version == 4:
        return TD10_SIZE
    kind, size = cursor.number(2), cursor.number(4)
    if TD_REPORT_SIZES.get(kind) != size:
        raise DecodeError(f"quote: body type {kind} of {size} bytes is not known")
    return size


def _verify_end(cursor: _Cursor, version: int) -> None:
    padding = cursor.data[cursor.at :]
    if padding and (version == 3 or padding.count(0) != len(padding)):
        raise ShapeError(ShapeFault.NOT_WHOLE, f"quote: {len(padding)} bytes after the end")


def _signature_section(cursor: _Cursor, version: int) -> tuple[bytes, ...]:
    cursor.take(2 * SIGNATURE_SIZE)  # ISV signature, attestation key: the library's to verify
    if version != 3:
        kind, size = cursor.number(2), cursor.number(4)
        if kind != CERT_TYPE_QE_REPORT:
            raise ShapeError(
                ShapeFault.CHAIN, f"quote: outer certification type {kind}, expected 6"
            )
        if size != len(cursor.data) - cursor.at:
            raise DecodeError("quote: outer certification length is not exact")
    cursor.take(SGX_REPORT_SIZE + SIGNATURE_SIZE)  # QE report and its signature: the library's
    auth_size = cursor.number(2)
    if auth_size != AUTH_DATA_SIZE:
        raise DecodeError(f"quote: {auth_size} bytes of authentication data, expected 32")
    cursor.take(AUTH_DATA_SIZE)
    kind, size = cursor.number(2), cursor.number(4)
    if kind != CERT_TYPE_PEM_CHAIN:
        raise ShapeError(ShapeFault.CHAIN, f"quote: certification type {kind}, expected 5")
    if size != len(cursor.data) - cursor.at:
        raise DecodeError("quote: certification length is not exact")
    try:
        return decode_chain(cursor.take(size).removesuffix(b"\0"), CHAIN_LENGTH)
    except DecodeError as error:
        raise ShapeError(ShapeFault.CHAIN, str(error)) from error
