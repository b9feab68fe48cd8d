"""The software platform's three ways to make evidence: SGX and TDX quotes, SEV-SNP reports.

Development only. Rules: what does not change is read once; evidence is then one signature over the
enclave's report with the report data asked for.
"""

from dataclasses import dataclass, replace
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.evidence import Evidence, EvidenceKind
from attestation.platforms.software_enclave import SoftwareEnclave
from attestation.platforms.software_files import (
    ATTESTATION_KEY,
    CHIP_ID,
    QE_PART,
    SNP,
    TDX,
    VCEK_CERTIFICATE,
    VCEK_KEY,
    PlatformFiles,
)
from attestation.platforms.software_quote import EnclaveReport, make_quote
from attestation.platforms.software_snp import SnpGuest, make_snp_report
from attestation.platforms.software_tdx import GuestReport, make_td_quote

_NO_DATA = bytes(64)


class Quoting(Protocol):
    """Makes evidence over 64 bytes of report data; nothing fails."""

    def evidence(self, report_data: bytes) -> Evidence:
        """Fresh evidence."""
        ...


@dataclass(frozen=True, slots=True)
class SgxQuoting:
    """Quotes of version 3."""

    key: ec.EllipticCurvePrivateKey
    qe_part: bytes
    report: EnclaveReport

    def evidence(self, report_data: bytes) -> Evidence:
        """A quote over the enclave's report with this report data."""
        report = replace(self.report, report_data=report_data)
        return Evidence(EvidenceKind.DCAP, make_quote(self.key, self.qe_part, report))


@dataclass(frozen=True, slots=True)
class TdxQuoting:
    """Quotes of version 4."""

    key: ec.EllipticCurvePrivateKey
    qe_part: bytes
    mr_td: bytes

    def evidence(self, report_data: bytes) -> Evidence:
        """A quote over the guest's report with this report data."""
        report = GuestReport(mr_td=self.mr_td, report_data=report_data)
        return Evidence(EvidenceKind.DCAP, make_td_quote(self.key, self.qe_part, report))


@dataclass(frozen=True, slots=True)
class SnpQuoting:
    """Reports of version 3, with the certificate of the VCEK."""

    key: ec.EllipticCurvePrivateKey
    certificate: bytes
    guest: SnpGuest

    def evidence(self, report_data: bytes) -> Evidence:
        """A report of the guest with this report data."""
        report = make_snp_report(self.key, replace(self.guest, report_data=report_data))
        return Evidence(EvidenceKind.SNP, report, self.certificate)


def open_quoting(files: PlatformFiles, enclave: SoftwareEnclave, product_id: int) -> Quoting:
    """Load what quotes for `enclave`; raises PlatformError."""
    if enclave.tee == SNP:
        guest = SnpGuest(
            measurement=enclave.launched,
            report_data=_NO_DATA,
            chip_id=files.read(CHIP_ID),
            id_key_digest=enclave.signer,
            image_id=product_id.to_bytes(16, "big"),
            guest_svn=enclave.svn,
        )
        certificate = files.read_certificate(VCEK_CERTIFICATE).public_bytes(Encoding.DER)
        return SnpQuoting(files.read_key(VCEK_KEY), certificate, guest)
    key, qe_part = files.read_key(ATTESTATION_KEY), files.read(QE_PART)
    if enclave.tee == TDX:
        return TdxQuoting(key, qe_part, enclave.launched)
    report = EnclaveReport(
        mr_enclave=enclave.launched,
        mr_signer=enclave.signer,
        product_id=enclave.product_id,
        svn=enclave.svn,
        report_data=_NO_DATA,
    )
    return SgxQuoting(key, qe_part, report)
