"""Outside bytes: every decoder gives its value or its one error."""

from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave_client import wire
from enclave_client.errors import ReceiptInvalidError
from kms.messages import SessionGrant, encode_session_grant
from ledger.reason import Reason
from sealedger.v1 import kms_pb2, ledger_pb2
from sealedger.v1 import node_pb2 as pb

OK = cast("ledger_pb2.Reason", Reason.OK.value)

ANSWER = pb.SubmitReply(
    transaction_hash=bytes(32),
    recorded=pb.Recorded(
        index=7,
        leaf=b"leaf",
        hashes=bytes(96),
        checkpoint=b"note",
        outcomes=[b"one", b"two"],
        sealed=[b"", b"sealed"],
        released=[kms_pb2.Released(), kms_pb2.Released(reason=OK, sealed_key=b"key")],
    ),
).SerializeToString()
REFUSAL = pb.SubmitReply(
    transaction_hash=bytes(32), refusal=pb.Refusal(reason=OK, hint="do this\x1b[2J\n" + "x" * 500)
).SerializeToString()
HELLO = pb.HelloReply(
    genesis=b"g", checkpoint=b"c", evidence=b"e", tls_spki_digest=b"t", signature=b"s"
).SerializeToString()
RELEASE = pb.ReleaseAnswer(
    released=pb.ReleasedSecret(sealed=b"s", released=kms_pb2.Released(reason=OK, sealed_key=b"k"))
).SerializeToString()
GRANT = encode_session_grant(SessionGrant(bytes(32), 5, b"sealed", bytes(64)))

DECODERS: list[tuple[Callable[[bytes], object], bytes]] = [
    (wire.decode_answer, ANSWER),
    (wire.decode_answer, REFUSAL),
    (wire.decode_hello, HELLO),
    (wire.decode_release, RELEASE),
    (wire.decode_grant, GRANT),
]


@pytest.mark.parametrize("decode, example", DECODERS)
def test_examples_decode(decode: Callable[[bytes], object], example: bytes) -> None:
    """What a node sends is understood."""
    assert decode(example) is not None


@pytest.mark.parametrize("decode, example", DECODERS)
@settings(max_examples=150)
@given(data=st.data())
def test_mutations_raise_only_the_one_error(
    decode: Callable[[bytes], object], example: bytes, data: st.DataObject
) -> None:
    """Changed, cut and extended answers decode or are refused, nothing else."""
    changed = bytearray(example)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(changed)))
    tail = data.draw(st.binary(max_size=8))
    for candidate in (bytes(changed), bytes(changed[:cut]), bytes(changed) + tail):
        try:
            decode(candidate)
        except ReceiptInvalidError as error:
            assert error.message  # noqa: PT017  (either way is right)


@given(data=st.binary(max_size=200))
def test_random_bytes_raise_only_the_one_error(data: bytes) -> None:
    """Random bytes never escape as another exception."""
    for decode, _ in DECODERS:
        try:
            decode(data)
        except ReceiptInvalidError as error:
            assert error.message  # noqa: PT017  (either way is right)


@pytest.mark.parametrize(
    "change",
    [
        lambda recorded: recorded.outcomes.append(b"three"),
        lambda recorded: recorded.sealed.append(b"three"),
        lambda recorded: recorded.released.add(),
        lambda recorded: recorded.ClearField("outcomes"),
        lambda recorded: setattr(recorded, "hashes", bytes(33)),
        lambda recorded: setattr(recorded, "hashes", bytes(64 * 32)),
    ],
    ids=["outcome", "sealed", "released", "no outcome", "half a hash", "hashes"],
)
def test_an_answer_with_a_part_too_many_is_refused(change: Callable[[pb.Recorded], None]) -> None:
    """Outcomes, values and keys stand for the same operations."""
    message = pb.SubmitReply.FromString(ANSWER)
    change(message.recorded)
    with pytest.raises(ReceiptInvalidError):
        wire.decode_answer(message.SerializeToString())


def test_hints_are_cut_and_printable() -> None:
    """What the node says to people cannot drive a terminal or fill a log."""
    answer = wire.decode_answer(REFUSAL)
    assert isinstance(answer.result, wire.Refusal)
    assert answer.result.hint.startswith("do this?[2J?")
    assert len(answer.result.hint) == wire.MAX_HINT


def test_an_unknown_reason_is_an_internal_fault() -> None:
    """A reason of a later version is not mistaken for a known one."""
    message = pb.SubmitReply(
        transaction_hash=bytes(32), refusal=pb.Refusal(reason=cast("ledger_pb2.Reason", 99))
    )
    answer = wire.decode_answer(message.SerializeToString())
    assert answer.result == wire.Refusal(Reason.INTERNAL, "")
