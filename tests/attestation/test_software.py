"""The software platform: files, modes, measurement, evidence, sealing keys."""

import hashlib
import stat
from pathlib import Path

import pytest

from attestation.errors import CannotDecideError, EvidenceError, PlatformError
from attestation.handshake import verify_report_data
from attestation.platforms.platform import Platform
from attestation.platforms.software import (
    SoftwarePlatform,
    create_platform,
    read_trust,
    renew_collateral,
)
from attestation.platforms.software_collateral import CollateralOptions
from attestation.platforms.software_manifest import (
    measure,
    read_manifest,
    software_signer,
)
from attestation.rules import VerificationRules
from attestation.verify import verify
from tests.support.attested import NOW_S

DATA = bytes(range(64))
MANIFEST = 'name = "app"\nproduct_id = 7\nsvn = 3\nsigner = "acme"\nfiles = ["app.py", "pkg"]\n'


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app of three files; gives its manifest's path."""
    home = tmp_path / "app"
    (home / "pkg" / "deep").mkdir(parents=True)
    (home / "app.py").write_text("print('app')\n")
    (home / "pkg" / "a.py").write_text("A = 1\n")
    (home / "pkg" / "deep" / "b.py").write_text("B = 2\n")
    manifest = home / "manifest.toml"
    manifest.write_text(MANIFEST)
    return manifest


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A platform directory made at NOW_S."""
    path = tmp_path / "home" / "platform"
    create_platform(path, NOW_S)
    return path


def rules_of(directory: Path) -> VerificationRules:
    """Rules that believe a platform directory."""
    trust = read_trust(directory)
    return VerificationRules(roots=(trust.root,), tcb_signer_pins=trust.tcb_signer_pins)


async def test_evidence_of_a_directory_verifies(app: Path, directory: Path) -> None:
    """What the platform emits passes the one verification path and names the app."""
    platform: Platform = SoftwarePlatform.open(directory, app)
    assert platform.name == "software"
    evidence = await platform.evidence(DATA)
    verdict = verify(evidence, read_trust(directory).collateral, rules_of(directory), NOW_S)
    verify_report_data(verdict.report_data, DATA)
    identity = verdict.identity
    assert identity.measurement == measure(read_manifest(app))
    assert identity.signer == software_signer("acme")
    assert (identity.product_id, identity.svn, identity.debug) == (7, 3, False)
    assert verdict.status == "UpToDate"


async def test_two_directories_do_not_believe_each_other(app: Path, tmp_path: Path) -> None:
    """Every platform has its own random root and its own machine id."""
    first, second = tmp_path / "first", tmp_path / "second"
    verdicts = []
    for path in (first, second):
        create_platform(path, NOW_S)
        evidence = await SoftwarePlatform.open(path, app).evidence(DATA)
        verdicts.append(verify(evidence, read_trust(path).collateral, rules_of(path), NOW_S))
    foreign = await SoftwarePlatform.open(first, app).evidence(DATA)
    with pytest.raises(EvidenceError):
        verify(foreign, read_trust(second).collateral, rules_of(second), NOW_S)
    with pytest.raises(CannotDecideError):
        verify(foreign, read_trust(first).collateral, rules_of(second), NOW_S)
    assert verdicts[0].identity.platform_id != verdicts[1].identity.platform_id


async def test_renewed_collateral_changes_the_verdict_only(app: Path, directory: Path) -> None:
    """New collateral with another status speaks of the same machine and code."""
    evidence = await SoftwarePlatform.open(directory, app).evidence(DATA)
    rules = rules_of(directory)
    options = CollateralOptions(issued_s=NOW_S, evaluation_number=2, status="OutOfDate")
    renewed = renew_collateral(directory, options)
    assert read_trust(directory).collateral == renewed
    verdict = verify(evidence, renewed, rules, NOW_S)
    assert (verdict.status, verdict.collateral_number) == ("OutOfDate", 2)


def test_directory_and_files_are_private(directory: Path) -> None:
    """The directory has mode 0700, each file 0600."""
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    modes = {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert modes == {0o600}


@pytest.mark.parametrize("name", ["attestation.key", "sealing.key", "qe.bin"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_files_that_others_can_touch_are_refused(
    app: Path, directory: Path, name: str, mode: int
) -> None:
    """A file whose mode is wider than 0600 is not read."""
    (directory / name).chmod(mode)
    with pytest.raises(PlatformError, match="0600"):
        SoftwarePlatform.open(directory, app)


def test_signing_keys_that_others_can_touch_are_refused(directory: Path) -> None:
    """The authority's keys are held to the same modes."""
    (directory / "root.key").chmod(0o644)
    with pytest.raises(PlatformError, match="0600"):
        renew_collateral(directory, CollateralOptions(issued_s=NOW_S))


