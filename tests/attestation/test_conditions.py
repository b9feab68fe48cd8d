"""Conditions on one kind of TEE: each field by itself, equal, masked or at least."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation.conditions import (
    SGX_EQUALS,
    SNP_EQUALS,
    TDX_EQUALS,
    SgxMatch,
    SnpMatch,
    TdxMatch,
    TeeMatch,
    is_masked,
    is_tee_met,
    verify_tee_match,
)
from attestation.fields import SgxFields, SnpFields, SnpTcb, TdxFields, TeeFields
from tests.support.attestation_examples import IDENTITY, SNP_IDENTITY, TDX_IDENTITY

SGX, TDX, SNP = IDENTITY.fields, TDX_IDENTITY.fields, SNP_IDENTITY.fields
LAX = SnpMatch(minimum_tcb=SnpTcb())  # asks for nothing


def snp(**changes: object) -> SnpMatch:
    """The lax match, changed."""
    return replace(LAX, **changes)  # type: ignore[arg-type]  # its fields


def changed(own: TeeFields, **changes: object) -> TeeFields:
    """The fields, changed."""
    return replace(own, **changes)  # type: ignore[arg-type]  # its fields


EQUALS: list[tuple[TeeMatch, TeeFields, str]] = [
    *((SgxMatch(**{name: getattr(SGX, name)}), SGX, name) for name in SGX_EQUALS),
    *((TdxMatch(**{name: getattr(TDX, name)}), TDX, name) for name in TDX_EQUALS),
    *((snp(**{name: getattr(SNP, name)}), SNP, name) for name in SNP_EQUALS),
]


@pytest.mark.parametrize("match, own, name", EQUALS)
def test_a_digest_is_equal_or_refused(match: TeeMatch, own: TeeFields, name: str) -> None:
    """A condition by equality is met by that value, and by none with a single other bit."""
    verify_tee_match(match)
    assert is_tee_met(match, own)
    value = bytearray(getattr(own, name))
    value[-1] ^= 1
    assert not is_tee_met(match, changed(own, **{name: bytes(value)}))


def test_every_field_of_a_report_can_be_asked_for() -> None:
    """No field that a report has is out of reach of conditions, but those read into booleans."""
    asked = {f.name for kind in (SgxMatch, TdxMatch, SnpMatch) for f in fields(kind)}
    derived = {"config_svn", "guest_policy", "platform_info", "vmpl", "reported_tcb", "launch_tcb"}
    derived |= {"product", "is_vlek"}
    had = {f.name for kind in (SgxFields, TdxFields, SnpFields) for f in fields(kind)}
    assert had - asked == derived


@pytest.mark.parametrize("match", [SgxMatch(), TdxMatch(), LAX])
@pytest.mark.parametrize("own", [SGX, TDX, SNP])
def test_a_condition_on_one_tee_admits_no_other(match: TeeMatch, own: TeeFields) -> None:
    """Even an empty condition is one: on its TEE."""
    same = type(match).__name__.removesuffix("Match") == type(own).__name__.removesuffix("Fields")
    assert is_tee_met(match, own) is same


def test_an_author_key_that_is_not_there_is_not_the_one() -> None:
    """A report without an author key does not meet a condition on it."""
    match = snp(author_key_digest=bytes(48))
    assert not is_tee_met(match, changed(SNP, author_key_digest=b""))
    assert is_tee_met(match, changed(SNP, author_key_digest=bytes(48)))


@pytest.mark.parametrize(
    "flags, met",
    [("0500", True), ("0400", True), ("0700", False), ("0100", False), ("05ff", True)],
)
def test_masked_flags(flags: str, met: bool) -> None:
    """Bits in the mask are as the value says, the others are not looked at."""
    value, mask = bytes.fromhex("0400") + bytes(14), bytes.fromhex("0600") + bytes(14)
    match = SgxMatch(attributes=value, attributes_mask=mask)
    verify_tee_match(match)
    fields_ = SgxFields(attributes=bytes.fromhex(flags) + bytes(14))
    assert is_tee_met(match, fields_) is met


@pytest.mark.parametrize("name", ["attributes", "xfam"])
def test_masked_flags_of_a_td(name: str) -> None:
    """Both flag words of a TD are compared under their masks."""
    match = TdxMatch(**{name: b"\x01" + bytes(7), f"{name}_mask": b"\x03" + bytes(7)})
    verify_tee_match(match)
    for first, met in ((1, True), (5, True), (3, False), (0, False)):
        own = TdxFields(**{name: bytes([first]) + bytes(7)})
        assert is_tee_met(match, own) is met


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_flags_under_a_mask_are_met_by_themselves(flags: bytes, mask: bytes) -> None:
    """``flags & mask`` meets its own mask, and a changed bit under the mask does not."""
    value = bytes(a & b for a, b in zip(flags, mask, strict=True))
    assert is_masked(flags, value, mask)
    for at in range(64):
        changed = (int.from_bytes(flags, "big") ^ 1 << at).to_bytes(8, "big")
        assert is_masked(changed, value, mask) is not bool(int.from_bytes(mask, "big") >> at & 1)


@pytest.mark.parametrize("minimum, met", [(0, True), (2, True), (3, False)])
def test_the_minimum_config_svn(minimum: int, met: bool) -> None:
    """CONFIGSVN is at least what is asked for."""
    assert is_tee_met(SgxMatch(minimum_config_svn=minimum), SGX) is met


@pytest.mark.parametrize("part", ["boot_loader", "tee", "snp", "microcode", "fmc"])
def test_each_part_of_a_tcb_by_itself(part: str) -> None:
    """A TCB that is newer in four parts and older in one is older: parts do not make up for it."""
    low = replace(SnpTcb(boot_loader=9, tee=9, snp=9, microcode=9, fmc=9), **{part: 3})
    equal, higher = SnpTcb(**{part: 3}), SnpTcb(**{part: 4})
    own = changed(SNP, reported_tcb=low, launch_tcb=low)
    assert is_tee_met(snp(minimum_tcb=equal), own)
    assert not is_tee_met(snp(minimum_tcb=higher), own)
    assert is_tee_met(snp(minimum_launch_tcb=equal), own)
    assert not is_tee_met(snp(minimum_launch_tcb=higher), own)


@pytest.mark.parametrize(
    "change, condition",
    [
        ({"vmpl": 1}, {"maximum_vmpl": 1}),
        ({"guest_policy": 1 << 18}, {"allow_migration": True}),
        ({"is_vlek": True}, {"allow_vlek": True}),
    ],
)
def test_what_weakens_a_guest_is_asked_for_by_name(
    change: dict[str, object], condition: dict[str, object]
) -> None:
    """Other privilege levels, migration and the cloud's key pass only where a match says so."""
    own = changed(SNP, **change)
    assert is_tee_met(LAX, SNP)
    assert not is_tee_met(LAX, own)
    assert is_tee_met(replace(LAX, **condition), own)  # type: ignore[arg-type]  # fields of the match


def test_products_and_single_thread() -> None:
    """Where product lines are listed others are refused; a guest that allows SMT can be."""
    own = changed(SNP, guest_policy=1 << 16)
    assert is_tee_met(snp(products=("Genoa", "Milan")), own)
    assert not is_tee_met(snp(products=("Genoa", "Turin")), own)
    assert not is_tee_met(snp(require_single_thread=True), own)
    alone = changed(own, guest_policy=0)
    assert is_tee_met(snp(require_single_thread=True), alone)
