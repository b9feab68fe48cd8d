"""Machines that want into a network's list without its members, and what a machine keeps after."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import ClientSession

from attestation.evidence import decode_evidence
from attestation.fields import SnpFields, SnpTcb
from attestation.identity import NOT_RATED, Identity, encode_identity
from attestation.inspect import identity_of_unverified
from attestation.policy import Match, SnpMatch, encode_policy
from contracts.admission import Moment, is_named
from contracts.enrolment import PlatformRecord, encode_record, find_platform
from enclave_client.errors import DeniedError, SealedgerClientError
from enclave_client.owner import OwnerClient
from enclave_client.owner_platforms import PlatformVoted
from enclave_client.receipts import Receipt
from enclave_client.rows import PlatformRow
from ledger import keys
from ledger.format.operation import Operation, Read
from ledger.format.platforms import PlatformVote, VotePlatform
from ledger.format.query import ListPlatforms, OpenEntries, Question
from ledger.format.releases import PublishRelease
from ledger.format.terms import CollectionTerms, CreateCollection
from ledger.format.transaction import SignerKind
from ledger.leveldb import LevelDB
from ledger.reason import Reason
from node.fsck import Options, Report, check_directory
from sealedger.v1 import node_pb2 as pb
from tests.support import small_rules
from tests.support.asking import Asker, by_session, channel_to
from tests.support.http_walker import fetch, walk
from tests.support.owners import OWNED, account, copy_of, found_governed, owner_of
from tests.support.raw_client import RawClient
from tests.support.real_node import RealNetwork, Serving, serving, with_endpoint
from tests.support.refusals import refuses
from tests.support.relay import BreakError, Meddler, relaying
from tests.support.small_releases import AUDITORS, asking_for, endorsing, release_of, revoking
from tests.support.small_rules import (
    MINUTE_MS,
    Enclave,
    Signer,
    SmallRules,
    Terms,
    genesis_bytes,
    identity_of,
    put_of,
    trust_document,
)

MEMBERS = (7, 8, 9)
STRANGER = account(99)
NEEDED = 2
FOUNDED = b"\x99" * 64
WANTED = b"\x5a" * 16
GUEST = "guest"

# --------------------------------------------------------------------------------- the rules alone


def rules_of(threshold: int = NEEDED) -> tuple[SmallRules, list[Signer]]:
    """A network of three members where so many decide."""
    members = [small_rules.account(f"member {number}") for number in range(3)]
    names = tuple(sorted(one.name for one in members))
    trust = trust_document(members=names, member_threshold=threshold)
    return SmallRules(genesis_bytes(trust=trust, platforms=(FOUNDED,))), members


def says(vote: PlatformVote, platform: bytes = WANTED, since: int = 0) -> VotePlatform:
    """A vote on a platform, of which the list changed last in that entry."""
    return VotePlatform(platform, vote, since)


def since(rules: SmallRules, platform: bytes = WANTED) -> int:
    """The entry in which the list changed for the platform last."""
    return find_platform(rules.state, platform).index


def enrol(rules: SmallRules, members: list[Signer], platform: bytes) -> None:
    """As many members as it takes let a platform in."""
    for member in members[:NEEDED]:
        rules.outcomes(member, says(PlatformVote.ENROL, platform))
    assert find_platform(rules.state, platform).is_enrolled


def make_collection(rules: SmallRules, match: Match, name: str = "own") -> None:
    """A collection that only this match opens, of an owner of its own."""
    policy = encode_policy(match)
    terms = CollectionTerms(policy, policy)
    rules.outcomes(small_rules.account(f"owner of {name}"), CreateCollection(name, terms))


def reasons(rules: SmallRules, signer: Signer, *operations: Operation) -> list[Reason]:
    """The reasons of a transaction that stands."""
    return [one.reason for one in rules.outcomes(signer, *operations)]


def on_snp(name: str, platform_id: bytes, product: str) -> Identity:
    """A SEV-SNP guest."""
    tcb = SnpTcb(boot_loader=9, tee=9, snp=9, microcode=9)
    fields = SnpFields(product=product, guest_policy=1 << 17, reported_tcb=tcb, launch_tcb=tcb)
    return Identity(
        platform="snp",
        measurement=identity_of(name).measurement + bytes(16),
        tcb_status=NOT_RATED,
        platform_id=platform_id,
        fields=fields,
    )


CHIP = b"\xc5" * 8
TURIN = CHIP + bytes(56)
LIKE_TURIN = CHIP + bytes(55) + b"\x01"
LIKE_INTEL = WANTED + bytes(48)


@pytest.mark.parametrize(
    "enrolled",
    [WANTED, LIKE_INTEL, TURIN, LIKE_TURIN],
    ids=["PPID", "CHIP_ID like it", "Turin", "like Turin"],
)
def test_an_id_that_begins_like_another(enrolled: bytes) -> None:
    """Attack: a PPID that a CHIP_ID begins with, a padded chip and its like, zeros for no id."""
    rules, members = rules_of()
    intel = identity_of(GUEST)
    amd = on_snp(GUEST, TURIN, "Turin")
    tee = SnpMatch(minimum_tcb=SnpTcb())
    make_collection(rules, Match(measurement=intel.measurement, enrolled=True), "intel")
    make_collection(rules, Match(measurement=amd.measurement, enrolled=True, tee=tee), "amd")
    enrol(rules, members, enrolled)
    machines = [
        *(replace(intel, platform_id=one) for one in (b"", WANTED, WANTED[:15], bytes(16))),
        *(replace(amd, platform_id=one) for one in (b"", TURIN, LIKE_TURIN, LIKE_INTEL, bytes(64))),
    ]
    moment = Moment(is_development=True, time_ms=rules.time_ms)
    admitted = {
        machine.platform_id
        for machine in machines
        if is_named(rules.state, encode_identity(machine), moment)
    }
    assert admitted == {enrolled}


def test_policies_filed_until_nobody_looks() -> None:
    """Attack: a stranger files so many policies that sessions open unseen; they can do nothing."""
    rules, members = rules_of()
    guest = identity_of(GUEST, platform_id=WANTED)
    asked = Match(measurement=guest.measurement, enrolled=True)
    make_collection(rules, asked)
    with refuses(Reason.NOT_ADMITTED):
        rules.open(Enclave(GUEST), guest)
    for number in range(64):
        make_collection(
            rules, replace(asked, minimum_svn=0, advisories=(f"A{number}",)), f"n{number}"
        )
    session = rules.open(Enclave(GUEST), guest)
    everything = (put_of("own", "x"), Read("own", "x"), put_of("n63", "x"))
    assert reasons(rules, session, *everything) == [Reason.DENIED] * 3
    enrol(rules, members, WANTED)
    assert reasons(rules, session, put_of("own", "x")) == [Reason.OK]


@pytest.mark.parametrize("endorsed", [True, False])
@pytest.mark.parametrize("enrolled", [True, False])
def test_one_fact_does_not_stand_for_the_other(*, endorsed: bool, enrolled: bool) -> None:
    """Attack: what is known of releases read as an enrolment, or the other way round."""
    rules, members = rules_of()
    guest = identity_of("gamma", platform_id=WANTED)
    code = Match(measurement=guest.measurement)
    make_collection(rules, code, "any")
    make_collection(rules, replace(asking_for(), enrolled=True))
    make_collection(rules, asking_for(), "released")
    make_collection(rules, replace(code, enrolled=True), "enrolled")
    release = release_of()
    publisher = small_rules.account("publisher")
    auditors = [small_rules.account(f"auditor {number}") for number in range(len(AUDITORS))]
    rules.outcomes(publisher, PublishRelease(release))
    session = rules.open(Enclave("gamma"), guest)
    places = ("own", "released", "enrolled")
    puts = [put_of(place, "x") for place in places]
    assert reasons(rules, session, *puts) == [Reason.DENIED] * 3
    if endorsed:
        for auditor in auditors:
            rules.outcomes(auditor, endorsing(release))
    if enrolled:
        enrol(rules, members, WANTED)
    allowed = (endorsed and enrolled, endorsed, enrolled)
    expected = [Reason.OK if one else Reason.DENIED for one in allowed]
    assert reasons(rules, session, *puts) == expected
    if endorsed:
        rules.outcomes(publisher, revoking(release))
        after = [Reason.DENIED, Reason.DENIED, expected[2]]
        assert reasons(rules, session, *puts) == after


def test_a_judgement_that_is_remembered() -> None:
    """Attack: within one block the list changes back and forth; no use is judged by an old one."""
    rules, members = rules_of(threshold=1)
    guest = identity_of(GUEST, platform_id=WANTED)
    make_collection(rules, Match(measurement=guest.measurement), "any")
    make_collection(rules, Match(measurement=guest.measurement, enrolled=True))
    session = rules.open(Enclave(GUEST), guest)
    height = rules.height
    for number in range(6):
        is_in = number % 2 == 0
        vote = PlatformVote.ENROL if is_in else PlatformVote.REMOVE
        rules.outcomes(members[number % 3], says(vote, since=since(rules)))
        expected = Reason.OK if is_in else Reason.DENIED
        assert reasons(rules, session, put_of("own", "x"), put_of("own", "y")) == [expected] * 2
    assert rules.height == height


def test_back_and_forth_in_one_transaction() -> None:
    """Attack: a member who decides alone hides a change among others; the first one counts."""
    rules, (member, *_) = rules_of(threshold=1)
    at = rules.size
    votes = [
        *(says(PlatformVote.ENROL), says(PlatformVote.REMOVE)),
        *(says(PlatformVote.REMOVE, since=at), says(PlatformVote.ENROL, since=at)),
    ]
    expected = [Reason.OK, Reason.NO_CHANGE, Reason.OK, Reason.OK]
    assert reasons(rules, member, *votes) == expected  # the entry of both changes is the same one
    assert since(rules) == at
    policy = encode_policy(Match(measurement=identity_of(GUEST).measurement))
    rules.outcomes(member, CreateCollection("own", CollectionTerms(policy, policy)))
    undone = rules.envelope(
        member,
        *(says(PlatformVote.REMOVE, since=at), says(PlatformVote.REMOVE, FOUNDED)),
        says(PlatformVote.REMOVE),
        terms=Terms(atomic=True),
    )
    outcomes = [one.reason for one in rules.executed(undone).outcomes]
    assert outcomes == [Reason.NOT_EXECUTED, Reason.NOT_EXECUTED, Reason.NO_CHANGE]
    assert all(find_platform(rules.state, one).is_enrolled for one in (WANTED, FOUNDED))


def test_one_member_below_the_threshold() -> None:
    """Attack: votes cast and taken back, numbers out of order, one word said many ways."""
    rules, (member, other, _) = rules_of()
    ask, back = says(PlatformVote.ENROL), says(PlatformVote.TAKE_BACK)
    late = rules.envelope(member, ask, terms=Terms(sequence=900))
    early = rules.envelope(member, back, ask, ask, back, ask, terms=Terms(sequence=3))
    rules.executed(late)
    rules.executed(early)
    for number in range(10, 20):
        rules.executed(rules.envelope(member, back, ask, terms=Terms(sequence=number)))
        rules.do(late)  # it ran: its first entry answers
    assert find_platform(rules.state, WANTED).voters == (member.name,)
    rules.outcomes(other, ask)
    assert find_platform(rules.state, WANTED).is_enrolled
    rules.do(late)
    assert find_platform(rules.state, WANTED).voters == ()


def test_a_vote_that_somebody_kept() -> None:
    """Attack: refused votes are played again when they would change something."""
    rules, members = rules_of()
    kept = []
    for member in members[:NEEDED]:
        rules.outcomes(member, says(PlatformVote.ENROL))
        kept.append(rules.envelope(member, says(PlatformVote.ENROL)))
        with refuses(Reason.NO_CHANGE):
            rules.do(kept[-1])
    enrolled = since(rules)
    for member in members[1:]:
        rules.outcomes(member, says(PlatformVote.REMOVE, since=enrolled))
    removed = find_platform(rules.state, WANTED)
    assert removed == PlatformRecord(index=rules.size - 1)
    for envelope in kept:
        with refuses(Reason.NO_CHANGE):
            rules.do(envelope)
    rules.end_block(MINUTE_MS)
    for envelope in kept:
        with refuses(Reason.TRANSACTION_EXPIRED):
            rules.do(envelope)
    assert find_platform(rules.state, WANTED) == removed


# ------------------------------------------------------------------------------------- a real node


@pytest.fixture(scope="module")
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


async def vote(node: Serving, number: int, ask: PlatformVote, platform: bytes) -> PlatformVoted:
    """One member's vote."""
    async with owner_of(node, account(number)) as client:
        return await cast(client, ask, platform)


