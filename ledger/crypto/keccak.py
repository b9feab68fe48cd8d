"""Keccak-256 as Ethereum uses it: the padding from before SHA-3 (FIPS 202) was fixed."""

from Crypto.Hash import keccak


def keccak256(data: bytes) -> bytes:
    """The 32-byte digest of `data`."""
    return keccak.new(digest_bits=256, data=data).digest()
