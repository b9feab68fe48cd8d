"""The canonical text of operations: what a wallet shows and an account signs.

1. One line for each operation, in their order, joined by a newline: the operation's word, then
   ``field=value`` for every field of it, in the table's order, each after one space.
2. Names are ASCII without spaces, bytes are lower-case hex, numbers decimal; free text is a JSON
   string; a field that is not set says what that means (``any``, ``current``). So no two lists of
   operations share a text: the one field given by its SHA-256 is the KEM key, which is too long.
3. The contracts make the text again from the operations that they execute and check the signature
   over that: nothing else can be shown.
A new kind of operation is one entry in the table. Not here: what stands in the body around the
operations (signer, sequence, time limit, atomic): the body's hash is signed beside the text.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.format.address import encode_address
from ledger.format.hygiene import RevokeSession, UpdateCollateral
from ledger.format.operation import (
    AcquireKey,
    Delete,
    KeyServiceStart,
    OpenSession,
    Operation,
    Put,
    Read,
)
from ledger.format.platforms import VotePlatform
from ledger.format.policy_text import policy_text
from ledger.format.query import (
    ListCollections,
    ListPlatforms,
    ListReleases,
    ListSecrets,
    OpenEntries,
    Question,
    ShowCollection,
    ShowHead,
    ShowHistory,
)
from ledger.format.releases import (
    EnclaveRelease,
    EndorseRelease,
    PublishRelease,
    RevokeRelease,
)
from ledger.format.terms import (
    CollectionTerms,
    CreateCollection,
    Destroy,
    FreezeCollection,
    SetPolicy,
)

MAX_LINE_CHARACTERS = 8192  # two policies and 64 auditors are under it: 7,193 at most

_Render = Callable[[Any], str]  # each field's own type: what the table gives it is tested


def summarize(operations: tuple[Operation, ...]) -> str:
    """The text of operations that decoded: ASCII, at most 8,192 characters a line."""
    return "\n".join(map(_line, operations))


def summarize_question(question: Question) -> str:
    """The text of a signed question: one line of the same form."""
    return _line_of(_QUESTIONS[type(question)], question)


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of operation is written: its word, and every field with its rendering."""

    word: str
    fields: Mapping[str, _Render]


def _line(operation: Operation) -> str:
    return _line_of(_KINDS[type(operation)], operation)


def _line_of(kind: _Kind, value: object) -> str:
    fields = (f"{name}={render(getattr(value, name))}" for name, render in kind.fields.items())
    return " ".join((kind.word, *fields))


def _or(word: str) -> _Render:
    """A number, or the word for its absence."""
    return lambda value: word if value is None else str(value)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _quoted(value: str) -> str:
    """As a JSON string: notes, or a part of a name, may hold spaces and quotes."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _terms(terms: CollectionTerms) -> str:
    auditors = ",".join(map(encode_address, terms.auditors)) or "none"
    return (
        f"readers:{policy_text(terms.readers)};writers:{policy_text(terms.writers)};"
        f"auditors:{auditors};ttl_ms:{terms.ttl_ms}"
    )


def _release(release: EnclaveRelease) -> str:
    measured = ",".join(
        f"{_PLATFORMS[one.platform]}:{one.measurement.hex()}" for one in release.measurements
    )
    auditors = ",".join(map(encode_address, release.auditors))
    return (
        f"name:{release.name};version:{release.version};measurements:{measured};"
        f"source_digest:{release.source_digest.hex()};auditors:{auditors};"
        f"notes:{_quoted(release.notes)}"
    )


def _sha256(value: bytes) -> str:
    return f"sha256:{hashlib.sha256(value).hexdigest()}"


_PLATFORMS = {1: "sgx", 2: "tdx", 3: "snp"}

_KINDS: dict[type, _Kind] = {
    Put: _Kind(
        "Put",
        {
            "collection": str,
            "name": str,
            "if_version": _or("any"),
            "size": str,
            "sealed_digest": bytes.hex,
            "record_id": bytes.hex,
            "epoch": str,
            "mode": str,
            "ttl_ms": str,
        },
    ),
    Read: _Kind("Read", {"collection": str, "name": str, "version": _or("current")}),
    Delete: _Kind("Delete", {"collection": str, "name": str, "if_version": _or("any")}),
    AcquireKey: _Kind("AcquireKey", {"collection": str}),
    OpenSession: _Kind(
        "OpenSession",
        {
            "session_key": bytes.hex,
            "kem_key": _sha256,
            "evidence_digest": bytes.hex,
            "service_key": bytes.hex,
            "trust_digest": bytes.hex,
            "checkpoint_size": str,
            "checkpoint_root": bytes.hex,
        },
    ),
    KeyServiceStart: _Kind("KeyServiceStart", {"nonce": bytes.hex, "service_key": bytes.hex}),
    CreateCollection: _Kind("CreateCollection", {"collection": str, "terms": _terms}),
    SetPolicy: _Kind("SetPolicy", {"collection": str, "terms": _terms}),
    FreezeCollection: _Kind("FreezeCollection", {"collection": str, "frozen": _yes}),
    Destroy: _Kind("Destroy", {"collection": str, "name": str, "version": _or("all")}),
    UpdateCollateral: _Kind("UpdateCollateral", {"digest": bytes.hex}),
    PublishRelease: _Kind("PublishRelease", {"release": _release}),
    EndorseRelease: _Kind(
        "EndorseRelease", {"name": str, "version": str, "release_digest": bytes.hex}
    ),
    RevokeRelease: _Kind("RevokeRelease", {"name": str, "version": str}),
    # no name has brackets
    RevokeSession: _Kind(
        "RevokeSession", {"session_id": bytes.hex, "collection": lambda name: name or "(all)"}
    ),
    VotePlatform: _Kind(
        "VotePlatform",
        {"platform_id": bytes.hex, "vote": lambda vote: vote.word, "since": str},
    ),
}

_QUESTIONS: dict[type, _Kind] = {
    ListSecrets: _Kind(
        "ListSecrets", {"collection": str, "prefix": _quoted, "after": _quoted, "limit": str}
    ),
    ShowHead: _Kind("ShowHead", {"collection": str, "name": str}),
    ShowHistory: _Kind(
        "ShowHistory", {"collection": str, "name": str, "from_index": str, "limit": str}
    ),
    ShowCollection: _Kind("ShowCollection", {"collection": str}),
    ListCollections: _Kind("ListCollections", {"after": _quoted, "limit": str}),
    OpenEntries: _Kind(
        "OpenEntries",
        {
            "from_index": str,
            "limit": str,
            "collection": _quoted,
            "session": bytes.hex,
            "indices": lambda indices: ",".join(map(str, indices)),
        },
    ),
    ListReleases: _Kind("ListReleases", {"name": _quoted, "after": _quoted, "limit": str}),
    ListPlatforms: _Kind("ListPlatforms", {"after": bytes.hex, "limit": str}),
}
