"""The text of a TOML file, read within bounds of time. Pure.

Rules: bounded by its reader in bytes already. A dotted key costs the square of its parts, half a
minute for 64 KiB, so no line has more dots than any honest one; what is nested too deep or has a
number of too many digits is no TOML either. Not here: what a table means.
"""

import tomllib
from typing import Any

MAX_DOTS = 256  # of a line, in strings too


def decode_table(data: bytes) -> dict[str, Any]:
    """The table of TOML bytes; ValueError says what is wrong with them."""
    text = data.decode()
    if any(line.count(".") > MAX_DOTS for line in text.split("\n")):
        raise ValueError(f"a line with more than {MAX_DOTS} dots")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
