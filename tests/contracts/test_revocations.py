"""Sessions ended by themselves, by members and by owners (contracts.revocations, 0 to 3)."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from contracts.errors import StateError
from contracts.records import decode_signer
from ledger import keys
from ledger.format.genesis import Limits
from ledger.format.hygiene import RevokeSession
from ledger.format.operation import AcquireKey, Delete, Operation, Read
from ledger.format.outcome import Outcome, Votes
from ledger.format.terms import CreateCollection, FreezeCollection
from ledger.format.transaction import SignerKind
from ledger.reason import Reason
from tests.support.refusals import refuses
from tests.support.small_hygiene import vote
from tests.support.small_rules import (
    Enclave,
    Signer,
    SmallRules,
    Terms,
    account,
    core_signer,
    genesis_bytes,
    put_of,
    terms_of,
    trust_document,
)

MEMBERS = 5
NEEDED = 3
ATOMIC = Terms(atomic=True)
UNKNOWN = bytes(32)


@pytest.fixture
def members() -> list[Signer]:
    """The members of the network."""
    return [account(f"member {number}") for number in range(MEMBERS)]


@pytest.fixture
def rules(members: list[Signer]) -> SmallRules:
    """A network where three of five members revoke a session."""
    names = tuple(sorted(one.name for one in members))
    trust = trust_document(members=names, member_threshold=NEEDED)
    return SmallRules(genesis_bytes(limits=Limits(denials=6), trust=trust))


@pytest.fixture
def alpha(rules: SmallRules) -> Signer:
    """The session that is to be revoked."""
    return rules.open(Enclave("alpha"))


@pytest.fixture
def owner(rules: SmallRules) -> Signer:
    """Owns "own", where alpha reads and writes."""
    signer = account("owner")
    rules.outcomes(signer, CreateCollection("own", terms_of()))
    return signer


def works(rules: SmallRules, session: Signer, where: str = "app") -> bool:
    """Whether the session may still put."""
    return rules.outcomes(session, put_of(where, "x"))[0].reason is Reason.OK


def unchanged(rules: SmallRules, reason: Reason, envelopes: Iterable[bytes]) -> None:
    """Each is refused for this reason and leaves nothing."""
    before = dict(rules.state.rows)
    for envelope in envelopes:
        with refuses(reason):
            rules.do(envelope)
    assert rules.state.rows == before


# ---------------------------------------------------------------------------------------- votes


def test_as_many_members_as_it_takes(
    rules: SmallRules, alpha: Signer, members: list[Signer]
) -> None:
    """One vote less than needed changes nothing; the last closes the session at once, for ever."""
    other = rules.open(Enclave("alpha"))
    for number, member in enumerate(members[: NEEDED - 1], 1):
        assert vote(rules, member, alpha) == Outcome(Reason.OK, Votes(number, NEEDED))
        assert works(rules, alpha)
    in_flight = rules.envelope(alpha, put_of("app", "x"))
    assert vote(rules, members[NEEDED - 1], alpha) == Outcome(Reason.OK, Votes(NEEDED, NEEDED))
    unchanged(rules, Reason.SESSION_REVOKED, [in_flight, rules.envelope(alpha, Read("app", "x"))])
    assert works(rules, other)
    assert works(rules, rules.open(Enclave("alpha")))
    assert vote(rules, members[NEEDED], alpha) == Outcome(Reason.OK, Votes(NEEDED + 1, NEEDED))
    unchanged(rules, Reason.SESSION_REVOKED, [in_flight])


def test_the_same_member_again(rules: SmallRules, alpha: Signer, members: list[Signer]) -> None:
    """One member's vote counts once, however often it is cast, also in one transaction."""
    for _ in range(NEEDED + 1):
        assert vote(rules, members[0], alpha).detail == Votes(1, NEEDED)
    many = [RevokeSession(alpha.name, "")] * (NEEDED + 1)
    outcomes = rules.outcomes(members[1], *many)
    assert [one.detail for one in outcomes] == [Votes(2, NEEDED)] * len(many)
    assert works(rules, alpha)
    assert len(rules.state.rows[keys.session_votes(alpha.name)]) == 2 * 20


def test_votes_on_several_sessions(rules: SmallRules, members: list[Signer]) -> None:
    """Votes are counted for each session by itself."""
    sessions = [rules.open(Enclave("alpha")) for _ in range(3)]
    for number, member in enumerate(members[:NEEDED]):
        names = [one.name for one in sessions[number:]]
        outcomes = rules.outcomes(member, *(RevokeSession(name, "") for name in names))
        assert {one.reason for one in outcomes} == {Reason.OK}
    assert works(rules, sessions[0])
    assert works(rules, sessions[1])
    unchanged(rules, Reason.SESSION_REVOKED, [rules.envelope(sessions[2], put_of("app", "x"))])


