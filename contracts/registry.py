"""The registry of releases in the state: one record for each release, and what policies read of it.

1. A name of releases belongs to the account that published under it first.
2. A record is never taken away: a version that was revoked stays revoked.
3. For each enclave (platform and measurement) and each name, one row holds the unrevoked releases
   and their endorsers. So nobody fills the row of another's name, whatever he says he measures.
4. The names with such a row are filed under the enclave: with them a session finds the policies
   that it may be admitted by.
Records are written by these rules only, so one that does not decode is a StateError. Not here: who
may publish, endorse and revoke (`releases`).
"""

import struct
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

from attestation.errors import AttestationError
from attestation.identity import decode_identity
from attestation.releases import EndorsedRelease, Version, decode_releases, encode_releases
from ledger import keys
from ledger.errors import FormatError
from ledger.format.releases import EnclaveRelease, ReleaseMeasurement, decode_release
from ledger.format.terms import ADDRESS_BYTES

from contracts.errors import StateError
from contracts.filing import file_under, filed_under, take_out
from contracts.view import Changes, StateView

MAX_NAMES = 64  # of releases of one enclave that are told
MAX_PER_ENCLAVE = 16  # unrevoked releases of one name with one measurement

_FIXED = struct.Struct(">QQ20sBB")
_STATEMENT = struct.Struct(">20sQ")
_PLATFORMS = {"sgx": 1, "tdx": 2, "snp": 3}


@dataclass(frozen=True, slots=True, order=True)
class Statement:
    """What an auditor said of a release, and the entry in which it was said."""

    auditor: bytes
    index: int


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """A published release: its canonical bytes, who said what of it, and where."""

    release: bytes
    publisher: bytes
    index: int  # the entry that published it
    revoked_index: int = 0  # the entry that revoked it; 0: none
    endorsed: tuple[Statement, ...] = ()  # by auditor
    withdrawn: tuple[Statement, ...] = ()  # by auditor: who will never endorse it again

    @property
    def is_revoked(self) -> bool:
        """Whether the publisher took it back."""
        return bool(self.revoked_index)

    @property
    def endorsers(self) -> tuple[bytes, ...]:
        """Who endorses it, sorted."""
        return tuple(one.auditor for one in self.endorsed)

    def decoded(self) -> EnclaveRelease:
        """The release; StateError if it is not one of ours."""
        return _decode_release(self.release)


def encode_record(record: ReleaseRecord) -> bytes:
    """38 bytes, 28 for each statement, then the release."""
    fixed = _FIXED.pack(
        record.index,
        record.revoked_index,
        record.publisher,
        len(record.endorsed),
        len(record.withdrawn),
    )
    said = (_STATEMENT.pack(s.auditor, s.index) for s in (*record.endorsed, *record.withdrawn))
    return b"".join((fixed, *said, record.release))


def decode_record(data: bytes) -> ReleaseRecord:
    """The record; StateError if it is cut."""
    if len(data) < _FIXED.size:
        raise StateError("release: wrong length")
    index, revoked_index, publisher, endorsed, withdrawn = _FIXED.unpack_from(data)
    end = _FIXED.size + _STATEMENT.size * (endorsed + withdrawn)
    if len(data) <= end:
        raise StateError("release: wrong length")
    said = tuple(Statement(*one) for one in _STATEMENT.iter_unpack(data[_FIXED.size : end]))
    return ReleaseRecord(
        release=data[end:],
        publisher=publisher,
        index=index,
        revoked_index=revoked_index,
        endorsed=said[:endorsed],
        withdrawn=said[endorsed:],
    )


def find_release(view: StateView, name: str, version: bytes) -> ReleaseRecord | None:
    """The record of a name's packed version, or None."""
    data = view.get(keys.release(name, version))
    return None if data is None else decode_record(data)


def publisher_of(view: StateView, name: str) -> bytes | None:
    """The account that a name belongs to, or None."""
    address = view.get(keys.publisher(name))
    if address is not None and len(address) != ADDRESS_BYTES:
        raise StateError("publisher: wrong length")
    return address


