"""Collateral of a product line: who signed it, whom it revokes, how long it counts."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given

from attestation.collateral import SnpCollateral
from attestation.collateral_verdict import is_successor
from attestation.errors import DecisionFault, DecodeError, EvidenceFault
from attestation.platforms.software_collateral import CollateralOptions
from attestation.platforms.software_snp import VLEK_FLAGS
from attestation.platforms.software_snp_pki import Issuer
from attestation.rules import VerificationRules
from attestation.snp.authorities import read_facts, verify_authorities
from attestation.snp.revocations import parse_revocations
from attestation.snp.verify import verify_snp, verify_snp_collateral
from tests.support.mutation import mutations
from tests.support.snp_world import GUEST, NOW_S, SnpWorld, leaf_key, refused, rsa_key

DAY_S = 24 * 3600
DER = Encoding.DER


def test_an_ended_signer_decides_nothing(world: SnpWorld) -> None:
    """The signer's own certificate has to be valid at the real time too."""
    later = NOW_S + 3651 * DAY_S
    young = Issuer(world.vcek_signer.name, rsa_key("ask"), later)
    leaf = young.leaf(world.numbers(), leaf_key().public_key()).public_bytes(DER)
    options = CollateralOptions(issued_s=NOW_S, validity_s=30 * 365 * DAY_S)
    evidence = world.evidence(GUEST, leaf)
    code = refused(lambda: world.judge(evidence, options, later))
    assert code == DecisionFault.COLLATERAL_EXPIRED
    code = refused(lambda: verify_snp_collateral(world.collateral(options), world.rules, later))
    assert code == DecisionFault.COLLATERAL_EXPIRED


def test_a_revoked_signer_ends_its_chips(world: SnpWorld) -> None:
    """The list is good collateral, and with it the evidence is refused; clouds' keys go on."""
    revoking = CollateralOptions(issued_s=NOW_S, evaluation_number=2, revoke_ask=True)
    before = verify_snp_collateral(world.collateral(), world.rules, NOW_S)
    after = verify_snp_collateral(world.collateral(revoking), world.rules, NOW_S)
    assert (before.substance != after.substance, after.order[0]) == (True, (2, NOW_S))
    assert refused(lambda: world.judge(world.evidence(), revoking)) == EvidenceFault.REVOKED
    cloud = world.evidence(replace(GUEST, flags=VLEK_FLAGS), world.vlek())
    assert world.judge(cloud, revoking).identity.svn == GUEST.guest_svn


def test_the_revocation_list_has_a_window_and_a_grace(world: SnpWorld) -> None:
    """Judged within it as of now, within the grace as of its last second, else not at all."""
    options = CollateralOptions(issued_s=NOW_S - DAY_S, validity_s=DAY_S)
    evidence = world.evidence()
    assert world.judge(evidence, options, NOW_S).effective_s == NOW_S
    late = world.judge(evidence, options, NOW_S + DAY_S)
    assert (late.effective_s, late.verified_at_s) == (NOW_S, NOW_S + DAY_S)
    code = refused(lambda: world.judge(evidence, options, NOW_S + DAY_S + 1))
    assert code == DecisionFault.COLLATERAL_EXPIRED
    code = refused(lambda: world.judge(evidence, options, NOW_S - DAY_S - 1))
    assert code == DecisionFault.COLLATERAL_FROM_FUTURE


def test_without_a_list_only_who_says_so_decides(world: SnpWorld) -> None:
    """The ledger never goes without a revocation list; a person may."""
    bare = replace(world.collateral(), crl=b"")
    evidence = world.evidence()
    code = refused(lambda: verify_snp(evidence, bare, world.rules, NOW_S))
    assert code == DecisionFault.COLLATERAL_NO_REVOCATIONS
    code = refused(lambda: verify_snp_collateral(bare, world.rules, NOW_S))
    assert code == DecisionFault.COLLATERAL_NO_REVOCATIONS
    verdict = verify_snp(evidence, bare, world.rules, NOW_S, needs_revocations=False)
    assert verdict.effective_s == NOW_S


