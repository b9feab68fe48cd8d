"""The software quoting enclave: SGX quotes of version 3. Development only.

Rules: byte layout as in docs/spec/attestation.md. What follows the ISV signature is constant for
one quoting enclave and is made once; a quote is then one signature and a concatenation. Reserved
bytes are zero, signatures have low s, the certificate part is canonical.
"""

import hashlib
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.dcap.layout import (
    AUTH_DATA_SIZE,
    CERT_TYPE_PEM_CHAIN,
    INTEL_QE_VENDOR,
    KEY_TYPE_P256,
    TEE_SGX,
)
from attestation.dcap.pem import encode_chain
from attestation.platforms.software_collateral import (
    CPU_SVN,
    PCE_SVN,
    QE_PRODUCT_ID,
    QE_SVN,
)
from attestation.platforms.software_pki import Authority, raw_public_key, sign_raw

AUTH_DATA = bytes(range(AUTH_DATA_SIZE))

_XFRM = "e700000000000000"
_QE_ATTRIBUTES = bytes.fromhex("1500000000000000" + _XFRM)
_APP_ATTRIBUTES = bytes.fromhex("0500000000000000" + _XFRM)
_DEBUG_ATTRIBUTES = bytes.fromhex("0700000000000000" + _XFRM)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnclaveReport:
    """What a report says of an enclave: digests of 32 bytes, 64 bytes of report data."""

    mr_enclave: bytes
    mr_signer: bytes
    product_id: int
    svn: int
    report_data: bytes
    debug: bool = False


def encode_report(report: EnclaveReport, attributes: bytes = b"") -> bytes:
    """The 384 bytes of an SGX enclave report."""
    if not attributes:
        attributes = _DEBUG_ATTRIBUTES if report.debug else _APP_ATTRIBUTES
    return b"".join(
        (
            CPU_SVN,
            bytes(32),
            attributes,
            report.mr_enclave,
            bytes(32),
            report.mr_signer,
            bytes(96),
            struct.pack("<HH", report.product_id, report.svn),
            bytes(60),
            report.report_data,
        )
    )


def make_qe_part(
    authority: Authority, attestation_key: ec.EllipticCurvePrivateKey, qe_signer: bytes
) -> bytes:
    """All that follows the ISV signature: attestation key, QE report, its signature, the chain."""
    public = raw_public_key(attestation_key)
    report = EnclaveReport(
        mr_enclave=hashlib.sha256(b"sealedger software quoting enclave v1\n").digest(),
        mr_signer=qe_signer,
        product_id=QE_PRODUCT_ID,
        svn=QE_SVN,
        report_data=hashlib.sha256(public + AUTH_DATA).digest() + bytes(32),
    )
    body = encode_report(report, _QE_ATTRIBUTES)
    certificates = (authority.pck, authority.pck_ca, authority.root)
    chain = encode_chain(tuple(c.public_bytes(Encoding.DER) for c in certificates)) + b"\0"
    return b"".join(
        (
            public,
            body,
            sign_raw(authority.pck_key, body),
            struct.pack("<H", len(AUTH_DATA)),
            AUTH_DATA,
            struct.pack("<HI", CERT_TYPE_PEM_CHAIN, len(chain)),
            chain,
        )
    )


def make_quote(
    attestation_key: ec.EllipticCurvePrivateKey, qe_part: bytes, report: EnclaveReport
) -> bytes:
    """A quote over `report`: header, report, length, ISV signature, `qe_part`."""
    header = struct.pack("<HHIHH", 3, KEY_TYPE_P256, TEE_SGX, QE_SVN, PCE_SVN)
    signed = header + INTEL_QE_VENDOR + bytes(20) + encode_report(report)
    signature = sign_raw(attestation_key, signed)
    return signed + struct.pack("<I", len(signature) + len(qe_part)) + signature + qe_part
