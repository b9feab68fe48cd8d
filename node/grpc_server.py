"""The gRPC adapter: decodes, calls one function, encodes.

On a stream every refusal is a reply; a status means that the stream is broken. Submissions of one
stream run side by side, at most 64 of them, and replies are written as they come. When the node
stops, what was taken is answered, then streams end as UNAVAILABLE (grpc_drain.py).
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from kms.errors import KeyServiceRefusal
from ledger.reason import Reason
from node.errors import ConfigError
from node.grpc_drain import STOPPING, Drain
from node.grpc_guard import NOT_A_MESSAGE, Guard
from node.service import LedgerService
from node.tls import ServerTls
from sealedger.v1 import kms_pb2, node_pb2_grpc
from sealedger.v1 import node_pb2 as pb

MAX_IN_FLIGHT = 64
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
MAX_UNREAD_BYTES = 8 * 1024 * 1024
SERVICE_NAME = "sealedger.v1.Node"

_log = structlog.get_logger()
Context = grpc.aio.ServicerContext[Any, Any]


class NodeServicer(node_pb2_grpc.NodeServicer):
    """sealedger.v1.Node over a LedgerService."""

    def __init__(self, service: LedgerService, drain: Drain) -> None:
        """Keep the service, and what ends its streams."""
        self._service = service
        self._drain = drain

    async def Hello(  # noqa: N802  (the method's name in the .proto)
        self, request: pb.HelloRequest, context: Context
    ) -> pb.HelloReply:
        """The key service's evidence."""
        try:
            return self._service.hello(request.nonce)
        except KeyServiceRefusal as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))

    async def Attest(  # noqa: N802  (the method's name in the .proto)
        self,
        request: pb.SubmitRequest,
        context: Context,  # noqa: ARG002  (gRPC's signature)
    ) -> pb.SubmitReply:
        """Open a session."""
        reply = await self._service.submit(request.envelope)
        _log.info("attest", result=_result(reply))
        return reply

    async def SubmitOne(  # noqa: N802  (the method's name in the .proto)
        self,
        request: pb.SubmitRequest,
        context: Context,  # noqa: ARG002  (gRPC's signature)
    ) -> pb.SubmitReply:
        """Submit one transaction."""
        return await self._service.submit(request.envelope)

    async def Submit(  # noqa: N802  (the method's name in the .proto)
        self, requests: AsyncIterator[pb.SubmitRequest | None], context: Context
    ) -> None:
        """Submit many; replies come as they are ready. What does not parse ends the stream."""
        slots = asyncio.Semaphore(MAX_IN_FLIGHT)
        writing = asyncio.Lock()
        unread = _Unread()
        is_malformed = False

        async def answer(envelope: bytes) -> None:
            size = 0
            try:
                reply = await self._service.submit(envelope)
                del envelope  # up to 4 MiB that need not wait for the reader of the reply
                size = sum(map(len, reply.recorded.sealed))
                unread.add(size)
                async with writing:
                    await context.write(reply)
            except grpc.aio.InternalError:
                # The line broke under the answer; the client asks again with the same bytes.
                _log.debug("an answer was not taken")
            finally:
                unread.add(-size)
                slots.release()

        async def read() -> None:
            nonlocal is_malformed
            async for request in requests:
                if request is None:
                    is_malformed = True
                    return
                await unread.wait()
                await slots.acquire()
                self._drain.answering(group.create_task(answer(request.envelope)))

        async with asyncio.TaskGroup() as group:
            is_stopping = await self._drain.read(read())
        if is_malformed:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, NOT_A_MESSAGE)
        if is_stopping:
            await context.abort(grpc.StatusCode.UNAVAILABLE, STOPPING)

    async def Release(  # noqa: N802  (the method's name in the .proto)
        self,
        request: pb.ReleaseTicket,
        context: Context,  # noqa: ARG002  (gRPC's signature)
    ) -> pb.ReleaseAnswer:
        """The receipt is the ticket."""
        return self._service.release(request.receipt)

    async def Ask(  # noqa: N802  (the method's name in the .proto)
        self,
        request: pb.QueryRequest,
        context: Context,  # noqa: ARG002  (gRPC's signature)
    ) -> pb.QueryReply:
        """A signed question."""
        return self._service.ask(request.query, request.signature)

    async def Watch(  # noqa: N802  (the method's name in the .proto)
        self,
        request: pb.QueryRequest,
        context: Context,
    ) -> None:
        """A signed question, answered for as long as the asker may ask."""
        async for reply in self._service.watch(request.query, request.signature):
            await context.write(reply)

    async def SealingKey(  # noqa: N802  (the method's name in the .proto)
        self,
        request: kms_pb2.SealingKeyQuestion,
        context: Context,  # noqa: ARG002  (gRPC's signature)
    ) -> pb.SealingKeyReply:
        """The public key that an owner without a TEE seals values to."""
        return self._service.sealing_key(request.SerializeToString(deterministic=True))

    async def Collateral(  # noqa: N802  (the method's name in the .proto)
        self,
        request: pb.CollateralQuestion,
        context: Context,  # noqa: ARG002  (gRPC's signature)
    ) -> pb.CollateralReply:
        """The collateral in force."""
        return self._service.collateral(request.key)


