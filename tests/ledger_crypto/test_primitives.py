"""The wrappers over the cryptography library, against published answers and their own rules."""

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from ledger.crypto import aead, derive, ed25519, p256
from ledger.crypto.secret import Secret

# RFC 8032 section 7.1, TEST 1 (empty message) and TEST 2 (one byte)
ED25519_ANSWERS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
        "f9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0"
        "f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]
# RFC 6979 appendix A.2.5: public key, and the signatures with SHA-256 of "sample" and "test"
P256_X = 0x60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6
P256_SAMPLE = (
    0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
    0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,  # over half the order
)
P256_TEST = (
    0xF1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367,
    0x019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083,
)
P256_FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1
P256_PUBLIC = b"\x03" + P256_X.to_bytes(32, "big")


def r_s(r: int, s: int) -> bytes:
    """A signature as r ‖ s."""
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


@pytest.mark.parametrize("seed, public, message, signature", ED25519_ANSWERS)
def test_ed25519_known_answers(seed: str, public: str, message: str, signature: str) -> None:
    """Keys and signatures are those of RFC 8032."""
    key = ed25519.SigningKey(Secret(bytes.fromhex(seed)))
    assert key.public.hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    assert ed25519.is_valid(key.public, bytes.fromhex(signature), bytes.fromhex(message))


