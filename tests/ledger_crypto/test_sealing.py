"""Sealing and opening a value: bound to its place, its writer and its bytes."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import sealing
from ledger.crypto import aead, derive
from ledger.crypto.secret import Secret
from ledger.errors import FormatError
from ledger.format import sealed as sl
from ledger.format.outcome import Coordinates
from ledger.reason import Reason
from tests.ledger_format import make_vectors as v
from tests.ledger_format.strategies import b32, coordinates

# what a transplanted header would have to be taken for
ELSEWHERE = {
    "another name": {"name": "db/other"},
    "another collection": {"collection": "app/other"},
    "another mode": {"mode": 2},
    "another epoch": {"epoch": 2},
    "another writer": {"writer_session": v.fixed("another writer")},
    "another record id": {"record_id": v.fixed("another record", 16)},
}
elsewhere = pytest.mark.parametrize("change", ELSEWHERE.values(), ids=list(ELSEWHERE))


def unsealed(
    whole: bytes,
    *,
    kek: Secret = v.WRITER_KEK,
    network: bytes = v.NETWORK_ID,
    at: Coordinates = v.AT,
) -> bytes:
    """The whole way from a sealed secret to its value, against what the ledger recorded."""
    header, ciphertext = sl.split_sealed(whole)
    digest = sha256(ciphertext).digest()
    verified = sealing.verify_header(header, network, at, v.SEALED_DIGEST, digest)
    return sealing.open_value(sealing.unwrap_data_key(kek, verified), whole, network, at)


def unsealed_as_claimed(whole: bytes) -> bytes:
    """The value, where the ledger recorded just these bytes for the place that they claim."""
    header, ciphertext = sl.split_sealed(whole)
    decoded = sl.decode_header(header)
    place, network, digest = decoded.coordinates, decoded.network_id, sha256(ciphertext).digest()
    verified = sealing.verify_header(header, network, place, sl.digest_of(whole), digest)
    return sealing.open_value(
        sealing.unwrap_data_key(v.WRITER_KEK, verified), whole, network, place
    )


def forged(whole: bytes, at: Coordinates, network: bytes = v.NETWORK_ID) -> sl.SealedHeader:
    """The header as it would be if the ledger had recorded it for another place."""
    header, ciphertext = sl.split_sealed(whole)
    old = sl.encode_coordinates(v.NETWORK_ID, v.AT)
    moved = sl.encode_coordinates(network, at) + header[len(old) :]
    digest = sha256(ciphertext).digest()
    recorded = sl.sealed_digest(moved, digest)
    return sealing.verify_header(moved, network, at, recorded, digest)


@given(b32, coordinates, b32, b32, st.binary(max_size=2000))
def test_round_trip(
    network: bytes, at: Coordinates, kek: bytes, data_key: bytes, value: bytes
) -> None:
    """Any value sealed at any place opens there again, and the digest is the recorded one."""
    whole, digest = sealing.seal_value(network, at, Secret(kek), Secret(data_key), value)
    assert digest == sl.digest_of(whole)
    header, ciphertext = sl.split_sealed(whole)
    assert len(ciphertext) == len(value) + sl.TAG_BYTES
    verified = sealing.verify_header(header, network, at, digest, sha256(ciphertext).digest())
    opened_key = sealing.unwrap_data_key(Secret(kek), verified)
    assert opened_key == Secret(data_key)
    assert sealing.open_value(opened_key, whole, network, at) == value


def test_sealing_is_a_function() -> None:
    """The same arguments give the same bytes: nothing is drawn inside."""
    again = sealing.seal_value(v.NETWORK_ID, v.AT, v.WRITER_KEK, v.DATA_KEY, v.VALUE)
    assert again == (v.SEALED, v.SEALED_DIGEST)


def test_every_changed_byte_is_refused() -> None:
    """No bit of a sealed secret can change: neither what is recorded nor what opens."""
    assert unsealed(v.SEALED) == v.VALUE
    for bit in range(8 * len(v.SEALED)):
        changed = bytearray(v.SEALED)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FormatError):
            unsealed(bytes(changed))
    for size in range(len(v.SEALED)):
        with pytest.raises(FormatError):
            unsealed(v.SEALED[:size])
    with pytest.raises(FormatError):
        unsealed(v.SEALED + b"\0")


def test_every_changed_byte_does_not_open_even_if_it_were_recorded() -> None:
    """Encryption alone refuses each change too: the digest is the second line, not the only one."""
    assert unsealed_as_claimed(v.SEALED) == v.VALUE
    for at in range(len(v.SEALED)):
        changed = v.SEALED[:at] + bytes((v.SEALED[at] ^ 1,)) + v.SEALED[at + 1 :]
        with pytest.raises((FormatError, aead.OpenError)):
            unsealed_as_claimed(changed)


@elsewhere
def test_a_header_of_another_place_is_a_mismatch(change: dict[str, object]) -> None:
    """The recorded header does not pass for other coordinates than the ledger's."""
    at = replace(v.AT, **change)  # type: ignore[arg-type]  # one field each
    header, ciphertext = sl.split_sealed(v.SEALED)
    digest = sha256(ciphertext).digest()
    with pytest.raises(FormatError) as refused:
        sealing.verify_header(header, v.NETWORK_ID, at, v.SEALED_DIGEST, digest)
    assert refused.value.reason is Reason.HEADER_MISMATCH


