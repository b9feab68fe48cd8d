"""The example bytes in tests/vectors and in docs/spec/log.md are what the code makes."""

import re

import pytest

from tests.support.log_vectors import OURS, REPOSITORY, build_examples, encode_examples

PAGE = REPOSITORY / "docs/spec/log.md"
EXAMPLES = build_examples()
_EXAMPLE = re.compile(r"^(?P<name>[^\n`]+)\n```\n(?P<text>.*?\n)```$", re.DOTALL | re.MULTILINE)


def test_the_vectors_are_rebuilt() -> None:
    """The file of examples is exactly what the code makes today."""
    assert OURS.read_text(encoding="utf-8") == encode_examples()


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_shows_the_example(name: str) -> None:
    """Each example stands once on the page under its name."""
    page = PAGE.read_text(encoding="utf-8")
    shown = [found["text"] for found in _EXAMPLE.finditer(page) if found["name"] == name]
    expected = EXAMPLES[name]
    assert shown == [expected if expected.endswith("\n") else expected + "\n"]


def test_the_page_shows_nothing_else() -> None:
    """There is no example on the page that nobody checks."""
    page = PAGE.read_text(encoding="utf-8")
    names = [found["name"] for found in _EXAMPLE.finditer(page)]
    assert sorted(names) == sorted(EXAMPLES)
    assert page.count("```") == 2 * len(EXAMPLES)
