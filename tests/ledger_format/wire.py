"""The protobuf wire format by hand, to spell one message in ways that no encoder of ours would.

Written from the public description of the encoding; shares nothing with the code under test.
"""

from dataclasses import dataclass

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class Field:
    """One field as it stands: its number, its wire type, and its value's bytes as they came."""

    number: int
    kind: int
    value: bytes  # a varint as it stands, or the content of a length-delimited field


def encode_varint(number: int, padding: int = 0) -> bytes:
    """A base-128 number, with `padding` bytes more than it needs."""
    groups = []
    while True:
        groups.append(number & 0x7F)
        number >>= 7
        if not number:
            break
    groups += [0] * padding
    return bytes(group | 0x80 for group in groups[:-1]) + bytes(groups[-1:])


def split_fields(data: bytes) -> list[Field]:
    """The fields of a message made of varints and length-delimited fields."""
    fields, at = [], 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        start = at
        value, at = _varint(data, at)
        if kind == VARINT:
            fields.append(Field(number, kind, data[start:at]))
        elif kind == BYTES:
            fields.append(Field(number, kind, data[at : at + value]))
            at += value
        else:
            raise AssertionError(f"no message of ours has wire type {kind}")
    return fields


def join_fields(fields: list[Field], *, tag_padding: int = 0, length_padding: int = 0) -> bytes:
    """A message of these fields, in this order; tags and lengths as wide as asked."""
    parts = []
    for field in fields:
        parts.append(encode_varint(field.number << 3 | field.kind, tag_padding))
        if field.kind == BYTES:
            parts.append(encode_varint(len(field.value), length_padding))
        parts.append(field.value)
    return b"".join(parts)


def other_spellings(data: bytes) -> dict[str, bytes]:
    """Ways to write a message that mean the same to a lenient parser, by what is done."""
    fields = split_fields(data)
    last = max(field.number for field in fields)
    found = {
        "a tag wider than needed": join_fields(fields, tag_padding=1),
        "an unknown field": data + join_fields([Field(last + 100, VARINT, b"\x01")]),
        "an unknown field of bytes": data + join_fields([Field(last + 100, BYTES, b"hidden")]),
        "an unknown field first": join_fields([Field(last + 100, BYTES, b"")]) + data,
        "an unknown fixed field": data + encode_varint((last + 100) << 3 | FIXED64) + bytes(8),
        "an unknown group": data
        + encode_varint((last + 100) << 3 | 3)
        + encode_varint((last + 100) << 3 | 4),
    }
    if any(field.kind == BYTES for field in fields):
        found["a length wider than needed"] = join_fields(fields, length_padding=1)
    for at, field in enumerate(fields):
        if field.kind == VARINT:
            wide = Field(field.number, VARINT, _widened(field.value))
            found[f"field {field.number} wider than needed"] = join_fields(
                [*fields[:at], wide, *fields[at + 1 :]]
            )
    return found


def moved_and_doubled(data: bytes) -> dict[str, bytes]:
    """Fields of different numbers in another order, and each single field written twice."""
    fields = split_fields(data)
    found = {}
    numbers = [field.number for field in fields]
    if len(set(numbers)) > 1:
        found["the fields backwards"] = join_fields(fields[::-1])
        found["the first field last"] = join_fields([*fields[1:], fields[0]])
    for field in fields:
        if numbers.count(field.number) == 1:
            found[f"field {field.number} twice"] = data + join_fields([field])
    return found


def _widened(varint: bytes) -> bytes:
    number, _ = _varint(varint, 0)
    return encode_varint(number, padding=1)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        shift += 7
        at += 1
        if byte < 0x80:
            return number, at
