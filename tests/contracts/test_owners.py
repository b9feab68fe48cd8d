"""Collections of accounts: made, changed, frozen, counted; and the files that name enclaves."""

from dataclasses import replace
from hashlib import sha256

import pytest

from attestation.identity import encode_identity
from attestation.policy import AllOf, AnyOf, Match, encode_policy
from contracts import admission
from contracts.admission import MAX_LOOKED_AT, Moment
from contracts.errors import StateError
from contracts.holdings import (
    CollectionRecord,
    OwnerRecord,
    decode_collection,
    decode_owner,
)
from ledger import keys
from ledger.format.genesis import Limits
from ledger.format.operation import AcquireKey, Delete, Operation, Read
from ledger.format.terms import (
    CollectionTerms,
    CreateCollection,
    Destroy,
    FreezeCollection,
    SetPolicy,
)
from ledger.reason import Reason
from tests.support.refusals import refuses
from tests.support.small_rules import (
    START_MS,
    Enclave,
    Signer,
    SmallRules,
    Terms,
    account,
    genesis_bytes,
    identity_of,
    policy_of,
    put_of,
    terms_of,
)

SIGNER = b"s" * 32
NOW = Moment(is_development=True, time_ms=START_MS)
FILES = (b"sA", b"sB", b"sC", b"sD", b"sF", b"sU")


def reasons(rules: SmallRules, signer: Signer, *operations: Operation) -> list[Reason]:
    """The reasons of a transaction that must stand."""
    return [one.reason for one in rules.outcomes(signer, *operations)]


def held(rules: SmallRules, signer: Signer) -> OwnerRecord:
    """What the state says that an account holds."""
    return decode_owner(rules.state.get(keys.owner(signer.name)))


def filed(rules: SmallRules, name: bytes) -> dict[bytes, int]:
    """The policies under a name, by digest, with their uses; the file has no gap."""
    number = int.from_bytes(rules.state.get(keys.admission(name)) or b"", "big")
    digests = [rules.state.rows[keys.filed_policy(name, place)] for place in range(number)]
    for place, digest in enumerate(digests):
        assert rules.state.rows[keys.place_of_policy(name, digest)] == place.to_bytes(4, "big")
    for kind in (b"sD", b"sF"):
        rows = [key for key in rules.state.rows if key.startswith(kind + name)]
        assert len(rows) == number
    return {
        digest: int.from_bytes(rules.state.rows[keys.policy(digest)][:4], "big")
        for digest in digests
    }


def measured(who: str) -> bytes:
    """The name under which policies on this enclave's measurement are filed."""
    return b"m" + identity_of(who).measurement


@pytest.fixture
def owner(rules: SmallRules) -> Signer:
    """An account that owns "own", which gamma reads and alpha writes."""
    signer = account("owner")
    rules.outcomes(signer, CreateCollection("own", terms_of("gamma", "alpha", ttl_ms=5)))
    return signer


def test_create(rules: SmallRules, owner: Signer) -> None:
    """A made collection has the terms that were asked for, its owner, and is not frozen."""
    record = decode_collection(rules.state.rows[keys.collection("own")])
    assert record == CollectionRecord(terms_of("gamma", "alpha", ttl_ms=5), owner.name)
    assert not record.is_frozen
    assert held(rules, owner) == OwnerRecord(1, 0, 0)


def test_created_in_the_same_transaction(rules: SmallRules) -> None:
    """Operations after a CreateCollection see it; those before do not."""
    signer = account("owner")
    put = put_of("own", "x", mode=2)
    assert reasons(rules, signer, put, CreateCollection("own", terms_of()), put) == [
        Reason.UNKNOWN_COLLECTION,
        Reason.OK,
        Reason.OK,
    ]


