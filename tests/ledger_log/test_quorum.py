"""Quorum rules: what certifies a checkpoint, and every way in which a note fails to."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.checkpoint import Checkpoint, encode_checkpoint
from ledger.log.errors import LogError, NoteError, QuorumError
from ledger.log.note import (
    Note,
    SignatureLine,
    SignatureType,
    VerifierKey,
    decode_note,
    decode_vkey,
    encode_note,
)
from ledger.log.quorum import Cosigned, Cosigner, QuorumRule, verify_certified, verify_quorum
from tests.support.log_signers import TIME_S, TestSigner, cosigner, log_signer, signed_note
from tests.support.log_vectors import PUBLIC

ORIGIN = "example.org/log/1"
LOG = log_signer(ORIGIN)
CORES = [cosigner(f"core-{number}.example.org") for number in range(4)]
WITNESSES = [cosigner(f"witness-{number}.example.org") for number in range(2)]
STRANGER = cosigner("stranger.example.org")
CHECKPOINT = Checkpoint(ORIGIN, 7, bytes(range(32)))
TEXT = encode_checkpoint(CHECKPOINT)

RULE = QuorumRule(
    log_key=LOG.key,
    cosigners=tuple(Cosigner(core.key, f"operator-{at}") for at, core in enumerate(CORES)),
    threshold=3,
    witnesses=tuple(witness.key for witness in WITNESSES),
    witness_threshold=1,
)
ENOUGH = [LOG, *CORES[:3], WITNESSES[0]]


def note_of(*lines: SignatureLine) -> bytes:
    """A note of the checkpoint with these lines."""
    return encode_note(Note(TEXT, lines))


def test_enough_signatures_certify() -> None:
    """Log key, three operators and one witness certify, in any order."""
    for signers in (ENOUGH, ENOUGH[::-1]):
        certified = verify_certified(signed_note(CHECKPOINT, signers), RULE)
        assert certified.checkpoint == CHECKPOINT
        assert certified.time_s == TIME_S
        assert {one.name for one in certified.cosigned} == {core.key.name for core in CORES[:3]}
        assert certified.witnessed == (Cosigned(WITNESSES[0].key.name, TIME_S),)


def test_a_published_checkpoint_is_certified() -> None:
    """A public log's checkpoint satisfies a rule of its log key and four real witnesses."""
    published = json.loads(PUBLIC.read_text(encoding="utf-8"))["published_checkpoint"]
    keys = [decode_vkey(vkey) for vkey in published["witness_vkeys"]]
    rule = QuorumRule(
        log_key=decode_vkey(published["log_vkey"]),
        cosigners=(Cosigner(keys[0], "one"), Cosigner(keys[1], "two")),
        threshold=2,
        witnesses=(keys[2], keys[3]),
        witness_threshold=2,
    )
    note = published["note"].encode()
    certified = verify_certified(note, rule)
    assert certified.checkpoint.size == published["size"]
    assert certified.time_s == published["time_s"]
    with pytest.raises(NoteError, match="does not verify"):
        verify_certified(note.replace(b"1432088532", b"1432088531"), rule)


@pytest.mark.parametrize("missing", range(len(ENOUGH)))
def test_each_of_them_is_needed(missing: int) -> None:
    """Without the log key, one operator or the witness the note is not certified."""
    signers = [signer for at, signer in enumerate(ENOUGH) if at != missing]
    with pytest.raises(QuorumError):
        verify_certified(signed_note(CHECKPOINT, signers), RULE)


def test_cosigned_needs_neither_log_key_nor_witness() -> None:
    """The cores' quorum alone is what the log key asks for; without it there is an error."""
    cosigned = verify_quorum(signed_note(CHECKPOINT, CORES[1:]), RULE)
    assert (cosigned.checkpoint, cosigned.time_s) == (CHECKPOINT, TIME_S)
    with pytest.raises(QuorumError, match="2 operators, 3 needed"):
        verify_quorum(signed_note(CHECKPOINT, [LOG, *CORES[:2], *WITNESSES]), RULE)