def test_a_vote_that_is_undone(rules: SmallRules, alpha: Signer, members: list[Signer]) -> None:
    """An atomic transaction that fails casts no vote and closes nothing."""
    for member in members[: NEEDED - 1]:
        vote(rules, member, alpha)
    steps = (RevokeSession(alpha.name, ""), RevokeSession(UNKNOWN, ""))
    last = members[NEEDED - 1]
    unchanged(rules, Reason.UNKNOWN_SESSION, [rules.envelope(last, *steps, terms=ATOMIC)])
    assert works(rules, alpha)
    rules.executed(rules.envelope(last, *steps))
    unchanged(rules, Reason.SESSION_REVOKED, [rules.envelope(alpha, put_of("app", "x"))])


@pytest.mark.parametrize("who", ["stranger", "owner"])
@pytest.mark.usefixtures("owner")
def test_others_have_no_vote(rules: SmallRules, alpha: Signer, who: str) -> None:
    """Who is no member is denied, learns nothing of which sessions there are, leaves no entry."""
    for session in (alpha.name, UNKNOWN):
        signer = replace(account(who), sequence=9)
        envelope = rules.envelope(signer, RevokeSession(session, ""))
        unchanged(rules, Reason.DENIED, [envelope] * NEEDED)
    assert works(rules, alpha)


def test_unknown_sessions(rules: SmallRules, members: list[Signer], owner: Signer) -> None:
    """A session that never was cannot be revoked, and asking leaves no entry."""
    for signer, where in ((members[0], ""), (owner, "own")):
        envelope = rules.envelope(signer, RevokeSession(UNKNOWN, where))
        unchanged(rules, Reason.UNKNOWN_SESSION, [envelope])


def test_a_member_is_no_owner(rules: SmallRules, alpha: Signer, members: list[Signer]) -> None:
    """What a member may not do leaves no entry; a vote beside it makes one for both."""
    member = members[0]
    denied: tuple[Operation, ...] = (Delete("app", "x"), FreezeCollection("app", frozen=True))
    unchanged(rules, Reason.DENIED, [rules.envelope(member, *denied)])
    outcomes = rules.outcomes(member, RevokeSession(alpha.name, ""), *denied)
    assert [one.reason for one in outcomes] == [Reason.OK, Reason.DENIED, Reason.DENIED]


def test_only_accounts_revoke(rules: SmallRules, alpha: Signer) -> None:
    """Another session or a node revokes nothing, and a session nothing of a collection."""
    other = rules.open(Enclave("beta"))
    tried = [(core_signer(), ""), (core_signer(), "app"), (other, ""), (other, "app")]
    for signer, where in (*tried, (alpha, "app")):
        envelope = rules.envelope(signer, RevokeSession(alpha.name, where))
        unchanged(rules, Reason.WRONG_SIGNER, [envelope])
    assert works(rules, alpha)


def test_a_session_ends_itself(rules: SmallRules, alpha: Signer) -> None:
    """From the operation on that ends it a session does nothing more, in no transaction."""
    end = RevokeSession(alpha.name, "")
    outcomes = rules.outcomes(alpha, put_of("app", "x"), end, put_of("app", "y"))
    reasons = [one.reason for one in outcomes]
    assert reasons == [Reason.OK, Reason.OK, Reason.SESSION_CLOSED]
    unchanged(rules, Reason.SESSION_CLOSED, [rules.envelope(alpha, put_of("app", "z"))])
    unchanged(rules, Reason.SESSION_CLOSED, [rules.envelope(alpha, end)])


def test_an_end_that_is_undone(rules: SmallRules, alpha: Signer) -> None:
    """An atomic transaction that fails does not end its session."""
    end = RevokeSession(alpha.name, "")
    conflict = put_of("app", "x", if_version=9)
    done = rules.executed(rules.envelope(alpha, conflict, end, terms=ATOMIC))
    assert [one.reason for one in done.outcomes] == [Reason.VERSION_CONFLICT, Reason.NOT_EXECUTED]
    assert works(rules, alpha)
    rules.executed(rules.envelope(alpha, put_of("app", "x"), end, terms=ATOMIC))
    unchanged(rules, Reason.SESSION_CLOSED, [rules.envelope(alpha, put_of("app", "z"))])


def test_a_network_without_members(owner: Signer) -> None:
    """Where nobody is a member nobody revokes for everything."""
    rules = SmallRules()
    session = rules.open(Enclave("alpha"))
    unchanged(rules, Reason.DENIED, [rules.envelope(owner, RevokeSession(session.name, ""))])


