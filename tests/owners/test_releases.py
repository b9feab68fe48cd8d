"""Releases on a real node: published, endorsed, asked for by policies, revoked; and lies."""

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from attestation.conditions import ReleaseMatch
from attestation.policy import Match, encode_policy
from enclave_client.errors import (
    DeniedError,
    InvalidRequestError,
    ReceiptInvalidError,
    RefusedError,
)
from enclave_client.offline import verify_receipt_file
from enclave_client.owner import OwnerClient
from enclave_client.queries import list_releases
from enclave_client.receipts import Receipt
from enclave_client.rows import ReleaseRow
from ledger.format.operation import Read
from ledger.format.outcome import Outcome, Votes
from ledger.format.query import OpenEntries
from ledger.format.releases import (
    MAX_VERSION_PART,
    EnclaveRelease,
    EndorseRelease,
    PublishRelease,
    ReleaseMeasurement,
    ReleaseVersion,
    RevokeRelease,
    encode_release,
    parse_version,
    release_digest,
)
from ledger.format.terms import CollectionTerms
from ledger.reason import Reason
from sealedger.v1 import node_pb2 as pb
from tests.support.owners import OWNED, Lie, account, owner_of
from tests.support.real_node import RealNetwork, Serving

AUDITORS = sorted((account(number) for number in (11, 12, 13)), key=lambda key: key.address)
ADDRESSES = tuple(key.address for key in AUDITORS)
PUBLISHER = account(10)


def release_of(network: RealNetwork, version: str = "1.2.0", name: str = "fns") -> EnclaveRelease:
    """A release of the app."""
    measured = ReleaseMeasurement(1, network.app("app").enclave.measurement)
    source = hashlib.sha256(b"source").digest()
    return EnclaveRelease(name, parse_version(version), (measured,), source, "first", ADDRESSES)


def digest_of(release: EnclaveRelease) -> bytes:
    """What its auditors endorse."""
    return release_digest(encode_release(release))


def proven(receipt: Receipt, node: Serving) -> tuple[object, Outcome]:
    """What a receipt file proves offline: the operation and its outcome."""
    verified = verify_receipt_file(receipt.encode(), node.file)
    return verified.opened[0].operation, verified.opened[0].outcome


@pytest.fixture
async def publisher(node: Serving) -> AsyncIterator[OwnerClient]:
    """The account that publishes; it owns nothing at first."""
    async with owner_of(node, PUBLISHER) as client:
        yield client


@pytest.fixture
async def auditors(node: Serving) -> AsyncIterator[list[OwnerClient]]:
    """Three accounts that own nothing."""
    async with (
        owner_of(node, AUDITORS[0]) as one,
        owner_of(node, AUDITORS[1]) as two,
        owner_of(node, AUDITORS[2]) as three,
    ):
        yield [one, two, three]


async def test_two_of_three(
    node: Serving, network: RealNetwork, publisher: OwnerClient, auditors: list[OwnerClient]
) -> None:
    """Denied with one endorsement, admitted with two, denied once revoked; all has receipts."""
    asked = ReleaseMatch(name="fns", minimum=(1, 2, 0), auditors=ADDRESSES, threshold=2)
    policy = encode_policy(Match(release=asked))
    release = release_of(network)
    async with owner_of(node) as owner, node.client("app", OWNED) as app:
        await owner.create_collection(OWNED, CollectionTerms(policy, policy))
        await owner.put(OWNED, "name", b"value")
        published = await publisher.releases.publish(release)
        assert proven(published.receipt, node) == (PublishRelease(release), Outcome(Reason.OK))
        assert published.digest == digest_of(release)
        with pytest.raises(DeniedError):
            await app.get("name")
        endorsement = EndorseRelease("fns", release.version, published.digest)
        one = await auditors[2].releases.endorse("fns", "1.2.0", published.digest)
        assert proven(one.receipt, node) == (endorsement, Outcome(Reason.OK, Votes(1, 0)))
        with pytest.raises(DeniedError) as denied:
            await app.get("name")
        assert denied.value.receipt is not None
        assert proven(denied.value.receipt, node)[1].reason is Reason.DENIED
        two = await auditors[0].releases.endorse("fns", "1.2.0", published.digest)
        assert proven(two.receipt, node) == (endorsement, Outcome(Reason.OK, Votes(2, 0)))
        assert two.endorsers == 2
        got = await app.get("name")
        assert got.value == b"value"
        assert proven(got.receipt, node)[0] == Read(OWNED, "name")
        await app.put("name", b"mine")
        revoked = await publisher.releases.revoke("fns", "1.2.0")
        revocation = RevokeRelease("fns", release.version)
        assert proven(revoked.receipt, node) == (revocation, Outcome(Reason.OK))
        assert revoked.endorsers is None
        for attempt in (app.get("name"), app.put("name", b"late")):
            with pytest.raises(DeniedError):
                await attempt
        await publisher.releases.publish(release_of(network, "1.2.1"))
        for auditor in auditors[:2]:
            await auditor.releases.endorse("fns", "1.2.1", digest_of(release_of(network, "1.2.1")))
        assert (await app.get("name")).value == b"mine"


