"""What a node says of secrets, collections and releases: rows, as signed questions get them.

Rules: a row is the node's word. The log does not certify the state yet, so nothing proves that a
row is the newest or that a list is complete; what *is* proven are entries (`openings`), and `head`
and `history` give those. A row never carries a value or key.
"""

from dataclasses import dataclass

from ledger.format.releases import EnclaveRelease, release_title
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


@dataclass(frozen=True, slots=True)
class PlatformRow:
    """A platform that members enrolled, removed or vote on."""

    platform_id: bytes  # 16 bytes (PPID) or 64 (CHIP_ID)
    is_enrolled: bool
    index: int  # the entry since which that is so; 0: from the start
    voters: tuple[bytes, ...]  # addresses of members who ask for the change, as they voted
    needed: int  # how many of them change it


@dataclass(frozen=True, slots=True, order=True)
class ReleaseStatement:
    """What an auditor said of a release: who, and the entry in which it was said."""

    auditor: bytes  # address
    index: int


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A published release, who endorses it and who took that back, and where all of it stands."""

    release: EnclaveRelease
    publisher: bytes  # address
    index: int  # the entry that published it
    revoked_index: int  # the entry that revoked it; 0: it is not revoked
    endorsed: tuple[ReleaseStatement, ...]  # by auditor
    withdrawn: tuple[ReleaseStatement, ...]  # by auditor: they never endorse it again

    @property
    def title(self) -> str:
        """``name@1.2.3``."""
        return release_title(self.release.name, self.release.version)

    @property
    def is_revoked(self) -> bool:
        """Whether its publisher took it back."""
        return bool(self.revoked_index)
