"""The replica's view of the store: what is durable, under what is staged, with recent state cached.

A finalized block is staged before it is durable, so that the next one can execute on top of it.
State records of the busy kinds are kept in a bounded cache, written through when a block is staged.
"""

from collections import OrderedDict
from collections.abc import Mapping

from ledger import keys
from ledger.store import Store

Batch = Mapping[bytes, bytes | None]

CACHED_RECORDS = 32_768
_CACHED = frozenset({b"sH", b"sS", b"sC", b"sN", b"sP", b"sA", b"sK", b"sM", b"sX"})


class LedgerStore:
    """Layers over a Store. Used from one thread; `Store.write` runs elsewhere."""

    def __init__(self, store: Store, cached_records: int = CACHED_RECORDS) -> None:
        """Start with nothing staged."""
        self._store = store
        self._layers: list[Batch] = []
        self._cache: OrderedDict[bytes, bytes | None] = OrderedDict()
        self._cached_records = cached_records

    def get(self, key: bytes) -> bytes | None:
        """The newest value, staged blocks included; StoreError if a read fails."""
        if self._layers:
            for layer in reversed(self._layers):
                if key in layer:
                    return layer[key]
        if key[:2] not in _CACHED:
            return self._store.get(key)
        cache = self._cache
        if key in cache:
            cache.move_to_end(key)
            return cache[key]
        value = self._store.get(key)
        self._remember(key, value)
        return value

    def stage(self, batch: Batch) -> None:
        """Put a block on top that is not durable yet."""
        self._layers.append(batch)
        for key, value in batch.items():
            if key[:2] in _CACHED:
                self._remember(key, value)

    def settle(self, batch: Batch) -> None:
        """Drop the oldest staged block: it is durable now."""
        oldest = self._layers.pop(0)
        if oldest is not batch:
            raise RuntimeError("blocks became durable out of order")

    def read_tile(self, level: int, index: int) -> bytes | None:
        """A durable tile; see TileReader in ledger.log.nodes."""
        return self._store.get(keys.tile(level, index))

    def _remember(self, key: bytes, value: bytes | None) -> None:
        cache = self._cache
        cache[key] = value
        cache.move_to_end(key)
        if len(cache) > self._cached_records:
            cache.popitem(last=False)
