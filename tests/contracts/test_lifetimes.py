"""How values end: their time to live, their destruction, and the owner's bytes that come back."""

from dataclasses import replace

import pytest

from contracts.holdings import OwnerRecord, decode_owner
from contracts.values import MAX_DESTROYED, MAX_TIME_MS
from contracts.versions import Version, decode_head, decode_version
from ledger import keys
from ledger.format.genesis import Limits
from ledger.format.operation import Delete, Operation, Put, Read
from ledger.format.outcome import (
    Conflict,
    Deleted,
    Destroyed,
    Outcome,
    PutDone,
    ReadGranted,
)
from ledger.format.sealed import MODE_PUBLIC, MODE_SESSION
from ledger.format.terms import CreateCollection, Destroy, SetPolicy
from ledger.reason import Reason
from tests.support.refusals import refuses
from tests.support.small_rules import (
    Enclave,
    Signer,
    SmallRules,
    Terms,
    account,
    genesis_bytes,
    put_of,
    terms_of,
)

READ = Read("own", "x")
DESTROYED = Outcome(Reason.DESTROYED)
NOT_FOUND = Outcome(Reason.NOT_FOUND)


def reasons(rules: SmallRules, signer: Signer, *operations: Operation) -> list[Reason]:
    """The reasons of a transaction that must stand."""
    return [one.reason for one in rules.outcomes(signer, *operations)]


def one(rules: SmallRules, signer: Signer, operation: Operation) -> Outcome:
    """The outcome of the only operation."""
    (outcome,) = rules.outcomes(signer, operation)
    return outcome


def gone(first: int, last: int) -> Outcome:
    """What a Destroy answers."""
    return Outcome(Reason.OK, Destroyed(first, last))


def version(rules: SmallRules, number: int) -> Version:
    """A version of own/x as the state has it."""
    head = decode_head(rules.state.rows[keys.head_of("own", "x")]).version
    if head.number == number:
        return head
    return decode_version(rules.state.rows[keys.version_of("own", "x", number)])


def held_bytes(rules: SmallRules, owner: Signer) -> int:
    """The bytes that an account is charged with."""
    return decode_owner(rules.state.get(keys.owner(owner.name))).stored_bytes


def public(**changes: object) -> Put:
    """A put of the owner in own/x."""
    return put_of("own", "x", mode=MODE_PUBLIC, **changes)


@pytest.fixture
def owner(rules: SmallRules) -> Signer:
    """An account that owns "own", which alpha reads and writes, and beta reads."""
    signer = account("owner")
    rules.outcomes(signer, CreateCollection("own", terms_of("alpha", "alpha")))
    return signer


# ------------------------------------------------------------------------------ values of an owner


def test_the_owner_puts(rules: SmallRules, owner: Signer, alpha: Signer) -> None:
    """An owner's value names the account as its writer; a session reads it."""
    index = rules.size
    assert one(rules, owner, public()) == Outcome(Reason.OK, PutDone(1))
    detail = one(rules, alpha, READ).detail
    assert isinstance(detail, ReadGranted)
    assert detail.origin.mode == MODE_PUBLIC
    assert detail.origin.writer_session == bytes(12) + owner.name
    assert (detail.put_index, detail.put_position) == (index, 0)


def test_each_signer_has_its_mode(rules: SmallRules, owner: Signer, alpha: Signer) -> None:
    """A session seals under its own key only, an account to the public key only."""
    wrong = put_of("own", "x", mode=MODE_SESSION)
    assert reasons(rules, owner, public(), wrong) == [Reason.OK, Reason.MALFORMED]
    right = put_of("own", "x", mode=MODE_SESSION)
    assert reasons(rules, alpha, right, public()) == [Reason.OK, Reason.MALFORMED]
    assert version(rules, 2).origin.writer_session == alpha.name


def test_the_owner_deletes(rules: SmallRules, owner: Signer, alpha: Signer) -> None:
    """An owner ends a name as a writer does; versions go on counting over both."""
    assert one(rules, alpha, put_of("own", "x")) == Outcome(Reason.OK, PutDone(1))
    assert one(rules, owner, Delete("own", "x", 1)) == Outcome(Reason.OK, Deleted(1))
    assert one(rules, alpha, READ) == NOT_FOUND
    assert one(rules, owner, public(if_version=0)) == Outcome(Reason.OK, PutDone(2))


# ------------------------------------------------------------------------------------ time to live