@pytest.mark.parametrize("name", ["attestation.key", "sealing.key"])
def test_damaged_key_files_are_refused_without_showing_them(
    app: Path, directory: Path, name: str
) -> None:
    """A key file of other content is refused, and the error does not quote it."""
    (directory / name).write_bytes(b"planted-secret")
    with pytest.raises(PlatformError) as caught:
        SoftwarePlatform.open(directory, app)
    assert "planted" not in str(caught.value)


def test_links_and_missing_files_are_refused(app: Path, directory: Path) -> None:
    """A key that is a link, or is not there, is refused."""
    key = directory / "sealing.key"
    other = key.rename(directory.parent / "elsewhere.key")
    key.symlink_to(other)
    with pytest.raises(PlatformError):
        SoftwarePlatform.open(directory, app)
    key.unlink()
    with pytest.raises(PlatformError):
        SoftwarePlatform.open(directory, app)


def test_an_existing_directory_is_never_overwritten(directory: Path) -> None:
    """Creating a platform twice is refused and changes nothing."""
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    with pytest.raises(PlatformError):
        create_platform(directory, NOW_S)
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before
    assert [path.name for path in directory.parent.iterdir()] == ["platform"]


def test_the_measurement_is_the_documented_hash(app: Path) -> None:
    """SHA-256 over a header line and one line of digest and path per file, sorted by path."""
    lines = b"sealedger software v1\n"
    for name in ("app.py", "pkg/a.py", "pkg/deep/b.py"):
        content = (app.parent / name).read_bytes()
        lines += f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode()
    assert measure(read_manifest(app)) == hashlib.sha256(lines).digest()


def test_one_changed_byte_changes_the_measurement(app: Path) -> None:
    """Content, names, added and removed files all count; bytecode caches do not."""
    found = {measure(read_manifest(app))}
    (app.parent / "pkg" / "__pycache__").mkdir()
    (app.parent / "pkg" / "__pycache__" / "a.pyc").write_bytes(b"cache")
    assert {measure(read_manifest(app))} == found
    (app.parent / "pkg" / "a.py").write_text("A = 2\n")
    found.add(measure(read_manifest(app)))
    (app.parent / "pkg" / "a.py").rename(app.parent / "pkg" / "c.py")
    found.add(measure(read_manifest(app)))
    (app.parent / "pkg" / "new.txt").write_text("")
    found.add(measure(read_manifest(app)))
    assert len(found) == 4


def test_files_globs_and_directories_say_the_same(app: Path) -> None:
    """The measurement depends on the files, not on how or how often the manifest names them."""
    first = measure(read_manifest(app))
    app.write_text(MANIFEST.replace('["app.py", "pkg"]', '["**/*.py", "pkg", "*.py"]'))
    assert measure(read_manifest(app)) == first


def test_a_manifest_may_lie_elsewhere(app: Path) -> None:
    """With `root` the same files have the same measurement from another place."""
    first = measure(read_manifest(app))
    other = app.parent.parent / "manifests" / "app.toml"
    other.parent.mkdir()
    other.write_text(MANIFEST + 'root = "../app"\n')
    assert measure(read_manifest(other)) == first