def test_ed25519_refuses_every_change() -> None:
    """A flipped bit anywhere, another message, another key or another width does not verify."""
    key = ed25519.SigningKey(Secret(bytes(range(32))))
    signature = key.sign(b"message")
    for bit in range(512):
        changed = bytearray(signature)
        changed[bit // 8] ^= 1 << bit % 8
        assert not ed25519.is_valid(key.public, bytes(changed), b"message")
    assert not ed25519.is_valid(key.public, signature, b"other")
    assert not ed25519.is_valid(ed25519.SigningKey(Secret(bytes(32))).public, signature, b"message")
    for width in (0, 31, 33, 64):
        assert not ed25519.is_valid(bytes(width), signature, b"message")
    for wrong in (b"", signature[:-1], signature + b"\0"):
        assert not ed25519.is_valid(key.public, wrong, b"message")


def test_ed25519_scalars_have_one_spelling() -> None:
    """s plus the group order is the same scalar, and is refused (RFC 8032 section 5.1.7)."""
    order = 2**252 + 27742317777372353535851937790883648493
    key = ed25519.SigningKey(Secret(bytes(32)))
    signature = key.sign(b"message")
    scalar = int.from_bytes(signature[32:], "little") + order
    assert not ed25519.is_valid(
        key.public, signature[:32] + scalar.to_bytes(32, "little"), b"message"
    )


ED25519_FIELD = 2**255 - 19


def small_order_ys() -> set[int]:
    """The y of every point whose order divides 8, found by doubling on the curve itself."""
    field = ED25519_FIELD
    d = -121665 * pow(121666, -1, field) % field

    def recover(y: int) -> int | None:
        square = (y * y - 1) * pow(d * y * y + 1, -1, field) % field
        x = pow(square, (field + 3) // 8, field)
        if x * x % field != square:
            x = x * pow(2, (field - 1) // 4, field) % field
        return x if x * x % field == square else None

    def order_divides_8(y: int) -> bool:
        x = recover(y)
        if x is None:
            return False
        for _ in range(3):
            product = d * x * x * y * y % field
            x, y = (
                2 * x * y * pow(1 + product, -1, field) % field,
                (y * y + x * x) * pow(1 - product, -1, field) % field,
            )
        return (x, y) == (0, 1)

    candidates = {value & ~ed25519._SIGN_BIT for value in ed25519._SMALL_ORDER}
    found = {value for value in candidates if order_divides_8(value % field)}
    assert found == candidates
    return found


def test_ed25519_keys_of_small_order_are_refused() -> None:
    """A key under which anybody can sign anything is no key, in all of its spellings.

    The curve has eight points of small order: y is 0 (two), 1, -1, and two values with two points.
    """
    listed = small_order_ys()
    assert len({value % ED25519_FIELD for value in listed}) == 5
    assert {value % ED25519_FIELD for value in listed} >= {0, 1, ED25519_FIELD - 1}
    # every other spelling under 2^255 of those values is listed as well
    assert all(
        value + ED25519_FIELD in listed for value in listed if value + ED25519_FIELD < 2**255
    )
    identity = (1).to_bytes(32, "little") + bytes(32)  # R is the neutral point, s is 0
    for value in listed:
        for sign in (0, 1 << 255):
            public = (value | sign).to_bytes(32, "little")
            for message in (b"", b"one", b"two", b"three", b"four", b"five", b"six", b"seven"):
                assert not ed25519.is_valid(public, identity, message)


@pytest.mark.parametrize("width", [0, 31, 33])
def test_an_ed25519_seed_has_32_bytes(width: int) -> None:
    """Any other width is a ValueError."""
    with pytest.raises(ValueError, match="32"):
        ed25519.SigningKey(Secret(bytes(width)))


def test_p256_known_answers_in_their_low_form() -> None:
    """RFC 6979's signatures verify with low s; the one with high s is refused as it stands."""
    assert p256.is_public_key(P256_PUBLIC)
    assert p256.is_valid(P256_PUBLIC, r_s(*P256_TEST), b"test")
    r, s = P256_SAMPLE
    assert s > p256.ORDER // 2
    assert not p256.is_valid(P256_PUBLIC, r_s(r, s), b"sample")
    assert p256.is_valid(P256_PUBLIC, r_s(r, p256.ORDER - s), b"sample")


def test_p256_signatures_have_one_form() -> None:
    """What we sign has low s and verifies; the other s of the pair is refused."""
    key = p256.SigningKey()
    for number in range(16):
        message = b"message %d" % number
        signature = key.sign(message)
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        assert s <= p256.ORDER // 2
        assert p256.is_valid(key.public, signature, message)
        assert not p256.is_valid(key.public, r_s(r, p256.ORDER - s), message)
        assert not p256.is_valid(key.public, signature, message + b"!")


def test_p256_numbers_out_of_range_are_refused() -> None:
    """r and s are within 1 and the order; 64 bytes and no DER."""
    r, s = P256_TEST
    for wrong in (
        r_s(0, s), r_s(r, 0), r_s(0, 0), r_s(p256.ORDER, s), r_s(r, p256.ORDER),
        r_s(2**256 - 1, s), r_s(r, 2**256 - 1), r_s(s, r), b"", r_s(r, s)[:-1], r_s(r, s) + b"\0",
        bytes(64),
    ):  # fmt: skip
        assert not p256.is_valid(P256_PUBLIC, wrong, b"test")
    for bit in range(512):
        changed = bytearray(r_s(r, s))
        changed[bit // 8] ^= 1 << bit % 8
        assert not p256.is_valid(P256_PUBLIC, bytes(changed), b"test")


def test_p256_points_off_the_curve_are_refused() -> None:
    """Only 33 bytes of a compressed point on the curve are a key."""
    off_curve = next(
        x
        for x in range(1, 100)
        if pow(x**3 - 3 * x + _curve_b(), (P256_FIELD - 1) // 2, P256_FIELD) != 1
    )
    full = (ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), P256_PUBLIC)).public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    wrong = [
        b"", b"\0", bytes(33), full, full[:33], P256_PUBLIC[:-1], P256_PUBLIC + b"\0",
        b"\x02" + off_curve.to_bytes(32, "big"),
        b"\x03" + off_curve.to_bytes(32, "big"),
        b"\x02" + P256_FIELD.to_bytes(32, "big"),
        b"\x02" + b"\xff" * 32,
        *(bytes((lead,)) + P256_PUBLIC[1:] for lead in (0, 1, 4, 5, 6, 7, 0x12, 0xFF)),
    ]  # fmt: skip
    for public in wrong:
        assert not p256.is_public_key(public)
        assert not p256.is_valid(public, r_s(*P256_TEST), b"test")
    other_half = b"\x02" + P256_PUBLIC[1:]
    assert p256.is_public_key(other_half)
    assert not p256.is_valid(other_half, r_s(*P256_TEST), b"test")


def _curve_b() -> int:
    return 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def test_a_p256_key_speaks_with_the_library() -> None:
    """What the wrapper signs, the library verifies over the same bytes, in DER."""
    key = p256.SigningKey()
    signature = key.sign(b"message")
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key.public)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    body = b"".join(
        b"\x02%c%b" % (len(number), number)
        for number in (value.to_bytes(value.bit_length() // 8 + 1, "big") for value in (r, s))
    )
    public.verify(b"\x30%c%b" % (len(body), body), b"message", ec.ECDSA(hashes.SHA256()))


@given(st.binary(max_size=70), st.binary(max_size=70), st.binary(max_size=10))
def test_checking_a_signature_never_raises(public: bytes, signature: bytes, message: bytes) -> None:
    """Whatever the bytes are, the answer is no."""
    assert not p256.is_valid(public, signature, message)
    assert not ed25519.is_valid(public, signature, message)
    p256.is_public_key(public)


def test_aes_gcm_known_answers() -> None:
    """Test cases 13 and 14 of the GCM specification: zero key, zero nonce."""
    key = Secret(bytes(32))
    assert aead.seal_once(key, b"", b"").hex() == "530f8afbc74536b9a963b4f1c4cb738b"
    sealed = aead.seal_once(key, bytes(16), b"")
    assert sealed.hex() == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
    assert aead.open_once(key, sealed, b"") == bytes(16)


def test_aes_gcm_opens_nothing_else() -> None:
    """A changed bit, another key, other additional data or a cut is an OpenError."""
    key = Secret(bytes(range(32)))
    sealed = aead.seal_once(key, b"value", b"aad")
    assert aead.open_once(key, sealed, b"aad") == b"value"
    wrong = [sealed[:size] for size in range(len(sealed))] + [sealed + b"\0"]
    for bit in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        wrong.append(bytes(changed))
    for ciphertext in wrong:
        with pytest.raises(aead.OpenError):
            aead.open_once(key, ciphertext, b"aad")
    for other_key, aad in ((Secret(bytes(32)), b"aad"), (key, b""), (key, b"aad\0")):
        with pytest.raises(aead.OpenError) as refused:
            aead.open_once(other_key, sealed, aad)
        assert "value" not in str(refused.value)


def test_hkdf_known_answer() -> None:
    """RFC 5869 appendix A.1: the first 32 bytes of its expansion."""
    key = Secret(bytes.fromhex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"))
    info = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9")
    expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
    for cut in range(len(info) + 1):
        assert derive.derive(key, info[:cut], info[cut:]).reveal().hex() == expected


def test_derived_keys_depend_on_everything() -> None:
    """Another key, label or context gives another key, of 32 bytes."""
    keys = [Secret(sha256(b"key %d" % number).digest()) for number in range(3)]
    derived = [
        derive.derive(key, label, context)
        for key in keys
        for label in (derive.COLLECTION, derive.SESSION)
        for context in (b"", b"a", b"ab")
    ]
    assert {len(key) for key in derived} == {derive.KEY_BYTES}
    assert len({key.reveal() for key in derived}) == len(derived)
