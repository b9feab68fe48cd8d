"""An auditor's questions, answered in rows: proven, with who acted, and each with its receipt.

Rules: every event is taken in before it is told (people.py), so that a session is known by its
opening entry; one that was opened before the first page is looked up once. Rows come in the order
of the log. Not here: printing, files.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from enclave_client.openings import Event
from ledger.format.operation import Read
from ledger.format.transaction import SignerKind
from node.audit.asker import Asker
from node.audit.people import People, Session, session_of
from node.audit.rows import Row, row_of
from node.audit.walk import Shown

Wanted = Callable[[Event, Session | None], bool]


@dataclass(frozen=True, slots=True)
class Answer:
    """One row, and what proves it."""

    row: Row
    event: Event


class Answers:
    """Answers of one asker."""

    def __init__(self, asker: Asker, show: Shown) -> None:
        """Keep the parts; `show` is told entries done and entries in all."""
        self._asker = asker
        self._show = show
        self._people = People()
        self._missing: set[bytes] = set()

    async def everything(self, from_index: int = 0) -> AsyncIterator[Answer]:
        """Every operation that the account may see, from an entry on."""
        async for answer in self._scan(from_index, lambda *_: True):
            yield answer

    async def who_read(
        self, collection: str, name: str, from_index: int = 0
    ) -> AsyncIterator[Answer]:
        """Every read of a secret that was tried, from an entry on, whatever came of it.

        All entries of the collection are asked for: no index has reads that found nothing.
        """
        async for page in self._asker.pages(from_index, collection=collection):
            for event in page.events:
                if _is_read_of(event, collection, name):
                    yield await self._answer(event)
            self._show(min(page.next_index, page.size), page.size)

    async def history_reads(
        self, collection: str, name: str, from_index: int = 0
    ) -> AsyncIterator[Answer]:
        """The reads of a secret that its history has: granted ones, and those denied to sessions.

        The node keeps an index of them: it costs what they are, however long the log is.
        """
        done = 0
        async for event in self._asker.history(collection, name, from_index):
            done += 1
            self._show(done, done)
            if _is_read_of(event, collection, name):
                yield await self._answer(event)

    async def of_session(self, session: bytes) -> AsyncIterator[Answer]:
        """Everything that a session did, its opening first."""
        async for answer in self._scan(0, lambda *_: True, session):
            yield answer

    async def of_identity(self, measurement: bytes, from_index: int = 0) -> AsyncIterator[Answer]:
        """Everything that sessions of this code did."""

        def is_wanted(_: Event, session: Session | None) -> bool:
            return session is not None and session.identity.measurement == measurement

        async for answer in self._scan(from_index, is_wanted):
            yield answer

    async def of_account(self, address: bytes, from_index: int = 0) -> AsyncIterator[Answer]:
        """Everything that an account signed."""

        def is_wanted(event: Event, _: Session | None) -> bool:
            return event.signer_kind is SignerKind.ACCOUNT and event.signer == address

        async for answer in self._scan(from_index, is_wanted):
            yield answer

    async def _scan(
        self, from_index: int, is_wanted: Wanted, session: bytes = b""
    ) -> AsyncIterator[Answer]:
        async for page in self._asker.pages(from_index, session):
            for event in page.events:
                if is_wanted(event, await self._acting(event)):
                    yield await self._answer(event)
            self._show(min(page.next_index, page.size), page.size)

    async def _answer(self, event: Event) -> Answer:
        session = await self._acting(event)
        signed = self._people.verify_signature(event, self._asker.network_id)
        return Answer(row_of(event, session, signed), event)

    async def _acting(self, event: Event) -> Session | None:
        """The session that acted; its opening is looked up if it was not met."""
        self._people.learn(event)
        wanted = session_of(event)
        if wanted is not None and not self._is_met(wanted):
            opening = await self._asker.opening(wanted, event.index)
            if opening is None:
                self._missing.add(wanted)
            else:
                self._people.learn(opening)
        return self._people.of(event)

    def _is_met(self, session: bytes) -> bool:
        return session in self._people.sessions or session in self._missing


def _is_read_of(event: Event, collection: str, name: str) -> bool:
    read = event.operation
    return isinstance(read, Read) and (read.collection, read.name) == (collection, name)
