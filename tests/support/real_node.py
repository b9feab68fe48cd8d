"""A real development network in a directory of the test, and its real node.

`found` writes what ``sealedger node init`` writes. `serving` runs the node in this process, on a
port of its own; `NodeProcess` runs it in another, which can be killed and whose standard error is
kept. Apps are real too: a manifest and one file of code for each, so that they have identities.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from attestation.platforms.software import SoftwarePlatform, create_platform, read_trust
from attestation.policy import AnyOf, encode_policy
from enclave_client.client import SecretClient
from enclave_client.network_file import NetworkFile
from ledger.format.genesis import Collection, Limits
from node.app import RunningNode, open_node
from node.cli.node import CORE_MANIFEST
from node.config import NodeConfig
from node.founding import (
    UNGOVERNED,
    CorePlatform,
    FoundingPlan,
    Governance,
    found_development_network,
)
from node.founding_trust import USUAL, CollateralLimits, software_trust
from node.home import Home
from tests.support.repository import ROOT

ANY_PORT = "127.0.0.1:0"
COLLECTION = "app/secrets"
OTHER_COLLECTION = "other/secrets"
START_TIMEOUT_S = 30.0
_TICK_S = 0.01
_CLI = ("-c", "from node.cli.main import main; main()")


@dataclass(frozen=True, slots=True)
class Found:
    """What a test chooses of a network: who may read and write what, limits, other collateral."""

    name: str = "attacked"
    apps: tuple[str, ...] = ("app", "other", "stranger")
    grants: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {COLLECTION: ("app",), OTHER_COLLECTION: ("app", "other")}
    )
    limits: Limits = field(default_factory=lambda: Limits(block_interval_ms=240_000))
    collateral: bytes | None = None  # in genesis, in place of the platform's own
    platform: Path | None = None  # share another network's quoting enclave
    tee: str = "sgx"  # what the software platform stands for
    governance: Governance = UNGOVERNED
    machine: bytes = b""  # the id that the core's evidence tells
    collateral_limits: CollateralLimits = USUAL


@dataclass(frozen=True, slots=True)
class RealNetwork:
    """A founded network; its node is not running yet."""

    home: Home
    file: NetworkFile
    apps: Path

    def core(self) -> SoftwarePlatform:
        """The platform of the node's core."""
        return SoftwarePlatform.open(self.home.platform, CORE_MANIFEST)

    def app(self, name: str) -> SoftwarePlatform:
        """The platform of an app, measured as its code is now."""
        return SoftwarePlatform.open(self.home.platform, self.apps / f"{name}.toml")

    def at(self, port: int) -> NetworkFile:
        """The network file with the endpoint on this port."""
        return with_endpoint(self.file, port)


@dataclass(frozen=True, slots=True)
class Serving:
    """A node that runs in this process."""

    network: RealNetwork
    running: RunningNode

    @property
    def file(self) -> NetworkFile:
        """The network file that leads to it."""
        return self.network.at(self.running.port)

    def client(self, app: str = "app", collection: str = COLLECTION) -> SecretClient:
        """A client of an app, to be entered."""
        return client_of(self.file, self.network.app(app), collection)


def client_of(
    file: NetworkFile,
    platform: SoftwarePlatform,
    collection: str = COLLECTION,
    *,
    proxied: bool = False,
) -> SecretClient:
    """A client that is allowed to use a development network."""
    return SecretClient.connect(
        network=file,
        platform=platform,
        collection=collection,
        allow_development=True,
        proxied=proxied,
    )


def with_endpoint(file: NetworkFile, port: int) -> NetworkFile:
    """A network file that leads to a port of this machine."""
    return file.model_copy(update={"endpoints": (f"127.0.0.1:{port}",)})


def listening(grpc: str) -> dict[str, object]:
    """Settings of a node that listens there, and for HTTP on a port of its own."""
    return {"grpc": {"listen": grpc}, "http": {"listen": ANY_PORT}}


