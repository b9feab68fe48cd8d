"""Which platforms this machine has, and opening one of them.

Rules: the order is gramine, tsm, occlum, software: an enclave may run inside a guest, and the one
for development comes last. Looking reads the presence of files and the text of two, and changes
nothing; only opening a platform speaks to it. What is asked for by name is opened whether or not
looking would have found it, so its own error says what is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from attestation.errors import PlatformError
from attestation.platforms import gramine, occlum, tsm
from attestation.platforms.gramine import GraminePlatform
from attestation.platforms.ias import verify_no_ias
from attestation.platforms.occlum import OcclumPlatform
from attestation.platforms.platform import Platform
from attestation.platforms.software import SoftwarePlatform
from attestation.platforms.software_files import PlatformFiles
from attestation.platforms.tsm import TsmPlatform
from attestation.platforms.tsm_certificates import read_certificate

AUTO = "auto"
GRAMINE, TSM, OCCLUM, SOFTWARE = "gramine", "tsm", "occlum", "software"
PLATFORMS = (GRAMINE, TSM, OCCLUM, SOFTWARE)

_TSM_DRIVERS = {"tdx_guest": "tdx", "sev-guest": "snp"}  # the devices of the kernel's two drivers


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformPlaces:
    """Where platforms are looked for; the defaults are the real places."""

    attestation: Path = gramine.ROOT  # Gramine
    reports: Path = tsm.REPORTS  # configfs-tsm
    drivers: Path = Path("/sys/class/misc")  # tells which driver is behind configfs-tsm
    certificate: Path | None = None  # the VCEK or VLEK, if the host of a SEV-SNP guest has none
    sgx: Path = occlum.DEVICE
    libraries: tuple[Path, ...] = occlum.LIBRARIES
    software: Path | None = None  # a directory of the software platform
    manifest: Path | None = None  # of the software platform's enclave


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One kind of platform as it was found, or why it was not."""

    name: str
    is_found: bool
    reason: str
    tee: str  # sgx, tdx, snp; several if it cannot be told yet
    evidence: str
    gives_sealing_keys: bool


def find_platforms(places: PlatformPlaces) -> tuple[Found, ...]:
    """All four kinds, in the order in which they are chosen. Raises nothing."""
    return (_gramine(places), _tsm(places), _occlum(places), _software(places))


def open_platform(kind: str, places: PlatformPlaces, environment: Mapping[str, str]) -> Platform:
    """Open the platform of that name, or with `auto` the first that is found.

    `environment` is the process's, read at the edge. Raises PlatformError: it has settings of the
    ended attestation service; nothing is found; the platform cannot be used, with what to change.
    """
    verify_no_ias(environment)
    if kind == AUTO:
        kind = _first(find_platforms(places))
    if kind == GRAMINE:
        return GraminePlatform.open(places.attestation)
    if kind == TSM:
        return TsmPlatform.open(places.reports, _certificate(places))
    if kind == OCCLUM:
        return OcclumPlatform.open(places.sgx, places.libraries)
    if kind == SOFTWARE:
        return _open_software(places)
    raise PlatformError(f"no platform {kind[:32]!r}; there are: {AUTO}, {', '.join(PLATFORMS)}")


def _first(found: tuple[Found, ...]) -> str:
    for one in found:
        if one.is_found:
            return one.name
    why = "; ".join(f"{one.name}: {one.reason}" for one in found)
    raise PlatformError(f"no platform found that gives evidence: {why}")


def _certificate(places: PlatformPlaces) -> bytes:
    return b"" if places.certificate is None else read_certificate(places.certificate)


def _open_software(places: PlatformPlaces) -> Platform:
    if places.software is None or places.manifest is None:
        raise PlatformError("the software platform needs its directory and a manifest")
    return SoftwarePlatform.open(places.software, places.manifest)


def _gramine(places: PlatformPlaces) -> Found:
    is_found, reason = False, f"{places.attestation / gramine.TYPE} is missing"
    if (places.attestation / gramine.TYPE).exists():
        try:
            gramine.verify_type(gramine.read_type(places.attestation))
            is_found, reason = True, f"{places.attestation} gives DCAP quotes"
        except PlatformError as error:
            reason = str(error)
    elif places.attestation.is_dir():
        reason = f"{places.attestation} has no attestation_type: Gramine runs without SGX"
    return Found(
        name=GRAMINE,
        is_found=is_found,
        reason=reason,
        tee="sgx",
        evidence="DCAP quote",
        gives_sealing_keys=True,
    )


def _tsm(places: PlatformPlaces) -> Found:
    tees = [tee for name, tee in _TSM_DRIVERS.items() if (places.drivers / name).exists()]
    if not places.reports.is_dir():
        reason = f"{places.reports} is missing"
    elif not tees:
        reason = "configfs-tsm is there, but neither driver: modprobe tdx_guest or sev-guest"
    else:
        reason = f"{places.reports} is there, with a TEE driver"
    is_snp = tees == ["snp"]
    return Found(
        name=TSM,
        is_found=places.reports.is_dir() and bool(tees),
        reason=reason,
        tee=" or ".join(tees or _TSM_DRIVERS.values()),
        evidence="SEV-SNP report" if is_snp else "DCAP quote" if tees else "DCAP quote or report",
        gives_sealing_keys=False,
    )


def _occlum(places: PlatformPlaces) -> Found:
    is_device = occlum.is_device(places.sgx)
    library = occlum.find_library(places.libraries)
    if not is_device:
        reason = f"{places.sgx} is missing, or is not Occlum's"
    elif library is None:
        reason = f"{places.sgx} is there, but libocclum_dcap.so is not in the image"
    else:
        reason = f"{places.sgx} is there, with {library}"
    return Found(
        name=OCCLUM,
        is_found=is_device and library is not None,
        reason=reason,
        tee="sgx",
        evidence="DCAP quote",
        gives_sealing_keys=False,
    )


def _software(places: PlatformPlaces) -> Found:
    tee, reason = "", "no directory was named"
    if places.software is not None:
        try:
            tee = PlatformFiles(places.software).read_tee()
            reason = f"{places.software} simulates a TEE; for development only"
        except PlatformError as error:
            reason = str(error)
    return Found(
        name=SOFTWARE,
        is_found=bool(tee),
        reason=reason,
        tee=tee or "simulated",
        evidence="SEV-SNP report" if tee == "snp" else "DCAP quote" if tee else "as the TEE it has",
        gives_sealing_keys=True,
    )