def test_a_list_that_is_there_counts_for_everybody(world: SnpWorld) -> None:
    """Who may do without a list still hears what one says."""
    revoking = CollateralOptions(issued_s=NOW_S, revoke_ask=True)

    def judge() -> object:
        return verify_snp(
            world.evidence(), world.collateral(revoking), world.rules, NOW_S,
            needs_revocations=False,
        )  # fmt: skip

    assert refused(judge) == EvidenceFault.REVOKED


def test_collateral_of_another_line_decides_nothing(world: SnpWorld) -> None:
    """A Milan is not judged by what was issued for Genoa, even under the same keys."""
    genoa = SnpWorld("Genoa")
    code = refused(lambda: verify_snp(world.evidence(), genoa.collateral(), genoa.rules, NOW_S))
    assert code == DecisionFault.COLLATERAL_OTHER_PLATFORM


def test_a_root_that_is_not_configured_decides_nothing(world: SnpWorld) -> None:
    """The root has to be one of the rules', byte for byte."""
    rules = VerificationRules(roots=(SnpWorld("Genoa").collateral().ark,), tcb_signer_pins=())
    code = refused(lambda: verify_snp(world.evidence(), world.collateral(), rules, NOW_S))
    assert code == DecisionFault.COLLATERAL_UNTRUSTED


def test_facts_follow_the_list(world: SnpWorld) -> None:
    """A newer list with the same content changes order and dates, not the substance."""
    old, new = (
        verify_snp_collateral(
            world.collateral(CollateralOptions(issued_s=NOW_S - age, evaluation_number=number)),
            world.rules,
            NOW_S,
        )
        for age, number in ((DAY_S, 1), (0, 2))
    )
    assert old.substance == new.substance
    signers = ((1, NOW_S - DAY_S), (1, NOW_S - DAY_S))
    assert (old.order, new.order) == (((1, NOW_S - DAY_S), *signers), ((2, NOW_S), *signers))
    assert (new.key, new.lowest_number, new.highest_number) == ("snp/Milan", 0, 0)
    assert (new.valid_from_s, new.valid_until_s) == (NOW_S, NOW_S + 365 * DAY_S)


def test_a_signer_is_not_left_out_and_may_be_added(world: SnpWorld) -> None:
    """Attack: an operator renews the list without the signer of VCEKs, which ends every such guest.

    Nothing else could bring the signer back before the vendor's next list.
    """
    full = world.collateral(CollateralOptions(issued_s=NOW_S))
    newer = world.collateral(CollateralOptions(issued_s=NOW_S, evaluation_number=9))
    elder = Issuer(world.root.name, rsa_key("ark"), NOW_S - DAY_S).signer(
        "SEV-Milan", rsa_key("other")
    )
    held = read_facts(full)
    for crippled in (
        replace(newer, ask=b""),
        replace(newer, asvk=b""),
        replace(newer, ask=elder.public_bytes(DER)),
    ):
        assert not is_successor(read_facts(crippled), held)
    assert is_successor(read_facts(newer), held)
    for partial in (replace(full, ask=b""), replace(full, asvk=b"")):
        assert is_successor(held, read_facts(partial))
    with pytest.raises(DecodeError):
        read_facts(replace(full, asvk=b"junk"))


def test_the_substance_is_everything_but_dates(world: SnpWorld) -> None:
    """Other certificates are other substance."""
    collateral = world.collateral()
    others: list[SnpCollateral] = [
        replace(collateral, asvk=b""),
        replace(collateral, ask=collateral.asvk),
        replace(collateral, product="Genoa"),
    ]
    known = {read_facts(collateral).substance, *(read_facts(one).substance for one in others)}
    assert len(known) == len(others) + 1


def _signed_by(key_name: str, issuer: str) -> bytes:
    """The revocation list of this issuer's name, signed by another key."""
    options = CollateralOptions(issued_s=NOW_S)
    return Issuer(issuer, rsa_key(key_name), NOW_S).revocations(options, ())


