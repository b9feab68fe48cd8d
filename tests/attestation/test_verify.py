"""The one verification path: statuses made on purpose, and what it must refuse."""

from dataclasses import replace

import dcap_qvl
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.collateral import DcapCollateral, collateral_digest, encode_collateral
from attestation.collateral_verdict import decode_collateral_verdict, encode_collateral_verdict
from attestation.dcap.layout import quote_digest
from attestation.dcap.pem import encode_chain
from attestation.errors import (
    CannotDecideError,
    DecisionFault,
    EvidenceError,
    EvidenceFault,
)
from attestation.evidence import encode_evidence
from attestation.fields import SgxFields
from attestation.identity import TCB_STATUSES, Identity
from attestation.platforms.software_collateral import FMSPC, CollateralOptions
from attestation.platforms.software_pki import sign_raw
from attestation.platforms.software_quote import EnclaveReport
from attestation.rules import VerificationRules
from attestation.verdict import Verdict, decode_verdict, encode_verdict
from attestation.verify import collateral_key, read_facts, verify, verify_collateral
from tests.support.attestation_examples import SNP_COLLATERAL, SNP_EVIDENCE
from tests.support.attested import NOW_S, PPID, REPORT, SoftwareWorld, evidence_of, make_world

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
YEAR_S = 365 * 86_400
AT_S = NOW_S + 1000
ATTRIBUTES = bytes.fromhex("0500000000000000e700000000000000")
KEY = f"sgx/{FMSPC.hex()}/processor"


def options(**changes: object) -> CollateralOptions:
    """Collateral options from NOW_S on."""
    return replace(CollateralOptions(issued_s=NOW_S), **changes)  # type: ignore[arg-type]  # its fields


def judge(
    world: SoftwareWorld,
    *,
    collateral: bytes | None = None,
    rules: VerificationRules | None = None,
    evidence: bytes | None = None,
    now_s: int = AT_S,
) -> Verdict:
    """Verify, with everything good that is not given."""
    return verify(
        evidence or world.evidence(),
        collateral or world.collateral_bytes(),
        rules or world.rules,
        now_s,
    )


def refused(fault: EvidenceFault, world: SoftwareWorld, **parts: object) -> None:
    """The evidence is refused with this fault."""
    with pytest.raises(EvidenceError) as caught:
        judge(world, **parts)  # type: ignore[arg-type]  # the keywords of judge
    assert caught.value.code == fault


def undecided(fault: DecisionFault, world: SoftwareWorld, **parts: object) -> None:
    """The verifier says that it cannot decide, with this fault."""
    with pytest.raises(CannotDecideError) as caught:
        judge(world, **parts)  # type: ignore[arg-type]  # the keywords of judge
    assert caught.value.code == fault


def with_tcb_info(world: SoftwareWorld, text: str, *, by_pck: bool = False) -> DcapCollateral:
    """Collateral with another TCB info, signed by the TCB signer or by the platform's PCK key."""
    authority = world.authority
    held = replace(world.collateral(), tcb_info=text)
    if not by_pck:
        return replace(held, tcb_info_signature=sign_raw(authority.tcb_signer_key, text.encode()))
    chain = tuple(c.public_bytes(Encoding.DER) for c in (authority.pck, authority.pck_ca))
    return replace(
        held,
        tcb_info_issuer_chain=encode_chain((*chain, world.root)).decode(),
        tcb_info_signature=sign_raw(authority.pck_key, text.encode()),
    )


def library_status(world: SoftwareWorld, held: DcapCollateral) -> str:
    """What the library alone says about a good quote and this collateral."""
    fields = [getattr(held, name) for name in DcapCollateral.__slots__]
    foreign = dcap_qvl.QuoteCollateralV3(*fields)
    report = dcap_qvl.verify_with_root_ca(world.quote(), foreign, world.root, AT_S)
    return str(report.status)


