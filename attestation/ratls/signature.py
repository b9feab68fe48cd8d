"""Whether a key signed some bytes, for the kinds of keys that RA-TLS certificates have.

Rules: ECDSA on P-256, P-384 or P-521 and RSA (PKCS #1 v1.5, 2,048 to 4,096 bits) with SHA-256,
SHA-384 or SHA-512; Ed25519. Sizes are checked before anything expensive runs. Whatever cannot be
used, key or signature, did not sign: nothing here raises.
"""

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

MAX_SPKI_BYTES = 1024
MAX_SIGNATURE_BYTES = 1024
MIN_RSA_BITS, MAX_RSA_BITS = 2048, 4096

_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_ECDSA = {
    "1.2.840.10045.4.3.2": ec.ECDSA(hashes.SHA256()),
    "1.2.840.10045.4.3.3": ec.ECDSA(hashes.SHA384()),
    "1.2.840.10045.4.3.4": ec.ECDSA(hashes.SHA512()),
}
_RSA: dict[str, hashes.HashAlgorithm] = {
    "1.2.840.113549.1.1.11": hashes.SHA256(),
    "1.2.840.113549.1.1.12": hashes.SHA384(),
    "1.2.840.113549.1.1.13": hashes.SHA512(),
}
_ED25519 = "1.3.101.112"


def is_signed_by(spki: bytes, algorithm: str, signature: bytes, data: bytes) -> bool:
    """Whether the key of the DER `spki` made `signature` over `data` with `algorithm` (dotted)."""
    if len(spki) > MAX_SPKI_BYTES or len(signature) > MAX_SIGNATURE_BYTES:
        return False
    try:
        return _verify(load_der_public_key(spki), algorithm, signature, data)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False


def _verify(key: object, algorithm: str, signature: bytes, data: bytes) -> bool:
    """Raise or say False unless the signature is right."""
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES):
        if algorithm not in _ECDSA:
            return False
        key.verify(signature, data, _ECDSA[algorithm])
        return True
    if isinstance(key, rsa.RSAPublicKey) and MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        if algorithm not in _RSA:
            return False
        key.verify(signature, data, padding.PKCS1v15(), _RSA[algorithm])
        return True
    if isinstance(key, ed25519.Ed25519PublicKey) and algorithm == _ED25519:
        key.verify(signature, data)
        return True
    return False