def _authority(issuer: Issuer, name: str, key: str = "other") -> bytes:
    return issuer.signer(name, rsa_key(key)).public_bytes(DER)


def _bad(world: SnpWorld) -> dict[str, SnpCollateral]:
    good, stranger = world.collateral(), Issuer("ARK-Milan", rsa_key("stranger"), NOW_S)
    options = CollateralOptions(issued_s=NOW_S)
    return {
        "root of a stranger": replace(good, ark=_authority(stranger, "ARK-Milan", "stranger")),
        "signer of a stranger": replace(good, ask=_authority(stranger, "SEV-Milan")),
        "signer of VLEKs of a stranger": replace(good, asvk=_authority(stranger, "SEV-VLEK-Milan")),
        "list of a stranger": replace(good, crl=stranger.revocations(options, ())),
        "list of a signer": replace(good, crl=world.vcek_signer.revocations(options, ())),
        "list with the root's name": replace(good, crl=_signed_by("ask", "ARK-Milan")),
        "signers exchanged": replace(good, ask=good.asvk, asvk=good.ask),
        "root as signer": replace(good, ask=good.ark),
        "signer of another line": replace(good, ask=_authority(world.root, "SEV-Genoa")),
        "issued by a signer": replace(good, ask=_authority(world.vcek_signer, "SEV-Milan")),
        "no authority": replace(good, ask=world.vcek()),
        "no signer": replace(good, ask=b"", asvk=b""),
    }


BAD = tuple(_bad(SnpWorld()))


@pytest.mark.parametrize("name", BAD)
def test_what_the_root_did_not_sign_is_not_believed(world: SnpWorld, name: str) -> None:
    """Each certificate and the list have to be those of their place under the root."""
    code = refused(verify_snp_collateral, _bad(world)[name], world.rules, NOW_S)
    expected = DecisionFault.COLLATERAL_UNTRUSTED
    if name in ("no authority", "no signer"):
        expected = DecisionFault.COLLATERAL_MALFORMED
    assert code == expected


def test_a_root_has_to_sign_itself(world: SnpWorld) -> None:
    """A configured root that somebody else issued is not used."""
    stranger = Issuer("ARK-Milan", rsa_key("stranger"), NOW_S)
    cross = stranger.signer("ARK-Milan", rsa_key("ark")).public_bytes(DER)
    collateral = replace(world.collateral(), ark=cross)
    rules = VerificationRules(roots=(cross,), tcb_signer_pins=())
    code = refused(verify_snp_collateral, collateral, rules, NOW_S)
    assert code == DecisionFault.COLLATERAL_UNTRUSTED


@pytest.mark.parametrize("salt", [32, 64])
def test_only_the_vendors_signature_scheme_counts(world: SnpWorld, salt: int) -> None:
    """A list signed with another salt size, or another padding, is refused."""
    sha384 = hashes.SHA384()
    pss = padding.PSS(mgf=padding.MGF1(sha384), salt_length=salt)
    for rsa_padding in (pss, padding.PKCS1v15()):
        crl = _list(world).sign(rsa_key("ark"), sha384, rsa_padding=rsa_padding)
        collateral = replace(world.collateral(), crl=crl.public_bytes(DER))
        code = refused(verify_snp_collateral, collateral, world.rules, NOW_S)
        assert code == DecisionFault.COLLATERAL_UNTRUSTED


@pytest.mark.parametrize("field", ["ark", "ask", "asvk", "crl"])
@pytest.mark.parametrize("junk", [b"junk", b"\x30\x00"])
def test_junk_decides_nothing(world: SnpWorld, field: str, junk: bytes) -> None:
    """What cannot be parsed is our collateral's fault, never the evidence's."""
    good = world.collateral()
    parts = {"ark": good.ark, "ask": good.ask, "asvk": good.asvk, "crl": good.crl, field: junk}
    collateral = SnpCollateral(product=good.product, **parts)
    rules = replace(world.rules, roots=(collateral.ark,))
    code = refused(verify_snp, world.evidence(), collateral, rules, NOW_S)
    assert code == DecisionFault.COLLATERAL_MALFORMED


