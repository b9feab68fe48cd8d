"""Queries: signed questions about what stands beside the log. Answers leave no entry.

A query is signed like a transaction (session: P-256 over ``sealedger/query/1`` NUL ‖ network id ‖
body; account: EIP-712), names its time, and is bound to the network. Repeating one gives the same
signer the same kind of answer, so replay within its minutes is harmless. Who may see what is a rule
(``contracts.asker``).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from sealedger.v1 import ledger_pb2 as pb

from ledger.errors import FormatError
from ledger.format.names import verify_name
from ledger.format.platforms import verify_platform_id
from ledger.format.releases import is_release_name, parse_title
from ledger.format.strict import decode_strict, encode, verify_length
from ledger.format.transaction import SIGNER_BYTES, SignerKind

MAX_QUERY_BYTES = 2048
MAX_ROWS = 1000
MAX_INDICES = 256
_ASKERS = {int(kind): kind for kind in (SignerKind.SESSION, SignerKind.ACCOUNT)}
QUERY_DOMAIN = b"sealedger/query/1\0"


@dataclass(frozen=True, slots=True)
class ListSecrets:
    """Names of a collection in order, after `after`, that start with `prefix`."""

    collection: str
    prefix: str
    after: str
    limit: int


@dataclass(frozen=True, slots=True)
class ShowHead:
    """The current version of a secret."""

    collection: str
    name: str


@dataclass(frozen=True, slots=True)
class ShowHistory:
    """Every operation on a secret, in order, from entry `from_index` on."""

    collection: str
    name: str
    from_index: int
    limit: int


@dataclass(frozen=True, slots=True)
class ShowCollection:
    """A collection's terms."""

    collection: str


@dataclass(frozen=True, slots=True)
class ListCollections:
    """The collections that the signer may ask about, in order, after `after`."""

    after: str
    limit: int


@dataclass(frozen=True, slots=True)
class OpenEntries:
    """Entries from `from_index` on, with the operations that the signer may see opened.

    `collection` and `session` narrow it (empty: everything that the signer may see): operations on
    that collection, entries that this session signed and the one that opened it. With `indices`,
    exactly these entries (growing, at most 256), and nothing else narrows it.
    """

    from_index: int
    limit: int
    collection: str = ""
    session: bytes = b""
    indices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ListReleases:
    """The registry of releases by name and version, of one name or (empty) of all."""

    name: str
    after: str  # name@major.minor.patch of the last row seen; empty: from the start
    limit: int


@dataclass(frozen=True, slots=True)
class ListPlatforms:
    """Enrolled platforms, and those that members vote on, by id."""

    after: bytes  # the id of the last row seen; empty: from the start
    limit: int


Question = (
    ListSecrets
    | ShowHead
    | ShowHistory
    | ShowCollection
    | ListCollections
    | OpenEntries
    | ListReleases
    | ListPlatforms
)


@dataclass(frozen=True, slots=True)
class Query:
    """Who asks what, when, on which network."""

    network_id: bytes
    signer_kind: SignerKind  # SESSION or ACCOUNT
    signer: bytes
    time_ms: int
    question: Question


def query_hash(body: bytes) -> bytes:
    """SHA-256 of a query's bytes."""
    return hashlib.sha256(body).digest()


def query_message(network_id: bytes, body: bytes) -> bytes:
    """The bytes that a session signs."""
    return QUERY_DOMAIN + network_id + body


def encode_query(query: Query) -> bytes:
    """The canonical bytes of a query."""
    message = pb.Query(
        network_id=query.network_id,
        signer_kind=cast("pb.SignerKind", query.signer_kind.value),
        signer=query.signer,
        time_ms=query.time_ms,
    )
    match query.question:
        case ListSecrets(collection, prefix, after, limit):
            message.list_secrets.CopyFrom(
                pb.ListSecrets(collection=collection, prefix=prefix, after=after, limit=limit)
            )
        case ShowHead(collection, name):
            message.show_head.CopyFrom(pb.ShowHead(collection=collection, name=name))
        case ShowHistory(collection, name, from_index, limit):
            message.show_history.CopyFrom(
                pb.ShowHistory(collection=collection, name=name, from_index=from_index, limit=limit)
            )
        case ShowCollection(collection):
            message.show_collection.collection = collection
        case ListCollections(after, limit):
            message.list_collections.CopyFrom(pb.ListCollections(after=after, limit=limit))
        case ListReleases(name, after, limit):
            message.list_releases.CopyFrom(pb.ListReleases(name=name, after=after, limit=limit))
        case ListPlatforms(after=seen, limit=limit):
            message.list_platforms.CopyFrom(pb.ListPlatforms(after=seen, limit=limit))
        case _:
            asked = query.question
            message.open_entries.CopyFrom(
                pb.OpenEntries(
                    from_index=asked.from_index,
                    limit=asked.limit,
                    collection=asked.collection,
                    session=asked.session,
                    indices=asked.indices,
                )
            )
    return encode(message)


