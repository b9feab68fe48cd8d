"""Questions, watches and questions for keys: random, cut, changed, replayed, late, of others."""

import asyncio
import random
from collections.abc import AsyncIterator
from itertools import count

import grpc
import grpc.aio
import pytest

from ledger.format.query import (
    MAX_QUERY_BYTES,
    ListCollections,
    ListSecrets,
    OpenEntries,
    Query,
    Question,
    ShowCollection,
    ShowHead,
    ShowHistory,
    encode_query,
    query_message,
)
from ledger.format.transaction import SignerKind
from ledger.reason import Reason
from sealedger.v1 import kms_pb2
from sealedger.v1 import node_pb2 as pb
from tests.support.asking import AccountKey, Asker, by_account, by_session, channel_to
from tests.support.fuzzing import SERVICE, cut, flipped, junk, mangled, status_of
from tests.support.planted import NAME
from tests.support.raw_client import RawClient, now_ms
from tests.support.real_node import COLLECTION, OTHER_COLLECTION, NodeProcess

MINUTE_MS = 60_000
QUESTIONS: tuple[Question, ...] = (
    ListSecrets(COLLECTION, "", "", 10),
    ShowHead(COLLECTION, NAME),
    ShowHistory(COLLECTION, NAME, 0, 10),
    ShowCollection(COLLECTION),
    ListCollections("", 10),
    OpenEntries(0, 10, COLLECTION),
    OpenEntries(0, 2, indices=(1, 3)),
)
ENTRANCES = ("Ask", "Watch")
# what changed bytes may be told; never anything that is ours
YOURS = {
    Reason.MALFORMED,
    Reason.TOO_LARGE,
    Reason.WRONG_NETWORK,
    Reason.BAD_SIGNATURE,
    Reason.UNKNOWN_SIGNER,
    Reason.TRANSACTION_EXPIRED,
}


@pytest.fixture
async def asker(node: NodeProcess, client: RawClient) -> AsyncIterator[Asker]:
    """A session that may ask."""
    async with channel_to(node.file) as channel:
        yield by_session(channel, client)


@pytest.fixture(params=ENTRANCES)
def method(request: pytest.FixtureRequest) -> str:
    """Ask, and Watch, whose first answer is judged likewise."""
    return str(request.param)


async def first(asker: Asker, method: str, request: pb.QueryRequest) -> pb.QueryReply:
    """The first answer to a request."""
    if method == "Ask":
        return await asker.send(request)
    watch = asker.watching(request.SerializeToString())
    try:
        return await watch.next()
    finally:
        watch.call.cancel()


async def reason(asker: Asker, method: str, request: pb.QueryRequest) -> Reason:
    """The reason of a refusal, which has a hint; OK for an answer."""
    reply = await first(asker, method, request)
    if not reply.HasField("refusal"):
        return Reason.OK
    assert reply.refusal.hint
    return Reason(reply.refusal.reason)


async def test_random_queries(asker: Asker, method: str, rng: random.Random, rounds: int) -> None:
    """Random bytes are no query, whatever stands beside them."""
    for data in junk(rng, rounds):
        request = pb.QueryRequest(query=data, signature=rng.randbytes(64))
        assert await reason(asker, method, request) in (Reason.MALFORMED, Reason.TOO_LARGE)


async def test_cut_and_mangled_queries(
    asker: Asker, method: str, rng: random.Random, rounds: int
) -> None:
    """A changed query is never answered: it is malformed, or nobody signed it."""
    for _ in range(rounds):
        good = asker.request(rng.choice(QUESTIONS))
        for change in (cut, mangled, flipped):
            request = pb.QueryRequest(query=change(rng, good.query), signature=good.signature)
            assert await reason(asker, method, request) in YOURS


async def test_mangled_signatures(
    asker: Asker, method: str, rng: random.Random, rounds: int
) -> None:
    """Another signature, of any length, is not the signer's."""
    for _ in range(rounds):
        good = asker.request(OpenEntries(0, 10, COLLECTION))
        for signature in (
            mangled(rng, good.signature),
            rng.randbytes(64),
            rng.randbytes(rng.randrange(200)),
        ):
            request = pb.QueryRequest(query=good.query, signature=signature)
            assert await reason(asker, method, request) is Reason.BAD_SIGNATURE


