"""What a transaction says, before any state is looked at. Pure function of the envelope's bytes.

1. The envelope is canonical, with one salt and one payload for each operation.
2. The body is canonical and for this network.
3. The body commits to exactly these operations.
4. Each operation is decoded; one that does not decode is that operation's fault alone.
"""

from dataclasses import dataclass

from ledger.errors import FormatError
from ledger.format.operation import Operation, decode_operation
from ledger.format.transaction import (
    Body,
    Envelope,
    decode_body,
    decode_envelope,
    transaction_hash,
    verify_commitment,
    verify_network,
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A decoded transaction. An operation is None where its bytes are malformed."""

    envelope: Envelope
    body: Body
    hash: bytes
    operations: tuple[Operation | None, ...]


def prepare(envelope: bytes, network_id: bytes) -> Prepared:
    """Decode an envelope (1 to 4 above); FormatError with the reason if it fails as a whole."""
    decoded = decode_envelope(envelope)
    body = decode_body(decoded.body)
    verify_network(body, network_id)
    verify_commitment(body, decoded.operations, decoded.salts)
    return Prepared(
        decoded,
        body,
        transaction_hash(decoded.body),
        tuple(map(_operation, decoded.operations)),
    )


def _operation(data: bytes) -> Operation | None:
    try:
        return decode_operation(data)
    except FormatError:
        return None
