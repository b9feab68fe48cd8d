"""One network, three kinds of TEE: nodes and apps of each kind believe one another.

Genesis names the roots and collateral of all three; the readers' policy is any of three programs,
one for each kind. Every app has a machine of its own and is a process of its own.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from attestation.platforms.software_files import TEES
from ledger.format.terms import CollectionTerms
from tests.support.mutual_network import (
    App,
    Machine,
    Stage,
    any_of,
    found,
    new_app,
    new_machine,
)
from tests.support.real_node import NodeProcess


@dataclass(frozen=True, slots=True)
class World:
    """A running node, and an app of each kind; `writer` alone may write."""

    stage: Stage
    machines: dict[str, Machine]
    apps: dict[str, App]
    writer: App


ON_SGX = pytest.mark.parametrize("world", ["sgx"], indirect=True)


@pytest.fixture(params=TEES)
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The core runs on each kind in turn; who may write is of another kind than the core."""
    core, *others = sorted(TEES, key=lambda tee: tee != request.param)
    machines = {tee: new_machine(tee, tmp_path / tee) for tee in TEES}
    apps = {tee: new_app(tmp_path / "apps", f"on-{tee}", machines[tee]) for tee in TEES}
    writer = apps[others[0]]
    terms = CollectionTerms(readers=any_of(*apps.values()), writers=any_of(writer))
    believed = [machines[tee] for tee in others]
    network = await found(tmp_path / "network", machines[core], terms, *believed)
    node = NodeProcess(network)
    await node.start()
    try:
        yield World(Stage(node, tmp_path / "kept"), machines, apps, writer)
        assert await node.stop() == 0
    finally:
        await node.stop()


async def test_any_of_three_kinds_reads_what_one_wrote(world: World) -> None:
    """What the writer stores is read by apps of all kinds, and every receipt holds offline."""
    stored = await world.stage.run(world.writer, put={"name": b"shared"})
    assert stored.error == "", stored.said
    put = await world.stage.verified("put-name")
    indices = {put["index"]}
    for app in world.apps.values():
        read = await world.stage.run(app, get=("name",))
        assert (read.error, read.values) == ("", {"name": b"shared".hex()}), read
        indices.add((await world.stage.verified("get-name"))["index"])
    assert len(indices) == 1 + len(TEES)


@ON_SGX
async def test_readers_who_may_not_write_are_denied(world: World) -> None:
    """An app of the other kinds is admitted to the network, but not as a writer."""
    for app in world.apps.values():
        if app != world.writer:
            denied = await world.stage.run(app, put={"name": b"mine"})
            assert (denied.error, denied.why) == ("DeniedError", "DENIED"), denied


@ON_SGX
async def test_code_of_one_kind_is_not_admitted_on_another(world: World) -> None:
    """The program that the policy names on TDX is not the one that it names on SEV-SNP or SGX."""
    for tee, app in world.apps.items():
        for other, machine in world.machines.items():
            if tee != other:
                refused = await world.stage.run(App(machine, app.manifest), get=("name",))
                assert (refused.error, refused.why) == ("DeniedError", "NOT_ADMITTED"), refused


@ON_SGX
async def test_a_machine_that_genesis_does_not_name(world: World, tmp_path: Path) -> None:
    """The admitted programs on machines of other roots are refused, whatever the kind."""
    for tee, app in world.apps.items():
        elsewhere = new_machine(tee, tmp_path / f"elsewhere-{tee}")
        refused = await world.stage.run(App(elsewhere, app.manifest), get=("name",))
        assert (refused.error, refused.why) == ("RefusedError", "EVIDENCE_REFUSED"), refused
