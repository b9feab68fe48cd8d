"""Reaching a node: dial, judge it, open sessions, acquire keys, redeem tickets.

Rules: every new channel starts with a Hello that is judged in full; a session outlives channels.
Endpoints are tried in turn, starting behind the last one that failed. Each method tries once and
raises; what is tried again, and when, is the pipeline's.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

from attestation.errors import AttestationError
from attestation.platforms.platform import Platform
from enclave_client import session as sessions
from enclave_client import wire
from enclave_client.attest import Asked, Peer, verify_hello
from enclave_client.checkpoints import CheckpointBook
from enclave_client.collateral import CollateralFloor
from enclave_client.errors import (
    AttestationFailedError,
    Check,
    LogForkedError,
    ReceiptInvalidError,
    SealedgerClientError,
    SessionOverError,
    UnavailableError,
)
from enclave_client.network_file import NetworkFile
from enclave_client.outcomes import refused
from enclave_client.receipts import Receipt
from enclave_client.replies import read_outcome, verify_recorded
from enclave_client.session import Session, WriterKey
from enclave_client.transactions import Transaction, Work, sign_transaction
from enclave_client.transport import Transport
from ledger.crypto.aead import OpenError
from ledger.format.hygiene import RevokeSession
from ledger.format.operation import SALT_BYTES, AcquireKey, encode_operation
from ledger.format.outcome import KeyAcquired, Outcome
from ledger.reason import Reason
from ledger.sealing import open_released, release_key

NONCE_BYTES = 32
PEER_FRESH_MS = 30_000

SESSION_OVER = frozenset({Reason.SESSION_EXPIRED, Reason.UNKNOWN_SIGNER, Reason.COLLATERAL_CHANGED})
TRY_LATER = frozenset(
    {Reason.OVERLOADED, Reason.SHUTTING_DOWN, Reason.INTERNAL, Reason.NOT_STARTED}
)


@dataclass(frozen=True, slots=True)
class Link:
    """A channel to a node that proved itself at `judged_ms`."""

    transport: Transport
    peer: Peer
    judged_ms: int


class Dialer:
    """Finds a node that proves itself. Safe to use from several tasks of one loop."""

    def __init__(
        self,
        network: NetworkFile,
        book: CheckpointBook,
        *,
        proxied: bool,
        now_ms: Callable[[], int],
    ) -> None:
        """Keep the parts."""
        self._network = network
        self._book = book
        self._floor = CollateralFloor()
        self._proxied = proxied
        self._now_ms = now_ms
        self._endpoints = list(network.endpoints)

    async def link(self) -> Link:
        """A channel to the first endpoint that answers and proves itself.

        Raises AttestationFailedError if one failed to, else UnavailableError.
        """
        faults: list[SealedgerClientError] = []
        for _ in range(len(self._endpoints)):
            try:
                return await self._link(self._endpoints[0])
            except LogForkedError:
                raise
            except (UnavailableError, AttestationFailedError, ReceiptInvalidError) as error:
                faults.append(error)
                self._endpoints.append(self._endpoints.pop(0))
        faults.sort(key=lambda fault: isinstance(fault, UnavailableError))
        raise faults[0]

    async def _link(self, endpoint: str) -> Link:
        transport = await Transport.dial(endpoint, proxied=self._proxied)
        try:
            return Link(transport, await self._hello(transport), self._now_ms())
        except BaseException:
            await transport.close()
            raise

    async def _hello(self, transport: Transport) -> Peer:
        nonce = os.urandom(NONCE_BYTES)
        answer = wire.decode_hello(await transport.hello(wire.encode_hello(nonce)))
        spki_digest = None if self._proxied else transport.spki_digest
        asked = Asked(nonce, spki_digest, self._now_ms() // 1000)
        return verify_hello(answer, asked, self._network, self._book, self._floor)


class Connector(Dialer):
    """What the pipeline asks a node for: a dialer that also proves this enclave."""

    def __init__(
        self,
        network: NetworkFile,
        platform: Platform,
        book: CheckpointBook,
        *,
        proxied: bool,
        now_ms: Callable[[], int],
    ) -> None:
        """Keep the parts."""
        super().__init__(network, book, proxied=proxied, now_ms=now_ms)
        self._platform = platform

    async def session(self, link: Link) -> Session:
        """Open a session with our own evidence.

        Raises AttestationFailedError, DeniedError, other RefusedErrors, UnavailableError.
        """
        started_ms = self._now_ms()
        is_fresh = started_ms - link.judged_ms < PEER_FRESH_MS
        peer = link.peer if is_fresh else await self._hello(link.transport)
        opening = sessions.begin(self._network.network_id, peer)
        try:
            evidence = await self._platform.evidence(opening.report_data)
        except AttestationError as error:
            raise AttestationFailedError(
                Check.OWN_EVIDENCE,
                str(error),
                "this program's platform cannot quote: check its files and device",
            ) from error
        sent = opening.transaction(evidence, os.urandom(SALT_BYTES), started_ms)
        recorded = _recorded(
            await link.transport.attest(sent.request), sent, "the session was refused"
        )
        return opening.finish(sent, recorded, self._book, started_ms)

    async def acquire(self, link: Link, session: Session, collection: str) -> None:
        """Give the session its key of a collection, so that it can write there.

        Raises DeniedError and other RefusedErrors, SessionOverError, UnavailableError.
        """
        work = Work((encode_operation(AcquireKey(collection)),), (os.urandom(SALT_BYTES),), (b"",))
        sent = sign_transaction(session.signer, session.next_sequence(), self._now_ms(), work)
        what = f"{collection}: cannot be written"
        recorded = _recorded(await link.transport.submit_one(sent.request), sent, what)
        entry = verify_recorded(recorded, sent, self._book)
        outcome = read_outcome(entry.outcomes[0])
        if outcome.reason is not Reason.OK:
            raise refused(outcome.reason, what, receipt=Receipt(entry, 0))
        acquired = _acquired(outcome, session, collection)
        released = recorded.released[0] if recorded.released else None
        if released is None or released.reason in TRY_LATER:
            raise UnavailableError(f"{what}: its key was not released yet", "try again")
        if released.reason is not Reason.OK:
            raise refused(released.reason, what)
        try:
            kek = open_released(
                release_key(session.secret, entry.leaf_hash, 0), released.sealed_key
            )
        except OpenError as error:
            raise ReceiptInvalidError(f"{what}: the released key does not open") from error
        session.writer_keys[collection] = WriterKey(acquired.epoch, kek)

    async def end(self, link: Link, session: Session) -> None:
        """End a session on the ledger; raises RefusedErrors, SessionOverError, UnavailableError."""
        operation = encode_operation(RevokeSession(session.id, ""))
        work = Work((operation,), (os.urandom(SALT_BYTES),), (b"",))
        sent = sign_transaction(session.signer, session.next_sequence(), self._now_ms(), work)
        what = "the session cannot be ended"
        recorded = _recorded(await link.transport.submit_one(sent.request), sent, what)
        entry = verify_recorded(recorded, sent, self._book)
        outcome = read_outcome(entry.outcomes[0])
        if outcome.reason is not Reason.OK:
            raise refused(outcome.reason, what, receipt=Receipt(entry, 0))

    async def redeem(self, link: Link, receipt: Receipt) -> wire.ReleasedSecret:
        """What a read's ticket gives; raises RefusedError, UnavailableError."""
        answer = wire.decode_release(
            await link.transport.release(wire.encode_ticket(receipt.encode()))
        )
        if isinstance(answer, wire.Refusal):
            raise refusal_error(answer, "the ticket was refused")
        return answer


