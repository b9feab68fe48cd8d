"""List, head, history and collections: complete over many pages, and never what a liar says."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from enclave_client import queries
from enclave_client.errors import (
    ClosedError,
    DeniedError,
    LogForkedError,
    NotFoundError,
    ReceiptInvalidError,
    RefusedError,
    UnavailableError,
)
from enclave_client.offline import verify_receipt_file
from enclave_client.owner import OwnerClient
from ledger.format.operation import Delete, Put, Read
from ledger.format.transaction import SignerKind
from ledger.reason import Reason
from sealedger.v1 import node_pb2 as pb
from tests.support.owners import OWNED, Lie, account, admitting, owner_of
from tests.support.real_node import RealNetwork, Serving

NAMES = tuple(f"n/{number:02}" for number in range(11))
VALUE = b"value"


@pytest.fixture
async def owner(node: Serving, network: RealNetwork) -> AsyncIterator[OwnerClient]:
    """An owner whose collection the app may use, with a few secrets in it."""
    async with owner_of(node) as client:
        await client.create_collection(OWNED, admitting(network, "app"))
        async with node.client("app", OWNED) as app:
            await asyncio.gather(*(app.put(name, VALUE) for name in NAMES))
            await app.put("other", VALUE)
        yield client


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows to a page, two entries to an answer."""
    monkeypatch.setattr(queries, "MAX_ROWS", 3)
    monkeypatch.setattr(queries, "MAX_INDICES", 2)


@pytest.mark.usefixtures("small_pages")
async def test_lists_of_many_pages(owner: OwnerClient, node: Serving) -> None:
    """Owner and app see the same names, each once, in order; a prefix narrows them."""
    assert [row.name async for row in owner.list(OWNED)] == [*NAMES, "other"]
    assert [row.name async for row in owner.list(OWNED, "n/0")] == list(NAMES[:10])
    assert [row.name async for row in owner.list(OWNED, "none")] == []
    async with node.client("app", OWNED) as app:
        assert [row async for row in app.list()] == [row async for row in owner.list(OWNED)]
        await app.delete("other")
        rows = {row.name: row async for row in app.list("o")}
        assert rows["other"].is_deleted


@pytest.mark.usefixtures("small_pages")
async def test_collections_of_many_pages(owner: OwnerClient, network: RealNetwork) -> None:
    """An owner sees its collections, and those that it audits, with their terms."""
    terms = admitting(network, "app", ttl_ms=5, auditors=(account(2).address,))
    names = [f"c/{number}" for number in range(7)]
    for name in names:
        await owner.create_collection(name, terms)
    await owner.freeze(names[0])
    rows = [row async for row in owner.collections()]
    assert [row.name for row in rows] == [*names, OWNED]
    assert [row.is_frozen for row in rows] == [True, *[False] * 7]
    assert rows[0] == await owner.collection(names[0])
    assert (rows[0].terms, rows[0].owner) == (terms, account().address)


async def test_an_auditor_sees_and_does_nothing(
    owner: OwnerClient, node: Serving, network: RealNetwork
) -> None:
    """An account that the terms name may ask, and only that."""
    terms = admitting(network, "app", auditors=(account(2).address,))
    await owner.set_policy(OWNED, terms)
    async with owner_of(node, account(2)) as auditor:
        assert [row.name async for row in auditor.collections()] == [OWNED]
        assert len([event async for event in auditor.history(OWNED, NAMES[0])]) == 1
        with pytest.raises(DeniedError):
            await auditor.freeze(OWNED)


async def test_head(owner: OwnerClient, node: Serving) -> None:
    """The current version's facts, the proven entry that stored it, no read on the ledger."""
    head = await owner.head(OWNED, "other")
    assert (head.row.version, head.row.size) == (1, len(VALUE) + 16)
    operation = head.stored.operation
    assert isinstance(operation, Put)
    verified = verify_receipt_file(head.stored.receipt.encode(), node.file)
    assert verified.opened[0].operation == operation
    assert (verified.index, verified.body.signer) == (head.row.index, head.row.writer)
    with pytest.raises(NotFoundError):
        await owner.head(OWNED, "nothing")


@pytest.mark.usefixtures("small_pages")
async def test_history_of_many_pages(owner: OwnerClient, node: Serving) -> None:
    """Every put, read, denial and deletion of a name, in order, each with a receipt that holds."""
    async with node.client("app", OWNED) as app, node.client("other", OWNED) as other:
        for _ in range(4):  # two operations in an entry, so that pages end within one
            await asyncio.gather(app.get("other"), app.get("other"))
        with pytest.raises(DeniedError):
            await other.get("other")
        await app.put("other", b"second")
        await app.delete("other")
        expected = [Put, *[Read] * 9, Put, Delete]
        events = [event async for event in owner.history(OWNED, "other")]
        assert [type(event.operation) for event in events] == expected
        places = [(event.index, event.position) for event in events]
        assert places == sorted(set(places))
        denied = [event for event in events if event.outcome.reason is Reason.DENIED]
        assert len(denied) == 1
        assert {event.signer_kind for event in events} == {SignerKind.SESSION}
        for event in events:
            opened = verify_receipt_file(event.receipt.encode(), node.file).opened[0]
            assert (opened.operation, opened.outcome) == (event.operation, event.outcome)
        mine = [(event.index, event.position) async for event in app.history("other")]
        assert mine == places
        later = [event async for event in app.history("other", places[-2][0])]
        assert [type(event.operation) for event in later] == [Put, Delete]


