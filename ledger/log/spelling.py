"""The two small spellings inside the log's text forms: decimal numbers and base64.

Rules: one spelling per value. Decimals have no sign and no leading zero; base64 is the standard
alphabet with padding, and re-encoding gives the same characters. The caller says which error to
raise, so that a bad number in a checkpoint is a CheckpointError.

Not here: which lines a form has.
"""

from base64 import b64decode, b64encode

from ledger.log.errors import RefusedError

_MAX_DIGITS = 20


def encode_base64(data: bytes) -> bytes:
    """Return standard base64 with padding, without line breaks (RFC 4648 section 4)."""
    return b64encode(data)


def decode_base64(text: bytes, what: str, error: type[RefusedError]) -> bytes:
    """Return the bytes of canonical base64, or raise `error` naming `what`."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        raise error(f"{what} is not base64") from None
    if b64encode(data) != text:
        raise error(f"{what} is not canonical base64")
    return data


def decode_decimal(text: bytes, maximum: int, what: str, error: type[RefusedError]) -> int:
    """Return the number 0..maximum spelled without leading zeros, or raise `error`."""
    if not text.isdigit() or len(text) > _MAX_DIGITS or (text[0] == 0x30 and len(text) > 1):
        raise error(f"{what} is not a decimal number in its shortest form")
    number = int(text)
    if number > maximum:
        raise error(f"{what} is larger than {maximum}")
    return number
