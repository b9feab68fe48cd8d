"""Database keys: kinds never overlap, and byte order is the order of what they hold."""

import re
from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import keys
from ledger.errors import StoreError
from ledger.format.releases import MEASUREMENT_BYTES, ReleaseVersion
from tests.ledger_format.strategies import names, platform_ids, release_names, release_versions, u64

u32 = st.integers(0, 2**32 - 1)
u8, u16 = st.integers(0, 255), st.integers(0, 65_535)
b32 = st.binary(min_size=32, max_size=32)
WIDTHS = {1: 32, 2: 20, 3: 32, 4: 33}
signers = st.sampled_from(sorted(WIDTHS)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.binary(min_size=WIDTHS[kind], max_size=WIDTHS[kind]))
)
places = st.tuples(names, names)
# one width for each kind of name: their first bytes tell them apart
policy_names = st.sampled_from([(b"m", 32), (b"s", 34)]).flatmap(
    lambda kind: st.binary(min_size=kind[1], max_size=kind[1]).map(lambda rest: kind[0] + rest)
)
KINDS: dict[str, tuple[Callable[..., bytes], st.SearchStrategy[Any]]] = {
    "entry": (keys.entry, st.tuples(u64)),
    "operations": (keys.operations, st.tuples(u64)),
    "payload": (keys.payload, st.tuples(u64, u16)),
    "tile": (keys.tile, st.tuples(u8, u64)),
    "collection": (keys.collection, st.tuples(names)),
    "session": (keys.session, st.tuples(b32)),
    "owner": (keys.owner, st.tuples(st.binary(min_size=20, max_size=20))),
    "admission": (
        keys.admission,
        st.tuples(
            st.sampled_from([33, 49, 35, 51]).flatmap(lambda n: st.binary(min_size=n, max_size=n))
        ),
    ),
    "policy": (keys.policy, st.tuples(b32)),
    "filed_policy": (keys.filed_policy, st.tuples(policy_names, st.integers(0, 2**32 - 1))),
    "place_of_policy": (keys.place_of_policy, st.tuples(policy_names, b32)),
    "quote": (keys.quote, st.tuples(b32)),
    "signer": (keys.signer, signers),
    "sequence": (keys.sequence, st.tuples(signers, u64).map(lambda two: (*two[0], two[1]))),
    "head_of": (keys.head_of, places),
    "version_of": (keys.version_of, st.tuples(places, u64).map(lambda two: (*two[0], two[1]))),
    "touch": (keys.touch, st.tuples(places, u64, u16).map(lambda parts: (*parts[0], *parts[1:]))),
}
KINDS |= {
    "collateral": (keys.collateral, st.tuples(names)),
    "release": (keys.release, st.tuples(release_names, release_versions.map(lambda v: v.packed))),
    "releases_of": (
        keys.releases_of,
        st.sampled_from(sorted(MEASUREMENT_BYTES.items())).flatmap(
            lambda one: st.tuples(
                st.just(one[0]), st.binary(min_size=one[1], max_size=one[1]), release_names
            )
        ),
    ),
    "publisher": (keys.publisher, st.tuples(release_names)),
    "revoked_session": (keys.revoked_session, st.tuples(names, b32)),
    "session_votes": (keys.session_votes, st.tuples(b32)),
    "identity_slot": (keys.identity_slot, st.tuples(b32, u32)),
    "platform": (keys.platform, st.tuples(platform_ids)),
    "identity_counter": (keys.identity_counter, st.tuples(b32)),
}
SINGLE = {
    name: value for name, value in vars(keys).items() if name.isupper() and isinstance(value, bytes)
}
RANGES = {
    "names_from",
    "touches_from",
    "collections_after",
    "releases_from",
    "collaterals",
    "platforms_after",
}  # from which key to which
# prefixes of other keys on purpose: all state, and all touches
PREFIXES = {"STATE", "TOUCH"}


def test_every_kind_of_key_is_tested() -> None:
    """No function that makes a key is left out here."""
    made = {
        name
        for name, value in vars(keys).items()
        if callable(value) and value.__module__ == keys.__name__ and name[0].islower()
    }
    readers = {
        *("decode_head", "place_of_touch"),
        *("name_of_head", "name_of_collection", "name_of_release", "name_of_collateral"),
        "id_of_platform",
    }
    assert made - readers - RANGES == set(KINDS)


