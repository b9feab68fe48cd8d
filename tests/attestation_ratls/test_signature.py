"""Which self-signatures are accepted."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from attestation.ratls.der import parse_certificate
from attestation.ratls.signature import MAX_SPKI_BYTES, is_signed_by
from tests.support.ratls_certificates import Wanted, make_certificate, spki_of

ECDSA_SHA256 = "1.2.840.10045.4.3.2"
RSA_SHA256 = "1.2.840.113549.1.1.11"
ED25519 = "1.3.101.112"


def verifies(der: bytes) -> bool:
    """Whether a certificate's own key signed it."""
    parsed = parse_certificate(der)
    return is_signed_by(parsed.spki, parsed.algorithm, parsed.signature, parsed.signed)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
@pytest.mark.parametrize("algorithm", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_ecdsa_on_three_curves(
    curve: ec.EllipticCurve, algorithm: hashes.SHA256 | hashes.SHA384 | hashes.SHA512
) -> None:
    """With each of three hashes."""
    assert verifies(
        make_certificate(Wanted(ec.generate_private_key(curve), None, algorithm), {"2.5": b""})
    )


@pytest.mark.parametrize("algorithm", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_rsa(algorithm: hashes.SHA256 | hashes.SHA384 | hashes.SHA512) -> None:
    """PKCS #1 with each of three hashes."""
    key = rsa.generate_private_key(65537, 2048)
    assert verifies(make_certificate(Wanted(key, None, algorithm), {}))


def test_ed25519() -> None:
    """Which has no hash to choose."""
    assert verifies(make_certificate(Wanted(ed25519.Ed25519PrivateKey.generate(), None, None), {}))


def test_other_keys_and_curves_sign_nothing() -> None:
    """A curve that is not listed and a short RSA key, though their signatures are right."""
    other = ec.generate_private_key(ec.SECP256K1())
    signature = other.sign(b"data", ec.ECDSA(hashes.SHA256()))
    assert not is_signed_by(spki_of(other), ECDSA_SHA256, signature, b"data")
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505  (that it is short is the point)
    assert not verifies(make_certificate(Wanted(short), {}))
    odd = dsa.generate_private_key(2048)
    spki = odd.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    dsa_sha256 = "2.16.840.1.101.3.4.3.2"
    assert not is_signed_by(spki, dsa_sha256, odd.sign(b"data", hashes.SHA256()), b"data")


def test_the_algorithm_must_be_that_of_the_key() -> None:
    """A signature is never tried with an algorithm that the certificate does not name."""
    key = ec.generate_private_key(ec.SECP256R1())
    signature = key.sign(b"data", ec.ECDSA(hashes.SHA256()))
    assert is_signed_by(spki_of(key), ECDSA_SHA256, signature, b"data")
    for algorithm in (RSA_SHA256, ED25519, "1.2.840.10045.4.3.3", "1.2.840.10045.4.1", "1.2"):
        assert not is_signed_by(spki_of(key), algorithm, signature, b"data")
    assert not is_signed_by(spki_of(key), ECDSA_SHA256, signature, b"other data")
    edwards = ed25519.Ed25519PrivateKey.generate()
    assert not is_signed_by(spki_of(edwards), ECDSA_SHA256, edwards.sign(b"data"), b"data")


def test_what_cannot_be_used_did_not_sign() -> None:
    """Keys and signatures of any bytes, and sizes that would cost time."""
    spki = spki_of(ec.generate_private_key(ec.SECP256R1()))
    for bad_key in (b"", b"\0", spki[:-1], spki + b"\0", bytes(MAX_SPKI_BYTES + 1)):
        assert not is_signed_by(bad_key, ECDSA_SHA256, b"signature", b"data")
    for signature in (b"", b"\0" * 64, b"\x30\x00", bytes(100_000)):
        assert not is_signed_by(spki, ECDSA_SHA256, signature, b"data")
