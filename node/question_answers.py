"""Answers to signed questions in their wire form (node.proto)."""

from collections.abc import Iterable
from dataclasses import dataclass

from contracts.enrolment import PlatformRecord
from contracts.holdings import CollectionRecord
from contracts.queries import PlatformPage
from contracts.registry import ReleaseRecord, Statement
from contracts.versions import HeadRecord
from ledger.format.receipt import Opened
from ledger.reason import Reason
from node.answers import refusal
from sealedger.v1 import ledger_pb2
from sealedger.v1 import node_pb2 as pb


@dataclass(frozen=True, slots=True)
class OpenedEntry:
    """An entry with its proof, and the operations that the asker may see."""

    index: int
    leaf: bytes
    hashes: tuple[bytes, ...]
    opened: tuple[Opened, ...]

    @property
    def size(self) -> int:
        """Bytes on the wire, nearly."""
        parts = sum(len(one.operation) + len(one.outcome) + 64 for one in self.opened)
        return len(self.leaf) + sum(map(len, self.hashes)) + parts


def refused(reason: Reason, hint: str) -> pb.QueryReply:
    """No answer, and why."""
    return pb.QueryReply(refusal=refusal(reason, hint))


def secrets(rows: Iterable[tuple[str, HeadRecord]], *, more: bool) -> pb.QueryReply:
    """Secrets with their current versions."""
    return pb.QueryReply(secrets=(_secret(name, head) for name, head in rows), more=more)


def history(places: Iterable[tuple[int, int]], *, more: bool) -> pb.QueryReply:
    """Where a secret was touched."""
    rows = (pb.HistoryRow(index=index, position=position) for index, position in places)
    return pb.QueryReply(history=rows, more=more)


def collections(
    rows: Iterable[tuple[str, CollectionRecord]], *, next_after: str = ""
) -> pb.QueryReply:
    """Collections with their terms; there is more if it says after which name."""
    return pb.QueryReply(
        collections=(_collection(name, one) for name, one in rows),
        more=bool(next_after),
        next_after=next_after,
    )


def releases(rows: Iterable[ReleaseRecord], *, next_after: str) -> pb.QueryReply:
    """Releases with what was said of them; there is more if it says after which title."""
    return pb.QueryReply(releases=map(_release, rows), more=bool(next_after), next_after=next_after)


def platforms(page: PlatformPage) -> pb.QueryReply:
    """Platforms that are or were enrolled or are voted on."""
    rows = (_platform(*row, page.needed) for row in page.rows)
    return pb.QueryReply(platforms=rows, more=page.more)


def entries(
    found: Iterable[OpenedEntry], checkpoint: bytes, *, next_index: int, more: bool
) -> pb.QueryReply:
    """Entries with proofs that lead to `checkpoint`."""
    return pb.QueryReply(
        entries=map(_entry, found), checkpoint=checkpoint, next_index=next_index, more=more
    )


def _secret(name: str, head: HeadRecord) -> pb.SecretRow:
    version = head.version
    return pb.SecretRow(
        name=name,
        version=version.number,
        size=version.size,
        time_ms=version.time_ms,
        expires_ms=version.expires_ms,
        writer=version.origin.writer_session,
        index=version.index,
        position=version.position,
        destroyed=version.is_destroyed,
        deleted=head.current == 0,
    )


def _collection(name: str, collection: CollectionRecord) -> pb.CollectionRow:
    terms = collection.terms
    return pb.CollectionRow(
        name=name,
        owner=collection.owner,
        frozen=collection.is_frozen,
        terms=ledger_pb2.CollectionTerms(
            readers=terms.readers,
            writers=terms.writers,
            auditors=terms.auditors,
            ttl_ms=terms.ttl_ms,
        ),
    )


def _release(record: ReleaseRecord) -> pb.ReleaseRow:
    return pb.ReleaseRow(
        release=ledger_pb2.EnclaveRelease.FromString(record.release),
        publisher=record.publisher,
        index=record.index,
        revoked_index=record.revoked_index,
        endorsed=map(_statement, record.endorsed),
        withdrawn=map(_statement, record.withdrawn),
    )


def _statement(said: Statement) -> pb.ReleaseStatement:
    return pb.ReleaseStatement(auditor=said.auditor, index=said.index)


def _platform(platform_id: bytes, record: PlatformRecord, needed: int) -> pb.PlatformRow:
    return pb.PlatformRow(
        platform_id=platform_id,
        enrolled=record.is_enrolled,
        index=record.index,
        voters=record.voters,
        needed=needed,
    )


def _entry(entry: OpenedEntry) -> pb.OpenedEntry:
    return pb.OpenedEntry(
        index=entry.index,
        leaf=entry.leaf,
        hashes=b"".join(entry.hashes),
        operations=(
            ledger_pb2.OpenedOperation(
                position=one.position,
                salt=one.salt,
                operation=one.operation,
                outcome=one.outcome,
            )
            for one in entry.opened
        ),
    )
