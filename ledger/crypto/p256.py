"""ECDSA over P-256 with SHA-256 (FIPS 186-5), in one canonical form.

Public keys are 33-byte compressed points (SEC 1 section 2.3.3), signatures 64 bytes r‖s with low s:
of the two signatures (r, s) and (r, n-s) only the one with s <= n/2 is accepted, so that nobody can
turn one valid signature into another.
"""

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

PUBLIC_BYTES = 33
SIGNATURE_BYTES = 64
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_HALF = ORDER // 2
_SHA256 = ec.ECDSA(hashes.SHA256())


class SigningKey:
    """A fresh private key that lives only in this process."""

    __slots__ = ("_key", "public")

    def __init__(self) -> None:
        """Generate the key from the operating system's randomness."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.public = self._key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
        )

    def sign(self, message: bytes) -> bytes:
        """The 64-byte low-s signature of `message`."""
        r, s = decode_dss_signature(self._key.sign(message, _SHA256))
        return r.to_bytes(32, "big") + min(s, ORDER - s).to_bytes(32, "big")


def is_valid(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is the canonical one of this key over `message`; never raises."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    r = int.from_bytes(signature[:32], "big")
    s = int.from_bytes(signature[32:], "big")
    if not 0 < r < ORDER or not 0 < s <= _HALF:
        return False
    try:
        _load(public).verify(encode_dss_signature(r, s), message, _SHA256)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_public_key(public: bytes) -> bool:
    """Whether `public` is a compressed point on the curve."""
    if len(public) != PUBLIC_BYTES:
        return False
    try:
        _load(public)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def _load(public: bytes) -> ec.EllipticCurvePublicKey:
    if len(public) != PUBLIC_BYTES:
        raise ValueError("not a compressed point")
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
