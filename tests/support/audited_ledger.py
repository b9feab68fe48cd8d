"""A real node whose ledger has the life of a secret: owner, writer, reader, one denied, auditor.

Everything is done by real clients. The owner is an account, and so is the auditor that the
collection names; the apps are attested software enclaves.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from attestation.policy import AnyOf, Match, encode_policy
from enclave_client.errors import RefusedError
from enclave_client.owner import OwnerClient
from ledger.crypto.secp256k1 import SigningKey
from ledger.crypto.secret import Secret
from ledger.format.terms import CollectionTerms
from tests.support.real_node import (
    OTHER_COLLECTION,
    Found,
    NodeProcess,
    RealNetwork,
    client_of,
    found,
)

OWNED = "acme/payments"
NAME = "db/password"
VALUE = b"planted: never on a page"


def account(name: str) -> SigningKey:
    """An account with a fixed key."""
    return SigningKey(Secret(hashlib.sha256(name.encode()).digest()))


OWNER = account("owner")
AUDITOR = account("auditor")


@dataclass(frozen=True, slots=True)
class Lived:
    """What happened, as receipt files."""

    put: bytes
    read: bytes
    denied: bytes


def audited_network(directory: Path) -> RealNetwork:
    """A network with two apps; both may open sessions."""
    return found(
        directory,
        Found(apps=("app", "other"), grants={OTHER_COLLECTION: ("app", "other")}),
    )


async def live(process: NodeProcess) -> Lived:
    """Have the owner make a collection, one app write and read, the other one be denied."""
    network = process.network
    async with OwnerClient.connect(
        network=process.file, signer=OWNER, allow_development=True
    ) as owner:
        await owner.create_collection(OWNED, _terms(network, ("app",)))
    async with client_of(process.file, network.app("app"), OWNED) as app:
        stored = await app.put(NAME, VALUE)
        got = await app.get(NAME)
        await app.put(NAME, VALUE * 2)
    denied = None
    async with client_of(process.file, network.app("other"), OWNED) as other:
        try:
            await other.get(NAME)
        except RefusedError as error:
            denied = error.receipt
    if denied is None:
        raise AssertionError("a denied read is an entry too")
    return Lived(stored.receipt.encode(), got.receipt.encode(), denied.encode())


def _terms(network: RealNetwork, apps: Iterable[str]) -> CollectionTerms:
    measured = (network.app(app).enclave.measurement for app in apps)
    policy = encode_policy(AnyOf(tuple(Match(measurement=one) for one in measured)))
    return CollectionTerms(policy, policy, (AUDITOR.address,))
