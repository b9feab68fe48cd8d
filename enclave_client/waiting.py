"""The calls that wait to be signed: a bounded queue, taken in order, a transaction's worth at once.

Rules: callers wait for room before they queue; calls that have to be signed again come back in
front, even above the bound. Calls whose callers gave up are dropped when their turn comes.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import islice

from enclave_client.calls import Call
from enclave_client.errors import SealedgerClientError
from enclave_client.outcomes import refused
from enclave_client.session import Session
from ledger.format.transaction import MAX_OPERATIONS
from ledger.reason import Reason

MAX_CALLS = 8192
MAX_BYTES = 64 * 1024 * 1024
MAX_BATCH_BYTES = 1024 * 1024  # of values in one transaction, unless one alone is larger
MAX_TRIES = 4  # how often one call is signed again


class WaitingCalls:
    """One client's queue. Belongs to one event loop."""

    def __init__(self) -> None:
        """Start empty."""
        self._calls: deque[Call] = deque()
        self._bytes = 0
        self._outside: deque[asyncio.Future[None]] = deque()  # callers that wait for room

    def __len__(self) -> int:
        """How many calls wait."""
        return len(self._calls)

    @property
    def is_full(self) -> bool:
        """Whether a new call has to wait for room."""
        return len(self._calls) >= MAX_CALLS or self._bytes > MAX_BYTES

    async def room(self) -> None:
        """Wait until calls were taken; ask `is_full` again then."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._outside.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            self._let_in()  # the turn may have come already: it is somebody else's now
            raise

    def add(self, call: Call) -> None:
        """Queue a call; the caller has made sure that there is room."""
        self._calls.append(call)
        self._bytes += call.size

    def take(self, limit: int) -> list[Call]:
        """Up to `limit` calls, in order, that fit one transaction."""
        calls: list[Call] = []
        size = 0
        queue = self._calls
        while queue and len(calls) < limit:
            call = queue[0]
            if calls and size + call.size > MAX_BATCH_BYTES:
                break
            queue.popleft()
            self._bytes -= call.size
            if not call.future.done():
                size += call.size
                calls.append(call)
        self._let_in()
        return calls

    def again(self, calls: list[Call], reason: Reason) -> None:
        """Put calls back in front, to be signed anew; one that keeps coming back fails."""
        for call in reversed(calls):
            call.tries += 1
            if call.future.done():
                continue
            if call.tries > MAX_TRIES:
                call.fail(refused(reason, f"{call.collection}: {call.name}"))
            else:
                self._calls.appendleft(call)
                self._bytes += call.size

    def fail(
        self, error: SealedgerClientError, which: Callable[[Call], bool] | None = None
    ) -> None:
        """Tell all callers, or those that `which` picks; the others keep waiting."""
        kept: deque[Call] = deque()
        for call in self._calls:
            if which is None or which(call):
                self._bytes -= call.size
                call.fail(error)
            else:
                kept.append(call)
        self._calls = kept
        self._let_in()

    def end(self, error: SealedgerClientError) -> None:
        """Tell all callers, and wake everyone who waits for room: there is nothing to wait for."""
        self.fail(error)
        while self._outside:
            turn = self._outside.popleft()
            if not turn.done():
                turn.set_result(None)

    def _let_in(self) -> None:
        """Wake as many callers as there is room for: waking all of them would be quadratic."""
        free = 0 if self._bytes > MAX_BYTES else MAX_CALLS - len(self._calls)
        while free > 0 and self._outside:
            turn = self._outside.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1

    def missing_key(self, session: Session) -> str | None:
        """The collection whose key the session lacks for one of the next calls."""
        for call in islice(self._calls, MAX_OPERATIONS):
            if call.is_write and call.collection not in session.writer_keys:
                return call.collection
        return None
