"""The store on LevelDB; the only module that imports plyvel.

One process at a time (LevelDB's own LOCK). Writes release the GIL, so a writer thread lets the next
block execute. Values are mostly random bytes: no compression.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import plyvel

from ledger.errors import StoreError

_MIB = 1024 * 1024


class LevelDB:
    """A Store on a directory; `create` must be said, so that a typo does not make a new ledger."""

    def __init__(self, directory: Path, *, create: bool = False) -> None:
        """Open; StoreError if it is missing, held by another process or damaged."""
        try:
            self._db = plyvel.DB(
                str(directory),
                create_if_missing=create,
                error_if_exists=create,
                write_buffer_size=16 * _MIB,
                lru_cache_size=32 * _MIB,
                bloom_filter_bits=10,
                compression=None,
                max_open_files=512,
            )
        except (plyvel.Error, OSError) as error:
            raise StoreError(f"cannot open the data directory {directory}: {error}") from error

    def get(self, key: bytes) -> bytes | None:
        """See Store.get."""
        try:
            value: bytes | None = self._db.get(key)
        except (plyvel.Error, OSError, RuntimeError) as error:
            raise StoreError(f"reading failed: {error}") from error
        return value

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """See Store.scan."""
        try:
            with self._db.iterator(start=start, stop=stop) as rows:
                yield from rows
        except (plyvel.Error, OSError, RuntimeError) as error:
            raise StoreError(f"reading failed: {error}") from error

    def write(self, batch: Mapping[bytes, bytes | None], *, sync: bool) -> None:
        """See Store.write."""
        try:
            with self._db.write_batch(sync=sync) as writes:
                put, delete = writes.put, writes.delete
                for key, value in batch.items():
                    if value is None:
                        delete(key)
                    else:
                        put(key, value)
        except (plyvel.Error, OSError, RuntimeError) as error:
            raise StoreError(f"writing failed: {error}") from error

    def close(self) -> None:
        """See Store.close."""
        self._db.close()
