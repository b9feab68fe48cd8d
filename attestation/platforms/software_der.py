"""A writer for the little DER that the SGX extension of a PCK certificate needs. Development only.

Rules: definite lengths, non-negative integers, object identifiers of the full dotted form. Reading
is `attestation.dcap.pck`.
"""

from dataclasses import dataclass

SGX_EXTENSION_OID = "1.2.840.113741.1.13.1"

_INTEGER, _OCTETS, _OID, _ENUMERATED, _SEQUENCE = 0x02, 0x04, 0x06, 0x0A, 0x30


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformNumbers:
    """What a PCK certificate says of its machine."""

    ppid: bytes  # 16 bytes
    fmspc: bytes  # 6 bytes
    cpu_svn: bytes  # 16 component SVNs
    pce_svn: int  # below 32,768: a third byte would be refused


def encode_sgx_extension(numbers: PlatformNumbers) -> bytes:
    """The value of the SGX extension: PPID, TCB, PCEID 0, FMSPC, SGX type 0."""
    components = [(f"2.{i}", _integer(svn)) for i, svn in enumerate(numbers.cpu_svn, start=1)]
    tcb = [
        *components,
        ("2.17", _integer(numbers.pce_svn)),
        ("2.18", _item(_OCTETS, numbers.cpu_svn)),
    ]
    fields = [
        ("1", _item(_OCTETS, numbers.ppid)),
        ("2", _pairs(tcb)),
        ("3", _item(_OCTETS, bytes(2))),
        ("4", _item(_OCTETS, numbers.fmspc)),
        ("5", _item(_ENUMERATED, bytes(1))),
    ]
    return _pairs(fields)


def _pairs(fields: list[tuple[str, bytes]]) -> bytes:
    parts = [
        _item(_SEQUENCE, _oid(f"{SGX_EXTENSION_OID}.{suffix}") + value) for suffix, value in fields
    ]
    return _item(_SEQUENCE, b"".join(parts))


def _item(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _integer(value: int) -> bytes:
    # One bit more than the number has, so that a high first bit never reads as a sign.
    return _item(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return _item(_OID, b"".join(_base128(arc) for arc in (40 * first + second, *rest)))


def _base128(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(0x80 | (value & 0x7F))
    return bytes(reversed(digits))
