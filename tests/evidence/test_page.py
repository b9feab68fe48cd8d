"""docs/attestation.md says what the program does: its reasons, kinds, fields and steps."""

import re

import pytest

from attestation.errors import DecisionFault, EvidenceFault
from attestation.evidence_files import FileKind
from attestation.mends import CHAIN_MENDS, MENDS, SHAPE_MENDS
from tests.evidence.test_command import FIELDS
from tests.support.documents import document, table

PAGE = "docs/attestation.md"
CODES = re.compile(r"`([a-z]+(?:-[a-z]+)+)`")


@pytest.mark.parametrize("faults", [EvidenceFault, DecisionFault])
def test_every_code_stands_on_the_page(faults: type[EvidenceFault] | type[DecisionFault]) -> None:
    """With the meaning and the mend that the program prints, in its order."""
    rows = [f"| `{code}` | {MENDS[code].meaning} | {MENDS[code].mend} |" for code in faults]
    assert "\n".join(rows) in document(PAGE)


def test_every_fault_of_a_shape_stands_on_the_page() -> None:
    """With its own mend, in the program's order."""
    rows = [f"| {one.meaning} | {one.mend} |" for one in SHAPE_MENDS.values()]
    assert "\n".join(rows) in document(PAGE)


def test_what_mends_a_chain_stands_on_the_page() -> None:
    """For the codes that speak of the chain where nobody gave collateral."""
    rows = [f"| `{code}` | {mend} |" for code, mend in CHAIN_MENDS.items()]
    assert "\n".join(rows) in document(PAGE)


def test_no_code_stands_there_that_the_program_does_not_know() -> None:
    """Whatever is written like a code is one."""
    reasons = document(PAGE).partition("\n## Reasons\n")[2]
    assert set(CODES.findall(reasons)) == {code for code in MENDS if "-" in code}


def test_every_kind_of_file_stands_in_the_table() -> None:
    """The kinds that the command prints."""
    rows = table(PAGE, "## A file, judged by hand")
    assert {row[1].strip("`") for row in rows[:5]} == set(FileKind)


def test_every_field_of_the_answer_stands_in_the_table() -> None:
    """The fields of --json."""
    named = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", document(PAGE), re.MULTILINE)
    assert set(FIELDS) <= {word.strip("`") for row in named for word in row.split(", ")}


@pytest.mark.parametrize(
    "heading, steps",
    [
        ("### Quotes of SGX and TDX", 10),
        ("### Reports of SEV-SNP", 10),
        ("### Certificates of RA-TLS", 6),
    ],
)
def test_steps_are_numbered_in_their_order(heading: str, steps: int) -> None:
    """One row for each step."""
    assert [row[0] for row in table(PAGE, heading)] == [str(one) for one in range(1, steps + 1)]
