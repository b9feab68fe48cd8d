"""Signed questions over HTTP: judged like gRPC's, strict about everything else."""

import asyncio
import base64
import contextlib
import gzip
import io
import json
import time
from dataclasses import dataclass, replace
from typing import Any

import pytest
from aiohttp import ClientOSError, ClientSession, ServerDisconnectedError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.crypto.secp256k1 import SigningKey
from ledger.format.eip712 import query_digest
from ledger.format.query import (
    ListCollections,
    ListPlatforms,
    ListReleases,
    ListSecrets,
    OpenEntries,
    Query,
    Question,
    ShowCollection,
    ShowHead,
    ShowHistory,
    encode_query,
    query_hash,
)
from ledger.format.receipt import Opened, Receipt, verify_receipt
from ledger.format.summary import summarize_question
from ledger.format.transaction import SignerKind
from ledger.reason import Reason
from node.http.ask_views import answer_view
from node.http.entitled import MAX_ASK_BYTES
from sealedger.v1 import node_pb2 as pb
from tests.explorer.conftest import Explored
from tests.support.audited_ledger import AUDITOR, NAME, OWNED, OWNER, account
from tests.support.fuzzing import SERVICE, raw_channel

pytestmark = pytest.mark.slow

EVERYTHING = OpenEntries(0, 1000)
QUESTIONS: tuple[Question, ...] = (
    EVERYTHING,
    OpenEntries(0, 2),
    OpenEntries(0, 100, OWNED),
    OpenEntries(0, 100, indices=(1, 3)),
    ListSecrets(OWNED, "", "", 10),
    ShowHead(OWNED, NAME),
    ShowHistory(OWNED, NAME, 0, 10),
    ShowCollection(OWNED),
    ListCollections("", 10),
    ListReleases("", "", 10),
    ListPlatforms(b"", 10),
)


@dataclass(frozen=True, slots=True)
class Said:
    """An answer."""

    status: int
    body: dict[str, Any]


def signed(
    explored: Explored, key: SigningKey, question: Question, **changes: Any
) -> pb.QueryRequest:
    """A question of an account, signed now."""
    network_id = explored.process.network.file.network_id
    now_ms = time.time_ns() // 1_000_000
    query = Query(network_id, SignerKind.ACCOUNT, key.address, now_ms, question)
    query = replace(query, **changes)
    body = encode_query(query)
    summary = summarize_question(query.question)
    digest = query_digest(query.network_id, query.time_ms, summary, query_hash(body))
    return pb.QueryRequest(query=body, signature=key.sign(digest))


def body_of(request: pb.QueryRequest) -> bytes:
    """The HTTP body of a signed question."""
    fields = {"query": request.query, "signature": request.signature}
    return json.dumps({k: base64.b64encode(v).decode() for k, v in fields.items()}).encode()


async def post(explored: Explored, body: bytes, kind: str = "application/json") -> Said:
    """What the node answers."""
    headers = {"Content-Type": kind}
    async with (
        ClientSession() as client,
        client.post(f"{explored.url}/v1/ask", data=body, headers=headers) as answer,
    ):
        return Said(answer.status, await answer.json())


async def ask_grpc(explored: Explored, request: pb.QueryRequest) -> pb.QueryReply:
    """What gRPC answers to the same bytes."""
    async with raw_channel(explored.process.port) as channel:
        call = channel.unary_unary(
            f"{SERVICE}Ask",
            request_serializer=pb.QueryRequest.SerializeToString,
            response_deserializer=pb.QueryReply.FromString,
        )
        reply = await call(request, timeout=20)
    assert isinstance(reply, pb.QueryReply)
    return reply


@pytest.mark.parametrize("question", QUESTIONS, ids=repr)
async def test_the_answer_is_that_of_grpc(explored: Explored, question: Question) -> None:
    """For every kind of question the fields are those of the gRPC reply to the same bytes."""
    request = signed(explored, AUDITOR, question)
    said = await post(explored, body_of(request))
    assert said.status == 200
    reply = await ask_grpc(explored, request)
    assert said.body == json.loads(answer_view(reply).model_dump_json())


async def test_every_entry_is_proven(explored: Explored) -> None:
    """The entries of an answer are receipts: they verify under the network file alone."""
    said = await post(explored, body_of(signed(explored, AUDITOR, EVERYTHING)))
    file = explored.process.network.file
    assert len(said.body["entries"]) > 5
    for entry in said.body["entries"]:
        hashes = base64.b64decode(entry["hashes"])
        opened = tuple(
            Opened(
                one["position"],
                *(base64.b64decode(one[field]) for field in ("salt", "operation", "outcome")),
            )
            for one in entry["operations"]
        )
        receipt = Receipt(
            entry["index"],
            tuple(hashes[at : at + 32] for at in range(0, len(hashes), 32)),
            said.body["checkpoint"].encode(),
            base64.b64decode(entry["leaf"]),
            opened,
        )
        assert len(verify_receipt(receipt, file.rule(), file.network_id).opened) == len(opened)


