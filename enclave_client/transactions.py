"""Making a signed transaction: salts, body, one signature, the bytes to send.

Pure: keys, random bytes and time come in as arguments. The bytes are kept as long as the answer is
awaited, because sending the same bytes again gives the first outcome.
"""

from dataclasses import dataclass
from typing import Protocol

from enclave_client import wire
from ledger.crypto.p256 import SigningKey
from ledger.format.operation import operation_digest
from ledger.format.query import Query, query_message
from ledger.format.transaction import (
    Body,
    Envelope,
    SignerKind,
    encode_body,
    encode_envelope,
    signed_message,
    transaction_hash,
)

# How long a transaction may be sent again before its outcome is called unknown. The rules allow 10
# minutes ahead of block time; this leaves room for a clock that is minutes off.
VALID_FOR_MS = 120_000


class TransactionSigner(Protocol):
    """Whoever a body names as its signer: a session's key, or an account (`account`)."""

    @property
    def network_id(self) -> bytes:
        """The network that it signs for, 32 bytes."""
        ...

    @property
    def kind(self) -> SignerKind:
        """Which kind of signer `name` is."""
        ...

    @property
    def name(self) -> bytes:
        """Session id, address, or the key of a session to be."""
        ...

    def sign_body(self, body: Body, encoded: bytes, operations: tuple[bytes, ...]) -> bytes:
        """The signature over a body, its bytes being `encoded`, of these operations."""
        ...


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: a session, or the key of a session to be. The key's repr shows nothing."""

    network_id: bytes
    kind: SignerKind
    name: bytes
    key: SigningKey

    def sign_body(self, body: Body, encoded: bytes, operations: tuple[bytes, ...]) -> bytes:
        """The P-256 signature over a transaction's body."""
        del body, operations  # the bytes bind both
        return self.key.sign(signed_message(self.network_id, encoded))

    def sign_query(self, query: Query, encoded: bytes) -> bytes:
        """The P-256 signature over a question's bytes."""
        del query
        return self.key.sign(query_message(self.network_id, encoded))


@dataclass(frozen=True, slots=True)
class Work:
    """What a transaction asks: operations with one 16-byte salt and one payload each."""

    operations: tuple[bytes, ...]
    salts: tuple[bytes, ...]
    payloads: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A signed transaction; `request` are the bytes to send, as often as needed."""

    hash: bytes
    body: bytes
    signature: bytes
    operations: tuple[bytes, ...]
    salts: tuple[bytes, ...]
    sequence: int
    valid_until_ms: int
    request: bytes


def sign_transaction(
    signer: TransactionSigner, sequence: int, now_ms: int, work: Work
) -> Transaction:
    """Sign 1 to 256 operations, valid for two minutes from `now_ms`."""
    body = Body(
        network_id=signer.network_id,
        signer_kind=signer.kind,
        signer=signer.name,
        sequence=sequence,
        valid_until_ms=now_ms + VALID_FOR_MS,
        atomic=False,
        operation_digests=tuple(map(operation_digest, work.salts, work.operations)),
    )
    encoded = encode_body(body)
    signature = signer.sign_body(body, encoded, work.operations)
    envelope = Envelope(encoded, signature, work.operations, work.salts, work.payloads)
    return Transaction(
        hash=transaction_hash(encoded),
        body=encoded,
        signature=signature,
        operations=work.operations,
        salts=work.salts,
        sequence=sequence,
        valid_until_ms=body.valid_until_ms,
        request=wire.encode_submit(encode_envelope(envelope)),
    )
