"""The commands that people and machines type exist and are what the documents say."""

import os
import re
import subprocess

import pytest

from tests.support.repository import ROOT, project_files

PROMISED = (
    "help", "demo", "test", "check", "bench", "fuzz", "proto", "lock", "clean", "coverage",
)  # fmt: skip
CHECKS = ("format", "lint", "types", "arrows", "generated", "fast-tests")
# `make` and what follows it, inside a code span or at the start of a line of a code block
IN_CODE = re.compile(
    r"(?:`|^\s*(?:\$ )?)make((?:[ ]+(?:-k|[a-z-]+|[A-Z]+=[^\s`]*))*)", re.MULTILINE
)


def rules() -> dict[str, str]:
    """The rules of the Makefile: target to prerequisites."""
    text = (ROOT / "Makefile").read_text()
    return dict(re.findall(r"^([a-z-]+):(?!=)([^#\n]*)", text, re.MULTILINE))


def typed_targets(text: str) -> set[str]:
    """The targets of each `make ...` in a text."""
    words = [word for match in IN_CODE.finditer(text) for word in match.group(1).split()]
    return {word for word in words if not word.startswith("-") and "=" not in word}


@pytest.mark.parametrize("target", PROMISED)
def test_promised_targets_exist(target: str) -> None:
    """Every command that the project promises is a rule of the Makefile."""
    assert target in rules()


def test_check_has_every_part() -> None:
    """`make check` runs format, lint, types, arrows, generated code and fast tests."""
    assert set(CHECKS) <= set(rules()["check"].split())


def test_the_finder_of_commands_finds_them() -> None:
    """A command in a code span, or on a line of a code block, is seen; prose is not."""
    text = "`make -k check`, `make test TESTS=x`\n\n    $ make demo\n\nthese make sense; `make`\n"
    assert typed_targets(text) == {"check", "test", "demo"}


def test_documents_name_only_existing_targets() -> None:
    """Every `make` command in a Markdown file can be typed as it stands."""
    known = set(rules())
    documents = [path for path in project_files() if path.suffix == ".md"]
    typed = {path.name: typed_targets(path.read_text()) for path in documents}
    assert {"check", "test"} <= typed["CONTRIBUTING.md"]
    assert {name: targets - known for name, targets in typed.items() if targets - known} == {}


def test_ci_runs_existing_targets() -> None:
    """`.ci/run` may be executed, and what it makes exists."""
    script = ROOT / ".ci" / "run"
    targets = typed_targets(script.read_text())
    assert os.access(script, os.X_OK)
    assert {"check", "test", "demo", "bench"} <= targets <= set(rules())


def test_help_is_the_default_and_lists_every_command() -> None:
    """`make` alone prints each target with a sentence about it."""
    listed = subprocess.run(
        ["make", "-C", str(ROOT)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "MAKEFLAGS": ""},
    ).stdout
    sentences = dict(re.findall(r"^make ([a-z-]+) +(\S.*)$", listed, re.MULTILINE))
    assert set(rules()) == set(sentences)
