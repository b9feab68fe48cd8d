"""The certificates that a host hands to a SEV-SNP guest, as one table.

Rules (AMD 56421, GHCB specification, section 4.1.8.1; what the kernel calls `auxblob`):
1. A table of entries of 24 bytes: 16 bytes of GUID in the order in which a GUID is written, offset
   and length as little-endian 32-bit numbers; an entry of zeros ends it.
2. An offset counts from the start of the table; what it names lies behind the table and inside the
   data. No GUID stands twice, and none is zero but the last.
3. Only the certificate of the key that signed is taken from here. The others are the verifier's
   business, and it never takes them from a prover.
A host may hand over PEM where DER is meant: both are read, DER comes out.
"""

import ssl
import struct
from pathlib import Path
from uuid import UUID

from attestation.errors import DecodeError, PlatformError
from attestation.evidence import MAX_CERTIFICATE_BYTES
from attestation.snp.endorsement_key import parse_endorsement_key

MAX_TABLE_BYTES = 32 * 1024  # the kernel gives no more
MAX_ENTRIES = 64

VCEK_GUID = UUID("63da758d-e664-4564-adc5-f4b93be8accd").bytes
VLEK_GUID = UUID("a8074bc2-a25a-483e-aae6-39c045a0b8a1").bytes

_ENTRY = struct.Struct("<16sII")
_END = bytes(_ENTRY.size)
_PEM = b"-----BEGIN CERTIFICATE-----"


def parse_certificate_table(data: bytes) -> dict[bytes, bytes]:
    """GUID (16 bytes) to what it names (rules 1 and 2); no data, no entries. Raises DecodeError."""
    if len(data) > MAX_TABLE_BYTES:
        raise DecodeError(f"certificate table: {len(data)} bytes, at most {MAX_TABLE_BYTES}")
    entries: list[tuple[bytes, int, int]] = []
    at = 0
    while data and data[at : at + _ENTRY.size] != _END:
        if at + _ENTRY.size > len(data) or len(entries) == MAX_ENTRIES:
            raise DecodeError("certificate table: it has no end")
        entries.append(_ENTRY.unpack_from(data, at))
        at += _ENTRY.size
    behind = at + _ENTRY.size
    found: dict[bytes, bytes] = {}
    for guid, offset, length in entries:
        if guid == bytes(16) or guid in found:
            raise DecodeError("certificate table: an entry without a GUID, or two with the same")
        if not behind <= offset < offset + length <= len(data):
            raise DecodeError(f"certificate table: {length} bytes at {offset} of {len(data)}")
        found[guid] = data[offset : offset + length]
    return found


def certificate_in_table(table: bytes, guid: bytes) -> bytes:
    """The DER of the VCEK or VLEK under `guid`, empty if there is none; raises DecodeError."""
    found = parse_certificate_table(table).get(guid)
    return b"" if found is None else decode_certificate(found)


def decode_certificate(data: bytes) -> bytes:
    """The DER of a VCEK or VLEK in DER or PEM, of at most 8 KiB; raises DecodeError."""
    if len(data) > MAX_CERTIFICATE_BYTES:
        raise DecodeError(f"certificate: {len(data)} bytes, at most {MAX_CERTIFICATE_BYTES}")
    if data.lstrip().startswith(_PEM):
        try:
            data = ssl.PEM_cert_to_DER_cert(data.decode("ascii"))
        except ValueError as error:
            raise DecodeError("certificate: PEM that cannot be read") from error
    parse_endorsement_key(data)
    return data


def read_certificate(path: Path) -> bytes:
    """The DER of the VCEK or VLEK in a file; raises PlatformError naming the file."""
    try:
        with path.open("rb") as file:
            return decode_certificate(file.read(MAX_CERTIFICATE_BYTES + 1))
    except OSError as error:
        raise PlatformError(f"{path}: {error.strerror}") from error
    except DecodeError as error:
        raise PlatformError(f"{path}: {error}") from error
