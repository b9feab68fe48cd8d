"""Which line of a TOML text a key stands in: the parser of the standard library does not say.

The parser itself is asked: the key appears in the first beginning of the text, cut at a line's end,
that parses and holds it. Only done for what is wrong already.
"""

import tomllib
from collections.abc import Sequence


def line_of(text: str, keys: Sequence[str]) -> int | None:
    """The line, from 1, in which a key (its tables first) is written; None if it is not."""
    lines = [line + "\n" for line in text.split("\n")]
    begin = 0
    for end in range(1, len(lines) + 1):
        if not lines[end - 1].strip():
            continue
        try:
            table = tomllib.loads("".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a value
        if _holds(table, keys):
            return _first_written(lines, begin)
        begin = end
    return None


def _first_written(lines: Sequence[str], begin: int) -> int:
    """The first line from `begin` on that is neither blank nor a comment."""
    for at in range(begin, len(lines)):
        if lines[at].strip() and not lines[at].lstrip().startswith("#"):
            return at + 1
    return begin + 1


def _holds(table: object, keys: Sequence[str]) -> bool:
    for key in keys:
        if not isinstance(table, dict) or key not in table:
            return False
        table = table[key]
    return True
