"""Who may ask what, and the answers that come from state alone. Pure; nothing is written.

1. The query is for this network, at most a minute from the ledger's clock, signed by an account,
   or by a session that may be used (standing.py).
2. A session may ask about the collections whose policies admit it now, unless the owner revoked it
   there; an account about those that it owns or audits; a network's auditors about everything. An
   unknown collection and a forbidden one give the same answer.
3. Operations that open sessions or start key services concern every collection: who may ask about
   any may see them, and who may ask about none is told nothing.
4. The registry of releases, and the operations that made it, are there for every account and every
   open session: whoever is asked to endorse a release, or to trust one, has to see it.
5. An answer looks at a bounded number of rows, and says where to go on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from ledger import keys
from ledger.crypto import p256
from ledger.crypto.secp256k1 import recover_address
from ledger.format import eip712
from ledger.format.operation import Operation
from ledger.format.query import (
    ListCollections,
    ListReleases,
    ListSecrets,
    Query,
    ShowHistory,
    query_hash,
    query_message,
)
from ledger.format.releases import (
    EndorseRelease,
    PublishRelease,
    RevokeRelease,
    parse_title,
    release_title,
    unpack_version,
)
from ledger.format.summary import summarize_question
from ledger.format.transaction import SignerKind
from ledger.reason import Reason

from contracts.admission import Moment, admitted_until, is_named
from contracts.errors import RefusedError, StateError
from contracts.holdings import CollectionRecord, decode_collection, decode_owner
from contracts.records import Parameters, SessionRecord, decode_session, decode_signer
from contracts.registry import ReleaseRecord, decode_record, releases_for
from contracts.standing import verify_usable
from contracts.versions import HeadRecord, Version, decode_head, decode_version
from contracts.view import ScanView

QUERY_AGE_MS = 60_000
MAX_WALKED = 10_000  # rows that one answer looks at
MAX_RELEASES = 256  # releases in one answer: up to half a megabyte

_OF_RELEASES = (PublishRelease, EndorseRelease, RevokeRelease)


@dataclass(frozen=True, slots=True)
class AskContext:
    """What a query is judged by beside state."""

    network_id: bytes
    parameters: Parameters
    now_ms: int


@dataclass(slots=True)
class Asker:
    """A verified signer and what it may ask about; remembers its judgements."""

    view: ScanView
    parameters: Parameters
    now_ms: int
    account: bytes
    session: SessionRecord | None
    session_id: bytes = b""
    _judged: dict[str, bool] = field(default_factory=dict)
    _may_ask_any: bool | None = None

    @classmethod
    def of(cls, query: Query, context: AskContext, view: ScanView) -> "Asker":
        """The signer of a query as it stands now; RefusedError if its session may not be used."""
        if query.signer_kind is SignerKind.ACCOUNT:
            return cls(view, context.parameters, context.now_ms, query.signer, None)
        session = _usable_session(query, view, context)
        return cls(view, context.parameters, context.now_ms, b"", session, query.signer)

    @property
    def is_auditor(self) -> bool:
        """Whether the signer may ask about everything."""
        return bool(self.account) and self.account in self.parameters.auditors

    def may_ask_any(self) -> bool:
        """Whether there is a collection that the signer may ask about (3 above)."""
        if self._may_ask_any is None:
            self._may_ask_any = self._has_part()
        return self._may_ask_any

    def may_ask(self, collection: str) -> bool:
        """Whether the signer may ask about a collection (2 above)."""
        if collection not in self._judged:
            data = self.view.get(keys.collection(collection))
            self._judged[collection] = data is not None and self.may_ask_of(
                collection, decode_collection(data)
            )
        return self._judged[collection]

    def may_ask_of(self, name: str, collection: CollectionRecord) -> bool:
        """The same for a collection's record."""
        terms = collection.terms
        if self.session is None:
            return (
                self.is_auditor
                or self.account == collection.owner
                or self.account in terms.auditors
            )
        if self.view.get(keys.revoked_session(name, self.session_id)) is not None:
            return False
        return any(
            self.now_ms < 1000 * self._admitted_until(policy, self.session)
            for policy in (terms.readers, terms.writers)
        )

    def may_see(self, operation: Operation) -> bool:
        """Whether the signer may see an operation (2 to 4 above)."""
        if isinstance(operation, _OF_RELEASES):
            return True
        collection = getattr(operation, "collection", "")  # a vote on a session names none
        return self.may_ask(collection) if collection else self.may_ask_any()

    def _admitted_until(self, policy: bytes, session: SessionRecord) -> int:
        releases = releases_for(self.view, policy, session.identity)
        is_development = self.parameters.is_development
        return admitted_until(policy, session.identity, releases, is_development)

    def _has_part(self) -> bool:
        if self.session is not None:
            moment = Moment(self.parameters.is_development, self.now_ms)
            return is_named(self.view, self.session.identity, moment)
        held = decode_owner(self.view.get(keys.owner(self.account)))
        return self.is_auditor or held.collections > 0 or held.audits > 0


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
class ReleasePage:
    """Releases, and after which title to go on (empty: that was all)."""

    rows: tuple[ReleaseRecord, ...]
    next_after: str


def identify(
    query: Query, body: bytes, signature: bytes, view: ScanView, context: AskContext
) -> Asker:
    """Check who asks (1 above); RefusedError otherwise."""
    parameters = context.parameters
    if query.network_id != context.network_id:
        raise RefusedError(Reason.WRONG_NETWORK, "the query is for another network")
    if abs(query.time_ms - context.now_ms) > QUERY_AGE_MS + parameters.skew_ms:
        raise RefusedError(
            Reason.TRANSACTION_EXPIRED, "sign the query again: its time is not the present"
        )
    asker = Asker.of(query, context, view)
    if not _is_signed(query, body, signature, asker):
        raise RefusedError(Reason.BAD_SIGNATURE, "the signer did not sign this query")
    return asker


def verify_may_ask(asker: Asker, collection: str) -> None:
    """Raise RefusedError DENIED unless the signer may ask about the collection."""
    if not asker.may_ask(collection):
        raise RefusedError(
            Reason.DENIED, "there is no such collection, or this signer may not ask about it"
        )


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
        if walked >= MAX_WALKED or len(rows) >= asked.limit:
            return CollectionPage(tuple(rows), last)
        last = keys.name_of_collection(key)
        collection = decode_collection(data)
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


def _is_signed(query: Query, body: bytes, signature: bytes, asker: Asker) -> bool:
    if asker.session is not None:
        message = query_message(query.network_id, body)
        return p256.is_valid(asker.session.public_key, signature, message)
    summary = summarize_question(query.question)
    digest = eip712.query_digest(query.network_id, query.time_ms, summary, query_hash(body))
    return recover_address(digest, signature) == query.signer


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


def _usable_session(query: Query, view: ScanView, context: AskContext) -> SessionRecord:
    data = view.get(keys.session(query.signer))
    if data is None:
        raise RefusedError(Reason.UNKNOWN_SIGNER, "open a session first")
    session = decode_session(data)
    signer = decode_signer(view.get(keys.signer(query.signer_kind, query.signer)))
    verify_usable(session, signer, view, context.parameters, context.now_ms)
    return session
