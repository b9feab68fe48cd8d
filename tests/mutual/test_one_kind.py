"""Mutual attestation of a node and an app, both of one kind of TEE, each in its own process."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from attestation.platforms.software_files import SGX, TEES
from attestation.policy import encode_policy
from enclave_client.network_file import KeyServiceEntry
from ledger.format.terms import CollectionTerms
from tests.support.mutual_network import (
    COLLECTION,
    App,
    Machine,
    Stage,
    any_of,
    found,
    new_app,
    new_machine,
)
from tests.support.real_node import NodeProcess
from tests.support.repository import ROOT

SECRET = b"the value"
_OTHER_CODE = """
from pathlib import Path
import node.cli.node
node.cli.node.CORE_MANIFEST = Path({manifest!r})
from node.cli.main import main
main()
"""


@dataclass(frozen=True, slots=True)
class World:
    """A running node of one kind, an app that it admits, one that it does not."""

    stage: Stage
    core: Machine
    app: App
    stranger: App


@pytest.fixture(params=TEES)
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The node runs until the test ends, and ends well."""
    core = new_machine(request.param, tmp_path / "machine")
    machine = core.copy(tmp_path / "app-machine")
    app, stranger = (new_app(tmp_path / "apps", name, machine) for name in ("app", "stranger"))
    terms = CollectionTerms(any_of(app), any_of(app))
    network = await found(tmp_path / "network", core, terms)
    node = NodeProcess(network)
    await node.start()
    try:
        yield World(Stage(node, tmp_path / "kept"), core, app, stranger)
    finally:
        await node.stop()


async def test_a_secret_travels_and_its_receipts_hold_offline(world: World) -> None:
    """Put, read in another session, and both receipts verified by a third process, offline."""
    stored = await world.stage.run(world.app, put={"name": SECRET})
    assert stored.error == "", stored.said
    read = await world.stage.run(world.app, get=("name",))
    assert read.values == {"name": SECRET.hex()}
    assert await world.stage.node.stop() == 0
    put, got = [await world.stage.verified(receipt) for receipt in ("put-name", "get-name")]
    assert put["valid"] is got["valid"] is True
    operations = put["operations"], got["operations"]
    for operation in operations:
        assert COLLECTION in str(operation)
    assert put["index"] != got["index"]


async def test_an_app_of_another_measurement_is_refused(world: World) -> None:
    """The same machine, another file of code: the node refuses it, and says that it is denied."""
    refused = await world.stage.run(world.stranger, get=("name",))
    assert (refused.error, refused.why) == ("DeniedError", "NOT_ADMITTED")


async def test_an_app_of_another_root_is_refused(world: World, tmp_path: Path) -> None:
    """The same code on a machine of a root that the network does not believe."""
    elsewhere = new_machine(world.core.tee, tmp_path / "elsewhere")
    refused = await world.stage.run(App(elsewhere, world.app.manifest), get=("name",))
    assert (refused.error, refused.why) == ("RefusedError", "EVIDENCE_REFUSED"), refused


async def test_a_node_of_another_measurement_is_refused(world: World) -> None:
    """An app that pins another key service than the one that answers does not go on."""
    other = encode_policy(world.stranger.match)
    pinned = KeyServiceEntry.model_validate({"policy": other.hex()})
    file = world.stage.node.file.model_copy(update={"key_service": pinned})
    refused = await world.stage.run(world.app, put={"name": SECRET}, network=file)
    assert (refused.error, refused.why) == ("AttestationFailedError", "identity"), refused


async def test_a_node_of_another_root_is_refused(world: World, tmp_path: Path) -> None:
    """An app that pins another root does not go on, whatever the node's collateral says."""
    core = new_machine(world.core.tee, tmp_path / "elsewhere")
    terms = CollectionTerms(any_of(world.app), any_of(world.app))
    foreign = await found(tmp_path / "other-network", core, terms)
    file = world.stage.node.file.model_copy(update={"attestation": foreign.file.attestation})
    refused = await world.stage.run(world.app, put={"name": SECRET}, network=file)
    assert refused.error == "AttestationFailedError", refused
    assert refused.why in {"evidence", "trust-document"}, refused


async def test_a_node_whose_code_was_changed_is_refused(world: World, tmp_path: Path) -> None:
    """The home run by other code of the same signer: apps that pin its code do not talk to it.

    Cores on SGX are named by signer and version; of a lower one the state does not even open.
    """
    node, is_sgx = world.stage.node, world.core.tee == SGX
    assert await node.stop() == 0
    manifest = tmp_path / "core.toml"
    manifest.write_text(
        'name = "sealedger core"\nsigner = "sealedger-core"\nproduct_id = 1\n'
        f'svn = {0 if is_sgx else 1}\nroot = "{_climb(tmp_path)}"\nfiles = ["kms"]\n'
    )
    program = ("-c", _OTHER_CODE.format(manifest=str(manifest)))
    if is_sgx:
        with pytest.raises(AssertionError, match="sealed key-service state does not open here"):
            await node.start(program)
        return
    await node.start(program)
    refused = await world.stage.run(world.app, put={"name": SECRET})
    assert (refused.error, refused.why) == ("AttestationFailedError", "identity"), refused


def _climb(folder: Path) -> str:
    """The way from a folder to the repository."""
    return os.path.relpath(ROOT, folder)
