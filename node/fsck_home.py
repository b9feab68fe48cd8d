"""fsck of a node's home: its files, the running node that must not be there, the rollback lock.

1. The node is stopped: it holds the rollback lock and the database.
2. The ledger is checked (fsck.py), with the lock if it can be read.
3. A lock that is missing or unreadable is a finding; with `renew` it is written anew from the log
   as it stands, but only after a clean check. A lock that can be read is never replaced: that would
   be the way back which it is there to bar.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from ledger.errors import StoreBusyError, StoreError
from ledger.format.genesis import network_id
from node.errors import LockDamagedError, LockMissingError, NodeError
from node.founding import read_genesis
from node.fsck import Finding, Options, Progress, Report, check_directory
from node.home import Home
from node.rollback_lock import Locked, RollbackLock

_OTHER_DATA = (
    "do not start this node on these data: bring the newest good copy back, or let the node catch "
    "up from a peer"
)


@dataclass(frozen=True, slots=True)
class HomeReport:
    """The ledger's report, whether a new rollback lock was written, and what to do if not clean."""

    report: Report
    is_lock_renewed: bool
    hint: str


def check_home(
    home: Home, lock_path: Path, *, renew_lock: bool, progress: Progress | None = None
) -> HomeReport:
    """Check a stopped node's home (1 to 3 above).

    Raises ConfigError without genesis, LockHeldError or NodeError if the node runs, NodeError if
    the database does not open, DamagedError if the lock is another network's; StoreError and
    OSError of the scratch space.
    """
    genesis = read_genesis(home.genesis)
    network = network_id(genesis)
    unusable: NodeError | None = None
    try:
        lock = RollbackLock(lock_path, network)
    except (LockMissingError, LockDamagedError) as error:
        unusable = error
        report = _check(home, genesis, Options(progress=progress))
    else:
        try:
            report = _check(home, genesis, Options(lock.newest, progress=progress))
        finally:
            lock.close()
    if unusable is None or not report.is_clean:
        return HomeReport(report, is_lock_renewed=False, hint=_OTHER_DATA)
    if not renew_lock:
        findings = (Finding("the rollback lock", str(unusable)),)
        report = replace(report, findings=findings)
        return HomeReport(report, is_lock_renewed=False, hint=unusable.hint)
    RollbackLock.replace(lock_path, network, Locked(report.head.size, report.head.root))
    return HomeReport(report, is_lock_renewed=True, hint="")


def _check(home: Home, genesis: bytes, options: Options) -> Report:
    try:
        return check_directory(home.data, genesis, options)
    except StoreBusyError as error:
        raise NodeError(str(error), "stop the node of this home first") from error
    except StoreError as error:
        raise NodeError(str(error), _OTHER_DATA) from error
