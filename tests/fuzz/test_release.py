"""Tickets: random, cut, changed, of another network, and good ones again and again."""

import asyncio
import random
from dataclasses import replace

import pytest

from enclave_client import wire
from ledger.format.operation import AcquireKey, Read
from ledger.format.receipt import Receipt, decode_receipt, encode_receipt
from ledger.log.proof_file import MAX_PROOF_FILE_BYTES
from ledger.reason import Reason
from tests.support.fuzzing import cut, flipped, junk, mangled
from tests.support.planted import NAME, VALUE
from tests.support.raw_client import RawClient
from tests.support.real_node import COLLECTION

pytestmark = pytest.mark.slow  # all of them together; the fast checks have test_wire

WRONG = {Reason.MALFORMED, Reason.NOT_CERTIFIED, Reason.TOO_LARGE}


@pytest.fixture
async def ticket(client: RawClient) -> Receipt:
    """A good ticket of a granted read."""
    await client.run(client.put(NAME, VALUE, COLLECTION))
    return (await client.run((Read(COLLECTION, NAME), b""))).ticket()


async def redeem(client: RawClient, data: bytes) -> wire.Refusal | wire.ReleasedSecret:
    """What Release says to any bytes."""
    return wire.decode_release(await client.link.transport.release(wire.encode_ticket(data)))


async def refused(client: RawClient, data: bytes) -> Reason:
    """Why it releases nothing."""
    answer = await redeem(client, data)
    assert isinstance(answer, wire.Refusal)
    return answer.reason


async def test_random_tickets(client: RawClient, rng: random.Random, rounds: int) -> None:
    """Random bytes are no ticket."""
    for data in junk(rng, 2 * rounds):
        assert await refused(client, data) is Reason.MALFORMED


async def test_truncated_tickets(
    client: RawClient, ticket: Receipt, rng: random.Random, rounds: int
) -> None:
    """No beginning of a ticket is one, unless only signatures that nobody needs are cut off."""
    data = encode_receipt(ticket)
    whole = await redeem(client, data)
    for _ in range(4 * rounds):
        answer = await redeem(client, cut(rng, data))
        assert answer == whole or (
            isinstance(answer, wire.Refusal) and answer.reason is Reason.MALFORMED
        )


async def test_mangled_tickets(
    client: RawClient, ticket: Receipt, rng: random.Random, rounds: int
) -> None:
    """A changed ticket is refused, or is still for the same entry and gives the same bytes."""
    data = encode_receipt(ticket)
    whole = await redeem(client, data)
    for _ in range(8 * rounds):
        changed = mangled(rng, data)
        answer = await redeem(client, changed)
        if isinstance(answer, wire.Refusal):
            assert answer.reason in WRONG
        else:
            kept = decode_receipt(changed)
            assert (kept.index, kept.leaf, kept.opened) == (
                ticket.index,
                ticket.leaf,
                ticket.opened,
            )
            assert answer == whole


async def test_tickets_with_one_wrong_part(
    client: RawClient, ticket: Receipt, rng: random.Random, rounds: int
) -> None:
    """Another index, leaf, salt, operation or outcome releases nothing."""
    opened = ticket.opened[0]
    for _ in range(rounds):
        for changed in (
            replace(ticket, index=rng.choice((0, ticket.index + 1, ticket.index - 1, 10**9))),
            replace(ticket, index=2**63 - 2),
            replace(ticket, leaf=flipped(rng, ticket.leaf)),
            replace(ticket, leaf=rng.randbytes(200)),
            replace(ticket, opened=(replace(opened, salt=rng.randbytes(16)),)),
            replace(ticket, opened=(replace(opened, position=rng.randrange(1, 256)),)),
            replace(ticket, opened=(replace(opened, position=2**32 - 1),)),
            replace(ticket, opened=(replace(opened, outcome=flipped(rng, opened.outcome)),)),
            replace(ticket, opened=(replace(opened, operation=rng.randbytes(40)),)),
        ):
            assert await refused(client, encode_receipt(changed)) in WRONG


async def test_a_ticket_over_its_limit(client: RawClient, ticket: Receipt) -> None:
    """More bytes than a receipt file may have are not read as one."""
    data = encode_receipt(ticket)
    for size in (MAX_PROOF_FILE_BYTES + 1, 4 * 1024 * 1024, 8 * 1024 * 1024 - 64):
        assert await refused(client, data.ljust(size, b"\n")) in WRONG


async def test_the_same_ticket_many_times_at_once(client: RawClient, ticket: Receipt) -> None:
    """A ticket gives the same bytes to whoever asks, however often."""
    data = encode_receipt(ticket)
    answers = await asyncio.gather(*(redeem(client, data) for _ in range(64)))
    assert all(one == answers[0] for one in answers)
    assert isinstance(answers[0], wire.ReleasedSecret)


async def test_tickets_of_what_grants_nothing(client: RawClient) -> None:
    """Recorded and certified, but not a grant: nothing to release."""
    answered = await client.run(
        (Read(COLLECTION, "no/such/name"), b""),
        client.put("fuzz/ticket", VALUE, COLLECTION),
        (AcquireKey("no/such/collection"), b""),
    )
    for position in range(3):
        refusal = await client.redeem(answered.ticket(position))
        assert isinstance(refusal, wire.Refusal)
        assert refusal.reason is Reason.NOT_GRANTED