@settings(max_examples=40)
@given(st.data())
def test_no_two_kinds_overlap(data: st.DataObject) -> None:
    """Keys of two kinds are never equal, and never within each other's range."""
    made = {name: make(*data.draw(values)) for name, (make, values) in KINDS.items()}
    made |= {name: key for name, key in SINGLE.items() if name not in PREFIXES}
    for one, other in combinations(made, 2):
        shorter, longer = sorted((made[one], made[other]), key=len)
        assert not longer.startswith(shorter), (one, other)


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_a_key_says_all_that_it_was_made_of(name: str, data: st.DataObject) -> None:
    """Different arguments give different keys."""
    make, values = KINDS[name]
    one, other = data.draw(values), data.draw(values)
    assert (make(*one) == make(*other)) == (one == other)


@given(st.lists(st.tuples(u64, u16), min_size=2, max_size=5))
def test_byte_order_is_numeric_order(numbers: list[tuple[int, int]]) -> None:
    """Scans over indexes, positions, tiles and sequence numbers go from small to large."""
    by_number = sorted(numbers)
    signer = bytes(32)
    orders: list[Callable[[int, int], bytes]] = [
        keys.payload,
        lambda index, position: keys.touch("app", "name", index, position),
        lambda index, position: keys.tile(position & 0xFF, index),
        lambda index, _: keys.entry(index),
        lambda index, _: keys.operations(index),
        lambda index, _: keys.sequence(1, signer, index),
        lambda index, _: keys.version_of("app", "name", index),
    ]
    for make in orders[:2]:
        assert sorted(numbers, key=lambda two: make(*two)) == by_number
    tiles = sorted((position & 0xFF, index) for index, position in numbers)
    assert sorted(keys.tile(*two) for two in tiles) == [keys.tile(*two) for two in tiles]
    for make in orders[3:]:
        indexes = [index for index, _ in by_number]
        assert sorted(make(index, 0) for index in indexes) == [make(index, 0) for index in indexes]


@given(places, places, u64, u64)
def test_places_do_not_overlap(one: Any, other: Any, first: int, second: int) -> None:
    """No key of one secret lies between the keys of another."""
    if one == other:
        return
    for make in (keys.head_of, keys.version_of, keys.touch):
        prefix = keys.head_of(*one)[2:]
        more = {keys.head_of: (), keys.version_of: (first,), keys.touch: (second, 0)}[make]
        key = make(*other, *more)
        assert not key[2:].startswith(prefix)


def test_all_state_is_under_one_prefix() -> None:
    """State keys start with `s`, all others do not, so state can be scanned alone."""
    state = {
        "collection",
        "session",
        "owner",
        "platform",
        "admission",
        "policy",
        "filed_policy",
        "place_of_policy",
        "quote",
        "signer",
        "sequence",
        "head_of",
        "version_of",
        "touch",
        *("collateral", "release", "releases_of", "publisher", "revoked_session"),
        "session_votes",
        *("identity_slot", "identity_counter"),
    }
    examples = {
        "entry": (1,), "operations": (1,), "payload": (1, 2), "tile": (0, 1), "collection": ("a",),
        "session": (bytes(32),), "quote": (bytes(32),), "signer": (1, bytes(32)),
        "sequence": (1, bytes(32), 1), "head_of": ("a", "b"), "version_of": ("a", "b", 1),
        "touch": ("a", "b", 1, 2), "owner": (bytes(20),), "admission": (b"m",),
        "policy": (bytes(32),), "filed_policy": (b"m", 1), "place_of_policy": (b"m", bytes(32)),
        "collateral": ("snp/Milan",), "release": ("a", bytes(12)), "publisher": ("a",),
        "releases_of": (1, bytes(32), "a"),
        "revoked_session": ("a", bytes(32)), "session_votes": (bytes(32),),
        "identity_slot": (bytes(32), 1), "identity_counter": (bytes(32),), "platform": (bytes(16),),
    }  # fmt: skip
    for name, (make, _) in KINDS.items():
        assert make(*examples[name]).startswith(keys.STATE) == (name in state)
    assert keys.touch("a", "b", 1, 2).startswith(keys.TOUCH)
    assert keys.touch("a", "b", 1, 2) == b"sTa\0b\0" + bytes(7) + b"\x01\x00\x02"


def test_the_layout_names_every_prefix() -> None:
    """The module's own table lists each first byte and each type of state."""
    text = keys.__doc__ or ""
    listed = set(re.findall(r"``([a-z])``", text))
    used = {key[:1].decode() for name, key in SINGLE.items() if name not in PREFIXES}
    assert listed == used | {"e", "t", "o", "p", "s"}
    types = set(re.findall(r"``([A-Z])``", text))
    assert types == set("PABCDFUSQNWHVTKROMXYILE")


