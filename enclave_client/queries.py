"""What a client may ask of names and collections, as typed rows and proven events.

1. Pages are asked for one after the other; a page has to go on from the one before, so a node
   cannot keep anybody busy for ever.
2. An event is an entry of the log, proven (`openings`), about exactly what was asked.
3. That a list, a history or a head is complete and newest is the node's word (`rows`).
Not here: signing and sending (`asking`), waiting for what comes (`watching`).
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeVar

from enclave_client.asking import Asking
from enclave_client.errors import ReceiptInvalidError, UnavailableError
from enclave_client.openings import Event
from enclave_client.rows import CollectionRow, PlatformRow, ReleaseRow, SecretRow
from ledger.format.operation import Delete, Put, Read
from ledger.format.outcome import Outcome, PutDone
from ledger.format.query import (
    MAX_INDICES,
    MAX_ROWS,
    ListCollections,
    ListPlatforms,
    ListReleases,
    ListSecrets,
    OpenEntries,
    ShowCollection,
    ShowHead,
    ShowHistory,
)
from ledger.format.releases import parse_title, release_title
from ledger.format.terms import Destroy
from ledger.format.transaction import SignerKind
from ledger.reason import Reason

_MAX_EMPTY = 6  # answers that open nothing, before it is an error
_Row = TypeVar("_Row", SecretRow, CollectionRow)
_Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Head:
    """A secret's current version as the node says, and the proven event that stored it."""

    row: SecretRow
    stored: Event


async def list_secrets(asking: Asking, collection: str, prefix: str) -> AsyncIterator[SecretRow]:
    """The collection's names that start with `prefix`, in order."""
    after = ""
    more = True
    while more:
        question = ListSecrets(collection, prefix, after, MAX_ROWS)
        answer = await asking.ask(question, collection)
        rows = _verify_page(answer.secrets, after, more=answer.more)
        for row in rows:
            if not row.name.startswith(prefix):
                raise ReceiptInvalidError(f"{collection}: a name that was not asked for")
            yield row
        more = answer.more
        after = rows[-1].name if rows else after


async def list_collections(asking: Asking) -> AsyncIterator[CollectionRow]:
    """The collections that the asker may ask about, in order."""
    after = ""
    while True:
        answer = await asking.ask(ListCollections(after, MAX_ROWS), "collections")
        rows = _verify_page(answer.collections, after, more=False)
        for row in rows:
            yield row
        # The node looks at a bounded number of collections, so a page may be short or empty.
        if not answer.next_after:
            return
        if answer.next_after <= after or (rows and answer.next_after < rows[-1].name):
            raise ReceiptInvalidError("the list of collections does not go on")
        after = answer.next_after


async def list_releases(asking: Asking, name: str, after: str = "") -> AsyncIterator[ReleaseRow]:
    """The releases of a name (empty: of all) behind the title `after`, in order."""
    last = parse_title(after) if after else None
    more = True
    while more:
        question = ListReleases(name, release_title(*last) if last else "", MAX_ROWS)
        answer = await asking.ask(question, name or "releases")
        for row in answer.releases:
            at = (row.release.name, row.release.version)
            if (name and row.release.name != name) or (last is not None and at <= last):
                raise ReceiptInvalidError("the answer's releases are not in order, or of others")
            last = at
            yield row
        more = bool(answer.next_after)
        if more and (not answer.releases or answer.next_after != answer.releases[-1].title):
            raise ReceiptInvalidError("the list of releases does not go on")


async def list_platforms(asking: Asking) -> AsyncIterator[PlatformRow]:
    """Platforms that members enrolled, removed or vote on, by id."""
    after = b""
    more = True
    while more:
        answer = await asking.ask(ListPlatforms(after, MAX_ROWS), "platforms")
        for row in answer.platforms:
            if row.platform_id <= after:
                raise ReceiptInvalidError("the answer's platforms are not in order")
            after = row.platform_id
            yield row
        more = answer.more
        if more and not answer.platforms:
            raise ReceiptInvalidError("the list of platforms does not go on")


async def show_collection(asking: Asking, collection: str) -> CollectionRow:
    """One collection; DeniedError if there is none, or the asker may not ask about it."""
    answer = await asking.ask(ShowCollection(collection), collection)
    if [row.name for row in answer.collections] != [collection]:
        raise ReceiptInvalidError(f"{collection}: the answer is of another collection")
    return answer.collections[0]


