"""Someone between client and node: ends TLS with a certificate of its own, sees and changes bytes.

Everything it does not meddle with reaches the other side as it came.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio

from enclave_client.errors import UnavailableError
from enclave_client.transport import SubmitStream, Transport
from node.tls import ServerTls, make_server_tls
from tests.support.small_platform import SmallPlatform

SERVICE = "/sealedger.v1.Node/"
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
Context = grpc.aio.ServicerContext[bytes, bytes]


class BreakError(Exception):
    """The relay cuts this call."""


class Meddler:
    """Sees every message; what a method returns goes on in its place, None goes nowhere.

    Raising BreakError cuts the call or stream. The method is Hello, Attest, Submit and so on.
    """

    async def request(self, method: str, data: bytes) -> bytes | None:
        """A message of the client."""
        return data

    async def reply(self, method: str, data: bytes) -> bytes | None:
        """A message of the node."""
        return data


@dataclass(slots=True)
class Relay:
    """A running relay."""

    endpoint: str
    meddler: Meddler
    tls: ServerTls
    port: int = 0
    _links: list[Transport] = field(default_factory=list)

    async def unary(self, method: str, data: bytes, context: Context) -> bytes:
        """One call."""
        try:
            sent = _kept(await self.meddler.request(method, data))
            calls: dict[str, Callable[[bytes], Any]] = {
                "Hello": self.node.hello,
                "Attest": self.node.attest,
                "SubmitOne": self.node.submit_one,
                "Release": self.node.release,
                "Ask": self.node.ask,
            }
            reply = _kept(await self.meddler.reply(method, await calls[method](sent)))
        except (BreakError, UnavailableError):
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the relay cut this call")
        return reply

    async def submit(self, requests: AsyncIterator[bytes], context: Context) -> None:
        """One Submit stream, both directions at once."""
        stream = self.node.submit()
        writing = asyncio.Lock()
        tasks = (
            asyncio.create_task(self._up(requests, stream)),
            asyncio.create_task(self._down(stream, context, writing)),
        )
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            broken = any(isinstance(one.exception(), BreakError | UnavailableError) for one in done)
        finally:
            stream.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        async with writing:  # the library takes one operation of a kind at a time
            if broken:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "the relay cut this stream")

    async def _up(self, requests: AsyncIterator[bytes], stream: SubmitStream) -> None:
        async for data in requests:
            sent = await self.meddler.request("Submit", data)
            if sent is not None:
                await stream.write(sent)

    async def _down(self, stream: SubmitStream, context: Context, writing: asyncio.Lock) -> None:
        async def write(reply: bytes) -> None:
            async with writing:
                with contextlib.suppress(grpc.aio.InternalError):  # the client went away
                    await context.write(reply)

        while True:
            reply = await self.meddler.reply("Submit", await stream.read())
            if reply is not None:
                await asyncio.shield(asyncio.create_task(write(reply)))

    @property
    def node(self) -> Transport:
        """The relay's own channel to the node."""
        return self._links[-1]

    async def dial(self) -> None:
        """Reach the node (again)."""
        self._links.append(await Transport.dial(self.endpoint, proxied=False))

    async def close(self) -> None:
        """Close the channels to the node."""
        for link in self._links:
            await link.close()


def _kept(data: bytes | None) -> bytes:
    if data is None:
        raise BreakError
    return data


class _Methods(grpc.GenericRpcHandler):
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def service(self, handler_call_details: Any) -> Any:
        method = handler_call_details.method.removeprefix(SERVICE)
        if method == "Submit":
            return grpc.stream_stream_rpc_method_handler(self._relay.submit)

        async def unary(data: bytes, context: Context) -> bytes:
            return await self._relay.unary(method, data, context)

        return grpc.unary_unary_rpc_method_handler(unary)


@asynccontextmanager
async def relaying(port: int, meddler: Meddler) -> AsyncIterator[Relay]:
    """A relay in front of the node on `port`, until the block ends."""
    tls = await make_server_tls(SmallPlatform(), int(time.time()))
    relay = Relay(f"127.0.0.1:{port}", meddler, tls)
    await relay.dial()
    server = grpc.aio.server(
        options=(
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        )
    )
    server.add_generic_rpc_handlers((_Methods(relay),))
    credentials = grpc.ssl_server_credentials([(tls.key, tls.certificate)])
    relay.port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    try:
        yield relay
    finally:
        await server.stop(None)
        await relay.close()
