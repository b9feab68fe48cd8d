"""Which platforms are found on trees laid out as machines are, and which one is opened."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from attestation.errors import PlatformError
from attestation.platforms.detect import AUTO, PLATFORMS, PlatformPlaces, find_platforms
from attestation.platforms.detect import open_platform as open_by_name
from attestation.platforms.platform import Platform
from attestation.platforms.software_files import TEE
from tests.support.platform_devices import attestation_tree

NO_SETTINGS: dict[str, str] = {}


class Machine:
    """A directory tree in which platforms can be put."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def places(self) -> PlatformPlaces:
        """Where platforms are looked for."""
        return PlatformPlaces(
            attestation=self.root / "dev/attestation",
            reports=self.root / "sys/kernel/config/tsm/report",
            drivers=self.root / "sys/class/misc",
            sgx=self.root / "dev/sgx",
            libraries=(self.root / "lib/libocclum_dcap.so",),
            software=self.root / "home/platform",
            manifest=self.root / "app.toml",
        )

    def gramine(self, kind: str = "dcap") -> None:
        """Run under Gramine."""
        attestation_tree(self.root / "dev/attestation", b"", kind)

    def tsm(self, *drivers: str) -> None:
        """Be a confidential guest."""
        (self.root / "sys/kernel/config/tsm/report").mkdir(parents=True)
        for driver in drivers:
            (self.root / "sys/class/misc" / driver).mkdir(parents=True)

    def occlum(self) -> None:
        """Run under Occlum."""
        for name in ("dev/sgx", "lib/libocclum_dcap.so"):
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    def software(self) -> None:
        """Have a software platform, as far as looking goes."""
        path = self.root / "home/platform" / TEE
        path.parent.mkdir(parents=True)
        path.write_text("tdx")
        path.chmod(0o600)

    def found(self) -> dict[str, tuple[bool, str]]:
        """What is found, and why or why not."""
        return {one.name: (one.is_found, one.reason) for one in find_platforms(self.places)}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without any platform."""
    return Machine(tmp_path)


def test_nothing_is_there(machine: Machine) -> None:
    """Each kind says what is missing; `auto` says it of all four."""
    found = machine.found()
    assert tuple(found) == PLATFORMS
    assert not any(is_found for is_found, _ in found.values())
    with pytest.raises(PlatformError) as raised:
        open_by_name(AUTO, machine.places, NO_SETTINGS)
    for name, (_, reason) in found.items():
        assert f"{name}: {reason}" in str(raised.value)


PUT: dict[str, Callable[[Machine], None]] = {
    "gramine": lambda machine: machine.gramine(),
    "tsm": lambda machine: machine.tsm("tdx_guest"),
    "occlum": lambda machine: machine.occlum(),
    "software": lambda machine: machine.software(),
}


@pytest.mark.parametrize("name", PLATFORMS)
def test_one_is_there(machine: Machine, name: str) -> None:
    """What is there is found, and nothing else is."""
    PUT[name](machine)
    assert [one for one, (is_found, _) in machine.found().items() if is_found] == [name]


def test_the_order(machine: Machine) -> None:
    """Where several are there, the first of gramine, tsm, occlum, software is opened."""
    for name in reversed(PLATFORMS):
        PUT[name](machine)
        first = next(one for one in find_platforms(machine.places) if one.is_found)
        assert first.name == name
    assert open_by_name(AUTO, machine.places, NO_SETTINGS).name == "gramine"


def test_looking_changes_nothing(machine: Machine) -> None:
    """No file is written, made or removed."""
    for put in PUT.values():
        put(machine)
    before = {path: path.stat().st_mtime_ns for path in machine.root.rglob("*")}
    assert all(is_found for is_found, _ in machine.found().values())
    assert {path: path.stat().st_mtime_ns for path in machine.root.rglob("*")} == before


def test_what_they_give(machine: Machine) -> None:
    """Sealing keys come from Gramine and software; the TEE of a guest from its kernel's driver."""
    found = {one.name: one for one in find_platforms(machine.places)}
    assert [name for name, one in found.items() if one.gives_sealing_keys] == [
        "gramine",
        "software",
    ]
    assert (found["tsm"].tee, found["tsm"].evidence) == ("tdx or snp", "DCAP quote or report")
    assert found["software"].tee == "simulated"
    machine.tsm("sev-guest")
    machine.software()
    found = {one.name: one for one in find_platforms(machine.places)}
    assert (found["tsm"].tee, found["tsm"].evidence) == ("snp", "SEV-SNP report")
    assert (found["software"].tee, found["software"].evidence) == ("tdx", "DCAP quote")


