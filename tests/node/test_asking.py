"""Asking a real node over gRPC: who sees what, proven; watches; keys for owners; what is erased."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
import pytest

import contracts.asker
from kms.messages import encode_sealing_key_question
from ledger.crypto import ed25519
from ledger.crypto.secret import Secret
from ledger.format.genesis import Limits, decode_genesis
from ledger.format.operation import (
    AcquireKey,
    KeyServiceStart,
    OpenSession,
    Operation,
    Put,
    Read,
)
from ledger.format.outcome import Coordinates, Destroyed, Outcome, PutDone
from ledger.format.query import (
    ListCollections,
    ListSecrets,
    OpenEntries,
    Question,
    ShowCollection,
    ShowHead,
    ShowHistory,
)
from ledger.format.receipt import VerifiedReceipt
from ledger.format.sealed import MODE_PUBLIC, TAG_BYTES
from ledger.format.terms import (
    CollectionTerms,
    CreateCollection,
    Destroy,
    FreezeCollection,
    SetPolicy,
)
from ledger.format.transaction import SignerKind
from ledger.format.trust import decode_trust
from ledger.log.merkle import leaf_hash
from ledger.reason import Reason
from ledger.sealing import open_released, open_value, release_key, seal_value_public
from ledger.sealing import sealing_key_statement as statement_bytes
from node import asking
from node.fsck import Options, check_directory
from sealedger.v1 import node_pb2 as pb
from tests.support.asking import AccountKey, Asker, by_account, by_session, channel_to
from tests.support.fuzzing import SERVICE
from tests.support.raw_client import RawClient
from tests.support.real_node import (
    COLLECTION,
    OTHER_COLLECTION,
    Found,
    NodeProcess,
    RealNetwork,
    Serving,
    found,
    serving,
)

VALUE = b"an owner's value"
OWN = "team/own"
ALL = OpenEntries(0, 1000)


@dataclass(frozen=True, slots=True)
class House:
    """A node with an owner, two apps' sessions and one channel for questions."""

    node: Serving
    channel: grpc.aio.Channel
    app: RawClient
    other: RawClient
    owner: AccountKey

    def asks(self, who: RawClient | AccountKey) -> Asker:
        """Somebody who asks."""
        if isinstance(who, RawClient):
            return by_session(self.channel, who)
        return by_account(self.channel, self.node.file, who)

    async def sealing_key(self, collection: str) -> pb.SealingKeyReply:
        """The node's answer."""
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self.channel.unary_unary(
            SERVICE + "SealingKey"
        )
        return pb.SealingKeyReply.FromString(
            await call(encode_sealing_key_question(collection), timeout=20)
        )

    async def put(self, name: str, value: bytes = VALUE) -> tuple[Put, bytes]:
        """A Put step of the owner, sealed to the collection's public key."""
        said = (await self.sealing_key(OWN)).statement
        writer = bytes(12) + self.owner.address
        at = Coordinates(OWN, name, os.urandom(16), said.epoch, MODE_PUBLIC, writer)
        key = Secret(os.urandom(32))
        network_id = self.node.file.network_id
        sealed, digest = seal_value_public(network_id, at, said.public_key, key, value)
        size = len(value) + TAG_BYTES
        return Put(OWN, name, at.record_id, at.epoch, at.mode, digest, size), sealed

    async def stored(self, *names: str) -> int:
        """Put values as the owner; gives the entry."""
        steps = [await self.put(name) for name in names]
        answered = await self.app.recorded(self.owner.transaction(self.app, *steps))
        assert set(answered.reasons) == {Reason.OK}
        return answered.recorded.index


def terms(network: RealNetwork, *auditors: bytes) -> CollectionTerms:
    """The policy that genesis has for the app: it reads and writes."""
    genesis = decode_genesis(network.home.genesis.read_bytes())
    app = next(one for one in genesis.collections if one.name == COLLECTION)
    return CollectionTerms(app.readers, app.writers, tuple(sorted(auditors)))


@asynccontextmanager
async def housed(network: RealNetwork) -> AsyncIterator[House]:
    """The node runs, and the owner owns OWN."""
    async with (
        serving(network) as node,
        await RawClient.open(node.file, network.app("app")) as app,
        await RawClient.open(node.file, network.app("other")) as other,
        channel_to(node.file) as channel,
    ):
        await app.acquire(COLLECTION)
        house = House(node, channel, app, other, AccountKey("owner"))
        auditor = AccountKey("auditor").address
        made = await house.owner.run(app, CreateCollection(OWN, terms(network, auditor)))
        assert made == [Reason.OK]
        yield house


