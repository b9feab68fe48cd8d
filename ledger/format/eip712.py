"""What an account signs: EIP-712 structures of one domain, so that a wallet shows what it signs.

1. The domain is {name "Sealedger", version "1"}: the network is a field of what is signed, and an
   anchor on an EVM chain uses another domain, so no signature serves for both.
2. A transaction: ``Transaction(bytes32 network,uint64 nonce,string summary,bytes32 bodyHash)``;
   nonce is the body's sequence number, bodyHash the transaction hash.
3. A query: ``Query(bytes32 network,uint64 timeMs,string summary,bytes32 bodyHash)``.
4. digest = Keccak-256(0x1901 ‖ domain separator ‖ hashStruct), as EIP-712 defines; 32-byte fields
   have 32 bytes (nothing is padded), numbers are below 2^64, texts are ASCII.
A new type is its text, a digest and a typed-data function. Not here: the summary's text
(``format.summary``), the signature (``crypto.secp256k1``).
"""

from ledger.crypto.keccak import keccak256
from ledger.errors import FormatError
from ledger.format.strict import verify_length

DOMAIN_NAME = "Sealedger"
DOMAIN_VERSION = "1"
DOMAIN_TYPE = "EIP712Domain(string name,string version)"
TRANSACTION_TYPE = "Transaction(bytes32 network,uint64 nonce,string summary,bytes32 bodyHash)"
QUERY_TYPE = "Query(bytes32 network,uint64 timeMs,string summary,bytes32 bodyHash)"

_TRANSACTION_HASH = keccak256(TRANSACTION_TYPE.encode())
_QUERY_HASH = keccak256(QUERY_TYPE.encode())
_PREFIX = b"\x19\x01" + keccak256(
    keccak256(DOMAIN_TYPE.encode())
    + keccak256(DOMAIN_NAME.encode())
    + keccak256(DOMAIN_VERSION.encode())
)


def transaction_digest(network_id: bytes, sequence: int, summary: str, body_hash: bytes) -> bytes:
    """The 32 bytes that an account signs for a transaction; FormatError by rule 4."""
    return _digest(
        _TRANSACTION_HASH,
        verify_length("network", network_id, 32),
        _uint64("nonce", sequence),
        _text("summary", summary),
        verify_length("bodyHash", body_hash, 32),
    )


def query_digest(network_id: bytes, time_ms: int, summary: str, body_hash: bytes) -> bytes:
    """The 32 bytes that an account signs for a query made at `time_ms`; FormatError by rule 4."""
    return _digest(
        _QUERY_HASH,
        verify_length("network", network_id, 32),
        _uint64("timeMs", time_ms),
        _text("summary", summary),
        verify_length("bodyHash", body_hash, 32),
    )


def transaction_typed_data(
    network_id: bytes, sequence: int, summary: str, body_hash: bytes
) -> dict[str, object]:
    """The same as `transaction_digest`, as the JSON object that ``eth_signTypedData_v4`` takes."""
    transaction_digest(network_id, sequence, summary, body_hash)
    message: dict[str, object] = {
        "network": f"0x{network_id.hex()}",
        "nonce": str(sequence),  # as text: JavaScript's numbers end at 2^53
        "summary": summary,
        "bodyHash": f"0x{body_hash.hex()}",
    }
    return _typed_data(TRANSACTION_TYPE, message)


def query_typed_data(
    network_id: bytes, time_ms: int, summary: str, body_hash: bytes
) -> dict[str, object]:
    """The same as `query_digest`, as the JSON object that ``eth_signTypedData_v4`` takes."""
    query_digest(network_id, time_ms, summary, body_hash)
    message: dict[str, object] = {
        "network": f"0x{network_id.hex()}",
        "timeMs": str(time_ms),
        "summary": summary,
        "bodyHash": f"0x{body_hash.hex()}",
    }
    return _typed_data(QUERY_TYPE, message)


def _digest(type_hash: bytes, *words: bytes) -> bytes:
    return keccak256(_PREFIX + keccak256(type_hash + b"".join(words)))


def _uint64(field: str, value: int) -> bytes:
    if not 0 <= value < 2**64:
        raise FormatError(f"{field}: not a number of 64 bits")
    return value.to_bytes(32, "big")


def _text(field: str, value: str) -> bytes:
    if not value.isascii():
        raise FormatError(f"{field}: not ASCII")
    return keccak256(value.encode())


def _typed_data(primary: str, message: dict[str, object]) -> dict[str, object]:
    return {
        "types": dict(map(_members, (DOMAIN_TYPE, primary))),
        "primaryType": _members(primary)[0],
        "domain": {"name": DOMAIN_NAME, "version": DOMAIN_VERSION},
        "message": message,
    }


def _members(type_text: str) -> tuple[str, list[dict[str, str]]]:
    name, _, fields = type_text.removesuffix(")").partition("(")
    pairs = (field.split(" ") for field in fields.split(","))
    return name, [{"name": field, "type": kind} for kind, field in pairs]
