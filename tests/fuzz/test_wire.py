"""What is no message at all: bytes that do not parse, methods that do not exist, raw sockets."""

import asyncio
import os
import random
import ssl

import grpc
import grpc.aio
import pytest

from enclave_client import wire
from enclave_client.transport import MAX_MESSAGE_BYTES
from tests.support.fuzzing import SERVICE, junk, raw_channel, status_of
from tests.support.raw_client import RawClient
from tests.support.real_node import NodeProcess

UNPARSABLE = (b"\xff", b"\x0a\xff", b"\x0a\x05ab", b"\x0f", b"\x00" * 3, b"\x0a\x80")
METHODS = ("Hello", "Attest", "SubmitOne", "Release", "Ask", "SealingKey", "Collateral")


@pytest.mark.parametrize("method", METHODS)
async def test_a_message_that_does_not_parse(node: NodeProcess, method: str) -> None:
    """Bytes that are no protobuf message are the sender's fault, and said so."""
    async with raw_channel(node.port) as channel:
        for data in UNPARSABLE:
            assert await status_of(channel, method, data) is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("method", METHODS)
async def test_random_messages(
    node: NodeProcess, method: str, rng: random.Random, rounds: int
) -> None:
    """Random bytes are refused by a reason or a status, never by an internal error."""
    known = {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}
    async with raw_channel(node.port) as channel:
        for data in junk(rng, rounds):
            assert await status_of(channel, method, data) in known


@pytest.mark.parametrize("method", METHODS)
async def test_a_message_over_the_transport_s_limit(node: NodeProcess, method: str) -> None:
    """More than 8 MiB is not read at all."""
    async with raw_channel(node.port) as channel:
        data = bytes(MAX_MESSAGE_BYTES + 1)
        assert await status_of(channel, method, data) is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await status_of(channel, "Hello", b"") is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("data", [b"\xff", bytes(MAX_MESSAGE_BYTES + 1)], ids=["junk", "large"])
async def test_a_stream_with_what_is_no_message(node: NodeProcess, data: bytes) -> None:
    """On a stream such a message ends the stream, with the sender's fault as its status."""
    codes = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED}
    async with raw_channel(node.port) as channel:
        stream: grpc.aio.StreamStreamCall[bytes, bytes] = channel.stream_stream(
            SERVICE + "Submit"
        )()
        await stream.write(wire.encode_submit(b"junk"))
        answer = wire.decode_answer(await stream.read())  # type: ignore[arg-type]  # bytes, not EOF
        assert isinstance(answer.result, wire.Refusal)
        await stream.write(data)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stream.read()
        assert caught.value.code() in codes


async def test_methods_that_do_not_exist(node: NodeProcess) -> None:
    """Unknown methods and services are unimplemented; the health service knows its own."""
    async with raw_channel(node.port) as channel:
        for path in ("/sealedger.v1.Node/Steal", "/sealedger.v2.Node/Hello", "/x/y", "/"):
            assert await status_of(channel, path, b"") is grpc.StatusCode.UNIMPLEMENTED
        check = "/grpc.health.v1.Health/Check"
        assert await status_of(channel, check, b"") is grpc.StatusCode.OK
        assert await status_of(channel, check, b"\x0a\x01x") is grpc.StatusCode.NOT_FOUND
        for data in UNPARSABLE:
            assert await status_of(channel, check, data) is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("size", [0, 1, 31, 33, 64, 5000])
async def test_hello_with_a_nonce_of_another_size(client: RawClient, size: int) -> None:
    """A nonce has 32 bytes."""
    node = client.link.transport
    async with raw_channel(int(node.endpoint.rpartition(":")[2])) as channel:
        request = wire.encode_hello(os.urandom(size))
        assert await status_of(channel, "Hello", request) is grpc.StatusCode.INVALID_ARGUMENT


async def test_raw_bytes_on_the_port(node: NodeProcess, rng: random.Random, rounds: int) -> None:
    """Sockets that speak no TLS, or TLS and then nonsense, are dropped without a word."""
    http = (b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00")
    for data in (*http, *junk(rng, rounds // 4)):
        reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
        writer.write(data)
        if rng.random() < 0.3:
            writer.transport.abort()
        else:
            writer.write_eof()
        await _drained(reader)
        writer.transport.abort()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    for data in (*http, *junk(rng, rounds // 4)):
        reader, writer = await asyncio.open_connection("127.0.0.1", node.port, ssl=context)
        writer.write(data)
        if rng.random() < 0.7:
            writer.transport.abort()
        else:
            writer.close()
        await _drained(reader)


async def _drained(reader: asyncio.StreamReader) -> None:
    try:
        async with asyncio.timeout(0.2):
            await reader.read()
    except (OSError, TimeoutError):
        pass