@pytest.fixture
def network(tmp_path: Path) -> RealNetwork:
    """Two apps: both in OTHER_COLLECTION, one in COLLECTION."""
    return found(tmp_path / "network")


@pytest.fixture
async def house(network: RealNetwork) -> AsyncIterator[House]:
    """The house."""
    async with housed(network) as one:
        yield one


def collections_of(receipts: Iterable[VerifiedReceipt]) -> set[str]:
    """The collections of all opened operations."""
    operations = (one.operation for receipt in receipts for one in receipt.opened)
    return {getattr(operation, "collection", "") for operation in operations}


async def walked(asker: Asker, question: OpenEntries) -> list[tuple[int, int]]:
    """Entry and position of every operation that is shown, page after page, each proven."""
    found: list[tuple[int, int]] = []
    while True:
        reply = await asker.ask(question)
        for receipt in asker.proven(reply):
            found.extend((receipt.index, one.position) for one in receipt.opened)
        if not reply.more:
            return found
        assert reply.next_index > question.from_index
        question = OpenEntries(
            reply.next_index, question.limit, question.collection, question.session
        )


# ------------------------------------------------------------------------------------------- owners


async def test_an_owner_s_value_is_read_by_an_app(house: House) -> None:
    """What an owner sealed without a TEE is opened by a session, with the node's own release."""
    await house.stored("tls/key")
    got = await house.app.run((Read(OWN, "tls/key"), b""))
    assert got.reasons == got.released == [Reason.OK]
    released = got.recorded.released[0]
    assert released is not None
    network_id = house.node.file.network_id
    ticket = got.ticket()
    one_time = release_key(house.app.session.secret, leaf_hash(ticket.leaf), 0)
    key = open_released(one_time, released.sealed_key)
    origin = got.outcomes[0].detail.origin  # type: ignore[union-attr]  # a granted read
    sealed = got.recorded.sealed[0]
    assert open_value(key, sealed, network_id, origin) == VALUE


async def test_the_sealing_key_is_the_service_s_word(house: House) -> None:
    """The statement verifies under the service key in genesis; names that are none are refused."""
    trust = decode_trust(decode_genesis(house.node.network.home.genesis.read_bytes()).trust)
    for collection in (OWN, COLLECTION, "nobody/has/it"):
        said = (await house.sealing_key(collection)).statement
        assert (said.epoch, len(said.public_key)) == (trust.epoch, 1216)
        message = statement_bytes(
            house.node.file.network_id, collection, said.epoch, said.public_key
        )
        assert ed25519.is_valid(trust.service_key, said.signature, message)
    for bad in ("", "a//b", "x" * 201):
        refusal = (await house.sealing_key(bad)).refusal
        assert Reason(refusal.reason) is Reason.MALFORMED


async def test_a_hoarded_ticket_of_a_destroyed_value(house: House) -> None:
    """A ticket that was good releases nothing once the value is destroyed; the data stay sound."""
    await house.stored("x", "y")
    await house.stored("x")
    tickets = [(await house.app.run((Read(OWN, "x", version), b""))).ticket() for version in (1, 2)]
    answered = await house.app.recorded(
        house.owner.transaction(house.app, (Destroy(OWN, "x"), b""))
    )
    assert answered.outcomes == (Outcome(Reason.OK, Destroyed(1, 2)),)
    for ticket in tickets:
        refusal = await house.app.redeem(ticket)
        assert getattr(refusal, "reason", None) is Reason.PAYLOAD_ERASED
    assert (await house.app.run((Read(OWN, "x"), b""))).reasons == [Reason.DESTROYED]
    assert (await house.app.run((Read(OWN, "y"), b""))).released == [Reason.OK]
    reply = await house.asks(house.owner).ask(ListSecrets(OWN, "", "", 10))
    assert [(row.name, row.version, row.destroyed) for row in reply.secrets] == [
        ("x", 2, True),
        ("y", 1, False),
    ]


