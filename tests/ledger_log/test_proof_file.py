"""tlog-proof files: strict lines, bounds, and verification of the whole."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.checkpoint import Checkpoint
from ledger.log.errors import LogError, NoteError, ProofError, QuorumError
from ledger.log.note import MAX_NOTE_BYTES, Note, SignatureLine, encode_note
from ledger.log.proof_file import (
    MAX_EXTRA_BYTES,
    MAX_LINE_BYTES,
    MAX_PROOF_FILE_BYTES,
    ProofFile,
    decode_proof_file,
    encode_proof_file,
    verify_proof_file,
)
from tests.support.log_reference import path_of, root_of, synthetic_leaves
from tests.support.log_signers import cosigner, log_signer, rule_of, signed_note

ORIGIN = "example.org/log/1"
LOG, CORE = log_signer(ORIGIN), cosigner("core.example.org")
RULE = rule_of(LOG, [(CORE, "operator")], 1)
LEAVES = synthetic_leaves(11)
NOTE = signed_note(Checkpoint(ORIGIN, 11, root_of(LEAVES)), [LOG, CORE])
PROOF = ProofFile(6, tuple(path_of(6, LEAVES)), NOTE, b"opened")
GOOD = encode_proof_file(PROOF)
HASH_LINE = GOOD.split(b"\n")[3] + b"\n"
LARGEST_NOTE = encode_note(
    Note(b"x" * (MAX_NOTE_BYTES - 17) + b"\n", (SignatureLine("a", b"abcd", b"e"),))
)


def test_the_lines_of_a_proof_file() -> None:
    """Header, extra, index, hashes, empty line, checkpoint."""
    lines = GOOD.split(b"\n")
    assert lines[0] == b"c2sp.org/tlog-proof@v1"
    assert lines[1] == b"extra b3BlbmVk"
    assert lines[2] == b"index 6"
    assert lines[3 + len(PROOF.hashes)] == b""
    assert GOOD.endswith(b"\n\n" + NOTE)
    assert decode_proof_file(GOOD) == PROOF


def test_a_whole_proof_verifies() -> None:
    """A leaf under a certified checkpoint is shown, with and without extra."""
    for proof in (PROOF, replace(PROOF, extra=None)):
        decoded = decode_proof_file(encode_proof_file(proof))
        certified = verify_proof_file(decoded, leaf_hash=LEAVES[6], rule=RULE)
        assert certified.checkpoint.size == 11


def test_a_tree_of_one_entry_needs_no_hashes() -> None:
    """The proof of a single leaf has no hash lines."""
    note = signed_note(Checkpoint(ORIGIN, 1, LEAVES[0]), [LOG, CORE])
    data = encode_proof_file(ProofFile(0, (), note))
    assert data == b"c2sp.org/tlog-proof@v1\nindex 0\n\n" + note
    verify_proof_file(decode_proof_file(data), leaf_hash=LEAVES[0], rule=RULE)


def test_what_does_not_hold_is_refused() -> None:
    """Another leaf, another index, changed hashes and an uncertified checkpoint are refused."""
    with pytest.raises(ProofError):
        verify_proof_file(PROOF, leaf_hash=LEAVES[5], rule=RULE)
    with pytest.raises(ProofError):
        verify_proof_file(replace(PROOF, index=7), leaf_hash=LEAVES[6], rule=RULE)
    with pytest.raises(ProofError):
        verify_proof_file(replace(PROOF, index=11), leaf_hash=LEAVES[6], rule=RULE)
    with pytest.raises(ProofError):
        verify_proof_file(replace(PROOF, hashes=PROOF.hashes[::-1]), leaf_hash=LEAVES[6], rule=RULE)
    uncertified = signed_note(Checkpoint(ORIGIN, 11, root_of(LEAVES)), [LOG])
    with pytest.raises(QuorumError):
        verify_proof_file(replace(PROOF, checkpoint=uncertified), leaf_hash=LEAVES[6], rule=RULE)
    with pytest.raises(NoteError):
        verify_proof_file(replace(PROOF, checkpoint=b""), leaf_hash=LEAVES[6], rule=RULE)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD[1:],
        GOOD.replace(b"@v1", b"@v2"),
        GOOD.replace(b"@v1\n", b"@v1\r\n"),
        GOOD.replace(b"@v1\n", b"@v1\n\n"),
        GOOD.replace(b"extra b3BlbmVk", b"extra "),
        GOOD.replace(b"extra b3BlbmVk", b"extra"),
        GOOD.replace(b"extra b3BlbmVk", b"extra  b3BlbmVk"),
        GOOD.replace(b"extra b3BlbmVk", b"extra b3BlbmV"),
        GOOD.replace(b"extra b3BlbmVk\n", b"extra b3BlbmVk\nextra b3BlbmVk\n"),
        GOOD.replace(b"extra b3BlbmVk\nindex 6\n", b"index 6\nextra b3BlbmVk\n"),
        GOOD.replace(b"index 6\n", b""),
        GOOD.replace(b"index 6", b"index 06"),
        GOOD.replace(b"index 6", b"index  6"),
        GOOD.replace(b"index 6", b"index -6"),
        GOOD.replace(b"index 6", b"index 9223372036854775807"),
        GOOD.replace(b"index 6", b"Index 6"),
        GOOD.replace(HASH_LINE, HASH_LINE[:-2] + b"\n"),
        GOOD.replace(HASH_LINE, b"AAAA\n"),
        GOOD.replace(HASH_LINE, HASH_LINE * 61),
        GOOD.replace(HASH_LINE, HASH_LINE * 70),
        GOOD.replace(HASH_LINE, b" " + HASH_LINE),
        GOOD.replace(b"\n\n", b"\n", 1),
        GOOD.replace(b"\n\n", b"\n\n\n", 1)[:-1],
        GOOD[:-1],
        GOOD + b"\n",
        GOOD[: -len(NOTE)],
        b"c2sp.org/tlog-proof@v1\nextra b3BlbmVk\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\n\n" + NOTE,
        bytes(MAX_PROOF_FILE_BYTES + 1),
    ],
)
def test_every_other_spelling_is_refused(data: bytes) -> None:
    """Lines out of place, loose numbers and base64, or a broken checkpoint are ProofErrors."""
    with pytest.raises(ProofError):
        decode_proof_file(data)


def test_the_largest_proof_file() -> None:
    """All bounds at once fit and round-trip; one more byte or hash of anything does not."""
    largest = ProofFile(2**63 - 2, (LEAVES[0],) * 63, LARGEST_NOTE, bytes(MAX_EXTRA_BYTES))
    data = encode_proof_file(largest)
    assert decode_proof_file(data) == largest
    assert max(map(len, data.split(b"\n\n")[0].splitlines(keepends=True))) <= MAX_LINE_BYTES
    assert len(data) <= MAX_PROOF_FILE_BYTES
    for bad in (
        replace(largest, index=2**63 - 1),
        replace(largest, index=-1),
        replace(largest, hashes=(LEAVES[0],) * 64),
        replace(largest, hashes=(b"short",)),
        replace(largest, checkpoint=b"x" + LARGEST_NOTE),
        replace(largest, extra=bytes(MAX_EXTRA_BYTES + 1)),
        replace(largest, extra=b""),
    ):
        with pytest.raises(ProofError):
            encode_proof_file(bad)
    too_long = data.replace(b"extra ", b"extra AAAA", 1)
    with pytest.raises(ProofError, match="extra line"):
        decode_proof_file(too_long.replace(LARGEST_NOTE, NOTE))


@given(
    st.integers(0, 2**63 - 2),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    st.none() | st.binary(min_size=1, max_size=200),
)
def test_proof_files_round_trip(index: int, hashes: list[bytes], extra: bytes | None) -> None:
    """A file gives its parts back."""
    proof = ProofFile(index, tuple(hashes), NOTE, extra)
    assert decode_proof_file(encode_proof_file(proof)) == proof


@given(st.data())
def test_mutated_proof_files_prove_nothing_else(data: st.DataObject) -> None:
    """One changed byte is a LogError, or changed only what is not authenticated: `extra`."""
    changed = bytearray(GOOD)
    changed[data.draw(st.integers(0, len(GOOD) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        proof = decode_proof_file(bytes(changed))
        verify_proof_file(proof, leaf_hash=LEAVES[6], rule=RULE)
    except LogError:
        return
    assert encode_proof_file(proof) == bytes(changed)
    assert replace(proof, extra=b"opened") == PROOF
    assert proof != PROOF


def _is_no_whole_note(cut: bytes) -> bool:
    """Without its last signature lines a note is whole: only the quorum rule can miss them."""
    return not (cut.endswith(b"\n") and "\N{EM DASH} ".encode() in cut)


@given(
    st.binary(max_size=300)
    | st.binary(max_size=200).map(lambda tail: b"c2sp.org/tlog-proof@v1\n" + tail)
    | st.integers(0, len(GOOD) - 1).map(lambda at: GOOD[:at]).filter(_is_no_whole_note)
)
def test_random_and_cut_proof_files_raise_only_proof_errors(data: bytes) -> None:
    """Nothing but a ProofError comes of other bytes."""
    with pytest.raises(ProofError):
        decode_proof_file(data)
