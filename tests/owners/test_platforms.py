"""Platforms that members enrol and remove, over a real node; every vote has its receipt."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from attestation.evidence import decode_evidence
from attestation.inspect import identity_of_unverified
from attestation.policy import Match, encode_policy
from enclave_client.errors import DeniedError, InvalidRequestError, RefusedError
from enclave_client.offline import verify_receipt_file
from enclave_client.owner import OwnerClient
from enclave_client.owner_platforms import PlatformVoted
from enclave_client.rows import PlatformRow
from ledger.format.outcome import Outcome, Votes
from ledger.format.platforms import PlatformVote, VotePlatform
from ledger.format.query import OpenEntries
from ledger.format.terms import CollectionTerms
from ledger.format.transaction import SignerKind
from ledger.reason import Reason
from tests.support.asking import Asker, channel_to
from tests.support.owners import OWNED, account, copy_of, found_governed, owner_of
from tests.support.real_node import COLLECTION, RealNetwork, Serving, serving

MEMBERS = (7, 8, 9)
NEEDED = 2
FOUNDED = b"\x99" * 64


@pytest.fixture(scope="session")
def _governed_once(tmp_path_factory: pytest.TempPathFactory) -> RealNetwork:
    directory = tmp_path_factory.mktemp("governed") / "network"
    return found_governed(directory, MEMBERS, NEEDED, (FOUNDED,))


@pytest.fixture
def network(_governed_once: RealNetwork, tmp_path: Path) -> RealNetwork:
    """A network with three members and one platform that is enrolled already."""
    return copy_of(_governed_once, tmp_path)


@pytest.fixture
async def node(network: RealNetwork) -> AsyncIterator[Serving]:
    """Its node, in this process."""
    async with serving(network) as running:
        yield running


def member(node: Serving, number: int) -> OwnerClient:
    """A client of a member."""
    return owner_of(node, account(number))


async def vote(node: Serving, number: int, ask: PlatformVote, platform: bytes) -> PlatformVoted:
    """One member's vote, whose receipt proves exactly that."""
    async with member(node, number) as client:
        ways = {
            PlatformVote.ENROL: client.platforms.enrol,
            PlatformVote.REMOVE: client.platforms.remove,
            PlatformVote.TAKE_BACK: client.platforms.take_back,
        }
        voted = await ways[ask](platform)
    opened = verify_receipt_file(voted.receipt.encode(), node.file).opened[0]
    assert isinstance(opened.operation, VotePlatform)
    assert (opened.operation.platform_id, opened.operation.vote) == (platform, ask)
    assert opened.outcome == Outcome(Reason.OK, Votes(voted.cast, voted.needed))
    return voted


async def listed(client: OwnerClient) -> list[PlatformRow]:
    """The whole list."""
    return [row async for row in client.platforms.list()]


async def machine_of(network: RealNetwork) -> bytes:
    """The id of the machine that the network's apps run on, as its evidence says."""
    evidence = decode_evidence(await network.app("app").evidence(bytes(64)))
    return identity_of_unverified(evidence).platform_id


async def test_an_app_on_an_enrolled_machine(node: Serving, network: RealNetwork) -> None:
    """The second vote lets the app in; it is denied with the first operation after its removal."""
    machine = await machine_of(network)
    code = network.app("app").enclave.measurement
    policy = encode_policy(Match(measurement=code, enrolled=True))
    async with owner_of(node) as owner:
        await owner.create_collection(OWNED, CollectionTerms(policy, policy))
    async with node.client("app", OWNED) as app:
        with pytest.raises(DeniedError):  # its session is open for the collections of genesis
            await app.put("x", b"1")
        first = await vote(node, MEMBERS[0], PlatformVote.ENROL, machine)
        assert (first.cast, first.needed, first.is_done) == (1, NEEDED, False)
        with pytest.raises(DeniedError):
            await app.put("x", b"1")
        second = await vote(node, MEMBERS[1], PlatformVote.ENROL, machine)
        assert second.is_done
        await app.put("x", b"1")
        assert (await app.get("x")).value == b"1"
        await vote(node, MEMBERS[1], PlatformVote.REMOVE, machine)
        assert (await app.get("x")).value == b"1"
        await vote(node, MEMBERS[2], PlatformVote.REMOVE, machine)
        with pytest.raises(DeniedError) as caught:
            await app.get("x")
        assert caught.value.receipt is not None


