"""The short text of a policy: its hash binds, its words are for the eye.

The policies are messages, not checked values: any bytes have a text.
"""

import re
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.format.address import encode_address
from ledger.format.policy_text import MAX_WORDS_CHARACTERS, policy_text
from sealedger.v1 import attestation_pb2 as pb
from tests.ledger_account.make_vectors import POLICY
from tests.support.mutation import mutations

TEXT = re.compile(r"sha256:[0-9a-f]{64}\([!-~]+\)")
A, B = b"\xaa" * 32, b"\xbb" * 48
AUDITORS = (b"\1" * 20, b"\2" * 20)
VERSION = pb.ReleaseVersion(major=1, minor=2)
TCB = pb.SnpTcb(boot_loader=1, tee=2, snp=3, microcode=4, fmc=5)
ADDRESSES = "|".join(map(encode_address, AUDITORS))


def match(**fields: Any) -> pb.IdentityPolicy:
    """A match that is strict where `fields` do not say otherwise."""
    return pb.IdentityPolicy(match=pb.IdentityMatch(**{"tcb_statuses": ("UpToDate",)} | fields))


def any_of(*members: pb.IdentityPolicy) -> pb.IdentityPolicy:
    """What one of these admits."""
    return pb.IdentityPolicy(any=pb.IdentityPolicyList(members=members))


def words(policy: pb.IdentityPolicy) -> str:
    """What stands in the brackets for a policy."""
    data = policy.SerializeToString(deterministic=True)
    start = f"sha256:{sha256(data).hexdigest()}("
    text = policy_text(data)
    assert text.startswith(start)
    return text.removeprefix(start).removesuffix(")")


def full(field: str) -> dict[str, Any]:
    """One field, of 48 bytes."""
    return {field: B}


M = {"measurement": A}
M_WORDS = f"measurement:{A.hex()}"


@pytest.mark.parametrize(
    "policy, expected",
    [
        (match(**M), M_WORDS),
        (
            match(signer=B, product_id=2, minimum_svn=9),
            f"signer:{B.hex()}/product:2/svn>=9",
        ),
        (match(signer=A), f"signer:{A.hex()}/product:0/svn>=0"),
        (
            match(release=pb.ReleaseMatch(name="fns", minimum=VERSION, auditors=AUDITORS)),
            f"release:fns>=1.2.0/endorsed:0-of:{ADDRESSES}",
        ),
        (
            match(release=pb.ReleaseMatch(name="a/b", auditors=AUDITORS[:1], threshold=1)),
            f"release:a/b>=0.0.0/endorsed:1-of:{encode_address(AUDITORS[0])}",
        ),
        (match(tdx=pb.TdxMatch(mr_td=B)), f"tdx.mr_td:{B.hex()}"),
        (
            pb.IdentityPolicy(
                all=pb.IdentityPolicyList(members=(match(**M), any_of(match(measurement=B))))
            ),
            f"all:[{M_WORDS},any:[measurement:{B.hex()}]]",
        ),
    ],
    ids=lambda one: None if isinstance(one, str) else sha256(str(one).encode()).hexdigest()[:8],
)
def test_what_names_an_enclave_stands_in_full(policy: pb.IdentityPolicy, expected: str) -> None:
    """Measurements, signers, and releases with their auditors; nothing else for strict matches."""
    assert words(policy) == expected


CONDITIONS: list[tuple[dict[str, Any], str]] = [
    ({"tcb_statuses": ("OutOfDate", "UpToDate")}, "tcb:OutOfDate|UpToDate"),
    ({"tcb_statuses": ("OutOfDate",), "grace_s": 60}, "tcb:OutOfDate/grace_s:60"),
    ({"tcb_statuses": ()}, "tcb:"),
    ({"advisories": ("INTEL-SA-00001", "INTEL-SA-00002")}, "advisories:2"),
    ({"allow_debug": True}, "debug"),
    ({"platform_ids": (b"p", b"q")}, "platforms:2"),
    ({"enrolled": True}, "enrolled"),
    ({"sgx": pb.SgxMatch(config_id=B)}, f"sgx.config_id:{B.hex()}"),
    ({"sgx": pb.SgxMatch(minimum_config_svn=3)}, "sgx.config_svn>=3"),
    ({"sgx": pb.SgxMatch(ext_product_id=b"ab")}, "sgx.ext_product_id:6162"),
    ({"sgx": pb.SgxMatch(family_id=b"ab")}, "sgx.family_id:6162"),
    (
        {"sgx": pb.SgxMatch(attributes=b"\5", attributes_mask=b"\xff")},
        "sgx.attributes&ff=05",
    ),
    *(
        ({"tdx": pb.TdxMatch(**full(field))}, f"tdx.{field}:{B.hex()}")
        for field in (
            *("rtmr0", "rtmr1", "rtmr2", "rtmr3"),
            *("mr_config_id", "mr_owner", "mr_owner_config"),
        )
    ),
    (
        {"tdx": pb.TdxMatch(attributes=b"\1", attributes_mask=b"\3")},
        "tdx.attributes&03=01",
    ),
    ({"tdx": pb.TdxMatch(attributes_mask=b"\3")}, "tdx.attributes&03="),
    ({"tdx": pb.TdxMatch(xfam=b"\1", xfam_mask=b"\3")}, "tdx.xfam&03=01"),
    *(
        ({"snp": pb.SnpMatch(**full(field))}, f"snp.{field}:{B.hex()}")
        for field in ("host_data", "family_id", "image_id", "author_key_digest")
    ),
    ({"snp": pb.SnpMatch(minimum_tcb=TCB)}, "snp.tcb>=1.2.3.4.5"),
    ({"snp": pb.SnpMatch(minimum_tcb=pb.SnpTcb())}, "snp.tcb>=0.0.0.0.0"),
    ({"snp": pb.SnpMatch(minimum_launch_tcb=TCB)}, "snp.launch_tcb>=1.2.3.4.5"),
    ({"snp": pb.SnpMatch(maximum_vmpl=3)}, "snp.vmpl<=3"),
    ({"snp": pb.SnpMatch(products=("Genoa", "Milan"))}, "snp.products:Genoa|Milan"),
    ({"snp": pb.SnpMatch(allow_migration=True)}, "snp.migration"),
    ({"snp": pb.SnpMatch(allow_vlek=True)}, "snp.vlek"),
    ({"snp": pb.SnpMatch(require_single_thread=True)}, "snp.single_thread"),
]


