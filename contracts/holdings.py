"""State records of collections and their owners, and lists of byte strings.

A collection of genesis has no owner: nobody changes its terms. Records are written by these rules
only, so one that does not decode is a StateError. Collections are read for each operation, so they
are decoded once for each value.
"""

import struct
from dataclasses import astuple, dataclass
from functools import lru_cache

from ledger.format.terms import ADDRESS_BYTES, CollectionTerms
from ledger.format.transaction import split

from contracts.errors import StateError

_COLLECTION = struct.Struct(">BBQ")
_OWNER = struct.Struct(">IQIII")


@dataclass(frozen=True, slots=True)
class CollectionRecord:
    """A collection's terms, who owns it (empty: nobody), and whether it is frozen."""

    terms: CollectionTerms
    owner: bytes = b""
    is_frozen: bool = False


def encode_collection(collection: CollectionRecord) -> bytes:
    """Frozen, length of the owner, time to live; then owner, readers, writers, auditors."""
    terms = collection.terms
    fixed = _COLLECTION.pack(collection.is_frozen, len(collection.owner), terms.ttl_ms)
    lists = encode_list((terms.readers, terms.writers, b"".join(terms.auditors)))
    return fixed + collection.owner + lists


@lru_cache(maxsize=4096)
def decode_collection(data: bytes) -> CollectionRecord:
    """The record; StateError if it is not one of ours."""
    if len(data) < _COLLECTION.size or data[0] > 1 or data[1] not in (0, ADDRESS_BYTES):
        raise StateError("collection: not one of ours")
    frozen, owner_bytes, ttl_ms = _COLLECTION.unpack_from(data)
    middle = _COLLECTION.size + owner_bytes
    items = decode_list(data[middle:])
    if len(items) != 3 or len(items[2]) % ADDRESS_BYTES:
        raise StateError("collection: not one of ours")
    terms = CollectionTerms(items[0], items[1], split(items[2], ADDRESS_BYTES), ttl_ms)
    return CollectionRecord(terms, data[_COLLECTION.size : middle], bool(frozen))


@dataclass(frozen=True, slots=True)
class OwnerRecord:
    """What an account holds."""

    collections: int = 0
    stored_bytes: int = 0  # of sealed values in its collections
    audits: int = 0  # collections that name it as an auditor
    releases: int = 0  # that it ever published
    votes: int = 0  # on platforms, that are open


def encode_owner(owner: OwnerRecord) -> bytes:
    """24 bytes."""
    return _OWNER.pack(*astuple(owner))


def decode_owner(data: bytes | None) -> OwnerRecord:
    """The record; an account that was never seen holds nothing."""
    if data is None:
        return OwnerRecord()
    if len(data) != _OWNER.size:
        raise StateError("owner: wrong length")
    return OwnerRecord(*_OWNER.unpack(data))


def encode_list(items: tuple[bytes, ...]) -> bytes:
    """Each item after its length in 4 bytes."""
    return b"".join(len(item).to_bytes(4, "big") + item for item in items)


@lru_cache(maxsize=8)
def decode_list(data: bytes) -> tuple[bytes, ...]:
    """The items; StateError if the last is cut."""
    items = []
    at = 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            raise StateError("list: wrong length")
        items.append(data[at + 4 : end])
        at = end
    return tuple(items)
