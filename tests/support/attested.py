"""A software platform in memory: quotes, collateral and rules for tests, every knob in reach."""

from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.collateral import DcapCollateral, encode_collateral
from attestation.evidence import Evidence, EvidenceKind, encode_evidence
from attestation.platforms.software import QE_SIGNER
from attestation.platforms.software_collateral import (
    CPU_SVN,
    FMSPC,
    PCE_SVN,
    CollateralOptions,
    make_collateral,
)
from attestation.platforms.software_der import PlatformNumbers
from attestation.platforms.software_pki import Authority, new_authority, new_key, signer_pin
from attestation.platforms.software_quote import EnclaveReport, make_qe_part, make_quote
from attestation.rules import VerificationRules

NOW_S = 1_800_000_000
REPORT = EnclaveReport(
    mr_enclave=b"\x11" * 32,
    mr_signer=b"\x22" * 32,
    product_id=7,
    svn=3,
    report_data=bytes(range(64)),
)
PPID = bytes(range(16))


@dataclass(frozen=True)
class SoftwareWorld:
    """One software platform: its authority, its quoting enclave, and what it signs."""

    authority: Authority
    attestation_key: ec.EllipticCurvePrivateKey
    qe_part: bytes

    @property
    def root(self) -> bytes:
        """The root certificate, DER."""
        return self.authority.root.public_bytes(Encoding.DER)

    @property
    def rules(self) -> VerificationRules:
        """Rules that believe this platform and no other."""
        return VerificationRules(
            roots=(self.root,), tcb_signer_pins=(signer_pin(self.authority.tcb_signer),)
        )

    def collateral(self, options: CollateralOptions | None = None) -> DcapCollateral:
        """Signed collateral; UpToDate from NOW_S on if nothing else is asked for."""
        wanted = options or CollateralOptions(issued_s=NOW_S)
        return make_collateral(self.authority, QE_SIGNER, wanted)

    def collateral_bytes(self, options: CollateralOptions | None = None) -> bytes:
        """The same, encoded."""
        return encode_collateral(self.collateral(options))

    def quote(self, report: EnclaveReport = REPORT) -> bytes:
        """A quote over `report`."""
        return make_quote(self.attestation_key, self.qe_part, report)

    def evidence(self, report: EnclaveReport = REPORT) -> bytes:
        """Encoded evidence over `report`."""
        return evidence_of(self.quote(report))

    def debug_evidence(self) -> bytes:
        """Encoded evidence of a debug enclave."""
        return self.evidence(replace(REPORT, debug=True))


def evidence_of(quote: bytes) -> bytes:
    """Encoded evidence around any quote bytes."""
    return encode_evidence(Evidence(EvidenceKind.DCAP, quote))


def make_world(now_s: int = NOW_S) -> SoftwareWorld:
    """A platform with fresh random keys."""
    numbers = PlatformNumbers(ppid=PPID, fmspc=FMSPC, cpu_svn=CPU_SVN, pce_svn=PCE_SVN)
    authority = new_authority(numbers, now_s)
    attestation_key = new_key()
    return SoftwareWorld(
        authority, attestation_key, make_qe_part(authority, attestation_key, QE_SIGNER)
    )
