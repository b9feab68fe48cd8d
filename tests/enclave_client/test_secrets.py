"""Planted values and keys never show: not in reprs, not in errors, not in what is sent."""

import asyncio
import logging
import os
import traceback
from pathlib import Path

import pytest

from enclave_client.errors import ReceiptInvalidError, SealedgerClientError
from enclave_client.session import Session
from ledger.reason import Reason
from sealedger.v1 import node_pb2 as pb
from tests.enclave_client.conftest import Connect
from tests.enclave_client.fake_node import FakeNode


def _shows(text: str, planted: bytes) -> bool:
    return any(
        needle in text for needle in (planted.decode("latin-1"), planted.hex(), repr(planted)[2:-1])
    )


async def test_a_planted_value_shows_nowhere(
    connect: Connect, node: FakeNode, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """A value that is put, read, refused and damaged on the way leaves no trace in any text."""
    caplog.set_level(logging.DEBUG)
    planted = b"PLANTED-" + os.urandom(12).hex().encode()
    texts: list[str] = []
    async with connect() as c:
        stored = await c.put("n", planted)
        got = await c.get("n")
        assert got.value == planted
        texts += [repr(one) for one in (c, stored, got, got.receipt, c.network)]
        got.receipt.save(tmp_path / "receipt")
        assert planted not in (tmp_path / "receipt").read_bytes()
        for session in _sessions(c):
            texts += [repr(session), str(session), repr(session.signer)]
        node.refuse.append(Reason.BAD_SIGNATURE)
        texts += await _failing(c.put("n", planted))
        texts += await _failing(c.put("n", planted, if_version=9))

        def damage(reply: pb.SubmitReply) -> pb.SubmitReply:
            for at, data in enumerate(reply.recorded.sealed):
                reply.recorded.sealed[at] = data[:-1] + b"\0"
            return reply

        node.on_reply = damage
        texts += await _failing(c.get("n"))
        tasks = [asyncio.create_task(c.put("n", planted)) for _ in range(3)]
        texts += [repr(task) for task in tasks]
        await asyncio.gather(*tasks)
        texts.append(repr(list(c._pipeline._waiting._calls)))
    texts += [record.getMessage() for record in caplog.records]
    assert not [text for text in texts if _shows(text, planted)]


async def test_session_secrets_are_hidden_and_never_sent(connect: Connect, node: FakeNode) -> None:
    """Session secret and key-encryption keys are `<secret>` in text, and in no envelope."""
    async with connect() as c:
        await c.put("n", b"x")
        (session,) = _sessions(c)
        secrets = [session.secret, *(key.kek for key in session.writer_keys.values())]
        assert len(secrets) == 2
        for secret in secrets:
            assert "<secret>" in repr(session)
            assert not _shows(repr(session), secret.reveal())
            for entry in node.ledger.entries.values():
                envelope = entry.prepared.envelope
                parts = (*envelope.operations, *envelope.payloads, envelope.body)
                assert all(secret.reveal() not in part for part in parts)


def _sessions(client: object) -> list[Session]:
    session = client._pipeline._keeper._session  # type: ignore[attr-defined]  # looking inside
    return [session] if session is not None else []


async def _failing(call: object) -> list[str]:
    try:
        await call  # type: ignore[misc]  # a coroutine of the client
    except SealedgerClientError as error:
        return [str(error), repr(error), "".join(traceback.format_exception(error))]
    raise AssertionError("the call succeeded")


def test_the_error_of_a_bad_answer_is_one_of_ours() -> None:
    """Whoever catches the root catches all."""
    assert issubclass(ReceiptInvalidError, SealedgerClientError)
