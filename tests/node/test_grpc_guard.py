"""The outermost layer of a call, over a real channel: faults of ours show their kind, no more."""

from pathlib import Path

import grpc
import pytest
import structlog

from node.service import LedgerService
from sealedger.v1 import node_pb2 as pb
from tests.support.fuzzing import SERVICE, raw_channel, status_of
from tests.support.planted import VALUE
from tests.support.real_node import found, serving

REQUEST = pb.SubmitRequest(envelope=b"any").SerializeToString()


class PlantedError(Exception):
    """A fault whose text must not leave the node."""


async def _fail(*_: object) -> None:
    raise PlantedError(VALUE)


@pytest.mark.parametrize("method", ["SubmitOne", "Attest"])
async def test_a_fault_of_ours_is_internal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception that nobody expects is INTERNAL, logged by its kind, without its text."""
    monkeypatch.setattr(LedgerService, "submit", _fail)
    with structlog.testing.capture_logs() as events:
        async with serving(found(tmp_path / "n")) as node, raw_channel(node.running.port) as line:
            assert await status_of(line, method, REQUEST) is grpc.StatusCode.INTERNAL
    assert {"event": "a call failed", "fault": "PlantedError", "log_level": "error"} in events
    assert VALUE.decode() not in repr(events) + caplog.text
    assert not caplog.records


async def test_a_fault_of_ours_on_a_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """On a stream it ends the stream, in the same words."""
    monkeypatch.setattr(LedgerService, "submit", _fail)
    with structlog.testing.capture_logs() as events:
        async with serving(found(tmp_path / "n")) as node, raw_channel(node.running.port) as line:
            stream: grpc.aio.StreamStreamCall[bytes, bytes] = line.stream_stream(
                SERVICE + "Submit"
            )()
            await stream.write(REQUEST)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stream.read()
            assert caught.value.code() is grpc.StatusCode.INTERNAL
            assert VALUE.decode() not in (caught.value.details() or "")
    assert {"event": "a call failed", "fault": "PlantedError", "log_level": "error"} in events
    assert not caplog.records


async def test_a_fault_of_ours_in_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that is answered at once is guarded too, and the node goes on."""

    def fail(*_: object) -> None:
        raise PlantedError

    monkeypatch.setattr(LedgerService, "release", fail)
    async with serving(found(tmp_path / "n")) as node, raw_channel(node.running.port) as line:
        assert await status_of(line, "Release", b"") is grpc.StatusCode.INTERNAL
        assert await status_of(line, "SubmitOne", REQUEST) is grpc.StatusCode.OK
        async with node.client() as client:
            await client.put("n", b"value")