async def cast(client: OwnerClient, ask: PlatformVote, platform: bytes) -> PlatformVoted:
    """A vote through this client."""
    way = client.platforms.enrol if ask is PlatformVote.ENROL else client.platforms.remove
    return await way(platform)


async def decide(node: Serving, ask: PlatformVote, platform: bytes) -> int:
    """Two members vote; the entry that changed the list."""
    await vote(node, MEMBERS[0], ask, platform)
    done = await vote(node, MEMBERS[1], ask, platform)
    assert done.is_done
    return done.receipt.index


async def rows_of(node: Serving) -> dict[bytes, PlatformRow]:
    """The list, as a member is told it."""
    async with owner_of(node, account(MEMBERS[2])) as client:
        return {row.platform_id: row async for row in client.platforms.list()}


async def machine_of(network: RealNetwork) -> bytes:
    """The machine that every app here runs on."""
    evidence = decode_evidence(await network.app("app").evidence(bytes(64)))
    return identity_of_unverified(evidence).platform_id


async def open_to(node: Serving, app: str) -> None:
    """A collection for an app, on enrolled machines only."""
    code = node.network.app(app).enclave.measurement
    policy = encode_policy(Match(measurement=code, enrolled=True))
    async with owner_of(node) as owner:
        await owner.create_collection(OWNED, CollectionTerms(policy, policy))


