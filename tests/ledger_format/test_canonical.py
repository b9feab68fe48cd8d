"""One value, one spelling: every decoder refuses all other bytes, and nothing but FormatError."""

from collections.abc import Iterable
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.errors import FormatError
from ledger.format.sealed import TAG_BYTES, split_sealed
from ledger.reason import Reason
from tests.ledger_format import make_vectors as v
from tests.ledger_format.codecs import CODECS, EXAMPLE_IDS, EXAMPLES, Codec
from tests.ledger_format.wire import (
    BYTES,
    VARINT,
    Field,
    encode_varint,
    join_fields,
    moved_and_doubled,
    other_spellings,
    split_fields,
)
from tests.support.mutation import mutations

MESSAGES = [(name, data) for name, _, data in EXAMPLES if CODECS[name].message is not None]
MESSAGE_IDS = [f"{name} {at}" for at, (name, _) in enumerate(MESSAGES)]
every_codec = pytest.mark.parametrize("name", CODECS)
every_example = pytest.mark.parametrize("name, value, data", EXAMPLES, ids=EXAMPLE_IDS)
every_message = pytest.mark.parametrize("name, data", MESSAGES, ids=MESSAGE_IDS)

BIT_FLIPS = (*(1 << bit for bit in range(8)), 0xFF)
# the fields that hold messages
INNER = {
    "operation": range(1, 17),
    "release": (2, 3),
    "query": range(5, 13),
    "outcome": range(2, 11),
    "leaf": range(1, 4),
    "genesis": (7, 8),
    "trust document": (9, 11),
}


def field_numbers(data: bytes) -> set[int]:
    """The numbers of the fields that stand in a message."""
    return {field.number for field in split_fields(data)}


def refused_or_canonical(codec: Codec, data: bytes) -> bool:
    """Whether `data` is refused; bytes that decode must be the only spelling of their value."""
    try:
        value = codec.decode(data)
    except FormatError:
        return True
    assert codec.encode(value) == data
    return False


def verify_no_other_spelling(name: str, value: object, data: bytes, flips: Iterable[int]) -> None:
    """Each of these changes of each byte is refused, or says another value in its only spelling."""
    codec = CODECS[name]
    for at, flip in product(range(len(data)), flips):
        changed = data[:at] + bytes((data[at] ^ flip,)) + data[at + 1 :]
        if not refused_or_canonical(codec, changed):
            assert codec.decode(changed) != value


@every_example
def test_no_bit_of_an_example_can_change(name: str, value: object, data: bytes) -> None:
    """Each bit, and all bits of each byte at once."""
    verify_no_other_spelling(name, value, data, BIT_FLIPS)


@pytest.mark.slow
@every_example
def test_no_byte_of_an_example_can_change(name: str, value: object, data: bytes) -> None:
    """All 255 changes of each byte of each example."""
    verify_no_other_spelling(name, value, data, range(1, 256))


@every_example
def test_every_truncation_and_extension_is_refused_or_another_value(
    name: str, value: object, data: bytes
) -> None:
    """No prefix and no extension by one byte or by a copy is another spelling."""
    codec = CODECS[name]
    changes = [data[:at] for at in range(len(data))]
    changes += [data + bytes((byte,)) for byte in range(256)]
    changes += [b"\0" + data, data + data, data[1:]]
    for changed in changes:
        if not refused_or_canonical(codec, changed):
            assert codec.decode(changed) != value


@every_message
def test_other_spellings_of_a_message_are_refused(name: str, data: bytes) -> None:
    """Unknown fields, wide varints, moved and doubled fields: the parser knows, we refuse."""
    codec = CODECS[name]
    assert join_fields(split_fields(data)) == data
    spellings = other_spellings(data) | moved_and_doubled(data)
    assert len(spellings) >= 6
    for what, changed in spellings.items():
        assert codec.message is not None
        codec.message().ParseFromString(changed)  # a lenient parser takes it
        with pytest.raises(FormatError) as refused:
            codec.decode(changed)
        assert refused.value.reason is Reason.MALFORMED, what


@every_message
def test_other_spellings_inside_a_message_are_refused(name: str, data: bytes) -> None:
    """The same one level down, for the messages inside a message."""
    codec = CODECS[name]
    fields = split_fields(data)
    places = [at for at, field in enumerate(fields) if field.number in INNER.get(name, ())]
    assert places or name not in INNER or field_numbers(data) == {1}
    for at in places:
        content = fields[at].value
        if not content or fields[at].kind != BYTES:
            continue
        for changed in (other_spellings(content) | moved_and_doubled(content)).values():
            whole = [*fields[:at], Field(fields[at].number, BYTES, changed), *fields[at + 1 :]]
            with pytest.raises(FormatError):
                codec.decode(join_fields(whole))


