"""Strings that part one use of a key or a hash from another."""

import re
from itertools import permutations

from ledger import sealing
from ledger.crypto import derive
from ledger.format import query, releases, sealed, transaction, trust
from tests.ledger_format.make_vectors import REPOSITORY

DERIVED = {
    name: value
    for name, value in vars(derive).items()
    if name.isupper() and isinstance(value, bytes)
}
OTHERS = {
    "transaction": transaction.SIGNATURE_DOMAIN,
    "trust": trust._DOMAIN,
    "sealed": sealed._DOMAIN,
    "release": releases._DOMAIN,
    "outcome": b"outcome\0",
    "value": sealing._VALUE,
    "wrap": sealing._WRAP,
    "wrap public": sealing._WRAP_PUBLIC,
    "statement": sealing._STATEMENT,
    "query": query.QUERY_DOMAIN,
    "released": sealing._RELEASE,
}


def test_labels_are_distinct_and_none_is_a_prefix_of_another() -> None:
    """No two uses can meet in one string, whatever follows them."""
    labels = [*DERIVED.values(), *OTHERS.values()]
    assert len(DERIVED) >= 7
    for one, other in permutations(labels, 2):
        assert not one.startswith(other)


def test_labels_end_in_their_only_nul() -> None:
    """Each label is ASCII with one NUL, at its end."""
    for label in (*DERIVED.values(), *OTHERS.values()):
        assert label.isascii()
        assert label.index(b"\0") == len(label) - 1


def test_the_page_lists_every_label() -> None:
    """docs/spec/formats.md names each string of these formats and keys."""
    page = (REPOSITORY / "docs/spec/formats.md").read_text(encoding="utf-8")
    named = {text.encode() + b"\0" for text in re.findall(r"`([a-z/0-9-]+)` NUL", page)}
    assert named == {*DERIVED.values(), *OTHERS.values()}
