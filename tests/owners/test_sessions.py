"""Sessions ended by owners and members, over a real node; every word has its receipt."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from enclave_client.errors import (
    DeniedError,
    InvalidRequestError,
    RefusedError,
    SessionRevokedError,
)
from enclave_client.offline import verify_receipt_file
from enclave_client.owner import OwnerClient
from enclave_client.receipts import Receipt
from ledger.format.hygiene import RevokeSession
from ledger.format.outcome import Outcome, Votes
from ledger.reason import Reason
from tests.support.owners import OWNED, account, admitting, copy_of, found_governed, owner_of
from tests.support.real_node import COLLECTION, RealNetwork, Serving, serving

MEMBERS = (7, 8, 9)
NEEDED = 2


@pytest.fixture(scope="session")
def _governed_once(tmp_path_factory: pytest.TempPathFactory) -> RealNetwork:
    return found_governed(tmp_path_factory.mktemp("governed") / "network", MEMBERS, NEEDED)


@pytest.fixture
def network(_governed_once: RealNetwork, tmp_path: Path) -> RealNetwork:
    """A network with three members."""
    return copy_of(_governed_once, tmp_path)


@pytest.fixture
async def node(network: RealNetwork) -> AsyncIterator[Serving]:
    """Its node, in this process."""
    async with serving(network) as running:
        yield running


def member(node: Serving, number: int) -> OwnerClient:
    """A client of a member."""
    return owner_of(node, account(number))


def proven(receipt: Receipt, node: Serving) -> tuple[object, Outcome]:
    """The operation and the outcome that a receipt file proves offline."""
    opened = verify_receipt_file(receipt.encode(), node.file).opened[0]
    return opened.operation, opened.outcome


async def session_of(owner: OwnerClient, collection: str, name: str) -> bytes:
    """The session that did the last thing to a name, as its history says."""
    return [event.signer async for event in owner.history(collection, name)][-1]


async def test_an_owner_ends_a_session_s_part(node: Serving, network: RealNetwork) -> None:
    """The session is refused in the collection and goes on elsewhere; a new one is let in."""
    async with owner_of(node) as owner:
        await owner.create_collection(OWNED, admitting(network, "app"))
        async with node.client("app", OWNED) as app:
            await app.put("x", b"1")
            session = await session_of(owner, OWNED, "x")
            done = await owner.sessions.revoke(session, OWNED)
            assert proven(done.receipt, node) == (RevokeSession(session, OWNED), Outcome(Reason.OK))
            with pytest.raises(SessionRevokedError):
                await app.put("x", b"2")
            with pytest.raises(SessionRevokedError) as caught:
                await app.get("x")
            assert caught.value.receipt is not None
            assert proven(caught.value.receipt, node)[1].reason is Reason.SESSION_REVOKED
            with pytest.raises(DeniedError):
                _ = [row async for row in app.list()]
            reasons = [event.outcome.reason async for event in owner.history(OWNED, "x")]
            assert reasons == [Reason.OK, *[Reason.SESSION_REVOKED] * 2]
        async with node.client("app", OWNED) as again:
            assert (await again.get("x")).value == b"1"


async def test_members_end_a_session(node: Serving) -> None:
    """The second of three members ends it; the same member twice does not, nor does a stranger."""
    async with node.client("app", COLLECTION) as app:
        await app.put("x", b"1")
        receipt = (await app.get("x")).receipt
        session = verify_receipt_file(receipt.encode(), node.file).body.signer
        async with member(node, MEMBERS[0]) as first, member(node, 3) as stranger:
            for _ in range(2):
                voted = await first.sessions.vote(session)
                assert (voted.cast, voted.needed, voted.is_revoked) == (1, NEEDED, False)
            with pytest.raises(DeniedError, match="member"):
                await stranger.sessions.vote(session)
            with pytest.raises(RefusedError, match="no session") as unknown:
                await first.sessions.vote(bytes(32))
            assert unknown.value.reason is Reason.UNKNOWN_SESSION
        assert (await app.put("x", b"2")).version == 2
        async with member(node, MEMBERS[1]) as second:
            voted = await second.sessions.vote(session)
        assert voted.is_revoked
        operation, outcome = proven(voted.receipt, node)
        assert operation == RevokeSession(session, "")
        assert outcome == Outcome(Reason.OK, Votes(NEEDED, NEEDED))
        with pytest.raises(SessionRevokedError, match="members revoked") as caught:
            await app.put("x", b"3")
        assert caught.value.receipt is None
        with pytest.raises(SessionRevokedError):
            await app.head("x")


async def test_wrong_arguments(node: Serving) -> None:
    """What can be no session or collection is said before anything is sent."""
    async with owner_of(node) as owner:
        for session, collection in ((b"", OWNED), (bytes(31), OWNED), (bytes(32), "")):
            with pytest.raises(InvalidRequestError):
                await owner.sessions.revoke(session, collection)
        with pytest.raises(InvalidRequestError):
            await owner.sessions.vote(bytes(33))
