"""Networks of several kinds of TEE, founded by the command line, for tests of mutual attestation.

A machine is a directory of the software platform: its root, its collateral, its quoting keys. An
app on a machine is a manifest and a file of code. Nodes, apps and checks of receipts are processes.
"""

import asyncio
import json
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from attestation.platforms.software import create_platform
from attestation.platforms.software_enclave import enclave_of
from attestation.platforms.software_files import (
    ARK_CERTIFICATE,
    COLLATERAL,
    ROOT_CERTIFICATE,
    SNP,
)
from attestation.platforms.software_manifest import read_manifest
from attestation.policy import AnyOf, Match, encode_policy
from enclave_client.network_file import NetworkFile
from enclave_client.policy_file import encode_policy_file
from ledger.format.terms import CollectionTerms
from node.home import Home
from tests.support.attested_app import Done, Task, run_app
from tests.support.real_node import ANY_PORT, NodeProcess, RealNetwork
from tests.support.repository import ROOT

COLLECTION = "app/secrets"
TIMEOUT_S = 60
_CLI = ("-c", "from node.cli.main import main; main()")


@dataclass(frozen=True, slots=True)
class Machine:
    """A software platform that stands for one kind of TEE."""

    tee: str
    platform: Path

    @property
    def root(self) -> Path:
        """Its root certificate."""
        return self.platform / (ARK_CERTIFICATE if self.tee == SNP else ROOT_CERTIFICATE)

    def match(self, manifest: Path) -> Match:
        """Exactly this code, on this kind of TEE."""
        return enclave_of(read_manifest(manifest), self.tee).by_code

    def copy(self, platform: Path) -> "Machine":
        """The same quoting keys in a directory of another program."""
        shutil.copytree(self.platform, platform)
        return Machine(self.tee, platform)


@dataclass(frozen=True, slots=True)
class App:
    """A program on a machine."""

    machine: Machine
    manifest: Path

    @property
    def match(self) -> Match:
        """Admits exactly it."""
        return self.machine.match(self.manifest)


def new_machine(tee: str, platform: Path) -> Machine:
    """A machine with its own root, as of now."""
    create_platform(platform, int(time.time()), tee=tee)
    return Machine(tee, platform)


def new_app(folder: Path, name: str, machine: Machine) -> App:
    """A program of one file, unlike every other, on a machine."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(f"print({name!r})\n")
    manifest = folder / f"{name}.toml"
    manifest.write_text(
        f'name = "{name}"\nsigner = "tests"\nproduct_id = 1\nsvn = 1\nfiles = ["{name}.py"]\n'
    )
    return App(machine, manifest)


async def command(*arguments: str) -> tuple[int, str, str]:
    """The program as it is typed, in a process: exit code, output, errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", *_CLI, *arguments),
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(TIMEOUT_S):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def found(
    folder: Path, core: Machine, terms: CollectionTerms, *others: Machine
) -> RealNetwork:
    """``sealedger node init`` on the core's machine, in a network that believes the others too."""
    home = folder / "home"
    home.mkdir(parents=True, mode=0o700)
    shutil.copytree(core.platform, home / "platform")
    policy = folder / "policy.toml"
    policy.write_bytes(encode_policy_file(terms))
    arguments = ["--tee", core.tee, "--policy", f"{COLLECTION}={policy}"]
    for one in others:
        arguments += ["--collateral", str(one.platform / COLLATERAL), "--root", str(one.root)]
    code, _, err = await command(
        *("node", "init", "--home", str(home), "--name", "mutual"),
        *("--listen", ANY_PORT, "--http-listen", ANY_PORT, *arguments),
    )
    if code:
        raise AssertionError(f"init ended with {code}: {err}")
    return RealNetwork(Home(home), NetworkFile.load(home / "network.toml"), folder)


def any_of(*apps: App) -> bytes:
    """A policy that admits each of the apps and nobody else."""
    return encode_policy(AnyOf(tuple(app.match for app in apps)))


@dataclass(frozen=True, slots=True)
class Stage:
    """A running node, and where apps leave their files."""

    node: NodeProcess
    folder: Path

    async def run(
        self,
        app: App,
        *,
        put: dict[str, bytes] | None = None,
        get: tuple[str, ...] = (),
        network: NetworkFile | None = None,
    ) -> Done:
        """The app in a process of its own; `network` in place of the node's own file."""
        self.folder.mkdir(exist_ok=True)
        file = self.folder / "network.toml"
        file.write_bytes((network or self.node.file).encode())
        return await run_app(
            Task(
                network=str(file),
                platform=str(app.machine.platform),
                manifest=str(app.manifest),
                collection=COLLECTION,
                put={name: value.hex() for name, value in (put or {}).items()},
                get=list(get),
                receipts=str(self.folder),
            )
        )

    async def verified(self, receipt: str) -> dict[str, object]:
        """What ``sealedger receipt verify`` says of a receipt that an app kept; it has to hold."""
        code, out, err = await command(
            *("receipt", "verify", str(self.folder / receipt), "--allow-development", "--json"),
            *("--network", str(self.node.network.home.network)),
        )
        if code:
            raise AssertionError(f"the receipt does not hold: {err}")
        said: dict[str, object] = json.loads(out)
        return said
