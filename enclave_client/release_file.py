"""The release file: what a publisher says of a version of a program, as TOML for people.

    name = "fns"                       # belongs to the account that publishes under it first
    version = "1.2.0"                  # published once, never changed
    source_digest = "5f0c..."          # SHA-256 of the source archive, see docs/releases.md
    notes = "faster; fixes a leak"     # at most 512 printable ASCII characters; may be left out
    auditors = ["0x331b...0Ffb"]       # accounts that may endorse it, 1 to 16
    [measurements]                     # what it measures on each kind of TEE, 1 to 16 in all
    sgx = ["ab01..."]                  # MRENCLAVE, 32 bytes
    tdx = ["cd23..."]                  # 48 bytes, as sealedger evidence verify prints it
    snp = ["ef45..."]                  # MEASUREMENT, 48 bytes

Rules: strict: unknown keys are refused, every error names the field; bytes are hex. What is read
and written again is the same release. Not here: who may publish it (`owner_releases`).
"""

from pathlib import Path
from typing import Annotated, Any

import tomli_w
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictStr,
    ValidationError,
)

from enclave_client.errors import ReleaseFileError
from enclave_client.file_faults import first_fault
from enclave_client.network_file import Hex, Hex32
from enclave_client.toml_files import decode_table
from ledger.errors import FormatError
from ledger.format.address import decode_address, encode_address
from ledger.format.releases import (
    MAX_NOTES_CHARACTERS,
    MAX_RELEASE_AUDITORS,
    EnclaveRelease,
    ReleaseMeasurement,
    ReleaseVersion,
    decode_release,
    encode_release,
    is_release_name,
    parse_version,
)

MAX_FILE_BYTES = 64 * 1024
PLATFORMS = {1: "sgx", 2: "tdx", 3: "snp"}

_HINT = "docs/releases.md shows one"


def _sorted(items: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(items)) != len(items):
        raise ValueError("says the same twice")
    return tuple(sorted(items))


def _name(value: str) -> str:
    if not is_release_name(value):
        raise ValueError("a name is 1 to 64 characters of A-Z a-z 0-9 . _ / - in segments")
    return value


def _version(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('must be text, such as "1.2.0"')  # noqa: TRY004  (what pydantic takes)
    try:
        return parse_version(value)
    except FormatError as error:
        raise ValueError(str(error)) from error


def _address(value: object) -> object:
    try:
        return decode_address(value) if isinstance(value, str) else value
    except FormatError as error:
        raise ValueError(str(error)) from error


Name = Annotated[StrictStr, AfterValidator(_name)]
Version = Annotated[ReleaseVersion, BeforeValidator(_version)]
Address = Annotated[bytes, BeforeValidator(_address)]
Auditors = Annotated[
    tuple[Address, ...],
    Field(min_length=1, max_length=MAX_RELEASE_AUDITORS),
    AfterValidator(_sorted),
]
Digests32 = Annotated[tuple[Hex32, ...], AfterValidator(_sorted)]
Digests48 = Annotated[
    tuple[Annotated[Hex, Field(min_length=48, max_length=48)], ...], AfterValidator(_sorted)
]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class MeasurementsEntry(_Model):
    """What the program measures, by kind of TEE."""

    sgx: Digests32 = ()
    tdx: Digests48 = ()
    snp: Digests48 = ()

    def measurements(self) -> tuple[ReleaseMeasurement, ...]:
        """All of them."""
        return tuple(
            ReleaseMeasurement(code, one)
            for code, platform in PLATFORMS.items()
            for one in getattr(self, platform)
        )


class ReleaseFile(_Model):
    """A checked release file."""

    name: Name
    version: Version
    source_digest: Hex32
    notes: Annotated[StrictStr, Field(max_length=MAX_NOTES_CHARACTERS)] = ""
    auditors: Auditors
    measurements: MeasurementsEntry = MeasurementsEntry()

    def release(self, measured: tuple[ReleaseMeasurement, ...] = ()) -> EnclaveRelease:
        """The release, with measurements made elsewhere; not verified yet."""
        every = {*self.measurements.measurements(), *measured}
        return EnclaveRelease(
            name=self.name,
            version=self.version,
            measurements=tuple(sorted(every)),
            source_digest=self.source_digest,
            notes=self.notes,
            auditors=self.auditors,
        )


def read_release_file(path: Path, measured: tuple[ReleaseMeasurement, ...] = ()) -> EnclaveRelease:
    """The release of a file of at most 64 KiB; ReleaseFileError names the bad field."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ReleaseFileError(
            f"release file {path}: {error.strerror or 'cannot be read'}", _HINT
        ) from error
    return decode_release_file(data, str(path), measured)


def decode_release_file(
    data: bytes, source: str = "given", measured: tuple[ReleaseMeasurement, ...] = ()
) -> EnclaveRelease:
    """The release of TOML bytes and of `measured`; ReleaseFileError names the bad field."""
    if len(data) > MAX_FILE_BYTES:
        raise ReleaseFileError(f"release file {source}: over {MAX_FILE_BYTES} bytes", _HINT)
    try:
        table = decode_table(data)
    except ValueError as error:
        raise ReleaseFileError(f"release file {source}: not TOML: {error}", _HINT) from error
    try:
        file = ReleaseFile.model_validate(table)
    except ValidationError as error:
        raise ReleaseFileError(f"release file {source}: {first_fault(error)}", _HINT) from error
    try:
        return decode_release(encode_release(file.release(measured)))
    except (FormatError, ValueError) as error:
        raise ReleaseFileError(f"release file {source}: {error}", _HINT) from error


def encode_release_file(release: EnclaveRelease) -> bytes:
    """The TOML bytes; `decode_release_file` gives the same release back."""
    measured: dict[str, list[str]] = {}
    for one in release.measurements:
        measured.setdefault(PLATFORMS[one.platform], []).append(one.measurement.hex())
    table = {
        "name": release.name,
        "version": str(release.version),
        "source_digest": release.source_digest.hex(),
        "notes": release.notes,
        "auditors": list(map(encode_address, release.auditors)),
        "measurements": measured,
    }
    return tomli_w.dumps(table).encode()
