"""The software quoting enclave's other kind of quote: TDX, version 4. Development only.

Rules: byte layout as in docs/spec/attestation.md. MRTD is the measurement of a manifest's files;
all that a host chooses is zero, and so are the run-time registers. What a quoting enclave adds is
the same as for SGX (`software_quote`).
"""

import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from attestation.dcap.layout import (
    CERT_TYPE_QE_REPORT,
    INTEL_QE_VENDOR,
    KEY_TYPE_P256,
    SIGNATURE_SIZE,
    TEE_TDX,
)
from attestation.dcap.reports import parse_td_report
from attestation.platforms.software_collateral import TDX_SVN
from attestation.platforms.software_pki import sign_raw

_ATTRIBUTES = bytes.fromhex("0000001000000000")  # SEPT_VE_DISABLE, without which none is accepted
_DEBUG_ATTRIBUTES = bytes.fromhex("0100001000000000")
_XFAM = bytes.fromhex("e702060000000000")


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestReport:
    """What a TD report says of a guest: its MRTD of 48 bytes, 64 bytes of report data."""

    mr_td: bytes
    report_data: bytes
    rtmrs: bytes = bytes(192)  # all four
    debug: bool = False


def encode_td_report(report: GuestReport) -> bytes:
    """The 584 bytes of a TD report."""
    return b"".join(
        (
            TDX_SVN,
            bytes(104),  # module: its measurement, signer, attributes
            _DEBUG_ATTRIBUTES if report.debug else _ATTRIBUTES,
            _XFAM,
            report.mr_td,
            bytes(144),  # MRCONFIGID, MROWNER, MROWNERCONFIG
            report.rtmrs,
            report.report_data,
        )
    )


def td_measurement(mr_td: bytes) -> bytes:
    """The identity's measurement (48 bytes) of a software TD with this MRTD."""
    report = GuestReport(mr_td=mr_td, report_data=bytes(64))
    return parse_td_report(encode_td_report(report)).measurement


def make_td_quote(
    attestation_key: ec.EllipticCurvePrivateKey, qe_part: bytes, report: GuestReport
) -> bytes:
    """A quote over `report`; `qe_part` is what `software_quote.make_qe_part` gave."""
    header = struct.pack("<HHIHH", 4, KEY_TYPE_P256, TEE_TDX, 0, 0) + INTEL_QE_VENDOR + bytes(20)
    signed = header + encode_td_report(report)
    public, certification = qe_part[:SIGNATURE_SIZE], qe_part[SIGNATURE_SIZE:]
    section = b"".join(
        (
            sign_raw(attestation_key, signed),
            public,
            struct.pack("<HI", CERT_TYPE_QE_REPORT, len(certification)),
            certification,
        )
    )
    return signed + struct.pack("<I", len(section)) + section
