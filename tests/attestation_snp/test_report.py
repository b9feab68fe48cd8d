"""The shape of a report: what each version reserves, and that every signed byte counts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation.errors import AttestationError, DecodeError, EvidenceError
from attestation.evidence import SNP_REPORT_BYTES
from attestation.fields import SnpTcb
from attestation.platforms.software_snp import DEBUG_POLICY, make_snp_report
from attestation.snp.products import decode_tcb, encode_tcb, line_of_name, line_of_processor
from attestation.snp.report import VERSIONS, SnpReport, parse_report
from attestation.snp.verify import verify_snp
from tests.support.mutation import mutations
from tests.support.snp_vectors import (
    MANIFEST,
    amd_rules,
    collateral_of,
    evidence_of,
    run_of,
    snp_vectors,
)
from tests.support.snp_world import GUEST, SnpWorld, leaf_key

REPORT = make_snp_report(leaf_key(), GUEST)

# bytes that are reserved in every version, one of each range
RESERVED = [0x04C, 0x04F, 0x1EB, 0x1EF, 0x208, 0x29F, 0x2D0, 0x2E7, 0x318, 0x32F, 0x330, 0x49F]
CPUID = [0x188, 0x189, 0x18A]
AFTER_CPUID = [0x18B, 0x19F]
MITIGATIONS = [0x1F8, 0x1FF, 0x200, 0x207]


def of_version(version: int) -> bytearray:
    """A report of this version; only its shape is good."""
    report = bytearray(REPORT)
    report[0] = version
    if version == 2:
        report[0x188:0x18B] = bytes(3)
    return report


def test_a_report_is_read_field_by_field() -> None:
    """Each field is where the layout says."""
    report = parse_report(REPORT)
    assert (report.version, report.guest_svn, report.vmpl) == (3, GUEST.guest_svn, 0)
    assert report.guest_policy == GUEST.guest_policy
    assert (report.family_id, report.image_id) == (GUEST.family_id, GUEST.image_id)
    assert (report.report_data, report.host_data) == (GUEST.report_data, GUEST.host_data)
    assert (report.measurement, report.chip_id) == (GUEST.measurement, GUEST.chip_id)
    assert (report.id_key_digest, report.author_key_digest) == (GUEST.id_key_digest, b"")
    tcb = encode_tcb(GUEST.tcb, "Milan")
    assert {report.current_tcb, report.reported_tcb, report.launch_tcb} == {tcb}
    assert report.committed_tcb == tcb
    assert report.signed_region == REPORT[:0x2A0]
    assert (report.has_vlek_signature, report.is_chip_key_masked) == (False, False)
    assert not report.allows_debug


def test_debug_is_read_from_the_guest_policy() -> None:
    """Bit 19."""
    guest = replace(GUEST, guest_policy=DEBUG_POLICY)
    assert parse_report(make_snp_report(leaf_key(), guest)).allows_debug


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_reserves_its_bytes(version: int) -> None:
    """A reserved byte that is set is refused; one that the version uses is not."""
    parse_report(bytes(of_version(version)))
    used = {2: [], 3: CPUID, 5: [*CPUID, *MITIGATIONS]}[version]
    reserved = [*RESERVED, *AFTER_CPUID, *(set(CPUID + MITIGATIONS) - set(used))]
    for at in reserved:
        report = of_version(version)
        report[at] ^= 1
        with pytest.raises(DecodeError, match="reserved"):
            parse_report(bytes(report))
    for at in used:
        report = of_version(version)
        report[at] ^= 1
        parse_report(bytes(report))


@pytest.mark.parametrize("version", [0, 1, 4, 6, 0xFFFFFFFF])
def test_other_versions_are_not_known(version: int) -> None:
    """Nothing is read from a report of another version."""
    with pytest.raises(DecodeError, match="version"):
        parse_report(version.to_bytes(4, "little") + REPORT[4:])


@pytest.mark.parametrize(
    "at, value, word",
    [
        (0x00A, 0x01, "policy"),  # bit 17 is not one
        (0x00B, 0x04, "policy"),  # bit 26
        (0x00F, 0x80, "policy"),
        (0x030, 4, "VMPL"),
        (0x033, 1, "VMPL"),
        (0x034, 0, "algorithm"),
        (0x034, 2, "algorithm"),
        (0x048, 0x08, "flags"),  # signing key 2
        (0x048, 0x1C, "flags"),  # none signed it
        (0x048, 0x20, "flags"),
        (0x04B, 0x80, "flags"),
        (0x048, 0x01, "author"),  # says so, has none
        (0x110, 1, "author"),  # has one, does not say so
    ],
)
def test_a_value_that_no_guest_gets_is_refused(at: int, value: int, word: str) -> None:
    """Reserved bits and unknown codes are refused, and the message says which."""
    report = bytearray(REPORT)
    report[at] = value
    with pytest.raises(DecodeError, match=word):
        parse_report(bytes(report))


def test_an_author_key_goes_with_its_flag() -> None:
    """With the flag the digest is read."""
    report = bytearray(REPORT)
    report[0x048], report[0x110:0x140] = 1, b"\x66" * 48
    assert parse_report(bytes(report)).author_key_digest == b"\x66" * 48


@pytest.mark.parametrize("size", [0, 1, 0x2A0, SNP_REPORT_BYTES - 1, SNP_REPORT_BYTES + 1])
def test_other_sizes_are_no_reports(size: int) -> None:
    """A report has exactly 1,184 bytes."""
    with pytest.raises(DecodeError, match="bytes"):
        parse_report(REPORT.ljust(size, b"\0")[:size])


@pytest.mark.parametrize("line", ["Milan", "Genoa", "Turin"])
def test_a_tcb_has_the_layout_of_its_line(line: str) -> None:
    """What is written is read; a byte that the line reserves is refused."""
    tcb = SnpTcb(boot_loader=1, tee=2, snp=3, microcode=4, fmc=5 if line == "Turin" else 0)
    raw = encode_tcb(tcb, line)
    assert decode_tcb(raw, line) == tcb
    for at in range(8):
        if raw[at] == 0:
            with pytest.raises(DecodeError, match="reserves"):
                decode_tcb(raw[:at] + b"\1" + raw[at + 1 :], line)
    with pytest.raises(DecodeError):
        decode_tcb(raw[:7], line)


def test_lines_are_known_by_name_and_processor() -> None:
    """Unknown ones have no line."""
    assert [line_of_name(name) for name in ("Milan-B0", "Siena", "Turin-C1", "Rome", "")] == [
        "Milan", "Genoa", "Turin", None, None,
    ]  # fmt: skip
    known = {(0x19, 0x01): "Milan", (0x19, 0xA0): "Genoa", (0x1A, 0x11): "Turin"}
    assert {key: line_of_processor(*key) for key in known} == known
    assert [line_of_processor(*key) for key in ((0x19, 0x20), (0x1A, 0x12), (0x17, 0x31))] == [
        None, None, None,
    ]  # fmt: skip


@pytest.mark.skipif(not MANIFEST.exists(), reason="the vectors are not beside this checkout")
@pytest.mark.parametrize("name", ["ms-turin", "virtee-milan"])
def test_every_byte_of_a_real_report_counts(name: str) -> None:
    """One bit of any byte changed, signed or signature or filling: refused, by version 2 and 5."""
    vector = next(v for v in snp_vectors() if v["id"] == f"sev-snp/{name}")
    evidence, collateral, rules = evidence_of(vector), collateral_of(vector), amd_rules()
    now_s = run_of(vector)["now"]
    verify_snp(evidence, collateral, rules, now_s, needs_revocations=False)
    for at in range(SNP_REPORT_BYTES):
        report = bytearray(evidence.quote)
        report[at] ^= 1 << at % 8
        with pytest.raises(EvidenceError):
            verify_snp(
                replace(evidence, quote=bytes(report)),
                collateral,
                rules,
                now_s,
                needs_revocations=False,
            )


@given(data=mutations(REPORT))
def test_a_damaged_report_is_refused_or_read(data: bytes) -> None:
    """The parser gives a report or its own error, whatever the damage."""
    try:
        assert isinstance(parse_report(data), SnpReport)
    except DecodeError:
        return


@given(data=st.binary(max_size=1300))
def test_noise_is_refused(data: bytes) -> None:
    """Random bytes raise nothing but the decode error."""
    with pytest.raises(DecodeError):
        parse_report(data)


@given(data=mutations(REPORT), certificate=mutations(SnpWorld().vcek()))
def test_damaged_evidence_is_refused_by_the_whole_path(data: bytes, certificate: bytes) -> None:
    """Whatever was changed: one of our errors, or the very same evidence."""
    world = SnpWorld()
    evidence = replace(world.evidence(), quote=data, certificate=certificate)
    try:
        verdict = world.judge(evidence)
    except AttestationError:
        return
    assert verdict.quote_digest == parse_report(REPORT).digest
