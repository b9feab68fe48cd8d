"""Put, get and delete against an honest node."""

import asyncio

import pytest

from enclave_client.errors import (
    ClosedError,
    DeniedError,
    InvalidRequestError,
    NotFoundError,
    ReceiptInvalidError,
    RefusedError,
    VersionConflictError,
)
from enclave_client.offline import verify_receipt_file
from ledger.format.operation import Read
from ledger.reason import Reason
from tests.enclave_client.conftest import Connect
from tests.enclave_client.fake_node import FakeNode


async def test_a_stored_value_is_read_back_by_another_session(connect: Connect) -> None:
    """What one session puts, another session of admitted code gets, byte for byte."""
    async with connect() as writer:
        stored = await writer.put("tls/key", b"a value")
    async with connect() as reader:
        got = await reader.get("tls/key")
    assert (stored.version, got.version, got.value) == (1, 1, b"a value")


async def test_versions_are_kept_and_asked_for(connect: Connect) -> None:
    """Each put makes the next version; older ones are read by number."""
    async with connect() as c:
        for number in range(1, 4):
            assert (await c.put("n", b"%d" % number)).version == number
        assert (await c.get("n")).value == b"3"
        assert (await c.get("n", version=2)).value == b"2"


@pytest.mark.parametrize("size", [0, 1, 512, 1024 * 1024])
async def test_values_of_every_allowed_size_come_back(connect: Connect, size: int) -> None:
    """Values from nothing to one MiB are stored and read."""
    value = bytes(range(256)) * (size // 256) + bytes(size % 256)
    async with connect() as c:
        await c.put("n", value)
        assert (await c.get("n")).value == value


async def test_a_deleted_name_is_not_found(connect: Connect) -> None:
    """After delete a get finds nothing; the next put goes on counting."""
    async with connect() as c:
        await c.put("n", b"x")
        assert (await c.delete("n", if_version=1)).version == 1
        with pytest.raises(NotFoundError) as caught:
            await c.get("n")
        assert caught.value.receipt is not None
        assert (await c.put("n", b"y")).version == 2


async def test_a_wrong_if_version_is_a_conflict_that_names_the_current_one(
    connect: Connect,
) -> None:
    """`if_version` guards against overwriting what somebody else stored."""
    async with connect() as c:
        await c.put("n", b"x", if_version=0)
        with pytest.raises(VersionConflictError) as caught:
            await c.put("n", b"y", if_version=0)
        assert caught.value.current == 1
        with pytest.raises(VersionConflictError):
            await c.delete("n", if_version=7)


async def test_a_get_that_finds_nothing_stands_on_the_ledger(
    connect: Connect, node: FakeNode
) -> None:
    """Looking for a name that is not there is an entry with a receipt."""
    async with connect() as c:
        with pytest.raises(NotFoundError) as caught:
            await c.get("nowhere")
    receipt = caught.value.receipt
    assert receipt is not None
    assert node.ledger.reads() == 1
    verified = verify_receipt_file(receipt.encode(), connect.network)
    assert verified.opened[0].outcome.reason is Reason.NOT_FOUND


async def test_a_receipt_of_a_read_verifies_offline(connect: Connect) -> None:
    """The receipt file proves the read to whoever holds the network file."""
    async with connect() as c:
        await c.put("n", b"x")
        got = await c.get("n")
    verified = verify_receipt_file(got.receipt.encode(), connect.network)
    assert verified.opened[0].operation == Read("app/secrets", "n")
    assert verified.leaf.time_ms == got.receipt.time_ms


async def test_other_code_gets_no_session(connect: Connect) -> None:
    """An enclave that no policy names is refused when it attests."""
    with pytest.raises(DeniedError) as caught:
        async with connect("app with another byte"):
            pass
    assert caught.value.reason is Reason.NOT_ADMITTED


async def test_an_admitted_enclave_is_denied_where_the_policy_does_not_name_it(
    connect: Connect, node: FakeNode
) -> None:
    """A session may read only where its code is named; the denied read is an entry."""
    async with connect("app", collection="reader/only") as c:
        await c.put("n", b"x")
        with pytest.raises(DeniedError) as caught:
            await c.get("n")
    assert caught.value.receipt is not None
    assert node.ledger.reads() == 1


async def test_a_reader_that_may_not_write_is_denied_the_key(connect: Connect) -> None:
    """A put without the writers' policy fails when the key is asked for; reads go on."""
    async with connect() as c:
        await c.put("n", b"x")
    async with connect("reader", collection="reader/only") as c:
        with pytest.raises(DeniedError):
            await c.put("n", b"x")
        with pytest.raises(NotFoundError):
            await c.get("n")


async def test_an_unknown_collection_says_so(connect: Connect) -> None:
    """A collection that nobody created is a refusal with a hint."""
    async with connect(collection="no/such") as c:
        with pytest.raises(RefusedError) as put:
            await c.put("n", b"x")
        with pytest.raises(RefusedError) as get:
            await c.get("n")
    assert put.value.reason is get.value.reason is Reason.UNKNOWN_COLLECTION
    assert "owner" in str(get.value)


async def test_many_waiting_calls_travel_together(connect: Connect, node: FakeNode) -> None:
    """Five hundred calls at once take a handful of transactions, and each has its own outcome."""
    async with connect() as c:
        names = [f"n/{number}" for number in range(500)]
        await asyncio.gather(*(c.put(name, name.encode()) for name in names))
        got = await asyncio.gather(*(c.get(name) for name in names))
    assert [one.value.decode() for one in got] == names
    assert len(node.batches) < 20


async def test_one_bad_call_does_not_disturb_its_neighbours(connect: Connect) -> None:
    """Calls of one transaction succeed and fail apart from each other."""
    async with connect() as c:
        await c.put("a", b"1")
        results = await asyncio.gather(
            c.get("a"), c.get("b"), c.put("a", b"2", if_version=9), return_exceptions=True
        )
    kinds = [type(result).__name__ for result in results]
    assert kinds == ["Got", "NotFoundError", "VersionConflictError"]


async def test_values_that_do_not_fit_an_answer_are_fetched_by_ticket(
    connect: Connect, node: FakeNode
) -> None:
    """A read whose value did not come with the answer is redeemed with its receipt."""
    async with connect() as c:
        await c.put("n", b"x" * 1000)
        node.fits = 2500
        got = await asyncio.gather(*(c.get("n") for _ in range(5)))
    assert {one.value for one in got} == {b"x" * 1000}
    assert node.tickets == 3


async def test_a_ticket_is_shown_again_when_the_key_service_is_not_ready(
    connect: Connect, node: FakeNode
) -> None:
    """Refusals that pass are waited out; others reach the caller with the node's words."""
    async with connect() as c:
        await c.put("n", b"x" * 1000)
        node.fits = 0
        node.refuse_tickets.extend([Reason.NOT_STARTED, Reason.OVERLOADED])
        assert (await c.get("n")).value == b"x" * 1000
        node.refuse_tickets.append(Reason.PAYLOAD_ERASED)
        with pytest.raises(RefusedError, match="said the node") as caught:
            await c.get("n")
    assert caught.value.reason is Reason.PAYLOAD_ERASED
    assert node.ledger.reads() == 2


async def test_a_changed_receipt_verifies_nowhere(connect: Connect) -> None:
    """A receipt file with one changed digit of its index proves nothing."""
    async with connect() as c:
        receipt = (await c.put("n", b"x")).receipt
    good = receipt.encode()
    line = b"index %d\n" % receipt.index
    with pytest.raises(ReceiptInvalidError):
        verify_receipt_file(
            good.replace(line, b"index %d\n" % (receipt.index - 1)), connect.network
        )
    with pytest.raises(ReceiptInvalidError):
        verify_receipt_file(b"", connect.network)


@pytest.mark.parametrize("name", ["", "a//b", "../x", "ü", "a" * 201])
async def test_a_bad_name_is_refused_before_it_is_sent(connect: Connect, name: str) -> None:
    """Names that the ledger does not take never leave the client."""
    async with connect() as c:
        with pytest.raises(InvalidRequestError):
            await c.put(name, b"x")
        with pytest.raises(InvalidRequestError):
            await c.get(name)


async def test_bad_values_and_versions_are_refused_before_they_are_sent(
    connect: Connect, node: FakeNode
) -> None:
    """Too large a value, text, and impossible versions never leave the client."""
    async with connect() as c:
        with pytest.raises(InvalidRequestError):
            await c.put("n", bytes(1024 * 1024 + 1))
        with pytest.raises(InvalidRequestError):
            await c.put("n", "text")  # type: ignore[arg-type]  # what the test is about
        with pytest.raises(InvalidRequestError):
            await c.get("n", version=0)
        with pytest.raises(InvalidRequestError):
            await c.put("n", b"x", if_version=-1)
    assert node.batches == []


async def test_a_closed_client_says_that_it_is_closed(connect: Connect) -> None:
    """Calls before opening and after closing fail at once."""
    async with connect() as c:
        await c.put("n", b"x")
    with pytest.raises(ClosedError):
        await c.put("n", b"x")
    with pytest.raises(ClosedError):
        await c.get("n")


async def test_a_caller_that_gives_up_harms_nobody(connect: Connect) -> None:
    """A cancelled call leaves the others in its transaction as they were."""
    async with connect() as c:
        await c.put("n", b"x")
        calls = [asyncio.create_task(c.get("n")) for _ in range(4)]
        await asyncio.sleep(0)
        calls[1].cancel()
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(result).__name__ for result in results].count("Got") == 3
