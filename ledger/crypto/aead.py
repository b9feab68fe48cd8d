"""AES-256-GCM (NIST SP 800-38D) with keys that are used once.

Every key here encrypts exactly one message in its life (a fresh data key, or one derived per record
or per release), so the nonce is fixed: 12 zero bytes. Sealing the same message again under the same
derived key gives the same bytes, which is what makes a repeated release harmless.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.crypto.secret import Secret

TAG_BYTES = 16
_NONCE = bytes(12)


class OpenError(Exception):
    """The ciphertext does not open under this key and additional data."""


def seal_once(key: Secret, plaintext: bytes, aad: bytes) -> bytes:
    """Ciphertext and 16-byte tag; `key` must never encrypt anything else."""
    return AESGCM(key.reveal()).encrypt(_NONCE, plaintext, aad)


def open_once(key: Secret, ciphertext: bytes, aad: bytes) -> bytes:
    """The plaintext; OpenError if anything was changed."""
    try:
        return AESGCM(key.reveal()).decrypt(_NONCE, ciphertext, aad)
    except InvalidTag as error:
        raise OpenError("the sealed bytes do not open") from error
