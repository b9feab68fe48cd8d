"""The JSON bodies of signed questions and their answers: the fields of QueryReply (node.proto).

Bytes that are only to be decoded again are base64; ids and addresses are lower-case hex.
"""

import base64
from typing import Annotated

from pydantic import Field

from ledger.format.strict import encode
from node.http.views import Count, View
from sealedger.v1 import ledger_pb2
from sealedger.v1 import node_pb2 as pb

Bytes = Annotated[str, Field(description="Base64 with padding")]
Hex = Annotated[str, Field(pattern="^(?:[0-9a-f]{2})*$")]


class AskView(View):
    """A question and its signature."""

    query: Bytes
    signature: Bytes


class SecretView(View):
    """A secret's current version."""

    name: str
    version: Count
    size: Annotated[Count, Field(description="Bytes of the ciphertext")]
    time_ms: Count
    expires_ms: Count
    writer: Annotated[Hex, Field(description="Session id, or an address after 12 zero bytes")]
    index: Count
    position: Count
    destroyed: bool
    deleted: bool


class PlaceView(View):
    """An operation's place."""

    index: Count
    position: Count


class CollectionView(View):
    """A collection with its terms."""

    name: str
    owner: Annotated[Hex, Field(description="Address; empty for collections of genesis")]
    frozen: bool
    readers: Annotated[Bytes, Field(description="Policy bytes, base64")]
    writers: Annotated[Bytes, Field(description="Policy bytes, base64")]
    auditors: tuple[Hex, ...]
    ttl_ms: Count


class OpenedView(View):
    """An operation that the asker may see."""

    position: Count
    salt: Bytes
    operation: Bytes
    outcome: Bytes


class EntryView(View):
    """An entry with its inclusion proof under the answer's checkpoint."""

    index: Count
    leaf: Bytes
    hashes: Annotated[Bytes, Field(description="The proof's hashes, 32 bytes each, base64")]
    operations: tuple[OpenedView, ...]


class StatementView(View):
    """What an auditor said of a release, and the entry in which it was said."""

    auditor: Hex
    index: Count


class ReleaseView(View):
    """A published release and who said what of it."""

    release: Annotated[Bytes, Field(description="An EnclaveRelease (ledger.proto), base64")]
    publisher: Hex
    index: Count
    revoked_index: Annotated[Count, Field(description="0: it was not revoked")]
    endorsed: tuple[StatementView, ...]
    withdrawn: tuple[StatementView, ...]


class PlatformView(View):
    """A platform that members enrolled, removed or vote on."""

    platform_id: Annotated[Hex, Field(description="PPID (16 bytes) or CHIP_ID (64)")]
    enrolled: bool
    index: Annotated[Count, Field(description="The entry since which it is so; 0: from the start")]
    voters: Annotated[tuple[Hex, ...], Field(description="Members who ask for the change")]
    needed: Annotated[int, Field(description="How many of them change it")]


class AnswerView(View):
    """An answer."""

    secrets: tuple[SecretView, ...]
    history: tuple[PlaceView, ...]
    collections: tuple[CollectionView, ...]
    entries: tuple[EntryView, ...]
    checkpoint: Annotated[str, Field(description="Signed note; the proofs lead to it")]
    more: Annotated[bool, Field(description="The limit cut the answer")]
    next_index: Annotated[Count, Field(description="Where to go on")]
    next_after: Annotated[str, Field(description="The same, for collections and releases")]
    releases: tuple[ReleaseView, ...]
    platforms: tuple[PlatformView, ...]


def answer_view(reply: pb.QueryReply) -> AnswerView:
    """The view of an answer that is no refusal."""
    return AnswerView(
        secrets=tuple(map(_secret, reply.secrets)),
        history=tuple(PlaceView(index=one.index, position=one.position) for one in reply.history),
        collections=tuple(map(_collection, reply.collections)),
        entries=tuple(map(_entry, reply.entries)),
        checkpoint=reply.checkpoint.decode(),
        more=reply.more,
        next_index=reply.next_index,
        next_after=reply.next_after,
        releases=tuple(map(_release, reply.releases)),
        platforms=tuple(map(_platform, reply.platforms)),
    )


def _secret(row: pb.SecretRow) -> SecretView:
    return SecretView(
        name=row.name,
        version=row.version,
        size=row.size,
        time_ms=row.time_ms,
        expires_ms=row.expires_ms,
        writer=row.writer.hex(),
        index=row.index,
        position=row.position,
        destroyed=row.destroyed,
        deleted=row.deleted,
    )


def _collection(row: pb.CollectionRow) -> CollectionView:
    return CollectionView(
        name=row.name,
        owner=row.owner.hex(),
        frozen=row.frozen,
        readers=_text(row.terms.readers),
        writers=_text(row.terms.writers),
        auditors=tuple(address.hex() for address in row.terms.auditors),
        ttl_ms=row.terms.ttl_ms,
    )


def _release(row: pb.ReleaseRow) -> ReleaseView:
    return ReleaseView(
        release=_text(encode(row.release)),
        publisher=row.publisher.hex(),
        index=row.index,
        revoked_index=row.revoked_index,
        endorsed=tuple(map(_statement, row.endorsed)),
        withdrawn=tuple(map(_statement, row.withdrawn)),
    )


def _statement(said: pb.ReleaseStatement) -> StatementView:
    return StatementView(auditor=said.auditor.hex(), index=said.index)


def _platform(row: pb.PlatformRow) -> PlatformView:
    return PlatformView(
        platform_id=row.platform_id.hex(),
        enrolled=row.enrolled,
        index=row.index,
        voters=tuple(address.hex() for address in row.voters),
        needed=row.needed,
    )


def _entry(entry: pb.OpenedEntry) -> EntryView:
    return EntryView(
        index=entry.index,
        leaf=_text(entry.leaf),
        hashes=_text(entry.hashes),
        operations=tuple(map(_opened, entry.operations)),
    )


def _opened(one: ledger_pb2.OpenedOperation) -> OpenedView:
    return OpenedView(
        position=one.position,
        salt=_text(one.salt),
        operation=_text(one.operation),
        outcome=_text(one.outcome),
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
