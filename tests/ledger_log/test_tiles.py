"""Tiles and bundles: one path per tile, the widths at every boundary, strict bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.errors import TileError
from ledger.log.merkle import MAX_TREE_SIZE
from ledger.log.tiles import (
    EntryBundle,
    HashTile,
    bundles_of,
    decode_bundle,
    decode_path,
    decode_tile,
    encode_bundle,
    encode_path,
    partial_tiles_of,
    tile_root,
    tile_width,
    tiles_of,
)
from tests.support.log_reference import root_of, synthetic_leaves

resources = st.one_of(
    st.builds(HashTile, st.integers(0, 63), st.integers(0, MAX_TREE_SIZE), st.integers(1, 256)),
    st.builds(EntryBundle, st.integers(0, MAX_TREE_SIZE), st.integers(1, 256)),
)


@pytest.mark.parametrize(
    "path, resource",
    [
        ("tile/0/000", HashTile(0, 0)),
        ("tile/0/005.p/1", HashTile(0, 5, 1)),
        ("tile/1/x001/x234/067", HashTile(1, 1_234_067)),
        ("tile/63/999.p/255", HashTile(63, 999, 255)),
        ("tile/2/x001/000", HashTile(2, 1000)),
        ("tile/entries/x001/x234/067.p/112", EntryBundle(1_234_067, 112)),
    ],
)
def test_paths_of_the_specification(path: str, resource: HashTile | EntryBundle) -> None:
    """The paths are those of tlog-tiles, in both directions."""
    assert encode_path(resource) == path
    assert decode_path(path) == resource


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0/",
        "tile/00/000",
        "tile/01/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/8/0/000",
        "tile/data/000",
        "tile/entries/0",
        "tile/0/0000",
        "tile/0/00",
        "tile/0/x000/000",
        "tile/0/x000/001",
        "tile/0/001/000",
        "tile/0/X001/000",
        "tile/0/000.p/0",
        "tile/0/000.p/07",
        "tile/0/000.p/256",
        "tile/0/000.p/",
        "tile/0/000.p/1/",
        "tile/0/000\n",
        "/tile/0/000",
        "tile/0/٠٠٠",  # noqa: RUF001 - Arabic digits, which str.isdigit would take
        "tile/0/x009/x223/x372/x036/x854/x775/808",
        "tile/0/x001/x000/x000/x000/x000/x000/x000/000",
    ],
)
def test_every_other_spelling_of_a_path_is_refused(path: str) -> None:
    """Leading zeros, signs, other digits, widths of 0 or 256 and other trees' names are errors."""
    with pytest.raises(TileError):
        decode_path(path)


@given(resources)
def test_paths_round_trip(resource: HashTile | EntryBundle) -> None:
    """A path names the tile that it was made from."""
    assert decode_path(encode_path(resource)) == resource


@given(st.text(alphabet="tile/0123456789x.pnrsa\n", max_size=40) | st.text(max_size=40))
def test_a_random_path_is_canonical_or_refused(path: str) -> None:
    """What decodes is exactly what encodes; all else is a TileError."""
    try:
        resource = decode_path(path)
    except TileError:
        return
    assert encode_path(resource) == path


@pytest.mark.parametrize(
    "resource",
    [HashTile(64, 0), HashTile(-1, 0), HashTile(0, -1), HashTile(0, 2**63), EntryBundle(0, 0)],
)
def test_impossible_tiles_have_no_path(resource: HashTile | EntryBundle) -> None:
    """Levels end at 63, indices below 2^63, widths at 1 and 256."""
    with pytest.raises(TileError):
        encode_path(resource)


@pytest.mark.parametrize(
    "size, paths",
    [
        (0, []),
        (1, ["0/000.p/1"]),
        (2, ["0/000.p/2"]),
        (255, ["0/000.p/255"]),
        (256, ["0/000", "1/000.p/1"]),
        (257, ["0/000", "0/001.p/1", "1/000.p/1"]),
        (511, ["0/000", "0/001.p/255", "1/000.p/1"]),
        (512, ["0/000", "0/001", "1/000.p/2"]),
        (513, ["0/000", "0/001", "0/002.p/1", "1/000.p/2"]),
    ],
)
def test_tiles_of_small_sizes(size: int, paths: list[str]) -> None:
    """Full tiles are counted in the level above, empty tiles do not exist."""
    assert [encode_path(tile) for tile in tiles_of(size)] == [f"tile/{path}" for path in paths]


