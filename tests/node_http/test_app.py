"""The HTTP side as part of a node: opened with it, closed with it, and honest about its state."""

import json
import socket
from pathlib import Path

import grpc
import pytest
from aiohttp import ClientConnectionError, ClientSession

from enclave_client.network_file import NetworkFile
from node.config import NodeConfig
from node.errors import ConfigError
from node.http.views import ReadinessView
from sealedger.v1 import node_pb2 as pb
from tests.support.fuzzing import raw_channel, status_of
from tests.support.http_walker import fetch
from tests.support.planted import NAME, VALUE
from tests.support.real_node import COLLECTION, Found, RealNetwork, found, listening, serving

ONE_APP = Found(apps=("app",), grants={COLLECTION: ("app",)})


@pytest.fixture
def network(tmp_path: Path) -> RealNetwork:
    """A founded network with one app."""
    return found(tmp_path / "network", ONE_APP)


async def test_it_ends_with_the_node(network: RealNetwork) -> None:
    """While a node is open its HTTP side answers, and afterwards nothing does."""
    async with serving(network) as node, ClientSession() as session:
        url = f"http://127.0.0.1:{node.running.http_port}"
        assert await fetch(session, f"{url}/healthz")
    async with ClientSession() as session:
        with pytest.raises(ClientConnectionError):
            await fetch(session, f"{url}/healthz")


async def test_an_engine_that_stopped(network: RealNetwork) -> None:
    """A node whose engine stopped is alive but not ready, says which condition, and counts it."""
    async with serving(network) as node, ClientSession() as session:
        url = f"http://127.0.0.1:{node.running.http_port}"
        node.running.engine._fail(RuntimeError("the test's disk"))
        assert await fetch(session, f"{url}/healthz")
        async with session.get(f"{url}/readyz") as said:
            assert said.status == 503
            readiness = ReadinessView.model_validate_json(await said.read())
        assert [name for name, one in readiness.checks.items() if not one.ok] == ["engine"]
        assert b"sealedger_engine_alive 0.0" in await fetch(session, f"{url}/metrics")
        assert await fetch(session, f"{url}/checkpoint")


async def test_refusals_show(network: RealNetwork) -> None:
    """A transaction that is refused before it is ordered counts under its reason."""
    async with serving(network) as node, ClientSession() as session:
        async with raw_channel(node.running.port) as channel:
            envelope = pb.SubmitRequest(envelope=b"no envelope").SerializeToString()
            assert await status_of(channel, "SubmitOne", envelope) is grpc.StatusCode.OK
        text = await fetch(session, f"http://127.0.0.1:{node.running.http_port}/metrics")
    assert b'sealedger_refusals_total{reason="MALFORMED"} 1.0' in text


async def test_another_networks_file(network: RealNetwork, tmp_path: Path) -> None:
    """A home with the network file of another network does not start: it would mislead."""
    other = found(tmp_path / "other", ONE_APP)
    network.home.network.write_bytes(other.home.network.read_bytes())
    with pytest.raises(ConfigError, match="is of another network"):
        async with serving(network):
            pytest.fail("it started")


async def test_an_address_that_is_taken(network: RealNetwork) -> None:
    """A node that cannot have its HTTP address does not start; with another address it does."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = {**listening("127.0.0.1:0"), "http": {"listen": f"127.0.0.1:{port}"}}
        network.home.config.write_bytes(NodeConfig.model_validate(settings).encode())
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}"):
            async with serving(network):
                pytest.fail("it started")
    async with serving(network) as node:
        assert node.running.http_port == port
        async with node.client() as client:
            await client.put(NAME, VALUE)


async def test_the_network_file_is_the_operators(network: RealNetwork) -> None:
    """What the operator changes in network.toml is what strangers are given."""
    file = NetworkFile.load(network.home.network)
    file.model_copy(update={"endpoints": ("ledger.example:443",)}).save(network.home.network)
    async with serving(network) as node, ClientSession() as session:
        said = json.loads(
            await fetch(session, f"http://127.0.0.1:{node.running.http_port}/v1/network")
        )
    assert NetworkFile.parse(said["network_file"].encode()).endpoints == ("ledger.example:443",)
