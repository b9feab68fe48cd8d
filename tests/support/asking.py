"""Signed questions, and transactions of accounts, over a channel of their own: every byte is ours.

What comes back is proven as a stranger would prove it: with the network file alone.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256

import grpc.aio

from enclave_client.network_file import NetworkFile
from enclave_client.transactions import Transaction
from ledger.crypto import secp256k1
from ledger.crypto.secret import Secret
from ledger.format.eip712 import query_digest, transaction_digest
from ledger.format.operation import Operation
from ledger.format.query import Query, Question, encode_query, query_hash, query_message
from ledger.format.receipt import Opened, Receipt, VerifiedReceipt, verify_receipt
from ledger.format.summary import summarize, summarize_question
from ledger.format.transaction import SignerKind, encode_body, transaction_hash
from ledger.reason import Reason
from sealedger.v1 import node_pb2 as pb
from tests.support.fuzzing import SERVICE, raw_channel
from tests.support.raw_client import RawClient, now_ms

TIMEOUT_S = 20


@dataclass(slots=True)
class AccountKey:
    """An account's key, made from a name, and its next number."""

    name: str
    key: secp256k1.SigningKey = field(init=False)
    sequence: int = 0

    def __post_init__(self) -> None:
        self.key = secp256k1.SigningKey(Secret(sha256(f"account {self.name}".encode()).digest()))

    @property
    def address(self) -> bytes:
        """20 bytes."""
        return self.key.address

    def transaction(
        self, client: RawClient, *steps: tuple[Operation, bytes], **changes: object
    ) -> Transaction:
        """A transaction of this account, sent by whoever holds a channel."""
        self.sequence += 1
        usual = {
            "signer_kind": SignerKind.ACCOUNT,
            "signer": self.address,
            "sequence": self.sequence,
        }
        draft = client.draft(*steps, **(usual | changes))
        body = draft.body
        digest = transaction_digest(
            body.network_id,
            body.sequence,
            summarize(tuple(operation for operation, _ in steps)),
            transaction_hash(encode_body(body)),
        )
        return client.sign(draft, lambda _: self.key.sign(digest))

    async def run(self, client: RawClient, *operations: Operation) -> list[Reason]:
        """Run operations without payloads; their reasons."""
        steps = tuple((operation, b"") for operation in operations)
        return (await client.recorded(self.transaction(client, *steps))).reasons


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who asks: a session or an account, on one channel."""

    channel: grpc.aio.Channel
    network: NetworkFile
    kind: SignerKind
    name: bytes
    sign: Callable[[bytes], bytes]

    def request(self, question: Question, **changes: object) -> pb.QueryRequest:
        """A signed question; `changes` are fields of the query."""
        usual = Query(self.network.network_id, self.kind, self.name, now_ms(), question)
        query = replace(usual, **changes)  # type: ignore[arg-type]  # fields of any type
        body = encode_query(query)
        message = query_message(query.network_id, body)
        if self.kind is SignerKind.ACCOUNT:
            summary = summarize_question(question)
            message = query_digest(query.network_id, query.time_ms, summary, query_hash(body))
        return pb.QueryRequest(query=body, signature=self.sign(message))

    async def send(self, request: pb.QueryRequest) -> pb.QueryReply:
        """The answer to any request."""
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self.channel.unary_unary(
            SERVICE + "Ask"
        )
        return pb.QueryReply.FromString(await call(request.SerializeToString(), timeout=TIMEOUT_S))

    async def ask(self, question: Question) -> pb.QueryReply:
        """The answer; AssertionError if it was refused."""
        reply = await self.send(self.request(question))
        assert not reply.HasField("refusal"), reply.refusal
        return reply

    async def refused(self, question: Question, **changes: object) -> Reason:
        """Why there is no answer; AssertionError if there is one."""
        reply = await self.send(self.request(question, **changes))
        assert reply.HasField("refusal")
        assert reply.refusal.hint
        return Reason(reply.refusal.reason)

    def watch(self, question: Question) -> "Watch":
        """Begin to watch."""
        return self.watching(self.request(question).SerializeToString())

    def watching(self, request: bytes) -> "Watch":
        """Begin to watch with any bytes."""
        call: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = self.channel.unary_stream(
            SERVICE + "Watch"
        )
        return Watch(call(request, timeout=60))

    def proven(self, reply: pb.QueryReply) -> list[VerifiedReceipt]:
        """Each entry of an answer that shows operations, verified like a receipt."""
        rule, network_id = self.network.rule(), self.network.network_id
        return [
            verify_receipt(receipt_of(entry, reply.checkpoint), rule, network_id)
            for entry in reply.entries
            if entry.operations
        ]


@dataclass(frozen=True, slots=True)
class Watch:
    """A stream of answers."""

    call: grpc.aio.UnaryStreamCall[bytes, bytes]

    async def next(self) -> pb.QueryReply:
        """The next answer."""
        data = await self.call.read()
        assert isinstance(data, bytes), "the watch ended without a word"
        return pb.QueryReply.FromString(data)

    async def refusal(self) -> Reason:
        """The reason that ends it; AssertionError if it goes on behind it."""
        while not (reply := await self.next()).HasField("refusal"):
            pass
        assert await self.call.read() is grpc.aio.EOF
        return Reason(reply.refusal.reason)


def receipt_of(entry: pb.OpenedEntry, checkpoint: bytes) -> Receipt:
    """An entry of an answer as the receipt that it is."""
    hashes = tuple(entry.hashes[at : at + 32] for at in range(0, len(entry.hashes), 32))
    opened = tuple(
        Opened(one.position, one.salt, one.operation, one.outcome) for one in entry.operations
    )
    return Receipt(entry.index, hashes, checkpoint, entry.leaf, opened)


@asynccontextmanager
async def channel_to(network: NetworkFile) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the node of a network file."""
    port = int(network.endpoints[0].rpartition(":")[2])
    async with raw_channel(port) as channel:
        yield channel


def by_session(channel: grpc.aio.Channel, client: RawClient) -> Asker:
    """A session that asks."""
    session = client.session
    return Asker(channel, client.network, SignerKind.SESSION, session.id, session.signer.key.sign)


def by_account(channel: grpc.aio.Channel, network: NetworkFile, account: AccountKey) -> Asker:
    """An account that asks."""
    return Asker(channel, network, SignerKind.ACCOUNT, account.address, account.key.sign)
