"""One bundle of entries beside its tile: what can be said about it alone. Pure; runs in workers.

1. The bundle holds exactly its entries; each hashes to the tile's hash at its place.
2. Each entry is a leaf in canonical form; a transaction's body too, for this network, with one
   outcome digest for each operation and a signature of its signer's width.
3. A transaction was executed while it was valid: its block's time is before `valid_until_ms`.
4. A new session's key and a node's key signed what they are said to have signed.
A session's signature waits for the key, which stands in an earlier entry (rules.py); an account's
is over the operations, which stand beside the log.

Results are plain tuples: hundreds of thousands cross from worker to auditor.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from attestation.handshake import session_id
from ledger.crypto import ed25519, p256
from ledger.errors import FormatError
from ledger.format.leaf import BlockHeader, GenesisLeaf, TransactionLeaf, decode_leaf
from ledger.format.transaction import (
    SIGNATURE_BYTES,
    Body,
    SignerKind,
    decode_body,
    signed_message,
    verify_network,
)
from ledger.log.errors import TileError
from ledger.log.merkle import HASH_BYTES
from ledger.log.tiles import TILE_WIDTH, EntryBundle, HashTile, decode_bundle, encode_path
from node.audit.errors import Finding


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was fetched of `width` entries from 256 * `index` on; the first `known` are verified."""

    index: int
    width: int
    known: int
    entries: bytes
    tile: bytes
    network_id: bytes


class Start(NamedTuple):
    """Entry 0."""

    time_ms: int


class End(NamedTuple):
    """A block's header."""

    height: int
    time_ms: int
    trust_version: int
    epoch: int
    rules_version: int


class Ran(NamedTuple):
    """A transaction. `opens` is the session that it opens; `signature` is what is left to check."""

    height: int
    time_ms: int
    kind: int
    signer: bytes
    sequence: int
    operations: int
    opens: bytes
    body: bytes
    signature: bytes


Fact = Start | End | Ran


@dataclass(frozen=True, slots=True)
class Examined:
    """A bundle's leaf hashes, and the facts of those not known before; or what is wrong."""

    hashes: bytes
    facts: tuple[Fact, ...]
    bytes_read: int
    finding: Finding | None = None
    differs_at: int | None = None  # the first entry that is not the tile's


def examine(bundle: Bundle) -> Examined:
    """Check one bundle (1 to 4 above)."""
    path = encode_path(EntryBundle(bundle.index, bundle.width))
    try:
        entries = decode_bundle(bundle.entries, bundle.width)
    except TileError as error:
        return _found(Finding(path, str(error)))
    if len(bundle.tile) != HASH_BYTES * bundle.width:
        tile = encode_path(HashTile(0, bundle.index, bundle.width))
        wanted = f"{HASH_BYTES * bundle.width} bytes"
        return _found(Finding(tile, "wrong size", wanted, f"{len(bundle.tile)} bytes"))
    hashes = b"".join([sha256(b"\0" + entry).digest() for entry in entries])
    if hashes != bundle.tile:
        return _differing(bundle, hashes)
    facts = []
    first = bundle.index * TILE_WIDTH
    for place in range(bundle.known, bundle.width):
        try:
            facts.append(_fact(entries[place], bundle.network_id))
        except FormatError as error:
            return _found(Finding(f"entry {first + place}", str(error)))
    return Examined(hashes, tuple(facts), len(bundle.entries))


class Unchecked(NamedTuple):
    """A session's signature, once the key is known."""

    entry: int
    public_key: bytes
    body: bytes
    signature: bytes


def verify_signatures(network_id: bytes, rows: tuple[Unchecked, ...]) -> int | None:
    """The index of the first entry whose session did not sign it; None if all did."""
    for row in rows:
        message = signed_message(network_id, row.body)
        if not p256.is_valid(row.public_key, row.signature, message):
            return row.entry
    return None


def _fact(data: bytes, network_id: bytes) -> Fact:
    leaf = decode_leaf(data)
    match leaf:
        case TransactionLeaf():
            return _transaction(leaf, network_id)
        case BlockHeader():
            return End(
                leaf.height, leaf.time_ms, leaf.trust_version, leaf.epoch, leaf.rules_version
            )
        case GenesisLeaf():
            if leaf.network_id != network_id:
                raise FormatError(
                    f"it starts network {leaf.network_id.hex()}, not {network_id.hex()}"
                )
            return Start(leaf.time_ms)


def _transaction(leaf: TransactionLeaf, network_id: bytes) -> Ran:
    body = decode_body(leaf.body)
    verify_network(body, network_id)
    count = len(body.operation_digests)
    if len(leaf.outcome_digests) != count:
        raise FormatError(f"{count} operations have {len(leaf.outcome_digests)} outcomes")
    if len(leaf.signature) != SIGNATURE_BYTES[body.signer_kind]:
        raise FormatError("its signature is not one of this kind of signer")
    if body.valid_until_ms <= leaf.time_ms:
        raise FormatError(
            f"it ran at {leaf.time_ms} ms, but was valid until {body.valid_until_ms} ms only"
        )
    opens = _verify_self_signed(leaf, body)
    is_session = body.signer_kind is SignerKind.SESSION
    return Ran(
        leaf.height,
        leaf.time_ms,
        int(body.signer_kind),
        body.signer,
        body.sequence,
        count,
        opens,
        leaf.body if is_session else b"",
        leaf.signature if is_session else b"",
    )


def _verify_self_signed(leaf: TransactionLeaf, body: Body) -> bytes:
    """Check a signature whose key stands in the body; gives the session that is opened."""
    message = signed_message(body.network_id, leaf.body)
    if body.signer_kind is SignerKind.NODE:
        is_good = ed25519.is_valid(body.signer, leaf.signature, message)
    elif body.signer_kind is SignerKind.NEW_SESSION:
        if body.sequence:
            raise FormatError("a new session key signs number 0 only")
        is_good = p256.is_valid(body.signer, leaf.signature, message)
    else:
        return b""
    if not is_good:
        raise FormatError("its signer did not sign it")
    return session_id(leaf.body) if body.signer_kind is SignerKind.NEW_SESSION else b""


def _differing(bundle: Bundle, hashes: bytes) -> Examined:
    width = HASH_BYTES
    places = (slice(at, at + width) for at in range(0, len(hashes), width))
    at = next(place for place in places if hashes[place] != bundle.tile[place])
    index = bundle.index * TILE_WIDTH + at.start // width
    tile = encode_path(HashTile(0, bundle.index, bundle.width))
    what = f"its hash is not the one in {tile}"
    finding = Finding(f"entry {index}", what, bundle.tile[at].hex(), hashes[at].hex())
    return Examined(hashes, (), 0, finding, differs_at=index)


def _found(finding: Finding) -> Examined:
    return Examined(b"", (), 0, finding)
