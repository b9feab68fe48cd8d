"""Structure-aware edits of protobuf messages: any field of any part, present, absent or strange."""

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

_NUMBERS = st.sampled_from(
    (0, 1, 2, 255, 256, 2**16 - 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1)
)
_SIZES = (0, 1, 6, 16, 20, 31, 32, 33, 48, 64, 65)
_BYTES = st.sampled_from(_SIZES).flatmap(
    lambda size: st.sampled_from((b"\0", b"\1", b"\xff")).map(lambda one: one * size)
) | st.binary(max_size=40)
_TEXTS = st.sampled_from(
    ("", "Milan", "Turin", "snp/Milan", "sgx/00906ed50000/processor", "UpToDate", "NotRated")
) | st.text(max_size=12)
_BITS = {
    FieldDescriptor.TYPE_UINT32: 32,
    FieldDescriptor.TYPE_UINT64: 64,
    FieldDescriptor.TYPE_ENUM: 31,
}


@st.composite
def message_edits(draw: st.DrawFn, examples: tuple[Message, ...], at_most: int = 4) -> bytes:
    """The canonical bytes of one of the messages after up to `at_most` edits of its fields."""
    example = draw(st.sampled_from(examples))
    message = type(example)()
    message.CopyFrom(example)
    for _ in range(draw(st.integers(0, at_most))):
        every = _parts(message)
        _edit(draw, every[draw(st.integers(0, len(every) - 1))])
    return message.SerializeToString(deterministic=True)


def _parts(message: Message) -> list[Message]:
    """The message and all messages that are set inside it."""
    found = [message]
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in value if field.is_repeated else (value,):
                found += _parts(inner)
    return found


def _edit(draw: st.DrawFn, message: Message) -> None:
    field: FieldDescriptor = draw(st.sampled_from([*message.DESCRIPTOR.fields]))
    if draw(st.booleans()):
        message.ClearField(field.name)
        if draw(st.booleans()):
            return
    if not field.is_repeated:
        if field.message_type is not None:
            getattr(message, field.name).SetInParent()
        else:
            setattr(message, field.name, draw(_value(field)))
        return
    values = getattr(message, field.name)
    if field.message_type is not None:
        for _ in range(draw(st.integers(1, 3))):
            values.add()
        return
    # what belongs there most of the time, again, so that lists come close to their limits
    new = draw(st.lists(_value(field) | st.sampled_from([*values] or [None]), max_size=8))
    message.ClearField(field.name)
    values.extend(one for one in new if one is not None)
    if draw(st.booleans()):
        ordered = sorted(set(values))
        del values[:]
        values.extend(ordered)


def _value(field: FieldDescriptor) -> st.SearchStrategy[object]:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _BYTES
    if field.type == FieldDescriptor.TYPE_STRING:
        return _TEXTS.filter(_is_unicode)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return st.booleans()
    limit = 2 ** _BITS[field.type] - 1
    return (_NUMBERS | st.integers(0, limit)).map(lambda number: number & limit)


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
