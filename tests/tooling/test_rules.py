"""The rules have teeth: code that breaks one is refused by the tool that guards it."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repository import ROOT, configuration

TOOLS = Path(sys.executable).parent

IMPURE = {
    "clock": "import time\n\nNOW = time.time()\n",
    "date": "from datetime import UTC, datetime\n\nNOW = datetime.now(UTC)\n",
    "randomness": "import secrets\n\nNONCE = secrets.token_bytes(16)\n",
    "environment": "import os\n\nHOME = os.environ\n",
    "log": "import logging\n\nLOG = logging.getLogger()\n",
}
FORBIDDEN = {
    "upwards": ("ledger/log/bad.py", "import contracts.rules", "arrows"),
    "into attestation from below": ("ledger/bad.py", "import attestation.policy", "arrows"),
    "sideways": ("kms/bad.py", "import network.engine", "never import one another"),
    "network to sdk": ("network/bad.py", "import enclave_client.sdk", "never import one another"),
    "sdk to rules": ("enclave_client/bad.py", "import contracts.rules", "import only attestation"),
    "key service to rules": ("kms/bad.py", "import contracts.rules", "import only attestation"),
    "clock in the core": ("ledger/log/bad.py", "import time", "are pure"),
    "loop in the rules": ("contracts/bad.py", "import asyncio", "are pure"),
    "a worker behind an import": ("contracts/bad.py", "import attestation.worker", "are pure"),
    "messages in rules": ("contracts/bad.py", "import sealedger.v1.x_pb2", "generated messages"),
    "messages in the log": ("ledger/log/bad.py", "import sealedger.v1.x_pb2", "generated messages"),
    "database in the key service": ("kms/bad.py", "import ledger.leveldb", "LevelDB adapter"),
    "database driver": ("node/bad.py", "import plyvel", "knows plyvel"),
    "a cycle": ("kms/release.py", "import kms.epochs", "no cycles"),
}  # fmt: skip
ALLOWED = {
    "the LevelDB adapter": ("ledger/leveldb.py", "import plyvel, threading"),
    "cryptography": ("ledger/crypto/keys.py", "import secrets"),
    "downwards": ("node/app.py", "import kms.release, network.engine, contracts.rules"),
    "a codec": ("ledger/format/leaf.py", "import sealedger.v1.x_pb2"),
    "a worker of its own": ("attestation/worker.py", "import subprocess, asyncio"),
}


def linted(source: str, path: str) -> str:
    """What ruff says of a source as if it stood at a path of the repository."""
    ruff = str(TOOLS / "ruff")
    command = [ruff, "check", "--output-format=concise", "--stdin-filename", path, "-"]
    return subprocess.run(
        command, input=source, cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout


def named_modules() -> set[str]:
    """The modules of ours that the import rules name: each must exist for the rules to run."""
    rules = configuration()["tool"]["importlinter"]
    named = {
        module
        for rule in rules["contracts"]
        for key in ("protected_modules", "allowed_importers", "source_modules")
        for module in rule.get(key, [])
    }
    return {module for module in named if module.split(".")[0] in rules["root_packages"]}


def known_cycles() -> list[tuple[str, str]]:
    """The imports that the rule against cycles lets pass, importer first: each must exist too."""
    contracts = configuration()["tool"]["importlinter"]["contracts"]
    rule = next(rule for rule in contracts if rule["id"] == "acyclic")
    pairs = [line.split(" -> ") for line in rule.get("ignore_imports", [])]
    return [(importer, imported) for importer, imported in pairs]


def arrows_of(folder: Path, changed: str, statement: str) -> subprocess.CompletedProcess[str]:
    """Run the repository's import rules over a house of empty rooms with one changed file."""
    roots = configuration()["tool"]["importlinter"]["root_packages"]
    rooms = {
        "ledger.log", "ledger.crypto", "contracts.rules", "attestation.policy", "network.engine",
        "enclave_client.sdk", "kms.release", "sealedger.v1.x_pb2",
    }  # fmt: skip
    cycles = known_cycles()
    for module in sorted({*roots, *rooms, *named_modules(), *itertools.chain(*cycles)}):
        path = folder.joinpath(*module.split("."))
        path.mkdir(parents=True, exist_ok=True)
        (path / "__init__.py").touch()
        for parent in path.relative_to(folder).parents[:-1]:
            (folder / parent / "__init__.py").touch()
    sources = {
        **{importer.replace(".", "/"): f"import {imported}" for importer, imported in cycles},
        "ledger/leveldb": "import plyvel",
        "attestation/worker": "import asyncio",
        "kms/epochs": "import kms.release",
        changed.removesuffix(".py"): statement,
    }
    for module, source in sources.items():
        path = folder / module
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        path.write_text(source + "\n")
    text = (ROOT / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(text[text.index("[tool.importlinter]") :])
    return subprocess.run(
        [TOOLS / "lint-imports", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("room", ["ledger/log", "ledger/format", "contracts"])
@pytest.mark.parametrize("what", IMPURE)
def test_the_core_may_not_touch_the_world(room: str, what: str) -> None:
    """Clock, randomness, environment and logging are refused in the pure packages."""
    assert "TID251" in linted(IMPURE[what], f"{room}/bad.py")


@pytest.mark.parametrize("path", ["ledger/leveldb.py", "ledger/crypto/keys.py", "node/app.py"])
@pytest.mark.parametrize("what", IMPURE)
def test_adapters_may(path: str, what: str) -> None:
    """The two exceptions of the core, and the edges, are not held to its bans."""
    assert "TID251" not in linted(IMPURE[what], path)


@pytest.mark.parametrize(
    "code, source",
    [
        ("PLR0913", "def f(a, b, c, d, e, f, g):\n    return a\n"),
        ("TID252", "from . import x\n"),
        ("S101", "def f(a):\n    assert a\n"),
        ("BLE001", "try:\n    pass\nexcept Exception:\n    pass\n"),
        ("T201", "print(1)\n"),
        ("PGH004", "import x  # noqa\n"),
        ("D103", "def f():\n    return 1\n"),
        ("DTZ005", "import datetime\n\nX = datetime.datetime.now()\n"),
    ],
)
def test_house_rules_are_on(code: str, source: str) -> None:
    """The rules of the house are switched on for shipped code, in the pure core too."""
    assert code in linted(source, "node/bad.py")
    assert code in linted(source, "contracts/bad.py")


@pytest.mark.parametrize("case", FORBIDDEN)
def test_wrong_imports_are_refused(case: str, tmp_path: Path) -> None:
    """An import against the arrows, or out of the pure core, breaks the rule that names it."""
    changed, statement, rule = FORBIDDEN[case]
    result = arrows_of(tmp_path, changed, statement)
    broken = re.sub(r"\s+", " ", result.stdout.split("Broken contracts")[-1])
    assert result.returncode == 1, result.stdout + result.stderr
    assert rule in broken
    assert changed.removesuffix(".py").replace("/", ".") in broken or rule == "no cycles"


@pytest.mark.parametrize("case", ALLOWED)
def test_right_imports_are_accepted(case: str, tmp_path: Path) -> None:
    """The places that are allowed to reach the world, or look down, keep every rule."""
    result = arrows_of(tmp_path, *ALLOWED[case])
    assert result.returncode == 0, result.stdout + result.stderr
