"""Ids and digests as people paste them."""

import click
import pytest

from node.cli.hex_type import Hex

WHOLE = ": tables shorten ids, --json has the whole"


@pytest.mark.parametrize(
    "kind, text, said",
    [
        (Hex(32, shortened=True), "3f" * 8, f"expected 64 hex digits, got 16{WHOLE}"),
        (Hex(32, shortened=True), "3f" * 7 + "3", f"expected 64 hex digits, got 15{WHOLE}"),
        (Hex(32, shortened=True), "3f" * 33, "expected 64 hex digits, got 66"),
        (Hex(32, shortened=True), "zz" * 8, "expected 64 hex digits"),
        (Hex(32, shortened=True), "", "expected 64 hex digits"),
        (Hex(16, 64), "3f" * 8, "expected 32 or 128 hex digits, got 16"),
        (Hex(32), "3f 3f", "expected 64 hex digits"),
    ],
)
def test_what_is_wrong_is_said(kind: Hex, text: str, said: str) -> None:
    """How many digits there are; that tables shorten ids only where this may be such a one."""
    with pytest.raises(click.BadParameter) as raised:
        kind.convert(text, None, None)
    assert raised.value.message == said


def test_digits_are_bytes() -> None:
    """Upper or lower case."""
    assert Hex(1, 2).convert("aBcD", None, None) == b"\xab\xcd"
