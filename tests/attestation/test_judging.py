"""Which identities a policy admits, and until when."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation.conditions import ReleaseMatch, SnpMatch, TdxMatch
from attestation.explain import explain
from attestation.facts import Facts, decode_facts
from attestation.fields import SgxFields, SnpTcb
from attestation.identity import TCB_STATUSES, Identity
from attestation.judging import FOREVER, NEVER, Subject, admitted_until, is_admitted
from attestation.policy import AllOf, AnyOf, Match, Policy, verify_policy
from attestation.releases import EndorsedRelease
from tests.support.attestation_examples import (
    AUDITORS,
    IDENTITIES,
    RELEASES,
    SGX_MATCH,
    SNP_IDENTITY,
    SNP_MATCH,
    TDX_IDENTITY,
    TDX_MATCH,
)
from tests.support.attestation_strategies import friendly_matches, matches, policies, subjects

NOW_S = 1_800_000_000
DAY_S = 86_400
CODE, OTHER_CODE = b"\x11" * 32, b"\x12" * 32
SIGNER, OTHER_SIGNER = b"\x22" * 32, b"\x23" * 32
IDENTITY = Identity(
    platform="sgx",
    measurement=CODE,
    signer=SIGNER,
    product_id=7,
    svn=3,
    platform_id=b"p" * 16,
    fields=SgxFields(),
)
BY_CODE = Match(measurement=CODE)
BY_SIGNER = Match(signer=SIGNER, product_id=7, minimum_svn=3)
STRANGER = Match(measurement=OTHER_CODE)


def admits(
    policy: Policy, identity: Identity = IDENTITY, *, development: bool = False, now_s: int = NOW_S
) -> bool:
    """The decision away from the ledger, and that the explanation of a match agrees with it."""
    verify_policy(policy)
    decision = is_admitted(policy, identity, development=development, now_s=now_s)
    if isinstance(policy, Match):
        findings = explain(policy, Subject(identity), development=development, now_s=now_s)
        assert decision == all(finding.ok for finding in findings)
    return decision


def until(policy: Policy, identity: Identity = IDENTITY) -> int:
    """When the admission ends."""
    verify_policy(policy)
    return admitted_until(policy, Subject(identity), development=False)


def test_a_measurement_admits_that_code_only() -> None:
    """A match by measurement admits the code it names and no other, for ever."""
    assert until(BY_CODE) == FOREVER
    assert until(BY_CODE, replace(IDENTITY, measurement=OTHER_CODE)) == NEVER
    assert admits(BY_CODE)
    assert not admits(STRANGER)


@pytest.mark.parametrize(
    "change, admitted",
    [
        ({}, True),
        ({"svn": 4}, True),
        ({"svn": 2}, False),
        ({"product_id": 8}, False),
        ({"signer": OTHER_SIGNER}, False),
        ({"signer": b""}, False),
        ({"measurement": OTHER_CODE}, True),
    ],
)
def test_a_signer_admits_its_product_from_a_minimum_svn(
    change: dict[str, object], admitted: bool
) -> None:
    """A match by signer wants the signer, the product and at least the SVN, whatever the code."""
    assert admits(BY_SIGNER, replace(IDENTITY, **change)) is admitted  # type: ignore[arg-type]  # fields of Identity


@pytest.mark.parametrize("status", sorted(TCB_STATUSES - {"UpToDate"}))
def test_only_listed_tcb_statuses_pass(status: str) -> None:
    """A platform that is not UpToDate passes only where its status is listed."""
    identity = replace(IDENTITY, tcb_status=status)
    assert not admits(BY_CODE, identity)
    assert admits(replace(BY_CODE, tcb_statuses=(status,)), identity)
    assert not admits(replace(BY_CODE, tcb_statuses=(status,)))


def test_advisories_of_a_worse_status_must_be_listed_each() -> None:
    """With another status than UpToDate every advisory must be allowed by name."""
    match = replace(BY_CODE, tcb_statuses=("SWHardeningNeeded",))
    identity = replace(IDENTITY, tcb_status="SWHardeningNeeded", advisories=("SA-1", "SA-2"))
    assert not admits(match, identity)
    assert not admits(replace(match, advisories=("SA-1",)), identity)
    assert admits(replace(match, advisories=("SA-1", "SA-2", "SA-3")), identity)
    assert admits(match, replace(identity, advisories=()))


def test_an_allow_list_also_binds_platforms_that_are_up_to_date() -> None:
    """Advisories of an UpToDate platform matter only where the match lists some."""
    identity = replace(IDENTITY, advisories=("SA-1",))
    assert admits(BY_CODE, identity)
    assert not admits(replace(BY_CODE, advisories=("SA-2",)), identity)
    assert admits(replace(BY_CODE, advisories=("SA-1",)), identity)


LATE = replace(
    BY_CODE, tcb_statuses=("SWHardeningNeeded", "UpToDate"), grace_s=60 * DAY_S
)  # passes for 60 days after the date of its TCB level
HARDEN = replace(IDENTITY, tcb_status="SWHardeningNeeded", tcb_date_s=NOW_S - 60 * DAY_S + 1)


def test_a_grace_ends_to_the_second() -> None:
    """Sixty days after the TCB level's date, the second itself excluded, a fault is not mended."""
    assert until(LATE, HARDEN) == NOW_S + 1
    assert admits(LATE, HARDEN, now_s=NOW_S)
    assert not admits(LATE, HARDEN, now_s=NOW_S + 1)
    assert admits(replace(LATE, grace_s=0), HARDEN, now_s=NOW_S + 10**9)


