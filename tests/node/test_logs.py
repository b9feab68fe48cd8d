"""The log of a real node process: structured, and without anything that it must not show."""

import json
import shutil
from pathlib import Path

import pytest

from enclave_client.errors import DeniedError
from tests.support.real_node import (
    COLLECTION,
    OTHER_COLLECTION,
    NodeProcess,
    client_of,
    found,
    verify_log,
)

NAME = "planted/name-77e1"
VALUE = b"planted value a50c that nobody may see"
ORIGINS = {"node started", "attest", "refused", "node stopping", "node stopped"}


@pytest.mark.slow
async def test_log_shows_nothing(tmp_path: Path) -> None:
    """A whole life (serve, deny, die, restart, stop) is logged in JSON lines without a secret.

    Planted are a name, a value, and every byte of the keys in the home; looked for as they are, in
    hex and in base64 of their middles.
    """
    network = found(tmp_path / "network")
    node = NodeProcess(network)
    await node.start()
    async with client_of(node.file, network.app("app")) as client:
        await client.put(NAME, VALUE)
        assert (await client.get(NAME)).value == VALUE
        with pytest.raises(DeniedError):
            async with client_of(node.file, network.app("other"), COLLECTION) as other:
                await other.get(NAME)
    node.kill()
    await node.ended()
    await node.start()
    async with client_of(node.file, network.app("other"), OTHER_COLLECTION) as other:
        await other.put(NAME, VALUE)
    with pytest.raises(DeniedError):
        async with client_of(node.file, network.app("stranger")):
            pass
    assert await node.stop() == 0
    seed = network.home.node_key.read_bytes()
    hidden = (NAME.encode(), b"name-77e1", b"planted value", VALUE.hex().encode(), seed)
    verify_log(node.lines(), (*hidden, seed.hex().encode()))
    events = {json.loads(line)["event"] for line in node.lines()}
    assert events <= ORIGINS
    assert {"node started", "attest"} <= events


@pytest.mark.slow
async def test_refused_start_is_two_lines(tmp_path: Path) -> None:
    """A node that may not start says why and what to do, in two lines, and exits with 1."""
    network = found(tmp_path / "network")
    node = NodeProcess(network)
    shutil.copytree(network.home.data, tmp_path / "backup")
    await node.start()
    assert await node.stop() == 0
    shutil.rmtree(network.home.data)
    shutil.copytree(tmp_path / "backup", network.home.data)
    before = len(node.lines())
    with pytest.raises(AssertionError, match="the node did not start"):
        await node.start()
    assert await node.ended() == 1
    error, hint = node.lines()[before:]
    assert error.startswith(b"sealedger: error: the data end at entry 1, but this node already ")
    assert hint.startswith(b"hint: an older copy of the data was restored: bring the newest data")