def test_a_good_quote_gives_its_identity(world: SoftwareWorld) -> None:
    """The verdict says who the enclave is, what it binds, and when and by what it was judged."""
    collateral = world.collateral_bytes()
    verdict = judge(world, collateral=collateral)
    assert verdict == Verdict(
        identity=Identity(
            platform="sgx",
            measurement=REPORT.mr_enclave,
            signer=REPORT.mr_signer,
            product_id=REPORT.product_id,
            svn=REPORT.svn,
            tcb_date_s=NOW_S,
            platform_id=PPID,
            fmspc=FMSPC,
            fields=SgxFields(attributes=ATTRIBUTES),
        ),
        report_data=REPORT.report_data,
        quote_digest=quote_digest(world.quote()),
        collateral_number=1,
        verified_at_s=AT_S,
        effective_s=AT_S,
        collateral_key=KEY,
        collateral_digest=collateral_digest(collateral),
    )
    assert (verdict.status, verdict.advisories) == ("UpToDate", ())
    assert decode_verdict(encode_verdict(verdict)) == verdict


def test_the_same_inputs_give_the_same_verdict(world: SoftwareWorld) -> None:
    """Verification depends on its arguments only."""
    evidence, collateral = world.evidence(), world.collateral_bytes()
    verdicts = {
        encode_verdict(judge(world, evidence=evidence, collateral=collateral)) for _ in range(20)
    }
    assert len(verdicts) == 1


@pytest.mark.parametrize("status", sorted(s for s in TCB_STATUSES if "Relaunch" not in s))
def test_each_tcb_status_is_reported(world: SoftwareWorld, status: str) -> None:
    """The platform's TCB level decides the status and its advisories; policies judge them."""
    made = options(status=status, advisories=("INTEL-SA-2", "INTEL-SA-1"))
    verdict = judge(world, collateral=world.collateral_bytes(made))
    assert (verdict.status, verdict.advisories) == (status, ("INTEL-SA-1", "INTEL-SA-2"))


def test_an_outdated_quoting_enclave_is_reported(world: SoftwareWorld) -> None:
    """The status of the quoting enclave makes the platform OutOfDate."""
    assert judge(
        world, collateral=world.collateral_bytes(options(qe_status="OutOfDate"))
    ).status == ("OutOfDate")


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "Revoked"},
        {"qe_status": "Revoked"},
        {"revoke_pck": True},
        {"revoke_pck_ca": True},
        {"revoke_tcb_signer": True},
    ],
)
def test_what_is_revoked_is_refused(world: SoftwareWorld, changes: dict[str, object]) -> None:
    """A revoked TCB level, quoting enclave or certificate is refused."""
    refused(EvidenceFault.REVOKED, world, collateral=world.collateral_bytes(options(**changes)))


def test_debug_enclaves_are_refused(world: SoftwareWorld) -> None:
    """Attack: an enclave whose memory the host can read is never verified."""
    refused(EvidenceFault.DEBUG, world, evidence=world.debug_evidence())


def test_an_unknown_root_is_refused(world: SoftwareWorld) -> None:
    """Evidence of another machine's root is refused by ours."""
    refused(EvidenceFault.UNKNOWN_ROOT, world, evidence=make_world().evidence())


def test_rules_may_hold_several_roots(world: SoftwareWorld) -> None:
    """Each root's evidence verifies with its own collateral under rules that name both."""
    other = make_world()
    rules = VerificationRules(
        roots=(other.root, world.root),
        tcb_signer_pins=other.rules.tcb_signer_pins + world.rules.tcb_signer_pins,
    )
    assert judge(world, rules=rules).identity == judge(world).identity
    assert judge(other, rules=rules).identity == judge(other).identity


def test_aborting_root_is_refused_before_the_library(world: SoftwareWorld) -> None:
    """Attack: a root that is not self-issued would abort the process; it is never used."""
    intermediate = world.authority.pck_ca
    der = world.authority.pck_ca.public_bytes(Encoding.DER)
    held = replace(world.collateral(), root_ca_crl=world.collateral().pck_crl)
    assert intermediate.issuer != intermediate.subject
    rules = replace(world.rules, roots=(der,))
    undecided(DecisionFault.ROOT_UNUSABLE, world, rules=rules, collateral=encode_collateral(held))


