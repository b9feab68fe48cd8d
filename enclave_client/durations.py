"""Lengths of time as people write them: a whole number and a unit, such as ``90d`` or ``12h``."""

import re

from enclave_client.errors import InvalidRequestError

MAX_MS = 2**63 - 1
_UNITS_MS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_FORM = re.compile(r"([0-9]{1,19})(w|d|h|m|s|ms)", re.ASCII)


def decode_duration(text: str) -> int:
    """The milliseconds, from 1 on, of ``<number><w|d|h|m|s|ms>``; else InvalidRequestError."""
    found = _FORM.fullmatch(text)
    length_ms = int(found[1]) * _UNITS_MS[found[2]] if found else 0
    if not 0 < length_ms <= MAX_MS:
        raise InvalidRequestError(
            "this is no length of time", "a number and one of w d h m s ms, such as 90d"
        )
    return length_ms


def encode_duration(length_ms: int) -> str:
    """The same in the largest unit that divides it."""
    unit = next(unit for unit, size_ms in _UNITS_MS.items() if length_ms % size_ms == 0)
    return f"{length_ms // _UNITS_MS[unit]}{unit}"
