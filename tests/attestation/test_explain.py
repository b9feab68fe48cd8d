"""Explanations: every field by its path, with what was asked for and what came."""

from dataclasses import replace

import pytest

from attestation.explain import Finding, Result, explain, missing_words
from attestation.facts import Facts
from attestation.identity import MAX_TIME_S, Identity
from attestation.judging import Subject
from attestation.policy import AllOf, AnyOf, Match, Policy
from tests.support.attestation_examples import (
    IDENTITIES,
    IDENTITY,
    RELEASE_MATCH,
    RELEASES,
    SGX_MATCH,
    SNP_IDENTITY,
    SNP_MATCH,
    TDX_IDENTITY,
    TDX_MATCH,
)

NOW_S = 1_800_000_000


def findings(policy: Policy, identity: Identity, now_s: int = NOW_S) -> dict[str, Finding]:
    """The findings by their field; no field is named twice."""
    found = explain(policy, Subject(identity, Facts(RELEASES)), development=False, now_s=now_s)
    by_field = {one.field: one for one in found}
    assert len(by_field) == len(found)
    return by_field


def test_a_failed_field_says_where_it_stands_and_what_came() -> None:
    """A path, what was expected, what came."""
    policy = AnyOf((Match(measurement=IDENTITY.measurement), AllOf((SGX_MATCH,))))
    found = findings(policy, replace(IDENTITY, measurement=bytes(32)))
    assert found["any[0].measurement"] == Finding(
        "any[0].measurement", "11" * 32, "00" * 32, ok=False
    )
    assert not found["any[1].all[0].measurement"].ok
    assert found["any[1].all[0].sgx.config_id"].ok


@pytest.mark.parametrize(
    "match, identity, expected",
    [
        (SGX_MATCH, IDENTITY, {"sgx.minimum_config_svn", "sgx.config_id", "sgx.ext_product_id",
                               "sgx.family_id", "sgx.attributes"}),
        (TDX_MATCH, TDX_IDENTITY, {"tdx.mr_td", "tdx.rtmr1", "tdx.rtmr2", "tdx.attributes",
                                   "tdx.xfam"}),
        (SNP_MATCH, SNP_IDENTITY, {"snp.minimum_tcb", "snp.minimum_launch_tcb", "snp.maximum_vmpl",
                                   "snp.products", "snp.migration", "snp.vlek", "snp.smt",
                                   "snp.host_data", "snp.family_id", "snp.image_id",
                                   "snp.author_key_digest", "platform_id"}),
    ],
)  # fmt: skip
def test_every_condition_has_its_row(match: Match, identity: Identity, expected: set[str]) -> None:
    """Each condition of a match is a finding, good for the identity that it was written for."""
    found = findings(match, identity)
    assert expected <= set(found)
    assert all(found[field].ok for field in expected)


def test_another_tee_is_one_finding() -> None:
    """Conditions on a TEE that the subject does not have say just that."""
    found = findings(TDX_MATCH, SNP_IDENTITY)
    assert found["tee"] == Finding("tee", "tdx", "snp", ok=False)
    assert not any(field.startswith("tdx.") for field in found)


def test_a_tcb_is_told_by_the_names_of_its_numbers() -> None:
    """Which of the five is too low has to be seen."""
    row = findings(SNP_MATCH, SNP_IDENTITY)["snp.minimum_tcb"]
    for said in (row.expected.removeprefix(">= "), row.got):
        names = [part.rpartition(" ")[0] for part in said.split(", ")]
        assert names == ["boot loader", "TEE", "SNP", "microcode", "FMC"]


def test_an_snp_guest_is_told_what_its_policy_lacks() -> None:
    """Where a policy says nothing about SNP's TCB, that is the finding, not a status."""
    found = findings(Match(measurement=SNP_IDENTITY.measurement), SNP_IDENTITY)
    assert not found["snp.minimum_tcb"].ok
    assert "tcb_status" not in found


def test_a_release_says_which_are_known_and_endorsed() -> None:
    """The release row lists what the ledger knows of this measurement."""
    row = findings(RELEASE_MATCH, IDENTITY)["release"]
    assert row.ok
    assert row.expected == "fns >= 1.2.0, endorsed by 2 of 3 auditors"
    assert row.got == "fns 1.2.0 (endorsed by 2), fns 1.3.0 (endorsed by 0)"
    unknown = explain(RELEASE_MATCH, Subject(IDENTITY), development=False, now_s=NOW_S)[0]
    assert (unknown.got, unknown.ok) == ("known to the ledger alone", False)
    assert (row.result, unknown.result) == (Result.MET, Result.UNKNOWN)
    other = Facts(tuple(replace(one, name="other") for one in RELEASES))
    refuted = explain(RELEASE_MATCH, Subject(IDENTITY, other), development=False, now_s=NOW_S)[0]
    assert refuted.result is Result.NOT_MET


def test_an_enrolled_platform_is_named() -> None:
    """The row says which machine it is about, and that nothing is known of one without an id."""
    match = Match(measurement=IDENTITY.measurement, enrolled=True)
    known = Subject(IDENTITY, Facts(is_enrolled=True))
    row = explain(match, known, development=False, now_s=NOW_S)[-1]
    assert (row.field, row.expected, row.ok) == ("enrolled", "by the members", True)
    assert row.got == f"{IDENTITY.platform_id.hex()}, enrolled"
    row = explain(match, Subject(IDENTITY), development=False, now_s=NOW_S)[-1]
    assert (row.ok, row.ledger_only, row.result) == (False, True, Result.UNKNOWN)
    assert row.got == f"{IDENTITY.platform_id.hex()}, known to the ledger alone"
    masked = Subject(replace(IDENTITY, platform_id=b""))
    row = explain(match, masked, development=False, now_s=NOW_S)[-1]
    assert (row.got, row.result) == ("no platform id, never enrolled", Result.NOT_MET)


def test_what_is_missing_in_words() -> None:
    """What is not met stands before what the ledger alone knows; a long list is cut."""
    match = replace(RELEASE_MATCH, enrolled=True, platform_ids=(b"o" * 16,))
    current = replace(IDENTITY, tcb_status="UpToDate", advisories=())
    found = explain(match, Subject(current), development=False, now_s=NOW_S)
    assert missing_words(found) == (
        "not met: platform_id; known to the ledger alone: release, enrolled"
    )
    many = tuple(Finding(f"f{number}", "a", "b", ok=False) for number in range(7))
    assert missing_words(many) == "not met: f0, f1, f2, f3, f4 …"
    assert missing_words(()) == ""


def test_a_grace_is_shown_as_dates() -> None:
    """The row of a grace says from which TCB level on, and which the platform has."""
    match = Match(
        measurement=IDENTITY.measurement,
        tcb_statuses=("SWHardeningNeeded", "UpToDate"),
        advisories=IDENTITY.advisories,
        grace_s=86_400,
    )
    row = findings(match, IDENTITY)["grace"]
    assert (row.expected, row.got, row.ok) == (
        "UpToDate, or a TCB level of 2027-01-14 or later",
        "2026-05-28",
        False,
    )


@pytest.mark.parametrize("now_s", [0, 10**10, 2**62])
@pytest.mark.parametrize("date_s", [0, 1, MAX_TIME_S])
def test_no_time_is_beyond_explaining(now_s: int, date_s: int) -> None:
    """Dates that no calendar has are shown as seconds."""
    match = Match(measurement=bytes(32), tcb_statuses=("OutOfDate",), grace_s=5)
    for identity in IDENTITIES:
        assert findings(match, replace(identity, tcb_date_s=date_s), now_s)
