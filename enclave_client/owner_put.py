"""An owner's value, sealed without a session: to the collection's public key (X-Wing).

Pure: the verified key and all randomness come in. The value's coordinates name the account as its
writer, so a node cannot pass it off as another's.
"""

from dataclasses import dataclass, field

from enclave_client.account import Account
from enclave_client.errors import ReceiptInvalidError
from enclave_client.wire_queries import SealingKey
from ledger.crypto.secret import Secret
from ledger.format.operation import Put
from ledger.format.outcome import Coordinates
from ledger.format.sealed import MODE_PUBLIC, TAG_BYTES
from ledger.sealing import seal_value_public

_WRITER_BYTES = 32


@dataclass(frozen=True, slots=True)
class OwnedValue:
    """What to store, and where; hidden from the repr."""

    collection: str
    name: str
    value: bytes = field(repr=False)
    if_version: int | None = None
    ttl_ms: int = 0


@dataclass(frozen=True, slots=True)
class Fresh:
    """Random bytes for one sealing: a record id of 16, a data key of 32."""

    record_id: bytes
    data_key: Secret


def sealed_put(
    account: Account, key: SealingKey, wanted: OwnedValue, fresh: Fresh
) -> tuple[Put, bytes]:
    """The operation and its payload; ReceiptInvalidError if the stated key is no usable one."""
    writer = account.name.rjust(_WRITER_BYTES, b"\0")
    at = Coordinates(
        wanted.collection, wanted.name, fresh.record_id, key.epoch, MODE_PUBLIC, writer
    )
    try:
        sealed, digest = seal_value_public(
            account.network_id, at, key.public, fresh.data_key, wanted.value
        )
    except ValueError as error:
        raise ReceiptInvalidError(f"{wanted.collection}: its sealing key is unusable") from error
    put = Put(
        wanted.collection,
        wanted.name,
        fresh.record_id,
        key.epoch,
        MODE_PUBLIC,
        digest,
        len(wanted.value) + TAG_BYTES,
        wanted.if_version,
        wanted.ttl_ms,
    )
    return put, sealed
