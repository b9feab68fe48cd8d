"""A node for the client's tests: a real gRPC and TLS server before a `FakeLedger`.

Honest unless told: `on_hello` and `on_reply` change what it says, `refuse` what it answers first,
`lose` breaks the stream after recording, `withhold` never answers. It checks that one stream's
transactions are signed for one network and that nothing beyond 8 MiB is sent.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from typing import Any, cast

import grpc
import grpc.aio

from contracts.errors import RefusedError
from kms.errors import KeyServiceRefusal
from kms.messages import Released, decode_hello_evidence
from ledger.errors import FormatError
from ledger.format.receipt import decode_receipt
from ledger.format.transaction import decode_envelope, transaction_hash
from ledger.reason import Reason
from node.tls import ServerTls, make_server_tls
from sealedger.v1 import kms_pb2, node_pb2_grpc
from sealedger.v1 import node_pb2 as pb
from tests.enclave_client.fake_ledger import Entry, FakeLedger, now_ms
from tests.support.small_platform import SmallPlatform

MAX_SEALED_BYTES = 4 * 1024 * 1024
Context = grpc.aio.ServicerContext[Any, Any]


class FakeNode(node_pb2_grpc.NodeServicer):
    """One endpoint; `async with` opens and closes it."""

    def __init__(self, ledger: FakeLedger) -> None:
        self.ledger = ledger
        self.on_hello: Callable[[pb.HelloReply], pb.HelloReply] = lambda reply: reply
        self.on_reply: Callable[[pb.SubmitReply], pb.SubmitReply] = lambda reply: reply
        self.signed_nonce: bytes | None = None  # what Hello is signed for, if not for the asked
        self.signed_spki: bytes | None = None
        self.refuse: deque[Reason] = deque()  # for the next transactions of streams
        self.refuse_attest: deque[Reason] = deque()
        self.refuse_tickets: deque[Reason] = deque()
        self.lose = 0  # so many answers get lost after recording, with their stream
        self.withhold: asyncio.Event | None = None  # answers wait for it
        self.fits = MAX_SEALED_BYTES  # sealed bytes in one answer
        self.batches: list[int] = []  # operations of each transaction that came by stream
        self.received: list[bytes] = []  # the same transactions' hashes
        self.tickets = 0
        self.port = 0
        self.tls: ServerTls  # from `open` on
        self._server: grpc.aio.Server | None = None

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> "FakeNode":
        await self.ledger.key_service.refresh_evidence(self.ledger.note)
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Listen, on the same port as before; with a new TLS key, as each start has."""
        self.tls = await make_server_tls(SmallPlatform(), now_ms() // 1000)
        server = grpc.aio.server(
            options=(
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", 8 * 1024 * 1024),
                ("grpc.max_send_message_length", 8 * 1024 * 1024),
            )
        )
        node_pb2_grpc.add_NodeServicer_to_server(self, server)
        credentials = grpc.ssl_server_credentials([(self.tls.key, self.tls.certificate)])
        self.port = server.add_secure_port(f"127.0.0.1:{self.port}", credentials)
        await server.start()
        self._server = server

    async def close(self) -> None:
        """Stop at once, whatever runs."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop(None)

    # --------------------------------------------------------------------------- the service

    async def Hello(self, request: pb.HelloRequest, context: Context) -> pb.HelloReply:  # noqa: N802
        service = self.ledger.key_service
        nonce = self.signed_nonce or request.nonce
        spki_digest = self.signed_spki or self.tls.spki_digest
        hello = decode_hello_evidence(service.hello(nonce, spki_digest))
        return self.on_hello(
            pb.HelloReply(
                genesis=self.ledger.genesis,
                checkpoint=hello.checkpoint,
                evidence=hello.evidence,
                tls_spki_digest=spki_digest,
                signature=hello.signature,
                time_ms=now_ms(),
                latest_checkpoint=self.ledger.note,
            )
        )

    async def Attest(self, request: pb.SubmitRequest, context: Context) -> pb.SubmitReply:  # noqa: N802
        if self.refuse_attest:
            name = transaction_hash(decode_envelope(request.envelope).body)
            return _refusal(name, self.refuse_attest.popleft())
        return self.on_reply(self._answer(request.envelope))

    async def SubmitOne(self, request: pb.SubmitRequest, context: Context) -> pb.SubmitReply:  # noqa: N802
        return self.on_reply(self._answer(request.envelope))

    async def Submit(  # noqa: N802
        self, requests: AsyncIterator[pb.SubmitRequest], context: Context
    ) -> AsyncIterator[pb.SubmitReply]:
        async for request in requests:
            body = decode_envelope(request.envelope)
            self.batches.append(len(body.operations))
            self.received.append(transaction_hash(body.body))
            if self.refuse:
                yield _refusal(self.received[-1], self.refuse.popleft())
                continue
            reply = self.on_reply(self._answer(request.envelope))
            if self.lose:
                self.lose -= 1
                await context.abort(grpc.StatusCode.UNAVAILABLE, "the answer is lost")
            if self.withhold is not None:
                await self.withhold.wait()
            yield reply

    async def Release(self, request: pb.ReleaseTicket, context: Context) -> pb.ReleaseAnswer:  # noqa: N802
        self.tickets += 1
        if self.refuse_tickets:
            reason = cast("Any", self.refuse_tickets.popleft().value)
            return pb.ReleaseAnswer(refusal=pb.Refusal(reason=reason, hint="said the node"))
        receipt = decode_receipt(request.receipt)
        sealed, released = self.ledger.release(self.ledger.entries[receipt.index])
        at = receipt.opened[0].position
        return pb.ReleaseAnswer(
            released=pb.ReleasedSecret(sealed=sealed[at], released=_released(released[at]))
        )

    def _answer(self, envelope: bytes) -> pb.SubmitReply:
        name = sha256(decode_envelope(envelope).body).digest()
        try:
            entry = self.ledger.submit(envelope)
            sealed, released = self.ledger.release(entry)
        except (RefusedError, FormatError, KeyServiceRefusal) as error:
            return _refusal(name, error.reason, getattr(error, "hint", ""))
        return recorded(self.ledger, entry, self._fitting(sealed, released), released)

    def _fitting(self, sealed: list[bytes], released: list[Released]) -> list[bytes]:
        room = self.fits
        for position, one in enumerate(sealed):
            room -= len(one)
            if room < 0 and one:
                sealed[position] = b""
                released[position] = Released(Reason.TOO_LARGE)
        return sealed


def recorded(
    ledger: FakeLedger, entry: Entry, sealed: list[bytes], released: list[Released]
) -> pb.SubmitReply:
    """The honest answer for an entry, under the newest checkpoint."""
    return pb.SubmitReply(
        transaction_hash=entry.prepared.hash,
        recorded=pb.Recorded(
            index=entry.index,
            leaf=entry.executed.leaf,
            hashes=b"".join(ledger.tree.inclusion_proof(entry.index, ledger.tree.size)),
            checkpoint=ledger.note,
            outcomes=entry.executed.encoded,
            sealed=sealed,
            released=map(_released, released),
        ),
    )


def _refusal(name: bytes, reason: Reason, hint: str = "") -> pb.SubmitReply:
    refusal = pb.Refusal(reason=cast("Any", reason.value), hint=hint)
    return pb.SubmitReply(transaction_hash=name, refusal=refusal)


def _released(one: Released) -> kms_pb2.Released:
    return kms_pb2.Released(reason=cast("Any", one.reason.value), sealed_key=one.sealed_key)