def decode_query(data: bytes) -> Query:
    """Decode a query of at most 2 KiB; FormatError for anything that cannot be meant."""
    message = decode_strict(pb.Query, data, MAX_QUERY_BYTES)
    kind = _ASKERS.get(message.signer_kind)
    if kind is None:
        raise FormatError("query: only sessions and accounts ask")
    question = message.WhichOneof("question")
    if question is None:
        raise FormatError("query: no question")
    return Query(
        verify_length("network_id", message.network_id, 32),
        kind,
        verify_length("signer", message.signer, SIGNER_BYTES[kind]),
        message.time_ms,
        _DECODERS[question](message),
    )


def _list_secrets(message: pb.Query) -> Question:
    asked = message.list_secrets
    return ListSecrets(
        verify_name(asked.collection),
        _part(asked.prefix),
        _part(asked.after),
        _limit(asked.limit),
    )


def _show_head(message: pb.Query) -> Question:
    asked = message.show_head
    return ShowHead(verify_name(asked.collection), verify_name(asked.name))


def _show_history(message: pb.Query) -> Question:
    asked = message.show_history
    return ShowHistory(
        verify_name(asked.collection),
        verify_name(asked.name),
        asked.from_index,
        _limit(asked.limit),
    )


def _open_entries(message: pb.Query) -> Question:
    asked = message.open_entries
    if len(asked.session) not in (0, 32):
        raise FormatError("query: a session id has 32 bytes")
    collection = verify_name(asked.collection) if asked.collection else ""
    indices = tuple(asked.indices)
    if len(indices) > MAX_INDICES or any(a >= b for a, b in pairwise(indices)):
        raise FormatError(f"query: at most {MAX_INDICES} indices, growing")
    if indices and (asked.from_index or collection or asked.session):
        raise FormatError("query: indices stand alone")
    return OpenEntries(asked.from_index, _limit(asked.limit), collection, asked.session, indices)


def _list_releases(message: pb.Query) -> Question:
    asked = message.list_releases
    if asked.name and not is_release_name(asked.name):
        raise FormatError("query: no release can have this name")
    if asked.after and parse_title(asked.after)[0] != (asked.name or parse_title(asked.after)[0]):
        raise FormatError("query: the last row seen is of another name")
    return ListReleases(asked.name, asked.after, _limit(asked.limit))


def _list_platforms(message: pb.Query) -> Question:
    asked = message.list_platforms
    after = verify_platform_id(asked.after) if asked.after else b""
    return ListPlatforms(after, _limit(asked.limit))


def _part(text: str) -> str:
    """A prefix of a name, or nothing: ASCII without control characters, at most 200 bytes."""
    if len(text) > 200 or not text.isascii() or not (text.isprintable() or not text):
        raise FormatError("query: a prefix is at most 200 printable ASCII characters")
    return text


def _limit(limit: int) -> int:
    if not 1 <= limit <= MAX_ROWS:
        raise FormatError(f"query: a limit is 1 to {MAX_ROWS}")
    return limit


_DECODERS: dict[str, Callable[[pb.Query], Question]] = {
    "list_secrets": _list_secrets,
    "show_head": _show_head,
    "show_history": _show_history,
    "show_collection": lambda m: ShowCollection(verify_name(m.show_collection.collection)),
    "list_collections": lambda m: ListCollections(
        _part(m.list_collections.after), _limit(m.list_collections.limit)
    ),
    "open_entries": _open_entries,
    "list_releases": _list_releases,
    "list_platforms": _list_platforms,
}
