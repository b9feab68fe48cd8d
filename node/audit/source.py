"""Where a log is read from: the port, and a directory in the layout of c2sp.org/tlog-tiles.

Rules: bytes are bounded by what they may be at most; nothing is believed. What a source has not is
None; what it cannot give now is a SourceError. Not here: HTTP (http_source.py), any judging.
"""

import asyncio
from pathlib import Path
from typing import Protocol

from ledger.format.leaf import MAX_LEAF_BYTES
from ledger.log.note import MAX_NOTE_BYTES
from ledger.log.tiles import TILE_BYTES, TILE_WIDTH, EntryBundle, HashTile, encode_path
from node.audit.errors import Finding, NotVerifiedError, SourceError

CHECKPOINT = "checkpoint"
_LENGTH_BYTES = 2
MAX_BUNDLE_BYTES = TILE_WIDTH * (_LENGTH_BYTES + MAX_LEAF_BYTES)

Resource = HashTile | EntryBundle


class LogSource(Protocol):
    """A log to be audited. Several reads may run at once, in one event loop."""

    async def read(self, path: str, limit: int) -> bytes | None:
        """The bytes at a path below the log's prefix, None if there are none.

        Gives at most limit + 1 bytes, whatever is there. Raises SourceError; may try again inside,
        and ends within minutes whatever the other side does.
        """
        ...


class DirectorySource:
    """A log in a directory, such as ``audit fetch`` writes."""

    def __init__(self, root: Path) -> None:
        """Keep the directory."""
        self._root = root

    async def read(self, path: str, limit: int) -> bytes | None:
        """See LogSource."""
        return await asyncio.to_thread(_read, self._root / path, limit)


async def read_checkpoint(source: LogSource) -> bytes:
    """The newest checkpoint, at most 64 KiB; SourceError if the source has none."""
    note = await source.read(CHECKPOINT, MAX_NOTE_BYTES)
    if note is None:
        raise SourceError(
            "there is no checkpoint", "name the URL or directory that the log's paths start from"
        )
    return note


async def read_resource(source: LogSource, resource: Resource) -> bytes:
    """A tile or bundle; for a partial one that is gone, its part of the full one.

    Raises NotVerifiedError if it is not there or too large: the certified log has it.
    """
    path = encode_path(resource)
    limit = TILE_BYTES if isinstance(resource, HashTile) else MAX_BUNDLE_BYTES
    data = await source.read(path, limit)
    if data is None and resource.width < TILE_WIDTH:
        data = await _part_of_full(source, resource, limit)
    if data is None:
        raise NotVerifiedError(Finding(path, "it is missing, but the certified log has it"))
    if len(data) > limit:
        raise NotVerifiedError(Finding(path, f"it has more than {limit} bytes"))
    return data


async def _part_of_full(source: LogSource, resource: Resource, limit: int) -> bytes | None:
    """C2SP tlog-tiles, Partial Tiles: one may be deleted once the full one is there."""
    if isinstance(resource, HashTile):
        full = await source.read(encode_path(HashTile(resource.level, resource.index)), limit)
        return None if full is None else full[: 32 * resource.width]
    data = await source.read(encode_path(EntryBundle(resource.index)), limit)
    return None if data is None else data[: _end_of(data, resource.width)]


def _end_of(bundle: bytes, width: int) -> int:
    """Where the first `width` entries of a bundle end."""
    at = 0
    for _ in range(width):
        at += _LENGTH_BYTES + int.from_bytes(bundle[at : at + _LENGTH_BYTES], "big")
    return at


def _read(path: Path, limit: int) -> bytes | None:
    try:
        if path.exists() and not path.is_file():  # a pipe would never end
            raise SourceError(f"cannot read {path}: not a file", "is it a copy of a log?")
        with path.open("rb") as file:
            return file.read(limit + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceError(
            f"cannot read {path}: {error.strerror}", "is it a copy of a log?"
        ) from error
