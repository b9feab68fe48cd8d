"""What the ledger knows of the releases that name one measurement: what release matches read. Pure.

Rules: canonical bytes; the ledger keeps a row for each name and measurement, and rows of several
names, joined in their order, are canonical again. Releases are sorted by name and version, none was
revoked; endorsers are addresses of 20 bytes, sorted. Publishing, endorsing and revoking are
`contracts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from attestation.errors import DecodeError
from attestation.wire import decode_message, encode_message
from ledger.format.names import is_name
from sealedger.v1 import attestation_pb2 as pb

MAX_RELEASES = 128  # a policy asks for 8 names, each of which has 16 rows
MAX_ENDORSERS = 16
MAX_RELEASE_NAME = 64
MAX_RELEASES_BYTES = 64 * 1024

Version = tuple[int, int, int]  # major, minor, patch

_MAX_PART = 2**31 - 1
_ADDRESS_BYTES = 20


@dataclass(frozen=True, slots=True)
class EndorsedRelease:
    """A published release that was not revoked, and who endorses it."""

    name: str
    version: Version
    endorsers: tuple[bytes, ...]


def is_version(version: Version) -> bool:
    """Whether each part is 0 to 2^31 - 1."""
    return all(0 <= part <= _MAX_PART for part in version)


def version_message(version: Version) -> pb.ReleaseVersion:
    """The message of a version."""
    return pb.ReleaseVersion(major=version[0], minor=version[1], patch=version[2])


def version_of_message(message: pb.ReleaseVersion) -> Version:
    """The version of a message; not checked yet."""
    return message.major, message.minor, message.patch


def encode_releases(releases: tuple[EndorsedRelease, ...]) -> bytes:
    """The canonical bytes; raises DecodeError for a list out of order or bounds."""
    _verify(releases)
    message = pb.EndorsedReleases(
        releases=[
            pb.EndorsedRelease(
                name=one.name, version=version_message(one.version), endorsers=one.endorsers
            )
            for one in releases
        ]
    )
    return encode_message(message, MAX_RELEASES_BYTES)


@lru_cache(maxsize=128)  # of up to 130 KB each
def decode_releases(data: bytes) -> tuple[EndorsedRelease, ...]:
    """The releases of canonical bytes; none for no bytes; raises DecodeError."""
    message = decode_message(pb.EndorsedReleases, data, MAX_RELEASES_BYTES)
    return releases_of_messages(message.releases)


def releases_of_messages(messages: Sequence[pb.EndorsedRelease]) -> tuple[EndorsedRelease, ...]:
    """The releases of messages; raises DecodeError for a list out of order or bounds."""
    if not all(one.HasField("version") for one in messages):
        raise DecodeError("releases: one without a version")
    releases = tuple(
        EndorsedRelease(one.name, version_of_message(one.version), tuple(one.endorsers))
        for one in messages
    )
    _verify(releases)
    return releases


def _verify(releases: tuple[EndorsedRelease, ...]) -> None:
    keys = [(one.name, one.version) for one in releases]
    if len(releases) > MAX_RELEASES or not all(a < b for a, b in pairwise(keys)):
        raise DecodeError(f"releases: more than {MAX_RELEASES}, or not sorted")
    for one in releases:
        endorsers = one.endorsers
        if (
            not is_name(one.name)
            or len(one.name) > MAX_RELEASE_NAME
            or not is_version(one.version)
            or len(endorsers) > MAX_ENDORSERS
            or any(len(address) != _ADDRESS_BYTES for address in endorsers)
            or not all(a < b for a, b in pairwise(endorsers))
        ):
            raise DecodeError("releases: bad release")
