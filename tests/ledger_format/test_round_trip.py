"""Whatever the encoders make of a valid value decodes to the same value, in every format."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.format.names import verify_name
from ledger.format.sealed import MAX_HEADER_BYTES, split_sealed
from ledger.format.stored import Stored, decode_stored, encode_stored
from tests.ledger_format import strategies as values
from tests.ledger_format.codecs import CODECS

STRATEGIES: dict[str, st.SearchStrategy[Any]] = {
    "genesis": values.genesis,
    "trust document": values.trust_documents(),
    "body": values.bodies,
    "envelope": values.envelopes(),
    "operation": values.operations,
    "release": values.releases,
    "query": values.queries,
    "outcome": values.outcomes,
    "leaf": values.leaves,
    "sealed header": values.headers,
    "receipt": values.receipts,
}


def test_every_format_has_values() -> None:
    """No codec is left out of the round trips."""
    assert STRATEGIES.keys() == CODECS.keys()


@pytest.mark.parametrize("name", STRATEGIES)
@given(data=st.data())
def test_round_trip(name: str, data: st.DataObject) -> None:
    """decode(encode(value)) is the value, and the bytes are within the limit."""
    codec = CODECS[name]
    value = data.draw(STRATEGIES[name])
    encoded = codec.encode(value)
    assert len(encoded) <= codec.limit
    assert codec.decode(encoded) == value


@given(values.headers, st.binary(min_size=16, max_size=100))
def test_a_sealed_secret_splits_where_it_was_joined(header: Any, ciphertext: bytes) -> None:
    """The border between header and ciphertext is found from the header alone."""
    encoded = CODECS["sealed header"].encode(header)
    assert len(encoded) <= MAX_HEADER_BYTES
    assert split_sealed(encoded + ciphertext) == (encoded, ciphertext)


@given(st.lists(st.tuples(st.binary(max_size=50), values.b16, st.binary(max_size=50)), max_size=5))
def test_stored_operations_round_trip(parts: list[tuple[bytes, bytes, bytes]]) -> None:
    """What stands beside a leaf comes back as it was."""
    stored = Stored(*(tuple(one[at] for one in parts) for at in range(3)))
    assert decode_stored(encode_stored(stored)) == stored


@given(values.names)
def test_a_valid_name_is_its_ascii_bytes(name: str) -> None:
    """Names have one byte per character and pass the check unchanged."""
    assert verify_name(name) == name
    assert 1 <= len(name.encode("ascii")) <= 200
