"""Which identities a policy admits."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation.errors import DecodeError
from attestation.explain import explain
from attestation.identity import TCB_STATUSES, Identity
from attestation.policy import (
    MAX_DEPTH,
    MAX_NODES,
    AllOf,
    AnyOf,
    Match,
    Policy,
    decode_policy,
    encode_policy,
    is_admitted,
    verify_policy,
)

CODE, OTHER_CODE = b"\x11" * 32, b"\x12" * 32
SIGNER, OTHER_SIGNER = b"\x22" * 32, b"\x23" * 32
IDENTITY = Identity(
    platform="sgx", measurement=CODE, signer=SIGNER, product_id=7, svn=3, platform_id=b"p" * 16
)
BY_CODE = Match(measurement=CODE)
BY_SIGNER = Match(signer=SIGNER, product_id=7, minimum_svn=3)


def admits(policy: Policy, identity: Identity = IDENTITY, *, development: bool = False) -> bool:
    """The decision, and that the explanation of a single match agrees with it."""
    verify_policy(policy)
    decision = is_admitted(policy, identity, development=development)
    if isinstance(policy, Match):
        findings = explain(policy, identity, development=development)
        assert decision == all(finding.ok for finding in findings)
    return decision


def test_a_measurement_admits_that_code_only() -> None:
    """A match by measurement admits the code it names and no other."""
    assert admits(BY_CODE)
    assert not admits(BY_CODE, replace(IDENTITY, measurement=OTHER_CODE))


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
    """Where platform ids are listed, others are refused."""
    assert admits(replace(BY_CODE, platform_ids=(b"o", b"p" * 16)))
    assert not admits(replace(BY_CODE, platform_ids=(b"o",)))


def test_any_and_all_combine() -> None:
    """Any wants one member, all wants each."""
    other = Match(measurement=OTHER_CODE)
    assert admits(AnyOf((other, BY_CODE)))
    assert not admits(AnyOf((other,)))
    assert admits(AllOf((BY_CODE, BY_SIGNER)))
    assert not admits(AllOf((BY_CODE, other)))
    assert admits(AllOf((AnyOf((other, BY_CODE)), BY_SIGNER)))


@pytest.mark.parametrize(
    "policy",
    [
        AnyOf(()),
        AllOf(()),
        AllOf((BY_CODE, AnyOf(()))),
        Match(),
        Match(measurement=CODE, signer=SIGNER),
        Match(measurement=b"short"),
        Match(measurement=CODE, product_id=1),
        Match(measurement=CODE, minimum_svn=1),
        Match(signer=SIGNER, minimum_svn=70_000),
        Match(measurement=CODE, tcb_statuses=()),
        Match(measurement=CODE, tcb_statuses=("Revoked",)),
        Match(measurement=CODE, tcb_statuses=("UpToDate", "OutOfDate")),
        Match(measurement=CODE, advisories=("b", "a")),
        Match(measurement=CODE, platform_ids=(b"",)),
        Match(measurement=CODE, platform_ids=(b"b", b"a")),
        AnyOf((BY_CODE,) * MAX_NODES),
        AnyOf((AnyOf((AnyOf((AnyOf((BY_CODE,)),)),)),)),
    ],
)
def test_an_invalid_policy_is_refused_and_never_true(policy: Policy) -> None:
    """What admits nothing by mistake, or is too large, has no encoding."""
    with pytest.raises(DecodeError):
        verify_policy(policy)
    with pytest.raises(DecodeError):
        encode_policy(policy)


def test_an_empty_list_admits_nothing_even_unverified() -> None:
    """A caller who forgot to verify still gets a refusal from an empty list and an empty match."""
    for policy in (AnyOf(()), AllOf(()), Match()):
        assert not is_admitted(policy, replace(IDENTITY, signer=b""), development=True)


def test_limits_are_reached() -> None:
    """The deepest and the widest allowed policies pass."""
    deep: Policy = BY_CODE
    for _ in range(MAX_DEPTH - 1):
        deep = AllOf((deep,))
    wide = AnyOf((BY_CODE,) * (MAX_NODES - 1))
    for policy in (deep, wide):
        assert decode_policy(encode_policy(policy)) == policy


def test_explanations_name_the_path_and_what_came() -> None:
    """An explanation says per field where it stands, what was expected and what came."""
    findings = explain(AnyOf((BY_SIGNER,)), replace(IDENTITY, svn=1), development=False)
    failed = [finding for finding in findings if not finding.ok]
    assert [(f.field, f.expected, f.got) for f in failed] == [("any[0].minimum_svn", ">= 3", "1")]


matches = st.builds(
    Match,
    measurement=st.sampled_from([CODE, OTHER_CODE]),
    tcb_statuses=st.sets(st.sampled_from(sorted(TCB_STATUSES)), min_size=1).map(
        lambda s: tuple(sorted(s))
    ),
    advisories=st.sets(st.sampled_from(["SA-1", "SA-2", "SA-3"])).map(lambda s: tuple(sorted(s))),
    allow_debug=st.booleans(),
)
identities = st.builds(
    Identity,
    platform=st.just("sgx"),
    measurement=st.sampled_from([CODE, OTHER_CODE]),
    debug=st.booleans(),
    tcb_status=st.sampled_from(sorted(TCB_STATUSES)),
    advisories=st.sets(st.sampled_from(["SA-1", "SA-2", "SA-3"])).map(lambda s: tuple(sorted(s))),
)


@given(matches, matches, identities, st.booleans())
def test_combinators_agree_with_their_members(
    a: Match, b: Match, identity: Identity, development: bool
) -> None:
    """Any is the or of its members, all the and, and each explanation agrees with the decision."""
    in_a = admits(a, identity, development=development)
    in_b = admits(b, identity, development=development)
    assert admits(AnyOf((a, b)), identity, development=development) == (in_a or in_b)
    assert admits(AllOf((a, b)), identity, development=development) == (in_a and in_b)
    assert decode_policy(encode_policy(AnyOf((a, b)))) == AnyOf((a, b))
