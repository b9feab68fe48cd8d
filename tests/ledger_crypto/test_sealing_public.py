"""Sealing to a collection's public key: opens with its pair, at its place, and nowhere else."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import sealing
from ledger.crypto import aead, xwing
from ledger.crypto.secret import Secret
from ledger.errors import FormatError
from ledger.format import sealed as sl
from ledger.format.outcome import Coordinates
from ledger.reason import Reason
from tests.ledger_format import make_vectors as v
from tests.support.mutation import mutations

AT = replace(v.AT, mode=sl.MODE_PUBLIC, writer_session=bytes(12) + v.OWNER)
PAIR = sealing.sealing_key(v.COLLECTION_SECRET)
SEALED, DIGEST = sealing.seal_value_public(v.NETWORK_ID, AT, PAIR.public, v.DATA_KEY, v.VALUE)
HEADER, CIPHERTEXT = sl.split_sealed(SEALED)
WRAPPED = sl.decode_header(HEADER).wraps[0].data


def header_at(at: Coordinates, wraps: tuple[sl.Wrap, ...] | None = None) -> sl.SealedHeader:
    """The sealed header as the ledger would have it for another place, or with other wraps."""
    inside = sl.decode_header(HEADER)
    place = sl.encode_coordinates(v.NETWORK_ID, at)
    return sl.decode_header(sl.encode_header(place, inside.wraps if wraps is None else wraps))


def test_the_whole_way() -> None:
    """Sealed, recorded, verified, unwrapped, opened; the data key is the one that was used."""
    digest = sha256(CIPHERTEXT).digest()
    verified = sealing.verify_header(HEADER, v.NETWORK_ID, AT, DIGEST, digest)
    key = sealing.unwrap_public(PAIR, verified)
    assert key == v.DATA_KEY
    assert sealing.open_value(key, SEALED, v.NETWORK_ID, AT) == v.VALUE
    (wrap,) = verified.wraps
    assert (wrap.kind, len(wrap.data)) == (sl.WRAP_PUBLIC, 1_168)


def test_the_pair_is_the_collection_s() -> None:
    """Another collection or epoch has another pair, which does not open it."""
    for secret in (
        sealing.collection_secret(v.EPOCH_SECRET, "app/other"),
        sealing.collection_secret(Secret(bytes(32)), AT.collection),
    ):
        other = sealing.sealing_key(secret)
        assert other.public != PAIR.public
        with pytest.raises(FormatError) as refused:
            sealing.unwrap_public(other, header_at(AT))
        assert refused.value.reason is Reason.HEADER_MISMATCH


@pytest.mark.parametrize(
    "change",
    [
        {"collection": "app/other"},
        {"name": "db/other"},
        {"record_id": bytes(16)},
        {"epoch": 2},
        {"mode": sl.MODE_SESSION},
        {"writer_session": bytes(32)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_wrap_is_bound_to_its_place(change: dict[str, object]) -> None:
    """Under a header for another place the wrap does not open, nor does the value."""
    at = replace(AT, **change)  # type: ignore[arg-type]  # fields of any type
    with pytest.raises(FormatError) as refused:
        sealing.unwrap_public(PAIR, header_at(at))
    assert refused.value.reason is Reason.HEADER_MISMATCH
    with pytest.raises(aead.OpenError):
        sealing.open_value(v.DATA_KEY, SEALED, v.NETWORK_ID, at)


def test_wraps_of_the_other_kind_are_not_opened() -> None:
    """Each way of unwrapping takes wraps of its own kind only."""
    session_wraps = sl.decode_header(v.HEADER).wraps
    with pytest.raises(FormatError, match="no wrap of this kind"):
        sealing.unwrap_public(PAIR, header_at(AT, session_wraps))
    with pytest.raises(FormatError, match="no wrap of this kind"):
        sealing.unwrap_data_key(v.WRITER_KEK, header_at(AT))
    both = (*session_wraps, *sl.decode_header(HEADER).wraps)
    assert sealing.unwrap_public(PAIR, header_at(AT, both)) == v.DATA_KEY


@pytest.mark.parametrize("width", [0, 31, 33])
def test_what_is_wrapped_is_a_key(width: int) -> None:
    """Anything but 32 bytes is no data key."""
    place = sl.encode_coordinates(v.NETWORK_ID, AT)
    data = xwing.seal(PAIR.public, Secret(bytes(width)), sealing._WRAP_PUBLIC + place)
    with pytest.raises(FormatError) as refused:
        sealing.unwrap_public(PAIR, header_at(AT, (sl.Wrap(sl.WRAP_PUBLIC, data),)))
    assert refused.value.reason is Reason.HEADER_MISMATCH


@settings(max_examples=50)
@given(mutations(WRAPPED).filter(lambda data: data != WRAPPED))
def test_mutated_wraps_open_to_nothing(data: bytes) -> None:
    """A changed wrap is a HEADER_MISMATCH and nothing else."""
    header = replace(header_at(AT), wraps=(sl.Wrap(sl.WRAP_PUBLIC, data),))
    with pytest.raises(FormatError) as refused:
        sealing.unwrap_public(PAIR, header)
    assert refused.value.reason is Reason.HEADER_MISMATCH


@pytest.mark.parametrize("public", [b"", bytes(1215), bytes(1217), b"\xff" * 1216])
def test_an_unusable_key_is_a_value_error(public: bytes) -> None:
    """Nothing is sealed to bytes that are no X-Wing key."""
    with pytest.raises(ValueError):  # noqa: PT011  # the library's words differ by what is wrong
        sealing.seal_value_public(v.NETWORK_ID, AT, public, v.DATA_KEY, v.VALUE)


@settings(max_examples=60)
@given(st.data())
def test_statements_are_of_one_key(data: st.DataObject) -> None:
    """Two statements share their bytes only if network, collection, epoch and key are the same."""
    parts = st.tuples(
        st.binary(min_size=32, max_size=32),
        st.sampled_from(["a", "a/b", "ab", "b"]),
        st.integers(0, 2**32 - 1),
        st.sampled_from([b"k" * 1216, b"b" + b"k" * 1215]),
    )
    one, other = data.draw(parts), data.draw(parts)
    made = [sealing.sealing_key_statement(*each) for each in (one, other)]
    assert (made[0] == made[1]) == (one == other)
    assert made[0].startswith(b"sealedger/sealing-key-statement/1\0" + one[0])
