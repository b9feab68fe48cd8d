"""`python -m bench.audit [entries]`: how long `audit verify` takes over loopback, beside its floor.

A real ledger is grown in this process, a real node serves it over HTTP from another, and the real
command audits it. The floor of the same run: the checks of as many sessions' signatures, of which
there is one for each transaction here: the worst case.
"""

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

from bench.growth import grow
from bench.local_node import BenchHome, found, running
from ledger.crypto import p256
from node.config import LogConfig
from node.logs import configure_logs

ENTRIES = 100_000
GOAL = 1_000_000
GOAL_S = 60.0


def grown(directory: Path, entries: int) -> BenchHome:
    """A ledger of so many entries."""
    home = found(directory)
    configure_logs(LogConfig(level="error"))
    with Progress(transient=True) as progress:
        task = progress.add_task("entries", total=entries)
        asyncio.run(grow(home, entries, lambda done: progress.update(task, completed=done)))
    return home


def http_url(home: BenchHome) -> str:
    """Where the started node serves the log, by its own log."""
    lines = (home.root.parent / "node.log").read_text("utf-8").splitlines()
    started = (json.loads(line) for line in lines if '"node started"' in line)
    return f"http://127.0.0.1:{next(started)['http_port']}"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command: what it said, seconds by the clock and of processors, peak memory."""

    said: dict[str, object]
    seconds: float
    cpu_s: float
    peak_mib: float


def audit(home: BenchHome, url: str, *options: str) -> Run:
    """Run the command; RuntimeError if it does not verify the log."""
    command = (
        *(sys.executable, "-m", "node.cli.main", "audit", "verify", url),
        *("--network", str(home.root / "network.toml"), "--allow-development", "--json"),
        *options,
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(done.stderr)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(json.loads(done.stdout), seconds, cpu_s, after.ru_maxrss / 1024)


def signature_us(count: int = 3000) -> float:
    """Processor time of one check of a session's signature."""
    key = p256.SigningKey()
    message = bytes(200)
    signature = key.sign(message)
    started = time.process_time()
    for _ in range(count):
        p256.is_valid(key.public, signature, message)
    return (time.process_time() - started) / count * 1e6


def main() -> None:
    """Measure and print."""
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    with tempfile.TemporaryDirectory(prefix="sealedger-bench-") as directory:
        home = grown(Path(directory), entries)
        with running(home) as node:
            before = node.cpu_s()
            all_cpus = audit(home, http_url(home))
            node_s = node.cpu_s() - before
            alone = audit(home, http_url(home), "--jobs", "1")
    size, signed = (int(str(all_cpus.said[name])) for name in ("checkpoint_size", "transactions"))
    floor_s = signed * signature_us() / 1e6
    cpus = os.cpu_count() or 1
    print(f"{size} entries, {signed} transactions, {all_cpus.said['bytes_read']} bytes")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {cpus} CPUs")
    for name, run in (("all CPUs", all_cpus), ("--jobs 1", alone)):
        print(
            f"{name}: {run.seconds:.1f} s; {run.cpu_s:.1f} s of processors, "
            f"{run.cpu_s / floor_s:.2f} times the floor; at most {run.peak_mib:.0f} MiB a process"
        )
    print(f"the node: {node_s:.1f} s of processors")
    print(f"floor: {floor_s:.1f} s of processors, for the signatures alone")
    if size < GOAL:
        scale = GOAL / size
        quiet_s = (all_cpus.cpu_s + node_s) / cpus * scale
        print(
            f"extrapolated to {GOAL}: {all_cpus.seconds * scale:.0f} s as measured, "
            f"{quiet_s:.0f} s if nothing else ran (goal {GOAL_S:.0f} s)"
        )


if __name__ == "__main__":
    main()