async def test_strangers_are_told_nothing(explored: Explored) -> None:
    """A stranger is refused the same way for a collection that is and for one that is not."""
    stranger = account("stranger")
    told = [
        await post(explored, body_of(signed(explored, stranger, ShowCollection(name))))
        for name in (OWNED, "no/such")
    ]
    assert told[0] == told[1]
    assert told[0].status == 403
    assert told[0].body["error"] == "DENIED"
    said = await post(explored, body_of(signed(explored, stranger, EVERYTHING)))
    shown = json.dumps(said.body)
    assert base64.b64encode(NAME.encode()).decode()[:-4] not in shown


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"network_id": bytes(32)}, "WRONG_NETWORK"),
        ({"time_ms": 1_700_000_000_000}, "TRANSACTION_EXPIRED"),
        ({"signer": bytes(20)}, "BAD_SIGNATURE"),
        ({"signer_kind": SignerKind.SESSION, "signer": bytes(32)}, "UNKNOWN_SIGNER"),
    ],
    ids=["network", "time", "signer", "session"],
)
async def test_refusals_are_errors(
    explored: Explored, changes: dict[str, Any], reason: str
) -> None:
    """A question that is not answered is an error with the reason's name and a hint."""
    request = signed(explored, OWNER, EVERYTHING, **changes)
    said = await post(explored, body_of(request))
    assert (said.status, said.body["error"]) == (403, reason)
    assert said.body["hint"]
    reply = await ask_grpc(explored, request)
    assert Reason(reply.refusal.reason).name == reason


@pytest.mark.parametrize(
    "body, status",
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'{"query": "AA=="}', 400),
        (b'{"query": "AA==", "signature": "AA==", "more": 1}', 400),
        (b'{"query": 1, "signature": "AA=="}', 400),
        (b'{"query": "A", "signature": "AA=="}', 400),
        (b'{"query": "A A=", "signature": "AA=="}', 400),
        (b'{"query": "\xc3\xa9", "signature": "AA=="}', 400),
        (b'{"query": "AA==", "signature": "AA=="}', 400),
        (b'{"query": "' + b"A" * 4000 + b'", "signature": ""}', 413),
        (b" " * (MAX_ASK_BYTES + 1), 413),
        (b"\xff" * 100, 400),
    ],
    ids=range(14),
)
async def test_bodies_are_strict(explored: Explored, body: bytes, status: int) -> None:
    """Anything but the two fields in base64 is the sender's fault, and said so."""
    said = await post(explored, body)
    assert said.status == status
    assert set(said.body) == {"error", "hint"}


async def test_only_json_by_post(explored: Explored) -> None:
    """Another type or method is refused with what would be right."""
    assert (await post(explored, b"{}", "text/plain")).status == 415
    async with ClientSession() as client:
        async with client.get(f"{explored.url}/v1/ask") as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST, OPTIONS")
        async with client.options(f"{explored.url}/v1/ask") as answer:
            assert answer.headers["Access-Control-Allow-Methods"] == "POST, OPTIONS"
            assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"
        async with client.post(f"{explored.url}/v1/status", data=b"{}") as answer:
            assert answer.status == 405


async def test_a_flood_is_cut(explored: Explored) -> None:
    """A body that never ends is refused after 8 KiB, compressed or not."""
    size = 64 * 1024 * 1024
    before_kib = explored.process.rss_anon_kib()
    async with ClientSession() as client:
        for headers in ({}, {"Content-Encoding": "gzip"}):
            sent = gzip.compress(bytes(size)) if headers else bytes(size // 16)
            kind = {"Content-Type": "application/json", **headers}
            # It may also be cut while it is still being sent.
            with contextlib.suppress(ClientOSError, ServerDisconnectedError):
                async with client.post(
                    f"{explored.url}/v1/ask", data=io.BytesIO(sent), headers=kind
                ) as answer:
                    assert answer.status in (400, 413)
    assert explored.process.rss_anon_kib() - before_kib < 32 * 1024


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_sent(explored: Explored, data: st.DataObject) -> None:
    """No body makes the node fail: it answers with whose fault it is."""
    good = body_of(signed(explored, AUDITOR, data.draw(st.sampled_from(QUESTIONS))))
    at = data.draw(st.integers(0, len(good)))
    piece = data.draw(st.binary(max_size=12))
    body = data.draw(
        st.sampled_from((good[:at] + piece + good[at + len(piece) :], good[:at], piece))
    )
    said = asyncio.run(post(explored, body))
    assert said.status in (200, 400, 403, 404, 413)
    assert said.status == 200 or set(said.body) == {"error", "hint"}
