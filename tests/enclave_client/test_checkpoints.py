"""The book of checkpoints: one verification for each note, one root for each size, bounded."""

import hashlib

import pytest

from enclave_client.checkpoints import MAX_NOTES, CheckpointBook
from enclave_client.errors import LogForkedError, ReceiptInvalidError
from ledger.log.checkpoint import Checkpoint
from tests.support.log_signers import cosigner, log_signer, rule_of, signed_note

LOG = log_signer("dev.book/1")
CORE = cosigner("dev.book/node")
RULE = rule_of(LOG, [(CORE, "operator")], 1)


def _note(size: int, seed: bytes = b"") -> bytes:
    root = hashlib.sha256(b"%d" % size + seed).digest()
    return signed_note(Checkpoint("dev.book/1", size, root), [LOG, CORE])


def test_a_second_root_for_any_remembered_size_is_an_alarm() -> None:
    """Not only for the largest: every size that was seen has one root."""
    book = CheckpointBook(RULE)
    for size in (5, 9, 7):
        book.verify(_note(size))
    with pytest.raises(LogForkedError) as caught:
        book.verify(_note(7, b"other"))
    assert caught.value.notes == (_note(7), _note(7, b"other"))


def test_the_largest_is_remembered_while_others_are_forgotten() -> None:
    """Memory is bounded, and a fork of the largest checkpoint is noticed for ever."""
    book = CheckpointBook(RULE)
    book.verify(_note(10_000))
    for size in range(1, MAX_NOTES * 2):
        book.verify(_note(size))
    assert book.largest == 10_000
    assert len(book._notes) == MAX_NOTES
    assert len(book._sizes) <= MAX_NOTES
    with pytest.raises(LogForkedError):
        book.verify(_note(10_000, b"other"))


def test_the_same_size_and_root_may_be_cosigned_again() -> None:
    """A note that was renewed with a newer time is no fork."""
    book = CheckpointBook(RULE)
    first = Checkpoint("dev.book/1", 3, hashlib.sha256(b"3").digest())
    book.verify(signed_note(first, [LOG, CORE]))
    assert book.verify(signed_note(first, [CORE, LOG])).checkpoint == first


@pytest.mark.parametrize("signers", [[LOG], [CORE], []])
def test_a_note_without_its_signatures_is_refused(signers: list[object]) -> None:
    """Log key and quorum are both needed."""
    note = _note(4)
    text, lines = note.split(b"\n\n")
    kept = [
        line
        for line, signer in zip(lines.splitlines(keepends=True), (LOG, CORE), strict=True)
        if signer in signers
    ]
    with pytest.raises(ReceiptInvalidError):
        CheckpointBook(RULE).verify(text + b"\n\n" + b"".join(kept))
