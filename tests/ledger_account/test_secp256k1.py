"""Signatures of accounts: one canonical form, and an independent implementation that agrees."""

import pickle
from hashlib import sha256

import pytest
from eth_keys.backends.native.main import NativeECCBackend
from eth_keys.main import KeyAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.crypto.keccak import keccak256
from ledger.crypto.secp256k1 import (
    ORDER,
    SigningKey,
    generate_seed,
    is_valid,
    recover_address,
)
from ledger.crypto.secret import Secret
from tests.support.mutation import mutations

ORACLE = KeyAPI(NativeECCBackend())  # pure Python, nothing shared with libsecp256k1
KEY = SigningKey(Secret(sha256(b"account").digest()))
DIGEST = sha256(b"digest").digest()
SIGNATURE = KEY.sign(DIGEST)
seeds = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32, "big"))
digests = st.binary(min_size=32, max_size=32)


def parts(signature: bytes) -> tuple[int, int, int]:
    """r, s and v."""
    return (
        int.from_bytes(signature[:32], "big"),
        int.from_bytes(signature[32:64], "big"),
        signature[64],
    )


def spelled(r: int, s: int, v: int) -> bytes:
    """A signature of these numbers."""
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((v,))


def test_keccak_is_ethereums() -> None:
    """The digest of nothing is the one that Ethereum's yellow paper uses, not SHA3-256's."""
    empty = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"").hex() == empty


def test_the_key_one() -> None:
    """The private key 1 has the well-known address of the generator point."""
    key = SigningKey(Secret((1).to_bytes(32, "big")))
    assert key.address.hex() == "7e5f4552091a69125d5dfcb7b8c2659029395bdf"


@settings(max_examples=20)
@given(seeds, digests)
def test_an_independent_implementation_agrees(seed: bytes, digest: bytes) -> None:
    """Address, deterministic signature and recovery are those of a pure Python implementation."""
    key, oracle = SigningKey(Secret(seed)), ORACLE.PrivateKey(seed)
    signature = key.sign(digest)
    assert key.address == oracle.public_key.to_canonical_address()
    theirs = oracle.sign_msg_hash(digest).to_bytes()
    assert signature == theirs[:64] + bytes((theirs[64] + 27,))
    assert recover_address(digest, signature) == key.address


@settings(max_examples=50)
@given(seeds, digests)
def test_signatures_are_canonical_and_recover(seed: bytes, digest: bytes) -> None:
    """Every signature has 65 bytes, low s, v 27 or 28, and gives its signer back."""
    key = SigningKey(Secret(seed))
    signature = key.sign(digest)
    r, s, v = parts(signature)
    assert len(signature) == 65
    assert (0 < r < ORDER, 0 < s <= ORDER // 2, v in (27, 28)) == (True, True, True)
    assert is_valid(key.address, signature, digest)
    assert not is_valid(key.address, signature, sha256(digest).digest())
    assert not is_valid(bytes(20), signature, digest)


def test_the_twin_signature_is_refused() -> None:
    """(r, n-s) with the other v is the same key's in mathematics, and refused here."""
    r, s, v = parts(SIGNATURE)
    twin = spelled(r, ORDER - s, 55 - v)
    theirs = ORACLE.Signature(twin[:64] + bytes((twin[64] - 27,)))
    assert theirs.recover_public_key_from_msg_hash(DIGEST).to_canonical_address() == KEY.address
    assert recover_address(DIGEST, twin) is None


@pytest.mark.parametrize("v", [0, 1, 2, 26, 29, 30, 31, 35, 37, 38, 54, 255])
def test_other_recovery_ids_are_refused(v: int) -> None:
    """Only 27 and 28: not 0 and 1, not the forms of Ethereum's transactions."""
    assert recover_address(DIGEST, SIGNATURE[:64] + bytes((v,))) is None


@pytest.mark.parametrize("number", [0, ORDER, ORDER + 1, 2**256 - 1])
@pytest.mark.parametrize("which", ["r", "s"])
def test_numbers_out_of_range_are_refused(which: str, number: int) -> None:
    """r and s of zero or at least the order are refused."""
    r, s, v = parts(SIGNATURE)
    changed = spelled(number, s, v) if which == "r" else spelled(r, number, v)
    assert recover_address(DIGEST, changed) is None


def test_the_border_of_low_s() -> None:
    """s of half the order is canonical, one more is not."""
    r, _, v = parts(SIGNATURE)
    assert recover_address(DIGEST, spelled(r, ORDER // 2, v)) is not None
    assert recover_address(DIGEST, spelled(r, ORDER // 2 + 1, v)) is None


def test_an_r_that_is_on_no_point_is_refused() -> None:
    """An r that is no x coordinate of the curve recovers to nothing."""
    assert recover_address(DIGEST, spelled(5, 1, 27)) is None  # 5 is the smallest such x


@pytest.mark.parametrize("length", [0, 1, 63, 64, 66, 130])
def test_other_lengths_are_refused(length: int) -> None:
    """64 bytes (EIP-2098), padded and cut signatures are refused."""
    assert recover_address(DIGEST, (SIGNATURE * 2)[:length]) is None


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_only_digests_are_signed_or_checked(length: int) -> None:
    """What does not have 32 bytes is neither signed nor anybody's."""
    with pytest.raises(ValueError, match="32 bytes"):
        KEY.sign(bytes(length))
    assert recover_address(bytes(length), SIGNATURE) is None


@given(st.data())
def test_changed_signatures_never_pass_as_the_signers(data: st.DataObject) -> None:
    """Whatever happens to a signature, it raises nothing and is not the signer's any more."""
    changed = data.draw(mutations(SIGNATURE))
    if changed != SIGNATURE:
        assert recover_address(DIGEST, changed) != KEY.address


@given(st.binary(max_size=70), st.binary(min_size=30, max_size=34))
def test_recovery_never_raises(signature: bytes, digest: bytes) -> None:
    """Random bytes give an address of 20 bytes or none."""
    address = recover_address(digest, signature)
    assert address is None or len(address) == 20


@pytest.mark.parametrize(
    "seed",
    [b"", bytes(31), bytes(32), bytes(31) + b"\1\0", ORDER.to_bytes(32, "big"), b"\xff" * 32],
)
def test_what_is_no_private_key_is_refused(seed: bytes) -> None:
    """Seeds of another length (never padded), zero and numbers from the order on are refused."""
    with pytest.raises(ValueError, match="not a private key") as refused:
        SigningKey(Secret(seed))
    assert not seed or seed.hex() not in str(refused.value)


def test_generated_seeds_are_keys_and_differ() -> None:
    """Fresh keys load, and no two are the same."""
    addresses = {SigningKey(generate_seed()).address for _ in range(20)}
    assert len(addresses) == 20


def test_a_key_shows_nothing() -> None:
    """Neither repr nor pickle gives the private key away."""
    seed = sha256(b"account").digest()
    assert seed.hex() not in repr(KEY)
    with pytest.raises(TypeError):
        pickle.dumps(KEY)