parts = names | st.sampled_from(["", "a", "a-", "a/", "~", " "])


@given(st.lists(names | st.sampled_from(["a", "a-b", "a/b", "b"]), unique=True), parts, parts)
def test_ranges_of_names(known: list[str], prefix: str, after: str) -> None:
    """Scans of names and collections hold exactly what starts so and comes after, in order."""
    start, stop = keys.names_from("app", prefix, after)
    wanted = sorted(one for one in known if one.startswith(prefix) and one > after)
    heads = [keys.head_of(place, one) for place in ("ap", "app", "app/a") for one in known]
    found = [key for key in sorted(heads) if start <= key < stop]
    assert [keys.name_of_head(key) for key in found] == wanted
    start, stop = keys.collections_after(after)
    found = [key for key in sorted(map(keys.collection, known)) if start <= key < stop]
    assert [keys.name_of_collection(key) for key in found] == [
        one for one in sorted(known) if one > after
    ]


_releases = st.tuples(release_names | st.sampled_from(["a", "a-b", "a/b"]), release_versions)


@given(st.lists(_releases, unique=True), st.sampled_from(["", "a", "a-b"]), st.none() | _releases)
def test_ranges_of_releases(
    known: list[tuple[str, ReleaseVersion]],
    name: str,
    after: tuple[str, ReleaseVersion] | None,
) -> None:
    """A scan holds the releases of one name, or of all, after a row, by version's numbers."""
    rows = sorted(known)
    if after and name:
        after = (name, after[1])
    start, stop = keys.releases_from(name, (after[0], after[1].packed) if after else None)
    made = {keys.release(one, version.packed): (one, version) for one, version in rows}
    found = [made[key] for key in sorted(made) if start <= key < stop]
    assert [keys.name_of_release(keys.release(one, v.packed)) for one, v in found] == [
        (one, v.packed) for one, v in found
    ]
    past = keys.release(after[0], after[1].packed) if after else b""
    assert set(found) == {
        row for key, row in made.items() if (not name or row[0] == name) and key > past
    }
    for one in {row[0] for row in found}:
        versions = [version for row, version in found if row == one]
        assert versions == sorted(versions)


@given(places, st.lists(st.tuples(u64, u16), unique=True), u64)
def test_ranges_of_touches(place: tuple[str, str], marks: list[tuple[int, int]], at: int) -> None:
    """A scan of touches holds those of one secret from an entry on, in order."""
    start, stop = keys.touches_from(*place, at)
    rows = sorted(keys.touch(*place, *mark) for mark in marks)
    rows.append(keys.touch(place[0], place[1] + "x", at, 0))
    found = [keys.place_of_touch(key) for key in rows if start <= key < stop]
    assert found == sorted(mark for mark in marks if mark[0] >= at)


@given(u64, b32, u64, u64)
def test_the_head_round_trips(size: int, root: bytes, height: int, time_ms: int) -> None:
    """Where the log stands is 57 bytes that come back as they were."""
    head = keys.Head(size, root, height, time_ms)
    assert len(head.encode()) == 57
    assert keys.decode_head(head.encode()) == head


@given(st.binary(max_size=80))
def test_a_head_of_another_format_is_our_fault(data: bytes) -> None:
    """Another width or format number is a StoreError."""
    good = keys.Head(1, bytes(32), 1, 1).encode()
    for wrong in (good[:-1], good + b"\0", b"\x02" + good[1:], b""):
        with pytest.raises(StoreError, match="another format"):
            keys.decode_head(wrong)
    if len(data) != 57 or data[0] != 1:
        with pytest.raises(StoreError, match="another format"):
            keys.decode_head(data)


@given(st.lists(names, unique=True))
def test_the_range_of_collateral(kinds: list[str]) -> None:
    """A scan of collateral finds every record of it, with its name, and nothing else."""
    start, stop = keys.collaterals()
    made = {keys.collateral(one): one for one in kinds}
    assert all(start <= key < stop for key in made)
    assert {keys.name_of_collateral(key): one for key, one in made.items()} == {
        one: one for one in kinds
    }
    others = (keys.identity_counter(bytes(32)), keys.identity_slot(bytes(32), 0))
    assert not any(start <= key < stop for key in (*others, keys.session(bytes(32))))
