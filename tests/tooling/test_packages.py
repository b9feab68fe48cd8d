"""The packages are all known to the tools, and importing one imports nothing else."""

import ast
from pathlib import Path

import pytest

from sealedger.version import VERSION
from tests.support.repository import ROOT, configuration, packages, project_files

INITS = [path for path in project_files() if path.name == "__init__.py"]


def name_of(path: Path) -> str:
    """A short name for a test's parameter."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", INITS, ids=name_of)
def test_inits_hold_one_docstring(path: Path) -> None:
    """A package's ``__init__`` is one docstring and imports nothing."""
    module = ast.parse(path.read_text())
    assert ast.get_docstring(module)
    assert len(module.body) == 1


def test_every_package_is_distributed() -> None:
    """The list of distributed packages names each top-level package with all that is below it."""
    include = configuration()["tool"]["setuptools"]["packages"]["find"]["include"]
    assert packages()
    assert [name for name in packages() if not {name, f"{name}.*"} <= set(include)] == []


def test_every_package_obeys_the_arrows() -> None:
    """Each top-level package is a root package of the import rules and stands in a layer."""
    rules = configuration()["tool"]["importlinter"]
    layers = next(rule for rule in rules["contracts"] if rule["id"] == "layers")["layers"]
    layered = {name.strip(" ()") for layer in layers for name in layer.split("|")}
    assert set(packages()) == set(rules["root_packages"])
    assert set(packages()) <= layered


def test_every_package_is_typed() -> None:
    """Each top-level package tells type checkers that it is typed."""
    assert [name for name in packages() if not (ROOT / name / "py.typed").is_file()] == []


def test_the_changelog_knows_the_version() -> None:
    """The version is released under its name in the changelog, or still gathered there."""
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert f"## {VERSION}" in changelog or "## Unreleased" in changelog
