"""A software stand-in for AMD in memory: authorities, keys, reports, every knob in reach."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.collateral import SnpCollateral
from attestation.errors import CannotDecideError, EvidenceError
from attestation.evidence import Evidence, EvidenceKind
from attestation.fields import SnpTcb
from attestation.platforms.software_collateral import CollateralOptions
from attestation.platforms.software_snp import TCB, SnpGuest, make_snp_report
from attestation.platforms.software_snp_pki import Issuer, LeafNumbers, new_rsa_key
from attestation.rules import VerificationRules
from attestation.snp.verify import verify_snp
from attestation.verdict import Verdict

NOW_S = 1_800_000_000
CHIP_ID = bytes(range(1, 65))
GUEST = SnpGuest(
    measurement=b"\x11" * 48,
    report_data=bytes(range(64)),
    chip_id=CHIP_ID,
    id_key_digest=b"\x22" * 48,
    image_id=b"\x33" * 16,
    family_id=b"\x44" * 16,
    host_data=b"\x55" * 32,
    guest_svn=70_000,
)
TURIN_TCB = SnpTcb(fmc=1, boot_loader=2, tee=1, snp=4, microcode=81)
TURIN_GUEST = replace(
    GUEST,
    line="Turin",
    processor=(0x1A, 0x02, 0x01),
    tcb=TURIN_TCB,
    chip_id=CHIP_ID[:8].ljust(64, b"\0"),
)


def refused(judge: Callable[..., object], *arguments: object) -> str:
    """The code of the refusal that this call ends in."""
    try:
        judge(*arguments)
    except (EvidenceError, CannotDecideError) as error:
        return error.code
    raise AssertionError("nothing was refused")


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """One key for each name in a test run: making them is what takes time."""
    if not name:
        raise AssertionError("a key has a name")
    return new_rsa_key()


@cache
def leaf_key() -> ec.EllipticCurvePrivateKey:
    """The key that signs reports."""
    return ec.generate_private_key(ec.SECP384R1())


@dataclass(frozen=True)
class SnpWorld:
    """One product line of an AMD that does not exist."""

    line: str = "Milan"
    now_s: int = NOW_S

    @property
    def root(self) -> Issuer:
        """The ARK."""
        return Issuer(f"ARK-{self.line}", rsa_key("ark"), self.now_s)

    @property
    def vcek_signer(self) -> Issuer:
        """The ASK."""
        return Issuer(f"SEV-{self.line}", rsa_key("ask"), self.now_s)

    @property
    def vlek_signer(self) -> Issuer:
        """The ASVK."""
        return Issuer(f"SEV-VLEK-{self.line}", rsa_key("asvk"), self.now_s)

    def collateral(self, options: CollateralOptions | None = None) -> SnpCollateral:
        """Collateral for a year; the ASK's serial is on the list if `options` revoke it."""
        wanted = options or CollateralOptions(issued_s=self.now_s)
        ask = _authority(self, self.vcek_signer.name, "ask")
        return SnpCollateral(
            product=self.line,
            ark=_der(_authority(self, self.root.name, "ark")),
            ask=_der(ask),
            asvk=_der(_authority(self, self.vlek_signer.name, "asvk")),
            crl=self.root.revocations(wanted, (ask.serial_number,) if wanted.revoke_ask else ()),
        )

    @property
    def rules(self) -> VerificationRules:
        """Rules that believe this root, and allow a day of grace."""
        return VerificationRules(
            roots=(self.collateral().ark,), tcb_signer_pins=(), grace_s=24 * 3600
        )

    def vcek(self, numbers: LeafNumbers | None = None) -> bytes:
        """The certificate of this line's chip."""
        return _der(self.vcek_signer.leaf(numbers or self.numbers(), leaf_key().public_key()))

    def vlek(self, cloud: str = "CN=cloud.example") -> bytes:
        """The certificate of a cloud's key."""
        numbers = replace(self.numbers(), chip_id=b"", cloud=cloud)
        return _der(self.vlek_signer.leaf(numbers, leaf_key().public_key()))

    def numbers(self) -> LeafNumbers:
        """What the certificate of this line's chip says."""
        if self.line == "Turin":
            return LeafNumbers(tcb=TURIN_TCB, chip_id=CHIP_ID[:8], product="Turin-C1", has_fmc=True)
        return LeafNumbers(tcb=TCB, chip_id=CHIP_ID, product=f"{self.line}-B0")

    def evidence(self, guest: SnpGuest = GUEST, certificate: bytes = b"") -> Evidence:
        """A report over `guest` with the VCEK's certificate, or another."""
        report = make_snp_report(leaf_key(), guest)
        return Evidence(EvidenceKind.SNP, report, certificate or self.vcek())

    def judge(
        self,
        evidence: Evidence,
        options: CollateralOptions | None = None,
        now_s: int = NOW_S,
    ) -> Verdict:
        """The verdict by this world's own collateral and rules."""
        return verify_snp(evidence, self.collateral(options), self.rules, now_s)


@cache
def _authority(world: SnpWorld, name: str, key: str) -> x509.Certificate:
    return world.root.signer(name, rsa_key(key))


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
