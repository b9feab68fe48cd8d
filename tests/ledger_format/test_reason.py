"""The list of reasons stands in three places, which say the same."""

import re

from ledger.reason import Reason
from sealedger.v1 import ledger_pb2 as pb
from tests.ledger_format.make_vectors import REPOSITORY

PAGE = REPOSITORY / "docs/spec/formats.md"


def test_the_numbers_are_those_of_the_messages() -> None:
    """Names and numbers are those of enum Reason, without its unspecified zero."""
    named = {name.removeprefix("REASON_"): number for name, number in pb.Reason.items()}
    assert named.pop("UNSPECIFIED") == 0
    assert named == {reason.name: reason.value for reason in Reason}


def test_the_page_explains_every_reason() -> None:
    """The table in docs/spec/formats.md has each reason once, with fault and remedy."""
    rows = re.findall(
        r"^\| (\d+) \| `([A-Z_]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert [(int(number), name) for number, name, *_ in rows] == [
        (reason.value, reason.name) for reason in sorted(Reason)
    ]
    assert {fault.strip() for _, _, fault, *_ in rows} <= {
        "nobody's",
        "yours",
        "ours",
        "the moment's",
    }