def read_answer(data: bytes, sent: Transaction) -> wire.Recorded | wire.Refusal:
    """The answer to this very transaction; ReceiptInvalidError if it is another's."""
    answer = wire.decode_answer(data)
    if answer.transaction_hash != sent.hash:
        raise ReceiptInvalidError("the answer is to another transaction")
    return answer.result


def _recorded(data: bytes, sent: Transaction, what: str) -> wire.Recorded:
    result = read_answer(data, sent)
    if isinstance(result, wire.Refusal):
        raise refusal_error(result, what)
    return result


def refusal_error(refusal: wire.Refusal, what: str) -> SealedgerClientError:
    """What a node's refusal means: try later, attest again, or no."""
    if refusal.reason in TRY_LATER:
        return UnavailableError(f"{what}: {refusal.reason.name}", refusal.hint)
    if refusal.reason in SESSION_OVER:
        return SessionOverError(f"{what}: {refusal.reason.name}", refusal.hint)
    return refused(refusal.reason, what, refusal.hint)


def _acquired(outcome: Outcome, session: Session, collection: str) -> KeyAcquired:
    detail = outcome.detail
    if (
        not isinstance(detail, KeyAcquired)
        or detail.collection != collection
        or detail.session_id != session.id
    ):
        raise ReceiptInvalidError("the outcome is not that of our request for a key")
    return detail
