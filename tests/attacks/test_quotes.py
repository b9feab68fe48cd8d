"""Quotes that burn time or abort the verifier, sent to a node that others are using."""

import asyncio
import functools
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from attestation.evidence import decode_evidence, encode_evidence
from attestation.worker import VerificationWorker, WorkerLimits
from enclave_client import session as sessions
from enclave_client import wire
from enclave_client.client import SecretClient
from enclave_client.transactions import Transaction
from ledger.crypto.p256 import SigningKey
from ledger.reason import Reason
from tests.support import burning_verifier
from tests.support.planted import VALUE
from tests.support.raw_client import RawClient, now_ms
from tests.support.real_node import RealNetwork, Serving, serving

SHORT = WorkerLimits(verify_timeout_s=0.3)


async def opening(attacker: RawClient, evidence: bytes) -> Transaction:
    """An OpenSession with any evidence, by a fresh key."""
    begun = sessions.begin(attacker.network.network_id, attacker.link.peer)
    return replace(begun, session_key=SigningKey()).transaction(evidence, os.urandom(16), now_ms())


async def attest(attacker: RawClient, evidence: bytes) -> Reason:
    """What Attest says to it."""
    sent = await opening(attacker, evidence)
    answer = wire.decode_answer(await attacker.link.transport.attest(sent.request))
    assert isinstance(answer.result, wire.Refusal)
    return answer.result.reason


@asynccontextmanager
async def working(node: Serving, latencies: list[float]) -> AsyncIterator[SecretClient]:
    """A client that puts and reads all the while."""
    done = asyncio.Event()

    async def work(client: SecretClient) -> None:
        while not done.is_set():
            start = time.perf_counter()
            stored = await client.put("busy/name", VALUE)
            assert (await client.get("busy/name", stored.version)).value == VALUE
            latencies.append(time.perf_counter() - start)

    async with node.client() as client:
        task = asyncio.create_task(work(client))
        try:
            yield client
        finally:
            done.set()
            await task


def median(values: list[float]) -> float:
    """The middle one."""
    return sorted(values)[len(values) // 2]


@pytest.mark.slow
async def test_aborting_or_time_burning_quotes(
    network: RealNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack: a quote that hangs or kills the verifier costs its sender an error, others nothing.

    A process hangs until its limit, or dies, once for each quote; put and read go on beside it, and
    an honest app still gets its session.
    """
    worker = functools.partial(VerificationWorker, SHORT, program=burning_verifier.PROGRAM)
    monkeypatch.setattr("node.app.VerificationWorker", worker)
    latencies: list[float] = []
    async with (
        serving(network) as node,
        await RawClient.open(node.file, network.app("app")) as attacker,
        working(node, latencies),
    ):
        platform = network.app("app")
        orders = [burning_verifier.HANG] * 4 + [burning_verifier.EXIT] * 4
        quotes = [await platform.evidence(order) for order in orders]
        before = len(latencies)
        attacks = asyncio.gather(*(attest(attacker, quote) for quote in quotes))
        async with node.client("other", "other/secrets") as honest:
            assert (await honest.put("name", b"value")).version == 1
        assert set(await attacks) == {Reason.EVIDENCE_UNDECIDED}
        during = latencies[before:]
    assert len(during) > 20
    assert median(during) < 0.25


async def test_a_flood_of_quotes(node: Serving) -> None:
    """Attack: many good quotes at once for keys that they do not bind: refused or told to wait."""
    latencies: list[float] = []
    async with (
        await RawClient.open(node.file, node.network.app("app")) as attacker,
        working(node, latencies),
    ):
        evidence = await node.network.app("app").evidence(bytes(64))
        results = await asyncio.gather(*(attest(attacker, evidence) for _ in range(200)))
        assert set(results) <= {Reason.WRONG_REPORT_DATA, Reason.OVERLOADED}
        assert Counter(results)[Reason.WRONG_REPORT_DATA] >= 64
        async with node.client("other", "other/secrets"):
            pass
    assert median(latencies) < 0.25


async def test_quotes_of_a_shape_that_aborts_the_library(node: Serving) -> None:
    """Attack: cut, padded and renumbered quotes are refused before any library sees them."""
    async with await RawClient.open(node.file, node.network.app("app")) as attacker:
        evidence = decode_evidence(await node.network.app("app").evidence(bytes(64)))
        quote = evidence.quote
        shapes = (
            quote[:-1],
            quote + b"\0",
            b"\x05" + quote[1:],
            quote[:432] + b"\xff\xff\xff\xff" + quote[436:],
            quote[: len(quote) // 2],
            b"\0" * 432,
            b"\xff" * 65_536,
        )
        for shape in shapes:
            changed = encode_evidence(replace(evidence, quote=shape))
            assert await attest(attacker, changed) is Reason.EVIDENCE_REFUSED
        for junk in (b"", b"\0", b"quote" * 1000, os.urandom(1000), bytes(70_000)):
            assert await attest(attacker, junk) is Reason.EVIDENCE_REFUSED
    async with node.client() as client:
        await client.put("name", b"value")
