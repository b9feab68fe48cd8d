"""The layers over the store: what a reader sees is what a dict would say, cached or not."""

from collections.abc import Mapping

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from node.ledger_store import Batch, LedgerStore
from tests.support.memory_store import MemoryStore

# Few keys, so that they meet: cached kinds, kinds that are not, rows outside of state.
KEYS = [b"sHa\0x\0", b"sHa\0y\0", b"sS1", b"sN1", b"sP", b"sW1", b"sVa", b"e1", b"t1", b"p1"]
batches = st.dictionaries(
    st.sampled_from(KEYS), st.none() | st.binary(max_size=3), min_size=1, max_size=6
)


class CountingStore(MemoryStore):
    """A store in memory that counts reads."""

    def __init__(self, rows: Mapping[bytes, bytes] | None = None) -> None:
        super().__init__(rows)
        self.reads = 0

    def get(self, key: bytes) -> bytes | None:
        self.reads += 1
        return super().get(key)


class Layers(RuleBasedStateMachine):
    """Blocks are staged, become durable in order, are settled in order; reads come at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.view = LedgerStore(self.store, cached_records=3)
        self.model: dict[bytes, bytes] = {}
        self.staged: list[Batch] = []
        self.durable = 0

    @rule(batch=batches)
    @precondition(lambda self: len(self.staged) < 3)
    def stage(self, batch: dict[bytes, bytes | None]) -> None:
        self.view.stage(batch)
        self.staged.append(batch)
        for key, value in batch.items():
            if value is None:
                self.model.pop(key, None)
            else:
                self.model[key] = value

    @rule()
    @precondition(lambda self: self.durable < len(self.staged))
    def commit(self) -> None:
        self.store.write(self.staged[self.durable], sync=True)
        self.durable += 1

    @rule()
    @precondition(lambda self: self.durable > 0)
    def settle(self) -> None:
        self.view.settle(self.staged.pop(0))
        self.durable -= 1

    @rule(key=st.sampled_from(KEYS))
    def read(self, key: bytes) -> None:
        assert self.view.get(key) == self.model.get(key)

    @rule()
    @precondition(lambda self: not self.staged)
    def reopen(self) -> None:
        self.view = LedgerStore(self.store, cached_records=3)

    @invariant()
    def cache_is_bounded(self) -> None:
        assert len(self.view._cache) <= 3


TestLayers = Layers.TestCase
TestLayers.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_busy_records_are_read_once() -> None:
    """A record of a busy kind is read from the store once, also when it is not there."""
    store = CountingStore({b"sHa": b"1"})
    view = LedgerStore(store)
    for _ in range(3):
        assert view.get(b"sHa") == b"1"
        assert view.get(b"sHb") is None
        assert view.get(b"e1") is None
    assert store.reads == 2 + 3


def test_tiles_are_the_durable_ones() -> None:
    """A tile that is staged is not given out: the tree keeps those itself."""
    store = MemoryStore()
    view = LedgerStore(store)
    batch = {b"t\0" + bytes(8): b"new"}
    view.stage(batch)
    assert view.read_tile(0, 0) is None
    store.write(batch, sync=True)
    assert view.read_tile(0, 0) == b"new"


def test_blocks_settle_in_order() -> None:
    """Settling another block than the oldest is our own fault, and said."""
    view = LedgerStore(MemoryStore())
    first: Batch = {b"e1": b"1"}
    second: Batch = {b"e2": b"2"}
    view.stage(first)
    view.stage(second)
    with pytest.raises(RuntimeError, match="out of order"):
        view.settle(second)