def checked(network: RealNetwork) -> Report:
    """What fsck says of a stopped node's store."""
    return check_directory(network.home.data, network.home.genesis.read_bytes(), Options())


@dataclass(slots=True)
class _Keeps(Meddler):
    """Keeps every submission, and the first answer to each."""

    kept: list[bytes] = field(default_factory=list)
    first: dict[bytes, int] = field(default_factory=dict)  # transaction: its entry

    async def request(self, method: str, data: bytes) -> bytes | None:
        if method == "SubmitOne" and data not in self.kept:
            self.kept.append(data)
        return data

    async def reply(self, method: str, data: bytes) -> bytes | None:
        if method != "SubmitOne":
            return data
        said = pb.SubmitReply.FromString(data)
        if said.HasField("recorded") and said.transaction_hash not in self.first:
            self.first[said.transaction_hash] = said.recorded.index
            raise BreakError
        return data


async def test_a_relay_that_cuts_and_repeats(node: Serving) -> None:
    """Attack: a vote whose answer was cut counts once; played again later it changes nothing."""
    meddler = _Keeps()
    async with relaying(node.running.port, meddler) as relay:
        file = with_endpoint(node.file, relay.port)
        counts = []
        for number in MEMBERS[:2]:
            async with OwnerClient.connect(
                network=file, signer=account(number), allow_development=True, proxied=True
            ) as client:
                voted = await cast(client, PlatformVote.ENROL, WANTED)
                counts.append((voted.cast, voted.is_done))
        assert counts == [(1, False), (2, True)]
        assert len(meddler.kept) == len(meddler.first) == 2
        removed = await decide(node, PlatformVote.REMOVE, WANTED)
        for request in (*reversed(meddler.kept), *meddler.kept):
            said = pb.SubmitReply.FromString(await relay.node.submit_one(request))
            assert said.recorded.index == meddler.first[said.transaction_hash] < removed
    row = (await rows_of(node))[WANTED]
    assert (row.is_enrolled, row.index, row.voters) == (False, removed, ())