async def test_only_by_a_release_a_session_opens(
    node: Serving, network: RealNetwork, publisher: OwnerClient, auditors: list[OwnerClient]
) -> None:
    """An app that nothing else names attests as soon as its release is endorsed, and not before."""
    stranger = network.app("stranger").enclave.measurement
    release = replace(release_of(network), measurements=(ReleaseMeasurement(1, stranger),))
    asked = ReleaseMatch(name="fns", minimum=(0, 0, 0), auditors=ADDRESSES, threshold=1)
    policy = encode_policy(Match(release=asked))
    await publisher.create_collection(OWNED, CollectionTerms(policy, policy))
    await publisher.releases.publish(release)
    with pytest.raises(DeniedError) as caught:
        async with node.client("stranger", OWNED) as app:
            await app.put("name", b"value")
    assert caught.value.reason is Reason.NOT_ADMITTED
    asked_for = "release: expected fns >= 0.0.0, endorsed by 1 of "
    assert asked_for in caught.value.hint
    await auditors[0].releases.endorse("fns", "1.2.0", digest_of(release))
    async with node.client("stranger", OWNED) as app:
        await app.put("name", b"value")
        await auditors[0].releases.revoke("fns", "1.2.0")
        with pytest.raises(DeniedError):
            await app.get("name")


async def test_shown(
    network: RealNetwork, publisher: OwnerClient, auditors: list[OwnerClient]
) -> None:
    """A release is shown with its proven entries, also to an account that owns nothing."""
    release = release_of(network)
    published = await publisher.releases.publish(release)
    first = await auditors[0].releases.endorse("fns", "1.2.0", published.digest)
    second = await auditors[1].releases.endorse("fns", "1.2.0", published.digest)
    gone = await auditors[0].releases.revoke("fns", "1.2.0")
    assert gone.endorsers == 1
    shown = await auditors[2].releases.show("fns", "1.2.0")
    row = shown.row
    assert (row.release, row.title, row.publisher) == (release, "fns@1.2.0", PUBLISHER.address)
    assert (row.index, row.is_revoked) == (published.receipt.index, False)
    assert [(one.auditor, one.index) for one in row.endorsed] == [
        (ADDRESSES[1], second.receipt.index)
    ]
    assert [(one.auditor, one.index) for one in row.withdrawn] == [
        (ADDRESSES[0], gone.receipt.index)
    ]
    assert first.receipt.index < second.receipt.index
    assert shown.digest == published.digest
    assert shown.published.operation == PublishRelease(release)
    assert [event.signer for event in shown.endorsed] == [ADDRESSES[1]]
    assert shown.revoked is None
    revoked = await publisher.releases.revoke("fns", "1.2.0")
    again = await auditors[2].releases.show("fns", "1.2.0")
    assert again.row.revoked_index == revoked.receipt.index
    assert again.revoked is not None
    assert again.revoked.operation == RevokeRelease("fns", release.version)


