"""Each step of judging a report, and what fails at it."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.collateral import encode_collateral
from attestation.conditions import SnpMatch
from attestation.errors import (
    AttestationError,
    DecisionFault,
    EvidenceFault,
)
from attestation.evidence import Evidence, EvidenceKind, encode_evidence
from attestation.fields import SnpFields, SnpTcb
from attestation.identity import decode_identity, encode_identity
from attestation.judging import is_admitted
from attestation.platforms.software_collateral import CollateralOptions
from attestation.platforms.software_snp import DEBUG_POLICY, TCB, VLEK_FLAGS, SnpGuest
from attestation.platforms.software_snp_pki import Issuer, LeafNumbers
from attestation.policy import Match
from attestation.snp.verify import snp_collateral_key, verify_snp
from attestation.verify import collateral_key, verify
from tests.support.snp_world import (
    CHIP_ID,
    GUEST,
    NOW_S,
    TURIN_GUEST,
    SnpWorld,
    leaf_key,
    refused,
    rsa_key,
)

DAY_S = 24 * 3600
DER = Encoding.DER
MASK_CHIP_KEY = 2


def test_a_good_report_gives_its_identity(world: SnpWorld) -> None:
    """The verdict says what the guest is, on which chip, and binds its report data."""
    verdict = world.judge(world.evidence())
    identity = verdict.identity
    assert (identity.platform, identity.measurement) == ("snp", GUEST.measurement)
    assert (identity.signer, identity.svn, identity.product_id) == (GUEST.id_key_digest, 70_000, 0)
    assert (identity.platform_id, identity.fmspc) == (CHIP_ID, b"")
    assert (identity.tcb_status, identity.tcb_date_s, identity.debug) == ("NotRated", 0, False)
    assert verdict.report_data == GUEST.report_data
    assert identity.fields == SnpFields(
        host_data=GUEST.host_data,
        family_id=GUEST.family_id,
        image_id=GUEST.image_id,
        guest_policy=GUEST.guest_policy,
        platform_info=0x25,
        reported_tcb=TCB,
        launch_tcb=TCB,
        product="Milan",
    )
    assert decode_identity(encode_identity(identity)) == identity


def test_the_one_path_judges_reports_too(world: SnpWorld) -> None:
    """Encoded evidence and collateral find the same verdict, and the same key."""
    evidence, collateral = world.evidence(), world.collateral()
    encoded = encode_evidence(evidence), encode_collateral(collateral)
    verdict = verify(*encoded, world.rules, NOW_S)
    assert verdict == verify_snp(evidence, collateral, world.rules, NOW_S)
    assert collateral_key(encoded[0]) == snp_collateral_key(evidence) == "snp/Milan"


@pytest.mark.parametrize("line", ["Milan", "Genoa", "Turin"])
def test_each_line_has_its_own_layout(line: str) -> None:
    """Milan, Genoa and Turin are judged with their TCB layouts, chip ids and processors."""
    processors = {"Milan": (0x19, 1, 1), "Genoa": (0x19, 0x11, 1)}
    world = SnpWorld(line)
    guest = TURIN_GUEST
    if line != "Turin":
        guest = replace(GUEST, line=line, processor=processors[line])
    verdict = world.judge(world.evidence(guest))
    fields = verdict.identity.fields
    assert isinstance(fields, SnpFields)
    assert (fields.product, verdict.collateral_key) == (line, f"snp/{line}")
    assert fields.reported_tcb == guest.tcb
    assert verdict.identity.platform_id == guest.chip_id


@pytest.mark.parametrize("product", ["Bergamo", "Siena-A2", "Genoa"])
def test_relatives_of_genoa_hang_under_its_root(product: str) -> None:
    """Bergamo and Siena are of the line Genoa."""
    world = SnpWorld("Genoa")
    certificate = world.vcek(replace(world.numbers(), product=product))
    guest = replace(GUEST, line="Genoa", processor=(0x19, 0xA0, 2))
    assert world.judge(world.evidence(guest, certificate)).collateral_key == "snp/Genoa"


def test_a_cloud_key_names_no_chip(world: SnpWorld) -> None:
    """A VLEK is accepted as such, and policies can tell."""
    guest = replace(GUEST, flags=VLEK_FLAGS, chip_id=bytes(64))
    identity = world.judge(world.evidence(guest, world.vlek())).identity
    assert isinstance(identity.fields, SnpFields)
    assert (identity.platform_id, identity.fields.is_vlek) == (b"", True)


def test_a_masked_chip_id_is_empty(world: SnpWorld) -> None:
    """A host may hide which chip it is; then no policy can name it."""
    identity = world.judge(world.evidence(replace(GUEST, chip_id=bytes(64)))).identity
    assert identity.platform_id == b""


BAD_REPORTS: dict[str, tuple[SnpGuest, str]] = {
    "debug": (replace(GUEST, guest_policy=DEBUG_POLICY), EvidenceFault.DEBUG),
    "older TCB": (
        replace(GUEST, tcb=SnpTcb(boot_loader=3, tee=0, snp=7, microcode=115)),
        EvidenceFault.TCB_MISMATCH,
    ),
    "newer TCB": (
        replace(GUEST, tcb=SnpTcb(boot_loader=3, tee=0, snp=8, microcode=116)),
        EvidenceFault.TCB_MISMATCH,
    ),
    "other chip": (replace(GUEST, chip_id=CHIP_ID[::-1]), EvidenceFault.CHIP_MISMATCH),
    "chip, cut": (
        replace(GUEST, chip_id=CHIP_ID[:8].ljust(64, b"\0")),
        EvidenceFault.CHIP_MISMATCH,
    ),
    "a Genoa": (replace(GUEST, processor=(0x19, 0x11, 1)), EvidenceFault.PRODUCT),
    "a Turin": (replace(GUEST, processor=(0x1A, 0x02, 1)), EvidenceFault.PRODUCT),
    "an unknown processor": (replace(GUEST, processor=(0x1B, 0, 0)), EvidenceFault.PRODUCT),
    "says VLEK": (replace(GUEST, flags=VLEK_FLAGS), EvidenceFault.SIGNATURE),
    "says masked key": (replace(GUEST, flags=MASK_CHIP_KEY), EvidenceFault.SIGNATURE),
    "asked by the host": (replace(GUEST, vmpl=0xFFFFFFFF), EvidenceFault.NOT_CANONICAL),
}


@pytest.mark.parametrize("name", BAD_REPORTS)
def test_a_bad_report_is_refused_for_its_fault(world: SnpWorld, name: str) -> None:
    """Well signed, but of a guest or platform that is not to be believed."""
    guest, code = BAD_REPORTS[name]
    assert refused(lambda: world.judge(world.evidence(guest))) == code


def test_a_report_does_not_pass_as_a_clouds(world: SnpWorld) -> None:
    """A report that says VCEK is not accepted with a VLEK's certificate."""
    evidence = world.evidence(GUEST, world.vlek())
    assert refused(lambda: world.judge(evidence)) == EvidenceFault.SIGNATURE


