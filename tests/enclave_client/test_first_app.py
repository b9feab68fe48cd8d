"""The first app of the documentation runs as it stands there."""

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

from attestation.platforms.software import SoftwarePlatform
from attestation.policy import Match, encode_policy
from enclave_client.network_file import NetworkFile
from enclave_client.offline import verify_receipt_file
from ledger.format.genesis import Collection
from ledger.format.operation import Read
from tests.enclave_client.conftest import COLLECTION, Machine
from tests.enclave_client.fake_ledger import FakeLedger
from tests.enclave_client.fake_node import FakeNode

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "app-developer.md").read_text()


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


async def test_the_first_app_runs_and_its_receipt_verifies(
    machine: Machine, tmp_path: Path
) -> None:
    """The page's two files, run as a program of their own, store, read and save a receipt."""
    (tmp_path / "app.toml").write_text(_block("toml"))
    (tmp_path / "app.py").write_text(_block("python"))
    shutil.copytree(machine.directory / "platform", tmp_path / "trial" / "platform")
    enclave = SoftwarePlatform.open(machine.directory / "platform", tmp_path / "app.toml").enclave
    policy = encode_policy(Match(measurement=enclave.measurement))
    ledger = FakeLedger(machine.found(collections=(Collection(COLLECTION, policy, policy),)))
    async with FakeNode(ledger) as node:
        network = NetworkFile.from_genesis(ledger.genesis, (node.endpoint,))
        network.save(tmp_path / "trial" / "network.toml")
        app = await asyncio.create_subprocess_exec(
            sys.executable,
            "app.py",
            "trial",
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await app.communicate()
    assert (app.returncode, err) == (0, b"")
    assert re.fullmatch(rb"version 1, 13 bytes, entry \d+\n", out)
    receipt = (tmp_path / "read.receipt").read_bytes()
    assert verify_receipt_file(receipt, network).opened[0].operation == Read(
        COLLECTION, "db/password"
    )
    assert len(_block("python").strip().splitlines()) <= 25