async def test_lists(node: Serving, network: RealNetwork, publisher: OwnerClient) -> None:
    """All names in order, versions by number; one name alone; sessions may ask too."""
    versions = ["0.0.0", "0.0.1", "0.9.0", "0.10.0", "1.0.0", f"1.0.{MAX_VERSION_PART}", "2.0.0"]
    for name in ("fns", "a", "fns/x"):
        for version in versions:
            await publisher.releases.publish(release_of(network, version, name))
    titles = [row.title async for row in publisher.releases.list()]
    assert titles == [f"{name}@{v}" for name in ("a", "fns", "fns/x") for v in versions]
    assert [row.title async for row in publisher.releases.list("fns")] == titles[7:14]
    assert [row.title async for row in publisher.releases.list("none")] == []
    for version in versions:
        assert (await publisher.releases.show("fns", version)).row.title == f"fns@{version}"
    async with node.client("app") as app:
        await app.put("name", b"value")
        listed = [row.title async for row in _list_as(app)]
    assert listed == titles


async def test_pages(
    network: RealNetwork, publisher: OwnerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list goes on behind the last row of each page."""
    monkeypatch.setattr("contracts.queries.MAX_RELEASES", 2)
    for number in range(5):
        await publisher.releases.publish(release_of(network, f"1.0.{number}"))
    lie = Lie.to(publisher)
    for wanted in ("", "fns"):
        lie.asked = 0
        titles = [row.title async for row in _list_as(publisher, wanted)]
        assert titles == [f"fns@1.0.{number}" for number in range(5)]
        assert lie.asked == 3


async def test_refusals(
    network: RealNetwork, publisher: OwnerClient, auditors: list[OwnerClient]
) -> None:
    """Each refusal says what would be right; none of them is an entry."""
    release = release_of(network)
    digest = (await publisher.releases.publish(release)).digest
    attempts = (
        (publisher.releases.publish(release), Reason.RELEASE_EXISTS, "publish the next one"),
        (auditors[0].releases.publish(release), Reason.DENIED, "the account that a name belongs"),
        (publisher.releases.endorse("fns", "1.2.0", digest), Reason.DENIED, "only the auditors"),
        (
            auditors[0].releases.endorse("fns", "1.2.0", bytes(32)),
            Reason.WRONG_RELEASE_DIGEST,
            "another release was looked at",
        ),
        (auditors[0].releases.endorse("fns", "9.9.9", digest), Reason.UNKNOWN_RELEASE, "list"),
        (auditors[0].releases.revoke("fns", "9.9.9"), Reason.UNKNOWN_RELEASE, "list"),
        (auditors[0].releases.show("fns", "9.9.9"), Reason.UNKNOWN_RELEASE, "list"),
    )
    for attempt, reason, hint in attempts:
        with pytest.raises(RefusedError) as caught:
            await attempt
        assert caught.value.reason is reason
        assert hint in caught.value.hint
        assert caught.value.receipt is None
    await publisher.releases.revoke("fns", "1.2.0")
    with pytest.raises(RefusedError) as caught:
        await auditors[0].releases.endorse("fns", "1.2.0", digest)
    assert caught.value.reason is Reason.RELEASE_REVOKED
    assert "for ever" in caught.value.hint


async def test_what_no_release_can_be(network: RealNetwork, publisher: OwnerClient) -> None:
    """Names, versions, digests and releases that cannot be meant are not sent."""
    release = release_of(network)
    for attempt in (
        publisher.releases.endorse("../x", "1.2.0", bytes(32)),
        publisher.releases.endorse("fns", "1.2", bytes(32)),
        publisher.releases.endorse("fns", "1.2.0", bytes(31)),
        publisher.releases.revoke("fns", "v1.2.0"),
        publisher.releases.show("f" * 65, "1.2.0"),
        publisher.releases.publish(replace(release, auditors=())),
        publisher.releases.publish(replace(release, notes="\n")),
        publisher.releases.publish(replace(release, version=ReleaseVersion(2**31, 0, 0))),
    ):
        with pytest.raises(InvalidRequestError):
            await attempt
    with pytest.raises(InvalidRequestError):
        publisher.releases.list("f" * 65)


async def test_strangers_see_releases_only(
    node: Serving, network: RealNetwork, publisher: OwnerClient
) -> None:
    """An account without a part opens what was said of releases, and nothing else of any entry."""
    published = await publisher.releases.publish(release_of(network))
    async with node.client("app") as app:
        stored = await app.put("name", b"value")
    indices = (published.receipt.index, stored.receipt.index)
    async with owner_of(node, account(99)) as stranger:
        answer = await stranger._asking.ask(OpenEntries(0, 9, indices=indices), "entries")
        events = stranger._asking.events(answer)
        assert len(answer.entries) == 1
        assert [event.operation for event in events] == [PublishRelease(release_of(network))]
        watched = stranger.watch("any")
        with pytest.raises(DeniedError):
            await anext(watched)
        with pytest.raises(DeniedError):
            await stranger._asking.ask(OpenEntries(0, 100), "everything")


Change = Callable[[pb.QueryReply], object]


def _other_release(reply: pb.QueryReply) -> None:
    for row in reply.releases:
        row.release.source_digest = bytes(32)


def _other_publisher(reply: pb.QueryReply) -> None:
    for row in reply.releases:
        row.publisher = bytes(20)


def _one_endorser_more(reply: pb.QueryReply) -> None:
    for row in reply.releases:
        row.endorsed.add(auditor=ADDRESSES[2], index=row.endorsed[0].index)


def _another_entry(reply: pb.QueryReply) -> None:
    for row in reply.releases:
        row.index, row.endorsed[0].index = row.endorsed[0].index, row.index


def _revoked(reply: pb.QueryReply) -> None:
    for row in reply.releases:
        row.revoked_index = row.index


def _no_auditor(reply: pb.QueryReply) -> None:
    for row in reply.releases:
        row.endorsed.add(auditor=bytes(20), index=1)


def _says_two_things(reply: pb.QueryReply) -> None:
    for row in reply.releases:
        row.withdrawn.add(auditor=row.endorsed[0].auditor, index=1)


def _no_release(reply: pb.QueryReply) -> None:
    for row in reply.releases:
        row.release.notes = "\n"


def _another_name(reply: pb.QueryReply) -> None:
    for row in reply.releases:
        row.release.name = "other"


@pytest.mark.parametrize(
    "change",
    [
        _other_release,
        _other_publisher,
        _one_endorser_more,
        _another_entry,
        _revoked,
        _no_auditor,
        _says_two_things,
        _no_release,
        _another_name,
    ],
)
async def test_a_node_that_lies_of_a_release(
    network: RealNetwork, publisher: OwnerClient, auditors: list[OwnerClient], change: Change
) -> None:
    """A row that the certified log does not bear out is never shown as proven."""
    digest = (await publisher.releases.publish(release_of(network))).digest
    await auditors[0].releases.endorse("fns", "1.2.0", digest)
    assert (await publisher.releases.show("fns", "1.2.0")).digest == digest
    Lie.to(publisher).change = change
    with pytest.raises(ReceiptInvalidError):
        await publisher.releases.show("fns", "1.2.0")


def _backwards(reply: pb.QueryReply) -> None:
    rows = list(reply.releases)
    del reply.releases[:]
    reply.releases.extend(reversed(rows))


def _twice(reply: pb.QueryReply) -> None:
    reply.releases.append(reply.releases[-1])


def _for_ever(reply: pb.QueryReply) -> None:
    del reply.releases[:]
    reply.next_after = "fns@1.0.0"


def _elsewhere(reply: pb.QueryReply) -> None:
    reply.next_after = "zzz@1.0.0"


@pytest.mark.parametrize("change", [_backwards, _twice, _for_ever, _elsewhere])
async def test_a_node_that_lies_in_lists(
    network: RealNetwork, publisher: OwnerClient, change: Change
) -> None:
    """A list that is out of order, or does not go on, is refused."""
    for version in ("1.0.0", "1.1.0"):
        await publisher.releases.publish(release_of(network, version))
    Lie.to(publisher).change = change
    with pytest.raises(ReceiptInvalidError):
        _ = [row async for row in _list_as(publisher)]


def _list_as(client: object, name: str = "") -> AsyncIterator[ReleaseRow]:
    """The list as this client's signer asks for it."""
    return list_releases(client._asking, name)  # type: ignore[attr-defined]  # both clients have one
