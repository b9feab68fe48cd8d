"""Names of collections and secrets: the table of what is one and what is not."""

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FormatError
from ledger.format.names import MAX_NAME_BYTES, is_name, verify_name
from ledger.reason import Reason

GOOD = [
    "a", "Z", "0", "-", "_", "a.b", ".a", "a.", "...", "..a", "a..b", "-a", "a/b", "a/b/c",
    "a/.b/..c/d..", "app/secrets", "A-Za-z0-9._/-", "x" * MAX_NAME_BYTES, "a/" * 99 + "ab",
]  # fmt: skip
BAD = [
    "", ".", "..", "/", "//", "/a", "a/", "a//b", "./a", "../a", "a/.", "a/..", "a/./b", "a/../b",
    "a b", " a", "a ", "a\n", "\na", "a\0", "a\\b", "a:b", "a*b", "a~", "a%2F", "ä", "é", "\u0430",
    "a\u0301", "\uff41", "\u2024", "\ud800", "\u0661", "x" * (MAX_NAME_BYTES + 1), "a/" * 100 + "a",
]  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_names(name: str) -> None:
    """These are names."""
    assert is_name(name)
    assert verify_name(name) == name


@pytest.mark.parametrize("text", BAD, ids=ascii)
def test_no_names(text: str) -> None:
    """These are none, and the refusal says what would be one."""
    assert not is_name(text)
    with pytest.raises(FormatError, match="1 to 200 characters") as refused:
        verify_name(text)
    assert refused.value.reason is Reason.MALFORMED


def by_the_rule(text: str) -> bool:
    """The rule as the specification says it, without the pattern under test."""
    return (
        1 <= len(text) <= 200
        and re.search(r"[^A-Za-z0-9._/-]", text) is None
        and not {"", ".", ".."} & set(text.split("/"))
    )


def test_every_short_text_by_the_rule() -> None:
    """All texts of up to six of the characters that matter are judged as the rule says."""
    for length in range(7):
        for characters in product("a./ ", repeat=length):
            text = "".join(characters)
            assert is_name(text) == by_the_rule(text), text


@given(st.text("a./-_\n é", max_size=210) | st.text(max_size=20))
def test_any_text_by_the_rule(text: str) -> None:
    """Any text is judged as the rule says."""
    assert is_name(text) == by_the_rule(text)
