"""The log's errors stand in the ledger's families, so that handlers know whose fault it is."""

import pytest

from ledger.errors import FormatError, LedgerError, StoreError
from ledger.log import errors


@pytest.mark.parametrize(
    "kind",
    [
        errors.TileError,
        errors.NoteError,
        errors.CheckpointError,
        errors.ProofError,
        errors.QuorumError,
    ],
)
def test_refusals_are_the_senders_fault(kind: type[errors.RefusedError]) -> None:
    """Each refusal is a LogError and a FormatError with a reason, never a StoreError."""
    fault = kind("what was wrong")
    assert isinstance(fault, errors.LogError)
    assert isinstance(fault, FormatError)
    assert isinstance(fault, LedgerError)
    assert not isinstance(fault, StoreError)
    assert str(fault) == "what was wrong"
    assert fault.reason.name == "MALFORMED"


def test_damage_is_ours() -> None:
    """A damaged tree is a StoreError, and asking too much is neither."""
    damaged: Exception = errors.TreeDamagedError("gone")
    assert isinstance(damaged, StoreError)
    assert isinstance(damaged, errors.LogError)
    assert not isinstance(damaged, FormatError)
    outside: Exception = errors.OutsideTreeError("no such leaf")
    assert not isinstance(outside, (FormatError, StoreError))
