"""Leaves: the entries of the public log. They reveal sizes and times, never a name.

Three kinds: a transaction (body, signature and outcome digests), the header that ends each block,
and genesis at index 0 (which holds only the network id, so that collections stay private). A leaf
of 256 operations is under 17,000 bytes; the tile format's limit is 65,535 bytes (C2SP tlog-tiles).
"""

from dataclasses import dataclass

from sealedger.v1 import ledger_pb2 as pb

from ledger.errors import FormatError
from ledger.format.strict import decode_strict, encode, verify_length
from ledger.format.transaction import MAX_OPERATIONS, split

MAX_LEAF_BYTES = 17_000


@dataclass(frozen=True, slots=True)
class TransactionLeaf:
    """One executed transaction."""

    height: int
    time_ms: int
    body: bytes
    signature: bytes
    outcome_digests: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """The last leaf of each block."""

    height: int
    time_ms: int
    state_root: bytes
    trust_version: int
    epoch: int
    rules_version: int


@dataclass(frozen=True, slots=True)
class GenesisLeaf:
    """Entry 0: names the network."""

    network_id: bytes
    time_ms: int


Leaf = TransactionLeaf | BlockHeader | GenesisLeaf


def encode_leaf(leaf: Leaf) -> bytes:
    """The canonical bytes of a leaf: what RFC 6962 hashes."""
    match leaf:
        case TransactionLeaf():
            return encode(
                pb.Leaf(
                    transaction=pb.TransactionLeaf(
                        height=leaf.height,
                        time_ms=leaf.time_ms,
                        body=leaf.body,
                        signature=leaf.signature,
                        outcome_digests=b"".join(leaf.outcome_digests),
                    )
                )
            )
        case BlockHeader():
            return encode(
                pb.Leaf(
                    header=pb.BlockHeader(
                        height=leaf.height,
                        time_ms=leaf.time_ms,
                        state_root=leaf.state_root,
                        trust_version=leaf.trust_version,
                        epoch=leaf.epoch,
                        rules_version=leaf.rules_version,
                    )
                )
            )
        case _:
            return encode(
                pb.Leaf(genesis=pb.GenesisLeaf(network_id=leaf.network_id, time_ms=leaf.time_ms))
            )


def decode_leaf(data: bytes) -> Leaf:
    """Decode a leaf; FormatError for anything non-canonical."""
    message = decode_strict(pb.Leaf, data, MAX_LEAF_BYTES)
    kind = message.WhichOneof("kind")
    if kind == "transaction":
        return _decode_transaction(message.transaction)
    if kind == "header":
        header = message.header
        if len(header.state_root) not in (0, 32):
            raise FormatError("header: state_root is 0 or 32 bytes")
        return BlockHeader(
            header.height,
            header.time_ms,
            header.state_root,
            header.trust_version,
            header.epoch,
            header.rules_version,
        )
    if kind == "genesis":
        genesis = message.genesis
        return GenesisLeaf(verify_length("network_id", genesis.network_id, 32), genesis.time_ms)
    raise FormatError("leaf: no kind")


def _decode_transaction(message: pb.TransactionLeaf) -> TransactionLeaf:
    digests = message.outcome_digests
    count, rest = divmod(len(digests), 32)
    if rest or not 1 <= count <= MAX_OPERATIONS:
        raise FormatError("leaf: outcome digests must be 1..256 x 32 bytes")
    if len(message.signature) not in (64, 65):
        raise FormatError("leaf: a signature is 64 or 65 bytes")
    return TransactionLeaf(
        message.height,
        message.time_ms,
        message.body,
        message.signature,
        split(digests, 32),
    )