class _Health(health.aio.HealthServicer):
    """The standard service; whoever watches it is told of the stop."""

    def __init__(self, drain: Drain) -> None:
        super().__init__()
        self._drain = drain

    async def Watch(  # noqa: N802  (the method's name in the .proto)
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> None:
        """Health now and whenever it changes, until the node stops."""
        if await self._drain.read(super().Watch(request, context)):
            await context.abort(grpc.StatusCode.UNAVAILABLE, STOPPING)


class _Unread:
    """Sealed bytes of one stream's answers that its client has not taken yet."""

    def __init__(self) -> None:
        self._bytes = 0
        self._has_room = asyncio.Event()
        self._has_room.set()

    def add(self, size: int) -> None:
        """Count an answer that waits; a negative size when it is gone."""
        self._bytes += size
        if self._bytes > MAX_UNREAD_BYTES:
            self._has_room.clear()
        else:
            self._has_room.set()

    async def wait(self) -> None:
        """Wait until the client has taken enough: it gets no more before."""
        await self._has_room.wait()


class GrpcServer:
    """The listening server; opened and closed by name."""

    def __init__(self, service: LedgerService, tls: ServerTls, listen: str) -> None:
        """Keep the parts."""
        self._service = service
        self._tls = tls
        self._listen = listen
        self._server: grpc.aio.Server | None = None
        self._drain = Drain()
        self._health = _Health(self._drain)
        self.port = 0

    async def open(self) -> None:
        """Listen; ConfigError if the address cannot be had."""
        server = grpc.aio.server(
            interceptors=(Guard(),),
            options=(
                ("grpc.so_reuseport", 0),
                # Windows that grow with the line's speed would let one sender fill the memory.
                ("grpc.http2.bdp_probe", 0),
                ("grpc.http2.lookahead_bytes", 256 * 1024),
                ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
                ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            ),
        )
        node_pb2_grpc.add_NodeServicer_to_server(NodeServicer(self._service, self._drain), server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        credentials = grpc.ssl_server_credentials([(self._tls.key, self._tls.certificate)])
        try:
            self.port = server.add_secure_port(self._listen, credentials)
        except RuntimeError as error:
            raise ConfigError(
                f"cannot listen on {self._listen}",
                "another program has this address, or it is not this machine's: stop that program, "
                "or change grpc.listen in node.toml and the endpoint in network.toml",
            ) from error
        await server.start()
        self._server = server
        serving = health_pb2.HealthCheckResponse.SERVING
        for name in ("", SERVICE_NAME):
            await self._health.set(name, serving)

    async def close(self, grace_s: float = 5.0) -> None:
        """Take nothing new, answer what was taken within the grace; then every call is cut."""
        server, self._server = self._server, None
        if server is None:
            return
        await self._health.enter_graceful_shutdown()
        stopping = asyncio.create_task(server.stop(grace_s))
        self._service.stop_taking()
        self._service.stop_watches()
        await self._drain.close(grace_s)
        await stopping


def _result(reply: pb.SubmitReply) -> str:
    if reply.HasField("refusal"):
        return Reason(reply.refusal.reason).name
    return "recorded"
