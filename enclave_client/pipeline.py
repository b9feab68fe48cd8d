"""From waiting calls to transactions: coalesce, send, prove, tell; survive every break.

Rules:
1. Waiting calls travel together: up to 256 in a transaction, a few transactions at once on one
   stream. A transaction leaves as soon as a slot is free; nothing waits for company.
2. After a break the same bytes are sent again until they can no longer run: a sequence number runs
   one body once, so that gives the first outcome.
3. "It did not run and never will" (SEQUENCE_PASSED, TRANSACTION_EXPIRED) and the end of a session
   mean: sign again. A write is sealed again for the session that signs it.
4. One fault of ours or an alarm ends every waiting call; none ever hangs.
Not here: the queue (`waiting`), connecting (`connector`), sessions (`keeper`), what answers prove
(`flights`, `replies`).
"""

import asyncio
from collections import deque
from collections.abc import Callable

from enclave_client import wire
from enclave_client.asking import QuestionSigner
from enclave_client.backoff import PATIENCE_S, Backoff, attempt_delay_s
from enclave_client.calls import Call
from enclave_client.checkpoints import CheckpointBook
from enclave_client.connector import SESSION_OVER, Connector, Link
from enclave_client.errors import (
    AttestationFailedError,
    ClosedError,
    LogForkedError,
    ReceiptInvalidError,
    SealedgerClientError,
    SessionOverError,
    UnavailableError,
)
from enclave_client.flights import Flight, Flights, Leftover, depart, fail, land, unknown_outcome
from enclave_client.keeper import SessionKeeper
from enclave_client.outcomes import refused
from enclave_client.redeem import redeem
from enclave_client.session import Session
from enclave_client.transactions import Signer
from enclave_client.transport import SubmitStream
from enclave_client.waiting import WaitingCalls
from ledger.format.transaction import MAX_OPERATIONS
from ledger.reason import Reason

WINDOW = 4  # transactions in the air
MIN_BATCH = 32  # fewer waiting calls than this are not spread over several transactions
STALL_S = 20.0  # without any answer a connection is given up
WATCH_S = 1.0
_SIGN_AGAIN = frozenset({Reason.SEQUENCE_PASSED, Reason.TRANSACTION_EXPIRED})
_LATER = frozenset({Reason.OVERLOADED, Reason.NOT_STARTED})
_BREAK = frozenset({Reason.SHUTTING_DOWN, Reason.INTERNAL})


