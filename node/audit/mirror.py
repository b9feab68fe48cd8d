"""A copy of a log in a directory, in the layout of c2sp.org/tlog-tiles, checkpoint last.

Rules: nothing is verified here but that everything the checkpoint promises has come, in its size:
verify the copy. What is there already and full is kept, so a copy can be brought up to date; files
are written whole. The older checkpoint stays until everything of the newer one is there.
"""

import asyncio
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from ledger.log.checkpoint import Checkpoint
from ledger.log.tiles import TILE_WIDTH, bundles_of, encode_path, tiles_of
from node.audit.errors import SourceError
from node.audit.source import CHECKPOINT, LogSource, Resource, read_resource
from node.audit.walk import Shown

AT_ONCE = 8


async def copy_log(
    source: LogSource, checkpoint: Checkpoint, note: bytes, root: Path, show: Shown
) -> int:
    """Copy every tile and bundle of a checkpoint, then its note; gives how many were fetched.

    Raises NotVerifiedError for what is missing, SourceError for what cannot be read or written.
    """
    total = sum(1 for _ in _resources(checkpoint.size))
    wanted = _resources(checkpoint.size)
    fetched = done = 0
    while batch := list(islice(wanted, AT_ONCE)):
        fetched += sum(await asyncio.gather(*(_copy(source, one, root) for one in batch)))
        done += len(batch)
        show(done, total)
    await asyncio.to_thread(_write, root / CHECKPOINT, note)
    return fetched


def _resources(size: int) -> Iterator[Resource]:
    return chain(tiles_of(size), bundles_of(size))


async def _copy(source: LogSource, resource: Resource, root: Path) -> bool:
    path = root / encode_path(resource)
    if resource.width == TILE_WIDTH and await asyncio.to_thread(path.exists):
        return False
    await asyncio.to_thread(_write, path, await read_resource(source, resource))
    return True


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.new")
        beside.write_bytes(data)
        beside.replace(path)
    except OSError as error:
        raise SourceError(
            f"cannot write {path}: {error.strerror}", "name a directory that can be written"
        ) from error
