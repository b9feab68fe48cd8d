"""The help texts in docs/operator.md: every command's, as the program prints it.

``python -m tests.support.help_texts`` writes them anew; a test compares.
"""

from collections.abc import Iterator

import click
from click.testing import CliRunner

from node.cli.main import sealedger
from tests.support.repository import ROOT

DOCUMENT = "docs/operator.md"
HEADING = "\n## Commands\n"


def commands(command: click.Command = sealedger, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command that does something, as it is typed after ``sealedger``, in order."""
    if not isinstance(command, click.Group):
        yield " ".join(path)
        return
    for name in sorted(command.commands):
        yield from commands(command.commands[name], (*path, name))


def help_text(command: str) -> str:
    """What ``sealedger COMMAND --help`` prints on a terminal of 80 columns."""
    result = CliRunner().invoke(
        sealedger, [*command.split(), "--help"], prog_name="sealedger", terminal_width=80
    )
    if result.exit_code:
        raise LookupError(f"no command {command}")
    return result.output


def section() -> str:
    """The section of the document: a marked block for each command."""
    blocks = (
        f"\n<!-- help {command} -->\n```\n{help_text(command)}```\n" for command in commands()
    )
    return HEADING + "".join(blocks)


if __name__ == "__main__":
    document = ROOT / DOCUMENT
    text, _, _ = document.read_text().partition(HEADING)
    document.write_text(text + section())
