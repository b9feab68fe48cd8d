"""The demo's processes: the node, the apps and the commands; each one ends with the demo."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue

SEALEDGER = Path(sys.executable).with_name("sealedger")
STOP_S = 60


class DemoError(Exception):
    """Something went another way than it must."""


@dataclass
class Node:
    """The node's process, started and killed again and again on one home."""

    home: Path
    log: Path
    process: subprocess.Popen[str] | None = None
    readers: list[threading.Thread] = field(default_factory=list)

    @property
    def network(self) -> Path:
        """The public file that clients and auditors pin."""
        return self.home / "network.toml"

    def start(self) -> dict[str, str]:
        """Start it and wait until it says that it serves; what it said."""
        self.log.parent.mkdir(exist_ok=True)
        process = subprocess.Popen(
            [SEALEDGER, "node", "start", "--home", self.home],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.process = process
        started: Queue[dict[str, str] | None] = Queue()
        reader = threading.Thread(target=self._copy, args=(process, started))
        reader.start()
        self.readers.append(reader)
        event = started.get()
        if event is None:
            raise DemoError(f"the node did not start; its log ends with:\n{self._last_words()}")
        return event

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL, -signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end."""
        self._end(signal.SIGTERM, 0)

    def close(self) -> None:
        """Whatever happened: no process is left behind."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        for reader in self.readers:
            reader.join()

    def _end(self, number: signal.Signals, expected: int) -> None:
        process, self.process = self.process, None
        if process is None:
            raise DemoError("no node is running")
        process.send_signal(number)
        try:
            code = process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise DemoError(f"the node did not end within {STOP_S} s") from None
        if code != expected:
            raise DemoError(f"the node ended with {code}:\n{self._last_words()}")

    def _copy(
        self, process: subprocess.Popen[str], started: "Queue[dict[str, str] | None]"
    ) -> None:
        with self.log.open("a") as log:
            for line in process.stderr or ():
                log.write(line)
                log.flush()
                if '"node started"' in line:
                    started.put(json.loads(line))
        started.put(None)

    def _last_words(self) -> str:
        return "".join(self.log.read_text().splitlines(keepends=True)[-5:])


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that does not outlive the block."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def output(command: list[str], *, code: int = 0, given: str = "") -> str:
    """What a process prints that is given `given` to read, and has to end with `code`."""
    ended = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if ended.returncode != code:
        words = " ".join(Path(word).name for word in command[:4])
        raise DemoError(f"{words}: exit code {ended.returncode}, not {code}\n{ended.stderr}")
    return ended.stdout


def sealedger(*arguments: str, code: int = 0, given: str = "") -> str:
    """What a command of ours prints."""
    return output([f"{SEALEDGER}", *arguments], code=code, given=given)


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