@elsewhere
def test_header_transplanted(change: dict[str, object]) -> None:
    """A header moved to another place, and recorded there, opens neither its key nor its value."""
    at = replace(v.AT, **change)  # type: ignore[arg-type]  # one field each
    header = forged(v.SEALED, at)
    with pytest.raises(FormatError) as refused:
        sealing.unwrap_data_key(v.WRITER_KEK, header)
    assert refused.value.reason is Reason.HEADER_MISMATCH
    with pytest.raises(aead.OpenError):
        sealing.open_value(v.DATA_KEY, v.SEALED, v.NETWORK_ID, at)


def test_header_transplanted_to_another_network() -> None:
    """The network id is one of the coordinates."""
    other = v.fixed("another network")
    header, ciphertext = sl.split_sealed(v.SEALED)
    with pytest.raises(FormatError) as refused:
        sealing.verify_header(header, other, v.AT, v.SEALED_DIGEST, sha256(ciphertext).digest())
    assert refused.value.reason is Reason.HEADER_MISMATCH
    with pytest.raises(FormatError):
        sealing.unwrap_data_key(v.WRITER_KEK, forged(v.SEALED, v.AT, other))
    with pytest.raises(aead.OpenError):
        sealing.open_value(v.DATA_KEY, v.SEALED, other, v.AT)


def test_the_border_of_header_and_digest_cannot_move() -> None:
    """Bytes moved from the ciphertext's digest into the header hash alike, and are refused."""
    header, ciphertext = sl.split_sealed(v.SEALED)
    digest = sha256(ciphertext).digest()
    for moved, rest in ((header + digest[:1], digest[1:]), (header[:-1], header[-1:] + digest)):
        assert sl.sealed_digest(moved, rest) == v.SEALED_DIGEST
        with pytest.raises(FormatError, match="ciphertext_digest"):
            sealing.verify_header(moved, v.NETWORK_ID, v.AT, v.SEALED_DIGEST, rest)


def test_another_session_does_not_unwrap() -> None:
    """The key of another writer, collection or epoch opens no data key."""
    header = sl.decode_header(v.HEADER)
    other_epoch = sealing.collection_secret(Secret(bytes(32)), v.AT.collection)
    for kek in (
        sealing.session_kek(v.COLLECTION_SECRET, v.READER),
        sealing.session_kek(sealing.collection_secret(v.EPOCH_SECRET, "app"), v.WRITER),
        sealing.session_kek(other_epoch, v.WRITER),
        sealing.session_secret(v.EPOCH_SECRET, v.WRITER),
        Secret(bytes(32)),
    ):
        with pytest.raises(FormatError) as refused:
            sealing.unwrap_data_key(kek, header)
        assert refused.value.reason is Reason.HEADER_MISMATCH
        assert "secret" not in str(refused.value)


