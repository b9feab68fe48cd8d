"""Breaks, losses, ends of sessions: every call ends, and each operation ran once."""

import asyncio
from dataclasses import replace
from typing import cast

import pytest

from enclave_client import pipeline, waiting
from enclave_client.errors import (
    AttestationFailedError,
    ClosedError,
    OutcomeUnknownError,
    RefusedError,
    SealedgerClientError,
    UnavailableError,
)
from ledger.format.genesis import Limits
from ledger.reason import Reason
from sealedger.v1 import ledger_pb2
from sealedger.v1 import node_pb2 as pb
from tests.enclave_client.conftest import Connect, Machine
from tests.enclave_client.fake_ledger import FakeLedger
from tests.enclave_client.fake_node import FakeNode


async def test_a_lost_reply_and_a_resend_give_exactly_one_version(
    connect: Connect, node: FakeNode
) -> None:
    """The same bytes sent again get the first outcome."""
    async with connect() as c:
        await c.put("n", b"x")
        node.lose = 3
        stored = await c.put("n", b"y")
        assert stored.version == 2
        assert (await c.get("n")).version == 2
    assert node.ledger.puts() == 2
    assert node.lose == 0
    assert len(node.received) > len(set(node.received)), "nothing was sent again"


async def test_losses_under_load_lose_and_double_nothing(connect: Connect, node: FakeNode) -> None:
    """Three hundred puts with broken streams in between: each name has one version."""
    async with connect() as c:
        await c.put("first", b"x")
        node.lose = 4
        names = [f"n/{number}" for number in range(300)]
        stored = await asyncio.gather(*(c.put(name, b"x", if_version=0) for name in names))
    assert {one.version for one in stored} == {1}
    assert node.ledger.puts() == 301


async def test_a_restarted_node_is_found_again(connect: Connect, node: FakeNode) -> None:
    """A node that comes back with a new TLS key is judged again; the session goes on."""
    async with connect() as c:
        await c.put("n", b"x")
        await node.close()
        call = asyncio.create_task(c.get("n"))
        await node.open()
        assert (await call).value == b"x"
    assert node.ledger.sessions() == 1


async def test_another_node_at_the_same_place_is_not_believed_after_a_restart(
    connect: Connect, machine: Machine, node: FakeNode
) -> None:
    """After a break the peer proves itself anew: another network's node ends the waiting calls."""
    async with connect() as c:
        await c.put("n", b"x")
        await node.close()
        node.ledger = FakeLedger(machine.found())
        await node.ledger.key_service.refresh_evidence(node.ledger.note)
        await node.open()
        # whether it had left before the break was noticed decides between the two
        with pytest.raises((AttestationFailedError, OutcomeUnknownError), match="network"):
            await c.get("n")
    assert node.ledger.sessions() == 0


@pytest.mark.parametrize("how", ["end_sessions", "forget_sessions", "change_collateral"])
async def test_the_end_of_a_session_mid_load_fails_no_call(
    connect: Connect, node: FakeNode, how: str
) -> None:
    """When the ledger ends the session, waiting puts are sealed again in a new one."""
    async with connect() as c:
        await c.put("n", b"x")
        getattr(node.ledger, how)()
        names = [f"n/{number}" for number in range(200)]
        await asyncio.gather(*(c.put(name, name.encode()) for name in names))
        got = await asyncio.gather(*(c.get(name) for name in names))
    assert [one.value.decode() for one in got] == names
    assert {one.version for one in got} == {1}
    assert node.ledger.sessions() == 2


async def test_a_session_is_renewed_before_it_ends(machine: Machine) -> None:
    """A short session is replaced beside the work, without one refused transaction."""
    ledger = FakeLedger(machine.found(limits=Limits(session_ms=1000)))
    async with FakeNode(ledger) as node, Connect(machine, node)() as c:
        refusals = 0

        def count(reply: object) -> object:
            nonlocal refusals
            refusals += bool(reply.HasField("refusal"))  # type: ignore[attr-defined]  # a reply
            return reply

        node.on_reply = count  # type: ignore[assignment]  # the same reply
        number = 0
        while ledger.sessions() < 3:
            number += 1
            await c.put("n", b"%d" % number)
        assert (await c.get("n")).value == b"%d" % number
    assert refusals == 0