@pytest.mark.usefixtures("owner")
async def test_strangers_are_told_nothing(node: Serving) -> None:
    """An app that no policy of the collection names, and an account that has no part in it."""
    async with node.client("other", OWNED) as other, owner_of(node, account(2)) as stranger:
        for asked in (other.list(), stranger.list(OWNED), other.history(NAMES[0])):
            with pytest.raises(DeniedError):
                await anext(asked)
        with pytest.raises(DeniedError):
            await other.head(NAMES[0])


# ------------------------------------------------------------------------------- liars


def _swap_names(reply: pb.QueryReply) -> None:
    rows = list(reply.secrets)[::-1]
    del reply.secrets[:]
    reply.secrets.extend(rows)


def _again(reply: pb.QueryReply) -> None:
    reply.more = True
    del reply.secrets[:]


def _bad_name(reply: pb.QueryReply) -> None:
    reply.secrets[0].name = "../x"


def _zero(reply: pb.QueryReply) -> None:
    reply.secrets[0].version = 0


LISTS: tuple[Callable[[pb.QueryReply], None], ...] = (_swap_names, _again, _bad_name, _zero)


@pytest.mark.parametrize("change", LISTS, ids=lambda change: change.__name__)
async def test_a_list_that_cannot_be(
    owner: OwnerClient, change: Callable[[pb.QueryReply], None]
) -> None:
    """Names out of order, pages without end, names that are none."""
    Lie.to(owner).change = change
    with pytest.raises(ReceiptInvalidError):
        _ = [row async for row in owner.list(OWNED)]


async def test_pages_that_repeat_themselves(owner: OwnerClient) -> None:
    """The same page with `more` for ever ends with an error."""
    lie = Lie.to(owner)

    def more(reply: pb.QueryReply) -> None:
        reply.more = True

    lie.change = more
    with pytest.raises(ReceiptInvalidError):
        _ = [row async for row in owner.list(OWNED)]
    assert lie.asked <= 3
    with pytest.raises(ReceiptInvalidError):
        _ = [row async for row in owner.history(OWNED, "other")]


async def test_names_that_were_not_asked_for(owner: OwnerClient) -> None:
    """A name without the prefix, a head of another name, a collection of another name."""
    lie = Lie.to(owner)

    def other(reply: pb.QueryReply) -> None:
        for secret in reply.secrets:
            secret.name = "zzz"
        for collection in reply.collections:
            collection.name = "zzz"

    lie.change = other
    with pytest.raises(ReceiptInvalidError):
        _ = [row async for row in owner.list(OWNED, "o")]
    with pytest.raises(ReceiptInvalidError):
        await owner.head(OWNED, "other")
    with pytest.raises(ReceiptInvalidError):
        await owner.collection(OWNED)


async def test_collections_that_never_end(owner: OwnerClient) -> None:
    """A list that goes on where it was is refused."""

    def back(reply: pb.QueryReply) -> None:
        reply.next_after = "a"
        del reply.collections[:]

    Lie.to(owner).change = back
    with pytest.raises(ReceiptInvalidError):
        _ = [row async for row in owner.collections()]


def _version(reply: pb.QueryReply) -> None:
    for row in reply.secrets:
        row.version += 1


def _size(reply: pb.QueryReply) -> None:
    for row in reply.secrets:
        row.size -= 1


def _time(reply: pb.QueryReply) -> None:
    for row in reply.secrets:
        row.time_ms += 1


def _writer(reply: pb.QueryReply) -> None:
    for row in reply.secrets:
        row.writer = bytes(32)


def _leaf(reply: pb.QueryReply) -> None:
    for entry in reply.entries:
        entry.leaf = entry.leaf[:-1] + bytes((entry.leaf[-1] ^ 1,))


def _hashes(reply: pb.QueryReply) -> None:
    for entry in reply.entries:
        entry.hashes = bytes(len(entry.hashes))


def _long_proof(reply: pb.QueryReply) -> None:
    for entry in reply.entries:
        entry.hashes = bytes(64 * 32)


def _index(reply: pb.QueryReply) -> None:
    for entry in reply.entries:
        entry.index += 1


def _salt(reply: pb.QueryReply) -> None:
    for entry in reply.entries:
        entry.operations[0].salt = bytes(16)


