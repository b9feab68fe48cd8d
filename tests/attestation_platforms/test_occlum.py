"""The occlum platform, with a library that exports what Occlum's DCAP library does."""

import asyncio
import ctypes
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from attestation.errors import NoSealingKeyError, PlatformError
from attestation.evidence import EvidenceKind, decode_evidence
from attestation.platforms.occlum import OcclumPlatform, is_device
from attestation.platforms.occlum_library import LoadedLibrary
from attestation.platforms.platform import Platform
from tests.support.platform_devices import REPORT_DATA_AT, VECTORS, plain_quote

DATA = bytes(range(64))
SOURCE = Path(__file__).parent / "occlum_dcap.c"
QUOTE_SIZE = 4578
GOOD, NO_DEVICE, NO_SIZE, HUGE, NO_QUOTE, OTHER_DATA = range(6)

needs_compiler = pytest.mark.skipif(
    shutil.which("cc") is None, reason="there is no C compiler to build the library with"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library, built once."""
    library = tmp_path_factory.mktemp("occlum") / "libocclum_dcap.so"
    build = ["cc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", str(library), str(SOURCE)]
    subprocess.run(build, check=True)
    return library


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """/dev/sgx as Occlum presents it: one device, where Linux has a folder or nothing."""
    path = tmp_path / "sgx"
    path.touch()
    return path


class Control:
    """What the library shall do, and what it has open."""

    def __init__(self, library: Path) -> None:
        loaded = ctypes.CDLL(str(library))
        self._mode = ctypes.c_int.in_dll(loaded, "mode")
        self._handles = ctypes.c_int.in_dll(loaded, "handles")

    def set(self, mode: int) -> None:
        """Do this from now on."""
        self._mode.value = mode

    @property
    def handles(self) -> int:
        """How many handles are open."""
        return self._handles.value


@pytest.fixture
def control(built: Path) -> Iterator[Control]:
    """The built library's; at the end every handle is closed."""
    made = Control(built)
    made.set(GOOD)
    yield made
    assert made.handles == 0


@needs_compiler
@pytest.mark.usefixtures("control")
async def test_quotes(built: Path, device: Path) -> None:
    """Quotes come through the library, also several at once, each over its own report data."""
    platform: Platform = OcclumPlatform.open(device, [built.with_name("none.so"), built])
    wanted = [DATA, bytes(64), *(bytes([number]) * 64 for number in range(8))]
    made = await asyncio.gather(*map(platform.evidence, wanted))
    for data, evidence in zip(wanted, made, strict=True):
        decoded = decode_evidence(evidence)
        assert decoded.kind is EvidenceKind.DCAP
        assert decoded.quote == plain_quote(data, 3, QUOTE_SIZE)


@needs_compiler
@pytest.mark.parametrize(
    "mode, said",
    [
        (NO_DEVICE, "cannot open /dev/sgx"),
        (NO_SIZE, "a quote of 0 bytes: does AESM run"),
        (HUGE, "a quote of 2147483648 bytes"),
        (NO_QUOTE, r"made no quote \(code -1\)"),
        (OTHER_DATA, "other report data"),
    ],
)
async def test_failures(control: Control, built: Path, device: Path, mode: int, said: str) -> None:
    """Each failure of the library is said, and its handle is closed."""
    platform = OcclumPlatform.open(device, [built])
    control.set(mode)
    with pytest.raises(PlatformError, match=said):
        await platform.evidence(DATA)


class HeldQuote:
    """A library with one quote, as it was made on hardware."""

    def __init__(self, quote: bytes) -> None:
        self._quote = quote

    def quote(self, report_data: bytes, limit: int) -> bytes:
        if len(report_data) != 64 or limit < len(self._quote):
            raise AssertionError("asked for what no library gives")
        return self._quote


@pytest.mark.skipif(not VECTORS.is_dir(), reason="the evidence vectors are not on this machine")
async def test_a_real_quote() -> None:
    """A quote that Occlum made on hardware passes through unchanged."""
    quote = (VECTORS / "sgx/occlum-30606a/quote.bin").read_bytes()
    evidence = await OcclumPlatform(HeldQuote(quote)).evidence(quote[REPORT_DATA_AT[3] :][:64])
    assert decode_evidence(evidence).quote == quote


@pytest.mark.parametrize("size", [0, 63, 65])
async def test_another_size_of_report_data(size: int) -> None:
    """The library reads 64 bytes wherever it is pointed to: no other size gets there."""
    with pytest.raises(PlatformError, match="must be 64"):
        await OcclumPlatform(HeldQuote(b"")).evidence(bytes(size))


def test_no_sealing_key() -> None:
    """Occlum documents none for programs, and the error says what that means."""
    with pytest.raises(NoSealingKeyError, match="occlum gives no sealing key"):
        OcclumPlatform(HeldQuote(b"")).sealing_key(b"kms")


def test_not_under_occlum(tmp_path: Path, device: Path) -> None:
    """Linux' own folder /dev/sgx is not Occlum's device; without the library it is named."""
    (tmp_path / "folder").mkdir()
    assert [is_device(tmp_path / name) for name in ("folder", "none", device.name)] == [
        False,
        False,
        True,
    ]
    with pytest.raises(PlatformError, match="not Occlum's device"):
        OcclumPlatform.open(tmp_path / "folder")
    with pytest.raises(PlatformError, match=r"libocclum_dcap\.so is not in the image"):
        OcclumPlatform.open(device, [tmp_path / "libocclum_dcap.so"])


def test_a_library_of_something_else(tmp_path: Path, device: Path) -> None:
    """What is no library, or not this one, is refused when the platform is opened."""
    (tmp_path / "text.so").write_text("no library")
    with pytest.raises(PlatformError, match="not Occlum's DCAP library"):
        OcclumPlatform.open(device, [tmp_path / "text.so"])
    with pytest.raises(PlatformError, match=r"not Occlum's DCAP library: .*dcap_quote_open"):
        LoadedLibrary(Path("libc.so.6"))
