"""Strict decoding with this package's own error.

The canonical-form rule itself is the ledger's (`ledger.format.strict`); here its error becomes
`DecodeError`, so that a caller of attestation meets one family only.
"""

from typing import TypeVar

from google.protobuf.message import Message

from attestation.errors import DecodeError
from ledger.errors import FormatError
from ledger.format.strict import decode_strict, encode

M = TypeVar("M", bound=Message)


def decode_message(kind: type[M], data: bytes, limit: int) -> M:
    """Parse at most `limit` canonical bytes as `kind`; raises DecodeError."""
    try:
        return decode_strict(kind, data, limit)
    except FormatError as error:
        raise DecodeError(str(error)) from error


def encode_message(message: Message, limit: int) -> bytes:
    """The canonical bytes of `message`; raises DecodeError when they exceed `limit`."""
    data = encode(message)
    if len(data) > limit:
        raise DecodeError(f"{message.DESCRIPTOR.name}: {len(data)} bytes, at most {limit}")
    return data
