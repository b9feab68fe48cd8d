"""Answers to questions are outside bytes: they decode, or are a ReceiptInvalidError."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave_client.errors import ReceiptInvalidError
from enclave_client.openings import verify_openings
from enclave_client.rows import PlatformRow, ReleaseRow, ReleaseStatement
from enclave_client.wire import MAX_HINT, Refusal
from enclave_client.wire_queries import (
    QueryAnswer,
    SealingKey,
    decode_question_answer,
    decode_sealing_key,
    encode_question,
    encode_sealing_key_question,
)
from ledger.format.releases import (
    EnclaveRelease,
    ReleaseMeasurement,
    ReleaseVersion,
    encode_release,
)
from ledger.reason import Reason
from sealedger.v1 import kms_pb2, ledger_pb2
from sealedger.v1 import node_pb2 as pb
from tests.enclave_client.fake_ledger import FakeLedger

ROW = pb.SecretRow(name="a", version=1, size=20, writer=bytes(32))
COLLECTION = pb.CollectionRow(
    name="c",
    owner=bytes(20),
    terms=ledger_pb2.CollectionTerms(readers=b"r", writers=b"w", auditors=[bytes(20)]),
)
ENTRY = pb.OpenedEntry(
    index=1,
    leaf=b"leaf",
    hashes=bytes(64),
    operations=[ledger_pb2.OpenedOperation(salt=bytes(16), operation=b"o", outcome=b"u")],
)
PUBLISHED = EnclaveRelease(
    "fns",
    ReleaseVersion(1, 2, 0),
    (ReleaseMeasurement(1, bytes(32)),),
    bytes(32),
    "notes",
    (bytes(20), b"a" * 20),
)
RELEASED = pb.ReleaseRow(
    release=ledger_pb2.EnclaveRelease.FromString(encode_release(PUBLISHED)),
    publisher=bytes(20),
    index=3,
    revoked_index=9,
    endorsed=[pb.ReleaseStatement(auditor=bytes(20), index=4)],
    withdrawn=[pb.ReleaseStatement(auditor=b"a" * 20, index=5)],
)
MACHINE = b"m" * 16
PLATFORM = pb.PlatformRow(platform_id=MACHINE, enrolled=True, index=3, voters=[bytes(20)], needed=2)
REPLY = pb.QueryReply(
    secrets=[ROW],
    releases=[RELEASED],
    platforms=[PLATFORM],
    history=[pb.HistoryRow(index=1, position=2)],
    collections=[COLLECTION],
    entries=[ENTRY],
    checkpoint=b"note",
    more=True,
    next_index=7,
    next_after="c",
).SerializeToString()
STATEMENT = pb.SealingKeyReply(
    statement=kms_pb2.SealingKeyStatement(public_key=b"k", epoch=1, signature=b"s")
).SerializeToString()


def test_a_whole_answer() -> None:
    """Every part is decoded."""
    answer = decode_question_answer(REPLY)
    assert isinstance(answer, QueryAnswer)
    assert (answer.more, answer.next_index, answer.next_after) == (True, 7, "c")
    assert answer.history == ((1, 2),)
    assert answer.entries[0].hashes == (bytes(32), bytes(32))
    assert answer.collections[0].terms.auditors == (bytes(20),)
    assert answer.secrets[0].name == "a"
    assert answer.releases == (
        ReleaseRow(
            release=PUBLISHED,
            publisher=bytes(20),
            index=3,
            revoked_index=9,
            endorsed=(ReleaseStatement(bytes(20), 4),),
            withdrawn=(ReleaseStatement(b"a" * 20, 5),),
        ),
    )
    assert answer.platforms == (
        PlatformRow(MACHINE, is_enrolled=True, index=3, voters=(bytes(20),), needed=2),
    )
    assert decode_sealing_key(STATEMENT) == SealingKey(b"k", 1, b"s")


def test_a_refusal() -> None:
    """A refusal comes with its reason and a hint that is fit to print."""
    refusal = pb.Refusal(reason=ledger_pb2.REASON_DENIED, hint="no\x1b[31m" + "x" * 500)
    for answer in (
        decode_question_answer(pb.QueryReply(refusal=refusal).SerializeToString()),
        decode_sealing_key(pb.SealingKeyReply(refusal=refusal).SerializeToString()),
    ):
        assert isinstance(answer, Refusal)
        assert answer.reason is Reason.DENIED
        assert answer.hint.isprintable()
        assert len(answer.hint) <= MAX_HINT


def test_more_rows_than_asked_for() -> None:
    """An answer of over a thousand rows is refused before they are decoded."""
    for reply in (
        pb.QueryReply(secrets=[ROW] * 1001),
        pb.QueryReply(history=[pb.HistoryRow()] * 1001),
        pb.QueryReply(collections=[COLLECTION] * 1001),
        pb.QueryReply(entries=[ENTRY] * 1001),
        pb.QueryReply(releases=[RELEASED] * 1001),
        pb.QueryReply(platforms=[PLATFORM] * 1001),
    ):
        with pytest.raises(ReceiptInvalidError, match="rows"):
            decode_question_answer(reply.SerializeToString())


@pytest.mark.parametrize(
    "row",
    [
        pb.PlatformRow(platform_id=bytes(15), enrolled=True),
        pb.PlatformRow(platform_id=MACHINE),
        pb.PlatformRow(platform_id=MACHINE, voters=[bytes(19)]),
        pb.PlatformRow(platform_id=MACHINE, voters=[bytes(20)] * 2),
    ],
    ids=["no id", "says nothing", "no address", "one voter twice"],
)
def test_platforms_that_cannot_be(row: pb.PlatformRow) -> None:
    """A row is of an id, enrolled or voted on, by each member once."""
    with pytest.raises(ReceiptInvalidError):
        decode_question_answer(pb.QueryReply(platforms=[row]).SerializeToString())


def test_questions_are_what_the_proto_says() -> None:
    """Both requests parse as the messages that the node expects."""
    assert pb.QueryRequest.FromString(encode_question(b"q", b"s")) == pb.QueryRequest(
        query=b"q", signature=b"s"
    )
    asked = kms_pb2.SealingKeyQuestion.FromString(encode_sealing_key_question("c"))
    assert asked.collection == "c"


@given(
    st.one_of(
        st.binary(max_size=300),
        st.integers(0, len(REPLY)).map(lambda end: REPLY[:end]),
        st.tuples(st.integers(0, len(REPLY) - 1), st.integers(0, 255)).map(
            lambda change: REPLY[: change[0]] + bytes((change[1],)) + REPLY[change[0] + 1 :]
        ),
    )
)
def test_any_bytes(data: bytes) -> None:
    """Random, cut and changed bytes raise nothing else; what decodes can be judged."""
    for decode in (decode_question_answer, decode_sealing_key):
        try:
            decode(data)
        except ReceiptInvalidError:
            continue


def test_nothing_opened_needs_no_checkpoint(ledger: FakeLedger) -> None:
    """An answer without entries proves nothing and claims nothing."""
    assert verify_openings((), b"", None, ledger.network_id) == []  # type: ignore[arg-type]  # unused
