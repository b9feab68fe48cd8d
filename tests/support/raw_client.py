"""A client that sends what no honest client would: every field of a transaction is the test's.

Attesting and sealing are the SDK's own; signing, numbering and sending are here.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

from attestation.platforms.platform import Platform
from enclave_client import wire
from enclave_client.checkpoints import CheckpointBook
from enclave_client.connector import Connector, Link
from enclave_client.network_file import NetworkFile
from enclave_client.replies import verify_recorded
from enclave_client.session import Session, WriterKey
from enclave_client.transactions import Transaction
from enclave_client.wire import Recorded, Refusal
from ledger.crypto.secret import Secret
from ledger.format.operation import (
    SALT_BYTES,
    AcquireKey,
    Operation,
    Put,
    encode_operation,
    operation_digest,
)
from ledger.format.outcome import Coordinates, Outcome, decode_outcome
from ledger.format.receipt import Opened, Receipt, encode_receipt
from ledger.format.sealed import MODE_SESSION, TAG_BYTES
from ledger.format.transaction import (
    Body,
    Envelope,
    SignerKind,
    encode_body,
    encode_envelope,
    signed_message,
    transaction_hash,
)
from ledger.reason import Reason
from ledger.sealing import seal_value

VALID_MS = 120_000


@dataclass(frozen=True, slots=True)
class Draft:
    """A transaction before it is signed; an operation may be any bytes."""

    operations: tuple[bytes, ...]
    payloads: tuple[bytes, ...]
    body: Body
    salts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """The proven entry of a transaction, its outcomes decoded."""

    recorded: Recorded
    outcomes: tuple[Outcome, ...]
    sent: Transaction

    @property
    def reasons(self) -> list[Reason]:
        """The outcomes' reasons."""
        return [one.reason for one in self.outcomes]

    @property
    def released(self) -> list[Reason | None]:
        """What the key service said to each operation."""
        return [one.reason if one else None for one in self.recorded.released]

    def ticket(self, position: int = 0) -> Receipt:
        """The receipt of one operation."""
        sent, recorded = self.sent, self.recorded
        opened = Opened(
            position, sent.salts[position], sent.operations[position], recorded.outcomes[position]
        )
        return Receipt(
            recorded.index, recorded.hashes, recorded.checkpoint, recorded.leaf, (opened,)
        )


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class RawClient:
    """An open session over a channel that was judged like any other."""

    network: NetworkFile
    link: Link
    session: Session
    book: CheckpointBook
    connector: Connector
    clock_ms: Callable[[], int] = now_ms
    sent: list[Transaction] = field(default_factory=list)

    @classmethod
    async def open(
        cls,
        network: NetworkFile,
        platform: Platform,
        clock_ms: Callable[[], int] = now_ms,
        *,
        proxied: bool = False,
    ) -> Self:
        """Connect and attest both ways; `clock_ms` is what transactions are signed by."""
        book = CheckpointBook(network.rule())
        connector = Connector(network, platform, book, proxied=proxied, now_ms=now_ms)
        link = await connector.link()
        try:
            session = await connector.session(link)
        except BaseException:
            await link.transport.close()
            raise
        return cls(network, link, session, book, connector, clock_ms)

    async def close(self) -> None:
        """Close the channel."""
        await self.link.transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # ------------------------------------------------------------------ making

    def draft(self, *steps: tuple[Operation | bytes, bytes], **changes: object) -> Draft:
        """A transaction of (operation, payload) steps; `changes` are fields of the body."""
        operations = tuple(
            one if isinstance(one, bytes) else encode_operation(one) for one, _ in steps
        )
        salts = tuple(os.urandom(SALT_BYTES) for _ in steps)
        body = Body(
            network_id=self.network.network_id,
            signer_kind=SignerKind.SESSION,
            signer=self.session.id,
            sequence=self.session.next_sequence(),
            valid_until_ms=self.clock_ms() + VALID_MS,
            atomic=False,
            operation_digests=tuple(map(operation_digest, salts, operations)),
        )
        body = replace(body, **changes)  # type: ignore[arg-type]  # the test names its fields
        return Draft(operations, tuple(payload for _, payload in steps), body, salts)

    def sign(self, draft: Draft, sign: Callable[[bytes], bytes] | None = None) -> Transaction:
        """The transaction as it is sent: `request` is the SubmitRequest."""
        body = encode_body(draft.body)
        message = signed_message(draft.body.network_id, body)
        signature = (sign or self.session.signer.key.sign)(message)
        envelope = encode_envelope(
            Envelope(body, signature, draft.operations, draft.salts, draft.payloads)
        )
        return Transaction(
            transaction_hash(body),
            body,
            signature,
            draft.operations,
            draft.salts,
            draft.body.sequence,
            draft.body.valid_until_ms,
            wire.encode_submit(envelope),
        )

    def make(self, *steps: tuple[Operation | bytes, bytes], **changes: object) -> Transaction:
        """`draft` and `sign` in one."""
        return self.sign(self.draft(*steps, **changes))

    def put(
        self, name: str, value: bytes, collection: str, if_version: int | None = None
    ) -> tuple[Put, bytes]:
        """A sealed Put step; the session needs its key of the collection (`acquire`)."""
        key = self.session.writer_keys[collection]
        at = Coordinates(collection, name, os.urandom(16), key.epoch, MODE_SESSION, self.session.id)
        return self.sealed(at, value, if_version)

    def sealed(
        self, at: Coordinates, value: bytes, if_version: int | None = None
    ) -> tuple[Put, bytes]:
        """A Put step sealed for any coordinates, under the key of their collection if there is."""
        key = self.session.writer_keys.get(at.collection) or WriterKey(1, Secret(bytes(32)))
        sealed, digest = seal_value(
            self.network.network_id, at, key.kek, Secret(os.urandom(32)), value
        )
        size = len(value) + TAG_BYTES
        put = Put(at.collection, at.name, at.record_id, at.epoch, at.mode, digest, size, if_version)
        return put, sealed

    # ----------------------------------------------------------------- sending

    async def acquire(self, collection: str) -> None:
        """Get the session's key of a collection."""
        await self.connector.acquire(self.link, self.session, collection)

    async def answer(self, sent: Transaction) -> Recorded | Refusal:
        """The node's answer to a transaction, unproven."""
        answer = wire.decode_answer(await self.link.transport.submit_one(sent.request))
        if answer.transaction_hash != sent.hash:
            raise AssertionError("the answer names another transaction")
        return answer.result

    async def recorded(self, sent: Transaction) -> Answered:
        """The proven entry; AssertionError if it was refused."""
        return self.prove(sent, await self.answer(sent))

    def prove(self, sent: Transaction, result: Recorded | Refusal) -> Answered:
        """Check an answer as the SDK does."""
        assert isinstance(result, Recorded), f"refused: {result.reason.name}: {result.hint}"
        entry = verify_recorded(result, sent, self.book)
        return Answered(result, tuple(map(decode_outcome, entry.outcomes)), sent)

    async def refused(self, sent: Transaction) -> Reason:
        """The reason of a refusal; AssertionError if it was recorded."""
        result = await self.answer(sent)
        assert isinstance(result, Refusal), f"recorded at {result.index}"
        return result.reason

    async def run(self, *steps: tuple[Operation | bytes, bytes]) -> Answered:
        """Send operations, in one transaction."""
        return await self.recorded(self.make(*steps))

    async def has_key(self, collection: str) -> list[Reason]:
        """Ask for a collection's key; the outcome's and the key service's reasons."""
        answered = await self.run((AcquireKey(collection), b""))
        return [*answered.reasons, *(one for one in answered.released if one)]

    async def redeem(self, ticket: Receipt) -> Refusal | wire.ReleasedSecret:
        """What Release gives for a ticket."""
        request = wire.encode_ticket(encode_receipt(ticket))
        return wire.decode_release(await self.link.transport.release(request))
