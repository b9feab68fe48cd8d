"""Seeded changes of bytes, and calls that take and give bytes whatever they mean."""

import random
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import grpc
import grpc.aio

from enclave_client.transport import MAX_MESSAGE_BYTES, SERVER_NAME, _fetch_certificate

SERVICE = "/sealedger.v1.Node/"
WIDE = 64 * 1024 * 1024


def flipped(rng: random.Random, data: bytes, count: int = 1) -> bytes:
    """With `count` bits of it changed."""
    changed = bytearray(data)
    for at in rng.sample(range(8 * len(data)), count):
        changed[at // 8] ^= 1 << at % 8
    return bytes(changed)


def cut(rng: random.Random, data: bytes) -> bytes:
    """A beginning of it, not all."""
    return data[: rng.randrange(len(data))]


def mangled(rng: random.Random, data: bytes) -> bytes:
    """After one to four edits: bits, insertions, removals, repetitions, cuts. Never the same."""
    changed = data
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(changed) + 1)
        size = rng.randint(1, 32)
        edit = rng.choice(("flip", "insert", "remove", "repeat", "cut"))
        if edit == "flip" and changed:
            changed = flipped(rng, changed)
        elif edit == "insert":
            changed = changed[:at] + rng.randbytes(size) + changed[at:]
        elif edit == "remove":
            changed = changed[:at] + changed[at + size :]
        elif edit == "repeat":
            changed = changed[:at] + changed[at : at + size] + changed[at:]
        else:
            changed = changed[:at]
    return changed if changed != data else data[:-1]


def junk(rng: random.Random, count: int, longest: int = 3000) -> Iterator[bytes]:
    """Random bytes of many lengths, the shortest among them."""
    yield from (b"", b"\0", b"\xff")
    for _ in range(count):
        yield rng.randbytes(rng.randrange(1, longest))


@asynccontextmanager
async def raw_channel(port: int) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the node on `port`, without limits of its own."""
    der = await _fetch_certificate(f"127.0.0.1:{port}", SERVER_NAME)
    pinned = grpc.ssl_channel_credentials(ssl.DER_cert_to_PEM_cert(der).encode())
    options = (
        ("grpc.ssl_target_name_override", SERVER_NAME),
        ("grpc.max_send_message_length", WIDE),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_retries", 0),
    )
    async with grpc.aio.secure_channel(f"127.0.0.1:{port}", pinned, options=options) as channel:
        yield channel


async def status_of(channel: grpc.aio.Channel, method: str, data: bytes) -> grpc.StatusCode:
    """The status of one unary call; `method` with its service, if it is another than ours."""
    path = method if method.startswith("/") else SERVICE + method
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
    try:
        await call(data, timeout=20)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK
