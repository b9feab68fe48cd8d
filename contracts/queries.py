"""The answers that come from state alone. Pure; nothing is written.

Who may ask what is `asker`. An answer looks at a bounded number of rows, and says where to go on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ledger import keys
from ledger.format.query import (
    ListCollections,
    ListPlatforms,
    ListReleases,
    ListSecrets,
    ShowHistory,
)
from ledger.format.releases import parse_title, release_title, unpack_version
from ledger.reason import Reason

from contracts.asker import Asker, verify_may_ask
from contracts.enrolment import PlatformRecord
from contracts.enrolment import decode_record as decode_platform
from contracts.errors import RefusedError, StateError
from contracts.holdings import CollectionRecord, decode_collection
from contracts.registry import ReleaseRecord, decode_record
from contracts.versions import HeadRecord, Version, decode_head, decode_version
from contracts.view import ScanView

MAX_WALKED = 10_000  # rows that one answer looks at
MAX_RELEASES = 256  # releases in one answer: up to half a megabyte


@dataclass(frozen=True, slots=True)
class SecretRow:
    """A secret's name and current version."""

    name: str
    head: HeadRecord


@dataclass(frozen=True, slots=True)
class Page:
    """Secrets, and whether the limit cut them."""

    rows: tuple[SecretRow, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class CollectionPage:
    """Collections, and after which name to go on (empty: that was all)."""

    rows: tuple[tuple[str, CollectionRecord], ...]
    next_after: str


@dataclass(frozen=True, slots=True)
class PlatformPage:
    """Platforms by id, and whether the limit cut them."""

    rows: tuple[tuple[bytes, PlatformRecord], ...]
    needed: int  # votes for a change
    more: bool


@dataclass(frozen=True, slots=True)
class ReleasePage:
    """Releases, and after which title to go on (empty: that was all)."""

    rows: tuple[ReleaseRecord, ...]
    next_after: str


def list_secrets(asker: Asker, asked: ListSecrets) -> Page:
    """Names of a collection, in order."""
    verify_may_ask(asker, asked.collection)
    start, stop = keys.names_from(asked.collection, asked.prefix, asked.after)
    found = list(islice(asker.view.scan(start, stop), asked.limit + 1))
    rows = tuple(
        SecretRow(keys.name_of_head(key), decode_head(data)) for key, data in found[: asked.limit]
    )
    return Page(rows, len(found) > asked.limit)


def show_head(asker: Asker, collection: str, name: str) -> HeadRecord:
    """A secret's current version; RefusedError NOT_FOUND if there never was one."""
    verify_may_ask(asker, collection)
    data = asker.view.get(keys.head_of(collection, name))
    if data is None:
        raise RefusedError(Reason.NOT_FOUND, "there is no such secret")
    return decode_head(data)


def show_history(asker: Asker, asked: ShowHistory) -> tuple[tuple[int, int], ...]:
    """(entry, position) of what was done to a secret, in order; one more than the limit.

    Done is: put, read, deleted, destroyed, or denied.
    """
    verify_may_ask(asker, asked.collection)
    places = set(_puts(asker.view, asked))
    touches = keys.touches_from(asked.collection, asked.name, asked.from_index)
    places.update(
        keys.place_of_touch(key) for key, _ in islice(asker.view.scan(*touches), asked.limit + 1)
    )
    return tuple(sorted(places)[: asked.limit + 1])


def show_collection(asker: Asker, collection: str) -> CollectionRecord:
    """A collection's record; RefusedError DENIED if the signer may not ask about it."""
    verify_may_ask(asker, collection)
    data = asker.view.get(keys.collection(collection))
    if data is None:
        raise StateError("a collection vanished")
    return decode_collection(data)


def list_collections(asker: Asker, asked: ListCollections) -> CollectionPage:
    """The collections that the signer may ask about, in order."""
    if not asker.may_ask_any():
        return CollectionPage((), "")
    rows: list[tuple[str, CollectionRecord]] = []
    last = ""
    for walked, (key, data) in enumerate(asker.view.scan(*keys.collections_after(asked.after))):
        is_full = walked >= MAX_WALKED or len(rows) >= asked.limit
        if is_full or (walked and asker.has_judged_enough):
            return CollectionPage(tuple(rows), last)
        last = keys.name_of_collection(key)
        collection = asker.decoded(data)
        if asker.may_ask_of(last, collection):
            rows.append((last, collection))
    return CollectionPage(tuple(rows), "")


def list_releases(view: ScanView, asked: ListReleases) -> ReleasePage:
    """The registry of releases, in order (4 above)."""
    after = None
    if asked.after:
        name, version = parse_title(asked.after)
        after = name, version.packed
    most = min(asked.limit, MAX_RELEASES)
    found = list(islice(view.scan(*keys.releases_from(asked.name, after)), most + 1))
    rows = tuple(decode_record(data) for _, data in found[:most])
    if len(found) <= most:
        return ReleasePage(rows, "")
    last, packed = keys.name_of_release(found[most - 1][0])
    return ReleasePage(rows, release_title(last, unpack_version(packed)))


def list_platforms(asker: Asker, asked: ListPlatforms) -> PlatformPage:
    """Platforms that are or were enrolled or are voted on; RefusedError DENIED (5 of `asker`)."""
    if not asker.may_see_votes():
        raise RefusedError(Reason.DENIED, "members ask for this list, and whoever has a part here")
    found = list(islice(asker.view.scan(*keys.platforms_after(asked.after)), asked.limit + 1))
    rows = tuple((keys.id_of_platform(key), decode_platform(data)) for key, data in found)
    needed = asker.parameters.member_threshold
    return PlatformPage(rows[: asked.limit], needed, len(rows) > asked.limit)


def _puts(view: ScanView, asked: ShowHistory) -> Iterator[tuple[int, int]]:
    # The head is read first: what a block supersedes meanwhile is then found in either place.
    data = view.get(keys.head_of(asked.collection, asked.name))
    if data is None:
        return
    head = decode_head(data).version
    first = _first_version(view, asked, head.number)
    for number in range(first, min(head.number, first + asked.limit + 1)):
        version = _superseded(view, asked, number)
        yield version.index, version.position
    if head.index >= asked.from_index:
        yield head.index, head.position


def _first_version(view: ScanView, asked: ShowHistory, last: int) -> int:
    """The first superseded version from `from_index` on: versions and entries grow together."""
    low, high = 1, last
    while low < high:
        middle = (low + high) // 2
        if _superseded(view, asked, middle).index < asked.from_index:
            low = middle + 1
        else:
            high = middle
    return low


def _superseded(view: ScanView, asked: ShowHistory, number: int) -> Version:
    data = view.get(keys.version_of(asked.collection, asked.name, number))
    if data is None:
        raise StateError("a version vanished")
    return decode_version(data)
