"""One audit of a log: the certified checkpoint, what was known before, the walk, the report.

1. The newest checkpoint is certified by the pinned quorum, log key and witnesses.
2. It is not shorter than, or a fork of, any checkpoint known before, and begins with its tree.
3. Everything from the known edge on is walked (walk.py).
4. The state file, if there is one, is moved on; also now and then during the walk.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from enclave_client.network_file import NetworkFile
from ledger.log.checkpoint import Checkpoint
from ledger.log.errors import LogError
from ledger.log.quorum import CertifiedCheckpoint, verify_certified
from node.audit.consistency import verify_extends, verify_not_older
from node.audit.errors import Finding, NotShownError, NotVerifiedError
from node.audit.rules import LogRules
from node.audit.source import CHECKPOINT, LogSource, read_checkpoint
from node.audit.state_file import encode_state, fresh, load_state, save_state
from node.audit.walk import Progress, Shown, Task, Walk
from node.audit.workers import open_workers

KEEP_EVERY_S = 30.0
MIN_FOR_PROCESSES = 32_768  # entries: below it, starting processes takes longer than the work


@dataclass(frozen=True, slots=True)
class Options:
    """What an audit remembers and compares (a state file, a note of an older checkpoint).

    `jobs` is the number of processes that compute, for a log that is worth it.
    """

    state: Path | None = None
    older: bytes | None = None
    jobs: int = 1
    clock_s: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class Audited:
    """A log that holds."""

    certified: CertifiedCheckpoint
    rules: LogRules
    resumed_at: int  # entries that an earlier run verified
    extends: tuple[Checkpoint, ...]  # older checkpoints that it begins with
    bytes_read: int
    seconds: float


async def audit_log(
    source: LogSource, network: NetworkFile, options: Options, show: Shown
) -> Audited:
    """Verify a whole log (1 to 4 above).

    Raises NotVerifiedError, SourceError or StateFileError.
    """
    started_s = options.clock_s()
    kept = None if options.state is None else load_state(options.state, network)
    note = await read_checkpoint(source)
    certified = certify(note, network, CHECKPOINT)
    target = certified.checkpoint
    known = [] if kept is None else [kept.checkpoint.checkpoint]
    if options.older is not None:
        known.append(certify(options.older, network, "the older checkpoint").checkpoint)
    unshown = await _verify_known(source, known, target)
    progress = fresh(network) if kept is None else kept.progress
    resumed_at = progress.size
    keeper = _Keeper(options, note, network.network_id)
    is_large = target.size - resumed_at >= MIN_FOR_PROCESSES
    with open_workers(options.jobs if is_large else 1) as workers:
        walk = Walk(Task(source, workers, target, network.network_id), progress)
        await walk.run(show, keeper)
    if unshown is not None:
        raise unshown
    keeper.keep(progress)
    seconds = options.clock_s() - started_s
    return Audited(certified, progress.rules, resumed_at, tuple(known), walk.bytes_read, seconds)


async def _verify_known(
    source: LogSource, known: list[Checkpoint], target: Checkpoint
) -> NotShownError | None:
    """Compare with what was known; damaged tiles are an error only if the walk does not name it."""
    for older in known:
        verify_not_older(older, target)
    for older in known:
        try:
            await verify_extends(source, older, target)
        except NotShownError as error:
            return error
    return None


def certify(note: bytes, network: NetworkFile, where: str) -> CertifiedCheckpoint:
    """The certified checkpoint of a note; NotVerifiedError says whose signature is missing."""
    try:
        return verify_certified(note, network.rule())
    except LogError as error:
        raise NotVerifiedError(
            Finding(where, f"not certified by the pinned quorum: {error}"),
            "is the network file this log's? If it is, nobody vouches for what is shown here",
        ) from error


class _Keeper:
    """node.audit.walk.Keeper into the state file; nothing without one."""

    def __init__(self, options: Options, note: bytes, network_id: bytes) -> None:
        self._path = options.state
        self._clock_s = options.clock_s
        self._note = note
        self._network_id = network_id
        self._last_s = options.clock_s()

    def is_due(self) -> bool:
        return self._path is not None and self._clock_s() - self._last_s >= KEEP_EVERY_S

    def keep(self, progress: Progress) -> None:
        if self._path is not None:
            save_state(self._path, encode_state(progress, self._note, self._network_id))
        self._last_s = self._clock_s()
