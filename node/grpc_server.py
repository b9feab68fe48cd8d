"""The gRPC adapter: decodes, calls one function, encodes.

On a stream every refusal is a reply; a status means that the stream is broken. Submissions of one
stream run side by side, at most 64 of them, and replies are written as they come.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from kms.errors import KeyServiceRefusal
from node.errors import ConfigError
from node.grpc_guard import NOT_A_MESSAGE, Guard
from node.service import LedgerService
from node.tls import ServerTls
from sealedger.v1 import node_pb2 as pb
from sealedger.v1 import node_pb2_grpc

MAX_IN_FLIGHT = 64
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
MAX_UNREAD_BYTES = 8 * 1024 * 1024
SERVICE_NAME = "sealedger.v1.Node"

_log = structlog.get_logger()
Context = grpc.aio.ServicerContext[Any, Any]


class NodeServicer(node_pb2_grpc.NodeServicer):
    """sealedger.v1.Node over a LedgerService."""

    def __init__(self, service: LedgerService) -> None:
        """Keep the service."""
        self._service = service

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

        async with asyncio.TaskGroup() as group:
            async for request in requests:
                if request is None:
                    break
                await unread.wait()
                await slots.acquire()
                group.create_task(answer(request.envelope))
            else:
                return
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, NOT_A_MESSAGE)

    async def Release(  # noqa: N802  (the method's name in the .proto)
        self,
        request: pb.ReleaseTicket,
        context: Context,  # noqa: ARG002  (gRPC's signature)
    ) -> pb.ReleaseAnswer:
        """The receipt is the ticket."""
        return self._service.release(request.receipt)


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
        self._health = health.aio.HealthServicer()
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
        node_pb2_grpc.add_NodeServicer_to_server(NodeServicer(self._service), server)
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
        """Stop taking calls, let running ones finish within the grace."""
        if self._server is None:
            return
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace_s)
        self._server = None


def _result(reply: pb.SubmitReply) -> str:
    if reply.HasField("refusal"):
        return str(reply.refusal.reason)
    return "recorded"
