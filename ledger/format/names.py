"""Names of collections and secrets: ASCII, bounded, path-like.

1 to 200 bytes of ``[A-Za-z0-9._/-]`` in segments separated by ``/``; no segment is empty, ``.`` or
``..`` (design section 4). No Unicode tables, no locale, no case folding: a name is its bytes.
"""

import re

from ledger.errors import FormatError

MAX_NAME_BYTES = 200

_SEGMENT = r"(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._-]+"
_NAME = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")


def is_name(text: str) -> bool:
    """Whether `text` is a valid name."""
    return len(text) <= MAX_NAME_BYTES and _NAME.fullmatch(text) is not None


def verify_name(text: str) -> str:
    """Return `text` if it is a valid name, else raise FormatError."""
    if not is_name(text):
        raise FormatError(
            "a name is 1 to 200 characters of A-Z a-z 0-9 . _ / - without empty, . or .. segments"
        )
    return text