def test_operators_are_counted_not_keys() -> None:
    """Four keys of two operators are two votes."""
    operators = ("one", "one", "one", "two")
    cosigners = tuple(
        Cosigner(core.key, operator) for core, operator in zip(CORES, operators, strict=True)
    )
    rule = replace(RULE, cosigners=cosigners, threshold=2)
    assert verify_quorum(signed_note(CHECKPOINT, CORES), rule).checkpoint == CHECKPOINT
    with pytest.raises(QuorumError, match="1 operators, 2 needed"):
        verify_quorum(signed_note(CHECKPOINT, CORES[:3]), rule)


def test_witnesses_are_no_cosigners() -> None:
    """Neither kind counts for the other, and strangers count for none."""
    with pytest.raises(QuorumError, match="operators"):
        verify_certified(signed_note(CHECKPOINT, [LOG, *CORES[:2], *WITNESSES, STRANGER]), RULE)
    with pytest.raises(QuorumError, match="0 witnesses, 1 needed"):
        verify_certified(signed_note(CHECKPOINT, [LOG, *CORES, STRANGER]), RULE)


def test_the_time_is_what_the_threshold_of_operators_reached() -> None:
    """A fast clock does not make a checkpoint fresh, an operator's slow key does not age it."""
    lines = [LOG.line(TEXT), WITNESSES[1].line(TEXT, 5)]
    lines += [
        core.line(TEXT, time_s) for core, time_s in zip(CORES, (400, 100, 300, 200), strict=True)
    ]
    certified = verify_certified(note_of(*lines), RULE)
    assert certified.time_s == 200
    two_keys = replace(
        RULE,
        cosigners=tuple(
            Cosigner(core.key, operator)
            for core, operator in zip(CORES, ("a", "a", "b", "b"), strict=True)
        ),
        threshold=2,
    )
    assert verify_quorum(note_of(*lines), two_keys).time_s == 300


@pytest.mark.parametrize("signer", [*ENOUGH, CORES[3], WITNESSES[1]])
def test_one_bad_line_by_a_known_key_spoils_the_note(signer: TestSigner) -> None:
    """Even beyond the quorum, a known key's line must verify."""
    others = [one.line(TEXT) for one in ENOUGH if one is not signer]
    stolen = replace(signer.line(b"other\n"), name=signer.key.name)
    good, bad = note_of(*others, signer.line(TEXT)), note_of(*others, stolen)
    assert verify_certified(good, RULE).checkpoint == CHECKPOINT
    for verify in (verify_certified, verify_quorum):
        with pytest.raises(NoteError, match="does not verify"):
            verify(bad, RULE)


def test_unknown_lines_are_ignored() -> None:
    """Other names, other ids under a known name and duplicates of unknown lines change nothing."""
    noise = [
        SignatureLine("grease.example.org", b"abcd", bytes(64)),
        SignatureLine("grease.example.org", b"abcd", bytes(64)),
        SignatureLine(ORIGIN, b"\0\0\0\0", b"x"),
        SignatureLine(CORES[0].key.name, b"\0\0\0\0", bytes(72)),
        SignatureLine("other", CORES[0].key.key_id, bytes(72)),
    ]
    lines = [one.line(TEXT) for one in ENOUGH]
    assert verify_certified(note_of(*noise, *lines), RULE).checkpoint == CHECKPOINT
    with pytest.raises(QuorumError):
        verify_certified(note_of(*noise, *lines[:-1]), RULE)


@pytest.mark.parametrize("signer", ENOUGH)
def test_two_lines_by_one_key_are_refused(signer: TestSigner) -> None:
    """A known key signs a note once, whatever the times say."""
    lines = [one.line(TEXT) for one in ENOUGH]
    with pytest.raises(QuorumError, match="two signature lines"):
        verify_certified(note_of(*lines, signer.line(TEXT, TIME_S + 1)), RULE)


def test_another_log_is_refused() -> None:
    """The origin must be the rule's, even if everybody signed."""
    other = Checkpoint("example.org/log/2", 7, bytes(32))
    for verify in (verify_certified, verify_quorum):
        with pytest.raises(QuorumError, match="another origin"):
            verify(signed_note(other, ENOUGH), RULE)
    assert RULE.origin == ORIGIN


