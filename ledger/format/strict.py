"""Strict protobuf decoding: only the canonical encoding of known fields is accepted.

Protobuf itself accepts unknown fields, repeated scalars, any field order and non-minimal varints,
so two byte strings could mean one thing. Every message that is signed, hashed or kept goes through
`decode_strict`: parse, drop unknown fields, encode again, compare (design section 4). Without the
drop, unknown fields would survive the round trip and pass.
"""

from typing import TypeVar

from google.protobuf.message import DecodeError, EncodeError, Message

from ledger.errors import FormatError
from ledger.reason import Reason

M = TypeVar("M", bound=Message)


def decode_strict(kind: type[M], data: bytes, limit: int) -> M:
    """Parse `data` (at most `limit` bytes) as `kind`.

    Raises FormatError: MALFORMED for anything but the canonical encoding, TOO_LARGE over the limit.
    """
    if len(data) > limit:
        raise FormatError(
            f"{kind.DESCRIPTOR.name}: {len(data)} bytes, at most {limit}", Reason.TOO_LARGE
        )
    message = kind()
    try:
        message.ParseFromString(data)
        message.DiscardUnknownFields()
        again = message.SerializeToString(deterministic=True)
    except (DecodeError, EncodeError, RecursionError, ValueError) as error:
        raise FormatError(f"{kind.DESCRIPTOR.name}: not a valid message") from error
    if again != data:
        raise FormatError(f"{kind.DESCRIPTOR.name}: not in canonical form")
    return message


def encode(message: Message) -> bytes:
    """The canonical bytes of a message: fields in number order, no unknown fields."""
    return message.SerializeToString(deterministic=True)


def verify_length(field: str, value: bytes, length: int) -> bytes:
    """Return `value` if it has exactly `length` bytes, else raise FormatError."""
    if len(value) != length:
        raise FormatError(f"{field}: {len(value)} bytes, expected {length}")
    return value
