"""ECDSA over secp256k1 (SEC 2) with key recovery: the keys of accounts, in one canonical form.

1. A signature is 65 bytes r‖s‖v over a 32-byte digest.
2. r and s are 1 to n-1, and s is low (s <= n/2): of the two signatures (r, s, v) and (r, n-s, v')
   only one is accepted, so that nobody can turn one valid signature into another.
3. v is 27 or 28. 0 and 1, Ethereum's transaction forms and the two recovery ids of an r that was
   reduced by n (about one signature in 2^127) are refused.
4. An account is the last 20 bytes of Keccak-256 over the public key's x‖y.
Not here: what is signed (``format.eip712``), how an address is written (``format.address``).
"""

import secrets

from coincurve import PrivateKey, PublicKey

from ledger.crypto.keccak import keccak256
from ledger.crypto.secret import Secret

SEED_BYTES = 32
DIGEST_BYTES = 32
ADDRESS_BYTES = 20
SIGNATURE_BYTES = 65
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_HALF = ORDER // 2
_FIRST_V = 27


class SigningKey:
    """An account's private key; repr shows nothing of it."""

    __slots__ = ("_key", "address")

    def __init__(self, seed: Secret) -> None:
        """Load the key; ValueError unless the seed is 32 bytes of a number from 1 to n-1."""
        scalar = seed.reveal()
        if len(scalar) != SEED_BYTES or not 0 < int.from_bytes(scalar, "big") < ORDER:
            raise ValueError("not a private key of secp256k1: 32 bytes, from 1 to n-1")
        self._key = PrivateKey(scalar)
        self.address = _address(self._key.public_key)

    def sign(self, digest: bytes) -> bytes:
        """The deterministic (RFC 6979) 65-byte signature of a digest; ValueError if not 32 bytes.

        Only ever give it a digest that this program made: whoever may choose a digest can have
        anything signed.
        """
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:-1] + bytes((_FIRST_V + signature[-1],))


def generate_seed() -> Secret:
    """A fresh private key, 32 bytes, from the operating system's randomness."""
    return Secret((1 + secrets.randbelow(ORDER - 1)).to_bytes(SEED_BYTES, "big"))


def recover_address(digest: bytes, signature: bytes) -> bytes | None:
    """The 20-byte address whose canonical signature of `digest` this is; never raises.

    None for every other spelling (module rules 1 to 3) and where no key can be recovered. Any
    canonical signature recovers to some address: only comparing it with the expected one decides.
    """
    if len(signature) != SIGNATURE_BYTES or signature[64] - _FIRST_V not in (0, 1):
        return None
    r = int.from_bytes(signature[:32], "big")
    s = int.from_bytes(signature[32:64], "big")
    if not 0 < r < ORDER or not 0 < s <= _HALF:
        return None
    with_id = signature[:64] + bytes((signature[64] - _FIRST_V,))
    try:
        return _address(PublicKey.from_signature_and_message(with_id, digest, hasher=None))
    except ValueError:
        return None


def is_valid(address: bytes, signature: bytes, digest: bytes) -> bool:
    """Whether `signature` is the canonical one of this account over `digest`; never raises."""
    return recover_address(digest, signature) == address


def _address(public: PublicKey) -> bytes:
    return keccak256(public.format(compressed=False)[1:])[-ADDRESS_BYTES:]
