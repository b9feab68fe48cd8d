"""A transaction of this network that is proven to stand in a tree; what start and release share.

1. The leaf is included at its index (RFC 6962 inclusion).
2. It is a transaction, its body is canonical and for this network, with one outcome per operation.

Not here: whether the tree is one to believe (the caller), and what the entry entitles to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kms.errors import KeyServiceRefusal
from ledger.errors import FormatError
from ledger.format.leaf import TransactionLeaf, decode_leaf
from ledger.format.transaction import Body, decode_body, verify_network
from ledger.log.errors import LogError
from ledger.log.merkle import leaf_hash, verify_inclusion
from ledger.reason import Reason


@dataclass(frozen=True, slots=True)
class Entry:
    """A proven leaf, its RFC 6962 hash and its decoded body."""

    leaf: TransactionLeaf
    leaf_hash: bytes
    body: Body


@dataclass(frozen=True, slots=True)
class Place:
    """Where a leaf is said to stand: its index in the tree of `size` leaves and 32-byte `root`."""

    index: int
    size: int
    root: bytes
    hashes: Sequence[bytes]


def verify_entry(leaf: bytes, place: Place, network_id: bytes) -> Entry:
    """Check 1 and 2; KeyServiceRefusal NOT_CERTIFIED, WRONG_NETWORK, MALFORMED or TOO_LARGE."""
    hashed = leaf_hash(leaf)
    try:
        verify_inclusion(
            index=place.index,
            size=place.size,
            leaf_hash=hashed,
            proof=place.hashes,
            root=place.root,
        )
    except LogError as error:
        raise KeyServiceRefusal(Reason.NOT_CERTIFIED, str(error)) from error
    try:
        return _decode(leaf, hashed, network_id)
    except FormatError as error:
        raise KeyServiceRefusal(error.reason, str(error)) from error


def _decode(data: bytes, hashed: bytes, network_id: bytes) -> Entry:
    leaf = decode_leaf(data)
    if not isinstance(leaf, TransactionLeaf):
        raise FormatError("the leaf is no transaction")
    body = decode_body(leaf.body)
    verify_network(body, network_id)
    if len(leaf.outcome_digests) != len(body.operation_digests):
        raise FormatError("the leaf has not one outcome for each operation")
    return Entry(leaf, hashed, body)