@pytest.mark.parametrize(
    "old, new",
    [
        ('name = "app"', ""),
        ('name = "app"', "name = 1"),
        ('name = "app"', 'name = "a\\nb"'),
        ('signer = "acme"', ""),
        ("product_id = 7", "product_id = 65536"),
        ("svn = 3", "svn = true"),
        ("svn = 3", "svn = -1"),
        ("svn = 3", "svn = 3\nextra = 1"),
        ('["app.py", "pkg"]', "[]"),
        ('["app.py", "pkg"]', '"app.py"'),
        ('["app.py", "pkg"]', '["../secret"]'),
        ('["app.py", "pkg"]', '["/etc/passwd"]'),
        ('["app.py", "pkg"]', "[1]"),
        ('name = "app"', "name = ["),
        ('name = "app"', "name = " + "[" * 5_000),
    ],
)
def test_odd_manifests_are_refused(app: Path, old: str, new: str) -> None:
    """A manifest is refused for a missing, odd or unknown key."""
    app.write_text(MANIFEST.replace(old, new))
    with pytest.raises(PlatformError):
        read_manifest(app)


def test_files_that_are_not_there_or_are_links_are_refused(app: Path) -> None:
    """What a manifest names must exist as regular files."""
    app.write_text(MANIFEST.replace("app.py", "nothing.py"))
    with pytest.raises(PlatformError, match=r"nothing\.py"):
        measure(read_manifest(app))
    app.write_text(MANIFEST)
    (app.parent / "pkg" / "link.py").symlink_to(app.parent / "app.py")
    with pytest.raises(PlatformError, match="link"):
        measure(read_manifest(app))


def test_sealing_keys_are_bound(app: Path, directory: Path, tmp_path: Path) -> None:
    """A sealing key depends on machine, signer, product, version and label, and on nothing else."""
    key = SoftwarePlatform.open(directory, app).sealing_key(b"kms")
    assert SoftwarePlatform.open(directory, app).sealing_key(b"kms") == key
    assert (len(key), repr(key)) == (32, "<secret>")
    (app.parent / "app.py").write_text("print('upgraded')\n")
    assert SoftwarePlatform.open(directory, app).sealing_key(b"kms") == key
    other_machine = tmp_path / "other"
    create_platform(other_machine, NOW_S)
    others = [
        SoftwarePlatform.open(other_machine, app).sealing_key(b"kms"),
        SoftwarePlatform.open(directory, app).sealing_key(b"other"),
        SoftwarePlatform.open(directory, app).sealing_key(b"kms", svn=2),
    ]
    for old, new in (
        ("acme", "other"),
        ("product_id = 7", "product_id = 8"),
        ("svn = 3", "svn = 4"),
    ):
        app.write_text(MANIFEST.replace(old, new))
        others.append(SoftwarePlatform.open(directory, app).sealing_key(b"kms"))
    assert all(other != key for other in others)


def test_a_newer_version_opens_what_an_older_one_sealed(app: Path, directory: Path) -> None:
    """A higher SVN can derive the keys of lower ones, never the other way round."""
    old = SoftwarePlatform.open(directory, app)
    app.write_text(MANIFEST.replace("svn = 3", "svn = 4"))
    new = SoftwarePlatform.open(directory, app)
    assert new.sealing_key(b"kms", svn=3) == old.sealing_key(b"kms")
    with pytest.raises(PlatformError):
        old.sealing_key(b"kms", svn=4)


@pytest.mark.parametrize("label", [b"", bytes(65)])
def test_odd_labels_give_no_key(app: Path, directory: Path, label: bytes) -> None:
    """A label has 1 to 64 bytes."""
    with pytest.raises(PlatformError):
        SoftwarePlatform.open(directory, app).sealing_key(label)


@pytest.mark.parametrize("size", [0, 32, 63, 65])
async def test_report_data_of_another_size_is_refused(
    app: Path, directory: Path, size: int
) -> None:
    """Report data has exactly 64 bytes."""
    with pytest.raises(PlatformError):
        await SoftwarePlatform.open(directory, app).evidence(bytes(size))


def test_nothing_secret_shows_in_a_platform(app: Path, directory: Path) -> None:
    """Neither repr nor the object's public fields hold key material."""
    platform = SoftwarePlatform.open(directory, app)
    sealing = (directory / "sealing.key").read_bytes()
    assert sealing.hex() not in repr(vars(platform))
    assert repr(sealing) not in repr(vars(platform))
