"""The sealed state: what it keeps, and that nothing but the right key opens it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms.errors import KeyServiceStateError
from kms.state import (
    MAX_EPOCHS,
    MAX_SEALED_BYTES,
    NOTHING_HELD,
    Held,
    KeyServiceState,
    decode_state,
    encode_state,
    open_state,
    seal_state,
)
from ledger.crypto.secret import Secret
from ledger.errors import FormatError

KEY = Secret(bytes(range(32)))
SALT = bytes(range(32, 64))
STATE = KeyServiceState(
    network_id=b"\x01" * 32,
    service_seed=Secret(b"\x02" * 32),
    epochs={1: Secret(b"\x03" * 32), 7: Secret(b"\x04" * 32)},
    trust=b"trust",
    held=Held(12, b"\x05" * 32, 1_800_000_000_000),
)

secrets = st.binary(min_size=32, max_size=32).map(Secret)
states = st.builds(
    KeyServiceState,
    network_id=st.binary(min_size=32, max_size=32),
    service_seed=secrets,
    epochs=st.dictionaries(st.integers(1, 2**32 - 1), secrets, min_size=1, max_size=5),
    trust=st.binary(min_size=1, max_size=200),
    held=st.just(NOTHING_HELD)
    | st.builds(
        Held,
        st.integers(1, 2**63 - 1),
        st.binary(min_size=32, max_size=32),
        st.integers(0, 2**64 - 1),
    ),
)


@given(states)
def test_a_state_comes_back_as_it_was(state: KeyServiceState) -> None:
    """Encoding, sealing, opening and decoding give the same state."""
    assert decode_state(encode_state(state)) == state
    assert open_state(seal_state(state, KEY, SALT), KEY) == state


def test_each_salt_seals_differently() -> None:
    """Two saves of one state share no ciphertext, and neither shows a secret."""
    blobs = [seal_state(STATE, KEY, bytes((number,)) * 32) for number in (8, 9)]
    assert blobs[0][33:] != blobs[1][33:]
    for blob in blobs:
        assert STATE.service_seed.reveal() not in blob
        assert STATE.epochs[1].reveal() not in blob


@given(at=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_a_changed_blob_does_not_open(at: int, flip: int) -> None:
    """Any changed byte, version and salt included, is refused."""
    blob = bytearray(seal_state(STATE, KEY, SALT))
    blob[at % len(blob)] ^= flip
    with pytest.raises(KeyServiceStateError):
        open_state(bytes(blob), KEY)


@given(st.binary(max_size=300))
def test_random_bytes_do_not_open(blob: bytes) -> None:
    """Bytes that were never sealed raise the state error and nothing else."""
    for candidate in (blob, b"\x01" + blob):
        with pytest.raises(KeyServiceStateError):
            open_state(candidate, KEY)


def test_a_blob_of_impossible_size_does_not_open() -> None:
    """Cut, padded, empty and giant blobs are refused."""
    blob = seal_state(STATE, KEY, SALT)
    for wrong in (b"", blob[:1], blob[:33], blob[:49], blob[:-1], blob + b"\0"):
        with pytest.raises(KeyServiceStateError):
            open_state(wrong, KEY)
    with pytest.raises(KeyServiceStateError, match="impossible size"):
        open_state(bytes(MAX_SEALED_BYTES + 1), KEY)


def test_another_version_is_told_apart() -> None:
    """A blob of a later build says so instead of claiming damage."""
    blob = b"\x02" + seal_state(STATE, KEY, SALT)[1:]
    with pytest.raises(KeyServiceStateError, match="version 2"):
        open_state(blob, KEY)


def test_another_platform_key_does_not_open() -> None:
    """Another machine, signer or product has another key."""
    with pytest.raises(KeyServiceStateError, match="does not open here"):
        open_state(seal_state(STATE, KEY, SALT), Secret(bytes(32)))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_salt_has_32_bytes(size: int) -> None:
    """A short salt would repeat, so it is refused when sealing."""
    with pytest.raises(FormatError):
        seal_state(STATE, KEY, bytes(size))


@pytest.mark.parametrize(
    "wrong",
    [
        {"network_id": bytes(31)},
        {"service_seed": Secret(bytes(33))},
        {"service_seed": Secret(b"")},
        {"epochs": {}},
        {"epochs": {0: Secret(bytes(32))}},
        {"epochs": {1: Secret(bytes(31))}},
        {"epochs": {number: Secret(bytes(32)) for number in range(1, MAX_EPOCHS + 2)}},
        {"trust": b""},
        {"trust": bytes(48 * 1024 + 1)},
        {"held": Held(5, b"", 0)},
        {"held": Held(0, bytes(32), 0)},
        {"held": replace(NOTHING_HELD, time_ms=1)},
        {"held": Held(2**63, bytes(32), 0)},
    ],
)
def test_a_state_that_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    """The decoder checks every size and range; inside a good seal it is a state error."""
    fields = {name: getattr(STATE, name) for name in STATE.__slots__}
    state = KeyServiceState(**{**fields, **wrong})
    with pytest.raises(FormatError):
        decode_state(encode_state(state))
    with pytest.raises(KeyServiceStateError, match="not one that this build writes"):
        open_state(seal_state(state, KEY, SALT), KEY)


def test_epochs_in_another_order_are_another_spelling() -> None:
    """Epochs grow, so that one state has one encoding."""
    encoded = encode_state(STATE).reveal()
    one = encode_state(replace(STATE, epochs={1: STATE.epochs[1]})).reveal()
    seven = encode_state(replace(STATE, epochs={7: STATE.epochs[7]})).reveal()
    head = len(b"\x0a\x20" + STATE.network_id + b"\x12\x20" + STATE.service_seed.reveal())
    size = len(encoded) - len(one)
    entry_1, entry_7, tail = one[head : head + size], seven[head : head + size], one[head + size :]
    assert encoded == encoded[:head] + entry_1 + entry_7 + tail
    for wrong in (entry_7 + entry_1, entry_1 + entry_1):
        with pytest.raises(FormatError):
            decode_state(Secret(encoded[:head] + wrong + tail))


@given(st.binary(max_size=200))
def test_random_bytes_are_no_state(data: bytes) -> None:
    """The decoder raises FormatError for whatever is not a whole state."""
    with pytest.raises(FormatError):
        decode_state(Secret(data))
