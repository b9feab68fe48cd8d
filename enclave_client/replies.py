"""The check that an answer proves what it claims: once for each transaction.

1. The checkpoint is certified by the pinned rule (`checkpoints`).
2. The leaf is included at its index under that checkpoint.
3. The leaf is a transaction with exactly our body and signature.
4. Each outcome is the one that the leaf commits to at its position.
Not here: what an outcome means (`calls`, `session`).
"""

from functools import lru_cache

from enclave_client.checkpoints import CheckpointBook
from enclave_client.errors import ReceiptInvalidError
from enclave_client.receipts import Entry
from enclave_client.transactions import Transaction
from enclave_client.wire import Recorded
from ledger.errors import FormatError
from ledger.format.leaf import TransactionLeaf, decode_leaf
from ledger.format.operation import outcome_digest
from ledger.format.outcome import Outcome, decode_outcome
from ledger.log.errors import LogError
from ledger.log.merkle import leaf_hash, verify_inclusion

_HINT = "the node's answer is not an entry of the certified log; do not rely on the operation"
_SMALL = 32  # outcomes such as "put, version 1" come again and again


def verify_recorded(recorded: Recorded, sent: Transaction, book: CheckpointBook) -> Entry:
    """The proven entry of a transaction (1 to 4 above); raises ReceiptInvalidError."""
    certified = book.verify(recorded.checkpoint)  # 1
    hashed = leaf_hash(recorded.leaf)
    try:
        verify_inclusion(  # 2
            index=recorded.index,
            size=certified.checkpoint.size,
            leaf_hash=hashed,
            proof=recorded.hashes,
            root=certified.checkpoint.root,
        )
        leaf = decode_leaf(recorded.leaf)
    except (LogError, FormatError) as error:
        raise ReceiptInvalidError(f"the entry is not proven: {error}", _HINT) from error
    if not isinstance(leaf, TransactionLeaf):  # 3
        raise ReceiptInvalidError("the entry is no transaction", _HINT)
    if leaf.body != sent.body or leaf.signature != sent.signature:
        raise ReceiptInvalidError("the entry is of another transaction", _HINT)
    if tuple(map(outcome_digest, sent.salts, recorded.outcomes)) != leaf.outcome_digests or len(
        recorded.outcomes
    ) != len(sent.salts):  # 4
        raise ReceiptInvalidError("the entry commits to other outcomes", _HINT)
    return Entry(
        index=recorded.index,
        leaf=recorded.leaf,
        leaf_hash=hashed,
        time_ms=leaf.time_ms,
        hashes=recorded.hashes,
        checkpoint=recorded.checkpoint,
        salts=sent.salts,
        operations=sent.operations,
        outcomes=recorded.outcomes,
    )


def read_outcome(data: bytes) -> Outcome:
    """The outcome of bytes that an entry commits to; raises ReceiptInvalidError."""
    try:
        return _small_outcome(data) if len(data) <= _SMALL else decode_outcome(data)
    except FormatError as error:
        raise ReceiptInvalidError(f"the outcome does not decode: {error}", _HINT) from error


@lru_cache(maxsize=4096)
def _small_outcome(data: bytes) -> Outcome:
    return decode_outcome(data)
