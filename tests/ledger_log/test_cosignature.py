"""Cosignatures: published ones of outside witnesses verify, ours bind text and time."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.crypto import ed25519
from ledger.log.checkpoint import Checkpoint, encode_checkpoint
from ledger.log.cosignature import MAX_TIME_S, cosign, cosignature_message, verify_cosignature
from ledger.log.errors import NoteError
from ledger.log.note import (
    SignatureLine,
    SignatureType,
    VerifierKey,
    decode_note,
    decode_vkey,
    is_line_of,
    verify_note_signature,
)
from tests.support.log_signers import TIME_S, cosigner, log_signer
from tests.support.log_vectors import PUBLIC

PUBLISHED: dict[str, Any] = json.loads(PUBLIC.read_text(encoding="utf-8"))["published_checkpoint"]
TEXT = encode_checkpoint(Checkpoint("example.org/log/1", 7, bytes(32)))
CORE = cosigner("core.example.org")


@pytest.mark.parametrize("vkey", PUBLISHED["witness_vkeys"])
def test_published_cosignatures_verify(vkey: str) -> None:
    """Cosignatures by four independent witnesses verify and carry their time."""
    note = decode_note(PUBLISHED["note"].encode())
    key = decode_vkey(vkey)
    (line,) = [line for line in note.signatures if is_line_of(line, key)]
    assert verify_cosignature(note.text, line, key) == PUBLISHED["time_s"]
    with pytest.raises(NoteError, match="does not verify"):
        verify_cosignature(note.text.replace(b"1432088532", b"1432088533"), line, key)


def test_the_published_log_signature_verifies() -> None:
    """The log's own line verifies beside its line of another type under the same name."""
    note = decode_note(PUBLISHED["note"].encode())
    key = decode_vkey(PUBLISHED["log_vkey"])
    (line,) = [line for line in note.signatures if is_line_of(line, key)]
    verify_note_signature(note.text, line, key)


def test_the_signed_message() -> None:
    """Two lines, then the whole text."""
    assert cosignature_message(TEXT, 1679315147) == b"cosignature/v1\ntime 1679315147\n" + TEXT


@given(st.integers(1, MAX_TIME_S))
def test_the_time_comes_back(time_s: int) -> None:
    """Verifying returns the time that was signed."""
    line = CORE.line(TEXT, time_s)
    assert line.signature[:8] == time_s.to_bytes(8, "big")
    assert verify_cosignature(TEXT, line, CORE.key) == time_s


@pytest.mark.parametrize("time_s", [0, -1, 2**63])
def test_impossible_times_are_not_signed(time_s: int) -> None:
    """A cosignature's time is never 0 and fits 63 bits."""
    with pytest.raises(NoteError, match="time"):
        CORE.line(TEXT, time_s)


@pytest.mark.parametrize("time_s", [0, 2**63, 2**64 - 1])
def test_signed_impossible_times_are_refused(time_s: int) -> None:
    """Even with a good signature, such a time is no cosignature."""
    message = b"cosignature/v1\ntime %d\n%b" % (time_s, TEXT)
    payload = time_s.to_bytes(8, "big") + CORE.signing.sign(message)
    line = SignatureLine(CORE.key.name, CORE.key.key_id, payload)
    assert ed25519.is_valid(CORE.key.public_key, payload[8:], message)
    with pytest.raises(NoteError, match="time"):
        verify_cosignature(TEXT, line, CORE.key)


def test_every_changed_byte_is_refused() -> None:
    """Neither time nor signature can change."""
    line = CORE.line(TEXT)
    for at in range(len(line.signature)):
        changed = bytearray(line.signature)
        changed[at] ^= 1
        with pytest.raises(NoteError):
            verify_cosignature(
                TEXT, SignatureLine(line.name, line.key_id, bytes(changed)), CORE.key
            )


@pytest.mark.parametrize("length", [0, 8, 64, 71, 73, 2428])
def test_other_lengths_are_refused(length: int) -> None:
    """A cosignature of type 0x04 has 72 bytes."""
    line = SignatureLine(CORE.key.name, CORE.key.key_id, b"\1" * length)
    with pytest.raises(NoteError, match="not 72"):
        verify_cosignature(TEXT, line, CORE.key)


def test_keys_of_another_type_do_not_cosign() -> None:
    """A log key neither makes nor verifies cosignatures, and key ids of the types differ."""
    log = log_signer("core.example.org")
    with pytest.raises(NoteError, match="type 0x04"):
        cosign(TEXT, key=log.key, time_s=TIME_S, sign=log.signing.sign)
    with pytest.raises(NoteError, match="not by this key"):
        verify_cosignature(TEXT, log.line(TEXT), log.key)
    as_log = VerifierKey(CORE.key.name, SignatureType.ED25519, CORE.key.public_key)
    assert as_log.key_id != CORE.key.key_id
    with pytest.raises(NoteError, match="not by this key"):
        verify_cosignature(TEXT, CORE.line(TEXT), cosigner("other").key)
    with pytest.raises(NoteError, match="10 bytes"):
        cosign(TEXT, key=CORE.key, time_s=TIME_S, sign=lambda _: bytes(10))
