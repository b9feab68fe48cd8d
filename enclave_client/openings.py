"""Entries that a node opened for an asker: proven before anybody sees them.

1. The checkpoint is certified by the pinned rule (`checkpoints`).
2. Each leaf is included at its index under it; indices grow.
3. The leaf is a transaction of this network.
4. Each opened operation hashes to the body's digest, each outcome to the leaf's, at its position.
A node may leave operations out: what is opened is true, that nothing is missing is not proven.
"""

from dataclasses import dataclass
from itertools import pairwise

from enclave_client.checkpoints import CheckpointBook
from enclave_client.errors import ReceiptInvalidError
from enclave_client.receipts import Entry, Receipt
from enclave_client.wire_queries import OpenedEntry
from ledger.errors import FormatError
from ledger.format.leaf import TransactionLeaf, decode_leaf
from ledger.format.operation import Operation
from ledger.format.outcome import Outcome
from ledger.format.receipt import open_operation
from ledger.format.transaction import Body, SignerKind, decode_body, verify_network
from ledger.log.checkpoint import Checkpoint
from ledger.log.errors import LogError
from ledger.log.merkle import leaf_hash, verify_inclusion

_HINT = "the node's answer is not what stands on the certified log: do not rely on it"


@dataclass(frozen=True, slots=True)
class Event:
    """An operation that stands on the certified log, who signed it, and its verified receipt."""

    signer_kind: SignerKind
    signer: bytes  # session id, or an account's address
    operation: Operation
    outcome: Outcome
    receipt: Receipt

    @property
    def index(self) -> int:
        """The entry in which it stands."""
        return self.receipt.index

    @property
    def position(self) -> int:
        """Its place in that entry's transaction."""
        return self.receipt.position

    @property
    def time_ms(self) -> int:
        """The block's time, in milliseconds since 1970."""
        return self.receipt.time_ms


def verify_openings(
    entries: tuple[OpenedEntry, ...], note: bytes, book: CheckpointBook, network_id: bytes
) -> list[Event]:
    """The proven operations of an answer, in order (1 to 4 above); raises ReceiptInvalidError."""
    if not entries:
        return []
    checkpoint = book.verify(note).checkpoint  # 1
    if any(one.index >= next_one.index for one, next_one in pairwise(entries)):
        raise ReceiptInvalidError("the answer's entries are not in order", _HINT)
    events: list[Event] = []
    for entry in entries:
        try:
            events += _events(entry, checkpoint, note, network_id)
        except (LogError, FormatError) as error:
            raise ReceiptInvalidError(
                f"entry {entry.index} is not proven: {error}", _HINT
            ) from error
    return events


def _events(
    opened: OpenedEntry, checkpoint: Checkpoint, note: bytes, network_id: bytes
) -> list[Event]:
    hashed = leaf_hash(opened.leaf)
    verify_inclusion(  # 2
        index=opened.index,
        size=checkpoint.size,
        leaf_hash=hashed,
        proof=opened.hashes,
        root=checkpoint.root,
    )
    leaf = decode_leaf(opened.leaf)
    if not isinstance(leaf, TransactionLeaf):  # 3
        raise FormatError("it is no transaction")
    body = decode_body(leaf.body)
    verify_network(body, network_id)
    positions = [one.position for one in opened.opened]
    if positions != sorted(set(positions)):
        raise FormatError("its positions do not grow")
    operations = [open_operation(leaf, body, one) for one in opened.opened]  # 4
    entry = _entry(opened, leaf, hashed, note, body)
    return [
        Event(
            body.signer_kind,
            body.signer,
            one.operation,
            one.outcome,
            Receipt(entry, one.position),
        )
        for one in operations
    ]


def _entry(
    opened: OpenedEntry, leaf: TransactionLeaf, hashed: bytes, note: bytes, body: Body
) -> Entry:
    """What receipts share; empty at the positions that were not opened."""
    by_position = {one.position: one for one in opened.opened}
    parts = [by_position.get(at) for at in range(len(body.operation_digests))]
    return Entry(
        index=opened.index,
        leaf=opened.leaf,
        leaf_hash=hashed,
        time_ms=leaf.time_ms,
        hashes=opened.hashes,
        checkpoint=note,
        salts=tuple(one.salt if one else b"" for one in parts),
        operations=tuple(one.operation if one else b"" for one in parts),
        outcomes=tuple(one.outcome if one else b"" for one in parts),
    )
