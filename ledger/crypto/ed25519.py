"""Ed25519 (RFC 8032): log, cosigner, node and service keys. 32-byte keys, 64-byte signatures."""

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.crypto.secret import Secret

SEED_BYTES = 32
PUBLIC_BYTES = 32
SIGNATURE_BYTES = 64


class SigningKey:
    """A private key, made from its 32-byte seed; repr shows nothing of it."""

    __slots__ = ("_key", "public")

    def __init__(self, seed: Secret) -> None:
        """Load the key; ValueError if the seed is not 32 bytes."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed.reveal())
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The deterministic 64-byte signature of `message`."""
        return self._key.sign(message)


def is_valid(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is the key's over `message`; False for unusable keys too."""
    try:
        _load(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=256)
def _load(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)
