"""Which platforms a node's core may run on, and what a person is told of them."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from attestation.errors import NoSealingKeyError, PlatformError
from attestation.platforms.detect import PLATFORMS, PlatformPlaces
from attestation.platforms.software import create_platform
from ledger.format.genesis import Profile
from node.cli.main import sealedger
from node.config import PlatformConfig
from node.core_platform import core_places, open_core_platform
from node.errors import ConfigError
from node.home import Home
from tests.support.command_line import command_line
from tests.support.platform_devices import attestation_tree

PRODUCTION = (Profile.SINGLE, Profile.CONSORTIUM)


@pytest.fixture
def places(tmp_path: Path) -> PlatformPlaces:
    """A software platform with a manifest, and places for the others that hold nothing."""
    create_platform(tmp_path / "platform", 1_800_000_000)
    (tmp_path / "app.py").write_text("pass\n")
    manifest = tmp_path / "app.toml"
    manifest.write_text(
        'name = "app"\nsigner = "signer"\nproduct_id = 1\nsvn = 1\nfiles = ["app.py"]\n'
    )
    return PlatformPlaces(
        attestation=tmp_path / "attestation",
        reports=tmp_path / "report",
        drivers=tmp_path / "misc",
        sgx=tmp_path / "sgx",
        libraries=(tmp_path / "lib.so",),
        software=tmp_path / "platform",
        manifest=manifest,
    )


@pytest.mark.parametrize("kind", ["software", "auto"])
def test_development_runs_on_software(places: PlatformPlaces, kind: str) -> None:
    """The development default needs no TEE: it is named, or nothing else is there."""
    opened = open_core_platform(kind, places, Profile.DEVELOPMENT, {})
    assert opened.name == "software"


@pytest.mark.parametrize("profile", PRODUCTION)
@pytest.mark.parametrize("kind", ["software", "auto"])
def test_production_refuses_software(places: PlatformPlaces, kind: str, profile: Profile) -> None:
    """A network of another profile refuses it, named or found, and says what to set instead."""
    with pytest.raises(ConfigError) as raised:
        open_core_platform(kind, places, profile, {})
    assert f"of the profile {profile.name.lower()}" in str(raised.value)
    assert 'kind = "gramine"' in raised.value.hint


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("kind", ["gramine", "auto"])
def test_every_profile_runs_on_gramine(places: PlatformPlaces, kind: str, profile: Profile) -> None:
    """Gramine gives evidence and sealing keys."""
    attestation_tree(places.attestation, b"")
    assert open_core_platform(kind, places, profile, {}).name == "gramine"


@pytest.mark.parametrize("kind", ["tsm", "auto"])
def test_no_core_without_sealing_keys(places: PlatformPlaces, kind: str) -> None:
    """A guest of TDX or SEV-SNP is refused before a secret is made that it would lose."""
    places.reports.mkdir()
    (places.drivers / "tdx_guest").mkdir(parents=True)
    with pytest.raises(NoSealingKeyError, match="would lose every secret when it restarts"):
        open_core_platform(kind, places, Profile.CONSORTIUM, {})


def test_gramine_without_a_sealing_key(places: PlatformPlaces) -> None:
    """A key that is not there is found at the start too."""
    attestation_tree(places.attestation, b"", key=b"")
    with pytest.raises(PlatformError, match="no such key outside of SGX"):
        open_core_platform("gramine", places, Profile.SINGLE, {})


def test_no_core_with_settings_of_the_ended_service(places: PlatformPlaces) -> None:
    """They are refused on every platform, software too."""
    with pytest.raises(PlatformError, match="IAS_KEY set"):
        open_core_platform("software", places, Profile.DEVELOPMENT, {"IAS_KEY": "1"})


def test_the_places_of_a_node(tmp_path: Path) -> None:
    """The home has the software platform; node.toml may name manifest and certificate."""
    home, core = Home(tmp_path), tmp_path / "core.toml"
    assert core_places(home, PlatformConfig(), core) == PlatformPlaces(
        software=home.platform, manifest=core
    )
    config = PlatformConfig(manifest=tmp_path / "m", certificate=tmp_path / "c")
    assert core_places(home, config, core) == PlatformPlaces(
        software=home.platform, manifest=tmp_path / "m", certificate=tmp_path / "c"
    )


def show(*arguments: str, environment: dict[str, str] | None = None) -> Result:
    """What ``sealedger platform show`` prints."""
    cleared = {"IAS_SPID": None, "IAS_KEY": None}
    return CliRunner().invoke(
        sealedger, ["platform", "show", *arguments], env={**cleared, **(environment or {})}
    )


def test_show_on_this_machine(places: PlatformPlaces, tmp_path: Path) -> None:
    """Each platform has a row in the order of choice; the home's software platform is found."""
    assert places.software == Home(tmp_path).platform
    result = show("--home", str(tmp_path))
    assert result.exit_code == 0
    header, *rows = result.stdout.splitlines()
    headings = re.split(r"  +", header)
    assert headings == ["PLATFORM", "FOUND", "TEE", "EVIDENCE", "SEALING KEYS", "REASON"]
    assert tuple(row.split()[0] for row in rows) == PLATFORMS
    assert rows[-1].split()[1] == "yes"
    assert result.stderr == ""


@pytest.mark.usefixtures("places")
def test_show_for_machines(tmp_path: Path) -> None:
    """With --json the same, with truth values."""
    result = show("--home", str(tmp_path), "--json")
    rows = {row["platform"]: row for row in json.loads(result.stdout)["platforms"]}
    assert tuple(rows) == PLATFORMS
    assert rows["software"]["found"] is True
    assert rows["tsm"]["sealing_keys"] is False
    assert set(rows["gramine"]) == {
        "platform", "found", "tee", "evidence", "sealing_keys", "reason",
    }  # fmt: skip


@pytest.mark.parametrize("more", [(), ("--json",)])
async def test_show_with_settings_of_the_ended_service(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    more: tuple[str, ...],
) -> None:
    """The table is shown; then what keeps every platform from being opened, and exit code 1."""
    monkeypatch.setenv("IAS_SPID", "1")
    sealedger_as_typed = command_line(monkeypatch, capsys)
    said = await sealedger_as_typed("platform", "show", "--home", str(tmp_path), *more)
    assert said.code == 1
    assert "gramine" in said.out
    assert said.err.startswith("sealedger: error: IAS_SPID set")