@pytest.mark.parametrize(
    "size, upper",
    [
        (65535, ["0/255.p/255", "1/000.p/255"]),
        (65536, ["1/000", "2/000.p/1"]),
        (65537, ["0/256.p/1", "1/000", "2/000.p/1"]),
        (70000, ["0/273.p/112", "1/000", "1/001.p/17", "2/000.p/1"]),
    ],
)
def test_tiles_of_large_sizes(size: int, upper: list[str]) -> None:
    """At and around 65,536 leaves the third level begins, as tlog-tiles counts."""
    tiles = list(tiles_of(size))
    full = [tile for tile in tiles if tile.level == 0 and tile.width == 256]
    assert full == [HashTile(0, index) for index in range(size // 256)]
    rest = [encode_path(tile) for tile in tiles if tile not in full]
    assert rest == [f"tile/{path}" for path in upper]


@given(st.integers(0, 200_000), st.integers(0, 3), st.integers(0, 900))
def test_widths_agree_with_the_list_of_tiles(size: int, level: int, index: int) -> None:
    """`tile_width` is the listed width, or 0 where no tile is listed."""
    widths = {(tile.level, tile.index): tile.width for tile in tiles_of(size)}
    assert tile_width(level, index, size) == widths.get((level, index), 0)
    assert list(partial_tiles_of(size)) == [tile for tile in tiles_of(size) if tile.width < 256]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65536])
def test_bundles_cover_the_log(size: int) -> None:
    """Bundles hold every entry once, and only the last may be partial."""
    bundles = list(bundles_of(size))
    assert sum(bundle.width for bundle in bundles) == size
    assert all(bundle.width == 256 for bundle in bundles[:-1])
    assert [bundle.index for bundle in bundles] == list(range(len(bundles)))


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=256))
def test_bundles_round_trip(entries: list[bytes]) -> None:
    """A bundle gives its entries back, empty ones too."""
    data = encode_bundle(entries)
    assert decode_bundle(data, len(entries)) == tuple(entries)
    assert len(data) == sum(2 + len(entry) for entry in entries)


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=9), st.data())
def test_cut_and_stretched_bundles_are_refused(entries: list[bytes], data: st.DataObject) -> None:
    """A bundle that ends early, goes on, or has another number of entries is a TileError."""
    good = encode_bundle(entries)
    at = data.draw(st.integers(0, len(good) - 1))
    for bad, width in (
        (good[:at], len(entries)),
        (good + b"\0", len(entries)),
        (good, len(entries) + 1),
    ):
        with pytest.raises(TileError):
            decode_bundle(bad, width)


@given(st.binary(max_size=600), st.integers(-1, 300))
def test_random_bundles_and_tiles_raise_only_tile_errors(data: bytes, width: int) -> None:
    """Random bytes are a bundle or a tile that re-encodes to them, or a TileError."""
    try:
        entries = decode_bundle(data, width)
    except TileError:
        pass
    else:
        assert encode_bundle(entries) == data
    try:
        hashes = decode_tile(data, width)
    except TileError:
        pass
    else:
        assert b"".join(hashes) == data


def test_limits_of_a_bundle() -> None:
    """An entry has at most 65,535 bytes, a bundle 1 to 256 entries."""
    largest = bytes(65_535)
    assert decode_bundle(encode_bundle([largest]), 1) == (largest,)
    for entries in ([largest + b"\0"], [], [b""] * 257):
        with pytest.raises(TileError):
            encode_bundle(entries)
    for width in (0, 257):
        with pytest.raises(TileError):
            decode_bundle(b"", width)


def test_the_root_of_a_full_tile() -> None:
    """A full tile's root is the root over its 256 hashes; a partial tile has none."""
    leaves = synthetic_leaves(256)
    data = b"".join(leaves)
    assert tile_root(data) == root_of(leaves)
    assert decode_tile(data, 256) == tuple(leaves)
    with pytest.raises(TileError):
        tile_root(data[:-32])
    with pytest.raises(TileError):
        decode_tile(data, 255)
