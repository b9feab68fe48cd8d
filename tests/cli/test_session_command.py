"""``sealedger session`` as an owner and members type it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from enclave_client.errors import SessionRevokedError
from enclave_client.offline import verify_receipt_file
from ledger.reason import Reason
from tests.cli.conftest import Shell
from tests.support.owners import copy_of, found_governed
from tests.support.real_node import COLLECTION, RealNetwork, Serving, serving

MEMBERS = (7, 8)


@pytest.fixture(scope="session")
def _governed_once(tmp_path_factory: pytest.TempPathFactory) -> RealNetwork:
    directory = tmp_path_factory.mktemp("governed") / "network"
    return found_governed(directory, MEMBERS, len(MEMBERS))


@pytest.fixture
async def node(_governed_once: RealNetwork, tmp_path: Path) -> AsyncIterator[Serving]:
    """A node of a network with two members, in this process."""
    async with serving(copy_of(_governed_once, tmp_path)) as running:
        yield running


async def test_for_a_collection(shell: Shell, node: Serving, tmp_path: Path) -> None:
    """The history names the session; its owner revokes it for the collection; the receipt holds."""
    receipt = tmp_path / "revoked"
    made = ("collection", "create", "own", "--reader", shell.manifest("app"))
    await shell.as_owner(*made, "--writer", shell.manifest("app"))
    async with node.client("app", "own") as app:
        await app.put("x", b"1")
        history = await shell.as_owner("secret", "history", "--collection", "own", "x", "--json")
        (event,) = history.done.fields["history"]
        session = event["signer"]
        arguments = ("session", "revoke", session, "--collection", "own")
        done = await shell.as_owner(*arguments, "--receipt", str(receipt), "--json")
        assert (done.done.fields["revoked"], done.fields["collection"]) == (True, "own")
        with pytest.raises(SessionRevokedError):
            await app.get("x")
    shown = await shell("receipt", "verify", str(receipt), *shell.where[2:])
    assert b"RevokeSession" in shown.done.out
    assert session.encode() in shown.out
    assert b"own" in shown.out
    assert (await shell.as_owner(*arguments)).done.out


async def test_votes(shell: Shell, node: Serving) -> None:
    """Each member's vote says how many there are; the last one ends the session."""
    async with node.client("app", COLLECTION) as app:
        receipt = (await app.put("x", b"1")).receipt
        session = verify_receipt_file(receipt.encode(), node.file).body.signer.hex()
        arguments = ("session", "revoke", session)
        first = (await shell(*arguments, *shell.by(MEMBERS[0]), "--json")).done.fields
        assert (first["revoked"], first["votes"], first["needed"]) == (False, 1, 2)
        assert (await app.get("x")).value == b"1"
        again = (await shell(*arguments, *shell.by(MEMBERS[0]))).done.out.decode()
        lines = dict(line.split("  ", 1) for line in again.splitlines())
        assert {"needed"}.isdisjoint(lines)
        assert (lines["revoked"].strip(), lines["votes"].strip()) == ("no", "1 of 2")
        assert "vote of another member" in lines["next"]
        assert "casting it again changes nothing" in lines["next"]
        second = await shell(*arguments, *shell.by(MEMBERS[1]))
        assert b"yes" in second.done.out
        assert b"2 of 2" in second.out
        assert b"next" not in second.out
        with pytest.raises(SessionRevokedError):
            await app.get("x")


async def test_refusals(shell: Shell) -> None:
    """Who is neither owner nor member is told so, and nobody revokes what never was."""
    nobody = ("session", "revoke", "00" * 32)
    assert "member" in (await shell(*nobody, *shell.by(3))).failed()
    told = (await shell(*nobody, *shell.by(MEMBERS[0]))).failed()
    assert Reason.UNKNOWN_SESSION.name in told
    assert "history" in told


@pytest.mark.parametrize("session", ["", "00", "00" * 31, "00" * 33, "zz" * 32, "0x" + "00" * 32])
async def test_wrong_usage(shell: Shell, session: str) -> None:
    """What is no id of a session is wrong usage."""
    assert "64 hex digits" in (await shell.as_owner("session", "revoke", session)).failed(2)
