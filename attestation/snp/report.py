"""The strict shape check of an AMD SEV-SNP attestation report. Nothing is verified but shape.

Rules (AMD 56860, ATTESTATION_REPORT; docs/spec/attestation.md):
1. exactly 1,184 bytes of version 2, 3 or 5; integers are little endian;
2. what a version reserves is zero; bit 17 of the guest policy is one, its bits above 25 zero;
3. the guest asked for it: a VMPL of 0 to 3 (the host can ask too, and has 0xffffffff there);
4. the signature is ECDSA P-384 with SHA-384, made by a VCEK or a VLEK, its halves fill 48 of their
   72 bytes;
5. there is an author key digest exactly if the author key is said to be there.
The signature covers the first 672 bytes; SHA-256 of them identifies a report.
"""

import hashlib
from dataclasses import dataclass

from attestation.errors import DecodeError, ShapeError, ShapeFault
from attestation.evidence import SNP_REPORT_BYTES
from attestation.fields import MAX_VMPL

VERSIONS = (2, 3, 5)
SIGNED_SIZE = 0x2A0
SIGNATURE_ALGORITHM = 1  # ECDSA P-384 with SHA-384
SIGNED_BY_VCEK = 0
SIGNED_BY_VLEK = 1
SIGNATURE_PART = 72  # bytes of r, then of s

DEBUG_BIT = 19

_POLICY_ONE_BIT = 17
_POLICY_BITS = 26
_NUMBER_SIZE = 48
_AUTHOR_KEY, _MASK_CHIP_KEY, _SIGNING_KEY_SHIFT, _SIGNING_KEY_MASK = 1, 2, 2, 7
_FLAGS_BITS = 5
_S_AT = SIGNED_SIZE + SIGNATURE_PART
_SIGNATURE_END = _S_AT + SIGNATURE_PART
_ALWAYS_ZERO = (
    (0x04C, 0x050),
    (0x1EB, 0x1EC),
    (0x1EF, 0x1F0),
    (0x208, SIGNED_SIZE),
    (SIGNED_SIZE + _NUMBER_SIZE, _S_AT),
    (_S_AT + _NUMBER_SIZE, SNP_REPORT_BYTES),
)
_ZERO_IN_VERSION = {
    2: (*_ALWAYS_ZERO, (0x188, 0x1A0), (0x1F8, 0x208)),  # no CPUID, no mitigation vectors
    3: (*_ALWAYS_ZERO, (0x18B, 0x1A0), (0x1F8, 0x208)),
    5: (*_ALWAYS_ZERO, (0x18B, 0x1A0)),
}


@dataclass(frozen=True, slots=True)
class Processor:
    """What CPUID says of the processor."""

    family: int
    model: int
    stepping: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpReport:
    """A report of good shape; nothing in it has been verified. A TCB is 8 raw bytes."""

    version: int
    guest_svn: int  # 32 bits
    guest_policy: int  # 64 bits
    family_id: bytes  # 16
    image_id: bytes  # 16
    vmpl: int  # 0 to 3
    current_tcb: bytes
    platform_info: int  # 64 bits
    has_vlek_signature: bool
    is_chip_key_masked: bool
    report_data: bytes  # 64
    measurement: bytes  # 48
    host_data: bytes  # 32
    id_key_digest: bytes  # 48, or empty where no id key signed the launch
    author_key_digest: bytes  # 48, or empty
    reported_tcb: bytes
    processor: Processor | None  # from version 3 on
    chip_id: bytes  # 64, or empty where it is masked
    committed_tcb: bytes
    launch_tcb: bytes
    signed_region: bytes  # 672
    signature: tuple[int, int]  # r, s

    @property
    def digest(self) -> bytes:
        """SHA-256 of the signed region: what identifies this report."""
        return hashlib.sha256(self.signed_region).digest()

    @property
    def allows_debug(self) -> bool:
        """Whether the guest policy lets the host read and write the guest's memory (bit 19)."""
        return bool(self.guest_policy >> DEBUG_BIT & 1)


def parse_report(data: bytes) -> SnpReport:
    """Check the shape of `data` and read it; raises DecodeError."""
    if len(data) != SNP_REPORT_BYTES:
        raise ShapeError(
            ShapeFault.NOT_WHOLE, f"report: {len(data)} bytes, expected {SNP_REPORT_BYTES}"
        )
    version = _number(data, 0x000, 4)
    if version not in VERSIONS:
        raise DecodeError(f"report: version {version} is not known")
    for start, end in _ZERO_IN_VERSION[version]:
        if any(data[start:end]):
            raise DecodeError(f"report: reserved bytes {start:#x} to {end - 1:#x} are not zero")
    flags = _number(data, 0x048, 4)
    return SnpReport(
        version=version,
        guest_svn=_number(data, 0x004, 4),
        guest_policy=_policy(data),
        family_id=data[0x010:0x020],
        image_id=data[0x020:0x030],
        vmpl=_vmpl(data),
        current_tcb=data[0x038:0x040],
        platform_info=_number(data, 0x040, 8),
        has_vlek_signature=_is_by_vlek(data, flags),
        is_chip_key_masked=bool(flags & _MASK_CHIP_KEY),
        report_data=data[0x050:0x090],
        measurement=data[0x090:0x0C0],
        host_data=data[0x0C0:0x0E0],
        id_key_digest=_unless_zero(data[0x0E0:0x110]),
        author_key_digest=_author_key_digest(data, flags),
        reported_tcb=data[0x180:0x188],
        processor=None if version == 2 else Processor(data[0x188], data[0x189], data[0x18A]),
        chip_id=_unless_zero(data[0x1A0:0x1E0]),
        committed_tcb=data[0x1E0:0x1E8],
        launch_tcb=data[0x1F0:0x1F8],
        signed_region=data[:SIGNED_SIZE],
        signature=(
            _number(data, SIGNED_SIZE, SIGNATURE_PART),
            _number(data, _S_AT, SIGNATURE_PART),
        ),
    )


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")


def _unless_zero(field: bytes) -> bytes:
    return field if any(field) else b""


def _policy(data: bytes) -> int:
    policy = _number(data, 0x008, 8)
    if not policy >> _POLICY_ONE_BIT & 1 or policy >> _POLICY_BITS:
        raise DecodeError(f"report: guest policy {policy:#x} has reserved bits that are wrong")
    return policy


def _vmpl(data: bytes) -> int:
    vmpl = _number(data, 0x030, 4)
    if vmpl > MAX_VMPL:
        raise ShapeError(ShapeFault.NOT_BY_GUEST, f"report: VMPL {vmpl:#x}: no guest asked for it")
    return vmpl


def _is_by_vlek(data: bytes, flags: int) -> bool:
    algorithm = _number(data, 0x034, 4)
    signer = flags >> _SIGNING_KEY_SHIFT & _SIGNING_KEY_MASK
    if algorithm != SIGNATURE_ALGORITHM:
        raise DecodeError(f"report: signature algorithm {algorithm}, expected 1")
    if flags >> _FLAGS_BITS or signer not in (SIGNED_BY_VCEK, SIGNED_BY_VLEK):
        raise DecodeError(f"report: flags {flags:#x} name no VCEK and no VLEK")
    return signer == SIGNED_BY_VLEK


def _author_key_digest(data: bytes, flags: int) -> bytes:
    digest = _unless_zero(data[0x110:0x140])
    if bool(digest) != bool(flags & _AUTHOR_KEY):
        raise DecodeError("report: the author key digest does not fit its flag")
    return digest
