"""TLS and gRPC: one channel, pinned to the certificate that the endpoint showed. The only adapter.

Rules: TLS 1.3 carries, it proves nothing; trust is in evidence and signatures, which bind the
certificate's key (`attest`). The node makes a new self-signed certificate at each start, so a
channel is never older than one start: after any break, dial again. Bytes in, bytes out; foreign
exceptions become UnavailableError. Nothing is retried here.
"""

import asyncio
import contextlib
import hashlib
import ssl
from collections.abc import Iterator
from typing import Protocol

import grpc
import grpc.aio
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enclave_client.errors import AttestationFailedError, Check, UnavailableError
from enclave_client.wire import clean

SERVER_NAME = "node.sealedger"
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
DIAL_TIMEOUT_S = 5.0
CALL_TIMEOUT_S = 20.0
_SERVICE = "/sealedger.v1.Node/"
_OPTIONS = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
)


class SubmitStream(Protocol):
    """One open Submit stream: one task writes, one reads; a break raises UnavailableError."""

    async def write(self, request: bytes) -> None:
        """Send one SubmitRequest; waits while the connection cannot take more."""
        ...

    async def read(self) -> bytes:
        """The next SubmitReply."""
        ...

    def cancel(self) -> None:
        """Give the stream up."""
        ...


class AnswerStream(Protocol):
    """One open stream of answers; a break raises UnavailableError."""

    async def read(self) -> bytes:
        """The next message."""
        ...

    def cancel(self) -> None:
        """Give the stream up."""
        ...


class Transport:
    """A channel to one endpoint whose certificate has the key digest `spki_digest`."""

    def __init__(self, endpoint: str, channel: grpc.aio.Channel, spki_digest: bytes) -> None:
        """Keep the parts; use `dial`."""
        self.endpoint = endpoint
        self.spki_digest = spki_digest  # SHA-256 of the SubjectPublicKeyInfo, DER
        self._channel = channel

    @classmethod
    async def dial(cls, endpoint: str, *, proxied: bool) -> "Transport":
        """Fetch the endpoint's certificate and open a channel pinned to exactly it.

        A node's certificate has one name everywhere; a proxy's has that of its endpoint.

        Raises UnavailableError, or AttestationFailedError for a certificate that cannot be read.
        """
        host = endpoint.rpartition(":")[0].strip("[]")
        name = host if proxied else SERVER_NAME
        der = await _fetch_certificate(endpoint, name)
        try:
            key = x509.load_der_x509_certificate(der).public_key()
            spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        except (ValueError, TypeError) as error:
            raise AttestationFailedError(
                Check.TLS, f"{endpoint} shows no readable certificate"
            ) from error
        pinned = grpc.ssl_channel_credentials(ssl.DER_cert_to_PEM_cert(der).encode())
        options = (*_OPTIONS, ("grpc.ssl_target_name_override", name))
        channel = grpc.aio.secure_channel(endpoint, pinned, options=options)
        return cls(endpoint, channel, hashlib.sha256(spki).digest())

    async def hello(self, request: bytes) -> bytes:
        """HelloRequest to HelloReply."""
        return await self._unary("Hello", request)

    async def attest(self, request: bytes) -> bytes:
        """SubmitRequest of an OpenSession to SubmitReply."""
        return await self._unary("Attest", request)

    async def submit_one(self, request: bytes) -> bytes:
        """SubmitRequest to SubmitReply."""
        return await self._unary("SubmitOne", request)

    async def release(self, request: bytes) -> bytes:
        """ReleaseTicket to ReleaseAnswer."""
        return await self._unary("Release", request)

    async def ask(self, request: bytes) -> bytes:
        """QueryRequest to QueryReply."""
        return await self._unary("Ask", request)

    async def sealing_key(self, request: bytes) -> bytes:
        """SealingKeyQuestion to SealingKeyReply."""
        return await self._unary("SealingKey", request)

    async def collateral(self, request: bytes) -> bytes:
        """CollateralQuestion to CollateralReply."""
        return await self._unary("Collateral", request)

    def watch(self, request: bytes) -> AnswerStream:
        """Open a Watch stream: a QueryRequest to QueryReplies."""
        with _broken(self.endpoint):
            call: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = self._channel.unary_stream(
                _SERVICE + "Watch"
            )
            return _GrpcAnswers(self.endpoint, call(request))

    def submit(self) -> SubmitStream:
        """Open a Submit stream."""
        call: grpc.aio.StreamStreamCall[bytes, bytes] = self._channel.stream_stream(
            _SERVICE + "Submit"
        )()
        return _GrpcStream(self.endpoint, call)

    async def close(self) -> None:
        """Close the channel at once."""
        await self._channel.close(grace=None)

    async def _unary(self, method: str, request: bytes) -> bytes:
        with _broken(self.endpoint):
            call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(
                _SERVICE + method
            )
            return bytes(await call(request, timeout=CALL_TIMEOUT_S))


class _GrpcAnswers:
    def __init__(
        self,
        endpoint: str,
        call: "grpc.aio.UnaryStreamCall[bytes, bytes] | grpc.aio.StreamStreamCall[bytes, bytes]",
    ) -> None:
        self._endpoint = endpoint
        self._call = call

    async def read(self) -> bytes:
        with _broken(self._endpoint):
            reply = await self._call.read()
        if isinstance(reply, bytes):
            return reply
        raise UnavailableError(f"{self._endpoint} ended the stream")

    def cancel(self) -> None:
        self._call.cancel()


class _GrpcStream(_GrpcAnswers):
    def __init__(self, endpoint: str, call: "grpc.aio.StreamStreamCall[bytes, bytes]") -> None:
        super().__init__(endpoint, call)
        self._writing = call

    async def write(self, request: bytes) -> None:
        with _broken(self._endpoint):
            await self._writing.write(request)


@contextlib.contextmanager
def _broken(endpoint: str) -> Iterator[None]:
    """Whatever a call raises of gRPC's, as an UnavailableError.

    A channel that is closed while a call waits cancels that call, which looks as if the waiting
    task had been cancelled: only when nobody asked for that, it is a broken call.
    """
    try:
        yield
    except (grpc.aio.AioRpcError, grpc.aio.UsageError, asyncio.InvalidStateError) as error:
        raise _unavailable(endpoint, error) from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise _unavailable(endpoint, error) from error


def _unavailable(endpoint: str, error: BaseException) -> UnavailableError:
    if isinstance(error, grpc.aio.AioRpcError):
        code, details = error.code().name, clean(error.details() or "")
        return UnavailableError(
            f"{endpoint}: {code}: {details}", "check that the node runs and can be reached"
        )
    return UnavailableError(f"{endpoint}: the stream is broken")


async def _fetch_certificate(endpoint: str, name: str) -> bytes:
    """One TLS 1.3 handshake with nothing trusted: only to learn the certificate (DER)."""
    host, _, port = endpoint.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["h2"])
    try:
        async with asyncio.timeout(DIAL_TIMEOUT_S):
            _, writer = await asyncio.open_connection(
                host.strip("[]"), int(port), ssl=context, server_hostname=name
            )
    except (OSError, TimeoutError, ValueError, OverflowError) as error:
        raise UnavailableError(
            f"{endpoint} cannot be reached: {str(error) or 'no answer in time'}",
            "check that the node runs and that the network file names its endpoint",
        ) from error
    try:
        der = writer.get_extra_info("ssl_object").getpeercert(True)
    finally:
        writer.transport.abort()  # nothing was said, so there is nothing to end politely
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    if not der:
        raise AttestationFailedError(Check.TLS, f"{endpoint} shows no certificate")
    return bytes(der)