def test_a_grace_does_not_end_for_who_is_up_to_date() -> None:
    """UpToDate platforms are admitted for ever, however old their TCB level."""
    assert until(LATE, replace(HARDEN, tcb_status="UpToDate", tcb_date_s=1)) == FOREVER


def test_a_grace_is_no_grace_without_a_date() -> None:
    """Nobody knows when the grace of a platform without a date would end: it is refused."""
    assert not admits(LATE, replace(HARDEN, tcb_date_s=0))
    assert admits(replace(LATE, grace_s=0), replace(HARDEN, tcb_date_s=0))


def test_a_grace_lists_no_status() -> None:
    """A status that is not listed passes at no time."""
    assert until(replace(LATE, tcb_statuses=("UpToDate",)), HARDEN) == NEVER
    assert until(LATE, replace(HARDEN, advisories=("SA-1",))) == NEVER


@pytest.mark.parametrize(
    "allow, development, admitted",
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_debug_needs_the_match_and_the_profile(
    allow: bool, development: bool, admitted: bool
) -> None:
    """A debug enclave passes only if the match allows it and the profile is development."""
    match, identity = replace(BY_CODE, allow_debug=allow), replace(IDENTITY, debug=True)
    assert admits(match, identity, development=development) is admitted


def test_enrolled_platforms_only() -> None:
    """Where platform ids are listed, others are refused, and so is a platform without one."""
    enrolled = replace(BY_CODE, platform_ids=(b"o" * 16, b"p" * 16))
    assert admits(enrolled)
    assert not admits(replace(BY_CODE, platform_ids=(b"o" * 16,)))
    assert not admits(enrolled, replace(IDENTITY, platform_id=b""))


def test_each_kind_of_tee_by_its_match() -> None:
    """A match on one TEE's fields admits its identity and none of the others."""
    harden = replace(IDENTITIES[0], tcb_status="UpToDate", advisories=())
    identities = (harden, TDX_IDENTITY, SNP_IDENTITY)
    for match, own in zip((SGX_MATCH, TDX_MATCH, SNP_MATCH), identities, strict=True):
        for identity in identities:
            assert admits(match, identity) is (identity is own)


def test_an_mrtd_names_a_td_whatever_it_booted() -> None:
    """A match by MRTD admits that firmware on TDX and nothing else."""
    match = Match(tee=TdxMatch(mr_td=b"\x60" * 48))
    assert admits(match, TDX_IDENTITY)
    assert admits(match, replace(TDX_IDENTITY, measurement=bytes(48)))
    assert not admits(Match(tee=TdxMatch(mr_td=b"\x61" * 48)), TDX_IDENTITY)
    assert not admits(match, SNP_IDENTITY)
    assert not admits(match)


def test_snp_is_admitted_only_by_a_match_that_says_how_old_it_may_be() -> None:
    """An AMD report has no TCB status: neither a default nor a list of all statuses admits it."""
    plain = Match(measurement=SNP_IDENTITY.measurement)
    assert not admits(plain, SNP_IDENTITY)
    assert not admits(replace(plain, tcb_statuses=tuple(sorted(TCB_STATUSES))), SNP_IDENTITY)
    rated = replace(plain, tee=SnpMatch(minimum_tcb=SnpTcb(boot_loader=4, snp=24, microcode=219)))
    assert until(rated, SNP_IDENTITY) == FOREVER
    assert until(replace(rated, grace_s=1), SNP_IDENTITY) == FOREVER
    newer = replace(plain, tee=SnpMatch(minimum_tcb=SnpTcb(microcode=220)))
    assert not admits(newer, SNP_IDENTITY)


def by_release(**changes: object) -> Match:
    """Any release of fns from 1.2 on that two of three auditors endorsed, changed."""
    match = ReleaseMatch(name="fns", minimum=(1, 2, 0), auditors=AUDITORS, threshold=2)
    return Match(release=replace(match, **changes))  # type: ignore[arg-type]  # its fields


def knows(*releases: EndorsedRelease) -> Subject:
    """The subject, with what the ledger knows of its measurement."""
    return Subject(IDENTITY, Facts(releases))


@pytest.mark.parametrize("endorsers, admitted", [(0, False), (1, False), (2, True), (3, True)])
def test_a_release_needs_its_auditors(endorsers: int, admitted: bool) -> None:
    """None and one of three auditors are too few, two and three are enough."""
    subject = knows(EndorsedRelease("fns", (1, 2, 0), AUDITORS[:endorsers]))
    assert bool(admitted_until(by_release(), subject, development=False)) is admitted


@pytest.mark.parametrize(
    "release, admitted",
    [
        (EndorsedRelease("fns", (1, 2, 0), AUDITORS), True),
        (EndorsedRelease("fns", (1, 10, 0), AUDITORS), True),
        (EndorsedRelease("fns", (2, 0, 0), AUDITORS), True),
        (EndorsedRelease("fns", (1, 1, 9), AUDITORS), False),
        (EndorsedRelease("fns2", (1, 2, 0), AUDITORS), False),
        (EndorsedRelease("fns", (1, 2, 0), tuple(bytes([i]) * 20 for i in range(8))), False),
    ],
)
def test_a_release_of_that_name_and_version_or_newer(
    release: EndorsedRelease, admitted: bool
) -> None:
    """Names are equal, versions compared as numbers, and only the named auditors count."""
    assert bool(admitted_until(by_release(), knows(release), development=False)) is admitted


def test_one_release_must_meet_it_all() -> None:
    """Endorsements of two releases are not added up, nor a version and another's endorsers."""
    split = knows(
        EndorsedRelease("fns", (1, 2, 0), AUDITORS[:1]),
        EndorsedRelease("fns", (1, 3, 0), AUDITORS[1:2]),
    )
    assert admitted_until(by_release(), split, development=False) == NEVER
    old = knows(EndorsedRelease("fns", (1, 0, 0), AUDITORS), EndorsedRelease("fns", (1, 3, 0), ()))
    assert admitted_until(by_release(), old, development=False) == NEVER


def test_who_knows_no_releases_refuses() -> None:
    """Away from the ledger, and for a measurement that no release names, nobody is admitted."""
    assert not admits(by_release())
    assert decode_facts(b"") == Facts()
    subject = Subject(IDENTITY, Facts(RELEASES))
    assert admitted_until(by_release(), subject, development=False) == FOREVER


def test_an_enrolled_platform() -> None:
    """A match that asks for it admits an enrolled platform alone, whatever else it asks."""
    wanted = replace(BY_CODE, enrolled=True)
    enrolled = Subject(IDENTITY, Facts(is_enrolled=True))
    assert not admits(wanted)
    assert admitted_until(wanted, enrolled, development=False) == FOREVER
    assert admitted_until(wanted, Subject(IDENTITY, Facts(RELEASES)), development=True) == NEVER
    assert admitted_until(replace(STRANGER, enrolled=True), enrolled, development=True) == NEVER
    both = AllOf((wanted, by_release()))
    assert admitted_until(both, enrolled, development=False) == NEVER
    known = Subject(IDENTITY, Facts(RELEASES, is_enrolled=True))
    assert admitted_until(both, known, development=False) == FOREVER


def test_a_release_is_no_excuse_for_the_platform() -> None:
    """What else the match asks is asked of an endorsed release too."""
    release = knows(EndorsedRelease("fns", (1, 2, 0), AUDITORS))
    stale = replace(release, identity=replace(IDENTITY, tcb_status="OutOfDate"))
    assert admitted_until(by_release(), stale, development=False) == NEVER
    debug = replace(release, identity=replace(IDENTITY, debug=True))
    assert admitted_until(by_release(), debug, development=True) == NEVER


def test_any_and_all_combine() -> None:
    """Any wants one member and lasts as its longest, all wants each and ends with its first."""
    assert admits(AnyOf((STRANGER, BY_CODE)))
    assert not admits(AnyOf((STRANGER,)))
    assert admits(AllOf((BY_CODE, BY_SIGNER)))
    assert not admits(AllOf((BY_CODE, STRANGER)))
    assert admits(AllOf((AnyOf((STRANGER, BY_CODE)), BY_SIGNER)))
    shorter = replace(LATE, grace_s=59 * DAY_S + DAY_S // 2)
    assert until(AnyOf((shorter, LATE)), HARDEN) == NOW_S + 1
    assert until(AllOf((shorter, LATE)), HARDEN) == NOW_S + 1 - DAY_S // 2
    assert until(AnyOf((STRANGER, LATE)), HARDEN) == NOW_S + 1
    assert until(AllOf((STRANGER, LATE)), HARDEN) == NEVER


def test_an_empty_list_admits_nothing_even_unverified() -> None:
    """A caller who forgot to verify still gets a refusal from an empty list and an empty match."""
    for policy in (AnyOf(()), AllOf(()), Match()):
        nameless = replace(IDENTITY, signer=b"")
        assert not is_admitted(policy, nameless, development=True, now_s=NOW_S)


@given(policies, subjects, st.booleans())
def test_combinators_agree_with_their_members(
    policy: Policy, subject: Subject, development: bool
) -> None:
    """Any is the latest end of its members, all the earliest."""
    if isinstance(policy, Match):
        return
    ends = [admitted_until(one, subject, development=development) for one in policy.members]
    expected = max(ends) if isinstance(policy, AnyOf) else min(ends)
    assert admitted_until(policy, subject, development=development) == expected


@given(st.data(), subjects, st.booleans(), st.integers(0, 200))
def test_an_explanation_agrees_with_the_decision(
    data: st.DataObject, subject: Subject, development: bool, days: int
) -> None:
    """A match admits at a time if and only if every finding is good at that time."""
    match = data.draw(friendly_matches(subject) | matches)
    verify_policy(match)
    now_s = NOW_S - 100 * DAY_S + days * DAY_S
    findings = explain(match, subject, development=development, now_s=now_s)
    admitted = now_s < admitted_until(match, subject, development=development)
    assert admitted == all(finding.ok for finding in findings), findings


@given(st.data(), subjects, st.booleans())
def test_the_end_of_an_admission_is_its_last_change(
    data: st.DataObject, subject: Subject, development: bool
) -> None:
    """Before the end the subject is admitted, from then on never again."""
    match = data.draw(friendly_matches(subject))
    end = admitted_until(match, subject, development=development)
    if end in (NEVER, FOREVER):
        return
    for now_s in (end - 1, end, end + 10**9):
        assert is_admitted(
            replace(match), subject.identity, development=development, now_s=now_s
        ) is (now_s < end)