@pytest.mark.usefixtures("owner")
def test_a_new_collection_admits(rules: SmallRules) -> None:
    """Who is named by a new collection only may open a session, and does what its terms say."""
    gamma = rules.open(Enclave("gamma"))
    alpha = rules.open(Enclave("alpha"))
    assert reasons(rules, alpha, put_of("own", "x"), AcquireKey("own"), Read("own", "x")) == [
        Reason.OK,
        Reason.OK,
        Reason.DENIED,
    ]
    assert reasons(rules, gamma, put_of("own", "x"), AcquireKey("own"), Read("own", "x")) == [
        Reason.DENIED,
        Reason.DENIED,
        Reason.OK,
    ]


def test_set_policy(rules: SmallRules, owner: Signer) -> None:
    """New terms are the whole of the terms from the next operation on; sessions lose their part."""
    gamma = rules.open(Enclave("gamma"))
    alpha = rules.open(Enclave("alpha"))
    rules.outcomes(alpha, put_of("own", "x"))
    terms = terms_of("delta", "delta", auditors=(bytes(20),))
    assert reasons(rules, owner, SetPolicy("own", terms)) == [Reason.OK]
    record = decode_collection(rules.state.rows[keys.collection("own")])
    assert record == CollectionRecord(terms, owner.name)
    assert reasons(rules, gamma, Read("own", "x")) == [Reason.DENIED]
    assert reasons(rules, alpha, put_of("own", "x"), put_of("app", "x")) == [
        Reason.DENIED,
        Reason.OK,
    ]
    delta = rules.open(Enclave("delta"))
    assert reasons(rules, delta, Read("own", "x")) == [Reason.OK]
    enclave = Enclave("gamma")
    with refuses(Reason.NOT_ADMITTED):
        rules.open(enclave)


def test_set_policy_within_a_transaction(rules: SmallRules, owner: Signer) -> None:
    """A later operation of the same transaction is judged by the new terms."""
    ttl = put_of("own", "x", mode=2)
    rules.outcomes(owner, ttl, SetPolicy("own", terms_of(ttl_ms=7)), ttl)
    first = rules.state.rows[keys.version_of("own", "x", 1)]
    head = rules.state.rows[keys.head_of("own", "x")]
    times = [int.from_bytes(row, "big") for row in (first[115:123], head[132:140])]
    assert times == [rules.time_ms + 5, rules.time_ms + 7]


@pytest.mark.parametrize("bad", [b"\xff", b"\x12\x00", policy_of("alpha") + b"\xf8\x01\x01"])
@pytest.mark.parametrize("field", ["readers", "writers"])
def test_bad_policies(rules: SmallRules, owner: Signer, bad: bytes, field: str) -> None:
    """A policy that is none, or spelt otherwise, changes nothing and makes nothing."""
    terms = replace(terms_of(), **{field: bad})  # type: ignore[arg-type]  # bytes fields
    before = dict(rules.state.rows)
    for operation in (CreateCollection("new", terms), SetPolicy("own", terms)):
        with refuses(Reason.MALFORMED):
            rules.do(rules.envelope(owner, operation))
    assert rules.state.rows == before


def test_freeze(rules: SmallRules, owner: Signer) -> None:
    """A frozen collection does nothing for anybody but its owner's Destroy, until it is thawed."""
    alpha = rules.open(Enclave("alpha"))
    gamma = rules.open(Enclave("gamma"))
    put, public = put_of("own", "x"), put_of("own", "x", mode=2)
    rules.outcomes(alpha, put, put)
    freeze = FreezeCollection("own", frozen=True)
    assert reasons(rules, owner, public, freeze, public, Delete("own", "x"), freeze) == [
        Reason.OK,
        Reason.OK,
        Reason.FROZEN,
        Reason.FROZEN,
        Reason.OK,
    ]
    before = {k: v for k, v in rules.state.rows.items() if k[:2] in (b"sH", b"sV", b"sT", b"sC")}
    assert reasons(rules, alpha, put, AcquireKey("own"), Delete("own", "x"), Read("own", "x")) == [
        Reason.FROZEN,
        Reason.FROZEN,
        Reason.FROZEN,
        Reason.DENIED,
    ]
    assert reasons(rules, gamma, Read("own", "x"), Read("own", "nothing")) == [Reason.FROZEN] * 2
    after = {k: v for k, v in rules.state.rows.items() if k[:2] in (b"sH", b"sV", b"sC")}
    assert after.items() <= before.items()
    assert reasons(rules, owner, SetPolicy("own", terms_of()), Destroy("own", "x", 1)) == [
        Reason.OK,
        Reason.OK,
    ]
    assert decode_collection(rules.state.rows[keys.collection("own")]).is_frozen
    thaw = FreezeCollection("own", frozen=False)
    assert reasons(rules, owner, public, thaw, public) == [Reason.FROZEN, Reason.OK, Reason.OK]
    assert reasons(rules, alpha, put, Read("own", "x")) == [Reason.OK, Reason.OK]


