"""The node killed at the worst moment: what was recorded is answered once, by its successor."""

import asyncio
from collections import Counter

import pytest

from enclave_client.client import SecretClient
from ledger import keys
from ledger.leveldb import LevelDB
from tests.support.dying_node import PROGRAM
from tests.support.planted import HIDDEN, NAME, VALUE
from tests.support.real_node import COLLECTION, NodeProcess, RealNetwork, client_of, verify_log

SECRET_TOUCHES = f"sT{COLLECTION}\0{NAME}\0".encode()


async def call(client: SecretClient, operation: str) -> object:
    """The call during which the node dies."""
    if operation == "put":
        return (await client.put(NAME, VALUE, if_version=1)).version
    if operation == "delete":
        return (await client.delete(NAME, if_version=1)).version
    return (await client.get(NAME)).value


EXPECTED = {"put": 2, "read": VALUE, "delete": 1}
TOUCHED = {"put": 0, "read": 1, "delete": 1}


def touches(network: RealNetwork) -> int:
    """How many operations marked the secret: reads and deletions do."""
    store = LevelDB(network.home.data)
    try:
        return Counter(
            key.startswith(SECRET_TOUCHES)
            for key, _ in store.scan(keys.TOUCH, keys.TOUCH + b"\xff")
        )[True]
    finally:
        store.close()


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("operation", ["read", "put", "delete"])
async def test_key_service_killed_between_record_and_answer(
    network: RealNetwork, operation: str, moment: str
) -> None:
    """Attack: kill -9 just before a block is written, or right after and before its answer.

    The client asks the restarted node again and gets exactly one outcome: one version, one read on
    the ledger, with its key.
    """
    node = NodeProcess(network)
    try:
        await node.start()
        async with client_of(node.file, network.app("app")) as client:
            await client.put(NAME, b"first" if operation == "put" else VALUE)
            node.kill()
            assert await node.ended() == -9
            await node.start(("-m", PROGRAM, operation, moment))
            result = asyncio.create_task(call(client, operation))
            assert await node.ended() == -9
            assert not result.done()
            await node.start()
            assert await result == EXPECTED[operation]
            if operation == "put":
                assert (await client.get(NAME)).version == 2
        assert await node.stop() == 0
    finally:
        await node.stop()
    assert touches(network) == TOUCHED[operation] + (operation == "put")
    verify_log(node.lines(), HIDDEN)
