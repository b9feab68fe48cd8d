"""The tsm platform on a configfs that behaves as the kernel's."""

import asyncio
import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from attestation.errors import NoSealingKeyError, PlatformError
from attestation.evidence import EvidenceKind, decode_evidence
from attestation.platforms.platform import Platform
from attestation.platforms.tsm import PAUSES_S, TsmPlatform
from attestation.platforms.tsm_files import ConfigfsFiles
from tests.support.platform_devices import REPORT_DATA_AT, VECTORS, FakeConfigfs, plain_quote, tdx

DATA = bytes(range(64))
needs_vectors = pytest.mark.skipif(
    not VECTORS.is_dir(), reason="the evidence vectors are not on this machine"
)


@pytest.fixture
def files() -> Iterator[FakeConfigfs]:
    """A TDX guest's; at the end no request is left behind."""
    fake = FakeConfigfs()
    yield fake
    assert fake.is_empty


class Pauses:
    """Counts what was waited for, and waits for nothing."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        """Take note."""
        self.seconds.append(seconds)


async def test_a_tdx_quote(files: FakeConfigfs) -> None:
    """The quote becomes DCAP evidence; its buffer's padding is left for verifiers to cut."""
    platform: Platform = TsmPlatform(files)
    evidence = decode_evidence(await platform.evidence(DATA))
    assert (evidence.kind, evidence.quote) == (EvidenceKind.DCAP, tdx(DATA)[0])
    assert len(evidence.quote) == 8000


@needs_vectors
@pytest.mark.parametrize(
    "vector", ["tdx/oasis-v4-trailing", "tdx/google-v5", "tdx/openenclave-v5-seamldr5"]
)
async def test_real_tdx_quotes(files: FakeConfigfs, vector: str) -> None:
    """Quotes of both formats that TDX guests made pass through unchanged."""
    quote = (VECTORS / vector / "quote.bin").read_bytes()
    report_data = quote[REPORT_DATA_AT[quote[0]] :][:64]
    files.give = lambda _: (quote, b"")
    assert decode_evidence(await TsmPlatform(files).evidence(report_data)).quote == quote


async def test_requests_at_once(files: FakeConfigfs) -> None:
    """Each request has a name of its own, and each gets its own report data."""
    wanted = [bytes([number]) * 64 for number in range(24)]
    platform = TsmPlatform(files)
    made = await asyncio.gather(*map(platform.evidence, wanted))
    assert [decode_evidence(one).quote for one in made] == [tdx(data)[0] for data in wanted]
    assert len(files.names) == len(wanted)


@pytest.mark.parametrize("size", [0, 32, 63, 65])
async def test_another_size_of_report_data(files: FakeConfigfs, size: int) -> None:
    """Both drivers take exactly 64 bytes; nothing is asked of the kernel for another size."""
    with pytest.raises(PlatformError, match="must be 64"):
        await TsmPlatform(files).evidence(bytes(size))
    assert not files.names


@pytest.mark.parametrize("busy", range(len(PAUSES_S) + 1))
async def test_a_busy_device_is_asked_again(files: FakeConfigfs, busy: int) -> None:
    """Up to four times it may be busy, with growing pauses; each attempt is a new request."""
    files.busy, pauses = busy, Pauses()
    await TsmPlatform(files, pause=pauses).evidence(DATA)
    assert pauses.seconds == list(PAUSES_S[:busy])
    assert len(files.names) == busy + 1


async def test_a_device_that_stays_busy(files: FakeConfigfs) -> None:
    """After five attempts it is said, and no request is left behind."""
    files.busy, pauses = 99, Pauses()
    with pytest.raises(PlatformError, match="another quote is under way"):
        await TsmPlatform(files, pause=pauses).evidence(DATA)
    assert len(files.names) == 5
    assert pauses.seconds == list(PAUSES_S)


@pytest.mark.parametrize(
    "where, number, said",
    [
        ("make", errno.ENXIO, "no TEE driver"),
        ("make", errno.EACCES, "only root"),
        ("make", errno.EPERM, "only root"),
        ("make", errno.ENOENT, "no configfs-tsm"),
        ("inblob", errno.EACCES, "only root"),
        ("outblob", errno.EINVAL, "privilege level"),
        ("outblob", errno.EFBIG, "update the guest's kernel"),
        ("outblob", errno.EIO, "quote generation service"),
        ("outblob", errno.ETIMEDOUT, "quote generation service"),
        ("outblob", errno.ENOTTY, "restart it"),
        ("generation", errno.ENODEV, "kernel log"),
    ],
)
async def test_errors_of_the_kernel(
    files: FakeConfigfs, where: str, number: int, said: str
) -> None:
    """Each error but EBUSY is said at once, with what to look at; the request is ended."""
    files.error, pauses = {where: number}, Pauses()
    with pytest.raises(PlatformError, match=said):
        await TsmPlatform(files, pause=pauses).evidence(DATA)
    assert not pauses.seconds