@pytest.mark.usefixtures("owner")
def test_sessions_change_no_terms(rules: SmallRules, alpha: Signer) -> None:
    """A session makes no collection, and changes none, also where it writes."""
    operations: tuple[Operation, ...] = (
        CreateCollection("new", terms_of()),
        SetPolicy("own", terms_of()),
        FreezeCollection("own", frozen=True),
        SetPolicy("app", terms_of()),
        SetPolicy("nowhere", terms_of()),
        Destroy("own", "x"),
        put_of("own", "x"),
    )
    assert reasons(rules, alpha, *operations) == [
        Reason.WRONG_SIGNER,
        Reason.DENIED,
        Reason.DENIED,
        Reason.DENIED,
        Reason.UNKNOWN_COLLECTION,
        Reason.DENIED,
        Reason.OK,
    ]
    assert keys.collection("new") not in rules.state.rows


def test_quota_of_collections() -> None:
    """An account makes as many collections as genesis allows; another account its own."""
    rules = SmallRules(genesis_bytes(limits=Limits(owner_collections=2)))
    owner, other = account("owner"), account("other")
    made = [CreateCollection(f"c{n}", terms_of()) for n in range(4)]
    assert reasons(rules, owner, *made[:3]) == [Reason.OK, Reason.OK, Reason.QUOTA_EXCEEDED]
    with refuses(Reason.QUOTA_EXCEEDED):
        rules.do(rules.envelope(owner, made[3]))
    assert reasons(rules, other, made[3]) == [Reason.OK]
    assert held(rules, owner).collections == 2
    none = SmallRules(genesis_bytes(limits=Limits(owner_collections=0)))
    with refuses(Reason.QUOTA_EXCEEDED):
        none.do(none.envelope(account("owner"), made[0]))


def test_auditors_are_counted(rules: SmallRules, owner: Signer) -> None:
    """How many collections an account audits follows the terms, its own collections too."""
    one, two = sorted((account("one"), account("two")), key=lambda signer: signer.name)
    both = terms_of(auditors=(one.name, two.name))
    rules.outcomes(owner, CreateCollection("c", both), SetPolicy("own", both))
    assert [held(rules, signer).audits for signer in (one, two)] == [2, 2]
    rules.outcomes(owner, SetPolicy("c", terms_of(auditors=(two.name,))))
    assert [held(rules, signer).audits for signer in (one, two)] == [1, 2]
    rules.outcomes(owner, SetPolicy("own", terms_of()), SetPolicy("c", terms_of()))
    assert [held(rules, signer) for signer in (one, two)] == [OwnerRecord()] * 2
    assert held(rules, owner) == OwnerRecord(2, 0, 0)


# ------------------------------------------------------------------------------- files of policies


def test_policies_are_filed_by_what_they_name(rules: SmallRules, owner: Signer) -> None:
    """A measurement, or a signer with its product, wherever it stands in the policy."""
    deep = encode_policy(
        AnyOf(
            (
                AllOf((Match(signer=SIGNER, product_id=7), Match(measurement=b"m" * 48))),
                Match(signer=SIGNER, product_id=7, minimum_svn=2),
                Match(signer=SIGNER, product_id=258),
            )
        )
    )
    rules.outcomes(owner, CreateCollection("deep", CollectionTerms(deep, policy_of("alpha"))))
    digest = sha256(deep).digest()
    for name in (b"s\0\x07" + SIGNER, b"s\x01\x02" + SIGNER, b"m" + b"m" * 48):
        assert filed(rules, name) == {digest: 1}
    assert rules.state.rows[keys.policy(digest)] == b"\0\0\0\1" + deep