async def test_destroyed_data_pass_fsck_and_restart(network: RealNetwork) -> None:
    """A value that was put and destroyed in one block, and later ones, leave a whole ledger."""
    async with housed(network) as house:
        step = await house.put("x")
        together = house.owner.transaction(house.app, step, step, (Destroy(OWN, "x"), b""))
        answered = await house.app.recorded(together)
        assert answered.reasons == [Reason.OK] * 3
        await house.stored("x", "y")
        assert await house.owner.run(house.app, FreezeCollection(OWN, frozen=True)) == [Reason.OK]
        assert await house.owner.run(house.app, Destroy(OWN, "y")) == [Reason.OK]
        assert (await house.app.run((Read(OWN, "x"), b""))).reasons == [Reason.FROZEN]
    genesis = network.home.genesis.read_bytes()
    report = check_directory(network.home.data, genesis, Options())
    assert report.is_clean, report.findings
    async with serving(network) as node, channel_to(node.file) as channel:
        asker = by_account(channel, node.file, AccountKey("owner"))
        rows = (await asker.ask(ListSecrets(OWN, "", "", 10))).secrets
        assert [(row.name, row.version, row.destroyed) for row in rows] == [
            ("x", 3, False),
            ("y", 1, True),
        ]
        assert (await asker.ask(ShowCollection(OWN))).collections[0].frozen


async def test_strangers_leave_no_entry(house: House) -> None:
    """What an account may not do is refused on the wire and leaves the log as it was."""
    stranger = AccountKey("stranger")
    size = house.node.running.replica.head.size
    for operation, reason in (
        (Destroy(OWN, "x"), Reason.DENIED),
        (FreezeCollection(OWN, frozen=True), Reason.DENIED),
        (SetPolicy(OWN, terms(house.node.network)), Reason.DENIED),
        (CreateCollection(OWN, terms(house.node.network)), Reason.COLLECTION_EXISTS),
        (Read(OWN, "x"), Reason.WRONG_SIGNER),
    ):
        sent = stranger.transaction(house.app, (operation, b""))
        assert await house.app.refused(sent) is reason
    assert house.node.running.replica.head.size == size


# ------------------------------------------------------------------------------------------ answers


async def test_every_question(house: House) -> None:
    """Owner, auditor and the app that reads have the same true answers about a collection."""
    index = await house.stored("b", "a", "a/1")
    read = await house.app.run((Read(OWN, "a"), b""))
    for who in (house.owner, AccountKey("auditor"), house.app):
        asker = house.asks(who)
        listed = (await asker.ask(ListSecrets(OWN, "", "", 2))).secrets
        assert [row.name for row in listed] == ["a", "a/1"]
        rest = await asker.ask(ListSecrets(OWN, "", "a/1", 2))
        assert ([row.name for row in rest.secrets], rest.more) == (["b"], False)
        (head,) = (await asker.ask(ShowHead(OWN, "a"))).secrets
        assert (head.version, head.size, head.index, head.position) == (1, 32, index, 1)
        assert head.writer == bytes(12) + house.owner.address
        history = (await asker.ask(ShowHistory(OWN, "a", 0, 10))).history
        places = [(row.index, row.position) for row in history]
        assert places == [(index, 1), (read.recorded.index, 0)]
        (shown,) = (await asker.ask(ShowCollection(OWN))).collections
        assert (shown.name, shown.owner) == (OWN, house.owner.address)
        assert OWN in {row.name for row in (await asker.ask(ListCollections("", 9))).collections}
        indices = OpenEntries(0, 2, indices=(index, read.recorded.index))
        put, granted = asker.proven(await asker.ask(indices))
        assert [one.outcome for one in put.opened] == [Outcome(Reason.OK, PutDone(1))] * 3
        assert granted.opened[0].outcome == read.outcomes[0]
        assert await asker.refused(ShowHead(OWN, "nothing")) is Reason.NOT_FOUND


async def test_a_stranger_is_told_nothing(house: House) -> None:
    """An account that nobody knows, and an app of other collections, hear one word."""
    await house.stored("x")
    for who in (AccountKey("stranger"), house.other):
        asker = house.asks(who)
        questions: tuple[Callable[[str], Question], ...] = (
            lambda place: ListSecrets(place, "", "", 9),
            lambda place: ShowHead(place, "x"),
            lambda place: ShowHistory(place, "x", 0, 9),
            ShowCollection,
            lambda place: OpenEntries(0, 9, place),
        )
        for ask in questions:
            for place in (OWN, "nowhere"):
                assert await asker.refused(ask(place)) is Reason.DENIED
    stranger = house.asks(AccountKey("stranger"))
    assert await stranger.refused(ALL) is Reason.DENIED
    assert not (await stranger.ask(OpenEntries(0, 9, indices=(0, 1, 2)))).entries
    assert not (await stranger.ask(ListCollections("", 9))).collections
    assert await stranger.watch(ALL).refusal() is Reason.DENIED