def _outcome(reply: pb.QueryReply) -> None:
    for entry in reply.entries:
        entry.operations[0].outcome = entry.operations[0].outcome[:-1] + b"\x09"


def _operation(reply: pb.QueryReply) -> None:
    for entry in reply.entries:
        operation = entry.operations[0].operation
        entry.operations[0].operation = operation.replace(b"other", b"wrong")


def _twice(reply: pb.QueryReply) -> None:
    for entry in reply.entries:
        entry.operations.append(entry.operations[0])


def _hidden(reply: pb.QueryReply) -> None:
    for entry in reply.entries:
        del entry.operations[:]


def _unasked(reply: pb.QueryReply) -> None:
    if reply.entries:
        reply.entries.append(reply.entries[0])
        reply.entries[-1].index += 2


def _checkpoint(reply: pb.QueryReply) -> None:
    if reply.entries:
        reply.checkpoint = reply.checkpoint[:-8] + b"AAAAAA=\n"


LIES = (
    _version, _size, _time, _writer, _leaf, _hashes, _long_proof, _index, _salt, _outcome,
    _operation, _twice, _hidden, _unasked, _checkpoint,
)  # fmt: skip


@pytest.mark.parametrize("change", LIES, ids=lambda change: change.__name__)
async def test_a_head_that_is_not_proven(
    owner: OwnerClient, change: Callable[[pb.QueryReply], None]
) -> None:
    """Whatever a node changes of a head or of its entry is found."""
    Lie.to(owner).change = change
    with pytest.raises(ReceiptInvalidError):
        await owner.head(OWNED, "other")


async def test_a_history_of_something_else(owner: OwnerClient) -> None:
    """True entries of another secret, or places out of order, are no history."""
    places = [(event.index, event.position) async for event in owner.history(OWNED, NAMES[0])]
    lie = Lie.to(owner)

    def other(reply: pb.QueryReply) -> None:
        for row in reply.history:
            row.index, row.position = places[0]

    lie.change = other
    with pytest.raises(ReceiptInvalidError, match="another secret"):
        _ = [event async for event in owner.history(OWNED, "other")]

    def doubled(reply: pb.QueryReply) -> None:
        reply.history.extend(list(reply.history))

    lie.change = doubled
    with pytest.raises(ReceiptInvalidError, match="order"):
        _ = [event async for event in owner.history(OWNED, "other")]


async def test_an_entry_that_never_opens(
    owner: OwnerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that tells of an entry and does not open it: an error after a few answers."""
    monkeypatch.setattr("enclave_client.asking.attempt_delay_s", lambda _: 0.0)
    lie = Lie.to(owner)

    def empty(reply: pb.QueryReply) -> None:
        del reply.entries[:]

    lie.change = empty
    with pytest.raises(UnavailableError, match="does not open"):
        await owner.head(OWNED, "other")
    assert lie.asked < 10


async def test_two_histories_are_an_alarm(owner: OwnerClient) -> None:
    """A second certified root for a size that was seen stops the client."""
    lie = Lie.to(owner)
    book = owner._asking._book

    def forked(note: bytes) -> object:
        raise LogForkedError(3, (note, note))

    book.verify = forked  # type: ignore[method-assign, assignment]  # as if it had seen another
    with pytest.raises(LogForkedError):
        await owner.head(OWNED, "other")
    assert len(lie.alarms) == 1
    with pytest.raises(LogForkedError):
        await owner.collection(OWNED)


# ----------------------------------------------------------------------- sessions, refusals


@pytest.mark.usefixtures("owner")
async def test_a_question_outlives_its_session(node: Serving) -> None:
    """When the ledger says that the session is over, the next one asks."""
    async with node.client("app", OWNED) as app:
        lie = Lie.to(app)
        reasons = [Reason.SESSION_EXPIRED, Reason.OVERLOADED]
        signers = []

        def over(reply: pb.QueryReply) -> None:
            if reasons:
                reply.Clear()
                reply.refusal.reason = reasons.pop(0).value  # type: ignore[assignment]  # a number

        lie.change = over
        signers.append((await app._pipeline.ready())[1].name)
        assert [row.name async for row in app.list("o")] == ["other"]
        signers.append((await app._pipeline.ready())[1].name)
        assert signers[0] != signers[1]
        assert lie.asked == 3


async def test_a_wrong_clock_is_named(owner: OwnerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question from another time is refused, and the hint says why."""
    real = owner._asking._now_ms
    monkeypatch.setattr(owner._asking, "_now_ms", lambda: real() - 600_000)
    with pytest.raises(RefusedError) as caught:
        await owner.collection(OWNED)
    assert "clock" in caught.value.hint


async def test_a_closed_client_does_not_ask(node: Serving) -> None:
    """Also not through a generator that was made before."""
    async with node.client() as app:
        rows = app.list()
    with pytest.raises(ClosedError):
        await anext(rows)