def test_policies_are_counted(rules: SmallRules, owner: Signer) -> None:
    """A policy is filed once with the number of its uses, and goes with the last."""
    digest = sha256(policy_of("new")).digest()
    name = measured("new")
    terms = terms_of("new", "new")
    for number, expected in ((1, 2), (2, 4)):
        rules.outcomes(owner, CreateCollection(f"c{number}", terms))
        assert filed(rules, name) == {digest: expected}
    rules.outcomes(owner, SetPolicy("c1", terms_of("new", "alpha")))
    assert filed(rules, name) == {digest: 3}
    rules.outcomes(owner, SetPolicy("c2", terms_of()), SetPolicy("c1", terms_of()))
    assert keys.admission(name) not in rules.state.rows
    with refuses(Reason.NOT_ADMITTED):
        rules.open(Enclave("new"))


def test_same_terms_again(rules: SmallRules, owner: Signer) -> None:
    """Setting what stands already changes no count."""
    before = dict(rules.state.rows)
    rules.outcomes(owner, SetPolicy("own", terms_of("gamma", "alpha", ttl_ms=5)))
    changed = {k for k, v in rules.state.rows.items() if before.get(k) != v}
    assert {key[:2] for key in changed} == {b"sN", b"sW"}


def test_undone_terms_are_not_filed(rules: SmallRules, owner: Signer) -> None:
    """An atomic transaction that fails leaves the files as they were."""
    before = {k: v for k, v in rules.state.rows.items() if k[:2] in FILES}
    failing = put_of("own", "x", mode=2, if_version=9)
    envelope = rules.envelope(
        owner,
        CreateCollection("c", terms_of("new", "new")),
        SetPolicy("own", terms_of("new", "new")),
        failing,
        terms=Terms(atomic=True),
    )
    got = [one.reason for one in rules.executed(envelope).outcomes]
    assert got == [Reason.NOT_EXECUTED, Reason.NOT_EXECUTED, Reason.VERSION_CONFLICT]
    after = {k: v for k, v in rules.state.rows.items() if k[:2] in FILES}
    assert after == before


def test_files_have_no_gaps(rules: SmallRules, owner: Signer) -> None:
    """Whatever is taken out, first, last or between, the others are found as before."""
    name = measured("new")
    policies = [policy_of("new", f"other {n}") for n in range(7)]
    for n, policy in enumerate(policies):
        terms = CollectionTerms(policy, policy_of("alpha"))
        assert reasons(rules, owner, CreateCollection(f"c{n}", terms)) == [Reason.OK]
    left = {sha256(policy).digest() for policy in policies}
    for n in (3, 6, 0, 1, 5, 2, 4):
        assert set(filed(rules, name)) == left
        for m in range(7):
            is_named = admission.is_named(
                rules.state, encode_identity(identity_of(f"other {m}")), NOW
            )
            assert is_named == (sha256(policies[m]).digest() in left)
        assert reasons(rules, owner, SetPolicy(f"c{n}", terms_of())) == [Reason.OK]
        left.remove(sha256(policies[n]).digest())
    assert not filed(rules, name)
    assert keys.admission(name) not in rules.state.rows
    assert not [key for key in rules.state.rows if name in key]


