"""What was withheld, hoarded or kept too long: block time decides, not the sender's clock."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from enclave_client import session as sessions
from enclave_client import wire
from ledger import keys
from ledger.format.operation import Delete, Read
from ledger.reason import Reason
from tests.support.planted import NAME, VALUE
from tests.support.raw_client import VALID_MS, RawClient, now_ms
from tests.support.real_node import COLLECTION, RealNetwork, Serving, serving

MINUTE_MS = 60_000


@dataclass(slots=True)
class Clock:
    """The node's clock: the real one, and what the test adds."""

    ahead_ms: int = 0

    def __call__(self) -> int:
        return now_ms() + self.ahead_ms


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Block time is this clock's."""
    made = Clock()
    monkeypatch.setattr("node.app.clock_ms", made)
    return made


@pytest.fixture
async def node(network: RealNetwork, clock: Clock) -> AsyncIterator[Serving]:
    """A node whose block time the test moves."""
    del clock  # in place before the node opens
    async with serving(network) as running:
        yield running


@pytest.fixture
async def client(node: Serving, clock: Clock) -> AsyncIterator[RawClient]:
    """An app's session that can write, on the same clock."""
    async with await RawClient.open(node.file, node.network.app("app"), clock) as opened:
        await opened.acquire(COLLECTION)
        yield opened


async def reads(client: RawClient, version: int | None = None) -> Reason:
    """The outcome of a read of the planted name."""
    return (await client.run((Read(COLLECTION, NAME, version), b""))).reasons[0]


async def test_a_put_withheld_past_valid_until(client: RawClient, clock: Clock) -> None:
    """Attack: a relay that keeps a put and sends it later changes nothing, ever."""
    withheld = client.make(client.put(NAME, VALUE, COLLECTION))
    clock.ahead_ms += VALID_MS
    assert await client.refused(withheld) is Reason.TRANSACTION_EXPIRED
    again = client.make(client.put(NAME, VALUE, COLLECTION))
    assert (await client.recorded(again)).reasons == [Reason.OK]
    assert await client.refused(withheld) is Reason.TRANSACTION_EXPIRED
    assert await reads(client, 1) is Reason.OK
    assert await reads(client, 2) is Reason.NOT_FOUND


async def test_a_put_that_ran_and_is_sent_again_past_valid_until(
    client: RawClient, clock: Clock
) -> None:
    """What ran gives its first answer again, however late, and does not run twice."""
    sent = client.make(client.put(NAME, VALUE, COLLECTION))
    first = await client.recorded(sent)
    clock.ahead_ms += 30 * MINUTE_MS
    again = await client.recorded(sent)
    assert again.recorded.index == first.recorded.index
    assert await reads(client, 2) is Reason.NOT_FOUND


async def test_a_put_signed_for_a_far_future(client: RawClient) -> None:
    """Attack: a transaction to be kept for a better day is refused at once."""
    until = client.clock_ms() + 11 * MINUTE_MS
    kept = client.make(client.put(NAME, VALUE, COLLECTION), valid_until_ms=until)
    assert await client.refused(kept) is Reason.VALID_TOO_LONG
    forever = client.make(client.put(NAME, VALUE, COLLECTION), valid_until_ms=2**64 - 1)
    assert await client.refused(forever) is Reason.VALID_TOO_LONG


async def test_a_session_that_ended(client: RawClient, clock: Clock) -> None:
    """After an hour of block time a session signs nothing."""
    clock.ahead_ms += 60 * MINUTE_MS
    late = client.make(client.put(NAME, VALUE, COLLECTION))
    assert await client.refused(late) is Reason.SESSION_EXPIRED


async def test_a_clock_that_goes_back(client: RawClient, clock: Clock) -> None:
    """Block time never goes back: what expired stays expired under a node's slow clock."""
    withheld = client.make(client.put(NAME, VALUE, COLLECTION))
    clock.ahead_ms += VALID_MS
    assert await reads(client) is Reason.NOT_FOUND
    clock.ahead_ms -= VALID_MS
    assert await client.refused(withheld) is Reason.TRANSACTION_EXPIRED


async def test_a_hoarded_ticket_that_is_too_old(client: RawClient, clock: Clock) -> None:
    """Attack: a granted read that was kept for later releases nothing after ten minutes."""
    await client.run(client.put(NAME, VALUE, COLLECTION))
    read = await client.run((Read(COLLECTION, NAME), b""))
    first = await client.redeem(read.ticket())
    assert isinstance(first, wire.ReleasedSecret)
    assert first.released == read.recorded.released[0]
    clock.ahead_ms += 11 * MINUTE_MS
    assert await reads(client) is Reason.OK
    late = await client.redeem(read.ticket())
    assert isinstance(late, wire.Refusal)
    assert late.reason is Reason.RECEIPT_TOO_OLD
    again = await client.recorded(read.sent)
    assert again.released == [Reason.RECEIPT_TOO_OLD]


async def test_destroyed_value_with_a_hoarded_ticket(client: RawClient, node: Serving) -> None:
    """Attack: once a payload is erased, no ticket brings the value back; deleting grants no more.

    A ticket from before a deletion still gives its own session, for ten minutes, what it was
    granted: a receipt cannot be called back. What is erased is gone for everybody.
    """
    put = await client.run(client.put(NAME, VALUE, COLLECTION))
    read = await client.run((Read(COLLECTION, NAME), b""))
    await client.run((Delete(COLLECTION, NAME), b""))
    assert await reads(client) is Reason.NOT_FOUND
    assert await reads(client, 1) is Reason.NOT_FOUND
    kept = await client.redeem(read.ticket())
    assert isinstance(kept, wire.ReleasedSecret)
    store = node.running.replica._parts.store
    store.write({keys.payload(put.recorded.index, 0): None}, sync=True)
    gone = await client.redeem(read.ticket())
    assert isinstance(gone, wire.Refusal)
    assert gone.reason is Reason.PAYLOAD_ERASED
    again = await client.recorded(read.sent)
    assert again.released == [Reason.PAYLOAD_ERASED]
    assert not any(again.recorded.sealed)


async def test_evidence_over_an_old_checkpoint(
    client: RawClient, node: Serving, clock: Clock
) -> None:
    """Attack: evidence that was made long ago opens no session, whatever its quote says."""
    clock.ahead_ms += 11 * MINUTE_MS
    assert await reads(client) is Reason.NOT_FOUND
    opening = sessions.begin(node.file.network_id, client.link.peer)
    evidence = await node.network.app("app").evidence(opening.report_data)
    sent = opening.transaction(evidence, bytes(16), clock())
    answer = wire.decode_answer(await client.link.transport.attest(sent.request))
    assert isinstance(answer.result, wire.Refusal)
    assert answer.result.reason is Reason.STALE_CHECKPOINT
