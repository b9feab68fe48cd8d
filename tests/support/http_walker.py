"""A verifier that trusts nothing but a log key: walks a published log over HTTP, as anybody can.

Written against the C2SP texts; of our code only decoders are used, and the reference tree.
"""

from dataclasses import dataclass

from aiohttp import ClientSession

from ledger.log.checkpoint import Checkpoint, decode_checkpoint
from ledger.log.merkle import leaf_hash
from ledger.log.note import decode_note, decode_vkey, verify_note_signature
from ledger.log.tiles import (
    EntryBundle,
    HashTile,
    bundles_of,
    decode_bundle,
    decode_tile,
    encode_path,
    tiles_of,
)
from tests.support.log_reference import root_of


@dataclass(frozen=True, slots=True)
class Walked:
    """A log whose every tile and entry was fetched and agrees with its checkpoint."""

    checkpoint: Checkpoint
    entries: tuple[bytes, ...]


async def fetch(session: ClientSession, url: str) -> bytes:
    """The body of a 200; AssertionError otherwise."""
    async with session.get(url) as said:
        if said.status != 200:
            raise AssertionError(f"{url}: {said.status} {await said.text()}")
        return await said.read()


async def fetch_checkpoint(session: ClientSession, url: str, vkey: str) -> Checkpoint:
    """The checkpoint, signed by the log key."""
    note = decode_note(await fetch(session, f"{url}/checkpoint"))
    key = decode_vkey(vkey)
    line = next(one for one in note.signatures if one.name == key.name)
    verify_note_signature(note.text, line, key)
    return decode_checkpoint(note.text)


async def walk(session: ClientSession, url: str, vkey: str) -> Walked:
    """Everything under the present checkpoint; AssertionError where it does not agree."""
    checkpoint = await fetch_checkpoint(session, url, vkey)
    size = checkpoint.size
    entries: list[bytes] = []
    for bundle in bundles_of(size):
        entries += decode_bundle(await _get(session, url, bundle), bundle.width)
    leaves = [leaf_hash(entry) for entry in entries]
    if root_of(leaves) != checkpoint.root:
        raise AssertionError("the entries are not those of the checkpoint")
    for tile in tiles_of(size):
        hashes = decode_tile(await _get(session, url, tile), tile.width)
        span = 256**tile.level
        first = tile.index * 256
        wanted = [
            root_of(leaves[at * span : (at + 1) * span]) for at in range(first, first + tile.width)
        ]
        if list(hashes) != wanted:
            raise AssertionError(f"{encode_path(tile)} is not that of the entries")
    return Walked(checkpoint, tuple(entries))


async def _get(session: ClientSession, url: str, resource: HashTile | EntryBundle) -> bytes:
    return await fetch(session, f"{url}/{encode_path(resource)}")
