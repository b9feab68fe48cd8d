"""The project's documents as tests read them: blocks of shown output, code spans, links."""

import re
from pathlib import Path

from tests.support.repository import ROOT

_FENCE = re.compile(r"^```[a-z]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")


def document(name: str) -> str:
    """The text of a document, named from the repository's root."""
    return (ROOT / name).read_text()


def shown(name: str, mark: str) -> str:
    """The fenced block that follows the comment ``<!-- mark -->`` in a document."""
    _, comment, rest = document(name).partition(f"<!-- {mark} -->\n")
    if not comment:
        raise LookupError(f"{name} has no block marked {mark}")
    found = _FENCE.match(rest)
    if found is None:
        raise LookupError(f"{name}: no block follows the mark {mark}")
    return found.group(1)


def marks(name: str) -> list[str]:
    """Every mark of a document, in order."""
    return re.findall(r"^<!-- ([\w .-]+) -->$", document(name), re.MULTILINE)


def table(name: str, heading: str) -> list[list[str]]:
    """The rows of the first table under a heading, without its head: stripped cells."""
    _, found, rest = document(name).partition(f"\n{heading}\n")
    if not found:
        raise LookupError(f"{name} has no heading {heading}")
    section = re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def links(path: Path) -> list[str]:
    """Where the links of a Markdown file point to, code blocks left out."""
    return _LINK.findall(_FENCE.sub("", path.read_text()))