@pytest.mark.parametrize(
    "change, expected",
    CONDITIONS,
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_every_condition_is_visible(change: dict[str, Any], expected: str) -> None:
    """Each condition beyond the name, laxer or narrower than the default, has words of its own."""
    assert words(match(**M, **change)) == f"{M_WORDS}/{expected}"


MESSAGES = (pb.IdentityMatch, pb.SgxMatch, pb.TdxMatch, pb.SnpMatch, pb.ReleaseMatch)
NAMED = {"release", "signer", "sgx", "tdx", "snp", "measurement"}
# said beside others: with the signer, beside their value, in the release's own words
BESIDE = {"product_id", "minimum_svn", "mr_td", "name", "minimum", "auditors", "threshold"}


def test_no_field_of_a_match_is_without_words() -> None:
    """A field that is added to a match is added to the tests of its words."""
    tested = set()
    for change, _ in CONDITIONS:
        for field, value in change.items():
            tested |= {field, *(one.name for one, _ in getattr(value, "ListFields", list)())}
    known = {field.name for message in MESSAGES for field in message.DESCRIPTOR.fields}
    assert known - tested == (NAMED | BESIDE) - tested


def test_what_is_laxer_stands_before_what_is_long() -> None:
    """A reader meets what opens the door before hashes that narrow it."""
    snp = pb.SnpMatch(host_data=A, maximum_vmpl=1, allow_vlek=True, minimum_tcb=TCB)
    text = words(match(**M, allow_debug=True, snp=snp, platform_ids=(b"p",)))
    assert text == (
        f"{M_WORDS}/debug/snp.tcb>=1.2.3.4.5/snp.vmpl<=1/snp.vlek/platforms:1"
        f"/snp.host_data:{A.hex()}"
    )


def test_long_policies_are_cut_but_bound() -> None:
    """Two policies that differ only where the words are cut have different texts."""
    many = tuple(match(measurement=bytes((n,)) * 48) for n in range(30))
    one, other = (
        any_of(*many, match(measurement=last)).SerializeToString(deterministic=True)
        for last in (A, B)
    )
    assert "...)" in policy_text(one)
    assert len(policy_text(one)) <= MAX_WORDS_CHARACTERS + 80
    assert policy_text(one) != policy_text(other)


def test_the_widest_release_match_is_not_cut() -> None:
    """A name of 64 bytes and 16 auditors are shown whole, with what is laxer."""
    release = pb.ReleaseMatch(
        name="n" * 64,
        minimum=pb.ReleaseVersion(major=2**31 - 1, minor=2**31 - 1, patch=2**31 - 1),
        auditors=[bytes((n,)) * 20 for n in range(16)],
        threshold=16,
    )
    assert words(match(release=release, allow_debug=True)).endswith("/debug")


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x0a", b"\x0a\x03\x2a\x01\xff"])
def test_what_is_no_policy_has_a_text_too(data: bytes) -> None:
    """Empty and unreadable bytes are said to be that."""
    assert policy_text(data).endswith(("(nobody)", "(unreadable)"))


@pytest.mark.parametrize(
    "policy, expected",
    [
        (match(measurement=b"AA", tcb_statuses=(") x=1 (U",)), "measurement:4141/tcb:?"),
        (match(**M, snp=pb.SnpMatch(products=("a/b", ""))), f"{M_WORDS}/snp.products:?|?"),
        (
            match(release=pb.ReleaseMatch(name="a b)", auditors=(b"x",))),
            "release:?>=0.0.0/endorsed:0-of:?",
        ),
        (
            match(release=pb.ReleaseMatch(name="n" * 65)),
            "release:?>=0.0.0/endorsed:0-of:",
        ),
    ],
    ids=["status", "product", "name", "long name"],
)
def test_strange_words_are_not_shown(policy: pb.IdentityPolicy, expected: str) -> None:
    """A word that could forge the text of something else is a question mark."""
    assert words(policy) == expected


def test_deep_nesting_is_cut() -> None:
    """Policies nested deeper than any valid one are cut."""
    data = b""
    for _ in range(12):
        inner = b"\x0a" + bytes((len(data),)) + data
        data = b"\x12" + bytes((len(inner),)) + inner
    assert "..." in policy_text(data)


@given(st.binary(max_size=200) | mutations(POLICY))
def test_any_bytes_have_one_bounded_line(data: bytes) -> None:
    """Whatever the bytes: ASCII without spaces, bounded, with the hash, and nothing raised."""
    text = policy_text(data)
    assert TEXT.fullmatch(text)
    assert sha256(data).hexdigest() in text
    assert len(text) <= MAX_WORDS_CHARACTERS + 80