def test_a_note_that_is_no_checkpoint_is_refused() -> None:
    """An extension line is refused although every signature covers it."""
    text = TEXT + b"extension\n"
    note = encode_note(Note(text, tuple(one.line(text) for one in ENOUGH)))
    with pytest.raises(LogError, match="three lines"):
        verify_certified(note, RULE)


def test_signatures_do_not_move_to_another_checkpoint() -> None:
    """Lines of one checkpoint do not certify another size."""
    signed = decode_note(signed_note(CHECKPOINT, ENOUGH))
    other = encode_checkpoint(replace(CHECKPOINT, size=8))
    with pytest.raises(NoteError, match="does not verify"):
        verify_certified(encode_note(Note(other, signed.signatures)), RULE)


@pytest.mark.parametrize(
    "change",
    [
        {"cosigners": ()},
        {"threshold": 0},
        {"threshold": -1},
        {"threshold": 5},
        {"witness_threshold": -1},
        {"witness_threshold": 3},
        {"log_key": CORES[0].key},
        {"log_key": VerifierKey(ORIGIN, SignatureType.COSIGNATURE, LOG.key.public_key)},
        {"witnesses": (LOG.key,)},
        {"witnesses": (CORES[0].key,)},
        {"witnesses": (WITNESSES[0].key, WITNESSES[0].key)},
        {"witnesses": (WITNESSES[0].key, replace(WITNESSES[0].key, name="other"))},
        {"witnesses": (WITNESSES[0].key, replace(WITNESSES[1].key, name=WITNESSES[0].key.name))},
        {"witnesses": (VerifierKey("w", SignatureType.COSIGNATURE, LOG.key.public_key),)},
        {"cosigners": (*RULE.cosigners, RULE.cosigners[0])},
        {"cosigners": (*RULE.cosigners, replace(RULE.cosigners[0], operator="other"))},
        {"cosigners": (*RULE.cosigners, Cosigner(log_signer("x").key, "other"))},
        {"cosigners": (*RULE.cosigners, Cosigner(STRANGER.key, ""))},
        {"cosigners": tuple(Cosigner(cosigner(f"c{n}").key, f"o{n}") for n in range(101))},
        {"cosigners": tuple(Cosigner(core.key, "one") for core in CORES)},
    ],
)
def test_impossible_rules_are_refused(change: dict[str, Any]) -> None:
    """No cosigners, thresholds out of reach, wrong key types and keys used twice make no rule."""
    with pytest.raises(QuorumError):
        replace(RULE, **change)


@given(st.sets(st.sampled_from(range(7))), st.integers(1, 4), st.integers(0, 2))
def test_counting_agrees_with_the_definition(
    chosen: set[int], threshold: int, witness_threshold: int
) -> None:
    """Whoever signs, the note is certified exactly if the three counts are reached."""
    rule = replace(RULE, threshold=threshold, witness_threshold=witness_threshold)
    everybody = [LOG, *CORES, *WITNESSES]
    signers = [everybody[at] for at in sorted(chosen)] or [STRANGER]
    note = signed_note(CHECKPOINT, signers)
    has_quorum = len(chosen & {1, 2, 3, 4}) >= threshold
    is_certified = has_quorum and 0 in chosen and len(chosen & {5, 6}) >= witness_threshold
    for verify, expected in ((verify_quorum, has_quorum), (verify_certified, is_certified)):
        if expected:
            verify(note, rule)
        else:
            with pytest.raises(QuorumError):
                verify(note, rule)


CERTIFIED = signed_note(CHECKPOINT, ENOUGH)


@given(st.data())
def test_mutated_certified_notes_are_log_errors(data: st.DataObject) -> None:
    """With exactly enough signatures, changing any one byte is a LogError."""
    changed = bytearray(CERTIFIED)
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(LogError):
        verify_certified(bytes(changed), RULE)


@given(st.binary(max_size=300) | st.integers(0, len(CERTIFIED) - 1).map(lambda at: CERTIFIED[:at]))
def test_random_and_cut_notes_are_log_errors(data: bytes) -> None:
    """Nothing but a LogError comes of other bytes."""
    with pytest.raises(LogError):
        verify_certified(data, RULE)
