"""The short text of a policy: its hash binds, its words are for the eye."""

import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation.policy import AllOf, AnyOf, Match, encode_policy
from ledger.format.policy_text import MAX_WORDS_CHARACTERS, policy_text
from tests.ledger_account.make_vectors import POLICY
from tests.support.mutation import mutations

TEXT = re.compile(r"sha256:[0-9a-f]{64}\([!-~]+\)")
A, B = b"\xaa" * 32, b"\xbb" * 48


def words(policy: Match | AnyOf | AllOf) -> str:
    """What stands in the brackets for a policy."""
    data = encode_policy(policy)
    start = f"sha256:{sha256(data).hexdigest()}("
    text = policy_text(data)
    assert text.startswith(start)
    return text.removeprefix(start).removesuffix(")")


@pytest.mark.parametrize(
    "policy, expected",
    [
        (Match(measurement=A), f"measurement:{A.hex()}"),
        (Match(signer=B, product_id=2, minimum_svn=9), f"signer:{B.hex()}/product:2/svn>=9"),
        (
            Match(
                measurement=A,
                tcb_statuses=("OutOfDate", "UpToDate"),
                advisories=("INTEL-SA-00001",),
                allow_debug=True,
                platform_ids=(b"p",),
            ),
            f"measurement:{A.hex()}/tcb:OutOfDate|UpToDate/advisories:1/debug/platforms:1",
        ),
        (
            AnyOf((Match(measurement=A), AllOf((Match(measurement=B),)))),
            f"any:[measurement:{A.hex()},all:[measurement:{B.hex()}]]",
        ),
    ],
)
def test_words_of_policies(policy: Match | AnyOf | AllOf, expected: str) -> None:
    """Measurements and signers in full, and all that is laxer than the default."""
    assert words(policy) == expected


def test_long_policies_are_cut_but_bound() -> None:
    """Two policies that differ only where the words are cut have different texts."""
    many = tuple(Match(measurement=bytes((n,)) * 48) for n in range(20))
    one, other = (encode_policy(AnyOf((*many, Match(measurement=last)))) for last in (A, B))
    assert "...)" in policy_text(one)
    assert len(policy_text(one)) <= MAX_WORDS_CHARACTERS + 80
    assert policy_text(one) != policy_text(other)


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x0a", b"\x0a\x03\x2a\x01\xff"])
def test_what_is_no_policy_has_a_text_too(data: bytes) -> None:
    """Empty and unreadable bytes are said to be that."""
    assert policy_text(data).endswith(("(nobody)", "(unreadable)"))


def test_strange_words_are_not_shown() -> None:
    """A TCB status that could forge the text of something else is a question mark."""
    data = b"\x0a\x0e" + b"\x0a\x02AA" + b"\x2a\x08) x=1 (U"
    assert policy_text(data).endswith("(measurement:4141/tcb:?)")


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
