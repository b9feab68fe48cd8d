"""Rows of a store as streams: read in order without gaps, and compared with rows that were rebuilt.

Memory stays flat whatever the ledger's size. Rows of state carry names of secrets, so what is said
about one is its kind and the start of its key's SHA-256, never the key.
"""

import hashlib
from collections.abc import Iterator

from ledger import keys
from ledger.store import Store

Row = tuple[bytes, bytes]

# Everything that a ledger's database may hold, by first byte of the key; see ledger.keys.
_ENDLESS = frozenset({b"e", b"o", b"p", b"s", b"t"})
_SINGLE = frozenset({keys.HEAD, keys.GENESIS})
_KINDS = {
    b"sP": "the parameters",
    b"sA": "the policies that name an enclave",
    b"sB": "a policy",
    b"sD": "a policy's place",
    b"sF": "a policy's place",
    b"sU": "an owner",
    b"sC": "a collection",
    b"sS": "a session",
    b"sQ": "a quote",
    b"sN": "a signer",
    b"sW": "a sequence number",
    b"sH": "the head of a secret",
    b"sV": "a superseded version",
    b"sT": "a touch",
    b"sK": "a record of collateral",
    b"sR": "a release",
    b"sO": "the publisher of a release's name",
    b"sM": "the endorsed releases of an enclave",
    b"sX": "a session revoked for a collection",
    b"sY": "votes on a session",
    b"sI": "an open session of an identity",
    b"sE": "a platform that is enrolled or voted on",
    b"sL": "where an identity looks for a place for its next session",
}


class RowStream:
    """The rows of one range, taken piece by piece."""

    def __init__(self, rows: Iterator[Row]) -> None:
        """Start before the first row."""
        self._rows = rows
        self._ahead = next(rows, None)

    def until(self, stop: bytes) -> Iterator[Row]:
        """Yield and consume the rows with key < stop."""
        while self._ahead is not None and self._ahead[0] < stop:
            row = self._ahead
            self._ahead = next(self._rows, None)
            yield row


def compare_rows(found: Iterator[Row], rebuilt: Iterator[Row]) -> Iterator[str]:
    """Merge two ordered streams and yield a sentence for each row that differs."""
    one, other = next(found, None), next(rebuilt, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            yield f"{describe(one[0] if one else b'')} stands in the store and should not"
            one = next(found, None)
        elif one is None or other[0] < one[0]:
            yield f"{describe(other[0])} is missing"
            other = next(rebuilt, None)
        else:
            if one[1] != other[1]:
                yield f"{describe(one[0])} is not what the entries make of it"
            one, other = next(found, None), next(rebuilt, None)


def foreign_rows(store: Store) -> Iterator[str]:
    """Yield a sentence for each row whose key begins like none of ours."""
    for first in range(256):
        start = bytes((first,))
        if start in _ENDLESS:
            continue
        stop = bytes((first + 1,)) if first < 255 else b"\xff" * 64
        for key, _ in store.scan(start, stop):
            if key not in _SINGLE:
                yield f"{describe(key)} stands in the store and should not"


def describe(key: bytes) -> str:
    """What a row is, without what its key says."""
    if key[:1] == b"t" and len(key) == 10:
        return f"tile {int.from_bytes(key[2:], 'big')} of level {key[1]}"
    kind = _KINDS.get(key[:2], "a row of unknown kind")
    return f"{kind} (key {hashlib.sha256(key).hexdigest()[:16]})"