def test_a_cloud_key_needs_its_signer_in_the_collateral(world: SnpWorld) -> None:
    """Without the signer of VLEKs nothing is decided about one."""
    evidence = world.evidence(replace(GUEST, flags=VLEK_FLAGS), world.vlek())
    collateral = replace(world.collateral(), asvk=b"")
    code = refused(lambda: verify_snp(evidence, collateral, world.rules, NOW_S))
    assert code == DecisionFault.COLLATERAL_UNTRUSTED
    vcek = verify_snp(world.evidence(), collateral, world.rules, NOW_S)
    assert vcek.collateral_digest != world.judge(world.evidence()).collateral_digest


def test_a_chips_key_needs_its_signer_in_the_collateral(world: SnpWorld) -> None:
    """Without the signer of VCEKs nothing is decided about one; a VLEK needs only its own."""
    collateral = replace(world.collateral(), ask=b"")
    code = refused(lambda: verify_snp(world.evidence(), collateral, world.rules, NOW_S))
    assert code == DecisionFault.COLLATERAL_UNTRUSTED
    by_cloud = world.evidence(replace(GUEST, flags=VLEK_FLAGS), world.vlek())
    fields = verify_snp(by_cloud, collateral, world.rules, NOW_S).identity.fields
    assert isinstance(fields, SnpFields)
    assert fields.is_vlek


