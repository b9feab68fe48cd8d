"""What stands beside a transaction leaf in the store: operations, salts and outcomes.

Replay needs all three (a session's verdict is in its outcome); payloads have keys of their own and
can be erased. Written by this node only, so a record that does not decode is ours: StoreError.
"""

from dataclasses import dataclass

from sealedger.v1 import ledger_pb2 as pb

from ledger.errors import FormatError, StoreError
from ledger.format.operation import SALT_BYTES
from ledger.format.strict import decode_strict, encode
from ledger.format.transaction import split

# Operations and salts of the largest envelope, and 256 outcomes of 4,096 bytes, are under it.
MAX_STORED_BYTES = 6 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """One transaction's operations, their salts and their outcomes, in order."""

    operations: tuple[bytes, ...]
    salts: tuple[bytes, ...]
    outcomes: tuple[bytes, ...]


def encode_stored(stored: Stored) -> bytes:
    """The record's bytes."""
    return encode(
        pb.StoredOperations(
            operations=stored.operations,
            salts=b"".join(stored.salts),
            outcomes=stored.outcomes,
        )
    )


def decode_stored(data: bytes) -> Stored:
    """The record; StoreError if it is not one of ours."""
    try:
        message = decode_strict(pb.StoredOperations, data, MAX_STORED_BYTES)
    except FormatError as error:
        raise StoreError(f"a stored record is damaged: {error}") from error
    salts = split(message.salts, SALT_BYTES)
    stored = Stored(tuple(message.operations), salts, tuple(message.outcomes))
    if len(message.salts) != SALT_BYTES * len(stored.operations) or len(stored.outcomes) != len(
        stored.operations
    ):
        raise StoreError("a stored record is damaged: its lists differ in length")
    return stored