def test_an_unknown_line_has_no_collateral(world: SnpWorld) -> None:
    """Only lines that are known have authorities and facts."""
    collateral = replace(world.collateral(), product="Rome")
    code = refused(verify_snp_collateral, collateral, world.rules, NOW_S)
    assert code == DecisionFault.COLLATERAL_MALFORMED
    with pytest.raises(DecodeError):
        read_facts(collateral)
    with pytest.raises(DecodeError):
        read_facts(replace(world.collateral(), crl=b""))


def _list(world: SnpWorld) -> x509.CertificateRevocationListBuilder:
    issued = datetime.fromtimestamp(NOW_S, tz=UTC)
    name = x509.load_der_x509_certificate(world.collateral().ark).subject
    return (
        x509.CertificateRevocationListBuilder()
        .issuer_name(name)
        .last_update(issued)
        .next_update(issued + timedelta(days=1))
    )


def _point(
    *,
    only_contains_user_certs: bool = False,
    only_contains_ca_certs: bool = False,
    indirect_crl: bool = False,
    only_some_reasons: frozenset[x509.ReasonFlags] | None = None,
) -> x509.IssuingDistributionPoint:
    return x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=only_contains_user_certs,
        only_contains_ca_certs=only_contains_ca_certs,
        only_some_reasons=only_some_reasons,
        indirect_crl=indirect_crl,
        only_contains_attribute_certs=False,
    )


PART_OF_A_LIST = {
    "delta": (x509.DeltaCRLIndicator(1), True),
    "user certificates": (_point(only_contains_user_certs=True), True),
    "of others": (_point(indirect_crl=True), False),
    "some reasons": (_point(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise})), True),
    "unknown": (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"), True),
}


@pytest.mark.parametrize("name", PART_OF_A_LIST)
def test_a_part_of_a_list_is_no_list(world: SnpWorld, name: str) -> None:
    """A list that may leave out our signers is refused: it would hide a revocation."""
    extension, critical = PART_OF_A_LIST[name]
    crl = _list(world).add_extension(extension, critical=critical)
    with pytest.raises(DecodeError):
        parse_revocations(crl.sign(leaf_key(), hashes.SHA384()).public_bytes(DER))


def test_a_list_without_a_number_has_number_0(world: SnpWorld) -> None:
    """Its date orders it; a distribution point for all certificates does no harm."""
    crl = _list(world).add_extension(_point(only_contains_ca_certs=True), critical=True)
    parsed = parse_revocations(crl.sign(leaf_key(), hashes.SHA384()).public_bytes(DER))
    assert (parsed.number, parsed.issued_s) == (0, NOW_S)
    assert parsed.next_update_s == NOW_S + DAY_S


def test_an_authority_without_an_rsa_key_is_none(world: SnpWorld) -> None:
    """Authorities have RSA keys, whatever their names say."""
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ARK-Milan")])
    moment = datetime.fromtimestamp(NOW_S, tz=UTC)
    root = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(moment)
        .not_valid_after(moment + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA384())
        .public_bytes(DER)
    )
    code = refused(verify_authorities, replace(world.collateral(), ark=root), (root,))
    assert code == DecisionFault.COLLATERAL_UNTRUSTED


CRL = SnpWorld().collateral().crl


@given(data=mutations(CRL))
def test_damaged_lists_are_refused_or_read(data: bytes) -> None:
    """The parser gives a list or its own error, whatever the damage; none passes as signed."""
    world = SnpWorld()
    with suppress(DecodeError):
        parse_revocations(data)
    collateral = replace(world.collateral(), crl=data)
    if data != CRL:
        refused(verify_snp_collateral, collateral, world.rules, NOW_S)


@given(data=mutations(SnpWorld().collateral().ask))
def test_damaged_authorities_are_refused(data: bytes) -> None:
    """Whatever was changed in the signer's certificate, nothing is decided by it."""
    world = SnpWorld()
    if data not in (world.collateral().ask, b""):  # none at all is no damage
        refused(verify_authorities, replace(world.collateral(), ask=data), world.rules.roots)
