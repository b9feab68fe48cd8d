"""Sessions that the ledger judges again: collateral that changes, revocations, too many at once."""

import asyncio

import pytest

from contracts.records import SignerRecord, encode_signer
from enclave_client.errors import RefusedError, SessionRevokedError, TooManySessionsError
from ledger import keys
from ledger.format.genesis import Limits
from ledger.format.transaction import SignerKind
from ledger.reason import Reason
from tests.enclave_client.conftest import COLLECTION, Connect, Machine
from tests.enclave_client.fake_ledger import FakeLedger
from tests.enclave_client.fake_node import FakeNode


def sessions_of(ledger: FakeLedger) -> list[bytes]:
    """The ids of all sessions that were ever opened."""
    return [key[2:] for key in ledger.state if key.startswith(b"sS")]


async def test_collateral_changes_under_load(connect: Connect, node: FakeNode) -> None:
    """Four hundred puts across two changes of collateral each run once, in three sessions."""
    ledger = node.ledger
    names = [f"n/{number}" for number in range(400)]
    async with connect() as c:
        await c.put("first", b"x")

        async def change() -> None:
            for puts in (60, 200):
                await ledger.wait_for_puts(puts)
                ledger.change_collateral()

        changing = asyncio.create_task(change())
        stored = await asyncio.gather(*(c.put(name, name.encode(), if_version=0) for name in names))
        await changing
        got = await asyncio.gather(*map(c.get, names))
    assert {one.version for one in stored} == {1}
    assert [one.value.decode() for one in got] == names
    assert ledger.puts() == 401
    assert ledger.sessions() == 3


async def test_undecided_evidence_is_made_once_more(connect: Connect, node: FakeNode) -> None:
    """Collateral that changed while a session was judged costs a second quote, and no error."""
    node.refuse_attest.append(Reason.EVIDENCE_UNDECIDED)
    async with connect() as c:
        await c.put("n", b"x")
    assert node.ledger.sessions() == 1


async def test_evidence_that_stays_undecided_is_said(connect: Connect, node: FakeNode) -> None:
    """Without collateral there is no session: the second refusal reaches the caller."""
    node.refuse_attest.extend([Reason.EVIDENCE_UNDECIDED] * 3)
    with pytest.raises(RefusedError) as caught:
        async with connect():
            pass
    assert caught.value.reason is Reason.EVIDENCE_UNDECIDED
    assert len(node.refuse_attest) == 1


async def test_members_revoked(connect: Connect, node: FakeNode) -> None:
    """A session that members revoked is an error with a hint; nothing attests again by itself."""
    ledger = node.ledger
    async with connect() as c:
        await c.put("n", b"x")
        (session,) = sessions_of(ledger)
        row = encode_signer(SignerRecord(highest=9, is_revoked=True))
        ledger.state[keys.signer(SignerKind.SESSION, session)] = row
        for call in (lambda: c.put("n", b"y"), lambda: c.get("n")):
            with pytest.raises(SessionRevokedError, match="members revoked") as caught:
                await call()
            assert caught.value.receipt is None
    assert ledger.sessions() == 1


async def test_the_owner_revoked(connect: Connect, node: FakeNode) -> None:
    """What an owner revoked for the collection is an error that an entry proves."""
    ledger = node.ledger
    async with connect() as c:
        await c.put("n", b"x")
        (session,) = sessions_of(ledger)
        ledger.state[keys.revoked_session(COLLECTION, session)] = b"\x1b"
        for call in (lambda: c.put("n", b"y"), lambda: c.get("n")):
            with pytest.raises(SessionRevokedError, match="owner revoked") as caught:
                await call()
            assert caught.value.receipt is not None
    assert ledger.sessions() == 1


async def test_too_many_sessions(machine: Machine) -> None:
    """Where the network allows two sessions, a third client is told when to come again."""
    ledger = FakeLedger(machine.found(limits=Limits(identity_sessions=2)))
    async with FakeNode(ledger) as node:
        connect = Connect(machine, node)
        async with connect() as one, connect():
            await one.put("n", b"x")
            with pytest.raises(TooManySessionsError, match=r"ends in 3\d\d\d s"):
                async with connect():
                    pass
            async with connect("reader", collection="reader/only"):
                pass
        ledger.end_sessions()
        async with connect() as again:
            assert (await again.get("n")).value == b"x"
