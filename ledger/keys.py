"""Every database key, in one place. Integers are big-endian, so byte order is numeric order.

===== ============================================= ==============================================
key   then                                          value
===== ============================================= ==============================================
``m``                                               format, size, root, height, time (`Head`)
``g``                                               genesis
``c``                                               the newest certified checkpoint (signed note)
``e`` index u64                                     entry: the leaf's bytes
``t`` level u8, tile u64                            32 bytes per hash, up to 256
``o`` index u64                                     operations, salts and outcomes of the entry
``p`` index u64, position u16                       payload: sealed secret or evidence
``s`` type, then as below                           state, read and written by ``contracts`` only
===== ============================================= ==============================================

State types: ``P`` parameters · ``A`` how many things are filed under a name · ``B`` policy ·
``D`` what is filed at a place u32 · ``F`` the place of what is filed · ``C`` collection ·
``U`` owner ·
``S`` session id ·
``Q`` quote digest · ``N`` signer · ``W`` signer, sequence u64 · ``H`` head of a secret ·
``V`` superseded version u64 · ``T`` touch: index u64, position u16 ·
``K`` collateral, by what it is for · ``R`` release: name NUL version, three u32 ·
``O`` publisher of a release name ·
``M`` endorsed releases: platform u8, measurement, name · ``X`` revoked: collection NUL session id ·
``Y`` votes to revoke a session id · ``I`` open session: identity digest, slot u32 ·
``L`` which slot to look at first, by identity digest ·
``E`` platform that is enrolled or voted on, by its id.
A secret's place is collection NUL name NUL; names are ASCII without NUL, so places do not overlap.
"""

import struct
from dataclasses import dataclass

from ledger.errors import StoreError

_U64 = struct.Struct(">Q")
_PAYLOAD = struct.Struct(">cQH")
_TILE = struct.Struct(">cBQ")
_TOUCH = struct.Struct(">QH")
_PLACE = struct.Struct(">I")
_HEAD = struct.Struct(">BQ32sQQ")
_FORMAT = 1

HEAD = b"m"
GENESIS = b"g"
CHECKPOINT = b"c"
STATE = b"s"
TOUCH = b"sT"
PARAMETERS = b"sP"


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log stands: written with each block, read at start."""

    size: int
    root: bytes
    height: int
    time_ms: int

    def encode(self) -> bytes:
        """57 bytes."""
        return _HEAD.pack(_FORMAT, self.size, self.root, self.height, self.time_ms)


def decode_head(data: bytes) -> Head:
    """The stored head; StoreError if it is of another format."""
    if len(data) != _HEAD.size or data[0] != _FORMAT:
        raise StoreError("the data directory has another format than this version understands")
    _, size, root, height, time_ms = _HEAD.unpack(data)
    return Head(size, root, height, time_ms)


def entry(index: int) -> bytes:
    """Key of a leaf."""
    return b"e" + _U64.pack(index)


def operations(index: int) -> bytes:
    """Key of what stands beside a transaction leaf."""
    return b"o" + _U64.pack(index)


def payload(index: int, position: int) -> bytes:
    """Key of one operation's payload."""
    return _PAYLOAD.pack(b"p", index, position)


def tile(level: int, index: int) -> bytes:
    """Key of a tile of 1 to 256 hashes."""
    return _TILE.pack(b"t", level, index)


def collection(name: str) -> bytes:
    """Key of a collection's record."""
    return b"sC" + name.encode("ascii")


def session(session_id: bytes) -> bytes:
    """Key of a session's record."""
    return b"sS" + session_id


def owner(address: bytes) -> bytes:
    """Key of what an account holds."""
    return b"sU" + address


def admission(name: bytes) -> bytes:
    """Key of how many things are filed under a name."""
    return b"sA" + name


def policy(digest: bytes) -> bytes:
    """Key of a policy in use: how often, and its canonical bytes."""
    return b"sB" + digest


def filed_policy(name: bytes, place: int) -> bytes:
    """Key of what is filed at a place under a name: a policy's digest, or a release's name."""
    return b"sD%b%b" % (name, _PLACE.pack(place))


def place_of_policy(name: bytes, filed: bytes) -> bytes:
    """Key of the place of what is filed under a name."""
    return b"sF" + name + filed


def quote(digest: bytes) -> bytes:
    """Key of the session that a quote opened."""
    return b"sQ" + digest


def signer(kind: int, identifier: bytes) -> bytes:
    """Key of a signer's record."""
    return b"sN%c%b" % (kind, identifier)


def sequence(kind: int, identifier: bytes, number: int) -> bytes:
    """Key of what a signer's sequence number ran."""
    return b"sW%c%b%b" % (kind, identifier, _U64.pack(number))


