"""Ed25519 (RFC 8032): log, cosigner, node and service keys. 32-byte keys, 64-byte signatures."""

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.crypto.secret import Secret

SEED_BYTES = 32
PUBLIC_BYTES = 32
SIGNATURE_BYTES = 64

# The points of order 1, 2, 4 and 8 and their other spellings, as y without its sign bit. Under such
# a key one signature fits many messages, and anybody can make it (RFC 8032 does not exclude them).
_P = 2**255 - 19
_Y8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER = frozenset({0, 1, _P - 1, _P, _P + 1, _Y8, _P - _Y8})
_SIGN_BIT = 1 << 255


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
    """Whether `signature` is the key's over `message`; False for keys of small order too."""
    try:
        _load(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=256)
def _load(public: bytes) -> Ed25519PublicKey:
    if int.from_bytes(public, "little") & ~_SIGN_BIT in _SMALL_ORDER:
        raise ValueError("a key of small order")
    return Ed25519PublicKey.from_public_bytes(public)