@pytest.mark.parametrize("root", [b"", b"not a certificate"])
def test_unreadable_roots_are_refused(world: SoftwareWorld, root: bytes) -> None:
    """A root that is no certificate is our fault, not the prover's."""
    undecided(DecisionFault.ROOT_UNUSABLE, world, rules=replace(world.rules, roots=(root,)))


def test_rules_without_root_or_pin_decide_nothing(world: SoftwareWorld) -> None:
    """An empty list of roots or pins trusts nobody."""
    for rules in (replace(world.rules, roots=()), replace(world.rules, tcb_signer_pins=())):
        undecided(DecisionFault.ROOT_UNUSABLE, world, rules=rules)


def test_collateral_signed_by_a_prover_s_own_pck_key(world: SoftwareWorld) -> None:
    """Attack: TCB info signed with a PCK key passes the library, but not the chain rule."""
    outdated = world.collateral(options(status="OutOfDate")).tcb_info
    forged = with_tcb_info(world, outdated.replace("OutOfDate", "UpToDate"), by_pck=True)
    assert library_status(world, forged) == "UpToDate"
    undecided(DecisionFault.COLLATERAL_UNTRUSTED, world, collateral=encode_collateral(forged))


def test_a_signer_under_the_root_that_is_not_pinned(world: SoftwareWorld) -> None:
    """Attack: the root's own end entity, perfect signatures, but not the pinned key: refused."""
    held = world.collateral()
    assert library_status(world, held) == "UpToDate"
    with pytest.raises(CannotDecideError) as caught:
        judge(
            world,
            rules=replace(world.rules, tcb_signer_pins=(bytes(32),)),
            collateral=encode_collateral(held),
        )
    assert caught.value.code == DecisionFault.COLLATERAL_UNTRUSTED
    assert caught.value.got == world.rules.tcb_signer_pins[0].hex()


def test_a_lower_tcb_number_with_a_later_date(world: SoftwareWorld) -> None:
    """Attack: fresh collateral of an older evaluation is below the trust document's floor."""
    rules = replace(world.rules, evaluation_floor=17)
    old = options(issued_s=NOW_S + 500, evaluation_number=16)
    new = options(issued_s=NOW_S, evaluation_number=17)
    undecided(
        DecisionFault.COLLATERAL_NUMBER, world, rules=rules, collateral=world.collateral_bytes(old)
    )
    verdict = judge(world, rules=rules, collateral=world.collateral_bytes(new))
    assert verdict.collateral_number == 17


def test_number_zero_is_below_a_floor_too(world: SoftwareWorld) -> None:
    """Attack: documents of evaluation 0 do not pass for collateral that has no numbers."""
    made = world.collateral_bytes(options(evaluation_number=0))
    assert judge(world, collateral=made).collateral_number == 0
    rules = replace(world.rules, evaluation_floor=1)
    undecided(DecisionFault.COLLATERAL_NUMBER, world, rules=rules, collateral=made)


def test_a_ceiling_holds_collateral_back(world: SoftwareWorld) -> None:
    """Collateral above the trust document's ceiling waits until the members raise it."""
    made = world.collateral_bytes(options(evaluation_number=18))
    undecided(
        DecisionFault.COLLATERAL_NUMBER,
        world,
        rules=replace(world.rules, evaluation_ceiling=17),
        collateral=made,
    )
    rules = replace(world.rules, evaluation_ceiling=18)
    assert judge(world, rules=rules, collateral=made).collateral_number == 18


def test_collateral_is_used_within_its_dates(world: SoftwareWorld) -> None:
    """Both ends of the window are inside it; one second beyond, nothing is decided."""
    collateral = world.collateral_bytes()
    for now_s in (NOW_S, NOW_S + YEAR_S):
        assert judge(world, collateral=collateral, now_s=now_s).effective_s == now_s
    undecided(DecisionFault.COLLATERAL_FROM_FUTURE, world, collateral=collateral, now_s=NOW_S - 1)
    undecided(
        DecisionFault.COLLATERAL_EXPIRED, world, collateral=collateral, now_s=NOW_S + YEAR_S + 1
    )


