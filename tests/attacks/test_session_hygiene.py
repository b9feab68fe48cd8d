"""Sessions whose ground goes away under a running app: collateral, owners, members, too many."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from attestation.platforms.software import create_platform, renew_collateral
from attestation.platforms.software_collateral import CollateralOptions
from enclave_client.client import SecretClient
from enclave_client.errors import (
    DeniedError,
    RefusedError,
    SessionRevokedError,
    TooManySessionsError,
)
from enclave_client.offline import verify_receipt_file
from ledger.crypto.ed25519 import SigningKey
from ledger.crypto.secret import Secret
from ledger.format.genesis import Limits
from ledger.reason import Reason
from node.collateral_line import NodeSigner, open_line
from node.founding import Governance
from node.fsck import Options, check_directory
from node.home import read_private
from tests.support.owners import OWNED, account, admitting, owner_of
from tests.support.raw_client import now_ms
from tests.support.real_node import COLLECTION, Found, RealNetwork, Serving, found, serving

NUMBER = 5
TCB_DATE_S = 1_700_000_000
MEMBER = account(7)


@pytest.fixture
def network(tmp_path: Path) -> RealNetwork:
    """Founded with collateral of an hour ago, one member, three sessions for each app."""
    platform = tmp_path / "machine"
    options = CollateralOptions(
        issued_s=int(time.time()) - 3600, evaluation_number=NUMBER, tcb_date_s=TCB_DATE_S
    )
    create_platform(platform, int(time.time()), options)
    wanted = Found(
        platform=platform,
        limits=Limits(block_interval_ms=240_000, identity_sessions=3),
        governance=Governance((MEMBER.address,), 1),
    )
    return found(tmp_path / "network", wanted)


@pytest.fixture
async def node(network: RealNetwork) -> AsyncIterator[Serving]:
    """Its node, in this process."""
    async with serving(network) as running:
        yield running


async def bring(node: Serving, ago_s: int, **says: object) -> None:
    """Have the machine's vendor say something new, and the node bring it."""
    network = node.network
    issued_s = int(time.time()) - ago_s
    options = CollateralOptions(issued_s=issued_s, tcb_date_s=TCB_DATE_S, **says)  # type: ignore[arg-type]  # a test's shorthand for fields of any type
    collateral = renew_collateral(network.home.platform, options)
    key = SigningKey(Secret(read_private(network.home.node_key)))
    signer = NodeSigner(network.file.network_id, key)
    async with open_line(f"127.0.0.1:{node.running.port}", node.file, now_ms) as line:
        await line.update(collateral, signer)


async def sessions_in(node: Serving, collection: str, name: str) -> list[bytes]:
    """Who did what was done to a name, in order."""
    async with node.client("app", collection) as app:
        return [event.signer async for event in app.history(name)]


async def test_a_load_crosses_changes_of_collateral(node: Serving) -> None:
    """Attack: puts in the air while sessions end under them; none is lost, none runs twice."""
    names = [f"n/{number}" for number in range(600)]
    async with node.client() as app:
        await app.put("first", b"x")
        putting = [
            asyncio.create_task(app.put(name, name.encode(), if_version=0)) for name in names
        ]
        for step in (1, 2, 3):
            await asyncio.wait(putting[: 150 * step])
            await bring(node, 3600 - step, evaluation_number=NUMBER + step)
        stored = await asyncio.gather(*putting)
        got = await asyncio.gather(*map(app.get, names))
        rows = [row.version async for row in app.list("n/")]
    assert {one.version for one in stored} == {1}
    assert [one.value.decode() for one in got] == names
    assert rows == [1] * len(names)


async def test_newer_dates_alone_disturb_nobody(node: Serving) -> None:
    """The daily edition that says the same leaves the session as it is."""
    async with node.client() as app:
        for number in range(3):
            await app.put("x", b"%d" % number)
            await bring(node, 3000 - number, evaluation_number=NUMBER)
        await app.put("x", b"last")
    assert len(set(await sessions_in(node, COLLECTION, "x"))) == 1


