"""The demo: real processes on this machine, a crash in the middle, and a receipt checked offline.

Founds a development network in a temporary folder, then: a node; an app that stores secrets while
the node dies by kill -9 and comes back; a second app that reads and compares; a third one, which is
the second with one byte changed, that is denied; a receipt verified while no node runs; the
whole ledger recomputed. Any deviation ends it with exit code 1. It stops what it started, by id.
"""

import argparse
import base64
import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).resolve().parents[2]
APPS = Path(__file__).resolve().parent / "apps"
SDK = ("attestation", "enclave_client", "ledger", "sealedger")
SEALEDGER = Path(sys.executable).with_name("sealedger")
COLLECTION = "demo/secrets"
FILE = ROOT / "LICENSE"
CREDENTIALS = 400
SECRETS = CREDENTIALS + 3
DENIED = 3
LONGEST_S = 300
STOP_S = 60


class DemoError(Exception):
    """Something went another way than it must."""


@dataclass
class Steps:
    """The narration: numbered lines."""

    number: int = 0

    def tell(self, who: str, *lines: str) -> None:
        """One step: who, then what happened."""
        self.number += 1
        head = f"{self.number:2}. {who:<9}"
        for line in lines:
            print(f"{head} {line}", flush=True)
            head = " " * len(head)


@dataclass
class Node:
    """The node's process, started and killed again and again on one home."""

    home: Path
    log: Path
    process: subprocess.Popen[str] | None = None
    readers: list[threading.Thread] = field(default_factory=list)

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


@dataclass
class Demo:
    """The stage: a folder, a node and what the apps are given."""

    folder: Path
    node: Node
    steps: Steps

    @property
    def network(self) -> Path:
        """The public file that clients and auditors pin."""
        return self.node.home / "network.toml"

    def play(self) -> None:
        """Every step in order; DemoError at the first that goes another way."""
        writer, reader = self.make_image("writer"), self.make_image("reader")
        altered = self.alter(reader)
        self.found(writer, reader)
        self.steps.tell("node", f"serves as {self.start()}")
        self.write(writer)
        self.node.kill()
        self.steps.tell("kill -9", f"the node dies again, and is back as {self.start()}")
        self.read(reader)
        self.try_altered(altered)
        self.node.stop()
        self.verify_offline()
        self.fsck()

    def start(self) -> str:
        """Start the node: its process id and address in words."""
        event = self.node.start()
        if self.node.process is None:
            raise DemoError("the node is gone")
        return f"process {self.node.process.pid} on 127.0.0.1:{event['port']}"

    def make_image(self, app: str) -> Path:
        """A folder with an app and its library: what is measured is what runs."""
        image = self.folder / "images" / app
        image.mkdir(parents=True)
        for package in SDK:
            shutil.copytree(ROOT / package, image / package)
        for name in (f"{app}.py", f"{app}.toml"):
            shutil.copy2(APPS / name, image / name)
        return image

    def alter(self, image: Path) -> Path:
        """A copy of the reader's image with one byte changed."""
        altered = image.with_name("altered")
        shutil.copytree(image, altered)
        code = (altered / "reader.py").read_bytes()
        changed = code.replace(b"SHOW_SECRETS = 0", b"SHOW_SECRETS = 1", 1)
        if sum(a != b for a, b in zip(code, changed, strict=True)) != 1:
            raise DemoError("the altered reader does not differ by exactly one byte")
        (altered / "reader.py").write_bytes(changed)
        return altered

    def found(self, writer: Path, reader: Path) -> None:
        """A network of one node, whose one collection names the code of two apps."""
        apps = [f"--app={COLLECTION}={image / image.name}.toml" for image in (writer, reader)]
        listen = (f"--listen=127.0.0.1:{free_port()}", "--http-listen=127.0.0.1:0")
        home = f"--home={self.node.home}"
        said = self.sealedger("node", "init", "--name=demo", home, *listen, *apps, "--json")
        network = json.loads(said)
        self.steps.tell(
            "found",
            f"network {network['network_id'][:16]}, {network['origin']}, profile development",
            f"{COLLECTION}: only the code of writer and reader may read and write",
        )

    def write(self, image: Path) -> None:
        """The first app stores; in the middle of it the node is killed."""
        self.steps.tell(
            "writer", f"stores a TLS key, its certificate, a file, {CREDENTIALS} logins"
        )
        command = self.app(image, f"--credentials={CREDENTIALS}")
        with running(command) as writer:
            if writer.stdout is None or not writer.stdout.readline():
                raise DemoError("the writer failed")
            self.node.kill()
            if writer.poll() is not None:
                raise DemoError("the writer had ended before the node was killed")
            self.steps.tell(
                "kill -9",
                "the node dies while the writer writes",
                f"and is back as {self.start()}",
            )
            writer.communicate()
            if writer.returncode:
                raise DemoError(f"the writer ended with {writer.returncode}")
        self.steps.tell(
            "writer", f"went on by itself: {SECRETS} secrets stored, each with a verified receipt"
        )

    def read(self, image: Path) -> None:
        """The second app reads everything and compares."""
        said = output(self.app(image, *self.reading("read.receipt")), 0)
        count, files = map(int, said.split())
        if count != SECRETS:
            raise DemoError(f"{count} secrets were read, not {SECRETS}")
        self.steps.tell(
            "reader",
            f"{count} secrets read, all equal, none stored twice; the TLS key fits",
            f"no value stands in the {files} files of the node's home and log",
        )

    def try_altered(self, image: Path) -> None:
        """The third app differs from the second by one byte, and gets nothing."""
        said = output(self.app(image, *self.reading("none.receipt")), DENIED).strip()
        if said != "NOT_ADMITTED":
            raise DemoError(f"the altered reader was told {said!r}")
        self.steps.tell("altered", f"the reader with one byte changed: denied ({said}), no key")

    def verify_offline(self) -> None:
        """A further process checks the reader's receipt while no node runs."""
        receipt = self.folder / "read.receipt"
        options = (f"--network={self.network}", "--allow-development", "--json")
        proof = json.loads(self.sealedger("receipt", "verify", f"{receipt}", *options))
        (read,) = proof["operations"]
        told = (read["operation"], read["collection"], read["name"], read["outcome"])
        if told != ("Read", COLLECTION, "tls/key.pem", "OK"):
            raise DemoError(f"the receipt is of something else: {told}")
        forged = self.folder / "forged.receipt"
        forged.write_bytes(rename(receipt.read_bytes(), b"tls/key.pem", b"tls/car.pem"))
        self.sealedger("receipt", "verify", f"{forged}", *options, code=1)
        self.steps.tell(
            "offline",
            "no node runs; another process verifies the receipt of the read:",
            f"{' '.join(told)}, entry {proof['index']}, {proof['block_time']}",
            f"by identity {read['identity_digest'][:16]}; with another name in it, it is refused",
        )

    def fsck(self) -> None:
        """The whole ledger is recomputed from genesis and compared with what is stored."""
        report = json.loads(self.sealedger("node", "fsck", f"--home={self.node.home}", "--json"))
        self.steps.tell(
            "fsck", f"{report['entries']} entries recomputed from genesis: log and state are right"
        )

    def reading(self, receipt: str) -> tuple[str, ...]:
        """Where the reader leaves its receipt, and where it looks for what must not be there."""
        places = (self.node.home, self.node.log.parent)
        return (f"--receipt={self.folder / receipt}", *(f"--search={one}" for one in places))

    def app(self, image: Path, *options: str) -> list[str]:
        """The command line of an app: Python takes the library from the image, beside the app."""
        name = "reader" if image.name == "altered" else image.name
        return [
            sys.executable,
            f"{image / name}.py",
            f"--network={self.network}",
            f"--platform={self.node.home / 'platform'}",
            f"--collection={COLLECTION}",
            f"--file={FILE}",
            f"--digests={self.folder / 'digests.json'}",
            *options,
        ]

    def sealedger(self, *arguments: str, code: int = 0) -> str:
        """What a command of ours prints."""
        return output([f"{SEALEDGER}", *arguments], code)


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


