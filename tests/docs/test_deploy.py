"""The guides for hardware: what they tell people to write is what the program and Gramine take."""

import ast
import re
import tomllib
from typing import Any

import click
import pytest

from attestation.platforms.detect import PLATFORMS, PlatformPlaces, open_platform
from attestation.platforms.gramine import ROOT as DEVICE
from attestation.platforms.occlum import LIBRARIES
from attestation.platforms.tsm import REPORTS
from node.cli.founding import first_home
from node.cli.main import main, sealedger
from node.config import NodeConfig
from tests.docs.test_operator import spoken
from tests.support.documents import document, table

GRAMINE, TDX, SNP = (f"docs/deploy/{name}.md" for name in ("sgx-gramine", "tdx", "sev-snp"))
GUIDES = (GRAMINE, TDX, SNP)


def blocks(path: str, language: str) -> list[str]:
    """The code blocks of a guide in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", document(path), re.MULTILINE | re.DOTALL)


@pytest.fixture
def manifest() -> dict[str, Any]:
    """Gramine's manifest, with something in place of what its template fills in."""
    text = blocks(GRAMINE, "toml")[0]
    return tomllib.loads(re.sub(r"\{\{.*?\}\}", "/filled/in", text))


def test_the_manifest_can_prove_something(manifest: dict[str, Any]) -> None:
    """It asks for DCAP, allows no debugging, fixes arguments and environment, no files."""
    assert manifest["sgx"]["remote_attestation"] == "dcap"
    assert manifest["sgx"]["debug"] is False
    assert {"isvprodid", "isvsvn", "trusted_files"} <= set(manifest["sgx"])
    assert "allowed_files" not in manifest["sgx"]
    assert manifest["loader"]["argv"][1] == "-I"
    text = blocks(GRAMINE, "toml")[0]
    assert "insecure" not in text
    assert "use_host_env" not in text


def test_all_that_is_mounted_is_measured(manifest: dict[str, Any]) -> None:
    """Every host file that the manifest mounts is among the trusted files."""
    trusted = {uri.rstrip("/") for uri in manifest["sgx"]["trusted_files"]}
    mounted = [mount["uri"] for mount in manifest["fs"]["mounts"] if mount.get("type") != "tmpfs"]
    assert [uri for uri in mounted if uri not in trusted] == []
    assert [mount["type"] for mount in manifest["fs"]["mounts"] if "uri" not in mount] == ["tmpfs"]


@pytest.fixture
def core() -> tuple[dict[str, Any], dict[str, Any]]:
    """What the manifests of a core add: to run it, and to found it."""
    running, founding = map(tomllib.loads, blocks(GRAMINE, "toml")[1:])
    return running, founding


def typed(argv: list[str]) -> dict[str, Any]:
    """What a command makes of its arguments; wrong usage is an error."""
    command: click.Command = sealedger
    arguments = list(argv)
    while isinstance(command, click.Group):
        command = command.commands[arguments.pop(0)]
    return command.make_context(command.name, arguments).params


def test_a_core_is_founded_and_run(core: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Both manifests start the program as it is installed, on one home, which is encrypted."""
    running, founding = (one["loader"]["argv"] for one in core)
    assert running[:4] == founding[:4]
    assert running[1:4] == ["-I", "-m", main.__module__]
    found, start = typed(founding[4:]), typed(running[4:])
    (mount,) = core[0]["fs"]["mounts"]
    assert str(found["home"]) == str(start["home"]) == mount["path"]
    assert (mount["type"], mount["key_name"]) == ("encrypted", "_sgx_mrsigner")
    assert mount["enable_recovery"] is True
    assert core[0]["sys"]["experimental__enable_flock"] is True
    assert first_home(found.pop("home"), found).platform.kind == "gramine"


@pytest.mark.parametrize("path", GUIDES)
def test_commands_can_be_typed(path: str) -> None:
    """Each whole command line of a guide has arguments that the program takes."""
    lines = re.findall(r"^sealedger (.+)$", document(path), re.MULTILINE)
    lines += re.findall(r"`sealedger (collateral fetch [^`]+)`", document(path))
    for line in lines:
        assert typed(line.split())


def test_refusals_are_the_programs() -> None:
    """Each refusal of the guide's table is one that the program gives."""
    messages = spoken()
    for said, _ in table(GRAMINE, "## A core"):
        wanted = re.compile(".*".join(map(re.escape, said.split("…"))))
        assert [text for text in messages if wanted.search(text)], said


@pytest.mark.parametrize("path", GUIDES)
def test_programs_are_python(path: str) -> None:
    """Each example parses, and opens a platform that exists with places that exist."""
    examples = blocks(path, "python")
    assert examples
    for example in examples:
        tree = compile(example, path, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        named = {ast.unparse(call.func): call for call in calls}
        kind = ast.literal_eval(named[open_platform.__name__].args[0])
        assert kind in PLATFORMS
        places = named[PlatformPlaces.__name__].keywords
        assert {keyword.arg for keyword in places} <= set(PlatformPlaces.__slots__)


def test_settings_are_the_nodes() -> None:
    """What the guides say of node.toml is what it takes."""
    (text,) = blocks(SNP, "toml")
    assert NodeConfig.check(tomllib.loads(text), SNP).platform.kind == "tsm"
    for kind in re.findall(r'`\[platform\] kind = "(\w+)"`', document(GRAMINE)):
        NodeConfig.check({"platform": {"kind": kind}}, GRAMINE)


def test_places_are_the_programs() -> None:
    """Files and folders that the guides name are those that are looked for."""
    assert f"{DEVICE}/keys/_sgx_mrsigner" in document(GRAMINE)
    assert str(LIBRARIES[0].parent) in document(GRAMINE)
    assert LIBRARIES[0].name in document(GRAMINE)
    for path, driver in ((TDX, "tdx_guest"), (SNP, "sev-guest")):
        assert str(REPORTS) in document(path)
        assert str(PlatformPlaces().drivers / driver) in document(path)


@pytest.mark.parametrize("path", GUIDES)
def test_what_was_not_run_is_said(path: str) -> None:
    """No guide claims hardware that nobody had."""
    assert "**What was not:** no " in document(path)
