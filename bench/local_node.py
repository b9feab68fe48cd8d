"""A development node for measuring: founded in a directory, run as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from attestation.platforms.software import SoftwarePlatform
from enclave_client.network_file import NetworkFile

COLLECTION = "bench/values"
_COMMAND = (sys.executable, "-m", "node.cli.main")
_START_S = 60.0


@dataclass(frozen=True, slots=True)
class BenchHome:
    """A founded home, and the app that may use its collection."""

    root: Path
    manifest: Path
    second: Path  # of another app that may use it

    @property
    def platform(self) -> SoftwarePlatform:
        """The app's platform."""
        return SoftwarePlatform.open(self.root / "platform", self.manifest)

    def network(self, port: int) -> NetworkFile:
        """The network file with the port that the node got."""
        file = NetworkFile.load(self.root / "network.toml")
        return file.model_copy(update={"endpoints": (f"127.0.0.1:{port}",)})


@dataclass(frozen=True, slots=True)
class NodeProcess:
    """A running node."""

    pid: int
    port: int

    def rss_anon_mib(self) -> float:
        """RssAnon in MiB: LevelDB maps its tables, and mapped files are not the node's memory."""
        for line in Path(f"/proc/{self.pid}/status").read_text("ascii").splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no RssAnon on this system")

    def cpu_s(self) -> float:
        """Processor seconds used so far, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def found(directory: Path, tee: str = "sgx") -> BenchHome:
    """Found a network whose one collection admits this benchmark's two manifests."""
    manifests = [_app(directory, name) for name in ("app", "second")]
    home = directory / "home"
    admitted = [text for path in manifests for text in ("--app", f"{COLLECTION}={path}")]
    subprocess.run(
        (
            *_COMMAND,
            *("node", "init", "--home", str(home), "--tee", tee, *admitted),
            *("--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--json"),
        ),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return BenchHome(home, *manifests)


def _app(directory: Path, name: str) -> Path:
    manifest = directory / f"{name}.toml"
    (directory / f"{name}.txt").write_text(f"the benchmark's client, {name}\n", "utf-8")
    manifest.write_text(
        f'name = "bench"\nsigner = "bench"\nproduct_id = 9\nsvn = 1\nfiles = ["{name}.txt"]\n',
        "utf-8",
    )
    return manifest


@contextmanager
def running(home: BenchHome) -> Iterator[NodeProcess]:
    """Run the node until the end of the block; RuntimeError if it does not start."""
    log = home.root.parent / "node.log"
    with log.open("wb") as output:
        process = subprocess.Popen((*_COMMAND, "node", "start", "--home", home.root), stderr=output)
    try:
        yield NodeProcess(process.pid, _port(process, log))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=_START_S)


def _port(process: "subprocess.Popen[bytes]", log: Path) -> int:
    deadline = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline:
        for line in log.read_text("utf-8").splitlines():
            event = json.loads(line) if line.startswith("{") and line.endswith("}") else {}
            if event.get("event") == "node started":
                return int(event["port"])
        time.sleep(0.02)
    raise RuntimeError(f"the node did not start: {log.read_text('utf-8')[-500:]}")
