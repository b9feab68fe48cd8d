"""Each call has an id, in the log and for the caller; refusals and blocks are told in the log."""

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import grpc
import grpc.aio
import pytest
import structlog

from enclave_client import wire
from ledger.format.operation import Read
from ledger.reason import Reason
from node.config import LogConfig, NodeConfig
from node.logs import LibraryLines, configure_logs
from node.refusals import RefusalLog
from sealedger.v1 import node_pb2 as pb
from tests.support.fuzzing import SERVICE, raw_channel
from tests.support.raw_client import RawClient
from tests.support.real_node import (
    ANY_PORT,
    COLLECTION,
    NodeProcess,
    RealNetwork,
    listening,
    serving,
)

NAME = "planted-name-31f0"
Lines = list[dict[str, Any]]


@pytest.fixture
def told() -> Iterator[Lines]:
    """What is logged, with what is bound to the context."""
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        yield lines  # type: ignore[misc]  # the library's own mapping type


async def call(channel: grpc.aio.Channel, method: str, data: bytes) -> dict[str, str]:
    """The trailing metadata of a unary call, whatever its status."""
    unary: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(SERVICE + method)
    answer = unary(data)
    await answer.code()
    return {str(key): str(value) for key, value in await answer.trailing_metadata()}


async def test_calls_have_ids(founded: RealNetwork, told: Lines) -> None:
    """The caller gets the id that the log's line has; each call another; faults and streams too."""
    hello = pb.HelloRequest(nonce=bytes(32)).SerializeToString()
    async with serving(founded) as node, raw_channel(node.running.port) as channel:
        said = [
            await call(channel, "Hello", hello),
            await call(channel, "Hello", b"\xff"),
            await call(channel, "SubmitOne", b""),
        ]
        submit: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(
            SERVICE + "Submit"
        )
        stream = submit()
        await stream.write(b"\xff")
        assert await stream.code() is grpc.StatusCode.INVALID_ARGUMENT
        trailing = await stream.trailing_metadata()
        said.append({str(key): str(value) for key, value in trailing})
    calls = {line["request_id"]: line for line in told if line["event"] == "grpc call"}
    seen = [calls[one["x-request-id"]] for one in said]
    assert [(line["method"].rpartition("/")[2], line["status"]) for line in seen] == [
        ("Hello", "OK"),
        ("Hello", "INVALID_ARGUMENT"),
        ("SubmitOne", "OK"),
        ("Submit", "INVALID_ARGUMENT"),
    ]
    assert len(calls) == len({line["request_id"] for line in seen}) == len(said)
    refusal = next(line for line in told if line["event"] == "refusal")
    assert refusal["request_id"] == said[2]["x-request-id"]
    assert refusal["reason"] == "MALFORMED"


async def test_refusals_are_told_and_counted(founded: RealNetwork, told: Lines) -> None:
    """The first refusal is told at once, with its id; the others together, without anybody's."""
    async with serving(founded) as node:
        async with await RawClient.open(node.file, founded.app("app")) as client:
            good = client.make((Read(COLLECTION, NAME), b""))
            await client.answer(good)
            for _ in range(3):
                answer = await client.link.transport.submit_one(wire.encode_submit(b"?"))
                assert isinstance(wire.decode_answer(answer).result, wire.Refusal)
            await client.link.transport.release(b"")
        first = [line for line in told if line["event"] == "refused"]
        assert [line["reasons"] for line in first] == [{"submit": {"MALFORMED": 1}}]
        assert len(first[0]["request_id"]) == 16
    rest = [line for line in told if line["event"] == "refused"][1:]
    assert [line["count"] for line in rest] == [3]
    assert rest[0]["reasons"] == {"submit": {"MALFORMED": 2}, "release": {"MALFORMED": 1}}
    assert "request_id" not in rest[0]
    blocks = [line for line in told if line["event"] == "block"]
    assert [line["height"] for line in blocks] == list(range(1, len(blocks) + 1))
    assert not any(NAME in str(line) for line in told)


async def test_refusals_are_told_in_intervals(told: Lines) -> None:
    """In a quiet time nothing is told; after one the next refusal is told at once again."""
    refusals = RefusalLog(0.05)
    refusals.note("submit", Reason.OVERLOADED)
    for _ in range(1000):
        refusals.note("submit", Reason.OVERLOADED)
        refusals.note("ask", Reason.DENIED)

    def counts() -> list[int]:
        return [line["count"] for line in told if line["event"] == "refused"]

    assert counts() == [1]
    for _ in range(1000):
        if len(counts()) > 1 and refusals._timer is None:
            break
        await asyncio.sleep(0.01)
    assert counts() == [1, 2000]
    refusals.note("watch", Reason.DENIED)
    assert counts() == [1, 2000, 1]
    refusals.close()
    assert counts() == [1, 2000, 1]


@pytest.mark.slow
async def test_debug_log_of_a_process(founded: RealNetwork) -> None:
    """At level debug every line is structured too, noise on the port included; at info few are."""
    table = {**listening(ANY_PORT), "log": {"level": "debug"}}
    founded.home.config.write_bytes(NodeConfig.model_validate(table).encode())
    node = NodeProcess(founded)
    await node.start()
    for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
        writer.write(noise)
        writer.write_eof()
        await reader.read()
        writer.close()
    async with await RawClient.open(node.file, founded.app("app")) as client:
        await client.acquire(COLLECTION)
        await client.run(client.put(NAME, b"value", COLLECTION))
    assert await node.stop() == 0
    lines = [json.loads(line) for line in node.lines()]
    events = {line["event"] for line in lines}
    assert {"node started", "grpc call", "block", "node stopped"} <= events
    assert {line["level"] for line in lines} == {"debug", "info"}
    assert NAME.encode() not in node.log.read_bytes()


def test_what_libraries_log_is_a_line_of_ours(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library's record: its name and fixed text, the kind of its exception, nothing sent."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers)
    level = root.level
    configured = structlog.get_config()
    try:
        configure_logs(LogConfig())
        assert [type(one) for one in root.handlers] == [LibraryLines]
        library = logging.getLogger("some.library")
        try:
            int(NAME)
        except ValueError:
            library.exception("it failed for %s\nsecond line", NAME)
        library.info("not told")
    finally:
        logging.captureWarnings(capture=False)
        root.setLevel(level)
        structlog.configure(**configured)
    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert (said["event"], said["logger"], said["fault"]) == (
        "library",
        "some.library",
        "ValueError",
    )
    assert said["said"] == "it failed for %s"
    assert NAME not in line
