"""The codecs of the key service's messages: one spelling each, bounded, one error."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms import messages
from kms.errors import KeyServiceRefusal
from kms.messages import (
    CertifyRequest,
    HelloEvidence,
    Released,
    ReleaseItem,
    ReleaseRequest,
    SealingKeyStatement,
    SessionGrant,
    StartRequest,
)
from ledger.reason import Reason
from tests.support.refused import refused


@dataclass(frozen=True)
class Codec:
    """An encoder, its decoder, the size limit, and values to try."""

    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    limit: int
    values: st.SearchStrategy[Any]


data = st.binary(max_size=80)
u64 = st.integers(0, 2**64 - 1)
hashes = st.lists(st.binary(min_size=32, max_size=32), max_size=5).map(tuple)
reasons = st.sampled_from(list(Reason))


def in_order(items: list[ReleaseItem]) -> tuple[ReleaseItem, ...]:
    """The items by position, each position once."""
    by_position = {item.position: item for item in items}
    return tuple(by_position[position] for position in sorted(by_position))


item = st.builds(ReleaseItem, st.integers(0, 2**32 - 1), data, data, data, data, data)
items = st.lists(item, min_size=1, max_size=4).map(in_order)
CODECS = {
    "CertifyRequest": Codec(
        messages.encode_certify_request,
        messages.decode_certify_request,
        messages.MAX_CERTIFY_BYTES,
        st.builds(CertifyRequest, data, hashes, data, hashes),
    ),
    "SealingKeyQuestion": Codec(
        messages.encode_sealing_key_question,
        messages.decode_sealing_key_question,
        messages.MAX_QUESTION_BYTES,
        st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}(/[A-Za-z0-9_-]{1,60})?", fullmatch=True),
    ),
    "SealingKeyStatement": Codec(
        messages.encode_sealing_key_statement,
        messages.decode_sealing_key_statement,
        messages.MAX_STATEMENT_BYTES,
        st.builds(SealingKeyStatement, data, st.integers(0, 2**32 - 1), data),
    ),
    "CertifyReply": Codec(
        messages.encode_certify_reply,
        messages.decode_certify_reply,
        messages.MAX_CERTIFY_BYTES,
        data,
    ),
    "StartRequest": Codec(
        messages.encode_start_request,
        messages.decode_start_request,
        messages.MAX_START_BYTES,
        st.builds(StartRequest, u64, data, hashes, data, data, data),
    ),
    "ReleaseRequest": Codec(
        messages.encode_release_request,
        messages.decode_release_request,
        messages.MAX_RELEASE_BYTES,
        st.builds(ReleaseRequest, u64, data, hashes, u64, data, hashes, items),
    ),
    "ReleaseReply": Codec(
        messages.encode_release_reply,
        messages.decode_release_reply,
        messages.MAX_RELEASE_BYTES,
        st.lists(st.builds(Released, reasons, data), max_size=4).map(tuple),
    ),
    "SessionGrant": Codec(
        messages.encode_session_grant,
        messages.decode_session_grant,
        messages.MAX_GRANT_BYTES,
        st.builds(SessionGrant, data, u64, data, data),
    ),
    "HelloEvidence": Codec(
        messages.encode_hello_evidence,
        messages.decode_hello_evidence,
        messages.MAX_HELLO_BYTES,
        st.builds(HelloEvidence, data, data, data),
    ),
}
each_codec = pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)


@each_codec
@given(drawn=st.data())
def test_a_message_comes_back_as_it_was(codec: Codec, drawn: st.DataObject) -> None:
    """Decoding gives the value that was encoded."""
    value = drawn.draw(codec.values)
    assert codec.decode(codec.encode(value)) == value


@each_codec
@given(drawn=st.data())
def test_changed_bytes_are_refused_or_mean_what_they_say(
    codec: Codec, drawn: st.DataObject
) -> None:
    """A mutation is refused, or is exactly the one spelling of another value."""
    encoded = bytearray(codec.encode(drawn.draw(codec.values)))
    kind = drawn.draw(st.sampled_from(["flip", "cut", "insert"]))
    at = drawn.draw(st.integers(0, max(0, len(encoded) - 1)))
    if kind == "cut":
        del encoded[at:]
    elif kind == "insert":
        encoded[at:at] = drawn.draw(st.binary(min_size=1, max_size=4))
    elif encoded:
        encoded[at] ^= drawn.draw(st.integers(1, 255))
    try:
        value = codec.decode(bytes(encoded))
    except KeyServiceRefusal as refusal:
        assert refusal.reason is Reason.MALFORMED  # noqa: PT017  (either outcome is right)
    else:
        assert codec.encode(value) == bytes(encoded)


@each_codec
@given(junk=st.binary(max_size=200))
def test_random_bytes_never_raise_anything_else(codec: Codec, junk: bytes) -> None:
    """Random bytes are refused, or are the one spelling of what they decode to."""
    try:
        value = codec.decode(junk)
    except KeyServiceRefusal:
        return
    assert codec.encode(value) == junk


@each_codec
def test_an_unknown_field_is_refused(codec: Codec) -> None:
    """A field of a later version is no part of any message."""
    with refused(Reason.MALFORMED):
        codec.decode(b"\xfa\x07\x01x")


@each_codec
def test_a_message_over_its_limit_is_refused(codec: Codec) -> None:
    """The size is judged before the message is parsed."""
    with refused(Reason.TOO_LARGE):
        codec.decode(bytes(codec.limit + 1))


@pytest.mark.parametrize("count", [0, 63])
def test_a_proof_has_up_to_63_hashes(count: int) -> None:
    """No RFC 6962 proof is longer than 63 hashes."""
    proof = (bytes(32),) * count
    request = CertifyRequest(b"note", proof, b"header", proof)
    assert messages.decode_certify_request(messages.encode_certify_request(request)) == request


@pytest.mark.parametrize("proof", [(bytes(32),) * 64, (bytes(31),), (bytes(33),)])
def test_a_proof_of_another_size_is_refused(proof: tuple[bytes, ...]) -> None:
    """64 hashes, or hashes of another size, are refused by the decoder."""
    for request in (
        CertifyRequest(b"note", proof, b"header", ()),
        CertifyRequest(b"note", (), b"header", proof),
    ):
        with refused(Reason.MALFORMED):
            messages.decode_certify_request(messages.encode_certify_request(request))


def test_a_reply_with_an_unknown_reason_is_refused() -> None:
    """A reason code that this version does not know is no answer."""
    with refused(Reason.MALFORMED):
        messages.decode_release_reply(b"\x0a\x03\x08\xe7\x07")