async def test_accounts_with_odd_signatures(
    asker: Asker, method: str, rng: random.Random, rounds: int
) -> None:
    """Any 65 bytes recover to somebody or nobody, never to the account that is named."""
    account = AccountKey("fuzz")
    one = by_account(asker.channel, asker.network, account)
    good = one.request(OpenEntries(0, 1))
    assert await reason(asker, method, good) is Reason.DENIED
    for _ in range(rounds):
        for signature in (rng.randbytes(65), mangled(rng, good.signature), rng.randbytes(64)):
            request = pb.QueryRequest(query=good.query, signature=signature)
            assert await reason(asker, method, request) is Reason.BAD_SIGNATURE


async def test_wrong_in_one_point(asker: Asker, method: str, rng: random.Random) -> None:
    """Another network, another time, another signer: each is told by its own name."""
    question = OpenEntries(0, 10, COLLECTION)
    for changes, expected in (
        ({"network_id": rng.randbytes(32)}, Reason.WRONG_NETWORK),
        ({"time_ms": now_ms() - 3 * MINUTE_MS}, Reason.TRANSACTION_EXPIRED),
        ({"time_ms": now_ms() + 3 * MINUTE_MS}, Reason.TRANSACTION_EXPIRED),
        ({"time_ms": 0}, Reason.TRANSACTION_EXPIRED),
        ({"time_ms": 2**64 - 1}, Reason.TRANSACTION_EXPIRED),
        ({"signer": rng.randbytes(32)}, Reason.UNKNOWN_SIGNER),
        ({"signer": rng.randbytes(31)}, Reason.MALFORMED),
        ({"network_id": b""}, Reason.MALFORMED),
        ({"signer_kind": SignerKind.NODE}, Reason.MALFORMED),
        ({"signer_kind": SignerKind.NEW_SESSION, "signer": bytes(33)}, Reason.MALFORMED),
    ):
        assert await reason(asker, method, asker.request(question, **changes)) is expected, changes


@pytest.mark.parametrize(
    "question",
    [
        ListSecrets(COLLECTION, "", "", 0),
        ListSecrets(COLLECTION, "", "", 1001),
        ListSecrets(COLLECTION, "a\nb", "", 1),
        ListSecrets(COLLECTION, "é", "", 1),
        ListSecrets(COLLECTION, "x" * 201, "", 1),
        ListSecrets("a//b", "", "", 1),
        ShowHead(COLLECTION, ""),
        ShowHistory(COLLECTION, "..", 0, 1),
        ShowHistory(COLLECTION, NAME, 0, 2**32 - 1),
        ShowCollection(""),
        ListCollections("\0", 1),
        OpenEntries(0, 0),
        OpenEntries(0, 1, "a b"),
        OpenEntries(0, 1, session=bytes(31)),
        OpenEntries(0, 1, indices=(2, 1)),
        OpenEntries(0, 1, indices=(1, 1)),
        OpenEntries(0, 1, indices=tuple(range(257))),
        OpenEntries(1, 1, indices=(1,)),
        OpenEntries(0, 1, COLLECTION, indices=(1,)),
        OpenEntries(0, 1, session=bytes(32), indices=(1,)),
    ],
    ids=map(str, count()),
)
async def test_questions_that_cannot_be_meant(asker: Asker, question: Question) -> None:
    """Names that are none, limits out of bounds, indices out of order: malformed."""
    assert await reason(asker, "Ask", asker.request(question)) is Reason.MALFORMED


async def test_no_question(asker: Asker) -> None:
    """A query without a question, or with a kind that nobody knows, is malformed."""
    query = Query(
        asker.network.network_id, asker.kind, asker.name, now_ms(), ShowCollection(COLLECTION)
    )
    asked = b"\x42" + bytes((len(COLLECTION) + 2,))  # field 8 and its length
    for tail in (b"", b"\x5a\x00", b"\x7a\x02ab"):
        body = encode_query(query).partition(asked)[0] + tail
        message = query_message(query.network_id, body)
        request = pb.QueryRequest(query=body, signature=asker.sign(message))
        assert await reason(asker, "Ask", request) is Reason.MALFORMED


