"""Mutual attestation over the real port, between two processes, for each kind of TEE."""

from pathlib import Path

import pytest

from attestation.platforms.software_files import TEES
from enclave_client.client import SecretClient
from enclave_client.errors import AttestationFailedError, DeniedError, RefusedError
from tests.support.real_node import COLLECTION, Found, NodeProcess, client_of, found

GRANTS = {COLLECTION: ("app",)}


@pytest.mark.parametrize("tee", TEES)
async def test_a_secret_travels_between_attested_processes(tmp_path: Path, tee: str) -> None:
    """Each side believes the other's evidence; the secret comes back, and only to its app."""
    network = found(tmp_path / "network", Found(tee=tee, grants=GRANTS))
    node = NodeProcess(network)
    await node.start()
    try:
        async with client_of(node.file, network.app("app")) as client:
            await client.put("name", b"value")
            assert (await client.get("name")).value == b"value"
        with pytest.raises(DeniedError, match="NOT_ADMITTED"):
            await _use(client_of(node.file, network.app("stranger")))
    finally:
        assert await node.stop() == 0


@pytest.mark.parametrize("tee", TEES)
async def test_each_side_refuses_another_machine(tmp_path: Path, tee: str) -> None:
    """An app on a machine of another root is refused by the node, and refuses the node itself."""
    network = found(tmp_path / "network", Found(tee=tee, grants=GRANTS))
    other = found(tmp_path / "other", Found(tee=tee, grants=GRANTS))
    node = NodeProcess(network)
    await node.start()
    try:
        with pytest.raises(RefusedError):
            await _use(client_of(node.file, other.app("app")))
        foreign = node.file.model_copy(update={"attestation": other.file.attestation})
        with pytest.raises(AttestationFailedError):
            await _use(client_of(foreign, network.app("app")))
        await _use(client_of(node.file, network.app("app")))
    finally:
        assert await node.stop() == 0


async def _use(client: SecretClient) -> None:
    async with client:
        await client.put("name", b"value")
