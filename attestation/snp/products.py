"""AMD's product lines: which processors and certificates are of which, and how each spells a TCB.

Rules (AMD 56860, TCB_VERSION and CPUID; 57230, productName): a line is what has one root here,
Milan, Genoa or Turin. Bergamo and Siena processors hang under the root of Genoa. Bytes of a TCB
that its line reserves are zero.
"""

from attestation.errors import DecodeError
from attestation.fields import SnpTcb

TCB_SIZE = 8

_MILAN, _GENOA, _TURIN = "Milan", "Genoa", "Turin"
_LINE_OF_NAME = {
    _MILAN: _MILAN,
    _GENOA: _GENOA,
    "Bergamo": _GENOA,
    "Siena": _GENOA,
    _TURIN: _TURIN,
}
# CPUID family and inclusive range of models
_LINE_OF_MODELS = (
    (0x19, 0x00, 0x0F, _MILAN),
    (0x19, 0x10, 0x1F, _GENOA),
    (0x19, 0xA0, 0xAF, _GENOA),
    (0x1A, 0x00, 0x11, _TURIN),
)


def line_of_processor(family: int, model: int) -> str | None:
    """The product line of a CPUID family and model, None where it is not known."""
    for known_family, first, last, line in _LINE_OF_MODELS:
        if family == known_family and first <= model <= last:
            return line
    return None


def line_of_name(product_name: str) -> str | None:
    """The product line of a certificate's productName, such as ``Milan-B0``; None if unknown."""
    return _LINE_OF_NAME.get(product_name.partition("-")[0])


def decode_tcb(raw: bytes, line: str) -> SnpTcb:
    """Read the 8 bytes of a TCB_VERSION as `line` lays them out.

    Raises DecodeError where a byte is set that the line reserves.
    """
    if len(raw) != TCB_SIZE:
        raise DecodeError(f"TCB: {len(raw)} bytes, expected {TCB_SIZE}")
    if line == _TURIN:
        reserved = raw[4:7]
        tcb = SnpTcb(fmc=raw[0], boot_loader=raw[1], tee=raw[2], snp=raw[3], microcode=raw[7])
    else:
        reserved = raw[2:6]
        tcb = SnpTcb(boot_loader=raw[0], tee=raw[1], snp=raw[6], microcode=raw[7])
    if any(reserved):
        raise DecodeError(f"TCB: {raw.hex()} sets bytes that {line} reserves")
    return tcb


def encode_tcb(tcb: SnpTcb, line: str) -> bytes:
    """The 8 bytes of a TCB_VERSION as `line` lays them out; `fmc` exists on Turin only."""
    if line == _TURIN:
        return bytes((tcb.fmc, tcb.boot_loader, tcb.tee, tcb.snp, 0, 0, 0, tcb.microcode))
    return bytes((tcb.boot_loader, tcb.tee, 0, 0, 0, 0, tcb.snp, tcb.microcode))