def test_too_many_to_look_at(rules: SmallRules, owner: Signer) -> None:
    """More than 64 policies on one enclave keep nobody out: it is named, and judged as before."""
    assert MAX_LOOKED_AT == 64
    strict = [
        encode_policy(AllOf((Match(measurement=identity_of(who).measurement), *_impossible(n))))
        for n, who in enumerate(["new"] * 65)
    ]
    made = [
        CreateCollection(f"c{n}", CollectionTerms(policy, policy_of("alpha")))
        for n, policy in enumerate(strict)
    ]
    assert set(reasons(rules, owner, *made[:64])) == {Reason.OK}
    with refuses(Reason.NOT_ADMITTED):
        rules.open(Enclave("new"))
    assert reasons(rules, owner, made[64]) == [Reason.OK]
    new = rules.open(Enclave("new"))
    denied: list[Operation] = [Read("c0", "x"), Read("own", "x"), AcquireKey("app")]
    assert reasons(rules, new, *denied) == [Reason.DENIED] * 3
    assert reasons(rules, owner, SetPolicy("c7", terms_of("new"))) == [Reason.OK]
    assert reasons(rules, new, Read("c7", "x")) == [Reason.NOT_FOUND]


def _impossible(number: int) -> tuple[Match, ...]:
    return (Match(measurement=sha256(b"nobody %d" % number).digest()),)


def test_many_names_cost_little(rules: SmallRules) -> None:
    """Terms that name as many enclaves as they can, in full files, touch a few rows for each."""
    owner = account("many")
    for n in range(5):
        names = [f"e{at}" for at in range(62)]
        terms = CollectionTerms(policy_of(*names, f"r{n}"), policy_of(*names, f"w{n}"))
        done = rules.executed(rules.envelope(owner, CreateCollection(f"c{n}", terms)))
        assert done.outcomes[0].reason is Reason.OK
        assert len(done.writes) < 2 * (3 * 63 + 1) + 5
        assert max(len(value or b"") for value in done.writes.values()) < 8_300
    assert len(filed(rules, measured("e7"))) == 10


def test_admitted_by_signer(rules: SmallRules, owner: Signer) -> None:
    """An identity is found under its signer, whichever of the filed policies admits it."""
    by_signer = encode_policy(Match(signer=SIGNER, product_id=7, minimum_svn=3))
    strict = encode_policy(Match(signer=SIGNER, product_id=7, minimum_svn=9))
    rules.outcomes(owner, CreateCollection("c", CollectionTerms(strict, by_signer)))
    good = identity_of("any", signer=SIGNER, product_id=7, svn=3)
    rules.open(Enclave("any"), good)
    for wrong in (
        replace(good, svn=2),
        replace(good, product_id=8),
        replace(good, signer=b"t" * 32),
    ):
        with refuses(Reason.NOT_ADMITTED):
            rules.open(Enclave("any"), wrong)


@pytest.mark.parametrize("damage", [b"", b"\0", bytes(11), bytes(17)])
def test_a_damaged_owner_is_our_fault(rules: SmallRules, owner: Signer, damage: bytes) -> None:
    """An owner's record of another width is a StateError."""
    rules.state.apply({keys.owner(owner.name): damage})
    with pytest.raises(StateError):
        rules.do(rules.envelope(owner, put_of("own", "x", mode=2)))


def test_a_stored_policy_that_is_none_is_our_fault(rules: SmallRules, owner: Signer) -> None:
    """A stored policy that does not decode is a StateError, never the sender's fault."""
    record = rules.state.rows[keys.collection("own")]
    damaged = record.replace(policy_of("gamma"), b"\xff" * len(policy_of("gamma")))
    digest = sha256(b"\xff" * len(policy_of("gamma"))).digest()
    rules.state.apply({keys.collection("own"): damaged})
    for damage in ({}, {keys.policy(digest): b"\0\0\0\1" + b"\xff" * len(policy_of("gamma"))}):
        rules.state.apply(damage)
        with pytest.raises(StateError):
            rules.do(rules.envelope(owner, SetPolicy("own", terms_of())))


def test_a_stored_identity_that_is_none_is_our_fault(rules: SmallRules) -> None:
    """An identity or policy in the state that does not decode is a StateError."""
    for policy, identity in ((b"\xff", b"\xff"), (policy_of("alpha"), b"\xff")):
        with pytest.raises(StateError):
            admission.admitted_until(policy, identity, b"", is_development=True)
    with pytest.raises(StateError):
        admission.is_named(rules.state, b"\xff", NOW)
