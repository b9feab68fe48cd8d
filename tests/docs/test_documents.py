"""The documents hold together: links lead somewhere, tests that they name exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.support.documents import document, links, table
from tests.support.repository import ROOT, packages, project_files

DOCUMENTS = [path for path in project_files() if path.suffix == ".md"]
TEST_ID = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
THREATS = "docs/threat-model.md"


@cache
def functions_of(file: str) -> frozenset[str]:
    """The test functions of a file, those in classes too."""
    tree = ast.parse((ROOT / file).read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, functions))


def name_of(path: Path) -> str:
    """A short name for a test's parameter."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    """Each relative link of a document names a file or folder of the repository."""
    local = (link.partition("#")[0] for link in links(path) if "://" not in link)
    assert [link for link in local if link and not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_named_tests_exist(path: Path) -> None:
    """Each test that a document names by file and function exists."""
    named = TEST_ID.findall(path.read_text())
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not (ROOT / file).is_file() or test not in functions_of(file)
    ]
    assert missing == []


def test_every_claim_has_a_test() -> None:
    """Each row of the threat model's claims names at least one test."""
    _, _, rest = document(THREATS).partition("\n## Claims\n")
    claims, _, _ = rest.partition("\n## ")
    rows = [
        row
        for area in re.findall(r"^### .+$", claims, re.MULTILINE)
        for row in table(THREATS, area)
    ]
    assert len(rows) > 20
    assert [row[0] for row in rows if not TEST_ID.search(row[-1])] == []


def test_every_named_test_stands_in_a_claim() -> None:
    """A test's name in the threat model is written as file and function, never shortened."""
    spans = re.findall(r"`([^`\n]*test_[^`\n]*)`", document(THREATS))
    assert [span for span in spans if not TEST_ID.fullmatch(f"`{span}`")] == []


def test_the_map_names_every_package() -> None:
    """README's map has a row for each top-level package, and for no other folder."""
    rows = table("README.md", "## The map of the house")
    named = {name.strip("`/") for row in rows for name in row[0].split(", ")}
    assert set(packages()) <= named
    assert [name for name in named if not (ROOT / name).is_dir()] == []