async def test_a_failed_renewal_disturbs_nobody(machine: Machine) -> None:
    """While the old session lasts it is used; after it a new one is opened."""
    ledger = FakeLedger(machine.found(limits=Limits(session_ms=1000)))
    async with FakeNode(ledger) as node, Connect(machine, node)() as c:
        node.refuse_attest.append(Reason.OVERLOADED)
        while ledger.sessions() < 2:
            await c.put("n", b"x")
        assert not node.refuse_attest
        assert (await c.get("n")).value == b"x"


async def test_a_fault_of_our_own_ends_every_call_and_says_so(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect in the client hangs nobody: the call in the air is unknown, later ones refused."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    async with connect() as c:
        await c.put("n", b"x")
        monkeypatch.setattr(pipeline, "land", broken)
        with pytest.raises(OutcomeUnknownError, match="ZeroDivisionError"):
            await c.put("n", b"y")
        with pytest.raises(SealedgerClientError, match="defect"):
            await c.put("n", b"y")


async def test_an_overloaded_node_is_asked_again_with_the_same_bytes(
    connect: Connect, node: FakeNode
) -> None:
    """OVERLOADED means later, not never."""
    async with connect() as c:
        await c.put("n", b"x")
        before = len(node.received)
        node.refuse.extend([Reason.OVERLOADED] * 3)
        await c.put("n", b"y")
        assert len(set(node.received[before:])) == 1
        assert len(node.received[before:]) == 4
    assert node.ledger.puts() == 2


@pytest.mark.parametrize("reason", [Reason.SHUTTING_DOWN, Reason.INTERNAL])
async def test_a_node_that_cannot_serve_is_asked_again_after_a_new_hello(
    connect: Connect, node: FakeNode, reason: Reason
) -> None:
    """A node that stops or has an inner fault gets the same bytes when it serves again."""
    async with connect() as c:
        await c.put("n", b"x")
        node.refuse.append(reason)
        assert (await c.put("n", b"y")).version == 2
    assert node.ledger.puts() == 2


@pytest.mark.parametrize("reason", [Reason.SEQUENCE_PASSED, Reason.TRANSACTION_EXPIRED])
async def test_what_did_not_run_and_never_will_is_signed_again(
    connect: Connect, node: FakeNode, reason: Reason
) -> None:
    """A transaction that can no longer run is replaced by one with a new number."""
    async with connect() as c:
        await c.put("n", b"x")
        before = len(node.received)
        node.refuse.append(reason)
        assert (await c.put("n", b"y")).version == 2
        assert len(set(node.received[before:])) == 2


async def test_a_write_for_a_past_epoch_is_sealed_again(connect: Connect, node: FakeNode) -> None:
    """When the network moved to another epoch, the key is acquired anew and the value resealed."""
    async with connect() as c:
        await c.put("n", b"x")
        session = c._pipeline._keeper._session
        assert session is not None
        past = replace(session.writer_keys["app/secrets"], epoch=7)
        session.writer_keys["app/secrets"] = past
        assert (await c.put("n", b"y")).version == 2
        assert (await c.get("n")).value == b"y"
    assert node.ledger.puts() == 3, "the first, the refused and the sealed again"


async def test_a_node_that_opens_no_session_ends_the_waiting_calls(
    connect: Connect, node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that can be reached but never opens the next session is unavailable."""
    monkeypatch.setattr(pipeline, "PATIENCE_S", 0.05)
    async with connect() as c:
        await c.put("n", b"x")
        node.ledger.forget_sessions()
        node.on_reply = _overloaded
        with pytest.raises(UnavailableError, match="OVERLOADED"):
            await c.get("n")


def _overloaded(reply: pb.SubmitReply) -> pb.SubmitReply:
    if reply.HasField("refusal"):
        return reply
    overloaded = pb.Refusal(reason=cast("ledger_pb2.Reason", Reason.OVERLOADED.value))
    return pb.SubmitReply(transaction_hash=reply.transaction_hash, refusal=overloaded)


async def test_signing_again_has_an_end(connect: Connect, node: FakeNode) -> None:
    """A node that refuses for ever gets no endless stream of transactions."""
    async with connect() as c:
        await c.put("n", b"x")
        node.refuse.extend([Reason.SEQUENCE_PASSED] * 100)
        with pytest.raises(RefusedError) as caught:
            await c.put("n", b"y")
    assert caught.value.reason is Reason.SEQUENCE_PASSED
    assert len(node.refuse) == 100 - (waiting.MAX_TRIES + 1)


@pytest.mark.parametrize(
    "reason", [Reason.SESSION_CLOSED, Reason.BAD_SIGNATURE, Reason.SEQUENCE_REUSED]
)
async def test_other_refusals_reach_the_caller(
    connect: Connect, node: FakeNode, reason: Reason
) -> None:
    """What asking again cannot change is said at once."""
    async with connect() as c:
        await c.put("n", b"x")
        node.refuse.append(reason)
        with pytest.raises(RefusedError) as caught:
            await c.get("n")
    assert caught.value.reason is reason


async def test_an_answer_that_never_comes_ends_as_unknown(
    connect: Connect, node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that can no longer run and was never answered is reported as unknown."""
    monkeypatch.setattr(pipeline, "WATCH_S", 0.01)
    async with connect() as c:
        await c.put("n", b"x")
        node.withhold = asyncio.Event()
        _shorten(monkeypatch)
        with pytest.raises(OutcomeUnknownError) as caught:
            await c.put("n", b"y")
        node.withhold.set()
    assert "if_version" in caught.value.hint


def _shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let transactions run for half a second only."""
    monkeypatch.setattr("enclave_client.transactions.VALID_FOR_MS", 500)
    monkeypatch.setattr("enclave_client.flights.LATE_MS", 0)


async def test_a_silent_connection_is_given_up(
    connect: Connect, node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that stays silent is dialled anew, and the call ends well."""
    monkeypatch.setattr(pipeline, "WATCH_S", 0.01)
    monkeypatch.setattr(pipeline, "STALL_S", 0.2)
    async with connect() as c:
        await c.put("n", b"x")
        silence = node.withhold = asyncio.Event()
        call = asyncio.create_task(c.put("n", b"y"))
        await node.ledger.wait_for_puts(2)
        node.withhold = None
        assert (await call).version == 2
        silence.set()
    assert node.ledger.puts() == 2


async def test_a_node_that_stays_away_ends_the_waiting_calls(
    connect: Connect, node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its patience ends the client says that nothing can be reached; later it recovers."""
    monkeypatch.setattr(pipeline, "PATIENCE_S", 0.05)
    _shorten(monkeypatch)
    async with connect() as c:
        await c.put("n", b"x")
        await node.close()
        with pytest.raises(UnavailableError):
            await c.get("n")
        await node.open()
        assert (await _until_there(c.get, "n")) == b"x"


async def _until_there(get: object, name: str) -> bytes:
    while True:
        try:
            got = await get(name)  # type: ignore[operator]  # SecretClient.get
        except UnavailableError:
            continue
        return bytes(got.value)


async def test_closing_ends_calls_that_wait(connect: Connect, node: FakeNode) -> None:
    """Calls in the air at close do not hang; their outcome is said to be unknown."""
    async with connect() as c:
        await c.put("n", b"x")
        node.withhold = asyncio.Event()
        call = asyncio.create_task(c.put("n", b"y"))
        await node.ledger.wait_for_puts(2)
    with pytest.raises(OutcomeUnknownError):
        await call
    node.withhold.set()


async def test_a_full_queue_makes_callers_wait(
    connect: Connect, node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With more callers than room, all get served and the queue never exceeds its bound."""
    monkeypatch.setattr(waiting, "MAX_CALLS", 10)
    async with connect() as c:
        await asyncio.gather(*(c.put(f"n/{number}", b"x") for number in range(200)))
        assert max(node.batches) <= 10
    assert node.ledger.puts() == 200


async def test_closing_ends_callers_that_wait_for_room_too(
    connect: Connect, node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many callers stand outside a full queue, none hangs when the client closes."""
    monkeypatch.setattr(waiting, "MAX_CALLS", 2)
    async with connect() as c:
        await c.put("n", b"x")
        node.withhold = asyncio.Event()
        calls = [asyncio.create_task(c.put("n", b"y")) for _ in range(50)]
        await node.ledger.wait_for_puts(2)
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(one) for one in results} == {OutcomeUnknownError, ClosedError}
    node.withhold.set()


async def test_callers_that_give_up_while_they_wait_for_room_block_nobody(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn that came to a caller who is gone goes to the next one."""
    monkeypatch.setattr(waiting, "MAX_CALLS", 4)
    async with connect() as c:
        await c.put("n", b"x")
        calls = [asyncio.create_task(c.get("n")) for _ in range(40)]
        await asyncio.sleep(0)
        for call in calls[4:30]:
            call.cancel()
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(one).__name__ for one in results].count("Got") == 14
