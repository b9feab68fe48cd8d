"""Signed questions: sent again until a node answers, every answer judged.

Rules: a question leaves no entry, so asking again is harmless; each attempt is signed anew, with
its own time. A question whose session ended is signed in the next one. Contradicting checkpoints
are an alarm that stops the whole client. Not here: what is asked (`queries`, `watching`).
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from enclave_client import wire
from enclave_client.backoff import attempt_delay_s, patiently
from enclave_client.checkpoints import CheckpointBook
from enclave_client.connector import SESSION_OVER, Link, refusal_error
from enclave_client.errors import LogForkedError, UnavailableError
from enclave_client.openings import Event, verify_openings
from enclave_client.transport import AnswerStream
from enclave_client.wire_queries import QueryAnswer, decode_question_answer, encode_question
from ledger.format.query import OpenEntries, Query, Question, encode_query
from ledger.format.transaction import SignerKind
from ledger.reason import Reason

SILENCE_S = 300.0
_CLOCK_HINT = "this machine's clock is wrong: set it"


class QuestionSigner(Protocol):
    """Whoever asks: a session, or an account."""

    @property
    def kind(self) -> SignerKind:
        """Which kind of signer `name` is."""
        ...

    @property
    def name(self) -> bytes:
        """Session id or address."""
        ...

    def sign_query(self, query: Query, encoded: bytes) -> bytes:
        """The signature over a question, its bytes being `encoded`."""
        ...


class Line(Protocol):
    """A client's way to a node, as questions need it. Several tasks may use it at once."""

    async def ready(self) -> tuple[Link, QuestionSigner]:
        """A proven link and who signs now; raises why there is none (UnavailableError: try later).

        Connects, or opens a session, where that is needed.
        """
        ...

    async def failed(self, link: Link) -> None:
        """The link gave no answer: the next `ready` should not give it again."""
        ...

    def over(self, signer: QuestionSigner) -> None:
        """The ledger no longer knows the signer's session."""
        ...

    def alarm(self, error: LogForkedError) -> None:
        """Two histories were certified: stop everything."""
        ...


class Asking:
    """Asks over one line. Belongs to one event loop."""

    def __init__(
        self, line: Line, book: CheckpointBook, network_id: bytes, now_ms: Callable[[], int]
    ) -> None:
        """Keep the parts."""
        self._line = line
        self._book = book
        self._network_id = network_id
        self._now_ms = now_ms

    async def ask(self, question: Question, what: str) -> QueryAnswer:
        """The answer; raises RefusedError, UnavailableError after half a minute, and the rest.

        `what` begins the messages.
        """
        return await patiently(lambda: self._ask_once(question, what))

    async def follow(self, question: OpenEntries, what: str) -> AsyncGenerator[QueryAnswer, None]:
        """The answers of one Watch stream, until it breaks (UnavailableError).

        It ends without an error after five minutes of silence: whether the node is gone or nothing
        happened cannot be told apart, so ask anew.
        """
        link, signer = await self._line.ready()
        stream = link.transport.watch(self._signed(question, signer))
        try:
            while (data := await self._next(stream, link)) is not None:
                yield self._judged(data, signer, what)
        finally:
            stream.cancel()

    def events(self, answer: QueryAnswer) -> list[Event]:
        """The proven operations of an answer; raises ReceiptInvalidError."""
        try:
            return verify_openings(answer.entries, answer.checkpoint, self._book, self._network_id)
        except LogForkedError as error:
            self._line.alarm(error)
            raise

    async def pause(self, attempt: int) -> None:
        """Wait before asking again what had no answer yet."""
        await asyncio.sleep(attempt_delay_s(attempt))

    async def _ask_once(self, question: Question, what: str) -> QueryAnswer:
        link, signer = await self._line.ready()
        try:
            data = await link.transport.ask(self._signed(question, signer))
        except UnavailableError:
            await self._line.failed(link)
            raise
        return self._judged(data, signer, what)

    async def _next(self, stream: AnswerStream, link: Link) -> bytes | None:
        try:
            async with asyncio.timeout(SILENCE_S):
                return await stream.read()
        except TimeoutError:
            return None
        except UnavailableError:
            await self._line.failed(link)
            raise

    def _judged(self, data: bytes, signer: QuestionSigner, what: str) -> QueryAnswer:
        answer = decode_question_answer(data)
        if isinstance(answer, QueryAnswer):
            return answer
        if answer.reason in SESSION_OVER:
            self._line.over(signer)
            raise UnavailableError(f"{what}: {answer.reason.name}", answer.hint)
        if answer.reason is Reason.TRANSACTION_EXPIRED:
            answer = wire.Refusal(answer.reason, _CLOCK_HINT)
        raise refusal_error(answer, what)

    def _signed(self, question: Question, signer: QuestionSigner) -> bytes:
        query = Query(self._network_id, signer.kind, signer.name, self._now_ms(), question)
        encoded = encode_query(query)
        return encode_question(encoded, signer.sign_query(query, encoded))
