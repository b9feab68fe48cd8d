"""Platforms that members enrol and remove (contracts.platforms, 1 to 4), and who asks for them."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation.facts import ENROLLED
from attestation.identity import Identity, encode_identity
from attestation.policy import AnyOf, Match, encode_policy
from contracts.asker import Asker
from contracts.enrolment import PlatformRecord, decode_record, encode_record, find_platform
from contracts.errors import StateError
from contracts.facts import facts_for
from contracts.holdings import decode_owner
from contracts.platforms import MAX_OPEN_VOTES
from contracts.queries import list_platforms
from ledger import keys
from ledger.errors import FormatError
from ledger.format.hygiene import RevokeSession
from ledger.format.operation import Put, Read
from ledger.format.outcome import Outcome, Votes
from ledger.format.platforms import PlatformVote, VotePlatform
from ledger.format.query import ListPlatforms
from ledger.format.terms import CollectionTerms, CreateCollection, SetPolicy
from ledger.reason import Reason
from tests.support.mutation import mutations
from tests.support.refusals import refuses
from tests.support.small_rules import (
    Enclave,
    Signer,
    SmallRules,
    Terms,
    account,
    core_signer,
    genesis_bytes,
    identity_of,
    policy_of,
    put_of,
    trust_document,
)

MEMBERS = 5
NEEDED = 3
INTEL, AMD = b"\x11" * 16, b"\xaa" * 64
FOUNDED = b"\x99" * 16
GUEST = identity_of("guest", platform_id=INTEL)
ON_ENROLLED = Match(measurement=GUEST.measurement, enrolled=True)
TERMS = CollectionTerms(encode_policy(ON_ENROLLED), encode_policy(ON_ENROLLED))


@pytest.fixture
def members() -> list[Signer]:
    """The members of the network."""
    return [account(f"member {number}") for number in range(MEMBERS)]


@pytest.fixture
def rules(members: list[Signer]) -> SmallRules:
    """A network of five members where three decide, and one platform is enrolled already."""
    names = tuple(sorted(one.name for one in members))
    trust = trust_document(members=names, member_threshold=NEEDED)
    return SmallRules(genesis_bytes(trust=trust, platforms=(FOUNDED,)))


@pytest.fixture
def owner(rules: SmallRules) -> Signer:
    """Owns "own", where the guest reads and writes while its platform is enrolled."""
    signer = account("owner")
    rules.outcomes(signer, CreateCollection("own", TERMS))
    return signer


def enrol(platform: bytes = INTEL) -> VotePlatform:
    """The vote to let a platform in."""
    return VotePlatform(platform, PlatformVote.ENROL)


def remove(platform: bytes = INTEL) -> VotePlatform:
    """The vote to take a platform out."""
    return VotePlatform(platform, PlatformVote.REMOVE)


def take_back(platform: bytes = INTEL) -> VotePlatform:
    """An own vote is taken back."""
    return VotePlatform(platform, PlatformVote.TAKE_BACK)


def now(rules: SmallRules, vote: VotePlatform) -> VotePlatform:
    """The vote by a member who knows the list."""
    return replace(vote, since=find_platform(rules.state, vote.platform_id).index)


def cast(rules: SmallRules, member: Signer, vote: VotePlatform) -> Outcome:
    """A vote that stands."""
    (outcome,) = rules.outcomes(member, now(rules, vote))
    return outcome


def decide(rules: SmallRules, members: list[Signer], vote: VotePlatform) -> None:
    """As many members as it takes vote."""
    for number, member in enumerate(members[:NEEDED], 1):
        assert cast(rules, member, vote) == Outcome(Reason.OK, Votes(number, NEEDED))


def is_enrolled(rules: SmallRules, platform: bytes = INTEL) -> bool:
    """Whether the platform stands in the list."""
    return find_platform(rules.state, platform).is_enrolled


def unchanged(rules: SmallRules, reason: Reason, signer: Signer, *votes: VotePlatform) -> None:
    """Each of the votes alone is refused for this reason and leaves nothing."""
    for vote in votes:
        before = dict(rules.state.rows)
        with refuses(reason):
            rules.do(rules.envelope(signer, now(rules, vote)))
        assert rules.state.rows == before


# ---------------------------------------------------------------------------------------- votes


@pytest.mark.parametrize("platform", [INTEL, AMD])
def test_as_many_members_as_it_takes(
    rules: SmallRules, members: list[Signer], platform: bytes
) -> None:
    """One vote less than needed changes nothing; the last one changes the list, there and back."""
    for votes, after in ((enrol(platform), True), (remove(platform), False)):
        for member in members[: NEEDED - 1]:
            cast(rules, member, votes)
            assert is_enrolled(rules, platform) is not after
        assert cast(rules, members[-1], votes).detail == Votes(NEEDED, NEEDED)
        assert is_enrolled(rules, platform) is after


def test_votes_are_used_up(rules: SmallRules, members: list[Signer]) -> None:
    """The votes that enrolled a platform do not count when it is voted on again."""
    decide(rules, members, enrol())
    assert find_platform(rules.state, INTEL).voters == ()
    assert cast(rules, members[0], remove()).detail == Votes(1, NEEDED)
    assert is_enrolled(rules)


def test_what_a_record_keeps(rules: SmallRules, members: list[Signer]) -> None:
    """A removed platform keeps the entry of its removal; a vote that was taken back leaves none."""
    decide(rules, members, enrol())
    decide(rules, members, remove())
    assert find_platform(rules.state, INTEL) == PlatformRecord(index=rules.size - 1)
    cast(rules, members[0], enrol(AMD))
    cast(rules, members[0], take_back(AMD))
    platforms = {key for key in rules.state.rows if key.startswith(b"sE")}
    assert platforms == {keys.platform(FOUNDED), keys.platform(INTEL)}
    assert all(open_votes(rules, member) == 0 for member in members)


def open_votes(rules: SmallRules, member: Signer) -> int:
    """How many votes a member has open."""
    return decode_owner(rules.state.rows.get(keys.owner(member.name))).votes


def test_what_changes_nothing_leaves_nothing(rules: SmallRules, members: list[Signer]) -> None:
    """A vote for what is so, the same vote again, and taking back what was never said."""
    unchanged(rules, Reason.NO_CHANGE, members[0], remove(), take_back(), enrol(FOUNDED))
    cast(rules, members[0], enrol())
    unchanged(rules, Reason.NO_CHANGE, members[0], enrol(), remove())
    unchanged(rules, Reason.NO_CHANGE, members[1], take_back())


def test_a_vote_taken_back_does_not_count(rules: SmallRules, members: list[Signer]) -> None:
    """Two votes of which one was taken back need two more; it can be cast again."""
    cast(rules, members[0], enrol())
    cast(rules, members[1], enrol())
    assert cast(rules, members[0], take_back()).detail == Votes(1, NEEDED)
    assert cast(rules, members[2], enrol()).detail == Votes(2, NEEDED)
    assert not is_enrolled(rules)
    assert cast(rules, members[0], enrol()).detail == Votes(3, NEEDED)
    assert is_enrolled(rules)
    unchanged(rules, Reason.NO_CHANGE, members[0], take_back())


@pytest.mark.parametrize("votes", [[enrol], [enrol, remove]])
def test_a_vote_that_was_kept_back(
    rules: SmallRules, members: list[Signer], votes: list[Callable[[], VotePlatform]]
) -> None:
    """Attack: refused or withheld votes are sent when the list has changed, once or there and back.

    They name the change that their members saw, so none of them counts.
    """
    kept = [rules.envelope(member, now(rules, enrol())) for member in members]
    kept += [rules.envelope(member, now(rules, remove())) for member in members]
    kept += [rules.envelope(member, now(rules, take_back())) for member in members]
    for vote in votes:
        decide(rules, members, vote())
    cast(rules, members[4], remove() if is_enrolled(rules) else enrol())
    before = dict(rules.state.rows)
    for envelope in kept:
        with refuses(Reason.NO_CHANGE):
            rules.do(envelope)
    assert rules.state.rows == before


def test_one_transaction_of_one_member(rules: SmallRules, members: list[Signer]) -> None:
    """However often one member says it in a transaction, it counts once."""
    outcomes = rules.outcomes(members[0], *[enrol()] * (NEEDED + 1))
    assert [one.reason for one in outcomes] == [Reason.OK, *[Reason.NO_CHANGE] * NEEDED]
    assert not is_enrolled(rules)


def test_an_atomic_failure_undoes_a_vote(rules: SmallRules, members: list[Signer]) -> None:
    """A vote beside something that fails was never cast, and is not open."""
    envelope = rules.envelope(members[0], enrol(), remove(AMD), terms=Terms(atomic=True))
    with refuses(Reason.NO_CHANGE):
        rules.do(envelope)
    assert open_votes(rules, members[0]) == 0
    assert find_platform(rules.state, INTEL) == PlatformRecord()


def test_only_members_vote(rules: SmallRules, owner: Signer) -> None:
    """An owner, a stranger, a session and a node change nothing."""
    unchanged(rules, Reason.DENIED, account("stranger"), enrol(), remove(FOUNDED), take_back())
    unchanged(rules, Reason.DENIED, owner, enrol())
    unchanged(rules, Reason.WRONG_SIGNER, rules.open(Enclave("alpha")), enrol())
    unchanged(rules, Reason.WRONG_SIGNER, core_signer(), enrol())


def test_who_is_no_member_any_more(rules: SmallRules, members: list[Signer]) -> None:
    """Only the votes of those who are members now count, as trust documents will change them."""
    left = account("member who left")
    record = PlatformRecord(voters=(left.name, members[1].name))
    rules.state.rows[keys.platform(INTEL)] = encode_record(record)
    rules.state.rows[keys.owner(left.name)] = rules.state.rows.get(
        keys.owner(left.name), bytes(23) + b"\x01"
    )
    rules.state.rows[keys.owner(members[1].name)] = bytes(23) + b"\x01"
    assert cast(rules, members[0], enrol()).detail == Votes(2, NEEDED)
    assert not is_enrolled(rules)
    assert cast(rules, members[2], enrol()).detail == Votes(3, NEEDED)
    assert is_enrolled(rules)
    assert open_votes(rules, left) == 0


def test_the_vote_that_decides_is_never_too_many(rules: SmallRules, members: list[Signer]) -> None:
    """A member with 64 open votes still decides, since that vote does not stay open."""
    for member in members[1:NEEDED]:
        cast(rules, member, remove(FOUNDED))
    many = [enrol(bytes((number,)) * 16) for number in range(1, MAX_OPEN_VOTES + 1)]
    rules.outcomes(members[0], *many)
    assert cast(rules, members[0], remove(FOUNDED)).detail == Votes(NEEDED, NEEDED)
    assert not is_enrolled(rules, FOUNDED)
    assert [open_votes(rules, member) for member in members] == [64, 0, 0, 0, 0]


def test_no_member_fills_the_state(rules: SmallRules, members: list[Signer]) -> None:
    """64 votes of one member are open at most; one that is decided or taken back makes room."""
    many = [enrol(bytes((number,)) * 16) for number in range(1, MAX_OPEN_VOTES + 1)]
    assert {one.reason for one in rules.outcomes(members[0], *many)} == {Reason.OK}
    unchanged(rules, Reason.QUOTA_EXCEEDED, members[0], enrol(AMD))
    cast(rules, members[0], take_back(many[0].platform_id))
    cast(rules, members[0], enrol(AMD))
    unchanged(rules, Reason.QUOTA_EXCEEDED, members[0], enrol(b"\xfe" * 16))
    cast(rules, members[1], enrol(AMD))
    cast(rules, members[2], enrol(AMD))
    cast(rules, members[0], enrol(b"\xfe" * 16))
    assert [open_votes(rules, member) for member in members] == [64, 0, 0, 0, 0]


def test_where_there_are_no_members() -> None:
    """A network without members has the list of its founders, for ever."""
    rules = SmallRules(genesis_bytes(platforms=(FOUNDED,)))
    unchanged(rules, Reason.DENIED, account("member 0"), remove(FOUNDED))
    assert is_enrolled(rules, FOUNDED)


@pytest.mark.parametrize(
    "platforms", [(b"",), (bytes(15),), (bytes(16), bytes(16)), (b"b" * 16, b"a" * 16)]
)
def test_what_genesis_cannot_enrol(platforms: tuple[bytes, ...]) -> None:
    """Ids of another width, twice, or out of order."""
    with pytest.raises(FormatError):
        SmallRules(genesis_bytes(platforms=platforms))


# -------------------------------------------------------------------------------------- policies


def reasons(rules: SmallRules, signer: Signer, *operations: Put | Read) -> list[Reason]:
    """The reasons of a transaction that stands."""
    return [one.reason for one in rules.outcomes(signer, *operations)]


def test_a_policy_asks_for_an_enrolled_platform(
    rules: SmallRules, owner: Signer, members: list[Signer]
) -> None:
    """The guest opens no session before, reads and writes while, and is denied the moment after."""
    assert owner.sequence
    with refuses(Reason.NOT_ADMITTED):
        rules.open(Enclave("guest"), GUEST)
    decide(rules, members, enrol())
    guest = rules.open(Enclave("guest"), GUEST)
    assert reasons(rules, guest, put_of("own", "x"), Read("own", "x")) == [Reason.OK] * 2
    in_flight = rules.envelope(guest, Read("own", "x"))
    decide(rules, members, remove())
    assert [one.reason for one in rules.executed(in_flight).outcomes] == [Reason.DENIED]
    assert reasons(rules, guest, put_of("own", "x")) == [Reason.DENIED]
    decide(rules, members, enrol())
    assert reasons(rules, guest, Read("own", "x")) == [Reason.OK]


@pytest.mark.parametrize(
    "identity",
    [
        replace(GUEST, platform_id=b""),
        replace(GUEST, platform_id=AMD),
        replace(GUEST, platform_id=INTEL[:-1] + b"\0"),
        replace(GUEST, measurement=bytes(32)),
    ],
    ids=["no id", "another id", "an id like it", "other code"],
)
def test_another_platform_or_code(
    rules: SmallRules, owner: Signer, members: list[Signer], identity: Identity
) -> None:
    """An enrolled platform admits its own enclaves only, and of those only whom policies name."""
    assert owner.sequence
    decide(rules, members, enrol())
    with refuses(Reason.NOT_ADMITTED):
        rules.open(Enclave("guest"), identity)


def test_other_members_of_a_policy(rules: SmallRules, owner: Signer, members: list[Signer]) -> None:
    """Where one match asks for it, another one of the same policy still does not."""
    other = Match(measurement=identity_of("other").measurement)
    policy = encode_policy(AnyOf((ON_ENROLLED, other)))
    rules.outcomes(owner, SetPolicy("own", CollectionTerms(policy, policy)))
    anywhere = rules.open(Enclave("other"))
    assert reasons(rules, anywhere, put_of("own", "x")) == [Reason.OK]
    with refuses(Reason.NOT_ADMITTED):
        rules.open(Enclave("guest"), GUEST)
    decide(rules, members, enrol())
    assert reasons(rules, rules.open(Enclave("guest"), GUEST), Read("own", "x")) == [Reason.OK]


def test_what_is_known_of_an_identity(rules: SmallRules, members: list[Signer]) -> None:
    """Only a policy that asks for it costs a look, and is told."""
    asked: list[bytes] = []

    class Watched:
        def get(self, key: bytes) -> bytes | None:
            asked.append(key)
            return rules.state.get(key)

    decide(rules, members, enrol())
    policy = encode_policy(ON_ENROLLED)
    assert facts_for(Watched(), policy, encode_identity(GUEST)) == ENROLLED
    assert asked == [keys.platform(INTEL)]
    masked = encode_identity(replace(GUEST, platform_id=b""))
    assert facts_for(Watched(), policy, masked) == b""
    assert facts_for(Watched(), policy_of("guest"), encode_identity(GUEST)) == b""
    assert len(asked) == 1


# ------------------------------------------------------------------------------------- questions


def asker(rules: SmallRules, signer: Signer) -> Asker:
    """An account that asks."""
    return Asker(rules.state, rules.parameters, rules.time_ms, signer.name, None)


def test_the_list(rules: SmallRules, members: list[Signer]) -> None:
    """By id, page by page: what is enrolled since when, and who asks for a change."""
    decide(rules, members, enrol())
    since = rules.size - 1
    cast(rules, members[4], enrol(AMD))
    cast(rules, members[3], enrol(AMD))
    cast(rules, members[0], remove(FOUNDED))
    everything = (
        (INTEL, PlatformRecord(is_enrolled=True, index=since)),
        (FOUNDED, PlatformRecord(is_enrolled=True, voters=(members[0].name,))),
        (AMD, PlatformRecord(voters=(members[4].name, members[3].name))),
    )
    one = asker(rules, members[1])
    for limit in (1, 2, 3, 1000):
        rows: list[tuple[bytes, PlatformRecord]] = []
        after, more = b"", True
        while more:
            page = list_platforms(one, ListPlatforms(after, limit))
            assert page.needed == NEEDED
            assert len(page.rows) <= limit
            rows += page.rows
            after, more = page.rows[-1][0], page.more
        assert tuple(rows) == everything


def test_who_may_ask_for_the_list(rules: SmallRules, owner: Signer) -> None:
    """Members and who has a part in a collection; a stranger is told nothing."""
    for signer in (owner, account("member 3")):
        assert list_platforms(asker(rules, signer), ListPlatforms(b"", 9)).rows
    with refuses(Reason.DENIED):
        list_platforms(asker(rules, account("stranger")), ListPlatforms(b"", 9))


def test_who_may_see_votes(rules: SmallRules, owner: Signer) -> None:
    """Votes on platforms and sessions are there for members, who own nothing, and owners."""
    votes = (enrol(), RevokeSession(bytes(32), ""))
    for signer, sees in ((owner, True), (account("member 3"), True), (account("x"), False)):
        assert [asker(rules, signer).may_see(one) for one in votes] == [sees] * 2
    assert not asker(rules, account("member 3")).may_see(put_of("own", "x"))
    assert not asker(rules, account("member 3")).may_see(RevokeSession(bytes(32), "own"))


# --------------------------------------------------------------------------------------- records

RECORDS = st.builds(
    PlatformRecord,
    st.booleans(),
    st.integers(0, 2**64 - 1),
    st.lists(st.binary(min_size=20, max_size=20), max_size=3).map(tuple),
)


@given(RECORDS)
def test_records_come_back(record: PlatformRecord) -> None:
    """What is stored is what was meant, in 9 bytes and 20 for each voter."""
    encoded = encode_record(record)
    assert len(encoded) == 9 + 20 * len(record.voters)
    assert decode_record(encoded) == record


@given(RECORDS, st.data())
def test_damaged_records_are_our_fault(record: PlatformRecord, data: st.DataObject) -> None:
    """Whatever stands there is read, or a StateError."""
    changed = data.draw(mutations(encode_record(record)))
    try:
        assert encode_record(decode_record(changed)) == changed
    except StateError:
        return


@pytest.mark.parametrize("bad", [b"\xff", b""])
def test_a_policy_or_identity_that_is_none(rules: SmallRules, bad: bytes) -> None:
    """What never stood in the state is our fault."""
    identity = encode_identity(GUEST)
    for policy, who in ((bad, identity), (encode_policy(ON_ENROLLED), bad)):
        with pytest.raises(StateError):
            facts_for(rules.state, policy, who)
