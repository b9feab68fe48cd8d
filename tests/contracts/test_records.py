"""State records: what is written is read back, and what the rules never wrote is a StateError."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import StateError
from contracts.holdings import (
    CollectionRecord,
    OwnerRecord,
    decode_collection,
    decode_list,
    decode_owner,
    encode_collection,
    encode_list,
    encode_owner,
)
from contracts.records import (
    Parameters,
    SequenceRecord,
    SessionRecord,
    SignerRecord,
    decode_parameters,
    decode_sequence,
    decode_session,
    decode_signer,
    encode_parameters,
    encode_sequence,
    encode_session,
    encode_signer,
)
from contracts.versions import (
    HeadRecord,
    Version,
    decode_head,
    decode_standing,
    decode_version,
    encode_head,
    encode_version,
    version_of_head,
)
from ledger.format.outcome import Coordinates
from ledger.format.terms import CollectionTerms
from tests.support.mutation import mutations

U64 = st.integers(0, 2**64 - 1)
U32 = st.integers(0, 2**32 - 1)
DIGEST = st.binary(min_size=32, max_size=32)
NAME = st.from_regex(r"[A-Za-z0-9._/-]{1,200}", fullmatch=True)
COORDINATES = st.builds(
    Coordinates,
    NAME,
    NAME,
    st.binary(min_size=16, max_size=16),
    U32,
    st.integers(0, 255),
    DIGEST,
)
VERSIONS = st.builds(
    Version,
    *(U64, DIGEST, U32, COORDINATES, U64, st.integers(0, 2**16 - 1), U64, U64, st.booleans()),
)
HEADS = st.builds(HeadRecord, VERSIONS, U64, U64)
SESSIONS = st.builds(
    SessionRecord,
    st.binary(min_size=33, max_size=33),
    DIGEST,
    U64,
    U32,
    U64,
    DIGEST,
    U64,
    st.from_regex(r"[a-zA-Z0-9/]{0,255}", fullmatch=True),
    st.binary(min_size=1, max_size=300),
)
SIGNERS = st.builds(SignerRecord, U64, U32, st.booleans(), st.booleans())
SEQUENCES = st.builds(SequenceRecord, DIGEST, U64)
ADDRESS = st.binary(min_size=20, max_size=20)
TERMS = st.builds(
    CollectionTerms,
    *(
        st.binary(max_size=99),
        st.binary(max_size=99),
        st.lists(ADDRESS, max_size=4).map(tuple),
        U64,
    ),
)
COLLECTIONS = st.builds(CollectionRecord, TERMS, st.just(b"") | ADDRESS, st.booleans())
OWNERS = st.builds(OwnerRecord, U32, U64, U32)
PARAMETERS = st.builds(
    Parameters,
    *(U64, U32, U32, U64, U64, U64, U64, U64, U64, U32, U32, U32, U64),
    *(U32, U32, U32, U32, U32, U32, DIGEST, DIGEST),
    st.booleans(),
    st.lists(DIGEST, max_size=5).map(tuple),
    st.lists(ADDRESS, max_size=5).map(tuple),
    st.lists(ADDRESS, max_size=5).map(tuple),
)
LISTS = st.lists(st.binary(max_size=40), max_size=5).map(tuple)

CODECS: dict[str, tuple[st.SearchStrategy[object], Callable[..., bytes], Callable[..., object]]] = {
    "version": (VERSIONS, encode_version, decode_version),
    "head": (HEADS, encode_head, decode_head),
    "session": (SESSIONS, encode_session, decode_session),
    "signer": (SIGNERS, encode_signer, decode_signer),
    "sequence": (SEQUENCES, encode_sequence, decode_sequence),
    "collection": (COLLECTIONS, encode_collection, decode_collection),
    "parameters": (PARAMETERS, encode_parameters, decode_parameters),
    "owner": (OWNERS, encode_owner, decode_owner),
    "list": (LISTS, encode_list, decode_list),
}
every_record = pytest.mark.parametrize("kind", CODECS)


@every_record
@given(data=st.data())
def test_round_trip(kind: str, data: st.DataObject) -> None:
    """Every record decodes to what was encoded."""
    values, encode, decode = CODECS[kind]
    value = data.draw(values)
    assert decode(encode(value)) == value


@every_record
@given(data=st.data())
def test_damaged(kind: str, data: st.DataObject) -> None:
    """Damaged bytes are a StateError, or spell another record in its one encoding."""
    values, encode, decode = CODECS[kind]
    damaged = data.draw(mutations(encode(data.draw(values))) | st.binary(max_size=300))
    try:
        value = decode(damaged)
    except StateError:
        return
    assert encode(value) == damaged


@pytest.mark.parametrize("kind", [kind for kind in CODECS if kind != "list"])
@given(data=st.data())
def test_cut(kind: str, data: st.DataObject) -> None:
    """A record that ends in its fixed part (or anywhere, if it knows its width) is a StateError."""
    values, encode, decode = CODECS[kind]
    encoded = encode(data.draw(values))
    fixed = {"collection": 22, "parameters": 150, "session": 118}
    shortest = fixed.get(kind, len(encoded))
    with pytest.raises(StateError):
        decode(encoded[: data.draw(st.integers(0, shortest - 1))])


@given(LISTS, st.integers(1, 7))
def test_cut_list(items: tuple[bytes, ...], lost: int) -> None:
    """A list that lost a part of its last item is a StateError."""
    with pytest.raises(StateError):
        decode_list(encode_list((*items, b"last"))[:-lost])


@given(HEADS)
def test_standing(head: HeadRecord) -> None:
    """What a put reads of a head without decoding it is what the whole record says."""
    data = encode_head(head)
    assert decode_standing(data) == (
        head.version.number,
        head.deleted_through,
        head.destroyed_through,
    )
    assert version_of_head(data) == encode_version(head.version)
    is_gone = head.version.number <= head.deleted_through
    assert head.current == (0 if is_gone else head.version.number)


@given(HEADS, st.integers(0, 141))
def test_standing_damaged(head: HeadRecord, size: int) -> None:
    """A head that is cut, or of another format, is not taken for one by a put either."""
    data = encode_head(head)
    for damaged in (data[:size], b"\2" + data[1:]):
        with pytest.raises(StateError):
            decode_standing(damaged)


@given(VERSIONS)
def test_width_of_version(version: Version) -> None:
    """A version has 124 bytes and its origin's two names, each with a length byte."""
    names = len(version.origin.collection) + len(version.origin.name)
    assert len(encode_version(version)) == 124 + 2 + names