async def test_a_machine_removed_while_it_puts(node: Serving, network: RealNetwork) -> None:
    """Attack: puts in the air while members remove their machine; none stands behind that entry."""
    machine = await machine_of(network)
    await open_to(node, "app")
    await decide(node, PlatformVote.ENROL, machine)
    before: list[int] = []
    receipts: list[Receipt | None] = []
    begun = asyncio.Event()

    async def put_until_denied(lane: int) -> None:
        while True:
            try:
                done = await app.put(f"{lane}", b"1")
            except DeniedError as denied:
                receipts.append(denied.receipt)
                return
            before.append(done.receipt.index)
            begun.set()

    async with node.client("app", OWNED) as app, asyncio.timeout(30):
        putting = [asyncio.create_task(put_until_denied(lane)) for lane in range(8)]
        await begun.wait()
        removed = await decide(node, PlatformVote.REMOVE, machine)
        await asyncio.gather(*putting)
        behind = [one.index for one in receipts if one is not None]
        assert max(before) < removed < min(behind)
        assert len(behind) == 8
        with pytest.raises(DeniedError):
            await app.get("1")


async def test_a_watch_of_a_removed_machine(node: Serving, network: RealNetwork) -> None:
    """Attack: a session that was let in for its machine goes on asking when that is removed."""
    machine = await machine_of(network)
    await open_to(node, "stranger")
    await decide(node, PlatformVote.ENROL, machine)
    async with (
        await RawClient.open(node.file, network.app("stranger")) as client,
        channel_to(node.file) as channel,
    ):
        asker = by_session(channel, client)
        watches = [asker.watch(OpenEntries(0, 1000, place)) for place in (OWNED, "")]
        await watches[1].next()
        assert machine in {
            row.platform_id for row in (await asker.ask(ListPlatforms(b"", 9))).platforms
        }
        await decide(node, PlatformVote.REMOVE, machine)
        for watch in watches:
            assert await watch.refusal() is Reason.DENIED
        assert await asker.refused(ListPlatforms(b"", 9)) is Reason.DENIED
    with pytest.raises(SealedgerClientError):
        await RawClient.open(node.file, network.app("stranger"))