@pytest.mark.usefixtures("owner")
def test_time_to_live(rules: SmallRules, alpha: Signer) -> None:
    """A value can be read until its time to live is over, to the millisecond, and is kept."""
    rules.outcomes(alpha, put_of("own", "x", ttl_ms=5_000), put_of("own", "y"))
    rules.end_block(4_999)
    assert one(rules, alpha, READ).reason is Reason.OK
    rules.end_block(1)
    assert reasons(rules, alpha, READ, Read("own", "x", 1), Read("own", "y")) == [
        Reason.EXPIRED,
        Reason.EXPIRED,
        Reason.OK,
    ]
    assert keys.touch("own", "x", rules.size - 1, 0) not in rules.state.rows
    assert not rules.state.erased, "only Destroy erases"
    assert one(rules, alpha, put_of("own", "x", if_version=1)) == Outcome(Reason.OK, PutDone(2))
    assert reasons(rules, alpha, READ, Read("own", "x", 1)) == [Reason.OK, Reason.EXPIRED]


def test_the_collection_s_time_to_live(rules: SmallRules, owner: Signer, alpha: Signer) -> None:
    """A put without a time to live has the collection's of that moment; its own goes before it."""
    rules.outcomes(owner, SetPolicy("own", terms_of("alpha", "alpha", ttl_ms=1_000)))
    put = put_of("own", "x")
    rules.outcomes(alpha, put, replace(put, ttl_ms=9_000), replace(put, ttl_ms=10))
    rules.outcomes(owner, SetPolicy("own", terms_of("alpha", "alpha")))
    rules.outcomes(alpha, put)
    start = rules.time_ms
    assert [version(rules, number).expires_ms for number in (1, 2, 3, 4)] == [
        start + 1_000,
        start + 9_000,
        start + 10,
        0,
    ]


@pytest.mark.parametrize("ttl_ms", [2**63, 2**64 - 1])
def test_the_longest_time_to_live(rules: SmallRules, alpha: Signer, ttl_ms: int) -> None:
    """The end of a value never leaves 64 bits."""
    rules.outcomes(alpha, put_of("app", "x", ttl_ms=ttl_ms))
    head = decode_head(rules.state.rows[keys.head_of("app", "x")])
    assert head.version.expires_ms == MAX_TIME_MS
    assert one(rules, alpha, Read("app", "x")).reason is Reason.OK


def test_the_longest_time_to_live_of_a_collection(rules: SmallRules, owner: Signer) -> None:
    """Nor does the end by a collection's terms."""
    rules.outcomes(owner, SetPolicy("own", terms_of(ttl_ms=2**64 - 1)), public())
    assert version(rules, 1).expires_ms == MAX_TIME_MS


# ----------------------------------------------------------------------------------------- destroy


def test_destroy_one(rules: SmallRules, owner: Signer, alpha: Signer) -> None:
    """A destroyed version's payload is erased in the same writes; others stay; reads say so."""
    index = rules.size
    rules.outcomes(alpha, put_of("own", "x"), put_of("own", "x"))
    rules.outcomes(owner, public())
    done = rules.executed(rules.envelope(owner, Destroy("own", "x", 2)))
    assert done.outcomes == (gone(2, 2),)
    assert done.writes[keys.payload(index, 1)] is None
    assert rules.state.erased == [keys.payload(index, 1)]
    assert keys.touch("own", "x", rules.size - 1, 0) in rules.state.rows
    reads = (Read("own", "x", number) for number in (1, 2, 3))
    assert reasons(rules, alpha, *reads, READ) == [
        Reason.OK,
        Reason.DESTROYED,
        Reason.OK,
        Reason.OK,
    ]
    assert [version(rules, number).is_destroyed for number in (1, 2, 3)] == [False, True, False]
    assert version(rules, 2).sealed_digest == bytes(32), "the record of it stays"


def test_destroy_the_current_one(rules: SmallRules, owner: Signer, alpha: Signer) -> None:
    """The current version can be destroyed; the name goes on with the next put."""
    index = rules.size
    rules.outcomes(alpha, put_of("own", "x"), put_of("own", "x"))
    assert one(rules, owner, Destroy("own", "x", 2)) == gone(2, 2)
    assert rules.state.erased == [keys.payload(index, 1)]
    assert reasons(rules, alpha, READ, Read("own", "x", 1)) == [Reason.DESTROYED, Reason.OK]
    assert one(rules, alpha, put_of("own", "x", if_version=2)) == Outcome(Reason.OK, PutDone(3))
    assert reasons(rules, alpha, READ, Read("own", "x", 2)) == [Reason.OK, Reason.DESTROYED]
    assert version(rules, 2).is_destroyed