def has_room(view: StateView, release: EnclaveRelease) -> bool:
    """Whether each enclave of a release may stand in one more release of its name."""
    return all(len(_row(view, one, release.name)) < MAX_PER_ENCLAVE for one in release.measurements)


def store_release(state: Changes, record: ReleaseRecord) -> None:
    """Write a record, and the rows that policies read (3 and 4 above)."""
    release = record.decoded()
    state.put(keys.release(release.name, release.version.packed), encode_record(record))
    version = release.version
    listed = EndorsedRelease(
        release.name, (version.major, version.minor, version.patch), record.endorsers
    )
    for enclave in release.measurements:
        others = tuple(
            one for one in _row(state, enclave, release.name) if one.version != listed.version
        )
        kept = others if record.is_revoked else (*others, listed)
        _write_row(state, enclave, release.name, kept)


def claim_name(state: Changes, name: str, publisher: bytes) -> None:
    """Let a name belong to an account."""
    state.put(keys.publisher(name), publisher)


def enclave_name(identity: bytes) -> bytes:
    """Under which the names of an identity's releases are filed."""
    platform, measurement = _enclave_of(identity)
    return _file_of(ReleaseMeasurement(platform, measurement))


def names_of_releases(view: StateView, identity: bytes) -> frozenset[str]:
    """The names of unrevoked releases that measure an identity, endorsed or not; at most 64."""
    filed = islice(filed_under(view, enclave_name(identity)), MAX_NAMES)
    return frozenset(name.decode("ascii") for name in filed)


def releases_for(view: StateView, names: tuple[str, ...], identity: bytes) -> bytes:
    """The releases of sorted names that measure an identity: canonical `attestation.releases`."""
    platform, measurement = _enclave_of(identity)
    rows = (view.get(keys.releases_of(platform, measurement, name)) for name in names)
    return b"".join(row for row in rows if row is not None)


def endorse(record: ReleaseRecord, auditor: bytes, index: int) -> ReleaseRecord:
    """The record with one more endorsement."""
    endorsed = tuple(sorted((*record.endorsed, Statement(auditor, index))))
    return replace(record, endorsed=endorsed)


def withdraw(record: ReleaseRecord, auditor: bytes, index: int) -> ReleaseRecord:
    """The record without an auditor's endorsement, for ever."""
    return replace(
        record,
        endorsed=tuple(one for one in record.endorsed if one.auditor != auditor),
        withdrawn=tuple(sorted((*record.withdrawn, Statement(auditor, index)))),
    )


def _row(view: StateView, enclave: ReleaseMeasurement, name: str) -> tuple[EndorsedRelease, ...]:
    data = view.get(keys.releases_of(enclave.platform, enclave.measurement, name))
    if data is None:
        return ()
    try:
        return decode_releases(data)
    except AttestationError as error:
        raise StateError(f"a row of releases does not decode: {error}") from error


def _write_row(
    state: Changes, enclave: ReleaseMeasurement, name: str, releases: tuple[EndorsedRelease, ...]
) -> None:
    key = keys.releases_of(enclave.platform, enclave.measurement, name)
    was_there = state.get(key) is not None
    in_order = tuple(sorted(releases, key=_version_of))
    state.put(key, encode_releases(in_order) if in_order else None)
    if was_there != bool(in_order):
        (take_out if was_there else file_under)(state, _file_of(enclave), name.encode("ascii"))


def _version_of(release: EndorsedRelease) -> Version:
    return release.version


def _file_of(enclave: ReleaseMeasurement) -> bytes:
    return b"e%c%b" % (enclave.platform, enclave.measurement)


def _decode_release(data: bytes) -> EnclaveRelease:
    try:
        return decode_release(data)
    except FormatError as error:
        raise StateError("a stored release does not decode") from error


@lru_cache(maxsize=4096)
def _enclave_of(identity: bytes) -> tuple[int, bytes]:
    try:
        decoded = decode_identity(identity)
    except AttestationError as error:
        raise StateError(f"a stored identity does not decode: {error}") from error
    return _PLATFORMS[decoded.platform], decoded.measurement