async def test_operations_of_one_entry_are_shown_to_their_own(house: House) -> None:
    """One entry's operations on two collections: each asker sees its own, and the proof holds."""
    mixed = await house.app.run(
        house.app.put("mine", b"v", COLLECTION),
        (Read(OTHER_COLLECTION, "theirs"), b""),
        (Read(OWN, "x"), b""),
        (AcquireKey(OTHER_COLLECTION), b""),
    )
    only = OpenEntries(0, 1, indices=(mixed.recorded.index,))
    expected = {
        house.app.session.id: [0, 1, 2, 3],
        house.other.session.id: [1, 3],
        house.owner.address: [2],
    }
    for who in (house.app, house.other, house.owner):
        asker = house.asks(who)
        (receipt,) = asker.proven(await asker.ask(only))
        assert [one.position for one in receipt.opened] == expected[asker.name]
    house_wide = house.asks(house.other)
    seen = collections_of(house_wide.proven(await house_wide.ask(ALL)))
    assert seen == {"", OTHER_COLLECTION}


async def test_entries_by_session_and_collection(house: House) -> None:
    """By session: what it signed, and its opening. By collection: operations on it alone."""
    first = await house.app.run(house.app.put("a", b"v", COLLECTION), (Read(OWN, "x"), b""))
    await house.other.run((Read(OTHER_COLLECTION, "x"), b""))
    asker = house.asks(house.app)
    session = house.app.session.id
    mine = asker.proven(await asker.ask(OpenEntries(0, 1000, session=session)))
    assert {one.body.signer for one in mine[1:]} == {session}
    opening = mine[0]
    assert opening.body.signer_kind is SignerKind.NEW_SESSION
    assert isinstance(opening.opened[0].operation, OpenSession)
    detail = opening.opened[0].outcome.detail
    assert getattr(detail, "session_id", None) == session
    assert mine[-1].index == first.recorded.index
    both = asker.proven(await asker.ask(OpenEntries(0, 1000, COLLECTION, session)))
    assert collections_of(both) == {COLLECTION}
    assert both[-1].index == first.recorded.index
    assert not (await asker.ask(OpenEntries(0, 1000, session=bytes(32)))).entries
    everything = asker.proven(await asker.ask(ALL))
    kinds = {type(one.operation) for receipt in everything for one in receipt.opened}
    assert {OpenSession, KeyServiceStart, CreateCollection, Put, Read, AcquireKey} <= kinds


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize(
    "bound", ["MAX_WALKED", "MAX_LOOKED_AT", "MAX_REPLY_BYTES", "MAX_JUDGED_BYTES", ""]
)
async def test_pages_lose_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, limit: int, bound: str
) -> None:
    """However an answer is cut, the pages together are the whole."""
    for number in range(4):
        await house.stored(f"n{number}", "x")
        await house.other.run((Read(OTHER_COLLECTION, "x"), b""))
    for who in (house.owner, house.other, house.app):
        asker = house.asks(who)
        whole = await walked(asker, ALL)
        assert len(whole) >= 6
        with monkeypatch.context() as patched:
            if bound:
                of = contracts.asker if bound == "MAX_JUDGED_BYTES" else asking
                patched.setattr(of, bound, 3)
            for question in (OpenEntries(0, limit), OpenEntries(whole[2][0], limit)):
                expected = [place for place in whole if place[0] >= question.from_index]
                assert await walked(asker, question) == expected


async def test_indices_over_the_limit(house: House) -> None:
    """With a smaller limit than indices there is more, and it says where."""
    index = await house.stored("x")
    asker = house.asks(house.owner)
    size = house.node.running.certifier.latest.size
    reply = await asker.ask(OpenEntries(0, 1, indices=(index, index + 1, size + 5)))
    assert ([entry.index for entry in reply.entries], reply.more) == ([index], True)
    assert reply.next_index == index + 1
    beyond = await asker.ask(OpenEntries(0, 9, indices=(size, size + 5, 2**64 - 1)))
    assert (list(beyond.entries), beyond.more) == ([], False)
    future = await asker.ask(OpenEntries(2**64 - 1, 9))
    assert (list(future.entries), future.more, future.next_index) == ([], False, 2**64 - 1)