async def test_queries_over_their_limit(asker: Asker, method: str) -> None:
    """More than 2 KiB is not read as a query."""
    for size in (MAX_QUERY_BYTES + 1, 100_000, 8 * 1024 * 1024 - 200):
        request = pb.QueryRequest(query=bytes(size), signature=bytes(64))
        assert await reason(asker, method, request) is Reason.TOO_LARGE


async def test_only_entries_are_watched(asker: Asker) -> None:
    """Other questions, and exact indices, cannot be watched."""
    for question in QUESTIONS:
        if question != OpenEntries(0, 10, COLLECTION):
            assert await reason(asker, "Watch", asker.request(question)) is Reason.MALFORMED


async def test_the_same_question_many_times_at_once(asker: Asker) -> None:
    """A question repeated is answered again, the same while nothing happens to what it asks."""
    question = ShowCollection(COLLECTION)
    request = asker.request(question)
    answers = await asyncio.gather(*(asker.send(request) for _ in range(64)))
    assert all(one == answers[0] for one in answers)
    assert answers[0].collections[0].name == COLLECTION


async def test_what_others_may_see(asker: Asker, node: NodeProcess) -> None:
    """Whatever an app of another collection asks, no name of this one is in an answer."""
    async with await RawClient.open(node.file, node.network.app("other")) as other:
        stranger = by_session(asker.channel, other)
        for question in (*QUESTIONS, OpenEntries(0, 1000), OpenEntries(0, 256, session=asker.name)):
            request = stranger.request(question)
            for method in ENTRANCES if isinstance(question, OpenEntries) else ("Ask",):
                reply = await _within(stranger, method, request)
                shown = b"" if reply is None else reply.SerializeToString()
                assert NAME.encode() not in shown
                assert COLLECTION.encode() not in shown.replace(OTHER_COLLECTION.encode(), b"")


async def _within(asker: Asker, method: str, request: pb.QueryRequest) -> pb.QueryReply | None:
    """The first answer; None for a watch that has nothing to show."""
    try:
        async with asyncio.timeout(2):
            return await first(asker, method, request)
    except TimeoutError:
        return None


async def test_watches_that_come_and_go(asker: Asker, rng: random.Random, rounds: int) -> None:
    """Watches cut off at any moment cost nothing: the node goes on, and answers the next."""
    question = OpenEntries(0, 1000, COLLECTION)
    for _ in range(rounds):
        watches = [asker.watch(question) for _ in range(rng.randrange(1, 6))]
        for watch in watches:
            if rng.random() < 0.5:
                assert not (await watch.next()).HasField("refusal")
            watch.call.cancel()
    assert await reason(asker, "Watch", asker.request(question)) is Reason.OK


async def test_questions_for_keys(asker: Asker, rng: random.Random, rounds: int) -> None:
    """Random bytes ask for no key; any name has one, and only names."""
    known = {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = asker.channel.unary_unary(
        SERVICE + "SealingKey"
    )
    for data in junk(rng, rounds, 600):
        assert await status_of(asker.channel, "SealingKey", data) in known
    for name, expected in (
        (COLLECTION, Reason.OK),
        ("no/such/collection", Reason.OK),
        ("", Reason.MALFORMED),
        ("..", Reason.MALFORMED),
        ("é", Reason.MALFORMED),
        ("x" * 201, Reason.MALFORMED),
        ("x" * 5_000, Reason.TOO_LARGE),
    ):
        question = kms_pb2.SealingKeyQuestion(collection=name).SerializeToString()
        reply = pb.SealingKeyReply.FromString(await call(question, timeout=20))
        got = Reason(reply.refusal.reason) if reply.HasField("refusal") else Reason.OK
        assert got is expected, name
        unknown = pb.SealingKeyReply.FromString(await call(question + b"\x50\x01", timeout=20))
        assert unknown.HasField("refusal")