async def test_what_a_stranger_learns(node: Serving) -> None:
    """Attack: the list, the votes by number, HTTP and the public log; no id and no voter in any."""
    index = await decide(node, PlatformVote.ENROL, WANTED)
    hidden = (WANTED, WANTED.hex().encode(), account(MEMBERS[0]).address)
    questions: list[Question] = [
        *(ListPlatforms(after, 1000) for after in (b"", bytes(16), bytes(64))),
        OpenEntries(0, 1000),
        OpenEntries(0, 1000, indices=tuple(range(index + 1))),
    ]
    said: list[bytes] = []
    url = f"http://127.0.0.1:{node.running.http_port}"
    async with channel_to(node.file) as channel, ClientSession() as web:
        asker = Asker(channel, node.file, SignerKind.ACCOUNT, STRANGER.address, STRANGER.sign)
        for question in questions:
            request = asker.request(question)
            reply = await asker.send(request)
            assert not reply.platforms
            assert not reply.entries
            said.append(reply.SerializeToString())
            body = {"query": request.query, "signature": request.signature}
            sent = json.dumps({name: base64.b64encode(one).decode() for name, one in body.items()})
            async with web.post(
                f"{url}/v1/ask", data=sent, headers={"Content-Type": "application/json"}
            ) as answer:
                said.append(await answer.read())
        paths = ("/v1/status", "/v1/network", "/metrics", "/readyz", f"/v1/entries/{index}/proof")
        said += [await fetch(web, url + path) for path in paths]
        walked = await walk(web, url, node.file.log.vkey)
        assert len(walked.entries) > index
        member = account(MEMBERS[0])
        told = await Asker(channel, node.file, SignerKind.ACCOUNT, member.address, member.sign).ask(
            ListPlatforms(b"", 1000)
        )
    assert WANTED in {row.platform_id for row in told.platforms}
    assert not any(one in answer for one in hidden for answer in said)
    # Who signed an entry stands in it, as of any account; on what is committed to, not told.
    assert not any(one in entry for one in hidden[:2] for entry in walked.entries)


async def test_a_row_that_no_vote_wrote(network: RealNetwork) -> None:
    """Attack: a host enrols its machine in the stopped node's store; fsck names the row."""
    async with serving(network) as node:
        await decide(node, PlatformVote.ENROL, WANTED)
        await vote(node, MEMBERS[2], PlatformVote.REMOVE, FOUNDED)
        honest = await rows_of(node)
    assert honest[FOUNDED].voters == (account(MEMBERS[2]).address,)
    report = checked(network)
    assert report.is_clean, report.findings
    planted = {
        keys.platform(b"\x66" * 16): encode_record(PlatformRecord(is_enrolled=True, index=3)),
        keys.platform(FOUNDED): encode_record(PlatformRecord(is_enrolled=True)),
        keys.platform(WANTED): None,
    }
    for key, value in planted.items():
        store = LevelDB(network.home.data)
        try:
            saved = store.get(key)
            store.write({key: value}, sync=True)
        finally:
            store.close()
        (finding,) = checked(network).findings
        assert "a platform that is enrolled or voted on" in str(finding)
        assert keys.id_of_platform(key).hex() not in str(finding)
        store = LevelDB(network.home.data)
        try:
            store.write({key: saved}, sync=True)
        finally:
            store.close()
    assert checked(network).is_clean