def test_grace_is_recorded_in_the_verdict(world: SoftwareWorld) -> None:
    """Within the grace, collateral is judged as of its last second, and the verdict says so."""
    collateral, rules = world.collateral_bytes(), replace(world.rules, grace_s=3600)
    late_s = NOW_S + YEAR_S + 3600
    verdict = judge(world, collateral=collateral, rules=rules, now_s=late_s)
    assert (verdict.verified_at_s, verdict.effective_s) == (late_s, NOW_S + YEAR_S)
    undecided(
        DecisionFault.COLLATERAL_EXPIRED,
        world,
        collateral=collateral,
        rules=rules,
        now_s=late_s + 1,
    )


def test_grace_does_not_revive_certificates(world: SoftwareWorld) -> None:
    """A certificate that has ended at the real time is refused, whatever the effective time."""
    end_s = int(world.authority.pck.not_valid_after_utc.timestamp())
    made = options(issued_s=end_s - 1000, validity_s=500)
    rules = replace(world.rules, grace_s=10_000)
    collateral = world.collateral_bytes(made)
    verdict = judge(world, collateral=collateral, rules=rules, now_s=end_s)
    assert verdict.effective_s == end_s - 500
    refused(
        EvidenceFault.CERTIFICATE_DATES, world, collateral=collateral, rules=rules, now_s=end_s + 1
    )


def test_parts_that_were_never_valid_together_decide_nothing(world: SoftwareWorld) -> None:
    """Attack: grace does not make one edition of an ended list and a later document."""
    old, new = (world.collateral(options(issued_s=at)) for at in (NOW_S, NOW_S + 2 * YEAR_S))
    mixed = encode_collateral(replace(new, pck_crl=old.pck_crl))
    rules = replace(world.rules, grace_s=2 * YEAR_S)
    at_s = NOW_S + 2 * YEAR_S + 10
    undecided(DecisionFault.COLLATERAL_MALFORMED, world, rules=rules, collateral=mixed, now_s=at_s)
    with pytest.raises(CannotDecideError):
        verify_collateral(mixed, rules, at_s)


@pytest.mark.parametrize("now_s", [-1, 2**63, 2**70])
def test_impossible_times_decide_nothing(world: SoftwareWorld, now_s: int) -> None:
    """A time far from the collateral's is no exception of another kind."""
    with pytest.raises(CannotDecideError):
        judge(world, now_s=now_s)


def test_collateral_of_another_platform_decides_nothing(world: SoftwareWorld) -> None:
    """Collateral for another processor family is not used, nor is another authority's."""
    held = world.collateral()
    text = held.tcb_info.replace(FMSPC.hex().upper(), "00906ED50000")
    other = with_tcb_info(world, text)
    with pytest.raises(CannotDecideError) as caught:
        judge(world, collateral=encode_collateral(other))
    assert caught.value.code == DecisionFault.COLLATERAL_OTHER_PLATFORM
    assert (caught.value.expected, caught.value.got) == (
        f"collateral for {KEY}, of its PCK CA",
        KEY.replace(FMSPC.hex(), "00906ed50000"),
    )
    undecided(DecisionFault.COLLATERAL_UNTRUSTED, world, collateral=make_world().collateral_bytes())


@pytest.mark.parametrize(
    "field, value",
    [
        ("tcb_info_signature", b"\x01" * 63),
        ("tcb_info_signature", bytes(64)),
        ("qe_identity_signature", b"\0" + b"\x01" * 64),
        ("tcb_info_issuer_chain", ""),
        ("qe_identity_issuer_chain", "-----BEGIN CERTIFICATE-----\n"),
    ],
)
def test_badly_signed_collateral_decides_nothing(
    world: SoftwareWorld, field: str, value: object
) -> None:
    """Signatures of another size or content and chains of another shape are not used."""
    held = replace(world.collateral(), **{field: value})  # type: ignore[arg-type]  # its fields
    undecided(DecisionFault.COLLATERAL_UNTRUSTED, world, collateral=encode_collateral(held))


