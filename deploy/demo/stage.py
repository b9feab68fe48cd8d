"""What every step of the demo works with: a folder, a node, and the narration."""

import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.images import ROOT, manifest
from deploy.demo.processes import DemoError, Node

COLLECTION = "demo/secrets"
FOLLOWED = "tls/key.pem"  # the secret whose read is followed to its proof
FILE = ROOT / "LICENSE"


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
class Stage:
    """The stage; `http` is the node's address in browsers, the same after every start."""

    folder: Path
    node: Node
    steps: Steps
    http: str = ""

    @property
    def digests(self) -> Path:
        """What the reader knows of the secrets: names and SHA-256."""
        return self.folder / "digests.json"

    @property
    def receipt(self) -> Path:
        """Where the reader leaves the receipt of one read."""
        return self.folder / "read.receipt"

    @property
    def pinned(self) -> tuple[str, str, str]:
        """The options of commands that are given nothing but the network file."""
        return (f"--network={self.node.network}", "--allow-development", "--json")

    def start(self) -> str:
        """Start the node: its process id and address in words."""
        event = self.node.start()
        http = f"http://127.0.0.1:{event['http_port']}"
        if self.node.process is None or self.http not in ("", http):
            raise DemoError("the node is gone, or at another address than before")
        self.http = http
        return f"process {self.node.process.pid} on 127.0.0.1:{event['port']}"

    def app(self, image: Path, *options: str) -> list[str]:
        """The command line of an app: Python takes the library from the image, beside the app."""
        return [
            sys.executable,
            f"{manifest(image).with_suffix('.py')}",
            f"--network={self.node.network}",
            f"--platform={self.node.home / 'platform'}",
            f"--collection={COLLECTION}",
            f"--file={FILE}",
            f"--digests={self.digests}",
            *options,
        ]
