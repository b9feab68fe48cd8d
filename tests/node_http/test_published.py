"""What everybody may see of a log: exactly the certified part, at every size that was one."""

import pytest

from ledger import keys
from ledger.errors import StoreError
from ledger.format.leaf import BlockHeader, TransactionLeaf, encode_leaf
from ledger.log.merkle import leaf_hash, verify_inclusion
from ledger.log.proof_file import decode_proof_file
from ledger.log.tiles import (
    TILE_WIDTH,
    EntryBundle,
    HashTile,
    bundles_of,
    decode_bundle,
    decode_tile,
    tile_root,
    tiles_of,
)
from node.http.errors import AbsentError
from tests.support.log_reference import root_of
from tests.support.published_log import Written, entries_of, written_log

BIGGEST = 65_540
SIZES = (1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537)
SMALL = 600


@pytest.fixture(scope="module")
def big() -> Written:
    """A log of more entries than any certified size in these tests."""
    return written_log(entries_of(BIGGEST))


@pytest.fixture
def small() -> Written:
    """A log of 600 entries, for tests that change it."""
    return written_log(entries_of(SMALL))


@pytest.mark.parametrize("size", SIZES)
def test_tiles_of_a_size(big: Written, size: int) -> None:
    """Every tile of a certified size is served; hashed up, they give the checkpoint's root."""
    big.certifier.certify(size)
    log = big.log
    levels: dict[int, list[bytes]] = {}
    for tile in tiles_of(size):
        levels.setdefault(tile.level, []).extend(decode_tile(log.tile(tile), tile.width))
    assert root_of(levels[0]) == big.certifier.latest.root
    for level, hashes in levels.items():
        assert len(hashes) == size >> 8 * level
        full = range(len(hashes) // TILE_WIDTH)
        above = [tile_root(b"".join(hashes[at * 256 : at * 256 + 256])) for at in full]
        assert above == levels.get(level + 1, [])


@pytest.mark.parametrize("size", SIZES)
def test_nothing_beyond_a_size(big: Written, size: int) -> None:
    """One hash more than certified, the next tile, the next level, the next entry: absent."""
    big.certifier.certify(size)
    log = big.log
    level = 0
    while hashes := size >> 8 * level:
        index, width = divmod(hashes, TILE_WIDTH)
        for wider in range(width + 1, TILE_WIDTH + 1, 50):
            with pytest.raises(AbsentError):
                log.tile(HashTile(level, index, wider))
        with pytest.raises(AbsentError):
            log.tile(HashTile(level, index, TILE_WIDTH))
        with pytest.raises(AbsentError):
            log.tile(HashTile(level, index + 1, 1))
        level += 1
    for above in range(level, 64):
        with pytest.raises(AbsentError):
            log.tile(HashTile(above, 0, 1))
    index, width = divmod(size, TILE_WIDTH)
    for bundle in (EntryBundle(index, width + 1), EntryBundle(index), EntryBundle(index + 1, 1)):
        with pytest.raises(AbsentError):
            log.bundle(bundle)
    for entry in (size, size + 1, 2**63 - 2):
        with pytest.raises(AbsentError):
            log.proof(entry)


def test_bundles_of_every_width(small: Written) -> None:
    """A bundle of any width holds the entries themselves, the empty one too."""
    log = small.log
    for width in range(1, TILE_WIDTH + 1):
        entries = decode_bundle(log.bundle(EntryBundle(1, width)), width)
        assert list(entries) == small.entries[256 : 256 + width]
    walked = [
        entry
        for bundle in bundles_of(SMALL)
        for entry in decode_bundle(log.bundle(bundle), bundle.width)
    ]
    assert walked == small.entries
    assert b"" in walked


def test_partial_tiles_stay(small: Written) -> None:
    """Every width of a tile that was certified once is still served when the tile is full."""
    full = decode_tile(small.log.tile(HashTile(0, 0)), TILE_WIDTH)
    for width in range(1, TILE_WIDTH + 1):
        assert decode_tile(small.log.tile(HashTile(0, 0, width)), width) == full[:width]


@pytest.mark.parametrize("size", [1, 2, 256, 257, 600])
def test_proofs_of_a_size(small: Written, size: int) -> None:
    """A proof of any entry verifies under the certified checkpoint that it carries."""
    small.certifier.certify(size)
    for index in {0, size // 2, size - 1}:
        proof = decode_proof_file(small.log.proof(index))
        assert (proof.index, proof.extra) == (index, None)
        assert proof.checkpoint == small.certifier.latest.note == small.log.checkpoint()
        verify_inclusion(
            index=index,
            size=size,
            leaf_hash=leaf_hash(small.entries[index]),
            proof=proof.hashes,
            root=small.certifier.latest.root,
        )


def test_lost_rows_are_damage(small: Written) -> None:
    """What is certified but not in the store is our fault, not absence."""
    lost: dict[bytes, bytes | None] = {
        keys.tile(0, 0): b"\0" * 32 * 255,
        keys.tile(0, 1): None,
        keys.entry(300): None,
    }
    small.store.write(lost, sync=True)
    log = small.log
    for tile in (HashTile(0, 0), HashTile(0, 1, 3)):
        with pytest.raises(StoreError):
            log.tile(tile)
    with pytest.raises(StoreError):
        log.bundle(EntryBundle(1))
    with pytest.raises(StoreError):
        log.proof(5)
    assert decode_bundle(log.bundle(EntryBundle(1, 44)), 44)[-1] == small.entries[299]


def test_a_damaged_tile_proves_nothing(small: Written) -> None:
    """A proof is never made from hashes that do not lead to the certified root."""
    row = bytearray(small.store.get(keys.tile(0, 0)) or b"")
    row[7] ^= 1
    small.store.write({keys.tile(0, 0): bytes(row)}, sync=True)
    with pytest.raises(StoreError):
        small.log.proof(5)


def test_standing_is_the_certified_header() -> None:
    """The status is that of the last certified block, not of the newest stored one."""
    headers = [BlockHeader(height, 1000 + height, b"", 1, 1, 1) for height in range(3)]
    body = TransactionLeaf(1, 1001, b"body", bytes(64), (bytes(32),))
    leaves = [headers[0], body, headers[1], body, headers[2]]
    written = written_log([encode_leaf(leaf) for leaf in leaves])
    written.certifier.certify(3)
    standing = written.log.standing()
    assert (standing.size, standing.header) == (3, headers[1])
    assert standing.root == written.tree.root_at(3)
    written.certifier.certify(4)
    with pytest.raises(StoreError):
        written.log.standing()
