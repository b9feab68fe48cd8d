"""How fast fsck is and how much memory it takes, on the home of a stopped node.

    python -m bench.fsck HOME

Prints entries, operations and payload bytes a second, the P-256 verifications of as many signatures
alone (the floor: nothing can replay a ledger without them), and the most anonymous memory.
"""

import sys
import threading
import time
from pathlib import Path

from ledger.crypto import p256
from ledger.leveldb import LevelDB
from node.fsck_home import check_home
from node.home import Home

_FLOOR_COUNT = 2000


def rss_anon_mib() -> float:
    """This process's anonymous memory now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0


def floor_us() -> float:
    """Microseconds of one signature's verification."""
    key = p256.SigningKey()
    signature = key.sign(b"message")
    start = time.process_time()
    for _ in range(_FLOOR_COUNT):
        p256.is_valid(key.public, signature, b"message")
    return (time.process_time() - start) / _FLOOR_COUNT * 1e6


def payload_mib(home: Home) -> float:
    """How much stands beside the log."""
    store = LevelDB(home.data)
    try:
        return sum(len(value) for _, value in store.scan(b"p", b"q")) / 2**20
    finally:
        store.close()


def main() -> None:
    """Check the home given as the argument and print the numbers."""
    home = Home(Path(sys.argv[1]))
    mib = payload_mib(home)
    most, is_over = rss_anon_mib(), threading.Event()

    def watch() -> None:
        nonlocal most
        while not is_over.wait(0.05):
            most = max(most, rss_anon_mib())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start, started_cpu = time.perf_counter(), time.process_time()
    report = check_home(home, home.lock, renew_lock=False).report
    took, cpu = time.perf_counter() - start, time.process_time() - started_cpu
    is_over.set()
    watcher.join()
    counts, one = report.counts, floor_us()
    floor_s = counts.transactions * one / 1e6
    size, operations = report.head.size, counts.operations
    print(f"{size} entries, {operations} operations, {mib:.1f} MiB of payloads")
    rates = f"{size / took:.0f} entries/s, {operations / took:.0f} operations/s"
    print(f"{took:.2f} s ({cpu:.2f} s of processor): {rates}, {mib / took:.1f} MiB/s")
    print(f"floor: {counts.transactions} signatures of {one:.0f} us, {floor_s:.2f} s of processor")
    print(f"ratio to it {cpu / floor_s:.1f}")
    print(f"most anonymous memory {most:.0f} MiB; clean: {report.is_clean}")


if __name__ == "__main__":
    main()
