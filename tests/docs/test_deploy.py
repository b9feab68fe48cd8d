"""The guides for hardware: what they tell people to write is what the program and Gramine take."""

import ast
import re
import tomllib
from typing import Any

import pytest

from attestation.platforms.detect import PLATFORMS, PlatformPlaces, open_platform
from attestation.platforms.gramine import ROOT as DEVICE
from attestation.platforms.occlum import LIBRARIES
from attestation.platforms.tsm import REPORTS
from node.config import NodeConfig
from tests.support.documents import document

GRAMINE, TDX, SNP = (f"docs/deploy/{name}.md" for name in ("sgx-gramine", "tdx", "sev-snp"))
GUIDES = (GRAMINE, TDX, SNP)


def blocks(path: str, language: str) -> list[str]:
    """The code blocks of a guide in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", document(path), re.MULTILINE | re.DOTALL)


@pytest.fixture
def manifest() -> dict[str, Any]:
    """Gramine's manifest, with something in place of what its template fills in."""
    (text,) = blocks(GRAMINE, "toml")
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
