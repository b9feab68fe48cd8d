"""Messages of signed questions, between bytes and frozen dataclasses.

Rules: those of `wire`: answers are outside bytes, and whatever they cannot mean is a
ReceiptInvalidError. Not here: judging what an answer says (`openings`, `queries`).
"""

from collections.abc import Iterable, Sized
from dataclasses import dataclass

from enclave_client.errors import ReceiptInvalidError
from enclave_client.rows import CollectionRow, PlatformRow, ReleaseRow, ReleaseStatement, SecretRow
from enclave_client.wire import MAX_PROOF_BYTES, Refusal, parse_answer, read_refusal
from ledger.errors import FormatError
from ledger.format.names import verify_name
from ledger.format.platforms import verify_platform_id
from ledger.format.query import MAX_ROWS
from ledger.format.receipt import Opened
from ledger.format.releases import decode_release
from ledger.format.strict import verify_length
from ledger.format.terms import ADDRESS_BYTES, CollectionTerms
from sealedger.v1 import kms_pb2, ledger_pb2, node_pb2

_WRITER_BYTES = 32


@dataclass(frozen=True, slots=True)
class OpenedEntry:
    """An entry with its proof, and some of its operations; nothing in it is verified yet."""

    index: int
    leaf: bytes
    hashes: tuple[bytes, ...]
    opened: tuple[Opened, ...]


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """The parts of an answer; which of them are filled depends on the question."""

    secrets: tuple[SecretRow, ...]
    history: tuple[tuple[int, int], ...]  # entry, position
    collections: tuple[CollectionRow, ...]
    releases: tuple[ReleaseRow, ...]
    platforms: tuple[PlatformRow, ...]
    entries: tuple[OpenedEntry, ...]
    checkpoint: bytes
    more: bool
    next_index: int
    next_after: str


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A collection's public sealing key as the service key stated it; not verified yet."""

    public: bytes
    epoch: int
    signature: bytes


def encode_question(query: bytes, signature: bytes) -> bytes:
    """A QueryRequest."""
    return node_pb2.QueryRequest(query=query, signature=signature).SerializeToString()


def decode_question_answer(data: bytes) -> QueryAnswer | Refusal:
    """The parts of a QueryReply of at most 1,000 rows of a kind."""
    message = parse_answer(node_pb2.QueryReply, data)
    if message.HasField("refusal"):
        return read_refusal(message.refusal)
    kinds: tuple[Sized, ...] = (
        *(message.secrets, message.history, message.collections),
        *(message.releases, message.platforms, message.entries),
    )
    if max(map(len, kinds)) > MAX_ROWS:
        raise ReceiptInvalidError("the answer has more rows than any question may ask for")
    try:
        return QueryAnswer(
            secrets=tuple(map(_secret, message.secrets)),
            history=tuple((row.index, row.position) for row in message.history),
            collections=tuple(map(_collection, message.collections)),
            releases=tuple(map(_release, message.releases)),
            platforms=tuple(map(_platform, message.platforms)),
            entries=tuple(map(_entry, message.entries)),
            checkpoint=message.checkpoint,
            more=message.more,
            next_index=message.next_index,
            next_after=message.next_after,
        )
    except FormatError as error:
        raise ReceiptInvalidError(f"the answer does not decode: {error}") from error


def encode_sealing_key_question(collection: str) -> bytes:
    """A SealingKeyQuestion."""
    return kms_pb2.SealingKeyQuestion(collection=collection).SerializeToString()


def decode_sealing_key(data: bytes) -> SealingKey | Refusal:
    """The parts of a SealingKeyReply."""
    message = parse_answer(node_pb2.SealingKeyReply, data)
    if message.HasField("refusal"):
        return read_refusal(message.refusal)
    statement = message.statement
    return SealingKey(statement.public_key, statement.epoch, statement.signature)


def _secret(row: node_pb2.SecretRow) -> SecretRow:
    if not row.version:
        raise FormatError("versions start at 1")
    return SecretRow(
        name=verify_name(row.name),
        version=row.version,
        size=row.size,
        time_ms=row.time_ms,
        expires_ms=row.expires_ms,
        writer=verify_length("writer", row.writer, _WRITER_BYTES),
        index=row.index,
        position=row.position,
        is_destroyed=row.destroyed,
        is_deleted=row.deleted,
    )


def _collection(row: node_pb2.CollectionRow) -> CollectionRow:
    owner = verify_length("owner", row.owner, ADDRESS_BYTES) if row.owner else b""
    terms = row.terms
    auditors = tuple(verify_length("auditor", one, ADDRESS_BYTES) for one in terms.auditors)
    return CollectionRow(
        verify_name(row.name),
        owner,
        row.frozen,
        CollectionTerms(terms.readers, terms.writers, auditors, terms.ttl_ms),
    )


def _release(row: node_pb2.ReleaseRow) -> ReleaseRow:
    release = decode_release(row.release.SerializeToString(deterministic=True))
    endorsed, withdrawn = _statements(row.endorsed), _statements(row.withdrawn)
    said = [one.auditor for one in (*endorsed, *withdrawn)]
    if len(set(said)) != len(said) or not set(said) <= set(release.auditors):
        raise FormatError("a release: its auditors say one thing each, and nobody else anything")
    return ReleaseRow(
        release=release,
        publisher=verify_length("publisher", row.publisher, ADDRESS_BYTES),
        index=row.index,
        revoked_index=row.revoked_index,
        endorsed=endorsed,
        withdrawn=withdrawn,
    )


def _platform(row: node_pb2.PlatformRow) -> PlatformRow:
    voters = tuple(verify_length("voter", one, ADDRESS_BYTES) for one in row.voters)
    if len(set(voters)) != len(voters) or not (row.enrolled or row.index or voters):
        raise FormatError("a platform: enrolled, removed or voted on, by each member once")
    platform_id = verify_platform_id(row.platform_id)
    return PlatformRow(platform_id, row.enrolled, row.index, voters, row.needed)


def _statements(said: Iterable[node_pb2.ReleaseStatement]) -> tuple[ReleaseStatement, ...]:
    return tuple(
        ReleaseStatement(verify_length("auditor", one.auditor, ADDRESS_BYTES), one.index)
        for one in said
    )


def _entry(message: node_pb2.OpenedEntry) -> OpenedEntry:
    return OpenedEntry(
        message.index, message.leaf, _hashes(message.hashes), _opened(message.operations)
    )


def _hashes(hashes: bytes) -> tuple[bytes, ...]:
    if len(hashes) % 32 or len(hashes) > MAX_PROOF_BYTES:
        raise FormatError("an inclusion proof is 0 to 63 hashes of 32 bytes")
    return tuple(hashes[at : at + 32] for at in range(0, len(hashes), 32))


def _opened(operations: Iterable[ledger_pb2.OpenedOperation]) -> tuple[Opened, ...]:
    return tuple(Opened(one.position, one.salt, one.operation, one.outcome) for one in operations)