async def test_a_platform_that_turned_bad(node: Serving) -> None:
    """Attack: a session from before the news goes on; its next operation is refused for good."""
    async with node.client() as app:
        await app.put("x", b"1")
        await bring(node, 0, evaluation_number=NUMBER + 1, status="OutOfDate")
        for _ in range(2):
            with pytest.raises(DeniedError) as caught:
                await app.get("x")
            assert caught.value.reason is Reason.NOT_ADMITTED


async def put_until_refused(app: SecretClient) -> None:
    """Go on putting, for twenty seconds at most."""
    async with asyncio.timeout(20):
        while True:
            await app.put("x", b"2")


async def test_collateral_that_ends(node: Serving) -> None:
    """A session ends with the collateral that it was judged by; the command is named that helps."""
    async with node.client() as app:
        await app.put("x", b"1")
        await bring(node, 10, evaluation_number=NUMBER, validity_s=11)
        with pytest.raises(RefusedError, match="sealedger collateral update") as caught:
            await put_until_refused(app)
        assert caught.value.reason is Reason.EVIDENCE_UNDECIDED
        await bring(node, 1, evaluation_number=NUMBER)
        await app.put("x", b"3")


async def test_revoked_while_it_puts(node: Serving) -> None:
    """Attack: a revoked session's puts in the air; each stands before the word, or never."""
    network = node.network
    async with owner_of(node) as owner:
        await owner.create_collection(OWNED, admitting(network, "app"))
        async with node.client("app", OWNED) as app:
            await app.put("first", b"x")
            names = [f"n/{number}" for number in range(300)]
            (session,) = {event.signer async for event in owner.history(OWNED, "first")}
            putting = [asyncio.create_task(app.put(name, b"x")) for name in names]
            await asyncio.wait(putting[:50])
            revoked = await owner.sessions.revoke(session, OWNED)
            results = await asyncio.gather(*putting, return_exceptions=True)
    done = [one.receipt.index for one in results if not isinstance(one, BaseException)]
    refused = [one for one in results if isinstance(one, BaseException)]
    assert len(done) >= 50
    assert all(isinstance(one, SessionRevokedError) for one in refused)
    assert all(index < revoked.receipt.index for index in done)


async def test_a_member_ends_all(node: Serving) -> None:
    """A member's vote ends the session everywhere; the place it held is free again."""
    async with node.client() as one, node.client(), node.client():
        receipt = (await one.put("x", b"1")).receipt
        with pytest.raises(TooManySessionsError, match=r"ends in \d+ s"):
            async with node.client():
                pass
        session = verify_receipt_file(receipt.encode(), node.file).body.signer
        async with owner_of(node, MEMBER) as member:
            assert (await member.sessions.vote(session)).is_revoked
        with pytest.raises(SessionRevokedError):
            await one.get("x")
        async with node.client() as again:
            assert (await again.get("x")).value == b"1"


async def test_a_session_that_is_ended_makes_room(node: Serving) -> None:
    """Brief programs that say when they are done never meet the bound; the client goes on."""
    ended = set()
    for number in range(5):
        async with node.client() as app:
            for _ in range(2):
                receipt = (await app.put("x", b"%d" % number)).receipt
                ended.add(verify_receipt_file(receipt.encode(), node.file).body.signer)
                await app.end_session()
    assert len(ended) == 10
    async with node.client() as one, node.client(), node.client():
        assert (await one.get("x")).value == b"4"


async def test_such_a_history_is_sound(network: RealNetwork) -> None:
    """A ledger with all of this replays to the state that it has, and opens again."""
    async with serving(network) as node, node.client() as app, owner_of(node, MEMBER) as member:
        for step in (1, 2):
            receipt = (await app.put("x", b"1")).receipt
            await bring(node, 3600 - step, evaluation_number=NUMBER + step)
        receipt = (await app.put("x", b"1")).receipt
        session = verify_receipt_file(receipt.encode(), node.file).body.signer
        await member.create_collection(OWNED, admitting(network, "app"))
        await member.sessions.revoke(session, OWNED)
        await member.sessions.vote(session)
        with pytest.raises(SessionRevokedError):
            await app.put("x", b"2")
    genesis = network.home.genesis.read_bytes()
    report = check_directory(network.home.data, genesis, Options())
    assert report.is_clean, report.findings
    async with serving(network) as node, node.client() as app:
        assert (await app.get("x")).version == 3
