"""The store on LevelDB; the only module that imports plyvel.

One process at a time (LevelDB's own LOCK). Writes release the GIL, so a writer thread lets the next
block execute. Values are mostly random bytes: no compression. Paranoid checks: a damaged record in
the write-ahead log refuses to open, where LevelDB would otherwise drop it and go on without it.
Reads verify the blocks' checksums (0.6 to 0.9 us each): damage is an error, never another value.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import plyvel

from ledger.errors import StoreBusyError, StoreError

_MIB = 1024 * 1024


class LevelDB:
    """A Store on a directory; `create` must be said, so that a typo does not make a new ledger."""

    def __init__(self, directory: Path, *, create: bool = False) -> None:
        """Open; StoreBusyError if another process has it, StoreError if missing or damaged."""
        # LevelDB would make the directory before it notices that it may not create one.
        if not create and not (directory / "CURRENT").is_file():
            raise StoreError(f"no ledger in the data directory {directory}")
        try:
            self._db = plyvel.DB(
                str(directory),
                create_if_missing=create,
                error_if_exists=create,
                paranoid_checks=True,
                write_buffer_size=16 * _MIB,
                lru_cache_size=32 * _MIB,
                bloom_filter_bits=10,
                compression=None,
                max_open_files=512,
            )
        except (plyvel.Error, OSError) as error:
            # "lock <path>: ...", unlike "<path>: ..." where the file cannot be opened at all.
            if f"lock {directory}/LOCK: " in _words(error):
                raise StoreBusyError(f"the data directory {directory} is in use") from error
            raise StoreError(
                f"cannot open the data directory {directory}: {_words(error)}"
            ) from error

    def get(self, key: bytes) -> bytes | None:
        """See Store.get."""
        try:
            value: bytes | None = self._db.get(key, verify_checksums=True)
        except (plyvel.Error, OSError, RuntimeError) as error:
            raise StoreError(f"reading failed: {_words(error)}") from error
        return value

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """See Store.scan; the snapshot is taken by this call, not by the first row."""
        try:
            rows = self._db.iterator(start=start, stop=stop, verify_checksums=True)
        except (plyvel.Error, OSError, RuntimeError) as error:
            raise StoreError(f"reading failed: {_words(error)}") from error
        return _rows(rows)

    def write(self, batch: Mapping[bytes, bytes | None], *, sync: bool) -> None:
        """See Store.write."""
        try:
            # Not as a context manager: that writes what it has when the loop fails half-way.
            writes = self._db.write_batch(sync=sync)
            put, delete = writes.put, writes.delete
            for key, value in batch.items():
                if value is None:
                    delete(key)
                else:
                    put(key, value)
            writes.write()
        except (plyvel.Error, OSError, RuntimeError) as error:
            raise StoreError(f"writing failed: {_words(error)}") from error

    def close(self) -> None:
        """See Store.close."""
        self._db.close()


def _rows(rows: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    try:
        yield from rows
    except (plyvel.Error, OSError, RuntimeError) as error:
        raise StoreError(f"reading failed: {_words(error)}") from error


def _words(error: Exception) -> str:
    """What LevelDB said; it speaks in bytes."""
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(error)
