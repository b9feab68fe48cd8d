"""Answers to submissions in their wire form (node.proto): the codec between results and gRPC."""

from dataclasses import dataclass
from typing import cast

from google.protobuf.message import DecodeError

from kms.messages import Released
from ledger.reason import Reason
from sealedger.v1 import kms_pb2, ledger_pb2
from sealedger.v1 import node_pb2 as pb


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """A transaction that stands, with its proof and what it released."""

    transaction: bytes
    index: int
    leaf: bytes
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    outcomes: tuple[bytes, ...]
    sealed: tuple[bytes, ...]
    released: tuple[Released, ...]


def recorded_reply(answer: RecordedAnswer) -> pb.SubmitReply:
    """The reply for an entry."""
    return pb.SubmitReply(
        transaction_hash=answer.transaction,
        recorded=pb.Recorded(
            index=answer.index,
            leaf=answer.leaf,
            hashes=b"".join(answer.hashes),
            checkpoint=answer.checkpoint,
            outcomes=answer.outcomes,
            sealed=answer.sealed,
            released=map(_released, answer.released),
        ),
    )


def refused_reply(transaction: bytes, reason: Reason, hint: str) -> pb.SubmitReply:
    """The reply for a transaction that left no entry."""
    return pb.SubmitReply(transaction_hash=transaction, refusal=refusal(reason, hint))


def envelope_body(envelope: bytes) -> bytes:
    """The body inside an envelope as far as it can be found, to name what was refused."""
    try:
        return ledger_pb2.Envelope.FromString(envelope).body
    except DecodeError:
        return b""


def refusal(reason: Reason, hint: str) -> pb.Refusal:
    """A reason and what would be right."""
    return pb.Refusal(reason=cast("ledger_pb2.Reason", reason.value), hint=hint)


def released_answer(sealed: bytes, released: Released) -> pb.ReleaseAnswer:
    """The answer to a ticket."""
    return pb.ReleaseAnswer(released=pb.ReleasedSecret(sealed=sealed, released=_released(released)))


def sealing_key_reply(statement: bytes) -> pb.SealingKeyReply:
    """The key service's statement, as it signed it."""
    return pb.SealingKeyReply(statement=kms_pb2.SealingKeyStatement.FromString(statement))


def refused_answer(reason: Reason, hint: str) -> pb.ReleaseAnswer:
    """The answer to a ticket that releases nothing."""
    return pb.ReleaseAnswer(refusal=refusal(reason, hint))


def _released(one: Released) -> kms_pb2.Released:
    return kms_pb2.Released(
        reason=cast("ledger_pb2.Reason", one.reason.value), sealed_key=one.sealed_key
    )
