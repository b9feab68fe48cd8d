"""Checkpoint texts: three lines, one spelling."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.checkpoint import Checkpoint, decode_checkpoint, encode_checkpoint
from ledger.log.errors import CheckpointError
from ledger.log.merkle import EMPTY_ROOT, MAX_TREE_SIZE

ROOT = bytes(range(32))
ROOT64 = base64.b64encode(ROOT)
GOOD = b"example.org/log/1\n20852163\n" + ROOT64 + b"\n"

checkpoints = st.builds(
    Checkpoint,
    st.text("abcdefghijklmnopqrstuvwxyz./0123456789é", min_size=1, max_size=40),
    st.integers(1, MAX_TREE_SIZE),
    st.binary(min_size=32, max_size=32),
)


def test_the_lines_of_a_checkpoint() -> None:
    """Origin, size and root stand on three lines."""
    checkpoint = Checkpoint("example.org/log/1", 20852163, ROOT)
    assert encode_checkpoint(checkpoint) == GOOD
    assert decode_checkpoint(GOOD) == checkpoint


def test_the_empty_tree() -> None:
    """Size 0 goes with the hash of nothing only."""
    empty = Checkpoint("a", 0, EMPTY_ROOT)
    assert encode_checkpoint(empty) == b"a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    assert decode_checkpoint(encode_checkpoint(empty)) == empty
    with pytest.raises(CheckpointError):
        decode_checkpoint(b"a\n0\n" + ROOT64 + b"\n")


@given(checkpoints)
def test_checkpoints_round_trip(checkpoint: Checkpoint) -> None:
    """A text gives the checkpoint back."""
    assert decode_checkpoint(encode_checkpoint(checkpoint)) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n\n\n",
        GOOD[:-1],
        GOOD + b"\n",
        GOOD + b"extension\n",
        GOOD + b"x",
        GOOD.replace(b"2085", b"02085"),
        GOOD.replace(b"2085", b"+2085"),
        GOOD.replace(b"2085", b"-2085"),
        GOOD.replace(b"2085", b"2_085"),
        GOOD.replace(b"2085", b" 2085"),
        GOOD.replace(b"20852163", b""),
        GOOD.replace(b"20852163", b"9223372036854775808"),
        GOOD.replace(b"20852163", b"1" * 5000),
        GOOD.replace(b"20852163", "٣".encode()),
        GOOD.replace(b"\n2085", b"\r\n2085"),
        GOOD.replace(b"example.org/log/1", b""),
        GOOD.replace(b"example.org/log/1", b"example org"),
        GOOD.replace(b"example.org/log/1", b"example+org"),
        GOOD.replace(b"example.org/log/1", b"\xff"),
        GOOD.replace(b"example.org/log/1", b"a" * 256),
        GOOD.replace(ROOT64, ROOT64[:-1]),
        GOOD.replace(ROOT64, ROOT64[:-4]),
        GOOD.replace(ROOT64, ROOT64 + b"AAAA"),
        GOOD.replace(ROOT64, ROOT64[:-2] + b"9="),
    ],
)
def test_every_other_spelling_is_refused(text: bytes) -> None:
    """Extension lines, loose numbers, loose base64 and impossible origins are refused."""
    with pytest.raises(CheckpointError):
        decode_checkpoint(text)


@pytest.mark.parametrize(
    "origin, size, root",
    [("", 1, ROOT), ("a b", 1, ROOT), ("a", -1, ROOT), ("a", 2**63, ROOT), ("a", 1, ROOT[1:])],
)
def test_impossible_checkpoints_do_not_exist(origin: str, size: int, root: bytes) -> None:
    """A Checkpoint checks its parts when it is made."""
    with pytest.raises(CheckpointError):
        Checkpoint(origin, size, root)


@given(st.data())
def test_mutated_checkpoints_are_refused_or_other_checkpoints(data: st.DataObject) -> None:
    """One changed byte gives a CheckpointError, or a checkpoint that re-encodes to it."""
    changed = bytearray(GOOD)
    changed[data.draw(st.integers(0, len(GOOD) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        checkpoint = decode_checkpoint(bytes(changed))
    except CheckpointError:
        return
    assert encode_checkpoint(checkpoint) == bytes(changed)


@given(st.binary(max_size=120) | st.lists(st.binary(max_size=50), max_size=5).map(b"\n".join))
def test_random_texts_raise_only_checkpoint_errors(text: bytes) -> None:
    """Random bytes are refused, or are the spelling of what they decode to."""
    try:
        checkpoint = decode_checkpoint(text)
    except CheckpointError:
        return
    assert encode_checkpoint(checkpoint) == text