def test_destroy_again(rules: SmallRules, owner: Signer, alpha: Signer) -> None:
    """Destroying a version twice is granted and frees nothing more."""
    rules.outcomes(alpha, put_of("own", "x", size=100), put_of("own", "x", size=50))
    for expected in (50, 50):
        assert one(rules, owner, Destroy("own", "x", 1)) == gone(1, 1)
        assert held_bytes(rules, owner) == expected
    assert len(rules.state.erased) == 1


def test_destroy_all(rules: SmallRules, owner: Signer, alpha: Signer) -> None:
    """Without a version all that is left goes; then nothing is left until the next put."""
    index = rules.size
    rules.outcomes(alpha, *(put_of("own", "x") for _ in range(3)))
    assert one(rules, owner, Destroy("own", "x", 2)) == gone(2, 2)
    assert one(rules, owner, Destroy("own", "x")) == gone(1, 3)
    assert sorted(rules.state.erased) == [keys.payload(index, at) for at in range(3)]
    assert one(rules, owner, Destroy("own", "x")) == DESTROYED
    reads = (Read("own", "x", number) for number in (1, 2, 3))
    assert reasons(rules, alpha, *reads, READ) == [Reason.DESTROYED] * 4
    assert one(rules, alpha, put_of("own", "x")) == Outcome(Reason.OK, PutDone(4))
    assert one(rules, alpha, READ).reason is Reason.OK
    assert one(rules, owner, Destroy("own", "x")) == gone(4, 4)
    assert one(rules, alpha, READ) == DESTROYED


def test_destroy_256_at_a_time(rules: SmallRules, owner: Signer, alpha: Signer) -> None:
    """One Destroy erases the oldest 256 versions that are left, and says which."""
    assert MAX_DESTROYED == 256
    for count in (256, 256, 88):
        rules.outcomes(alpha, *(put_of("own", "x") for _ in range(count)))
    assert held_bytes(rules, owner) == 600 * 100
    for first, last in ((1, 256), (257, 512), (513, 600)):
        assert one(rules, alpha, READ).reason is Reason.OK
        assert one(rules, owner, Destroy("own", "x")) == gone(first, last)
        assert len(rules.state.erased) == last
        assert held_bytes(rules, owner) == (600 - last) * 100
    assert one(rules, owner, Destroy("own", "x")) == DESTROYED
    assert one(rules, alpha, READ) == DESTROYED


def test_destroy_all_in_one_transaction(rules: SmallRules, owner: Signer) -> None:
    """Put, superseded and destroyed within one transaction: the writes erase what it put."""
    index = rules.size
    destroy = Destroy("own", "x")
    done = rules.executed(rules.envelope(owner, public(), public(), destroy, public(), destroy))
    assert done.outcomes[2] == gone(1, 2)
    assert done.outcomes[4] == gone(3, 3)
    assert [done.writes[keys.payload(index, at)] for at in (0, 1, 3)] == [None] * 3
    assert held_bytes(rules, owner) == 0


def test_destroy_nothing(rules: SmallRules, owner: Signer) -> None:
    """A name that was never put, and a version that never was, are not found."""
    rules.outcomes(owner, public())
    outcomes = rules.outcomes(
        owner, Destroy("own", "y"), Destroy("own", "x", 2), Destroy("own", "x", 2**64 - 1), public()
    )
    assert list(outcomes[:3]) == [NOT_FOUND] * 3
    with refuses(Reason.NOT_FOUND):
        rules.do(rules.envelope(owner, Destroy("own", "y", 1)))


def test_deleted_and_destroyed(rules: SmallRules, owner: Signer, alpha: Signer) -> None:
    """Deleted names are destroyed and destroyed ones deleted; the deletion shows first."""
    index = rules.size
    rules.outcomes(alpha, put_of("own", "x"), put_of("own", "x"), Delete("own", "x"))
    assert one(rules, owner, Destroy("own", "x", 1)) == gone(1, 1)
    assert one(rules, owner, Destroy("own", "x")) == gone(1, 2)
    assert sorted(rules.state.erased) == [keys.payload(index, 0), keys.payload(index, 1)]
    assert reasons(rules, alpha, READ, Read("own", "x", 1)) == [Reason.NOT_FOUND] * 2
    assert one(rules, alpha, put_of("own", "x", if_version=0)) == Outcome(Reason.OK, PutDone(3))
    assert reasons(rules, alpha, READ, Read("own", "x", 2)) == [Reason.OK, Reason.NOT_FOUND]
    assert one(rules, owner, Destroy("own", "x")) == gone(3, 3)
    assert one(rules, alpha, READ) == DESTROYED
    conflict = Outcome(Reason.VERSION_CONFLICT, Conflict(3))
    assert one(rules, alpha, Delete("own", "x", 0)) == conflict
    assert one(rules, alpha, Delete("own", "x", 3)) == Outcome(Reason.OK, Deleted(3))
    assert one(rules, alpha, READ) == NOT_FOUND
    assert one(rules, owner, Destroy("own", "x")) == DESTROYED


