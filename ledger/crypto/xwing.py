"""HPKE (RFC 9180) with the hybrid KEM X-Wing (ML-KEM-768 with X25519), HKDF-SHA256, AES-256-GCM.

Public keys are 1,216 bytes: ML-KEM-768 encapsulation key (1,184) ‖ X25519 (32). What HPKE calls
additional data is not in the library's interface, so callers bind everything through `info`.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import (
    MLKEM768PrivateKey,
    MLKEM768PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from ledger.crypto.aead import OpenError
from ledger.crypto.secret import Secret

PUBLIC_BYTES = 1216
ENCAPSULATED_BYTES = 1120
TAG_BYTES = 16
_MLKEM_BYTES = 1184
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


SEED_BYTES = 96


class DecapsulationKey:
    """A key pair: fresh, or made from a seed of 96 bytes (ML-KEM-768 64 ‖ X25519 32)."""

    __slots__ = ("_key", "public")

    def __init__(self, seed: Secret | None = None) -> None:
        """Generate from the operating system's randomness without `seed`; ValueError for others."""
        if seed is None:
            mlkem = MLKEM768PrivateKey.generate()
            x25519 = X25519PrivateKey.generate()
        else:
            if len(seed) != SEED_BYTES:
                raise ValueError("an X-Wing seed has 96 bytes")
            mlkem = MLKEM768PrivateKey.from_seed_bytes(seed.reveal()[:64])
            x25519 = X25519PrivateKey.from_private_bytes(seed.reveal()[64:])
        self._key = MLKEM768X25519PrivateKey(mlkem, x25519)
        self.public = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()

    def open(self, sealed: bytes, info: bytes) -> Secret:
        """Open what `seal` made; OpenError if it is not for this key and info."""
        try:
            return Secret(_SUITE.decrypt(sealed, self._key, info))
        except (InvalidTag, ValueError) as error:
            raise OpenError("the sealed bytes do not open") from error


def seal(public: bytes, secret: Secret, info: bytes) -> bytes:
    """Seal `secret` to a 1,216-byte public key; ValueError if the key is unusable."""
    if len(public) != PUBLIC_BYTES:
        raise ValueError("an X-Wing public key has 1,216 bytes")
    key = MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_BYTES]),
        X25519PublicKey.from_public_bytes(public[_MLKEM_BYTES:]),
    )
    return _SUITE.encrypt(secret.reveal(), key, info)


def is_public_key(public: bytes) -> bool:
    """Whether `public` can be sealed to."""
    try:
        seal(public, Secret(b""), b"")
    except ValueError:
        return False
    return True
