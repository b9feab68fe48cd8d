"""An auditor's questions to a node: entries opened for an account, proven, page by page.

1. The node proves itself first, as it does to any client; every answer's proofs are verified.
2. Pages go on from one another and end, so that a node cannot keep an auditor busy for ever.
3. A session's opening entry is searched from where the session is met, backwards in growing steps:
   sessions are short, so it is near.
What is opened is proven. That nothing is left out is the word of the node, whose code was attested.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from enclave_client import queries
from enclave_client.account import Account, AccountSigner
from enclave_client.asking import Asking
from enclave_client.checkpoints import CheckpointBook
from enclave_client.connector import Dialer
from enclave_client.errors import ReceiptInvalidError
from enclave_client.network_file import NetworkFile
from enclave_client.openings import Event
from enclave_client.owner_line import OwnerLine
from ledger.format.operation import OpenSession
from ledger.format.query import MAX_ROWS, OpenEntries

_FIRST_STEP = 1000  # entries
_STEP_GROWS = 4
_ENTRIES = "entries"


@dataclass(frozen=True, slots=True)
class Page:
    """Proven operations of entries before `next_index`, of a log of at least `size` entries."""

    events: tuple[Event, ...]
    next_index: int
    size: int


class Asker:
    """Asks as one account. Belongs to one event loop."""

    def __init__(self, asking: Asking, book: CheckpointBook, network_id: bytes) -> None:
        """Keep the parts; use `open_asker`."""
        self.network_id = network_id
        self._asking = asking
        self._book = book

    @property
    def largest(self) -> int:
        """The size of the largest certified checkpoint that was seen."""
        return max(0, self._book.largest)

    async def pages(
        self, from_index: int, session: bytes = b"", collection: str = ""
    ) -> AsyncIterator[Page]:
        """All that the account may see from an entry on, in order, to the log's end.

        Only one session's entries, its opening first, if it is given; only operations on one
        collection if that is. Raises RefusedError (DENIED: there is nothing to see),
        ReceiptInvalidError, UnavailableError.
        """
        more = True
        while more:
            question = OpenEntries(from_index, MAX_ROWS, collection=collection, session=session)
            page, more = await self._page(question)
            from_index = page.next_index
            yield page

    def history(self, collection: str, name: str, from_index: int) -> AsyncIterator[Event]:
        """What a secret's history has from an entry on (docs/spec/formats.md), in order."""
        return queries.history(self._asking, collection, name, from_index)

    async def opening(self, session: bytes, before: int) -> Event | None:
        """The event that opened a session that signed entry `before`; None if it is not shown."""
        step = _FIRST_STEP
        stop = before
        while stop > 0:
            start = max(0, stop - step)
            first = await self._first(session, start, stop)
            if first is not None and isinstance(first.operation, OpenSession):
                return first
            stop = start if first is None else min(start, first.index)
            step *= _STEP_GROWS
        return None

    async def _first(self, session: bytes, start: int, stop: int) -> Event | None:
        """The first event of a session from `start` on and before `stop`."""
        more = True
        while more and start < stop:
            page, more = await self._page(OpenEntries(start, 1, session=session))
            if page.events:
                return page.events[0] if page.events[0].index < stop else None
            start = page.next_index
        return None

    async def _page(self, question: OpenEntries) -> tuple[Page, bool]:
        answer = await self._asking.ask(question, _ENTRIES)
        events = tuple(self._asking.events(answer))
        start, stop = question.from_index, answer.next_index
        if any(not start <= event.index < stop for event in events):
            raise ReceiptInvalidError("the node's answer has entries that were not asked for")
        if answer.more and stop <= start:
            raise ReceiptInvalidError("the node's answer does not go on")
        return Page(events, stop, max(self.largest, stop)), answer.more


@asynccontextmanager
async def open_asker(
    network: NetworkFile, signer: AccountSigner, now_ms: Callable[[], int]
) -> AsyncIterator[Asker]:
    """Connect to a node that proves itself; raises why there is none."""
    book = CheckpointBook(network.rule())
    dialer = Dialer(network, book, proxied=False, now_ms=now_ms)
    line = OwnerLine(dialer, Account(network.network_id, signer), book, now_ms)
    await line.open()
    try:
        yield Asker(Asking(line, book, network.network_id, now_ms), book, network.network_id)
    finally:
        await line.close()
