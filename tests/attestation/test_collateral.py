"""What collateral says about itself, and which may follow which."""

from dataclasses import replace

import pytest

from attestation.collateral import (
    Collateral,
    CollateralFacts,
    Edition,
    RevocationDates,
    is_successor,
    read_facts,
)
from attestation.errors import DecodeError
from attestation.platforms.software_collateral import FMSPC, CollateralOptions
from tests.support.attested import NOW_S, SoftwareWorld

YEAR_S = 365 * 86_400
HELD = CollateralFacts(
    platform="sgx",
    fmspc=FMSPC,
    tcb_info=Edition(17, 1000, 2000),
    qe_identity=Edition(17, 1000, 1900),
    root_crl=RevocationDates(900, 3000),
    pck_crl=RevocationDates(950, 1800),
)


def test_facts_of_signed_collateral(world: SoftwareWorld) -> None:
    """Platform, FMSPC, numbers and dates are read from documents and revocation lists."""
    made = CollateralOptions(issued_s=NOW_S, validity_s=500, evaluation_number=9)
    facts = read_facts(world.collateral(made))
    edition = Edition(9, NOW_S, NOW_S + 500)
    crl = RevocationDates(NOW_S, NOW_S + 501)
    assert facts == CollateralFacts(
        platform="sgx",
        fmspc=FMSPC,
        tcb_info=edition,
        qe_identity=edition,
        root_crl=crl,
        pck_crl=crl,
    )
    assert (facts.valid_from_s, facts.valid_until_s, facts.number) == (NOW_S, NOW_S + 500, 9)


def test_the_window_is_that_of_the_first_part_to_end() -> None:
    """Documents end inclusively, revocation lists exclusively; the earliest end counts."""
    assert HELD.valid_until_s == 1799
    assert replace(HELD, pck_crl=RevocationDates(950, 5000)).valid_until_s == 1900
    assert replace(HELD, qe_identity=Edition(16, 1100, 1900)).valid_from_s == 1100
    assert replace(HELD, qe_identity=Edition(16, 1100, 1900)).number == 16


@pytest.mark.parametrize(
    "changes",
    [
        {"tcb_info": Edition(18, 1001, 2000)},
        {"tcb_info": Edition(18, 500, 2000)},
        {"tcb_info": Edition(17, 1001, 2000)},
        {"qe_identity": Edition(17, 1001, 2000)},
        {"root_crl": RevocationDates(901, 3000)},
        {"pck_crl": RevocationDates(951, 3000)},
    ],
)
def test_newer_collateral_may_follow(changes: dict[str, object]) -> None:
    """A higher number, or the same with a later date, in any part may replace what is held."""
    candidate = replace(HELD, **changes)  # type: ignore[arg-type]  # its fields
    assert is_successor(candidate, HELD)
    assert not is_successor(HELD, candidate)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tcb_info": Edition(16, 9999, 99_999)},
        {"qe_identity": Edition(16, 9999, 99_999)},
        {"tcb_info": Edition(18, 1001, 2000), "qe_identity": Edition(17, 999, 2000)},
        {"tcb_info": Edition(18, 1001, 2000), "root_crl": RevocationDates(899, 3000)},
        {"tcb_info": Edition(18, 1001, 2000), "pck_crl": RevocationDates(949, 3000)},
        {"tcb_info": Edition(18, 1001, 2000), "platform": "tdx"},
        {"tcb_info": Edition(18, 1001, 2000), "fmspc": bytes(6)},
    ],
)
def test_a_lower_tcb_number_with_a_later_date_may_not_follow(changes: dict[str, object]) -> None:
    """Attack: nothing may go back, however new the rest is."""
    assert not is_successor(replace(HELD, **changes), HELD)  # type: ignore[arg-type]  # its fields


@pytest.mark.parametrize(
    "field, old, new",
    [
        ("tcb_info", '"id":"SGX"', '"id":"TDX"'),
        ("tcb_info", '"id":"SGX"', '"id":["SGX"]'),
        ("tcb_info", '"version":3', '"version":3,"version":3'),
        ("tcb_info", '"tcbEvaluationDataNumber":1', '"tcbEvaluationDataNumber":-1'),
        ("tcb_info", '"tcbEvaluationDataNumber":1', '"tcbEvaluationDataNumber":true'),
        ("tcb_info", '"tcbEvaluationDataNumber":1', '"tcbEvaluationDataNumber":1.0'),
        ("tcb_info", '"tcbEvaluationDataNumber":1', '"tcbEvaluationDataNumber":4294967296'),
        ("tcb_info", '"issueDate":"2', '"issueDate":"+2'),
        ("tcb_info", '"issueDate":"2027-01-15', '"issueDate":"2027-02-30'),
        ("tcb_info", '"fmspc":"', '"fmspc":"00'),
        ("qe_identity", '"id":"QE"', '"id":"TD_QE"'),
        ("qe_identity", "{", "[{"),
        ("qe_identity", '"nextUpdate"', '"nextupdate"'),
    ],
)
def test_odd_documents_are_refused(world: SoftwareWorld, field: str, old: str, new: str) -> None:
    """Documents of another shape, with repeated keys or odd dates are not read."""
    held = world.collateral()
    text = getattr(held, field)
    assert old in text
    with pytest.raises(DecodeError):
        read_facts(replace(held, **{field: text.replace(old, new, 1)}))


@pytest.mark.parametrize("text", ["", "[]", "1", "[" * 100_000, "{" * 1000, '{"a":' * 50_000])
def test_nasty_json_is_refused(world: SoftwareWorld, text: str) -> None:
    """Deep nesting and other values than an object are refused, not crashed on."""
    with pytest.raises(DecodeError):
        read_facts(replace(world.collateral(), tcb_info=text))


def test_revocation_lists_must_be_der(world: SoftwareWorld) -> None:
    """A certificate, PEM text or nothing is no revocation list."""
    held: Collateral = world.collateral()
    for junk in (b"", world.root, b"-----BEGIN X509 CRL-----\n", held.pck_crl + b"\0"):
        with pytest.raises(DecodeError):
            read_facts(replace(held, pck_crl=junk))
