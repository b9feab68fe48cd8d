"""Signed notes and verifier keys: published examples, one spelling, bounds."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.errors import NoteError
from ledger.log.note import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    Note,
    SignatureLine,
    SignatureType,
    VerifierKey,
    decode_note,
    decode_signature_lines,
    decode_vkey,
    encode_note,
    encode_signature_line,
    encode_vkey,
    is_line_of,
    sign_note,
    verify_note_signature,
)
from tests.support.log_signers import cosigner, log_signer
from tests.support.log_vectors import PUBLIC

EXAMPLE: dict[str, Any] = json.loads(PUBLIC.read_text(encoding="utf-8"))["signed_note_example"]
TEXT = b"one\n\ntwo\n"
LOG = log_signer("log.example.org/1")
LINE = LOG.line(TEXT)
DASH = "\u2014 ".encode()
GOOD = encode_note(Note(TEXT, (LINE,)))

names = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Z"), exclude_characters="+"), max_size=20
)


def line_of(name: bytes, body: bytes) -> bytes:
    """A note with one signature line made of these bytes."""
    return TEXT + b"\n" + DASH + name + b" " + body + b"\n"


def test_the_example_of_the_specification() -> None:
    """The specification's note decodes, verifies, and re-encodes with its key to the same bytes."""
    key = decode_vkey(EXAMPLE["vkey"])
    data = EXAMPLE["note"].encode()
    note = decode_note(data)
    assert (key.name, key.kind) == ("example.com/foo", SignatureType.ED25519)
    assert key.key_id.hex() == "530d903a"
    assert encode_vkey(key) == EXAMPLE["vkey"]
    assert encode_note(note) == data
    verify_note_signature(note.text, note.signatures[0], key)
    with pytest.raises(NoteError, match="does not verify"):
        verify_note_signature(note.text + b"\n", note.signatures[0], key)


def test_signing_and_verifying() -> None:
    """A signature verifies under its own key, text and type only."""
    verify_note_signature(TEXT, LINE, LOG.key)
    assert is_line_of(LINE, LOG.key)
    with pytest.raises(NoteError, match="not by this key"):
        verify_note_signature(TEXT, LINE, log_signer("log.example.org/2").key)
    same_name = VerifierKey(LOG.key.name, SignatureType.COSIGNATURE, LOG.key.public_key)
    assert not is_line_of(LINE, same_name)
    with pytest.raises(NoteError, match="not by this key"):
        verify_note_signature(
            TEXT, SignatureLine(LINE.name, same_name.key_id, bytes(64)), same_name
        )


@pytest.mark.parametrize("signature", [bytes(63), bytes(64), bytes(65), b"\xff" * 64])
def test_other_signatures_do_not_verify(signature: bytes) -> None:
    """Signatures of other lengths and values are NoteErrors."""
    line = SignatureLine(LINE.name, LINE.key_id, signature)
    with pytest.raises(NoteError, match="does not verify"):
        verify_note_signature(TEXT, line, LOG.key)


def test_signing_refuses_what_cannot_be_signed() -> None:
    """A cosigner's key, a text without newline and a wrong signer are refused."""
    with pytest.raises(NoteError, match="type 0x01"):
        sign_note(TEXT, key=cosigner("a").key, sign=LOG.signing.sign)
    with pytest.raises(NoteError, match="newline"):
        sign_note(b"text", key=LOG.key, sign=LOG.signing.sign)
    with pytest.raises(NoteError, match="63 bytes"):
        sign_note(TEXT, key=LOG.key, sign=lambda _: bytes(63))


def test_the_text_ends_at_the_last_empty_line() -> None:
    """Empty lines inside the text belong to the text."""
    assert decode_note(GOOD) == Note(TEXT, (LINE,))


def test_unknown_signatures_are_kept() -> None:
    """Lines of other names, types and lengths decode and re-encode in their order."""
    lines = (
        SignatureLine("other", b"abcd", b"x"),
        LINE,
        SignatureLine("ünïcode/é", b"\0\0\0\0", bytes(3300)),
    )
    note = Note(TEXT, lines)
    assert decode_note(encode_note(note)) == note
    answer = b"".join(map(encode_signature_line, lines))
    assert decode_signature_lines(answer) == lines


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\n\n",
        TEXT,
        TEXT + b"\n",
        GOOD[:-1],
        GOOD + b"\n",
        GOOD + b"x",
        GOOD.replace(b"one", b"o\te"),
        GOOD.replace(b"one", b"o\x00e"),
        GOOD.replace(b"one", b"one\r"),
        GOOD.replace(b"one", b"\xff"),
        GOOD.replace(DASH, b"- "),
        GOOD.replace(DASH, DASH + b" "),
        GOOD.replace(b"/1 ", b"/1"),
        GOOD.replace(b"/1 ", b"/1  "),
        line_of(b"", b"YWJjZGU="),
        line_of(b"a+b", b"YWJjZGU="),
        line_of(b"a b", b"YWJjZGU="),
        line_of("a\u00a0b".encode(), b"YWJjZGU="),
        line_of("a\u2003b".encode(), b"YWJjZGU="),
        line_of("a\u3000b".encode(), b"YWJjZGU="),
        line_of("a\u0085b".encode(), b"YWJjZGU="),
        line_of(b"a\x1fb", b"YWJjZGU="),
        line_of(b"a\xff", b"YWJjZGU="),
        line_of(b"a", b""),
        line_of(b"a", b"YWJjZA=="),
        line_of(b"a", b"YWJjZGU"),
        line_of(b"a", b"YWJjZGV="),
        line_of(b"a", b"YWJj_GU="),
        line_of(b"a", b"YWJjZGU=="),
        line_of(b"a", b"YWJj\xffGU="),
    ],
)
def test_every_other_spelling_of_a_note_is_refused(data: bytes) -> None:
    """Control characters, spaces in names, loose base64, missing newlines are NoteErrors."""
    assert decode_note(line_of(b"a", b"YWJjZGU=")).signatures[0].signature == b"e"
    with pytest.raises(NoteError):
        decode_note(data)