def test_sessions_that_are_over(
    rules: SmallRules, alpha: Signer, owner: Signer, members: list[Signer]
) -> None:
    """A session that has ended is revoked like any other: who votes need not hurry."""
    rules.end_block(rules.parameters.session_ms)
    for number, member in enumerate(members, 1):
        assert vote(rules, member, alpha).detail == Votes(number, NEEDED)
    record = decode_signer(rules.state.rows[keys.signer(SignerKind.SESSION, alpha.name)])
    assert (record.is_revoked, record.is_closed) == (True, False)
    assert rules.outcomes(owner, RevokeSession(alpha.name, "own"))[0] == Outcome(Reason.OK)


def test_damaged_votes_are_our_fault(
    rules: SmallRules, alpha: Signer, members: list[Signer]
) -> None:
    """Votes that are cut are a StateError."""
    rules.state.apply({keys.session_votes(alpha.name): bytes(19)})
    with pytest.raises(StateError):
        vote(rules, members[0], alpha)


# --------------------------------------------------------------------------------------- owners


def test_an_owner_revokes_for_his_collection(
    rules: SmallRules, alpha: Signer, owner: Signer
) -> None:
    """From the next operation on the session has no part there; elsewhere it goes on."""
    assert works(rules, alpha, "own")
    in_flight = rules.envelope(alpha, put_of("own", "x"), Read("own", "x"), put_of("app", "x"))
    for _ in range(2):  # again changes nothing
        assert rules.outcomes(owner, RevokeSession(alpha.name, "own")) == (Outcome(Reason.OK),)
    index = rules.size
    outcomes = rules.executed(in_flight).outcomes
    assert [one.reason for one in outcomes] == [
        Reason.SESSION_REVOKED,
        Reason.SESSION_REVOKED,
        Reason.OK,
    ]
    for position in (0, 1):
        mark = keys.touch("own", "x", index, position)
        assert rules.state.rows[mark] == bytes((Reason.DENIED,))
    other = rules.open(Enclave("alpha"))
    assert works(rules, other, "own")


def test_asking_on_costs_denials(rules: SmallRules, alpha: Signer, owner: Signer) -> None:
    """Each operation in the collection is a denial: a revoked session gets no endless storage."""
    rules.outcomes(owner, RevokeSession(alpha.name, "own"))
    steps = (AcquireKey("own"), Read("own", "x"), put_of("own", "x"), Delete("own", "x"))
    first, second = (rules.outcomes(alpha, *steps) for _ in range(2))
    assert [one.reason for one in first] == [Reason.SESSION_REVOKED] * 4
    assert [one.reason for one in second[2:]] == [Reason.SESSION_CLOSED] * 2
    with refuses(Reason.SESSION_CLOSED):
        rules.do(rules.envelope(alpha, put_of("app", "x")))


def test_only_the_owner_revokes(rules: SmallRules, alpha: Signer, members: list[Signer]) -> None:
    """Neither members nor owners of other collections; unknown collections are said."""
    other = account("other owner")
    rules.outcomes(other, CreateCollection("other", terms_of()))
    for signer in (members[0], other, account("stranger")):
        for where, reason in (
            ("app", Reason.DENIED),
            ("no/such", Reason.UNKNOWN_COLLECTION),
        ):
            envelope = rules.envelope(signer, RevokeSession(alpha.name, where))
            unchanged(rules, reason, [envelope])
    assert works(rules, alpha)


def test_a_revocation_that_is_undone(rules: SmallRules, alpha: Signer, owner: Signer) -> None:
    """An atomic transaction that fails revokes nothing, one that stands does."""
    revoke = RevokeSession(alpha.name, "own")
    conflict = put_of("own", "x", mode=2, if_version=9)
    done = rules.executed(rules.envelope(owner, revoke, conflict, terms=ATOMIC))
    assert done.outcomes[0].reason is Reason.NOT_EXECUTED
    assert works(rules, alpha, "own")
    rules.executed(rules.envelope(owner, revoke, put_of("own", "x", mode=2), terms=ATOMIC))
    assert not works(rules, alpha, "own")


def test_denied_marks_of_a_revoked_session_survive_atomic(
    rules: SmallRules, alpha: Signer, owner: Signer
) -> None:
    """What a revoked session tried in an atomic transaction stays in the secret's history."""
    rules.outcomes(owner, RevokeSession(alpha.name, "own"))
    index = rules.size
    done = rules.executed(rules.envelope(alpha, put_of("app", "x"), Read("own", "x"), terms=ATOMIC))
    assert [one.reason for one in done.outcomes] == [Reason.NOT_EXECUTED, Reason.SESSION_REVOKED]
    assert keys.touch("own", "x", index, 1) in rules.state.rows