async def head(asking: Asking, collection: str, name: str) -> Head:
    """A secret's current version, its entry proven; NotFoundError if there never was one."""
    answer = await asking.ask(ShowHead(collection, name), f"{collection}: {name}")
    if [row.name for row in answer.secrets] != [name]:
        raise ReceiptInvalidError(f"{collection}: {name}: the answer is of another secret")
    row = answer.secrets[0]
    events = await _open(asking, collection, [(row.index, row.position)])
    stored = events[row.index, row.position]
    if not _is_of(row, stored, collection):
        raise ReceiptInvalidError(
            f"{collection}: {name}: entry {row.index} did not store this version",
            "the node's word and the certified log differ: do not rely on it",
        )
    return Head(row, stored)


async def history(
    asking: Asking, collection: str, name: str, from_index: int
) -> AsyncIterator[Event]:
    """Every operation on a secret from entry `from_index` on, in order, each proven."""
    last: _Place = (from_index, -1)
    more = True
    while more:
        question = ShowHistory(collection, name, last[0], MAX_ROWS)
        answer = await asking.ask(question, f"{collection}: {name}")
        # A page begins with the last entry of the one before, so that none of its operations
        # is lost; an entry has fewer operations than a page has rows.
        places = [place for place in answer.history if place > last]
        if list(answer.history) != sorted(set(answer.history)) or (answer.more and not places):
            raise ReceiptInvalidError(f"{collection}: {name}: its history is not in order")
        for start in range(0, len(places), MAX_INDICES):
            chunk = places[start : start + MAX_INDICES]
            events = await _open(asking, collection, chunk)
            for place in chunk:
                yield _verify_about(events[place], collection, name)
        more = answer.more
        last = places[-1] if places else last


def _verify_about(event: Event, collection: str, name: str) -> Event:
    operation = event.operation
    if not isinstance(operation, Put | Read | Delete | Destroy) or (
        (operation.collection, operation.name) != (collection, name)
    ):
        raise ReceiptInvalidError(f"{collection}: {name}: an event of another secret")
    return event


async def _open(asking: Asking, collection: str, places: list[_Place]) -> dict[_Place, Event]:
    """The proven events at these places of at most 256 entries."""
    wanted = {index for index, _ in places}
    events = await open_entries(asking, wanted, collection)
    found = {(event.index, event.position): event for event in events}
    if not found.keys() >= set(places):
        raise ReceiptInvalidError(
            f"{collection}: the node hides an operation that it told of", "ask another node"
        )
    return found


async def open_entries(asking: Asking, indices: set[int], what: str) -> list[Event]:
    """What the asker may see of these entries, at most 256, each operation proven.

    An answer may stop early because it is large; what a checkpoint does not cover yet comes later.
    """
    wanted = sorted(indices)
    found: list[Event] = []
    empty = 0
    while wanted:
        question = OpenEntries(0, MAX_ROWS, indices=tuple(wanted))
        answer = await asking.ask(question, what)
        opened = {entry.index for entry in answer.entries}
        if not opened <= set(wanted):
            raise ReceiptInvalidError(f"{what}: an entry that was not asked for")
        found += asking.events(answer)
        wanted = [index for index in wanted if index not in opened]
        empty = 0 if opened else empty + 1
        if empty == _MAX_EMPTY:
            raise UnavailableError(f"{what}: the node does not open entry {wanted[0]}")
        if wanted and empty:
            await asking.pause(empty)
    return found


def _verify_page(rows: tuple[_Row, ...], after: str, *, more: bool) -> tuple[_Row, ...]:
    """The rows, if they go on behind `after` (1 above); ReceiptInvalidError otherwise."""
    names = [row.name for row in rows]
    if names != sorted(set(names)) or (names and names[0] <= after) or (more and not names):
        raise ReceiptInvalidError("the answer's names are not in order")
    return rows


def _is_of(row: SecretRow, stored: Event, collection: str) -> bool:
    """Whether the entry stored what the row says."""
    operation = stored.operation
    is_account = stored.signer_kind is SignerKind.ACCOUNT
    writer = stored.signer.rjust(32, b"\0") if is_account else stored.signer
    return (
        isinstance(operation, Put)
        and (operation.collection, operation.name) == (collection, row.name)
        and stored.outcome == Outcome(Reason.OK, PutDone(row.version))
        and (operation.size, stored.time_ms, writer) == (row.size, row.time_ms, row.writer)
    )
