"""What the client's tests share: a software machine, an app on it, a network, a node, a client."""

import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from attestation.platforms.software import SoftwarePlatform, create_platform, read_trust
from attestation.policy import Match, encode_policy
from enclave_client.client import SecretClient
from enclave_client.network_file import NetworkFile
from ledger.format.genesis import Collection
from tests.enclave_client.fake_ledger import FakeLedger, Found
from tests.enclave_client.fake_node import FakeNode

COLLECTION = "app/secrets"


@dataclass(frozen=True, slots=True)
class Machine:
    """One software machine with programs on it."""

    directory: Path

    def program(self, text: str) -> SoftwarePlatform:
        """The platform of a program whose code is `text`."""
        place = self.directory / f"program-{text}"
        place.mkdir(exist_ok=True)
        (place / "code").write_text(text)
        manifest = place / "app.toml"
        manifest.write_text(
            'name = "app"\nproduct_id = 1\nsvn = 1\nsigner = "tests"\nfiles = ["code"]\n'
        )
        return SoftwarePlatform.open(self.directory / "platform", manifest)

    def found(self, **changes: object) -> Found:
        """How networks of this machine are founded; `app` reads and writes, `reader` reads."""
        both = encode_policy(Match(measurement=self.program("app").enclave.measurement))
        readers = encode_policy(Match(measurement=self.program("reader").enclave.measurement))
        values: dict[str, object] = {
            "platform": self.program("core"),
            "trust": read_trust(self.directory / "platform"),
            "collections": (
                Collection(COLLECTION, both, both),
                Collection("reader/only", readers, both),
            ),
        }
        return Found(**{**values, **changes})  # type: ignore[arg-type]  # the tests' own names


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine, made once."""
    directory = tmp_path_factory.mktemp("machine")
    create_platform(directory / "platform", int(time.time()))
    return Machine(directory)


@pytest.fixture
def ledger(machine: Machine) -> FakeLedger:
    """A fresh network."""
    return FakeLedger(machine.found())


@pytest.fixture
async def node(ledger: FakeLedger) -> AsyncIterator[FakeNode]:
    """Its node, listening."""
    async with FakeNode(ledger) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Connect:
    """Makes clients of a node."""

    machine: Machine
    node: FakeNode

    @property
    def network(self) -> NetworkFile:
        """The network file that the node's operator gives."""
        return NetworkFile.from_genesis(self.node.ledger.genesis, (self.node.endpoint,))

    def __call__(
        self,
        program: str = "app",
        *,
        network: NetworkFile | None = None,
        collection: str = COLLECTION,
        proxied: bool = False,
    ) -> AbstractAsyncContextManager[SecretClient]:
        return SecretClient.connect(
            network=network or self.network,
            platform=self.machine.program(program),
            collection=collection,
            allow_development=True,
            proxied=proxied,
        )


@pytest.fixture
def connect(machine: Machine, node: FakeNode) -> Connect:
    """Makes clients of the node."""
    return Connect(machine, node)
