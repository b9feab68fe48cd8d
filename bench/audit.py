"""`python -m bench.audit [entries]`: seconds that `audit verify` takes over loopback, with floors.

A real ledger is grown in this process, a real node serves it over HTTP from another, and the real
command audits it. Floors of the same run: hashing and signature checks of as many entries.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
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


def audit(home: BenchHome, url: str, *options: str) -> dict[str, object]:
    """What the command says, as JSON."""
    command = (
        *(sys.executable, "-m", "node.cli.main", "audit", "verify", url),
        *("--network", str(home.root / "network.toml"), "--allow-development", "--json"),
        *options,
    )
    started = time.perf_counter()
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {**json.loads(said), "command_s": time.perf_counter() - started}


def signature_us(count: int = 2000) -> float:
    """One check of a session's signature, in this process."""
    key = p256.SigningKey()
    message = bytes(200)
    signature = key.sign(message)
    started = time.perf_counter()
    for _ in range(count):
        p256.is_valid(key.public, signature, message)
    return (time.perf_counter() - started) / count * 1e6


def main() -> None:
    """Measure and print."""
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    with tempfile.TemporaryDirectory(prefix="sealedger-bench-") as directory:
        home = grown(Path(directory), entries)
        with running(home) as node:
            before = node.cpu_s()
            first = audit(home, http_url(home))
            node_s = node.cpu_s() - before
            alone = audit(home, http_url(home), "--jobs", "1")
    size = int(str(first["checkpoint_size"]))
    seconds = float(str(first["command_s"]))
    print(f"entries {size}, transactions {first['transactions']}, bytes {first['bytes_read']}")
    print(
        f"audit verify {seconds:.1f} s, of it walking {first['seconds']} s; node CPU {node_s:.1f} s"
    )
    print(f"with --jobs 1: {float(str(alone['command_s'])):.1f} s")
    print(f"floor, one CPU: {size * signature_us() / 1e6:.1f} s of signature checks")
    if size < GOAL:
        print(f"extrapolated to {GOAL}: {seconds * GOAL / size:.0f} s (goal {GOAL_S:.0f} s)")


if __name__ == "__main__":
    main()
