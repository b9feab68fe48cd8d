"""What collateral says about itself, and which may follow which."""

import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from attestation.collateral import CollateralFacts, DcapCollateral, is_key
from attestation.collateral_verdict import is_successor
from attestation.dcap.collateral import dcap_key, read_facts
from attestation.dcap.pem import encode_chain
from attestation.errors import DecodeError
from attestation.platforms.software_collateral import FMSPC, CollateralOptions
from tests.support.attestation_examples import COLLATERAL_VERDICT
from tests.support.attested import NOW_S, SoftwareWorld, make_world
from tests.support.certificates import named

KEY = f"sgx/{FMSPC.hex()}/processor"
HELD = COLLATERAL_VERDICT.facts
YEAR_S = 365 * 86_400


def options(**changes: object) -> CollateralOptions:
    """Collateral options from NOW_S on."""
    return replace(CollateralOptions(issued_s=NOW_S), **changes)  # type: ignore[arg-type]  # its fields


def test_facts_of_signed_collateral(world: SoftwareWorld) -> None:
    """Key, numbers and dates are read from documents, chains and revocation lists."""
    facts = read_facts(world.collateral(options(validity_s=500, evaluation_number=9)))
    crl = facts.order[2][0]
    assert facts == CollateralFacts(
        key=KEY,
        order=((9, NOW_S), (9, NOW_S), (crl, NOW_S), (facts.order[3][0], NOW_S)),
        lowest_number=9,
        highest_number=9,
        valid_from_s=NOW_S,
        valid_until_s=NOW_S + 500,
        substance=facts.substance,
    )
    assert is_key(facts.key)
    assert facts.is_numbered
    assert len(facts.substance) == 32


def test_the_window_is_that_of_the_first_part_to_end(world: SoftwareWorld) -> None:
    """Documents end inclusively, revocation lists exclusively; the earliest end counts."""
    long, short = (world.collateral(options(validity_s=size)) for size in (900, 300))
    assert read_facts(long).valid_until_s == NOW_S + 900
    for part in ("pck_crl", "root_ca_crl", "qe_identity", "tcb_info"):
        mixed = replace(long, **{part: getattr(short, part)})
        assert read_facts(mixed).valid_until_s == NOW_S + 300
    later = world.collateral(options(issued_s=NOW_S + 50, evaluation_number=3))
    facts = read_facts(replace(long, qe_identity=later.qe_identity))
    assert (facts.valid_from_s, facts.lowest_number, facts.highest_number) == (NOW_S + 50, 1, 3)


def test_the_same_content_has_the_same_substance(world: SoftwareWorld) -> None:
    """Another date, number or signature makes another edition, not another substance."""
    first = read_facts(world.collateral(options()))
    second = read_facts(world.collateral(options(validity_s=77, evaluation_number=30)))
    assert second.order != first.order
    assert second.substance == first.substance


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "OutOfDate"},
        {"advisories": ("INTEL-SA-00001",)},
        {"qe_status": "OutOfDate"},
        {"revoke_pck": True},
        {"revoke_pck_ca": True},
        {"revoke_tcb_signer": True},
        {"issued_s": NOW_S + 1},
    ],
)
def test_whatever_a_verdict_could_depend_on_is_substance(
    world: SoftwareWorld, changes: dict[str, object]
) -> None:
    """A level's status, advisory or date, or one more revoked serial number, is substance."""
    assert (
        read_facts(world.collateral(options(**changes))).substance
        != read_facts(world.collateral(options())).substance
    )


def test_one_more_level_is_substance(world: SoftwareWorld) -> None:
    """A TCB level that is added changes what is concluded, and so the substance."""
    held = world.collateral()
    document = json.loads(held.tcb_info)
    document["tcbLevels"].append(document["tcbLevels"][0])
    more = replace(held, tcb_info=json.dumps(document, separators=(",", ":")))
    assert read_facts(more).substance != read_facts(held).substance


def test_another_pck_ca_is_substance(world: SoftwareWorld) -> None:
    """A quote passes under the very certificate of its PCK CA, so a new one is substance."""
    held, other = world.collateral(), make_world().collateral()
    moved = replace(held, pck_crl_issuer_chain=other.pck_crl_issuer_chain)
    assert read_facts(moved).key == read_facts(held).key
    assert read_facts(moved).substance != read_facts(held).substance


def test_spelling_of_a_document_is_no_substance(world: SoftwareWorld) -> None:
    """The order of a document's members and its spaces are not what it says."""
    held = world.collateral()
    respelled = json.dumps(json.loads(held.tcb_info), sort_keys=True, indent=1)
    spaced = replace(held, tcb_info=respelled)
    assert read_facts(spaced).substance == read_facts(held).substance


@pytest.mark.parametrize(
    "name, kind",
    [("Intel SGX PCK Processor CA", "processor"), ("Intel SGX PCK Platform CA", "platform")],
)
def test_the_pck_ca_is_part_of_the_key(world: SoftwareWorld, name: str, kind: str) -> None:
    """One processor family has two PCK CAs, each with a revocation list of its own."""
    authority = named(name)
    assert dcap_key("tdx", FMSPC, authority) == f"tdx/{FMSPC.hex()}/{kind}"
    chain = encode_chain((authority.public_bytes(Encoding.DER), world.root)).decode()
    held = replace(world.collateral(), pck_crl_issuer_chain=chain)
    assert read_facts(held).key == f"sgx/{FMSPC.hex()}/{kind}"


@pytest.mark.parametrize("name", ["Intel SGX Root CA", "CA"])
def test_a_ca_that_is_neither_has_no_key(name: str) -> None:
    """Collateral is for a processor or a platform CA, nothing else."""
    with pytest.raises(DecodeError):
        dcap_key("sgx", FMSPC, named(name))