def head_of(collection_name: str, name: str) -> bytes:
    """Key of a secret's head."""
    return f"sH{collection_name}\0{name}\0".encode("ascii")


def version_of(collection_name: str, name: str, version: int) -> bytes:
    """Key of a superseded version."""
    return f"sV{collection_name}\0{name}\0".encode("ascii") + _U64.pack(version)


def touch(collection_name: str, name: str, index: int, position: int) -> bytes:
    """Key that marks an operation on a secret: its history, complete by construction."""
    return f"sT{collection_name}\0{name}\0".encode("ascii") + _TOUCH.pack(index, position)


def names_from(collection_name: str, prefix: str, after: str) -> tuple[bytes, bytes]:
    """The range of heads of a collection's names that start with `prefix`, after `after`."""
    base = f"sH{collection_name}\0".encode("ascii")
    start = base + prefix.encode("ascii")
    past = base + after.encode("ascii") + b"\0\0"
    return max(start, past) if after else start, start + b"\xff"


def name_of_head(key: bytes) -> str:
    """The name in a head's key."""
    return key[2:-1].partition(b"\0")[2].decode("ascii")


def touches_from(collection_name: str, name: str, index: int) -> tuple[bytes, bytes]:
    """The range of a secret's touches, from an entry on."""
    base = f"sT{collection_name}\0{name}\0".encode("ascii")
    return base + _U64.pack(index), base + b"\xff" * 11


def place_of_touch(key: bytes) -> tuple[int, int]:
    """Entry and position in a touch's key."""
    index, position = _TOUCH.unpack(key[-_TOUCH.size :])
    return index, position


def collections_after(after: str) -> tuple[bytes, bytes]:
    """The range of collections after `after`."""
    start = b"sC" + after.encode("ascii") + (b"\0" if after else b"")
    return start, b"sC\xff"


def name_of_collection(key: bytes) -> str:
    """The name in a collection's key."""
    return key[2:].decode("ascii")


def collateral(key: str) -> bytes:
    """Key of the record of collateral: `key` is ASCII, as in ``sgx/00906ed50000/processor``."""
    return b"sK" + key.encode("ascii")


def collaterals() -> tuple[bytes, bytes]:
    """The range of all records of collateral."""
    return b"sK", b"sL"


def name_of_collateral(key: bytes) -> str:
    """What it is for, in the key of a record of collateral."""
    return key[2:].decode("ascii")


def release(name: str, version: bytes) -> bytes:
    """Key of a release; `version` is packed, 12 bytes."""
    return f"sR{name}\0".encode("ascii") + version


def releases_from(name: str, after: tuple[str, bytes] | None) -> tuple[bytes, bytes]:
    """The range of releases of `name` (empty: of all) after name and packed version `after`."""
    base = f"sR{name}\0".encode("ascii") if name else b"sR"
    return release(*after) + b"\0" if after else base, base + b"\xff"


def name_of_release(key: bytes) -> tuple[str, bytes]:
    """Name and packed version in a release's key."""
    return key[2:-13].decode("ascii"), key[-12:]


def publisher(name: str) -> bytes:
    """Key of the account that a release name belongs to."""
    return b"sO" + name.encode("ascii")


def releases_of(platform: int, measurement: bytes, name: str) -> bytes:
    """Key of the releases of a name with a measurement, and who endorses them."""
    return b"sM%c%b%b" % (platform, measurement, name.encode("ascii"))


def revoked_session(collection_name: str, session_id: bytes) -> bytes:
    """Key that says that a session is revoked for a collection."""
    return f"sX{collection_name}\0".encode("ascii") + session_id


def session_votes(session_id: bytes) -> bytes:
    """Key of the members who voted to revoke a session."""
    return b"sY" + session_id


def identity_slot(identity_digest: bytes, slot: int) -> bytes:
    """Key of one of an identity's open sessions."""
    return b"sI%b%b" % (identity_digest, _PLACE.pack(slot))


def identity_counter(identity_digest: bytes) -> bytes:
    """Key of the slot behind the one that an identity's session took last."""
    return b"sL" + identity_digest


def platform(platform_id: bytes) -> bytes:
    """Key of the record of a platform that is enrolled or voted on."""
    return b"sE" + platform_id


def platforms_after(platform_id: bytes) -> tuple[bytes, bytes]:
    """The range of records of platforms behind an id (empty: all)."""
    return (platform(platform_id) + b"\0" if platform_id else b"sE"), b"sF"


def id_of_platform(key: bytes) -> bytes:
    """The id in the key of a platform's record."""
    return key[2:]
