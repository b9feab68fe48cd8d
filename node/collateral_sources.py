"""Where new collateral comes from: files, the vendors' services, the development platform.

Files and the platform give one collateral, whose own words say what it is for. Services are asked
for each key in turn, and for those of their vendor only.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from attestation.collateral import decode_collateral, encode_collateral
from attestation.collateral_files import MAX_FILE_BYTES, read_collateral_files
from attestation.errors import DecodeError
from attestation.platforms.software import read_trust, renew_collateral
from attestation.platforms.software_collateral import CollateralOptions, read_tcb_date
from attestation.verify import read_facts
from node.errors import ConfigError, FetchError
from node.fetching import Fetcher
from node.pccs import fetch_dcap, fetch_snp

SNP = "snp/"
_FORMS = (
    "a file with our own bytes, with a verifier's nine fields in JSON, or files with AMD's "
    "certificates and revocation list"
)


@dataclass(frozen=True, slots=True)
class Services:
    """The services to ask: base URLs, empty where there is none, and how to reach them."""

    pccs: str = ""  # Intel: a PCCS, or the vendor's own
    kds: str = ""  # AMD
    authorities: Path | None = None  # certificates that may sign for the services, PEM
    root_crl: Path | None = None  # Intel's root's revocation list, for a service without it

    def serves(self, key: str) -> bool:
        """Whether one of them is of this key's vendor."""
        return bool(self.kds if key.startswith(SNP) else self.pccs)


class ServiceDesk:
    """Fetches collateral by key; use `open_services`."""

    def __init__(self, services: Services, fetcher: Fetcher, root_crl: bytes | None) -> None:
        """Keep the parts."""
        self._services = services
        self._fetcher = fetcher
        self._root_crl = root_crl

    async def fetch(self, key: str) -> bytes:
        """The canonical bytes of the current edition; FetchError."""
        if key.startswith(SNP):
            collateral = await fetch_snp(self._fetcher, self._services.kds, key)
        else:
            collateral = await fetch_dcap(self._fetcher, self._services.pccs, key, self._root_crl)
        data = encode_collateral(collateral)
        found = read_facts(data).key
        if found != key:
            raise FetchError(f"{key}: the service gave collateral for {found}")
        return data


@asynccontextmanager
async def open_services(services: Services) -> AsyncIterator[ServiceDesk]:
    """The services, reachable; ConfigError if a file cannot be used."""
    root_crl = None if services.root_crl is None else read_file(services.root_crl)
    async with Fetcher(services.authorities) as fetcher:
        yield ServiceDesk(services, fetcher, root_crl)


def collateral_of_files(paths: tuple[Path, ...]) -> bytes:
    """The canonical bytes of the collateral in 1 to 8 files; ConfigError."""
    files = [read_file(path) for path in paths]
    try:
        return encode_collateral(read_collateral_files(files))
    except DecodeError as error:
        names = ", ".join(map(str, paths))
        raise ConfigError(f"{names}: {error}", _FORMS) from error


def signed_anew(platform: Path, clock_s: Callable[[], int]) -> bytes:
    """New collateral of a software platform, good for a year from now; PlatformError.

    Its levels keep their date: what says nothing new but dates of issue ends no session.
    """
    before = read_trust(platform).collateral
    number, _ = read_facts(before).order[0]
    options = CollateralOptions(
        issued_s=clock_s(),
        evaluation_number=number,
        tcb_date_s=read_tcb_date(decode_collateral(before)),
    )
    return renew_collateral(platform, options)


def read_file(path: Path) -> bytes:
    """At most 4 MiB of a file; ConfigError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", _FORMS) from error
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: over {MAX_FILE_BYTES} bytes: no file of collateral is so large")
    return data