def output(command: list[str], code: int) -> str:
    """What a process prints that has to end with `code`."""
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if ended.returncode != code:
        words = " ".join(Path(word).name for word in command[:4])
        raise DemoError(f"{words}: exit code {ended.returncode}, not {code}\n{ended.stderr}")
    return ended.stdout


def rename(receipt: bytes, old: bytes, new: bytes) -> bytes:
    """A receipt that tells of another name; the bytes that it opens stand in its `extra` line."""
    lines = receipt.split(b"\n")
    opened = base64.b64decode(lines[1].removeprefix(b"extra "))
    if old not in opened:
        raise DemoError("the receipt does not open the name")
    lines[1] = b"extra " + base64.b64encode(opened.replace(old, new))
    return b"\n".join(lines)


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def interrupt(number: int, _frame: object) -> None:
    """What a signal does: end the demo in order."""
    late = number == signal.SIGALRM
    raise DemoError(f"not done within {LONGEST_S} s" if late else "told to stop")


def main() -> int:
    """Play it; 0 if everything went as it must, else 1."""
    parser = argparse.ArgumentParser(description="Sealedger's demo; see README.md.")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="play in DIR and leave it there")
    keep = parser.parse_args().keep
    for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    signal.alarm(LONGEST_S)
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        if keep is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sealedger-")))
        else:
            folder = keep.resolve()
            if folder.exists():
                parser.error(f"{folder} exists already: name a folder that does not")
            folder.mkdir(parents=True)
        node = Node(folder / "home", folder / "log" / "node.log")
        stack.callback(node.close)
        try:
            Demo(folder, node, Steps()).play()
        except (DemoError, OSError, ValueError) as error:
            print(f"sealedger demo: error: {error}", file=sys.stderr)
            return 1
    print(f"done in {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
