"""Releases of enclave programs: what a publisher says of one, and the operations about it.

1. A release is a name, a version and the measurements that its program has on each platform; the
   auditors that it names may endorse it, with accounts of their own.
2. An endorsement names the digest of the release's canonical bytes: what the auditor looked at.
3. As text, a release is ``name@major.minor.patch``; versions have one spelling.
Not here: who may publish, endorse and revoke, and what that does to sessions (``contracts``);
policies that ask for endorsed releases (``attestation.policy``).
"""

import hashlib
import re
import struct
from dataclasses import dataclass

from sealedger.v1 import attestation_pb2 as apb
from sealedger.v1 import ledger_pb2 as pb

from ledger.errors import FormatError
from ledger.format.names import is_name
from ledger.format.strict import decode_strict, encode, verify_length
from ledger.format.terms import ADDRESS_BYTES

MAX_RELEASE_BYTES = 2048  # the widest possible has 1,851
MAX_RELEASE_NAME_BYTES = 64
MAX_VERSION_PART = 2**31 - 1
MAX_MEASUREMENTS = 16
MAX_RELEASE_AUDITORS = 16
MAX_NOTES_CHARACTERS = 512
MEASUREMENT_BYTES = {1: 32, 2: 48, 3: 48}  # by platform: SGX, TDX, SEV-SNP