async def test_the_list(node: Serving) -> None:
    """What is enrolled since when, what is voted on by whom, and what was taken back, by id."""
    intel, amd = b"\x11" * 16, b"\xaa" * 64
    await vote(node, MEMBERS[0], PlatformVote.ENROL, intel)
    done = await vote(node, MEMBERS[1], PlatformVote.ENROL, intel)
    await vote(node, MEMBERS[2], PlatformVote.ENROL, amd)
    await vote(node, MEMBERS[2], PlatformVote.REMOVE, FOUNDED)
    back = await vote(node, MEMBERS[2], PlatformVote.TAKE_BACK, FOUNDED)
    assert (back.cast, back.needed) == (0, NEEDED)
    async with member(node, MEMBERS[0]) as client:
        assert await listed(client) == [
            PlatformRow(
                intel, is_enrolled=True, index=done.receipt.index, voters=(), needed=NEEDED
            ),
            PlatformRow(FOUNDED, is_enrolled=True, index=0, voters=(), needed=NEEDED),
            PlatformRow(
                amd,
                is_enrolled=False,
                index=0,
                voters=(account(MEMBERS[2]).address,),
                needed=NEEDED,
            ),
        ]
    async with owner_of(node, account(99)) as stranger:
        with pytest.raises(DeniedError):
            await listed(stranger)


async def test_a_member_reads_the_votes_themselves(node: Serving) -> None:
    """A member who has no part in anything is shown every vote, proven, and nothing else."""
    async with node.client("app", COLLECTION) as app:
        await app.put("x", b"1")
    votes = [await vote(node, who, PlatformVote.REMOVE, FOUNDED) for who in MEMBERS[:2]]
    key = account(MEMBERS[2])
    async with channel_to(node.file) as channel:
        asker = Asker(channel, node.file, SignerKind.ACCOUNT, key.address, key.sign)
        seen = [
            (receipt.index, opened.operation)
            for receipt in asker.proven(await asker.ask(OpenEntries(0, 100)))
            for opened in receipt.opened
        ]
    removal = VotePlatform(FOUNDED, PlatformVote.REMOVE)
    assert seen == [(one.receipt.index, removal) for one in votes]


async def test_what_is_refused(node: Serving) -> None:
    """A stranger's vote, one that changes nothing, and an id that no platform has."""
    async with owner_of(node, account(99)) as stranger:
        with pytest.raises(DeniedError, match="members") as denied:
            await stranger.platforms.enrol(b"\x11" * 16)
        assert denied.value.receipt is None
    async with member(node, MEMBERS[0]) as client:
        for ask, platform, hint in (
            (client.platforms.enrol, FOUNDED, "it is enrolled, or this account's vote for that"),
            (
                client.platforms.remove,
                b"\x11" * 16,
                "it is not enrolled, or this account's vote to",
            ),
            (client.platforms.take_back, FOUNDED, "this account has no open vote on it"),
        ):
            with pytest.raises(RefusedError) as refused:
                await ask(platform)
            assert refused.value.reason is Reason.NO_CHANGE
            assert refused.value.hint.startswith(hint)
            assert refused.value.hint.endswith(": sealedger platform list")
        for wrong in (b"", b"\x11" * 15, b"\x11" * 65, bytes(16), bytes(64)):
            with pytest.raises(InvalidRequestError):
                await client.platforms.enrol(wrong)
