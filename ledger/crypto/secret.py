"""A holder for secret bytes that never shows them.

Every key that could open something travels as a `Secret`: its repr and str are ``<secret>``, it
does not pickle, and comparing two is constant-time. `reveal` is the one way out; grep for it to see
who looks.
"""

import hmac
from typing import Never


class Secret:
    """Secret bytes of any length; immutable by convention, hidden from repr, str and pickle."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        """Hold `value`; the caller should drop its own reference."""
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """The bytes themselves, for handing to a cryptographic primitive."""
        return self._value

    def __len__(self) -> int:
        """Length in bytes."""
        return len(self._value)

    def __repr__(self) -> str:
        """Always the same text, whatever is inside."""
        return "<secret>"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        """Hide in f-strings too."""
        return "<secret>"

    def __eq__(self, other: object) -> bool:
        """Constant-time comparison with another Secret; a plain value is never equal."""
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    # Hashing would leak equality through timing and keep secrets alive as keys.
    __hash__ = None  # type: ignore[assignment]  # the standard way to make a class unhashable

    def __reduce__(self) -> Never:
        """Refuse to be serialised by accident."""
        raise TypeError("a Secret is not serialised; reveal() it on purpose")
