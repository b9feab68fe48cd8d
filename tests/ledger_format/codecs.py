"""Every format with its encoder, its decoder, its size limit and its examples, as one table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from ledger.format import (
    genesis,
    leaf,
    operation,
    outcome,
    query,
    receipt,
    releases,
    sealed,
    transaction,
    trust,
)
from sealedger.v1 import ledger_pb2 as pb
from tests.ledger_format import make_vectors as v


@dataclass(frozen=True, slots=True)
class Codec:
    """One format: `examples` are pairs of a value and its bytes."""

    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    limit: int
    examples: tuple[tuple[Any, bytes], ...]
    message: type[Message] | None = None  # None: no protobuf at the outermost level


def _pairs(encode: Callable[[Any], bytes], *values: object) -> tuple[tuple[Any, bytes], ...]:
    return tuple((value, encode(value)) for value in values)


def _encode_sealed_header(header: sealed.SealedHeader) -> bytes:
    at = sealed.encode_coordinates(header.network_id, header.coordinates)
    return sealed.encode_header(at, header.wraps)


CODECS = {
    "genesis": Codec(
        genesis.encode_genesis,
        genesis.decode_genesis,
        genesis.MAX_GENESIS_BYTES,
        _pairs(genesis.encode_genesis, v.GENESIS),
        pb.Genesis,
    ),
    "trust document": Codec(
        trust.encode_trust,
        trust.decode_trust,
        trust.MAX_TRUST_BYTES,
        _pairs(trust.encode_trust, v.TRUST),
        pb.TrustDocument,
    ),
    "body": Codec(
        transaction.encode_body,
        transaction.decode_body,
        transaction.MAX_BODY_BYTES,
        _pairs(transaction.encode_body, transaction.decode_body(v.ENVELOPE.body)),
        pb.Body,
    ),
    "envelope": Codec(
        transaction.encode_envelope,
        transaction.decode_envelope,
        transaction.MAX_ENVELOPE_BYTES,
        _pairs(transaction.encode_envelope, v.ENVELOPE),
        pb.Envelope,
    ),
    "operation": Codec(
        operation.encode_operation,
        operation.decode_operation,
        operation.MAX_OPERATION_BYTES,
        _pairs(operation.encode_operation, *v.OPERATIONS.values()),
        pb.Operation,
    ),
    "release": Codec(
        releases.encode_release,
        releases.decode_release,
        releases.MAX_RELEASE_BYTES,
        _pairs(releases.encode_release, v.RELEASE),
        pb.EnclaveRelease,
    ),
    "query": Codec(
        query.encode_query,
        query.decode_query,
        query.MAX_QUERY_BYTES,
        _pairs(query.encode_query, *v.QUERIES.values()),
        pb.Query,
    ),
    "outcome": Codec(
        outcome.encode_outcome,
        outcome.decode_outcome,
        outcome.MAX_OUTCOME_BYTES,
        _pairs(outcome.encode_outcome, *v.OUTCOMES.values()),
        pb.Outcome,
    ),
    "leaf": Codec(
        leaf.encode_leaf,
        leaf.decode_leaf,
        leaf.MAX_LEAF_BYTES,
        _pairs(leaf.encode_leaf, *v.LEAVES),
        pb.Leaf,
    ),
    "sealed header": Codec(
        _encode_sealed_header,
        sealed.decode_header,
        sealed.MAX_HEADER_BYTES,
        ((sealed.decode_header(v.HEADER), v.HEADER),),
    ),
    "receipt": Codec(
        receipt.encode_receipt,
        receipt.decode_receipt,
        receipt.MAX_RECEIPT_BYTES,
        _pairs(receipt.encode_receipt, v.RECEIPT),
    ),
}
EXAMPLES = [(name, value, data) for name, codec in CODECS.items() for value, data in codec.examples]
EXAMPLE_IDS = [
    f"{name} {at}" for name, codec in CODECS.items() for at in range(len(codec.examples))
]