@pytest.mark.parametrize("width", [0, 16, 24, 31, 33, 64])
def test_a_wrapped_key_has_32_bytes(width: int) -> None:
    """A writer who wraps a key of another width gives no key to anybody."""
    place = sl.encode_coordinates(v.NETWORK_ID, v.AT)
    record_key = derive.derive(v.WRITER_KEK, derive.RECORD, v.AT.record_id)
    wrapped = aead.seal_once(record_key, bytes(width), b"sealedger/wrap/1\0" + place)
    header = sl.decode_header(sl.encode_header(place, (sl.Wrap(sl.WRAP_SESSION, wrapped),)))
    with pytest.raises(FormatError) as refused:
        sealing.unwrap_data_key(v.WRITER_KEK, header)
    assert refused.value.reason is Reason.HEADER_MISMATCH
    with pytest.raises(aead.OpenError):
        sealing.open_released(
            v.RELEASE_KEY, sealing.seal_released(v.RELEASE_KEY, Secret(bytes(width)))
        )


def test_wraps_of_other_kinds_are_passed_over() -> None:
    """The session's wrap is found among others; without it there is no key."""
    decoded = sl.decode_header(v.HEADER)
    stranger = sl.Wrap(9, bytes(48))
    assert (
        sealing.unwrap_data_key(v.WRITER_KEK, replace(decoded, wraps=(stranger, *decoded.wraps)))
        == v.DATA_KEY
    )
    with pytest.raises(FormatError, match="no wrap") as refused:
        sealing.unwrap_data_key(v.WRITER_KEK, replace(decoded, wraps=(stranger,)))
    assert refused.value.reason is Reason.HEADER_MISMATCH


def test_malformed_wraps_behind_the_right_place_are_the_writers_fault() -> None:
    """Bytes that a writer had recorded as a header, and are none, are MALFORMED."""
    header = sl.encode_coordinates(v.NETWORK_ID, v.AT) + b"\x09"
    digest = bytes(32)
    with pytest.raises(FormatError) as refused:
        sealing.verify_header(header, v.NETWORK_ID, v.AT, sl.sealed_digest(header, digest), digest)
    assert refused.value.reason is Reason.MALFORMED


def test_a_released_key_is_for_one_ticket() -> None:
    """The same ticket gives the same bytes; another leaf, position or session opens nothing."""
    session = sealing.session_secret(v.EPOCH_SECRET, v.READER)
    leaf = v.fixed("leaf")
    one_time = sealing.release_key(session, leaf, 7)
    released = sealing.seal_released(one_time, v.DATA_KEY)
    assert sealing.seal_released(sealing.release_key(session, leaf, 7), v.DATA_KEY) == released
    assert sealing.open_released(one_time, released) == v.DATA_KEY
    others = [sealing.release_key(session, leaf, position) for position in (0, 6, 8, 255, 1792)]
    others.append(sealing.release_key(session, v.fixed("another leaf"), 7))
    others.append(sealing.release_key(sealing.session_secret(v.EPOCH_SECRET, v.WRITER), leaf, 7))
    others.append(sealing.session_kek(session, leaf))
    for other in others:
        with pytest.raises(aead.OpenError):
            sealing.open_released(other, released)
    for bit in range(8 * len(released)):
        changed = bytearray(released)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(aead.OpenError):
            sealing.open_released(one_time, bytes(changed))


def test_no_two_keys_of_the_tree_are_equal() -> None:
    """Every key derived from one epoch secret, for the same ids, is another one."""
    epoch, session = v.EPOCH_SECRET, v.READER
    collection = sealing.collection_secret(epoch, "app")
    kek = sealing.session_kek(collection, session)
    secret = sealing.session_secret(epoch, session)
    keys = [
        epoch,
        collection,
        kek,
        secret,
        derive.derive(kek, derive.RECORD, session[:16]),
        sealing.release_key(secret, session, 0),
        sealing.collection_secret(epoch, "app/b"),
        sealing.session_kek(collection, v.WRITER),
    ]
    assert len({key.reveal() for key in keys}) == len(keys)
    assert {len(key) for key in keys} == {32}


def test_the_sealed_bytes_hold_no_value() -> None:
    """Neither the value nor a key stands in what is stored."""
    for hidden in (v.VALUE, v.DATA_KEY.reveal(), v.WRITER_KEK.reveal(), v.EPOCH_SECRET.reveal()):
        assert hidden not in v.SEALED
