"""`Releases`: what a publisher and an auditor do with releases, signing as an account.

1. A list is the node's word (`rows`). One release that is shown is proven: its publication, each
   standing endorsement and a revocation are opened from the certified log and compared with the
   row. That nobody revoked it or took an endorsement back since is the node's word.
2. An endorsement names the digest of exactly those bytes that its caller looked at.
Not here: what a release is and says (`ledger.format.releases`), its file (`release_file`).
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from enclave_client import queries
from enclave_client.asking import Asking
from enclave_client.errors import InvalidRequestError, ReceiptInvalidError, RefusedError
from enclave_client.openings import Event
from enclave_client.outcomes import granted_detail, refused
from enclave_client.owner_line import OwnerLine
from enclave_client.receipts import Receipt
from enclave_client.replies import read_outcome
from enclave_client.rows import ReleaseRow
from ledger.errors import FormatError
from ledger.format.operation import Operation, decode_operation, encode_operation
from ledger.format.outcome import Detail, Votes
from ledger.format.releases import (
    MAX_VERSION_PART,
    EnclaveRelease,
    EndorseRelease,
    PublishRelease,
    ReleaseVersion,
    RevokeRelease,
    encode_release,
    is_release_name,
    parse_version,
    release_digest,
    release_title,
)
from ledger.reason import Reason

# What a reason means to a publisher or an auditor.
_HINTS = {
    Reason.DENIED: "only the account that a name belongs to publishes and revokes under it, and "
    "only the auditors that a release names endorse it: is it this account?",
    Reason.RELEASE_EXISTS: "a version is published once and never changed: publish the next one",
    Reason.UNKNOWN_RELEASE: "no such release was published: sealedger release list",
    Reason.RELEASE_REVOKED: "it was taken back for ever: the release, or what this auditor says",
    Reason.WRONG_RELEASE_DIGEST: "another release was looked at than stands on the ledger",
    Reason.QUOTA_EXCEEDED: "this account published as many releases as the network allows, or one "
    "of the measurements stands in 16 releases of this name: revoke older ones",
}


@dataclass(frozen=True, slots=True)
class Published:
    """A release stands on the ledger; its digest is what auditors endorse."""

    digest: bytes
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Endorsed:
    """How many auditors endorse the release now."""

    endorsers: int
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Revoked:
    """The release is revoked for everybody, or (`endorsers` is a number) one endorsement gone."""

    endorsers: int | None
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class ProvenRelease:
    """A release with the entries that the node's row names, each proven."""

    row: ReleaseRow
    published: Event
    endorsed: tuple[Event, ...]  # in the row's order
    revoked: Event | None

    @property
    def digest(self) -> bytes:
        """What an endorsement of this release names."""
        return release_digest(encode_release(self.row.release))


