"""The locks pin everything with hashes, agree with each other, and are what is installed."""

import re
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.repository import ROOT

REQUIREMENTS = ROOT / "requirements"
LOCKS = ("run.lock", "dev.lock", "fuzz.lock")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def locked(name: str) -> dict[str, str]:
    """The entries of a lock: canonical name to the whole entry, continuation lines joined."""
    joined = (REQUIREMENTS / name).read_text().replace("\\\n", " ")
    entries = [line for line in joined.splitlines() if line.strip() and line.strip()[0] != "#"]
    return {canonicalize_name(re.split(r"[ =<>;\[]", entry)[0]): entry for entry in entries}


def requirement(entry: str) -> Requirement:
    """The requirement of a lock's entry, without its hashes."""
    return Requirement(HASH.sub("", entry).strip())


def asked_for(name: str) -> set[str]:
    """The names that an .in file asks for itself."""
    lines = (REQUIREMENTS / name).read_text().splitlines()
    wanted = [line for line in lines if line and not line.startswith(("#", "-"))]
    return {canonicalize_name(Requirement(line).name) for line in wanted}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_is_pinned_with_hashes(lock: str) -> None:
    """Each entry is one exact version with at least one SHA-256, and nothing names a source."""
    entries = locked(lock)
    assert entries
    for entry in entries.values():
        assert re.match(r"^[A-Za-z0-9._-]+==[^\s]+", entry), entry
        assert HASH.search(entry), entry
        assert "://" not in entry


def test_locks_hold_what_is_asked_for() -> None:
    """run.lock holds run.in and the build back end; dev.lock holds those and dev.in."""
    run, dev = set(locked("run.lock")), set(locked("dev.lock"))
    assert asked_for("run.in") | asked_for("build.in") <= run
    assert asked_for("dev.in") <= dev
    assert run <= dev
    assert asked_for("run.in") | asked_for("fuzz.in") <= set(locked("fuzz.lock"))


@pytest.mark.parametrize("lock", ["run.lock", "fuzz.lock"])
def test_locks_agree(lock: str) -> None:
    """What two locks pin, they pin alike: tests and fuzzing run on the versions that ship."""
    dev, other = locked("dev.lock"), locked(lock)
    shared = dev.keys() & other.keys()
    assert shared >= asked_for("run.in")
    assert [n for n in shared if requirement(other[n]) != requirement(dev[n])] == []


def test_the_environment_is_the_lock() -> None:
    """Every version of dev.lock that applies here is the one installed."""
    pins = [requirement(entry) for entry in locked("dev.lock").values()]
    applying = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    wrong = {pin.name: str(pin.specifier) for pin in applying if not is_installed(pin)}
    assert wrong == {}


def is_installed(pin: Requirement) -> bool:
    """Is exactly this version installed?"""
    try:
        return metadata.version(pin.name) in pin.specifier
    except metadata.PackageNotFoundError:
        return False