def test_fresh_owner() -> None:
    """An account that was never seen holds nothing; the record has 24 bytes."""
    assert decode_owner(None) == OwnerRecord(0, 0, 0, 0, 0)
    assert len(encode_owner(OwnerRecord())) == 24


def test_fresh_signer() -> None:
    """A signer that was never seen has a fresh record of 13 bytes."""
    assert decode_signer(None) == SignerRecord(0, 0, is_closed=False, is_revoked=False)
    assert len(encode_signer(SignerRecord())) == 14


def test_flags_are_strict() -> None:
    """A flag of a record is 0 or 1, nothing else."""
    signer = encode_signer(SignerRecord(1, 2, is_closed=True))
    with pytest.raises(StateError):
        decode_signer(signer[:-1] + b"\2")
    with pytest.raises(StateError):
        decode_signer(signer[:-2] + b"\2\0")
    usual = decode_parameters(bytes(172) + b"\1\0\0")
    with pytest.raises(StateError):
        decode_parameters(encode_parameters(usual)[:-3] + b"\2\0\0")
    collection = encode_collection(CollectionRecord(CollectionTerms(b"r", b"w"), is_frozen=True))
    with pytest.raises(StateError):
        decode_collection(b"\2" + collection[1:])
    origin = Coordinates("app", "x", bytes(16), 1, 1, bytes(32))
    version = encode_version(Version(1, bytes(32), 16, origin, 1, 0, 1, is_destroyed=True))
    with pytest.raises(StateError):
        decode_version(version[:123] + b"\2" + version[124:])
