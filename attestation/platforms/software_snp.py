"""The software platform's SEV-SNP reports, version 3. Development only.

Rules: byte layout as in docs/spec/attestation.md. MEASUREMENT is that of a manifest's files,
ID_KEY_DIGEST that of its signer's name, IMAGE_ID its product id, GUEST_SVN its SVN; the host
chooses nothing. The processor is a Milan that does not exist.
"""

import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from attestation.evidence import SNP_REPORT_BYTES
from attestation.fields import SnpTcb
from attestation.platforms.software_snp_pki import LINE
from attestation.snp.products import encode_tcb
from attestation.snp.report import SIGNATURE_ALGORITHM, SIGNATURE_PART, SIGNED_BY_VLEK

TCB = SnpTcb(boot_loader=3, tee=0, snp=8, microcode=115)
GUEST_POLICY = 0x30000  # bit 17 is always one; SMT is allowed
DEBUG_POLICY = GUEST_POLICY | 1 << 19

_PLATFORM_INFO = 0x25  # SMT, ECC, aliases checked
_FIRMWARE = bytes((1, 55, 1, 0))  # build, minor, major
_ECDSA = ec.ECDSA(hashes.SHA384())


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpGuest:
    """What a report says of a guest and its platform; sizes as in the report."""

    measurement: bytes  # 48
    report_data: bytes  # 64
    chip_id: bytes  # 64
    id_key_digest: bytes = bytes(48)
    image_id: bytes = bytes(16)
    family_id: bytes = bytes(16)
    host_data: bytes = bytes(32)
    guest_svn: int = 0
    guest_policy: int = GUEST_POLICY
    vmpl: int = 0
    flags: int = 0
    tcb: SnpTcb = TCB
    line: str = LINE
    processor: tuple[int, int, int] = (0x19, 0x01, 0x01)  # family, model, stepping


VLEK_FLAGS = SIGNED_BY_VLEK << 2


def make_snp_report(key: ec.EllipticCurvePrivateKey, guest: SnpGuest) -> bytes:
    """The 1,184 bytes of a report that `key` (P-384) signs."""
    signed = encode_signed_region(guest)
    r, s = decode_dss_signature(key.sign(signed, _ECDSA))
    numbers = b"".join(number.to_bytes(SIGNATURE_PART, "little") for number in (r, s))
    return (signed + numbers).ljust(SNP_REPORT_BYTES, b"\0")


def encode_signed_region(guest: SnpGuest) -> bytes:
    """The first 672 bytes of a report."""
    tcb = encode_tcb(guest.tcb, guest.line)
    return b"".join(
        (
            struct.pack("<IIQ", 3, guest.guest_svn, guest.guest_policy),
            guest.family_id,
            guest.image_id,
            struct.pack("<II", guest.vmpl, SIGNATURE_ALGORITHM),
            tcb,  # current
            struct.pack("<QII", _PLATFORM_INFO, guest.flags, 0),
            guest.report_data,
            guest.measurement,
            guest.host_data,
            guest.id_key_digest,
            bytes(48),  # no author key
            bytes(32),  # report id
            b"\xff" * 32,  # no migration agent
            tcb,  # reported
            bytes(guest.processor),
            bytes(21),
            guest.chip_id,
            tcb,  # committed
            _FIRMWARE,
            _FIRMWARE,
            tcb,  # at launch
            bytes(168),
        )
    )