_DOMAIN = b"sealedger/enclave-release/1\0"
_PACKED = struct.Struct(">III")
_PART = r"(0|[1-9][0-9]{0,9})"
_VERSION = re.compile(rf"{_PART}\.{_PART}\.{_PART}", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class ReleaseVersion:
    """Three numbers of 0 to 2^31 - 1, in the order of their weight."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        """``1.2.3``."""
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def packed(self) -> bytes:
        """12 bytes in whose order versions grow: for database keys."""
        return _PACKED.pack(self.major, self.minor, self.patch)


@dataclass(frozen=True, slots=True, order=True)
class ReleaseMeasurement:
    """What the program measures on one kind of platform."""

    platform: int  # 1 SGX, 2 TDX, 3 SEV-SNP
    measurement: bytes  # 32 bytes for SGX, 48 for the others


@dataclass(frozen=True, slots=True)
class EnclaveRelease:
    """A version of an enclave program, and who is asked to endorse it."""

    name: str  # a name of at most 64 bytes
    version: ReleaseVersion
    measurements: tuple[ReleaseMeasurement, ...]  # 1 to 16, sorted, no repeats
    source_digest: bytes  # 32 bytes
    notes: str  # at most 512 printable ASCII characters
    auditors: tuple[bytes, ...]  # 1 to 16 addresses, sorted, no repeats


@dataclass(frozen=True, slots=True)
class PublishRelease:
    """Makes a release known; the signing account is its publisher."""

    release: EnclaveRelease


@dataclass(frozen=True, slots=True)
class EndorseRelease:
    """An auditor of the release stands for exactly these bytes of it."""

    name: str
    version: ReleaseVersion
    release_digest: bytes


@dataclass(frozen=True, slots=True)
class RevokeRelease:
    """By the publisher: for everybody, for ever. By an auditor: takes the own endorsement back."""

    name: str
    version: ReleaseVersion


ReleaseOperation = PublishRelease | EndorseRelease | RevokeRelease


def is_release_name(text: str) -> bool:
    """Whether `text` is a name of at most 64 bytes."""
    return len(text) <= MAX_RELEASE_NAME_BYTES and is_name(text)


def parse_version(text: str) -> ReleaseVersion:
    """The version of ``1.2.3``; FormatError for any other spelling or a part above 2^31 - 1."""
    found = _VERSION.fullmatch(text)
    if found is None:
        raise FormatError("a version is three numbers with points between them, as 1.2.3")
    return _verified(ReleaseVersion(*map(int, found.groups())))


def unpack_version(packed: bytes) -> ReleaseVersion:
    """The version of 12 packed bytes; FormatError for another length or too large a part."""
    return _verified(ReleaseVersion(*_PACKED.unpack(verify_length("version", packed, 12))))


def release_title(name: str, version: ReleaseVersion) -> str:
    """``name@1.2.3``: how a release is called."""
    return f"{name}@{version}"


def parse_title(text: str) -> tuple[str, ReleaseVersion]:
    """Name and version of ``name@1.2.3``; FormatError for anything else."""
    name, _, version = text.partition("@")
    return _verify_name(name), parse_version(version)


def release_digest(release: bytes) -> bytes:
    """SHA-256(``sealedger/enclave-release/1`` NUL ‖ canonical bytes of a release)."""
    return hashlib.sha256(_DOMAIN + release).digest()


def encode_release(release: EnclaveRelease) -> bytes:
    """The canonical bytes of a release."""
    return encode(_release(release))


def decode_release(data: bytes) -> EnclaveRelease:
    """Decode a release of at most 2 KiB; FormatError for anything that cannot be meant."""
    return _read_release(decode_strict(pb.EnclaveRelease, data, MAX_RELEASE_BYTES))


def release_message(operation: ReleaseOperation) -> pb.Operation:
    """The message of an operation about a release."""
    match operation:
        case PublishRelease(release):
            return pb.Operation(publish_release=pb.PublishRelease(release=_release(release)))
        case EndorseRelease(name, version, digest):
            endorse = pb.EndorseRelease(
                name=name, version=version_message(version), release_digest=digest
            )
            return pb.Operation(endorse_release=endorse)
        case _:
            revoke = pb.RevokeRelease(
                name=operation.name, version=version_message(operation.version)
            )
            return pb.Operation(revoke_release=revoke)


def decode_publish(message: pb.Operation) -> PublishRelease:
    """The operation of a strictly decoded message; FormatError if it cannot be meant."""
    return PublishRelease(_read_release(message.publish_release.release))


def decode_endorse(message: pb.Operation) -> EndorseRelease:
    """The operation of a strictly decoded message; FormatError if it cannot be meant."""
    endorse = message.endorse_release
    return EndorseRelease(
        _verify_name(endorse.name),
        _read_version(endorse),
        verify_length("release_digest", endorse.release_digest, 32),
    )


def decode_revoke(message: pb.Operation) -> RevokeRelease:
    """The operation of a strictly decoded message; FormatError if it cannot be meant."""
    revoke = message.revoke_release
    return RevokeRelease(_verify_name(revoke.name), _read_version(revoke))


def version_message(version: ReleaseVersion) -> apb.ReleaseVersion:
    """The message of a version."""
    return apb.ReleaseVersion(major=version.major, minor=version.minor, patch=version.patch)


def version_of_message(message: apb.ReleaseVersion) -> ReleaseVersion:
    """The version in a message that is there; FormatError if a part is above 2^31 - 1."""
    return _verified(ReleaseVersion(message.major, message.minor, message.patch))


def _release(release: EnclaveRelease) -> pb.EnclaveRelease:
    return pb.EnclaveRelease(
        name=release.name,
        version=version_message(release.version),
        measurements=(
            pb.ReleaseMeasurement(platform=one.platform, measurement=one.measurement)
            for one in release.measurements
        ),
        source_digest=release.source_digest,
        notes=release.notes,
        auditors=release.auditors,
    )


def _read_release(message: pb.EnclaveRelease) -> EnclaveRelease:
    release = EnclaveRelease(
        name=_verify_name(message.name),
        version=_read_version(message),
        measurements=tuple(
            ReleaseMeasurement(one.platform, one.measurement) for one in message.measurements
        ),
        source_digest=verify_length("source_digest", message.source_digest, 32),
        notes=message.notes,
        auditors=tuple(verify_length("auditor", one, ADDRESS_BYTES) for one in message.auditors),
    )
    _verify_lists(release)
    return release


def _verify_lists(release: EnclaveRelease) -> None:
    measured, auditors, notes = release.measurements, release.auditors, release.notes
    if not 1 <= len(measured) <= MAX_MEASUREMENTS or list(measured) != sorted(set(measured)):
        raise FormatError("release: 1 to 16 measurements, sorted, without repeats")
    if any(MEASUREMENT_BYTES.get(one.platform) != len(one.measurement) for one in measured):
        raise FormatError("release: a measurement has 32 bytes (platform 1) or 48 (2 and 3)")
    if not 1 <= len(auditors) <= MAX_RELEASE_AUDITORS or list(auditors) != sorted(set(auditors)):
        raise FormatError("release: 1 to 16 auditors, sorted, without repeats")
    if len(notes) > MAX_NOTES_CHARACTERS or not notes.isascii() or not notes.isprintable():
        raise FormatError("release: notes are at most 512 printable ASCII characters")


def _read_version(
    message: pb.EnclaveRelease | pb.EndorseRelease | pb.RevokeRelease,
) -> ReleaseVersion:
    # Version 0.0.0 is an empty message: without this, its absence would be a second spelling.
    if not message.HasField("version"):
        raise FormatError("release: no version")
    return version_of_message(message.version)


def _verify_name(name: str) -> str:
    if not is_release_name(name):
        raise FormatError("the name of a release is a name of at most 64 bytes")
    return name


def _verified(version: ReleaseVersion) -> ReleaseVersion:
    if max(version.major, version.minor, version.patch) > MAX_VERSION_PART:
        raise FormatError("a part of a version is at most 2147483647")
    return version
