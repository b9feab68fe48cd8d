"""What people are told about a policy file with a fault: the field, and what would be right."""

from functools import reduce

import pytest

from attestation.policy import MAX_DEPTH, MAX_NODES
from enclave_client.errors import PolicyFileError
from enclave_client.policy_file import decode_single_policy

MEASURED = f'measurement = "{"5f" * 32}"'
CODE = f"{MEASURED}\n"
RELEASE = (
    'release = {{name = "fns", minimum = "1.2.0", threshold = {}, '
    'auditors = ["0x91Cf78Fa0043E0dA6BEc605A1f510F36b3266745"]}}'
)


@pytest.mark.parametrize(
    "text, said",
    [
        ('measurement = "ab"', "field measurement: must be 64 hex digits for SGX, 96 for TDX and"),
        ('signer = "ab"', "field signer: must be 64 hex digits for SGX, 96 for TDX and SEV-SNP"),
        (
            CODE + "minimum_svn = 1",
            "field minimum_svn: must be 0 to 4294967295, and beside a signer only",
        ),
        (CODE + 'tcb_statuses = ["uptodate"]', "SWHardeningNeeded, TDRelaunchAdvised"),
        (CODE + 'advisories = ["INTEL SA"]', "names such as INTEL-SA-00615"),
        (CODE + f'platform_ids = ["{"01" * 17}"]', "32 hex digits for Intel, 128 for AMD"),
        (CODE + f'platform_ids = ["{"00" * 16}"]', "128 for AMD, not all zero, at most 64 of them"),
        (CODE + 'sgx = {config_id = "00"}', "field sgx.config_id: must be 128 hex digits"),
        (
            CODE + 'tdx = {xfam = {value = "01", mask = "01"}}',
            "field tdx.xfam: must be value and mask in 16",
        ),
        ("any = []", "field any: needs at least 1"),
        (CODE + "sgn = 1", "field sgn: there is no such field"),
        (CODE + "snp = {}", "field snp.minimum_tcb: is missing"),
    ],
)
def test_the_words_for_a_fault(text: str, said: str) -> None:
    """The error says what would be right, in no words of the library that checks."""
    with pytest.raises(PolicyFileError) as raised:
        decode_single_policy(text.encode())
    assert said in raised.value.message


def nested(table: str, *places: tuple[str, int]) -> str:
    """The table in lists in lists, behind so many good ones each; the innermost place first."""

    def inside(inner: str, place: tuple[str, int]) -> str:
        word, before = place
        return f"{word} = [{', '.join([*['{' + MEASURED + '}'] * before, '{' + inner + '}'])}]"

    return reduce(inside, places, table)


@pytest.mark.parametrize(
    "table, said",
    [
        ('measurement = "ab"', ".measurement: must be 64 hex digits for SGX"),
        ('signer = "ab"', ".signer: must be 64 hex digits for SGX"),
        (f"{MEASURED}, minimum_svn = 1", ".minimum_svn: must be 0 to 4294967295, and beside"),
        (f'{MEASURED}, sgx = {{config_id = "00"}}', ".sgx.config_id: must be 128 hex digits"),
        (RELEASE.format(0), ".release.threshold: must be 1 to the number of auditors"),
        (f"{MEASURED}, snp = {{}}", ".snp.minimum_tcb: is missing"),
        (f"{MEASURED}, sgn = 1", ".sgn: there is no such field"),
        (f"{MEASURED}, allow_debug = 1", ".allow_debug: must be true or false"),
        (f"{MEASURED}, tcb_statuses = [1]", ".tcb_statuses[0]: must be text"),
        (f"{MEASURED}, tcb_statuses = 1", ".tcb_statuses: must be a list"),
        (f"{MEASURED}, sgx = 1", ".sgx: must be a table"),
        ("measurement = 1", ".measurement: must be text of hex digits"),
        ('signer = "ab", minimum_svn = "1"', ".minimum_svn: must be a whole number"),
        ('product_id = 1', ": needs exactly one of measurement, signer, release, tdx.mr_td"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("part", ["", "readers"])
def test_a_nested_fault_says_where(table: str, said: str, part: str) -> None:
    """The place is told by the names of the file, whoever finds the fault."""
    text = nested(table, ("all", 0), ("any", 1))
    if part:
        text = f'writers = "nobody"\n[{part}]\n{text}'
    with pytest.raises(PolicyFileError) as raised:
        decode_single_policy(text.encode(), part=part)
    start = f"{part}." if part else ""
    assert f": field {start}any[1].all[0]{said}" in raised.value.message


def test_a_list_with_a_fault_in_two_members() -> None:
    """The first one is named, with its own fault."""
    members = f'any = [{{{MEASURED}, minimum_svn = 1}}, {{measurement = "ab"}}]'
    with pytest.raises(PolicyFileError) as raised:
        decode_single_policy(members.encode())
    assert ": field any[0].minimum_svn: must be 0 to" in raised.value.message


def test_what_is_nested_too_deep() -> None:
    """The first list below the last level that is read is named."""
    with pytest.raises(PolicyFileError) as raised:
        decode_single_policy(nested(MEASURED, *(("any", 0),) * (MAX_DEPTH + 2)).encode())
    assert f": field {'.'.join(['any[0]'] * MAX_DEPTH)}: more than 4" in raised.value.message


def test_too_many_nodes() -> None:
    """Where no one place is at fault, none is named."""
    with pytest.raises(PolicyFileError) as raised:
        decode_single_policy(nested(MEASURED, ("any", MAX_NODES)).encode())
    assert "policy: more than 4 levels or 64 nodes" in raised.value.message
