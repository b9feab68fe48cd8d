"""Owners, and a node that lies: what tests of accounts and questions share."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from attestation.policy import AnyOf, Match, encode_policy
from enclave_client.asking import Asking, QuestionSigner
from enclave_client.connector import Link
from enclave_client.errors import LogForkedError
from enclave_client.owner import OwnerClient
from ledger.crypto.secp256k1 import SigningKey
from ledger.crypto.secret import Secret
from ledger.format.terms import CollectionTerms
from node.founding import Governance
from node.home import Home
from sealedger.v1 import node_pb2 as pb
from tests.support.real_node import Found, RealNetwork, Serving, found

OWNED = "owned/secrets"


def account(number: int = 1) -> SigningKey:
    """One of many accounts."""
    return SigningKey(Secret(number.to_bytes(32, "big")))


def owner_of(node: Serving, key: SigningKey | None = None) -> OwnerClient:
    """A client of an account, to be entered."""
    return OwnerClient.connect(network=node.file, signer=key or account(), allow_development=True)


def admitting(network: RealNetwork, *apps: str, **terms: Any) -> CollectionTerms:
    """Terms under which these apps read and write."""
    matches = (Match(measurement=network.app(app).enclave.measurement) for app in apps)
    policy = encode_policy(AnyOf(tuple(matches)))
    return CollectionTerms(policy, policy, **terms)


def found_governed(
    directory: Path, members: tuple[int, ...], needed: int, platforms: tuple[bytes, ...] = ()
) -> RealNetwork:
    """Found a network whose members are these accounts; so many of them decide."""
    addresses = tuple(sorted(account(number).address for number in members))
    return found(directory, Found(governance=Governance(addresses, needed, platforms=platforms)))


def copy_of(founded: RealNetwork, directory: Path) -> RealNetwork:
    """A founded network whose node never ran, copied to a directory of a test."""
    root = directory / "network"
    shutil.copytree(founded.apps.parent, root, symlinks=True)
    home = Home(root / founded.home.root.name)
    return replace(founded, home=home, apps=root / founded.apps.name)


@dataclass(slots=True)
class _LyingTransport:
    """Passes everything on and changes the answers to questions."""

    real: Any
    lie: "Lie"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def ask(self, request: bytes) -> bytes:
        reply = pb.QueryReply.FromString(await self.real.ask(request))
        self.lie.asked += 1
        self.lie.change(reply)
        return reply.SerializeToString()


@dataclass(slots=True)
class Lie:
    """An `asking.Line` whose node answers questions as `change` says."""

    line: Any
    change: Callable[[pb.QueryReply], object] = lambda _: None
    asked: int = 0
    alarms: list[LogForkedError] = field(default_factory=list)

    @classmethod
    def to(cls, client: Any) -> "Lie":
        """Put a liar between a client and its node."""
        asking: Asking = client._asking
        lie = cls(asking._line)
        asking._line = lie
        return lie

    async def ready(self) -> tuple[Link, QuestionSigner]:
        link, signer = await self.line.ready()
        return Link(_LyingTransport(link.transport, self), link.peer, link.judged_ms), signer  # type: ignore[arg-type]  # stands for it

    async def failed(self, link: Link) -> None:
        await self.line.failed(link)

    def over(self, signer: QuestionSigner) -> None:
        self.line.over(signer)

    def alarm(self, error: LogForkedError) -> None:
        self.alarms.append(error)
        self.line.alarm(error)
