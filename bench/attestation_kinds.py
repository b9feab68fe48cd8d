"""Evidence of each kind to measure: made here, with keys of the sizes that real vendors use.

SGX of version 3 and TDX of version 4 under one root; SEV-SNP signed by a VCEK and by a VLEK, under
authorities whose RSA keys have 4,096 bits as AMD's do (the software platform's have 3,072).
"""

from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.collateral import SnpCollateral, encode_collateral
from attestation.dcap import collateral as dcap_collateral
from attestation.dcap.trust import verify_chains
from attestation.evidence import Evidence, EvidenceKind, encode_evidence
from attestation.platforms.software import QE_SIGNER
from attestation.platforms.software_collateral import CollateralOptions, make_collateral
from attestation.platforms.software_snp import TCB, VLEK_FLAGS, SnpGuest, make_snp_report
from attestation.platforms.software_snp_pki import LINE, Issuer, LeafNumbers
from attestation.platforms.software_tdx import GuestReport, make_td_quote
from attestation.ratls.forms import DICE_OID
from attestation.ratls.make import encode_claims
from attestation.rules import VerificationRules, load_root
from attestation.snp import authorities
from tests.support.attested import NOW_S, SoftwareWorld, evidence_of, make_world
from tests.support.ratls_certificates import Wanted, dice_value, make_certificate, spki_of

AMD_BITS = 4096
_EXPONENT = 65537


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of evidence with what judges it."""

    name: str
    evidence: bytes
    collateral: bytes
    rules: VerificationRules
    floor: dict[str, int]  # how often each primitive runs in it, at least


def cases() -> tuple[Case, ...]:
    """SGX, TDX, SEV-SNP by a VCEK and by a VLEK."""
    return (*dcap_cases(make_world()), *snp_cases())


def dcap_cases(world: SoftwareWorld) -> tuple[Case, ...]:
    """Quotes: ISV, QE report, leaf, PCK CA, and the two documents are six ECDSA signatures."""
    td = GuestReport(mr_td=b"\x31" * 48, report_data=bytes(64))
    quotes = {
        "SGX quote v3": ("sgx", world.quote()),
        "TDX quote v4": ("tdx", make_td_quote(world.attestation_key, world.qe_part, td)),
    }
    options = CollateralOptions(issued_s=NOW_S)
    return tuple(
        Case(
            name,
            evidence_of(quote),
            encode_collateral(make_collateral(world.authority, QE_SIGNER, options, tee)),
            world.rules,
            {"ECDSA P-256 verify": 6},
        )
        for name, (tee, quote) in quotes.items()
    )


def snp_cases() -> tuple[Case, ...]:
    """Reports: the signature of the report and that of its key's certificate."""
    keys = [rsa.generate_private_key(_EXPONENT, AMD_BITS) for _ in range(3)]
    key = ec.generate_private_key(ec.SECP384R1())
    root, ask, asvk = (
        Issuer(f"{start}{LINE}", one, NOW_S)
        for start, one in zip(("ARK-", "SEV-", "SEV-VLEK-"), keys, strict=True)
    )
    ders = [root.signer(one.name, one.key).public_bytes(Encoding.DER) for one in (root, ask, asvk)]
    collateral = encode_collateral(
        SnpCollateral(
            product=LINE,
            ark=ders[0],
            ask=ders[1],
            asvk=ders[2],
            crl=root.revocations(CollateralOptions(issued_s=NOW_S), ()),
        )
    )
    rules = VerificationRules(roots=(ders[0],), tcb_signer_pins=())
    chip = LeafNumbers(tcb=TCB, chip_id=bytes(range(1, 65)))
    cloud = replace(chip, chip_id=b"", cloud="CN=cloud.example")
    guest = SnpGuest(measurement=b"\x11" * 48, report_data=bytes(64), chip_id=chip.chip_id)
    made = {
        "SEV-SNP report, VCEK": (guest, ask.leaf(chip, key.public_key())),
        "SEV-SNP report, VLEK": (
            replace(guest, flags=VLEK_FLAGS),
            asvk.leaf(cloud, key.public_key()),
        ),
    }
    return tuple(
        Case(
            name,
            encode_evidence(
                Evidence(
                    EvidenceKind.SNP,
                    make_snp_report(key, subject),
                    certificate.public_bytes(Encoding.DER),
                )
            ),
            collateral,
            rules,
            {"ECDSA P-384 verify": 1, "RSA-4096 PSS verify": 1},
        )
        for name, (subject, certificate) in made.items()
    )


def ratls_certificate(world: SoftwareWorld) -> bytes:
    """An RA-TLS certificate with a quote of this platform."""
    wanted = Wanted()
    claims = encode_claims(spki_of(wanted.key))
    return make_certificate(wanted, {DICE_OID: dice_value(world, claims)})


def forget_collateral() -> None:
    """Let the next verification read and verify its collateral anew."""
    for remembered in (
        dcap_collateral.read_facts,
        verify_chains,
        load_root,
        authorities.read_facts,
        authorities.verify_authorities,
    ):
        remembered.cache_clear()
