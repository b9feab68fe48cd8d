"""What callers give: checked before anything is sent. Each raises InvalidRequestError."""

from enclave_client.errors import InvalidRequestError
from ledger.errors import FormatError
from ledger.format.names import MAX_NAME_BYTES, is_name, verify_name

MAX_NUMBER = 2**64 - 1  # what a version, an index or a time may be
_NAME_HINT = "1 to 200 characters of A-Z a-z 0-9 . _ / - in segments"


def verified_name(name: str) -> str:
    """A name of a collection or secret."""
    try:
        return verify_name(name)
    except (FormatError, TypeError) as error:
        raise InvalidRequestError("this is no name", _NAME_HINT) from error


def verified_prefix(prefix: str) -> str:
    """What a name could start with; empty: any name."""
    # A name ends where a segment does, so one more letter makes a name of every prefix of one.
    if prefix and not (
        len(prefix) <= MAX_NAME_BYTES and is_name(prefix[: MAX_NAME_BYTES - 1] + "a")
    ):
        raise InvalidRequestError("no name starts like this", _NAME_HINT)
    return prefix


def verified_version(version: int | None, lowest: int) -> int | None:
    """A version from `lowest` on, or None."""
    if version is not None and not lowest <= version <= MAX_NUMBER:
        raise InvalidRequestError(f"a version is a number from {lowest} on")
    return version


def verified_index(index: int) -> int:
    """Where an entry stands in the log."""
    if not 0 <= index <= MAX_NUMBER:
        raise InvalidRequestError("an entry's index is a number from 0 on")
    return index


def verified_ttl(ttl_ms: int) -> int:
    """A time to live in milliseconds; 0: none given."""
    if not 0 <= ttl_ms <= MAX_NUMBER:
        raise InvalidRequestError("a time to live is a number of milliseconds from 0 on")
    return ttl_ms


def verified_value(value: bytes | bytearray | memoryview, most: int) -> bytes:
    """A value of at most `most` bytes, copied so that nobody changes it while it waits."""
    if not isinstance(value, bytes | bytearray | memoryview):
        raise InvalidRequestError("a value is bytes", "encode text first")
    data = bytes(value)
    if len(data) > most:
        raise InvalidRequestError(f"a value of {len(data)} bytes", f"at most {most} bytes")
    return data
