"""HPKE with X-Wing: opens for its key and info only."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.crypto import xwing
from ledger.crypto.aead import OpenError
from ledger.crypto.secret import Secret
from tests.support.mutation import mutations

KEY = xwing.DecapsulationKey()
SECRET = Secret(bytes(range(32)))
INFO = b"session id and network id"
SEALED = xwing.seal(KEY.public, SECRET, INFO)


def test_round_trip_and_widths() -> None:
    """What is sealed to a key opens with it; the widths are the specified ones."""
    assert KEY.open(SEALED, INFO) == SECRET
    assert len(KEY.public) == xwing.PUBLIC_BYTES == 1216
    assert len(SEALED) == xwing.ENCAPSULATED_BYTES + 32 + xwing.TAG_BYTES


def test_sealing_twice_is_different_and_opens_twice() -> None:
    """Each encapsulation is fresh."""
    again = xwing.seal(KEY.public, SECRET, INFO)
    assert again != SEALED
    assert KEY.open(again, INFO) == SECRET


def test_another_info_or_key_does_not_open() -> None:
    """The binding is in `info`; another session or network does not open it."""
    for info in (b"", INFO[:-1], INFO + b"\0", b"another session id"):
        with pytest.raises(OpenError):
            KEY.open(SEALED, info)
    with pytest.raises(OpenError):
        xwing.DecapsulationKey().open(SEALED, INFO)


def test_every_changed_byte_does_not_open() -> None:
    """Each part (ML-KEM, X25519, ciphertext, tag) is covered."""
    for at in range(0, len(SEALED), 7):
        changed = SEALED[:at] + bytes((SEALED[at] ^ 0x10,)) + SEALED[at + 1 :]
        with pytest.raises(OpenError):
            KEY.open(changed, INFO)


@settings(max_examples=50)
@given(st.binary(max_size=200) | st.binary(min_size=1100, max_size=1200) | mutations(SEALED))
def test_nothing_but_open_error(sealed: bytes) -> None:
    """Cut, random and mutated bytes are OpenErrors."""
    if sealed == SEALED:
        return
    with pytest.raises(OpenError):
        KEY.open(sealed, INFO)


def test_unusable_public_keys_are_refused() -> None:
    """Other widths, coefficients over the modulus and the X25519 zero point cannot be sealed to."""
    assert xwing.is_public_key(KEY.public)
    for wrong in (
        b"",
        KEY.public[:-1],
        KEY.public + b"\0",
        bytes(1216),
        b"\xff" * 1216,
        b"\xff" * 3 + KEY.public[3:],
        KEY.public[:1184] + bytes(32),
        KEY.public[:1184] + b"\x01" + bytes(31),
    ):
        assert not xwing.is_public_key(wrong)
        with pytest.raises(ValueError, match=r"."):
            xwing.seal(wrong, SECRET, INFO)


def test_a_pair_from_a_seed() -> None:
    """The same 96 bytes give the same pair, others another; no other width is a seed."""
    seed = Secret(bytes(range(96)))
    pair = xwing.DecapsulationKey(seed)
    assert pair.public == xwing.DecapsulationKey(seed).public
    assert pair.open(xwing.seal(pair.public, SECRET, INFO), INFO) == SECRET
    for at in (0, 31, 65, 94):
        other = bytearray(seed.reveal())
        other[at] ^= 1
        assert xwing.DecapsulationKey(Secret(bytes(other))).public != pair.public
    for width in (0, 32, 95, 97):
        with pytest.raises(ValueError, match="96 bytes"):
            xwing.DecapsulationKey(Secret(bytes(width)))
