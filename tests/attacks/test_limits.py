"""Transactions of the largest kind, on the whole path."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.errors import FormatError
from ledger.format.leaf import MAX_LEAF_BYTES
from ledger.format.operation import MAX_OPERATION_BYTES, AcquireKey, Delete, Operation, Read
from ledger.format.receipt import Opened, decode_receipt, encode_receipt, verify_receipt
from ledger.format.transaction import MAX_OPERATIONS
from ledger.reason import Reason
from tests.support.raw_client import Answered, RawClient
from tests.support.real_node import Found, RealNetwork, found, serving

LONGEST = "c" * 200
TILE_LIMIT = 65_536  # C2SP tlog-tiles: an entry's length has two bytes
LARGEST_RECORD = 2**64 - 1


@pytest.fixture
def network(tmp_path: Path) -> RealNetwork:
    """A network with a collection of the longest name."""
    return found(tmp_path / "network", Found(grants={LONGEST: ("app",)}))


def names() -> Iterator[str]:
    """Names of 200 bytes."""
    for number in range(MAX_OPERATIONS):
        yield f"{number:03d}".rjust(200, "n")


def verify_small(answered: Answered) -> None:
    """The leaf and each receipt keep within what readers take."""
    assert len(answered.recorded.leaf) <= MAX_LEAF_BYTES < TILE_LIMIT
    for position in (0, MAX_OPERATIONS - 1):
        file = encode_receipt(answered.ticket(position))
        assert max(map(len, file.splitlines())) < TILE_LIMIT


async def test_256_maximal_operations(network: RealNetwork) -> None:
    """Attack: 256 operations with names of 200 bytes fit a leaf, and every receipt its line."""
    async with (
        serving(network) as node,
        await RawClient.open(node.file, network.app("app")) as client,
    ):
        await client.acquire(LONGEST)
        value = b"v" * 1024
        puts = await client.run(*(client.put(name, value, LONGEST, 0) for name in names()))
        assert set(puts.reasons) == {Reason.OK}
        verify_small(puts)
        reads = await client.run(*((Read(LONGEST, name), b"") for name in names()))
        assert set(reads.reasons) == set(reads.released) == {Reason.OK}
        verify_small(reads)
        keys = await client.run(*((AcquireKey(LONGEST), b""),) * MAX_OPERATIONS)
        assert set(keys.released) == {Reason.OK}
        verify_small(keys)
        conflicts: list[tuple[Operation, bytes]] = [
            (Delete(LONGEST, name, LARGEST_RECORD), b"") for name in names()
        ]
        failed = await client.run(*conflicts)
        assert set(failed.reasons) == {Reason.VERSION_CONFLICT}
        verify_small(failed)
        checked = verify_receipt(
            decode_receipt(encode_receipt(reads.ticket(255))),
            node.file.rule(),
            node.file.network_id,
        )
        assert checked.opened[0].outcome.reason is Reason.OK


async def test_256_large_operations_that_mean_nothing(network: RealNetwork) -> None:
    """Attack: unreadable operations as large as they may be are refused, and kept nowhere."""
    async with (
        serving(network) as node,
        await RawClient.open(node.file, network.app("app")) as client,
    ):
        size = node.running.replica.head.size
        large = (b"\xff" * (4_000_000 // MAX_OPERATIONS), b"")
        junk = client.make(*(large,) * MAX_OPERATIONS)
        assert await client.refused(junk) is Reason.MALFORMED
        assert node.running.replica.head.size == size
        mixed = client.make((AcquireKey(LONGEST), b""), *(large,) * 255)
        answered = await client.recorded(mixed)
        assert answered.reasons == [Reason.OK] + [Reason.MALFORMED] * 255
        verify_small(answered)
        over = client.make((b"\xff" * (MAX_OPERATION_BYTES + 1), b""))
        assert await client.refused(over) is Reason.TOO_LARGE


async def test_values_of_1_mib_come_by_ticket_when_they_do_not_fit(network: RealNetwork) -> None:
    """Ten reads of 1 MiB in one transaction: all granted, some keys by ticket, none lost."""
    async with (
        serving(network) as node,
        await RawClient.open(node.file, network.app("app")) as client,
    ):
        await client.acquire(LONGEST)
        value = b"v" * 1024 * 1024
        await client.run(client.put("large", value, LONGEST))
        reads = await client.run(*((Read(LONGEST, "large"), b""),) * 10)
        assert set(reads.reasons) == {Reason.OK}
        later = [at for at, reason in enumerate(reads.released) if reason is Reason.TOO_LARGE]
        assert later
        assert set(reads.released) == {Reason.OK, Reason.TOO_LARGE}
        for position in later:
            assert not reads.recorded.sealed[position]
            released = await client.redeem(reads.ticket(position))
            assert len(getattr(released, "sealed", b"")) > len(value)
        larger = client.make(client.put("large", value + b"v", LONGEST))
        assert (await client.recorded(larger)).reasons == [Reason.TOO_LARGE]


async def test_a_receipt_opens_no_more_than_fits_its_line(network: RealNetwork) -> None:
    """256 opened operations do not fit one receipt, and that is said before it is written."""
    async with (
        serving(network) as node,
        await RawClient.open(node.file, network.app("app")) as client,
    ):
        await client.acquire(LONGEST)
        answered = await client.run(*(client.put(name, b"v", LONGEST) for name in names()))
        ticket = answered.ticket()
        every = tuple(
            Opened(at, answered.sent.salts[at], operation, answered.recorded.outcomes[at])
            for at, operation in enumerate(answered.sent.operations)
        )
        with pytest.raises(FormatError, match="too many"):
            encode_receipt(
                type(ticket)(ticket.index, ticket.hashes, ticket.checkpoint, ticket.leaf, every)
            )


async def test_many_large_values_at_once(network: RealNetwork) -> None:
    """Sixty reads of 1 MiB that wait together all come, some in answers and some by ticket."""
    async with serving(network) as node, node.client("app", LONGEST) as client:
        value = bytes(1024 * 1024)
        await client.put("large", value)
        got = await asyncio.gather(*(client.get("large") for _ in range(60)))
        assert all(one.value == value for one in got)