def test_expired_and_destroyed(rules: SmallRules, owner: Signer, alpha: Signer) -> None:
    """An expired value can still be destroyed; then it is destroyed."""
    rules.outcomes(alpha, put_of("own", "x", ttl_ms=1))
    rules.end_block(10)
    assert one(rules, alpha, READ) == Outcome(Reason.EXPIRED)
    assert one(rules, owner, Destroy("own", "x")) == gone(1, 1)
    assert one(rules, alpha, READ) == DESTROYED


def test_an_undone_destroy(rules: SmallRules, owner: Signer, alpha: Signer) -> None:
    """An atomic transaction that fails erases nothing."""
    rules.outcomes(alpha, put_of("own", "x"))
    failing = public(if_version=7)
    data = rules.envelope(owner, Destroy("own", "x"), failing, terms=Terms(atomic=True))
    done = rules.executed(data)
    assert done.outcomes[0] == Outcome(Reason.NOT_EXECUTED)
    assert not rules.state.erased
    assert one(rules, alpha, READ).reason is Reason.OK
    assert held_bytes(rules, owner) == 100


def test_nobody_destroys_what_has_no_owner(rules: SmallRules, owner: Signer, alpha: Signer) -> None:
    """A collection of genesis keeps its values: neither writer nor any account erases them."""
    rules.outcomes(alpha, put_of("app", "x"))
    assert reasons(rules, alpha, Destroy("app", "x")) == [Reason.DENIED]
    assert keys.touch("app", "x", rules.size - 1, 0) in rules.state.rows
    assert reasons(rules, owner, public(), Destroy("app", "x")) == [Reason.OK, Reason.DENIED]
    assert not rules.state.erased


# ------------------------------------------------------------------------------------------- quota


def test_quota_of_bytes() -> None:
    """All values in an account's collections count, whoever put them, until they are destroyed."""
    rules = SmallRules(genesis_bytes(limits=Limits(owner_bytes=250)))
    owner, alpha = account("owner"), rules.open(Enclave("alpha"))
    terms = terms_of("alpha", "alpha")
    rules.outcomes(owner, CreateCollection("own", terms), CreateCollection("more", terms))
    put, more = put_of("own", "x"), put_of("more", "x")
    assert reasons(rules, alpha, put, more) == [Reason.OK] * 2
    assert reasons(rules, alpha, put, replace(put, size=50), replace(put, size=16)) == [
        Reason.QUOTA_EXCEEDED,
        Reason.OK,
        Reason.QUOTA_EXCEEDED,
    ]
    assert held_bytes(rules, owner) == 250
    with refuses(Reason.QUOTA_EXCEEDED):
        rules.do(rules.envelope(owner, public()))
    assert reasons(rules, alpha, Delete("more", "x"), more) == [Reason.OK, Reason.QUOTA_EXCEEDED]
    assert one(rules, owner, Destroy("more", "x")) == gone(1, 1)
    assert held_bytes(rules, owner) == 150
    assert one(rules, alpha, more) == Outcome(Reason.OK, PutDone(2))
    free = [put_of("app", "x", size=2**20) for _ in range(3)]
    assert reasons(rules, alpha, *free) == [Reason.OK] * 3, "nobody pays where nobody owns"


def test_conflicts_are_told_before_quota() -> None:
    """A put that would not run anyway is not charged."""
    rules = SmallRules(genesis_bytes(limits=Limits(owner_bytes=0)))
    owner = account("owner")
    rules.outcomes(owner, CreateCollection("own", terms_of()))
    assert one(rules, owner, public(if_version=1)).reason is Reason.VERSION_CONFLICT
    record = decode_owner(rules.state.get(keys.owner(owner.name)))
    assert record == OwnerRecord(1, 0, 0)