# ------------------------------------------------------------------------------------------ watches


async def test_a_watch_goes_on(house: House) -> None:
    """A watch shows what stands and what is added; begun again from an index, it loses nothing."""
    first = await house.stored("a")
    asker = house.asks(house.owner)
    watch = asker.watch(OpenEntries(0, 1000, OWN))
    begun = await watch.next()
    assert collections_of(asker.proven(begun)) == {OWN}
    seen = [entry.index for entry in begun.entries]
    assert seen[-1] == first
    await house.other.run((Read(OTHER_COLLECTION, "x"), b""))
    second = await house.stored("b")
    added = await watch.next()
    assert [receipt.index for receipt in asker.proven(added)] == [second]
    watch.call.cancel()
    third = await house.stored("c")
    again = asker.watch(OpenEntries(added.next_index, 1000, OWN))
    assert [entry.index for entry in (await again.next()).entries] == [third]
    again.call.cancel()


async def test_a_watch_of_the_past_in_small_pages(house: House) -> None:
    """A watch with a small limit gives the past page by page without waiting."""
    indices = [await house.stored(f"n{number}") for number in range(5)]
    asker = house.asks(house.owner)
    watch = asker.watch(OpenEntries(indices[0], 1, OWN))
    got = [(await watch.next()).entries[0].index for _ in indices]
    assert got == indices
    watch.call.cancel()


async def test_a_watch_ends_with_the_rights(house: House) -> None:
    """Who loses the right to ask is told so by the watch, and sees nothing more."""
    asker = house.asks(house.app)
    watch = asker.watch(OpenEntries(0, 1000, OWN))
    await watch.next()
    trust = decode_trust(decode_genesis(house.node.network.home.genesis.read_bytes()).trust)
    nobody = CollectionTerms(trust.core_policy, trust.core_policy)
    assert await house.owner.run(house.app, SetPolicy(OWN, nobody)) == [Reason.OK]
    assert await watch.refusal() is Reason.DENIED


async def test_a_watch_ends_with_the_session(house: House) -> None:
    """A session that is closed by rule stops watching."""
    async with await RawClient.open(house.node.file, house.node.network.app("app")) as client:
        watch = house.asks(client).watch(OpenEntries(0, 1000, OWN))
        await watch.next()
        denied: tuple[Operation, bytes] = (Destroy(OWN, "x"), b"")
        await client.run(*[denied] * 100)
        assert await watch.refusal() is Reason.SESSION_CLOSED


async def test_a_watch_ends_when_the_session_is_over(tmp_path: Path) -> None:
    """A session whose time is over stops watching at the next block, without anybody's doing."""
    limits = Limits(session_ms=1_000, block_interval_ms=100)
    network = found(tmp_path / "network", Found(limits=limits))
    async with (
        serving(network) as node,
        channel_to(node.file) as channel,
        await RawClient.open(node.file, network.app("app")) as client,
    ):
        began = time.monotonic()
        watch = by_session(channel, client).watch(OpenEntries(0, 1000, COLLECTION))
        assert await watch.refusal() is Reason.SESSION_EXPIRED
        assert time.monotonic() - began < 20


async def test_watches_are_bounded_and_let_go(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One watch too many is told to come again; a cancelled one makes room at once."""
    monkeypatch.setattr(asking, "MAX_WATCHES", 2)
    await house.stored("x")
    asker = house.asks(house.owner)
    question = OpenEntries(0, 1000, OWN)
    first, second = asker.watch(question), asker.watch(question)
    await first.next()
    await second.next()
    assert await asker.watch(question).refusal() is Reason.OVERLOADED
    first.call.cancel()
    async with asyncio.timeout(10):
        while (await asker.watch(question).next()).HasField("refusal"):
            continue  # each try is a call of its own
    second.call.cancel()


async def test_a_watch_ends_when_the_node_stops(network: RealNetwork) -> None:
    """A node that stops tells its watchers so, and does not wait for them to go."""
    process = NodeProcess(network)
    await process.start()
    try:
        async with (
            await RawClient.open(process.file, network.app("app")) as client,
            channel_to(process.file) as channel,
        ):
            watch = by_session(channel, client).watch(OpenEntries(0, 1000))
            await watch.next()
            stopping = asyncio.create_task(process.stop())
            assert await watch.refusal() is Reason.SHUTTING_DOWN
            assert await stopping == 0
    finally:
        await process.stop()
