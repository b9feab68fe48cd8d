"""What a node says of secrets and collections: rows of its state, as signed questions get them.

Rules: a row is the node's word. The log does not certify the state yet, so nothing proves that a
row is the newest or that a list is complete; what *is* proven are entries (`openings`), and `head`
and `history` give those. A row never carries a value or key.
"""

from dataclasses import dataclass

from ledger.format.terms import CollectionTerms


@dataclass(frozen=True, slots=True)
class SecretRow:
    """A secret's current version. Times are block times in milliseconds since 1970."""

    name: str
    version: int
    size: int  # bytes of the ciphertext, its tag of 16 included
    time_ms: int
    expires_ms: int  # 0: never
    writer: bytes  # session id, or an account's address after 12 zero bytes
    index: int  # the entry that stored it, and the operation's place in it
    position: int
    is_destroyed: bool
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class CollectionRow:
    """A collection: its owner's address (empty: founded with the network) and terms."""

    name: str
    owner: bytes
    is_frozen: bool
    terms: CollectionTerms