@every_message
def test_written_defaults_are_refused(name: str, data: bytes) -> None:
    """A zero or an empty string that proto3 leaves out may not be written out."""
    codec = CODECS[name]
    assert codec.message is not None
    optional_or_message = {"operation", "leaf"}
    if name in optional_or_message:
        return
    present = field_numbers(data)
    for descriptor in codec.message.DESCRIPTOR.fields:
        if descriptor.number in present or descriptor.message_type or descriptor.is_repeated:
            continue
        is_bytes = descriptor.type in (descriptor.TYPE_BYTES, descriptor.TYPE_STRING)
        default = Field(descriptor.number, BYTES, b"") if is_bytes else None
        extra = default or Field(descriptor.number, VARINT, encode_varint(0))
        fields = sorted([*split_fields(data), extra], key=lambda field: field.number)
        with pytest.raises(FormatError):
            codec.decode(join_fields(fields))


def test_two_members_of_a_choice_are_refused() -> None:
    """An operation, an outcome or a leaf of two kinds is nothing, whichever the parser keeps."""
    for name in ("operation", "outcome", "leaf"):
        codec = CODECS[name]
        by_kind = {}
        for _, data in codec.examples:
            last = split_fields(data)[-1]
            by_kind[last.number, last.kind] = last
        kinds = [field for field in by_kind.values() if field.kind == BYTES]
        assert len(kinds) >= 3
        for first in kinds:
            for second in kinds:
                data = join_fields([first, second])
                with pytest.raises(FormatError):
                    codec.decode(b"\x08\x01" + data if name == "outcome" else data)


def test_the_parser_itself_is_lenient() -> None:
    """Without the strict rule the other spellings would pass: the rule is what refuses them."""
    codec = CODECS["body"]
    assert codec.message is not None
    _, data = codec.examples[0]
    for changed in (other_spellings(data) | moved_and_doubled(data)).values():
        message = codec.message()
        message.ParseFromString(changed)
        message.DiscardUnknownFields()
        assert message.SerializeToString(deterministic=True) == data


@every_codec
def test_too_large_is_said_before_parsing(name: str) -> None:
    """One byte over the limit is TOO_LARGE, whatever the bytes are; at the limit all is parsed."""
    codec = CODECS[name]
    data = codec.examples[0][1]
    for filler in (b"\0", b"\xff", b"A"):
        for start in (b"", data):
            with pytest.raises(FormatError) as refused:
                codec.decode(start + filler * (codec.limit + 1 - len(start)))
            assert refused.value.reason is Reason.TOO_LARGE
    with pytest.raises(FormatError) as parsed:
        codec.decode(b"\xff" * codec.limit)
    assert parsed.value.reason is Reason.MALFORMED


@every_codec
@given(data=st.binary(max_size=400))
@example(data=b"")
@example(data=b"\x0b" * 300)  # groups in groups, deeper than a parser goes
def test_random_bytes_raise_nothing_else(name: str, data: bytes) -> None:
    """Random bytes are refused with FormatError or are canonical."""
    refused_or_canonical(CODECS[name], data)


@every_codec
@given(data=st.data())
def test_mutated_bytes_raise_nothing_else(name: str, data: st.DataObject) -> None:
    """Examples after random edits are refused with FormatError or are canonical."""
    codec = CODECS[name]
    original = data.draw(st.sampled_from([one for _, one in codec.examples]))
    refused_or_canonical(codec, data.draw(mutations(original)))


@every_codec
@given(data=st.data())
def test_crossed_bytes_raise_nothing_else(name: str, data: st.DataObject) -> None:
    """The bytes of one format given to the decoder of another raise nothing else."""
    refused_or_canonical(CODECS[name], data.draw(st.sampled_from([one for _, _, one in EXAMPLES])))


@given(data=st.data())
def test_mutated_sealed_secrets_raise_nothing_else(data: st.DataObject) -> None:
    """A changed sealed secret is refused with FormatError or splits without loss."""
    changed = data.draw(mutations(v.SEALED))
    try:
        header, ciphertext = split_sealed(changed)
    except FormatError:
        return
    assert header + ciphertext == changed
    assert len(ciphertext) >= TAG_BYTES
