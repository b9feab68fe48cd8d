"""An account's way to the ledger: one transaction after the other, each runs once or never.

1. A sequence number is the clock's milliseconds, and above the last one: an account that signs from
   two places, or after a restart, uses no number twice. Where another place's clock was ahead, its
   numbers passed ours: then ours are taken from further ahead, up to an hour.
2. The same bytes are sent until a node answers: a sequence number runs one body once.
3. "It did not run and never will" and "another transaction has this number" mean: sign again.
4. What was sent and stays without an answer is an OutcomeUnknownError, never a guess.
Not here: what operations mean (`owner`), how a node proves itself (`connector`, `attest`).
"""

import asyncio
import os
from collections.abc import Callable

from enclave_client import wire
from enclave_client.account import Account
from enclave_client.asking import QuestionSigner
from enclave_client.backoff import patiently
from enclave_client.checkpoints import CheckpointBook
from enclave_client.connector import TRY_LATER, Dialer, Link, read_answer, refusal_error
from enclave_client.errors import (
    ClosedError,
    LogForkedError,
    ReceiptInvalidError,
    SealedgerClientError,
    UnavailableError,
)
from enclave_client.flights import unknown_outcome
from enclave_client.outcomes import refused
from enclave_client.receipts import Entry
from enclave_client.replies import verify_recorded
from enclave_client.transactions import Transaction, Work, sign_transaction
from enclave_client.wire_queries import (
    SealingKey,
    decode_sealing_key,
    encode_sealing_key_question,
)
from ledger.crypto import ed25519
from ledger.format.operation import SALT_BYTES
from ledger.reason import Reason
from ledger.sealing import sealing_key_statement

_MINUTE_MS = 60_000
# Twice from now (the first may only have been slow), then from further and further ahead.
_AHEAD_MS = (0, 0, 2 * _MINUTE_MS, 8 * _MINUTE_MS, 32 * _MINUTE_MS, 64 * _MINUTE_MS)
_MAX_SIGNED = 8
_CLOCK_HINT = "this machine's clock, or one that this account signed by before, is wrong: set it"
_AGAIN = frozenset({Reason.SEQUENCE_REUSED, Reason.SEQUENCE_PASSED, Reason.TRANSACTION_EXPIRED})


class OwnerLine:
    """Signs and sends for one account; an `asking.Line`. Belongs to one event loop."""

    def __init__(
        self, dialer: Dialer, account: Account, book: CheckpointBook, now_ms: Callable[[], int]
    ) -> None:
        """Keep the parts; `open` connects."""
        self._dialer = dialer
        self.account = account
        self._book = book
        self._now_ms = now_ms
        self._link: Link | None = None
        self._dialing = asyncio.Lock()
        self._fault: SealedgerClientError | None = ClosedError("the client is not open")
        self._sequence = 0

    async def open(self) -> Link:
        """Connect to a node that proves itself; raises why there is none."""
        self._link = await self._dialer.link()
        self._fault = None
        return self._link

    async def close(self) -> None:
        """Close at once; harmless when closed."""
        self._fault = self._fault or ClosedError("the client was closed")
        link, self._link = self._link, None
        if link is not None:
            await link.transport.close()

    # ------------------------------------------------------------------ asking.Line

    async def ready(self) -> tuple[Link, Account]:
        """The current link, or a new one; and the account."""
        async with self._dialing:
            if self._fault is not None:
                raise self._fault
            if self._link is None:
                self._link = await self._dialer.link()
            return self._link, self.account

    async def failed(self, link: Link) -> None:
        """Dial again next time."""
        if self._link is link:
            self._link = None
            await link.transport.close()

    def over(self, signer: QuestionSigner) -> None:
        """An account has no session that could end."""

    def alarm(self, error: LogForkedError) -> None:
        """Two histories: nothing more is sent."""
        self._fault = error

    # ------------------------------------------------------------------ what owners ask

    async def value_bytes(self) -> int:
        """How many bytes a value may have on this network."""
        link, _ = await self.ready()
        return link.peer.genesis.limits.value_bytes

    async def sealing_key(self, collection: str) -> SealingKey:
        """A collection's public sealing key, vouched for by the attested service key.

        Raises UnavailableError, ReceiptInvalidError.
        """
        return await patiently(lambda: self._sealing_key(collection))

    async def _sealing_key(self, collection: str) -> SealingKey:
        link, account = await self.ready()
        try:
            data = await link.transport.sealing_key(encode_sealing_key_question(collection))
        except UnavailableError:
            await self.failed(link)
            raise
        key = decode_sealing_key(data)
        if isinstance(key, wire.Refusal):
            raise refusal_error(key, f"{collection}: its sealing key")
        statement = sealing_key_statement(account.network_id, collection, key.epoch, key.public)
        if not ed25519.is_valid(link.peer.trust.service_key, key.signature, statement):
            raise ReceiptInvalidError(
                f"{collection}: its sealing key is not signed by the attested service key",
                "someone between offers another key: do not use this endpoint",
            )
        return key

    # ------------------------------------------------------------------ transactions

    async def submit(self, operation: bytes, payload: bytes, what: str) -> Entry:
        """The proven entry of one operation; raises RefusedError if none was made of it.

        `what` begins the messages.
        """
        work = Work((operation,), (os.urandom(SALT_BYTES),), (payload,))
        signed = passed = 0
        while True:
            sent = self._sign(work, _AHEAD_MS[passed])
            result = await self._send(sent, what)
            if isinstance(result, wire.Recorded):
                return self._proven(result, sent)
            signed += 1
            if result.reason not in _AGAIN:
                raise refused(result.reason, what, result.hint)
            if signed == _MAX_SIGNED:
                raise refused(result.reason, what, _CLOCK_HINT)
            if result.reason is Reason.SEQUENCE_PASSED:
                passed = min(passed + 1, len(_AHEAD_MS) - 1)

    def _sign(self, work: Work, ahead_ms: int) -> Transaction:
        now_ms = self._now_ms()
        self._sequence = max(self._sequence + 1, now_ms + ahead_ms)
        return sign_transaction(self.account, self._sequence, now_ms, work)

    def _proven(self, recorded: wire.Recorded, sent: Transaction) -> Entry:
        try:
            return verify_recorded(recorded, sent, self._book)
        except LogForkedError as error:
            self.alarm(error)
            raise

    async def _send(self, sent: Transaction, what: str) -> wire.Recorded | wire.Refusal:
        """The answer to these bytes (2 and 4 above)."""
        is_unsure = False

        async def send_once() -> wire.Recorded | wire.Refusal:
            nonlocal is_unsure
            link, _ = await self.ready()
            try:
                result = read_answer(await link.transport.submit_one(sent.request), sent)
            except UnavailableError:
                is_unsure = True
                await self.failed(link)
                raise
            if isinstance(result, wire.Refusal) and result.reason in TRY_LATER:
                is_unsure = is_unsure or result.reason is Reason.INTERNAL
                raise UnavailableError(f"{what}: {result.reason.name}", result.hint)
            return result

        try:
            return await patiently(send_once)
        except SealedgerClientError as error:
            if is_unsure and not isinstance(error, LogForkedError):
                raise unknown_outcome(error.message) from error
            raise
