"""The `occlum` platform: SGX under the Occlum library OS, through its DCAP library.

Occlum's manual ("Remote Attestation") documents `libocclum_dcap.so` with the functions of
`occlum_dcap.h`; the numbers and structures of the ioctls on /dev/sgx that it uses stand only in
Occlum's sources and tests. So this goes through the library, which has to be copied into the image
(and is measured with it). Sealing keys are only there as such an ioctl: this platform has none.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Never

from attestation.errors import PlatformError
from attestation.evidence import MAX_QUOTE_BYTES, Evidence, EvidenceKind, encode_evidence
from attestation.platforms.bound import verify_quote_binds, verify_size
from attestation.platforms.occlum_library import DcapLibrary, LoadedLibrary
from attestation.platforms.sealing import no_sealing_key

DEVICE = Path("/dev/sgx")
_NAMES = ("libocclum_dcap.so.0.1.0", "libocclum_dcap.so")
_FOLDERS = (Path("/opt/occlum/glibc/lib"), Path("/lib"), Path("/lib64"), Path("/usr/lib"))
LIBRARIES = tuple(folder / name for folder in _FOLDERS for name in _NAMES)


def is_device(device: Path) -> bool:
    """Whether this is Occlum's /dev/sgx; outside of it that is missing, or a folder of devices."""
    return device.exists() and not device.is_dir()


def find_library(libraries: Sequence[Path]) -> Path | None:
    """The first of these files that exists."""
    return next((path for path in libraries if path.is_file()), None)


class OcclumPlatform:
    """A `Platform` of a process that runs under Occlum. Made by `open`."""

    name = "occlum"

    def __init__(self, library: DcapLibrary) -> None:
        """Keep the library; use `open`."""
        self._library = library

    @classmethod
    def open(cls, device: Path = DEVICE, libraries: Sequence[Path] = LIBRARIES) -> "OcclumPlatform":
        """Load the first library that is there; raises PlatformError with what is missing."""
        if not is_device(device):
            raise PlatformError(
                f"{device} is not Occlum's device: is devfs mounted in Occlum.json?"
            )
        library = find_library(libraries)
        if library is None:
            raise PlatformError(
                "libocclum_dcap.so is not in the image: copy it from Occlum's dcap_lib folder to "
                f"{libraries[0].parent} and build the image anew"
            )
        return cls(LoadedLibrary(library))

    async def evidence(self, report_data: bytes) -> bytes:
        """Encoded evidence: an SGX quote over 64 bytes of report data; raises PlatformError."""
        verify_size(report_data)
        quote = await asyncio.to_thread(self._library.quote, report_data, MAX_QUOTE_BYTES)
        verify_quote_binds(quote, report_data)
        return encode_evidence(Evidence(EvidenceKind.DCAP, quote))

    def sealing_key(self, label: bytes, *, svn: int | None = None) -> Never:  # noqa: ARG002  (the port's)
        """There is none: raises NoSealingKeyError."""
        raise no_sealing_key(self.name)
