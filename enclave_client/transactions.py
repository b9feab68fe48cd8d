"""Making a signed transaction: salts, body, one signature, the bytes to send.

Pure: keys, random bytes and time come in as arguments. The bytes are kept as long as the answer is
awaited, because sending the same bytes again gives the first outcome.
"""

from dataclasses import dataclass

from enclave_client import wire
from ledger.crypto.p256 import SigningKey
from ledger.format.operation import operation_digest
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


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: a session, or the key of a session to be. The key's repr shows nothing."""

    network_id: bytes
    kind: SignerKind
    name: bytes
    key: SigningKey


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


def sign_transaction(signer: Signer, sequence: int, now_ms: int, work: Work) -> Transaction:
    """Sign 1 to 256 operations, valid for two minutes from `now_ms`."""
    valid_until_ms = now_ms + VALID_FOR_MS
    body = encode_body(
        Body(
            network_id=signer.network_id,
            signer_kind=signer.kind,
            signer=signer.name,
            sequence=sequence,
            valid_until_ms=valid_until_ms,
            atomic=False,
            operation_digests=tuple(map(operation_digest, work.salts, work.operations)),
        )
    )
    signature = signer.key.sign(signed_message(signer.network_id, body))
    envelope = Envelope(body, signature, work.operations, work.salts, work.payloads)
    return Transaction(
        hash=transaction_hash(body),
        body=body,
        signature=signature,
        operations=work.operations,
        salts=work.salts,
        sequence=sequence,
        valid_until_ms=valid_until_ms,
        request=wire.encode_submit(encode_envelope(envelope)),
    )