def found(directory: Path, wanted: Found | None = None) -> RealNetwork:
    """Found a network in an empty directory."""
    wanted = wanted or Found()
    apps = directory / "apps"
    apps.mkdir(parents=True)
    for app in wanted.apps:
        (apps / f"{app}.py").write_text(f"print({app!r})\n")
        (apps / f"{app}.toml").write_text(
            f'name = "{app}"\nsigner = "tests"\nproduct_id = 1\nsvn = 1\nfiles = ["{app}.py"]\n'
        )
    home = Home(directory / "home")
    home.root.mkdir(mode=0o700)
    if wanted.platform is None:
        create_platform(home.platform, int(time.time()), tee=wanted.tee)
    else:
        home.platform.symlink_to(wanted.platform)
    config = NodeConfig.model_validate(listening(ANY_PORT))
    home.config.write_bytes(config.encode())
    trust = read_trust(home.platform)
    if wanted.collateral is not None:
        trust = replace(trust, collateral=wanted.collateral)
    core = SoftwarePlatform.open(home.platform, CORE_MANIFEST)
    collections = tuple(
        _collection(name, home.platform, [apps / f"{app}.toml" for app in admitted])
        for name, admitted in wanted.grants.items()
    )
    plan = FoundingPlan(wanted.name, collections, ANY_PORT, wanted.limits, wanted.governance)
    file = found_development_network(
        home,
        plan,
        CorePlatform(
            core,
            replace(software_trust(trust), limits=wanted.collateral_limits),
            core.enclave.by_signer,
            wanted.machine,
        ),
        time.time_ns() // 1_000_000,
    )
    return RealNetwork(home, file, apps)


def _collection(name: str, platform: Path, manifests: list[Path]) -> Collection:
    enclaves = (SoftwarePlatform.open(platform, one).enclave for one in manifests)
    policy = encode_policy(AnyOf(tuple(enclave.by_code for enclave in enclaves)))
    return Collection(name, policy, policy)


@asynccontextmanager
async def serving(network: RealNetwork) -> AsyncIterator[Serving]:
    """The node, in this process, until the block ends."""
    config = NodeConfig.load(network.home.config)
    async with open_node(network.home, config, network.core()) as running:
        yield Serving(network, running)


class NodeProcess:
    """The node in a process of its own; keeps its port over restarts."""

    def __init__(self, network: RealNetwork, program: tuple[str, ...] = _CLI) -> None:
        """`program` are the interpreter's arguments in place of the real command line's."""
        self.network = network
        self.log = network.home.root / "stderr.log"
        self.port = 0
        self.http_port = 0
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._read_from = 0

    @property
    def file(self) -> NetworkFile:
        """The network file that leads to it."""
        return self.network.at(self.port)

    @property
    def pid(self) -> int:
        """The running process."""
        if self._process is None:
            raise AssertionError("the node was not started")
        return self._process.pid

    async def start(self, program: tuple[str, ...] | None = None) -> None:
        """Start it and wait until it serves; AssertionError with its log if it does not."""
        home = self.network.home
        if self.port:
            listen = listening(f"127.0.0.1:{self.port}")
            home.config.write_bytes(NodeConfig.model_validate(listen).encode())
        self._process = process = self._spawn(program or self._program)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (event := self._started()):
            if process.poll() is not None or time.monotonic() > deadline:
                await self.stop()
                raise AssertionError(f"the node did not start: {self.log.read_text()}")
            await asyncio.sleep(_TICK_S)
        self.port = int(event["port"])
        self.http_port = int(event["http_port"])

    def kill(self) -> None:
        """End it at once, as kill -9 does."""
        os.kill(self.pid, signal.SIGKILL)

    async def ended(self) -> int:
        """Wait until it is gone; its exit code, negative for a signal."""
        if self._process is None:
            raise AssertionError("the node was not started")
        return await asyncio.to_thread(self._process.wait, START_TIMEOUT_S)

    async def stop(self) -> int:
        """Stop it as an operator does; its exit code."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.terminate()
        return await self.ended()

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def lines(self) -> list[bytes]:
        """All that it ever said."""
        return self.log.read_bytes().splitlines()

    def rss_anon_kib(self) -> int:
        """Memory that is its own (RssAnon: LevelDB maps its tables), in KiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
        raise AssertionError("this machine does not say RssAnon")

    def _spawn(self, program: tuple[str, ...]) -> subprocess.Popen[bytes]:
        self._read_from = self.log.stat().st_size if self.log.exists() else 0
        arguments = ("node", "start", "--home", str(self.network.home.root))
        with self.log.open("ab") as log:
            return subprocess.Popen(
                (sys.executable, "-P", *program, *arguments),
                cwd=ROOT,
                env={"PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _started(self) -> dict[str, Any]:
        for line in self.log.read_bytes()[self._read_from :].splitlines():
            event = _event(line)
            if event.get("event") == "node started":
                return event
        return {}


def _event(line: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(line)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def verify_log(lines: list[bytes], hidden: tuple[bytes, ...]) -> None:
    """Every line is one JSON object with an event, and none shows anything hidden."""
    for line in lines:
        event = _event(line)
        if "event" not in event:
            raise AssertionError(f"not a structured line: {line[:300]!r}")
        for secret in hidden:
            if secret in line:
                raise AssertionError(f"the log shows something hidden, in {event['event']!r}")