async def test_a_request_that_cannot_be_ended(files: FakeConfigfs) -> None:
    """The evidence is good, so it is given; what cannot be removed is the kernel's."""
    files.error = {"remove": errno.EBUSY}
    assert decode_evidence(await TsmPlatform(files).evidence(DATA)).quote == tdx(DATA)[0]


@pytest.mark.parametrize("writes", [1, 7])
async def test_somebody_else_wrote(files: FakeConfigfs, writes: int) -> None:
    """A write between ours and the reading is seen in the generation; the evidence is dropped."""
    files.foreign_writes = writes
    with pytest.raises(PlatformError, match=f"{1 + writes} writes"):
        await TsmPlatform(files).evidence(DATA)


async def test_a_write_that_was_not_taken(files: FakeConfigfs) -> None:
    """The kernel refuses a write only when the file is closed, unheard: the reading shows it."""
    files.takes_writes = False
    with pytest.raises(PlatformError, match="the driver refused"):
        await TsmPlatform(files).evidence(DATA)


async def test_a_write_that_was_not_taken_with_an_old_report(files: FakeConfigfs) -> None:
    """Even if the kernel gives a report then, the generation tells that it is none of ours."""
    files.takes_writes, files.gives_always = False, True
    files.give = lambda _: tdx(DATA)
    with pytest.raises(PlatformError, match="0 writes"):
        await TsmPlatform(files).evidence(DATA)


async def test_evidence_over_other_report_data(files: FakeConfigfs) -> None:
    """A quote that does not bind what was asked for is not passed on."""
    files.give = lambda _: tdx(DATA[::-1])
    with pytest.raises(PlatformError, match="other report data"):
        await TsmPlatform(files).evidence(DATA)


@pytest.mark.parametrize(
    "quote",
    [b"", b"\x04", plain_quote(DATA, 4)[:600], b"\xd9\xea\x60" + bytes(9000)],
    ids=["empty", "short", "cut", "CBOR"],
)
async def test_a_format_that_cannot_be_verified(files: FakeConfigfs, quote: bytes) -> None:
    """A short quote, or one in the newer CBOR form, is refused where its platform is known."""
    files.give = lambda _: (quote, b"")
    with pytest.raises(PlatformError, match="no quote of format"):
        await TsmPlatform(files).evidence(DATA)


async def test_too_much_of_a_quote(files: FakeConfigfs) -> None:
    """More than 64 KiB are neither read nor passed on."""
    files.give = lambda data: (plain_quote(data, 4, 66_000), b"")
    with pytest.raises(PlatformError, match="more than 65536"):
        await TsmPlatform(files).evidence(DATA)


@pytest.mark.parametrize("provider", ["arm_cca_guest", "", "tdx_guest2"])
async def test_other_providers(files: FakeConfigfs, provider: str) -> None:
    """Evidence of another kind of TEE is refused before it is asked for."""
    files.provider = provider
    with pytest.raises(PlatformError, match="cannot be verified by this version"):
        await TsmPlatform(files).evidence(DATA)


def test_no_sealing_key(files: FakeConfigfs) -> None:
    """TDX and SEV-SNP have none, and the error says where the epoch secret has to come from."""
    with pytest.raises(NoSealingKeyError, match="from a peer or from members' shares"):
        TsmPlatform(files).sealing_key(b"kms")


def test_no_configfs(tmp_path: Path) -> None:
    """A kernel without it is told from a missing driver."""
    with pytest.raises(PlatformError, match=r"Linux 6\.7"):
        TsmPlatform.open(tmp_path / "report")


def test_configfs_files(tmp_path: Path) -> None:
    """On a file system the operations are mkdir, one write, one opening per reading, and rmdir."""
    files = ConfigfsFiles(tmp_path)
    files.make("one")
    assert (tmp_path / "one").is_dir()
    with pytest.raises(FileExistsError):
        files.make("one")
    with pytest.raises(FileNotFoundError):
        files.write("one", "inblob", DATA)  # the kernel makes attributes, not we
    (tmp_path / "one" / "inblob").write_bytes(b"")
    files.write("one", "inblob", DATA)
    assert files.read("one", "inblob", 64) == DATA
    assert files.read("one", "inblob", 10) == DATA[:11]
    with pytest.raises(OSError, match="not empty"):
        files.remove("one")
    (tmp_path / "one" / "inblob").unlink()
    files.remove("one")
    assert not list(tmp_path.iterdir())