@pytest.mark.parametrize(
    "text, good",
    [
        ("sgx/00906ed50000/processor", True),
        ("tdx/b0c06f000000/platform", True),
        ("snp/Milan", True),
        ("snp/Genoa", True),
        ("snp/Turin", True),
        ("snp/Rome", False),
        ("snp/milan", False),
        ("snp/Milan/processor", False),
        ("sgx/00906ED50000/processor", False),
        ("sgx/00906ed5/processor", False),
        ("sgx/00906ed50000", False),
        ("sev/00906ed50000/processor", False),
        ("sgx/00906ed50000/processor\n", False),
        ("", False),
    ],
)
def test_keys(text: str, good: bool) -> None:
    """A key has one spelling."""
    assert is_key(text) is good


def with_pair(part: int, pair: tuple[int, int]) -> CollateralFacts:
    """The held facts with one part's pair changed."""
    order = list(HELD.order)
    order[part] = pair
    return replace(HELD, order=tuple(order))


@pytest.mark.parametrize("part", range(4))
def test_newer_collateral_may_follow(part: int) -> None:
    """A higher number, or the same with a later date, in any part may replace what is held."""
    number, issued = HELD.order[part]
    for pair in ((number + 1, issued), (number, issued + 1), (number + 1, issued - 9999)):
        assert is_successor(with_pair(part, pair), HELD)
        assert not is_successor(HELD, with_pair(part, pair))


@pytest.mark.parametrize("part", range(4))
def test_a_lower_tcb_number_with_a_later_date_may_not_follow(part: int) -> None:
    """Attack: no part may go back, however new the rest is."""
    number, issued = HELD.order[part]
    other = (part + 1) % 4
    for pair in ((number - 1, issued + 9999), (number, issued - 1)):
        back = with_pair(part, pair)
        assert not is_successor(back, HELD)
        ahead = list(back.order)
        ahead[other] = (ahead[other][0] + 1, ahead[other][1] + 1)
        assert not is_successor(replace(back, order=tuple(ahead)), HELD)


def test_the_same_and_the_foreign_may_not_follow() -> None:
    """The same edition is no successor, nor is another key's or one of another number of parts."""
    assert not is_successor(HELD, HELD)
    newer = with_pair(0, (18, 1_800_000_000))
    assert is_successor(newer, HELD)
    assert not is_successor(replace(newer, key="sgx/00906ed50000/platform"), HELD)
    assert not is_successor(replace(newer, order=newer.order[:3]), HELD)
    assert not is_successor(replace(newer, order=(*newer.order, (1, 1))), HELD)


pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=3, max_size=3)


@given(pairs, pairs, pairs)
def test_following_is_a_strict_order(
    a: list[tuple[int, int]], b: list[tuple[int, int]], c: list[tuple[int, int]]
) -> None:
    """Of two editions at most one follows the other, and what follows a follower follows."""
    first, second, third = (replace(HELD, order=tuple(order)) for order in (a, b, c))
    assert not (is_successor(first, second) and is_successor(second, first))
    if is_successor(first, second) and is_successor(second, third):
        assert is_successor(first, third)


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
        ("tcb_info", '"issueDate":"2027-01-15', '"issueDate":"1969-01-15'),
        ("tcb_info", '"nextUpdate":"2', '"nextUpdate":"0'),
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
    held: DcapCollateral = world.collateral()
    for junk in (b"", world.root, b"-----BEGIN X509 CRL-----\n", held.pck_crl + b"\0"):
        with pytest.raises(DecodeError):
            read_facts(replace(held, pck_crl=junk))


@pytest.mark.parametrize("size", [20, 4_000, 400_000])
def test_serial_numbers_of_any_length_are_read_in_no_time(world: SoftwareWorld, size: int) -> None:
    """Attack: one revoked number of many digits neither fails nor costs more than its bytes."""
    held: DcapCollateral = world.collateral()
    lists = [revoking(b"\x01" + bytes(size - 1)), revoking(b"\x01" + bytes(size - 2) + b"\x01")]
    facts = [read_facts(replace(held, pck_crl=der)) for der in lists]
    assert facts[0].substance != facts[1].substance


def test_a_list_without_a_possible_number_is_refused(world: SoftwareWorld) -> None:
    """A revocation list's number is neither negative nor larger than what orders it."""
    for number in (b"\xff", b"\x01" + bytes(8)):
        with pytest.raises(DecodeError):
            read_facts(replace(world.collateral(), pck_crl=revoking(b"\x01", number)))


def tlv(tag: int, content: bytes) -> bytes:
    """An item of DER."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def revoking(serial: bytes, number: bytes = b"\x01") -> bytes:
    """An unsigned list of this `number` that revokes `serial`, both the bytes of an INTEGER."""
    algorithm = tlv(0x30, tlv(0x06, bytes.fromhex("2a8648ce3d040302")))
    name = tlv(0x31, tlv(0x30, tlv(0x06, bytes.fromhex("550403")) + tlv(0x0C, b"CA")))
    made, ends = (tlv(0x17, date) for date in (b"270101000000Z", b"280101000000Z"))
    entry = tlv(0x30, tlv(0x02, serial) + made)
    extension = tlv(0x30, tlv(0x06, bytes.fromhex("551d14")) + tlv(0x04, tlv(0x02, number)))
    body = b"".join(
        (
            *(tlv(0x02, b"\x01"), algorithm, tlv(0x30, name), made, ends, tlv(0x30, entry)),
            tlv(0xA0, tlv(0x30, extension)),
        )
    )
    signature = tlv(0x03, b"\0" + tlv(0x30, tlv(0x02, b"\x01") * 2))
    return tlv(0x30, tlv(0x30, body) + algorithm + signature)
