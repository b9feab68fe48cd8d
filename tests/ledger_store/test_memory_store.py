"""The stores made for tests do what fault tests rely on."""

from typing import Literal

import pytest

from ledger.errors import StoreError
from tests.support.memory_store import FailingStore, MemoryStore


def test_a_crash_keeps_what_was_synced() -> None:
    """A power cut takes back every batch after the last synced one; a sync keeps all before it."""
    store = MemoryStore()
    store.write({b"a": b"1"}, sync=False)
    store.write({b"b": b"1"}, sync=True)
    store.write({b"a": b"2", b"c": b"2"}, sync=False)
    left = store.crash()
    assert list(left.scan(b"", b"z")) == [(b"a", b"1"), (b"b", b"1")]
    with pytest.raises(StoreError):
        store.get(b"a")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fail_at", [1, 2, 3])
def test_a_failing_store_fails_once_where_told(
    fail_at: int, when: Literal["before", "after"]
) -> None:
    """The chosen write fails, with or without its effect; another one after it is a fault."""
    inner = MemoryStore()
    store = FailingStore(inner, fail_at=fail_at, when=when)
    for number in range(1, fail_at):
        store.write({b"last": b"%d" % number}, sync=True)
    with pytest.raises(StoreError, match=f"failed {when} the write"):
        store.write({b"last": b"%d" % fail_at}, sync=True)
    expected = fail_at if when == "after" else fail_at - 1
    assert inner.get(b"last") == (b"%d" % expected if expected else None)
    with pytest.raises(AssertionError, match="after a write that failed"):
        store.write({b"last": b"again"}, sync=True)
    assert store.get(b"last") == inner.get(b"last")