def test_limits_of_a_note() -> None:
    """A note has at most 64 KiB and 100 signatures, and at least one."""
    lines = [SignatureLine(f"key{number}", b"abcd", b"x") for number in range(101)]
    most = Note(TEXT, tuple(lines[:MAX_SIGNATURES]))
    assert decode_note(encode_note(most)) == most
    for bad in ((), tuple(lines)):
        with pytest.raises(NoteError, match="signatures"):
            encode_note(Note(TEXT, bad))
    data = encode_note(most) + encode_signature_line(lines[100])
    with pytest.raises(NoteError, match="101 signatures"):
        decode_note(data)
    text = b"x" * (MAX_NOTE_BYTES - len(GOOD) + len(TEXT) - 1) + b"\n"
    largest = Note(text, (LINE,))
    assert decode_note(encode_note(largest)) == largest
    with pytest.raises(NoteError, match="65537 bytes"):
        encode_note(Note(b"x" + text, (LINE,)))
    with pytest.raises(NoteError, match="65537 bytes"):
        decode_note(b"x" + encode_note(largest))
    with pytest.raises(NoteError, match="at most"):
        decode_signature_lines(bytes(MAX_NOTE_BYTES + 1))


@pytest.mark.parametrize(
    "note",
    [
        Note(b"", (LINE,)),
        Note(b"no newline", (LINE,)),
        Note(b"tab\t\n", (LINE,)),
        Note(b"\xff\n", (LINE,)),
        Note(TEXT, (SignatureLine("a", b"abc", b"x"),)),
        Note(TEXT, (SignatureLine("a", b"abcd", b""),)),
        Note(TEXT, (SignatureLine("", b"abcd", b"x"),)),
        Note(TEXT, (SignatureLine("a\nb", b"abcd", b"x"),)),
        Note(TEXT, (SignatureLine("\ud800", b"abcd", b"x"),)),
    ],
)
def test_impossible_notes_are_not_encoded(note: Note) -> None:
    """What would not decode is not encoded."""
    with pytest.raises(NoteError):
        encode_note(note)


@given(names.filter(bool), st.binary(min_size=32, max_size=32), st.sampled_from(SignatureType))
def test_verifier_keys_round_trip(name: str, public_key: bytes, kind: SignatureType) -> None:
    """A vkey string gives the key back; plus signs inside the base64 do no harm."""
    key = VerifierKey(name, kind, public_key)
    assert decode_vkey(encode_vkey(key)) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a+530d903a",
        EXAMPLE["vkey"] + "=",
        EXAMPLE["vkey"].replace("530d903a", "530d903b"),
        EXAMPLE["vkey"].replace("530d903a", "530D903A"),
        EXAMPLE["vkey"].replace("example.com/foo", "example.com/fop"),
        EXAMPLE["vkey"].replace("example.com/foo", ""),
        EXAMPLE["vkey"][:-4],
        "example.com/foo+530d903a+" + base64.b64encode(b"\x02" + bytes(32)).decode(),
        "example.com/foo+530d903a+" + base64.b64encode(b"").decode(),
        "example.com/foo+530d903a+\ud800",
    ],
)
def test_other_verifier_keys_are_refused(text: str) -> None:
    """Wrong id, other case, other name, other length and unknown types are NoteErrors."""
    with pytest.raises(NoteError):
        decode_vkey(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n", "é" * 128, "\ud800"])
def test_keys_have_names_that_lines_can_carry(name: str) -> None:
    """A key's name is 1 to 255 bytes without space, plus or control character."""
    with pytest.raises(NoteError):
        VerifierKey(name, SignatureType.ED25519, bytes(32))


def test_a_public_key_has_32_bytes() -> None:
    """Any other length is a NoteError."""
    with pytest.raises(NoteError, match="31 bytes"):
        VerifierKey("a", SignatureType.ED25519, bytes(31))


@given(st.data())
def test_mutated_notes_are_refused_or_other_notes(data: st.DataObject) -> None:
    """One changed byte gives a NoteError, or a note that re-encodes and no longer verifies."""
    at = data.draw(st.integers(0, len(GOOD) - 1))
    changed = bytearray(GOOD)
    changed[at] ^= data.draw(st.integers(1, 255))
    try:
        note = decode_note(bytes(changed))
    except NoteError:
        return
    assert encode_note(note) == bytes(changed)
    for line in note.signatures:
        with pytest.raises(NoteError):
            verify_note_signature(note.text, line, LOG.key)


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: GOOD[:-20] + tail))
def test_random_notes_raise_only_note_errors(data: bytes) -> None:
    """Random bytes are a note that re-encodes to them, or a NoteError."""
    try:
        note = decode_note(data)
    except NoteError:
        return
    assert encode_note(note) == data


@given(st.text(max_size=80))
def test_random_verifier_keys_raise_only_note_errors(text: str) -> None:
    """Random text is refused as a key."""
    with pytest.raises(NoteError):
        decode_vkey(text)
