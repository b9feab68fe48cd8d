"""The gramine platform on /dev/attestation, laid out as plain files and as pipes."""

import asyncio
from pathlib import Path

import pytest

from attestation.errors import PlatformError
from attestation.evidence import EvidenceKind, decode_evidence
from attestation.platforms.gramine import GraminePlatform
from attestation.platforms.platform import Platform
from tests.support.platform_devices import (
    REPORT_DATA_AT,
    VECTORS,
    PipedAttestation,
    attestation_tree,
    plain_quote,
)

DATA = bytes(range(64))


async def test_a_quote_over_what_was_written(tmp_path: Path) -> None:
    """The 64 bytes are written, the quote is read, and it becomes DCAP evidence."""
    root = attestation_tree(tmp_path / "attestation", plain_quote(DATA))
    platform: Platform = GraminePlatform.open(root)
    evidence = decode_evidence(await platform.evidence(DATA))
    assert (evidence.kind, evidence.quote) == (EvidenceKind.DCAP, plain_quote(DATA))
    assert evidence.certificate == b""
    assert (root / "user_report_data").read_bytes() == DATA


@pytest.mark.skipif(not VECTORS.is_dir(), reason="the evidence vectors are not on this machine")
async def test_a_real_quote(tmp_path: Path) -> None:
    """A quote that Gramine made on hardware passes through unchanged."""
    quote = (VECTORS / "sgx/konvera-gramine/quote.bin").read_bytes()
    report_data = quote[REPORT_DATA_AT[3] :][:64]
    platform = GraminePlatform.open(attestation_tree(tmp_path / "attestation", quote))
    assert decode_evidence(await platform.evidence(report_data)).quote == quote


async def test_requests_at_once_are_not_mixed(tmp_path: Path) -> None:
    """Twelve requests at once, of two platforms of one process, each get their own report data."""
    wanted = [bytes([number]) * 64 for number in range(12)]
    with PipedAttestation(tmp_path, len(wanted)) as device:
        platforms = [GraminePlatform.open(tmp_path) for _ in range(2)]
        asked = [platforms[i % 2].evidence(data) for i, data in enumerate(wanted)]
        made = await asyncio.gather(*asked)
    assert sorted(device.seen) == wanted
    for data, evidence in zip(wanted, made, strict=True):
        assert decode_evidence(evidence).quote == plain_quote(data)


@pytest.mark.parametrize("size", [0, 32, 63, 65])
async def test_another_size_of_report_data(tmp_path: Path, size: int) -> None:
    """Gramine would pad or cut it in silence, so it is refused before."""
    root = attestation_tree(tmp_path / "attestation", plain_quote(DATA))
    with pytest.raises(PlatformError, match="must be 64"):
        await GraminePlatform.open(root).evidence(bytes(size))
    assert (root / "user_report_data").read_bytes() == bytes(64)


async def test_a_quote_over_other_report_data(tmp_path: Path) -> None:
    """What another library of this process asked for is not passed on as ours."""
    root = attestation_tree(tmp_path / "attestation", plain_quote(DATA[::-1]))
    with pytest.raises(PlatformError, match="other report data"):
        await GraminePlatform.open(root).evidence(DATA)


@pytest.mark.parametrize("quote", [b"", b"\x03\x00", plain_quote(DATA)[:400], b"\x02\x00" * 1000])
async def test_something_that_is_no_quote(tmp_path: Path, quote: bytes) -> None:
    """What is too short or of an unknown version is not handed to anybody."""
    root = attestation_tree(tmp_path / "attestation", quote)
    with pytest.raises(PlatformError, match="no quote of format"):
        await GraminePlatform.open(root).evidence(DATA)


async def test_a_quote_without_end(tmp_path: Path) -> None:
    """More than a quote can have is not read into memory."""
    root = attestation_tree(tmp_path / "attestation", bytes(70_000))
    with pytest.raises(PlatformError, match="more than 65536 bytes"):
        await GraminePlatform.open(root).evidence(DATA)


async def test_a_quote_that_cannot_be_made(tmp_path: Path) -> None:
    """The error names the file and where to look on the host."""
    root = attestation_tree(tmp_path / "attestation", b"")
    (root / "quote").unlink()
    (root / "quote").mkdir()
    with pytest.raises(PlatformError, match=r"quote: .*AESM"):
        await GraminePlatform.open(root).evidence(DATA)


@pytest.mark.parametrize(
    "kind, said",
    [
        ("none", 'sgx.remote_attestation = "dcap"'),
        ("epid", "docs/attestation.md"),
        ("epid", "April 2025"),
        ("magic", "expected dcap"),
        ("", "expected dcap"),
    ],
)
def test_other_kinds_of_attestation(tmp_path: Path, kind: str, said: str) -> None:
    """Only DCAP can be verified; for each other kind it is said what to do."""
    with pytest.raises(PlatformError, match=said):
        GraminePlatform.open(attestation_tree(tmp_path / "attestation", b"", kind))


def test_no_gramine(tmp_path: Path) -> None:
    """Outside of Gramine the missing file is named."""
    with pytest.raises(PlatformError, match="attestation_type"):
        GraminePlatform.open(tmp_path)


def test_sealing_keys(tmp_path: Path) -> None:
    """A key is 32 bytes, the same each time, another one for each label and signer."""
    platform: Platform = GraminePlatform.open(attestation_tree(tmp_path / "a", b""))
    same = GraminePlatform.open(attestation_tree(tmp_path / "b", b""))
    other = GraminePlatform.open(attestation_tree(tmp_path / "c", b"", key=b"K" * 16))
    key = platform.sealing_key(b"kms")
    assert len(key) == 32
    assert key == same.sealing_key(b"kms")
    assert key != platform.sealing_key(b"kms2")
    assert key != other.sealing_key(b"kms")
    assert key.reveal()[:16] != b"k" * 16


@pytest.mark.parametrize("svn", [0, 1, 7])
def test_no_key_of_another_version(tmp_path: Path, svn: int) -> None:
    """Gramine gives the own version's key only, so an older one cannot be asked for."""
    platform = GraminePlatform.open(attestation_tree(tmp_path / "a", b""))
    with pytest.raises(PlatformError, match="own security version only"):
        platform.sealing_key(b"kms", svn=svn)


@pytest.mark.parametrize("key", [b"", b"k" * 15, b"k" * 17], ids=len)
def test_a_key_of_another_size(tmp_path: Path, key: bytes) -> None:
    """An empty key (outside of SGX) or one of another size is none; its bytes are not shown."""
    platform = GraminePlatform.open(attestation_tree(tmp_path / "a", b"", key=key))
    with pytest.raises(PlatformError) as raised:
        platform.sealing_key(b"kms")
    assert "kk" not in str(raised.value)


@pytest.mark.parametrize("label", [b"", b"x" * 65])
def test_bad_labels(tmp_path: Path, label: bytes) -> None:
    """A label has 1 to 64 bytes."""
    platform = GraminePlatform.open(attestation_tree(tmp_path / "a", b""))
    with pytest.raises(PlatformError, match="1 to 64"):
        platform.sealing_key(label)
