"""Transactions in flight over a line that loses, repeats, reorders and breaks."""

import asyncio
import random
from collections import defaultdict

import pytest

from enclave_client import wire
from enclave_client.errors import UnavailableError
from enclave_client.transactions import Transaction
from ledger.format.operation import Read
from ledger.format.outcome import PutDone
from ledger.reason import Reason
from tests.support.planted import NAME, VALUE
from tests.support.raw_client import RawClient
from tests.support.real_node import COLLECTION, Serving, client_of, with_endpoint
from tests.support.relay import BreakError, Meddler, relaying

IN_FLIGHT = 16
QUIET_S = 0.3


class Lossy(Meddler):
    """Loses and breaks what passes on the stream, by a seed."""

    def __init__(self, seed: int, *, loss: float, breaks: float) -> None:
        self._random = random.Random(seed)
        self._loss = loss
        self._breaks = breaks
        self.lost = 0

    async def request(self, method: str, data: bytes) -> bytes | None:
        return self._pass(method, data)

    async def reply(self, method: str, data: bytes) -> bytes | None:
        return self._pass(method, data)

    def _pass(self, method: str, data: bytes) -> bytes | None:
        if method != "Submit":
            return data
        chance = self._random.random()
        if chance < self._loss + self._breaks:
            self.lost += 1
            if chance < self._breaks:
                raise BreakError
            return None
        return data


class Answers:
    """Every answer that came for each transaction."""

    def __init__(self) -> None:
        self.indices: dict[bytes, set[int]] = defaultdict(set)
        self.first: dict[bytes, wire.Recorded] = {}

    def take(self, answer: wire.Answer) -> None:
        """Keep one."""
        assert isinstance(answer.result, wire.Recorded), answer.result
        self.indices[answer.transaction_hash].add(answer.result.index)
        self.first.setdefault(answer.transaction_hash, answer.result)


async def one_round(client: RawClient, sent: list[Transaction], answers: Answers) -> None:
    """Send these over one stream and read until it breaks or stays quiet."""
    stream = client.link.transport.submit()
    try:
        for transaction in sent:
            await stream.write(transaction.request)
        while True:
            async with asyncio.timeout(QUIET_S):
                answers.take(wire.decode_answer(await stream.read()))
    except (UnavailableError, TimeoutError):
        pass
    finally:
        stream.cancel()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_16_transactions_in_flight_and_loss(node: Serving, seed: int) -> None:
    """Attack: whatever is lost, repeated or reordered, each transaction has exactly one outcome."""
    shuffle = random.Random(seed)
    meddler = Lossy(seed, loss=0.25, breaks=0.03)
    answers = Answers()
    async with relaying(node.running.port, meddler) as relay:
        file = with_endpoint(node.file, relay.port)
        platform = node.network.app("app")
        async with await RawClient.open(file, platform, proxied=True) as client:
            await client.acquire(COLLECTION)
            sent = [
                client.make(client.put(NAME, VALUE + bytes((number,)), COLLECTION))
                for number in range(IN_FLIGHT)
            ]
            while len(answers.first) < IN_FLIGHT:
                missing = [one for one in sent if one.hash not in answers.first]
                repeated = missing + shuffle.choices(sent, k=IN_FLIGHT // 2)
                await one_round(client, shuffle.sample(repeated, len(repeated)), answers)
    assert meddler.lost > 5
    assert {len(indices) for indices in answers.indices.values()} == {1}
    async with await RawClient.open(node.file, platform) as reader:
        reader.book = client.book
        proven = [reader.prove(one, answers.first[one.hash]) for one in sent]
        details = [one.outcomes[0].detail for one in proven]
        versions = {detail.version for detail in details if isinstance(detail, PutDone)}
        assert versions == set(range(1, IN_FLIGHT + 1))
        last = await reader.run((Read(COLLECTION, NAME, IN_FLIGHT + 1), b""))
        assert last.reasons == [Reason.NOT_FOUND]


async def test_a_client_on_a_breaking_line(node: Serving) -> None:
    """The SDK's calls each run exactly once: `if_version` would tell of a second time."""
    meddler = Lossy(7, loss=0.0, breaks=0.1)
    async with relaying(node.running.port, meddler) as relay:
        file = with_endpoint(node.file, relay.port)
        async with client_of(file, node.network.app("app"), proxied=True) as client:
            for batch in range(10):
                stored = await asyncio.gather(
                    *(client.put(f"n/{batch}/{n}", VALUE, if_version=0) for n in range(8))
                )
                assert {one.version for one in stored} == {1}
                got = await asyncio.gather(*(client.get(f"n/{batch}/{n}") for n in range(8)))
                assert {one.value for one in got} == {VALUE}
    assert meddler.lost > 3


async def test_one_transaction_over_every_entrance_at_once(node: Serving) -> None:
    """The same bytes sent many times, by every method, are one entry."""
    async with await RawClient.open(node.file, node.network.app("app")) as client:
        await client.acquire(COLLECTION)
        sent = client.make(client.put(NAME, VALUE, COLLECTION))
        transport = client.link.transport
        answers = Answers()
        unary = [transport.submit_one, transport.attest] * 8
        streams = (one_round(client, [sent] * 8, answers) for _ in range(2))
        calls = asyncio.gather(*(call(sent.request) for call in unary))
        await asyncio.gather(*streams)
        for reply in await calls:
            answers.take(wire.decode_answer(reply))
        assert [len(indices) for indices in answers.indices.values()] == [1]
        read = await client.run((Read(COLLECTION, NAME, 2), b""))
        assert read.reasons == [Reason.NOT_FOUND]


async def test_sequence_numbers_reused_and_passed(node: Serving) -> None:
    """Attack: another body under a number that ran is refused; far below the newest, it never runs.

    A number is not needed in order: the window of 1,024 takes what comes late.
    """
    async with await RawClient.open(node.file, node.network.app("app")) as client:
        await client.acquire(COLLECTION)
        late = client.make(client.put(NAME, VALUE, COLLECTION), sequence=1_100)
        too_late = client.make(client.put(NAME, VALUE, COLLECTION), sequence=1_000)
        newest = client.make((Read(COLLECTION, NAME), b""), sequence=2_050)
        assert (await client.recorded(newest)).reasons == [Reason.NOT_FOUND]
        assert (await client.recorded(late)).reasons == [Reason.OK]
        other = client.make(client.put(NAME, b"other", COLLECTION), sequence=1_100)
        assert await client.refused(other) is Reason.SEQUENCE_REUSED
        assert await client.refused(too_late) is Reason.SEQUENCE_PASSED