@pytest.mark.parametrize("field", ["tcb_info", "qe_identity"])
def test_what_the_library_quotes_can_be_printed(world: SoftwareWorld, field: str) -> None:
    """Attack: a signed document whose words move the cursor of whoever reads the refusal."""
    held = world.collateral()
    text = getattr(held, field).replace('"UpToDate"', '"\\u001b[2J\\u009b\\u202e"', 1)
    signature = sign_raw(world.authority.tcb_signer_key, text.encode())
    bad = replace(held, **{field: text, f"{field}_signature": signature})
    with pytest.raises(CannotDecideError, match=r"unknown variant `\?\[2J\?\?`") as caught:
        verify(world.evidence(), encode_collateral(bad), world.rules, NOW_S)
    assert str(caught.value).isprintable()


def test_a_signature_with_zeros_in_front_of_s(world: SoftwareWorld) -> None:
    """A respelled signature, which the library takes, is not the 64 bytes that collateral has."""
    held = world.collateral()
    signature = held.tcb_info_signature
    longer = replace(held, tcb_info_signature=signature[:32] + b"\0" + signature[32:])
    assert library_status(world, longer) == "UpToDate"
    undecided(DecisionFault.COLLATERAL_UNTRUSTED, world, collateral=encode_collateral(longer))


def test_revocation_lists_may_not_be_swapped(world: SoftwareWorld) -> None:
    """Each revocation list must be its own issuer's."""
    held = world.collateral()
    swapped = replace(held, root_ca_crl=held.pck_crl, pck_crl=held.root_ca_crl)
    undecided(DecisionFault.COLLATERAL_UNTRUSTED, world, collateral=encode_collateral(swapped))


@pytest.mark.parametrize("data", [b"", b"junk", bytes(2 * 1024 * 1024)])
def test_unreadable_collateral_decides_nothing(world: SoftwareWorld, data: bytes) -> None:
    """Collateral that does not decode is our store's fault."""
    with pytest.raises(CannotDecideError) as caught:
        verify(world.evidence(), data, world.rules, AT_S)
    assert caught.value.code == DecisionFault.COLLATERAL_MALFORMED


@pytest.mark.parametrize("data", [b"", b"junk", bytes(2 * 1024 * 1024)])
def test_unreadable_evidence_is_refused(world: SoftwareWorld, data: bytes) -> None:
    """Evidence that does not decode is the prover's fault."""
    with pytest.raises(EvidenceError) as caught:
        verify(data, world.collateral_bytes(), world.rules, AT_S)
    assert caught.value.code == EvidenceFault.MALFORMED


def test_a_respelled_signature_is_the_same_quote(world: SoftwareWorld) -> None:
    """Attack: s replaced by n-s still verifies, so a quote is known by its signed region."""
    quote = world.quote()
    other = quote[:468] + (P256_ORDER - int.from_bytes(quote[468:500], "big")).to_bytes(32, "big")
    other += quote[500:]
    held = world.collateral_bytes()
    first, second = (judge(world, evidence=evidence_of(q), collateral=held) for q in (quote, other))
    assert first == second
    assert first.quote_digest == quote_digest(quote)


def test_every_changed_byte_of_a_quote_is_refused(world: SoftwareWorld) -> None:
    """Attack: no byte of a canonical quote can be changed: signed, or refused by its shape."""
    quote, collateral = world.quote(), world.collateral_bytes()
    for at in range(len(quote)):
        changed = bytearray(quote)
        changed[at] ^= 1 << (at % 8)
        with pytest.raises((EvidenceError, CannotDecideError)):
            verify(evidence_of(bytes(changed)), collateral, world.rules, AT_S)


def test_every_changed_byte_of_collateral_is_refused(world: SoftwareWorld) -> None:
    """No byte of the nine fields can be changed without a signature or a shape breaking."""
    evidence, held = world.evidence(), world.collateral()
    for field in DcapCollateral.__slots__:
        value = getattr(held, field)
        data = value if isinstance(value, bytes) else value.encode()
        for at in range(0, len(data), 3):
            changed = bytearray(data)
            changed[at] ^= 1 + (at % 2)
            new = bytes(changed) if isinstance(value, bytes) else changed.decode()
            encoded = encode_collateral(replace(held, **{field: new}))  # type: ignore[arg-type]  # of the field's own type
            with pytest.raises(CannotDecideError):
                verify(evidence, encoded, world.rules, AT_S)


