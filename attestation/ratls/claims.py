"""The claims of interoperable RA-TLS: what evidence says of the certificate that carries it.

Rules (CCC "Interoperable RA-TLS", X.509 certificate and evidence formats):
1. claims are a CBOR map from text to byte string; evidence binds SHA-256 of exactly these bytes;
2. `pubkey-hash` holds a CBOR array of a hash algorithm's number (IANA named information registry)
   and the hash of the certificate's SubjectPublicKeyInfo;
3. other claims are covered by the hash and mean nothing here; their names are kept.
Whether a hash is the right one is judged by `certificate.verify_binding`.
"""

import hashlib
from dataclasses import dataclass

from attestation.errors import DecodeError
from attestation.ratls.cbor import decode

MAX_CLAIMS_BYTES = 4096
MAX_CLAIMS = 32
KEY_HASH_CLAIM = "pubkey-hash"

SHA256, SHA384, SHA512 = 1, 7, 8
HASHES = {SHA256: hashlib.sha256, SHA384: hashlib.sha384, SHA512: hashlib.sha512}


@dataclass(frozen=True, slots=True)
class KeyHash:
    """A claimed hash of a SubjectPublicKeyInfo; `algorithm` is any number, `digest` any bytes."""

    algorithm: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Claims as they came; `data` is what evidence binds."""

    data: bytes
    key_hash: KeyHash | None  # None: the claim is missing
    others: tuple[str, ...]  # names of the other claims, in their order


def decode_claims(data: bytes) -> Claims:
    """Read 1 to 4,096 bytes of claims, at most 32 of them; raises DecodeError."""
    if not 0 < len(data) <= MAX_CLAIMS_BYTES:
        raise DecodeError(f"claims: {len(data)} bytes, expected 1 to {MAX_CLAIMS_BYTES}")
    value = decode(data, "claims")
    if not isinstance(value, dict) or len(value) > MAX_CLAIMS:
        raise DecodeError(f"claims: not a map of at most {MAX_CLAIMS}")
    for name, claim in value.items():
        if not isinstance(name, str) or not isinstance(claim, bytes):
            raise DecodeError("claims: a claim is not a text with a byte string")
    key_hash = value.get(KEY_HASH_CLAIM)
    return Claims(
        data=data,
        key_hash=None if key_hash is None else _key_hash(key_hash),
        others=tuple(name for name in value if name != KEY_HASH_CLAIM),
    )


def _key_hash(data: bytes) -> KeyHash:
    match decode(data, KEY_HASH_CLAIM):
        case [int() as algorithm, bytes() as digest] if type(algorithm) is int and algorithm >= 0:
            return KeyHash(algorithm, digest)
        case _:
            raise DecodeError(f"{KEY_HASH_CLAIM}: not an array of a number and a byte string")