class Pipeline:
    """One client's way to the ledger. Opened and closed by `SecretClient`."""

    def __init__(
        self, connector: Connector, book: CheckpointBook, now_ms: Callable[[], int]
    ) -> None:
        """Keep the parts; `open` connects."""
        self._connector = connector
        self._book = book
        self._now_ms = now_ms
        self._keeper = SessionKeeper(connector, now_ms)
        self._waiting = WaitingCalls()
        self._flights = Flights()
        self._resend: deque[Flight] = deque()
        self._ready = asyncio.Event()  # something to send, or a slot to send it in
        self._backoff = Backoff()
        self._patience_ends_ms: int | None = None  # while nothing can be sent
        self._fault: SealedgerClientError | None = ClosedError("the client is not open")
        self._link: Link | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> Link:
        """Connect, attest both ways, and start; raises why that failed."""
        link = await self._connector.link()
        try:
            await self._keeper.current(link)
        except BaseException:
            await link.transport.close()
            raise
        self._link = link
        self._fault = None
        self._start(self._run(link)).add_done_callback(self._ended)
        return link

    async def close(self) -> None:
        """Stop; calls that still wait fail with ClosedError. Harmless when closed."""
        self._stop(ClosedError("the client was closed"))
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._keeper.close()
        link, self._link = self._link, None
        if link is not None:
            await link.transport.close()

    async def end_session(self) -> None:
        """End the session on the ledger; the next call opens another one."""
        if self._link is not None:
            await self._keeper.end(self._link)

    async def submit(self, call: Call) -> object:
        """The call's result, once it stands on the certified ledger; raises why it does not."""
        while self._fault is None and self._waiting.is_full:
            await self._waiting.room()
        if self._fault is not None:
            raise self._fault
        self._waiting.add(call)
        self._ready.set()
        return await call.future

    async def ready(self) -> tuple[Link, Signer]:
        """The link and signer of now, for questions (`asking.Line`)."""
        if self._fault is not None:
            raise self._fault
        link = self._current_link()
        session = await self._keeper.current(link)
        return link, session.signer

    async def failed(self, link: Link) -> None:
        """Nothing to do: the stream beside the question breaks too, and `_run` reconnects."""

    def over(self, signer: QuestionSigner) -> None:
        """The ledger no longer knows the signer's session."""
        self._keeper.over(signer.name)

    def alarm(self, error: LogForkedError) -> None:
        """Two histories: every waiting call is told, nothing more is sent."""
        self._stop(error)

    async def _run(self, link: Link) -> None:
        """Serve over one link after the other."""
        while True:
            try:
                await self._serve(link)
            except UnavailableError as error:
                self._lose_patience(error)
                await asyncio.sleep(self._backoff.next_s())
            finally:
                await link.transport.close()
            link = self._link = await self._reconnect()

    async def _reconnect(self) -> Link:
        while True:
            try:
                return await self._connector.link()
            except LogForkedError:
                raise
            except UnavailableError as error:
                self._flights.expire(self._now_ms())
                self._lose_patience(error)
            except (AttestationFailedError, ReceiptInvalidError) as error:
                self._flights.fail_all(unknown_outcome(error.message))
                self._waiting.fail(error)
            await asyncio.sleep(self._backoff.next_s())

    def _lose_patience(self, error: UnavailableError) -> None:
        """Tell the waiting calls when nothing could be sent for long."""
        now_ms = self._now_ms()
        if self._patience_ends_ms is None:
            self._patience_ends_ms = now_ms + int(PATIENCE_S * 1000)
        elif now_ms > self._patience_ends_ms:
            self._waiting.fail(error)

    async def _serve(self, link: Link) -> None:
        """Write, read and watch until one of them cannot go on."""
        stream = link.transport.submit()
        tasks = [
            asyncio.create_task(one)
            for one in (self._write(link, stream), self._read(stream), self._watch())
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            stream.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            self._flights.expire(self._now_ms())
            oldest_s = self._flights.oldest_s()
            if oldest_s is not None and _loop_s() - oldest_s > STALL_S:
                raise UnavailableError("the node does not answer")

    async def _write(self, link: Link, stream: SubmitStream) -> None:
        self._resend = deque(self._flights.in_order())
        self._ready.set()
        while True:
            await self._ready.wait()
            self._ready.clear()
            while self._resend:
                flight = self._resend.popleft()
                if self._flights.get(flight.transaction.hash) is flight:
                    flight.sent_s = _loop_s()
                    await stream.write(flight.transaction.request)
            while self._waiting and len(self._flights) < WINDOW:
                departed = await self._depart(link)
                if departed is not None:
                    await stream.write(departed.transaction.request)

    async def _depart(self, link: Link) -> Flight | None:
        """The next transaction, signed; None if nothing is left to send."""
        try:
            session = await self._keeper.current(link)
        except (UnavailableError, LogForkedError):
            raise
        except SealedgerClientError as error:
            self._waiting.fail(error)
            return None
        if not await self._has_keys(link, session):
            return None
        in_all = len(self._waiting) + self._flights.operations
        limit = min(MAX_OPERATIONS, max(MIN_BATCH, -(-in_all // WINDOW)))
        calls = self._waiting.take(limit)
        if not calls:
            return None
        self._patience_ends_ms = None
        flight = depart(session, calls, self._now_ms(), _loop_s())
        self._flights.add(flight)
        return flight

    async def _has_keys(self, link: Link, session: Session) -> bool:
        """Whether the session has the keys that the next calls need; asks for a missing one."""
        collection = self._waiting.missing_key(session)
        if collection is None:
            return True
        try:
            await self._connector.acquire(link, session, collection)
        except (UnavailableError, LogForkedError):
            raise
        except SessionOverError:
            session.is_over = True
        except SealedgerClientError as error:
            self._waiting.fail(error, lambda one: one.is_write and one.collection == collection)
        return False

    async def _read(self, stream: SubmitStream) -> None:
        while True:
            try:
                answer = wire.decode_answer(await stream.read())
            except ReceiptInvalidError as error:
                raise UnavailableError(error.message) from error
            flight = self._flights.get(answer.transaction_hash)
            if flight is None:
                continue  # a repeated answer
            if isinstance(answer.result, wire.Refusal):
                self._refused(flight, answer.result)
            else:
                self._landed(flight, answer.result)
            self._ready.set()

    def _landed(self, flight: Flight, recorded: wire.Recorded) -> None:
        self._backoff.reset()
        try:
            leftover = land(flight, recorded, self._book)
        except LogForkedError:
            raise
        except ReceiptInvalidError as error:
            fail(flight.calls, error)
            leftover = Leftover()
        self._flights.remove(flight)
        self._waiting.again(leftover.again, Reason.WRONG_EPOCH)
        for one in leftover.undelivered:
            self._start(redeem(one, self._connector, self._current_link))

    def _refused(self, flight: Flight, refusal: wire.Refusal) -> None:
        if refusal.reason in _BREAK:
            raise UnavailableError(f"the node cannot serve: {refusal.reason.name}", refusal.hint)
        if refusal.reason in _LATER:
            delay_s = attempt_delay_s(flight.delays)
            flight.delays += 1
            flight.sent_s = _loop_s() + delay_s
            asyncio.get_running_loop().call_later(delay_s, self._send_again, flight)
            return
        self._flights.remove(flight)
        if refusal.reason in SESSION_OVER:
            flight.session.is_over = True
            self._waiting.again(flight.calls, refusal.reason)
        elif refusal.reason in _SIGN_AGAIN:
            self._waiting.again(flight.calls, refusal.reason)
        else:
            for call in flight.calls:
                what = f"{call.collection}: {call.name}"
                call.fail(refused(refusal.reason, what, refusal.hint))

    def _send_again(self, flight: Flight) -> None:
        self._resend.append(flight)
        self._ready.set()

    def _current_link(self) -> Link:
        if self._link is None:
            raise self._fault or ClosedError("the client is not open")
        return self._link

    def _start(self, work: "asyncio._CoroutineLike[None]") -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """The serving task ended: on close, at an alarm, or by a fault of ours."""
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, SealedgerClientError):
            self._stop(error)
        else:
            ours = SealedgerClientError(
                f"the client stopped at an internal fault: {type(error).__name__}",
                "this is a defect: report it",
            )
            ours.__cause__ = error
            self._stop(ours)

    def _stop(self, error: SealedgerClientError) -> None:
        if not isinstance(self._fault, LogForkedError):
            self._fault = error
        unknown = error if isinstance(error, LogForkedError) else unknown_outcome(error.message)
        self._flights.fail_all(unknown)
        self._waiting.end(error)


def _loop_s() -> float:
    return asyncio.get_running_loop().time()