def test_the_key_to_look_collateral_up_by(world: SoftwareWorld) -> None:
    """TEE, FMSPC and PCK CA are read from evidence without verifying it."""
    assert collateral_key(world.evidence()) == KEY == read_facts(world.collateral_bytes()).key
    with pytest.raises(EvidenceError):
        collateral_key(b"junk")


def test_two_reports_are_two_quotes(world: SoftwareWorld) -> None:
    """Another report data makes another quote digest."""
    report = replace(REPORT, report_data=bytes(64))
    assert isinstance(report, EnclaveReport)
    other = judge(world, evidence=world.evidence(report))
    assert other.quote_digest != judge(world).quote_digest
    assert other.report_data == bytes(64)


def test_evidence_and_collateral_of_two_kinds(world: SoftwareWorld) -> None:
    """A report judged by DCAP collateral decides nothing; an unreadable one is refused first."""
    snp = encode_collateral(SNP_COLLATERAL)
    with pytest.raises(CannotDecideError) as caught:
        judge(world, collateral=snp)
    assert caught.value.code == DecisionFault.COLLATERAL_OTHER_PLATFORM
    assert caught.value.expected == f"collateral for {KEY}"
    refused(EvidenceFault.NOT_CANONICAL, world, evidence=encode_evidence(SNP_EVIDENCE))


def test_collateral_is_judged_by_itself(world: SoftwareWorld) -> None:
    """The verdict on collateral says its facts, its digest and when it was judged."""
    encoded = world.collateral_bytes()
    verdict = verify_collateral(encoded, world.rules, AT_S)
    assert verdict.facts == read_facts(encoded)
    assert (verdict.digest, verdict.verified_at_s) == (collateral_digest(encoded), AT_S)
    assert decode_collateral_verdict(encode_collateral_verdict(verdict)) == verdict


@pytest.mark.parametrize(
    "changes, now_s, fault",
    [
        ({"evaluation_floor": 2}, AT_S, DecisionFault.COLLATERAL_NUMBER),
        ({}, NOW_S - 1, DecisionFault.COLLATERAL_FROM_FUTURE),
        ({}, NOW_S + YEAR_S + 1, DecisionFault.COLLATERAL_EXPIRED),
        ({"grace_s": 5}, NOW_S + YEAR_S + 6, DecisionFault.COLLATERAL_EXPIRED),
        ({"grace_s": 20 * YEAR_S}, NOW_S + 15 * YEAR_S, DecisionFault.COLLATERAL_EXPIRED),
        ({"tcb_signer_pins": (bytes(32),)}, AT_S, DecisionFault.COLLATERAL_UNTRUSTED),
        ({"tcb_signer_pins": ()}, AT_S, DecisionFault.ROOT_UNUSABLE),
    ],
)
def test_bad_collateral_by_itself_decides_nothing(
    world: SoftwareWorld, changes: dict[str, object], now_s: int, fault: DecisionFault
) -> None:
    """Limits, dates, certificates and pins are judged without any evidence."""
    rules = replace(world.rules, **changes)  # type: ignore[arg-type]  # fields of the rules
    with pytest.raises(CannotDecideError) as caught:
        verify_collateral(world.collateral_bytes(), rules, now_s)
    assert caught.value.code == fault


def test_unreadable_collateral_has_no_facts(world: SoftwareWorld) -> None:
    """Bytes that are none, and collateral whose parts cannot be read, say so."""
    held = world.collateral()
    broken = (replace(held, tcb_info="{}"), replace(held, pck_crl_issuer_chain="text"))
    for data in (b"", b"junk", *map(encode_collateral, broken)):
        for ask in (read_facts, lambda given: verify_collateral(given, world.rules, AT_S)):
            with pytest.raises(CannotDecideError) as caught:
                ask(data)
            assert caught.value.code == DecisionFault.COLLATERAL_MALFORMED
