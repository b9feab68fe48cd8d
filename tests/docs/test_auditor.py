"""docs/auditor.md says what the program does: commands, fields, findings."""

import re

import pytest

from node.audit.people import Signed
from node.audit.rows import row_of
from tests.audit.test_people import opened_session
from tests.docs.test_operator import spoken
from tests.support.audited_log import AuditedLog
from tests.support.documents import document, table
from tests.support.help_texts import commands, help_text

DOCUMENT = "docs/auditor.md"
TYPED = re.findall(r"^sealedger (.+)$", document(DOCUMENT), re.MULTILINE)


@pytest.mark.parametrize("line", TYPED)
def test_commands_can_be_typed(line: str) -> None:
    """Each command that is shown exists, with every option that is shown."""
    command = " ".join(line.split()[:2])
    assert command in set(commands())
    options = re.findall(r"(?<= )(--?[a-z-]+)", line)
    text = help_text(command)
    assert [option for option in options if option not in text] == []


def test_every_audit_command_is_shown() -> None:
    """No command of the group is left out."""
    wanted = {command for command in commands() if command.startswith("audit ")}
    assert wanted <= {" ".join(line.split()[:2]) for line in TYPED}


def test_fields_are_the_rows() -> None:
    """The table of fields has every field of an answer, in order."""
    rows = table(DOCUMENT, "## Who did what")
    named = [name for row in rows for name in re.findall(r"`([a-z_]+)`", row[0])]
    log = AuditedLog()
    _, opening = opened_session(log)
    assert named == list(row_of(opening, None, Signed.VERIFIED))


def test_findings_are_the_programs() -> None:
    """Each finding of the table is one that the program gives."""
    _, _, rest = document(DOCUMENT).partition("| finding |")
    rows = [line.split(" | ")[0].strip("| ") for line in rest.splitlines()[2:] if line[:1] == "|"]
    messages = spoken()
    for row in rows[:9]:
        wanted = re.compile(".*".join(map(re.escape, row.split("…"))))
        assert [text for text in messages if wanted.search(text)], row