def test_a_leaf_of_the_other_signer_is_refused(world: SnpWorld) -> None:
    """The signer of VLEKs cannot make a VCEK, nor the root or a VCEK a leaf."""
    for issuer in (
        world.vlek_signer,
        world.root,
        Issuer(world.vcek_signer.name, rsa_key("stranger"), NOW_S),
    ):
        leaf = issuer.leaf(world.numbers(), leaf_key().public_key())
        evidence = world.evidence(GUEST, leaf.public_bytes(DER))
        code = refused(world.judge, evidence)
        is_named = issuer.name == world.vcek_signer.name
        assert code == (EvidenceFault.SIGNATURE if is_named else EvidenceFault.UNKNOWN_ROOT)


def test_another_chips_key_does_not_sign_for_this_one(world: SnpWorld) -> None:
    """A genuine certificate of another key is refused."""
    other = ec.generate_private_key(ec.SECP384R1())
    leaf = world.vcek_signer.leaf(world.numbers(), other.public_key()).public_bytes(DER)
    assert refused(lambda: world.judge(world.evidence(GUEST, leaf))) == EvidenceFault.SIGNATURE


def test_certificates_count_at_the_real_time(world: SnpWorld) -> None:
    """A leaf that has ended, or not begun, is refused whatever the revocation list's grace."""
    year = CollateralOptions(issued_s=NOW_S, validity_s=30 * 365 * DAY_S)
    certificate = Issuer(world.vcek_signer.name, rsa_key("ask"), NOW_S - 3649 * DAY_S).leaf(
        world.numbers(), leaf_key().public_key()
    )
    evidence = world.evidence(GUEST, certificate.public_bytes(DER))
    assert world.judge(evidence, year, NOW_S + DAY_S).verified_at_s == NOW_S + DAY_S
    code = refused(lambda: world.judge(evidence, year, NOW_S + DAY_S + 1))
    assert code == EvidenceFault.CERTIFICATE_DATES
    young = Issuer(world.vcek_signer.name, rsa_key("ask"), NOW_S + 2 * DAY_S).leaf(
        world.numbers(), leaf_key().public_key()
    )
    evidence = world.evidence(GUEST, young.public_bytes(DER))
    assert refused(lambda: world.judge(evidence)) == EvidenceFault.CERTIFICATE_DATES


def test_the_tcb_of_the_leaf_has_to_fit_in_every_part(world: SnpWorld) -> None:
    """A key made for any other TCB did not sign what this report says."""
    for part in ("boot_loader", "tee", "snp", "microcode"):
        tcb = replace(TCB, **{part: getattr(TCB, part) + 1})
        certificate = world.vcek(LeafNumbers(tcb=tcb, chip_id=CHIP_ID))
        evidence = world.evidence(GUEST, certificate)
        code = refused(world.judge, evidence)
        assert code == EvidenceFault.TCB_MISMATCH


def test_policies_admit_reports_by_their_tcb(world: SnpWorld) -> None:
    """A match names the oldest TCB that it takes; without one no report is admitted."""
    identity = world.judge(world.evidence()).identity
    for microcode, is_in in ((TCB.microcode, True), (TCB.microcode + 1, False)):
        tee = SnpMatch(minimum_tcb=replace(TCB, microcode=microcode))
        match = Match(measurement=GUEST.measurement, tee=tee)
        assert is_admitted(match, identity, development=True, now_s=NOW_S) is is_in
    bare = Match(measurement=GUEST.measurement)
    assert not is_admitted(bare, identity, development=True, now_s=NOW_S)


def test_evidence_of_another_kind_is_not_asked_of_this_path(world: SnpWorld) -> None:
    """A quote of Intel's is never judged by AMD's collateral, nor the other way round."""
    quote = encode_evidence(Evidence(EvidenceKind.DCAP, b"quote"))
    with pytest.raises(AttestationError):
        verify(quote, encode_collateral(world.collateral()), world.rules, NOW_S)