@pytest.mark.parametrize(
    "put, name, said",
    [
        (lambda machine: machine.gramine("none"), "gramine", "no remote attestation"),
        (lambda machine: machine.gramine("epid"), "gramine", "EPID"),
        (lambda machine: (machine.root / "dev/attestation").mkdir(parents=True), "gramine", "SGX"),
        (lambda machine: machine.tsm(), "tsm", "modprobe"),
        (
            lambda machine: (machine.root / "home/platform/tee").mkdir(parents=True),
            "software",
            "not a regular",
        ),
        (lambda machine: (machine.root / "dev/sgx/enclave").mkdir(parents=True), "occlum", "not O"),
    ],
)
def test_almost_there(
    machine: Machine, put: Callable[[Machine], None], name: str, said: str
) -> None:
    """What is there but cannot be used is not found, and it is said why."""
    put(machine)
    is_found, reason = machine.found()[name]
    assert not is_found
    assert said in reason


def test_occlum_without_its_library(machine: Machine) -> None:
    """The device alone gives no quotes."""
    machine.occlum()
    (machine.root / "lib/libocclum_dcap.so").unlink()
    assert machine.found()["occlum"][1].endswith("libocclum_dcap.so is not in the image")


def test_by_name(machine: Machine) -> None:
    """What is named is opened even if another comes first; a missing one says what is missing."""
    machine.gramine()
    machine.tsm("tdx_guest")
    opened: Platform = open_by_name("tsm", machine.places, NO_SETTINGS)
    assert opened.name == "tsm"
    with pytest.raises(PlatformError, match="not Occlum's device"):
        open_by_name("occlum", machine.places, NO_SETTINGS)
    with pytest.raises(PlatformError, match="not a readable manifest"):
        open_by_name("software", machine.places, NO_SETTINGS)
    with pytest.raises(PlatformError, match="there are: auto, gramine, tsm, occlum, software"):
        open_by_name("magic", machine.places, NO_SETTINGS)


def test_software_needs_a_place() -> None:
    """Without a directory and manifest there is no software platform."""
    places = PlatformPlaces()
    assert find_platforms(places)[-1].reason == "no directory was named"
    with pytest.raises(PlatformError, match="directory and a manifest"):
        open_by_name("software", places, NO_SETTINGS)


@pytest.mark.parametrize("kind", [AUTO, *PLATFORMS])
@pytest.mark.parametrize("names", [("IAS_SPID",), ("IAS_KEY",), ("IAS_SPID", "IAS_KEY")])
def test_the_ended_service(machine: Machine, kind: str, names: tuple[str, ...]) -> None:
    """Its settings keep every platform from being opened, and it is said what replaces it."""
    machine.gramine()
    environment = {"PATH": os.defpath, **dict.fromkeys(names, "0123")}
    with pytest.raises(PlatformError) as raised:
        open_by_name(kind, machine.places, environment)
    said = str(raised.value)
    assert said.startswith(" and ".join(names))
    for word in ("April 2025", "unset them", "use DCAP", "docs/attestation.md"):
        assert word in said
    assert "0123" not in said


def test_empty_settings_of_the_ended_service(machine: Machine) -> None:
    """A variable that is set to nothing asks for nothing."""
    machine.gramine()
    environment = {"IAS_SPID": "", "IAS_KEY": ""}
    assert open_by_name(AUTO, machine.places, environment).name == "gramine"