class Releases:
    """An account's hand on the registry of releases."""

    def __init__(self, line: OwnerLine, asking: Asking) -> None:
        """Keep the parts; `OwnerClient.releases` is one."""
        self._line = line
        self._asking = asking

    async def publish(self, release: EnclaveRelease) -> Published:
        """Make a release known, once and for ever.

        This and every other change raises RefusedError (RELEASE_EXISTS, DENIED, QUOTA_EXCEEDED,
        ...), and what `OwnerClient.create_collection` raises.
        """
        operation = PublishRelease(release)
        try:
            decode_operation(encode_operation(operation))
        except (FormatError, ValueError, TypeError) as error:
            raise InvalidRequestError(f"this is no release: {error}") from error
        _, receipt = await self._run(operation, release_title(release.name, release.version))
        return Published(release_digest(encode_release(release)), receipt)

    async def endorse(self, name: str, version: str, digest: bytes) -> Endorsed:
        """Stand for the release whose bytes have this digest, as one of its auditors."""
        if len(digest) != 32:
            raise InvalidRequestError("the digest of a release has 32 bytes")
        found = _verified(name, version)
        detail, receipt = await self._run(EndorseRelease(*found, digest), release_title(*found))
        return Endorsed(_votes(detail), receipt)

    async def revoke(self, name: str, version: str) -> Revoked:
        """Take a release back as its publisher, or as an auditor the own endorsement; for ever.

        Sessions that were admitted by it are denied with their next operation.
        """
        found = _verified(name, version)
        detail, receipt = await self._run(RevokeRelease(*found), release_title(*found))
        return Revoked(None if detail is None else _votes(detail), receipt)

    def list(self, name: str = "") -> AsyncIterator[ReleaseRow]:
        """The releases of a name (empty: of all) as the node says, by name and version."""
        if name and not is_release_name(name):
            raise InvalidRequestError("no release can have this name")
        return queries.list_releases(self._asking, name)

    async def show(self, name: str, version: str) -> ProvenRelease:
        """One release, proven (1 above); RefusedError (UNKNOWN_RELEASE) if there is none."""
        wanted = _verified(name, version)
        async for row in queries.list_releases(self._asking, name, _before(*wanted)):
            if row.release.version == wanted[1]:
                return await _prove(self._asking, row)
            break
        raise refused(
            Reason.UNKNOWN_RELEASE, release_title(*wanted), _HINTS[Reason.UNKNOWN_RELEASE]
        )

    async def _run(self, operation: Operation, what: str) -> tuple[Detail | None, Receipt]:
        try:
            entry = await self._line.submit(encode_operation(operation), b"", what)
        except RefusedError as error:
            error.hint = _HINTS.get(error.reason, error.hint)
            raise
        outcome, receipt = read_outcome(entry.outcomes[0]), Receipt(entry, 0)
        hint = _HINTS.get(outcome.reason, "")
        return granted_detail(outcome, what, receipt, hint), receipt


async def _prove(asking: Asking, row: ReleaseRow) -> ProvenRelease:
    release, title = row.release, row.title
    indices = {row.index, *(one.index for one in row.endorsed)}
    if row.is_revoked:
        indices.add(row.revoked_index)
    events = await queries.open_entries(asking, indices, title)
    digest = release_digest(encode_release(release))
    endorsement = EndorseRelease(release.name, release.version, digest)
    revocation = RevokeRelease(release.name, release.version)
    revoked = None
    if row.is_revoked:
        revoked = _find(events, row.revoked_index, row.publisher, revocation, title)
    return ProvenRelease(
        row=row,
        published=_find(events, row.index, row.publisher, PublishRelease(release), title),
        endorsed=tuple(
            _find(events, one.index, one.auditor, endorsement, title) for one in row.endorsed
        ),
        revoked=revoked,
    )


def _find(
    events: list[Event], index: int, signer: bytes, operation: Operation, title: str
) -> Event:
    for event in events:
        if (
            (event.index, event.signer, event.operation) == (index, signer, operation)
            and event.outcome.reason is Reason.OK
        ):  # fmt: skip
            return event
    raise ReceiptInvalidError(
        f"{title}: entry {index} is not what the node says of it",
        "the node's word and the certified log differ: do not rely on it",
    )


def _verified(name: str, version: str) -> tuple[str, ReleaseVersion]:
    if not is_release_name(name):
        raise InvalidRequestError("no release can have this name", "1 to 64 characters of a name")
    try:
        return name, parse_version(version)
    except (FormatError, TypeError) as error:
        raise InvalidRequestError(str(error)) from error


def _before(name: str, version: ReleaseVersion) -> str:
    """The title behind which the release comes first; empty: from the start."""
    major, minor, patch = version.major, version.minor, version.patch
    if patch:
        found = ReleaseVersion(major, minor, patch - 1)
    elif minor:
        found = ReleaseVersion(major, minor - 1, MAX_VERSION_PART)
    elif major:
        found = ReleaseVersion(major - 1, MAX_VERSION_PART, MAX_VERSION_PART)
    else:
        return ""
    return release_title(name, found)


def _votes(detail: Detail | None) -> int:
    if not isinstance(detail, Votes):
        raise ReceiptInvalidError("the outcome is not of the operation that was asked for")
    return detail.cast
