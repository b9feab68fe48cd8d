"""Releases: published, endorsed, revoked; and what policies that ask for them make of it."""

from dataclasses import replace
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation.conditions import ReleaseMatch
from attestation.errors import DecodeError
from attestation.identity import encode_identity
from attestation.policy import AllOf, AnyOf, Match, encode_policy
from attestation.releases import EndorsedRelease, decode_releases
from contracts.errors import StateError
from contracts.holdings import OwnerRecord, decode_owner
from contracts.registry import (
    MAX_PER_ENCLAVE,
    ReleaseRecord,
    Statement,
    decode_record,
    encode_record,
    releases_for,
)
from ledger import keys
from ledger.format.genesis import Limits
from ledger.format.operation import Operation, Read
from ledger.format.outcome import Outcome, Votes
from ledger.format.releases import (
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
from ledger.format.terms import CollectionTerms, CreateCollection, SetPolicy
from ledger.reason import Reason
from tests.support import small_rules
from tests.support.mutation import mutations
from tests.support.refusals import refuses
from tests.support.small_rules import (
    Enclave,
    Signer,
    SmallRules,
    Terms,
    genesis_bytes,
    identity_of,
    policy_of,
    put_of,
)

account = cache(small_rules.account)  # one signer for each name, so that its numbers grow
STATE = (b"sA", b"sD", b"sF", b"sM", b"sO", b"sR", b"sU")
AUDITORS = tuple(sorted(account(f"auditor {n}").name for n in range(3)))


def auditor(number: int) -> Signer:
    """One of the three auditors, in the order of their addresses."""
    for n in range(3):
        if account(f"auditor {n}").name == AUDITORS[number]:
            return account(f"auditor {n}")
    raise AssertionError("there are three auditors")


def release_of(version: str = "1.2.0", *enclaves: str, **changes: object) -> EnclaveRelease:
    """A release of "fns" that measures these enclaves (gamma)."""
    measured = (
        ReleaseMeasurement(1, identity_of(one).measurement) for one in enclaves or ("gamma",)
    )
    usual = EnclaveRelease(
        name="fns",
        version=parse_version(version),
        measurements=tuple(sorted(measured)),
        source_digest=sha256(b"source").digest(),
        notes="first",
        auditors=AUDITORS,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]  # a test's shorthand for fields of any type


def endorsing(release: EnclaveRelease) -> EndorseRelease:
    """The endorsement of exactly this release."""
    return EndorseRelease(release.name, release.version, release_digest(encode_release(release)))


def revoking(release: EnclaveRelease) -> RevokeRelease:
    """Its revocation."""
    return RevokeRelease(release.name, release.version)


def asking_for(
    minimum: tuple[int, int, int] = (1, 2, 0), threshold: int = 2, name: str = "fns"
) -> Match:
    """The policy "any endorsed release of fns >= 1.2 by 2 of these 3 auditors"."""
    return Match(
        release=ReleaseMatch(name=name, minimum=minimum, auditors=AUDITORS, threshold=threshold)
    )


def reasons(rules: SmallRules, signer: Signer, *operations: Operation) -> list[Reason]:
    """The reasons of a transaction that must stand."""
    return [one.reason for one in rules.outcomes(signer, *operations)]


def refused(rules: SmallRules, signer: Signer, reason: Reason, *operations: Operation) -> None:
    """The transaction leaves no entry and changes nothing."""
    before = dict(rules.state.rows)
    with refuses(reason):
        rules.do(rules.envelope(signer, *operations))
    assert rules.state.rows == before


def row(rules: SmallRules, who: str, name: str = "fns") -> tuple[EndorsedRelease, ...]:
    """What policies read of an enclave's releases."""
    data = rules.state.get(keys.releases_of(1, identity_of(who).measurement, name))
    return () if data is None else decode_releases(data)


def record(rules: SmallRules, release: EnclaveRelease) -> ReleaseRecord:
    """A release as the state has it."""
    return decode_record(rules.state.rows[keys.release(release.name, release.version.packed)])


@pytest.fixture
def publisher() -> Signer:
    """An account that owns nothing."""
    return account("publisher")


@pytest.fixture
def released(rules: SmallRules, publisher: Signer) -> EnclaveRelease:
    """A release of gamma, and a collection "own" that reads it if two of three endorse it."""
    release = release_of()
    rules.outcomes(publisher, PublishRelease(release))
    policy = encode_policy(asking_for())
    rules.outcomes(account("owner"), CreateCollection("own", CollectionTerms(policy, policy)))
    return release


# ------------------------------------------------------------------------------------- publishing


def test_publish(rules: SmallRules, publisher: Signer) -> None:
    """A published release stands with its publisher and entry; nobody endorses it yet."""
    release = release_of()
    index = rules.size
    assert rules.outcomes(publisher, PublishRelease(release)) == (Outcome(Reason.OK),)
    assert record(rules, release) == ReleaseRecord(encode_release(release), publisher.name, index)
    assert row(rules, "gamma") == (EndorsedRelease("fns", (1, 2, 0), ()),)
    held = decode_owner(rules.state.get(keys.owner(publisher.name)))
    assert held == OwnerRecord(0, 0, 0, 1)


def test_a_version_is_published_once(rules: SmallRules, publisher: Signer) -> None:
    """The same version again, equal or changed, revoked or not, is refused; the next one is not."""
    release = release_of()
    rules.outcomes(publisher, PublishRelease(release))
    for again in (release, release_of(notes="other"), release_of("1.2.0", "delta")):
        refused(rules, publisher, Reason.RELEASE_EXISTS, PublishRelease(again))
    rules.outcomes(publisher, revoking(release))
    refused(rules, publisher, Reason.RELEASE_EXISTS, PublishRelease(release))
    assert reasons(rules, publisher, PublishRelease(release_of("1.2.1"))) == [Reason.OK]


def test_a_name_belongs_to_its_first_publisher(rules: SmallRules, publisher: Signer) -> None:
    """Nobody else publishes under it, also when all of it is revoked; other names are free."""
    rules.outcomes(publisher, PublishRelease(release_of()), revoking(release_of()))
    other = account("other")
    refused(rules, other, Reason.DENIED, PublishRelease(release_of("9.0.0")))
    assert reasons(rules, other, PublishRelease(release_of(name="fns/x"))) == [Reason.OK]


def test_quota_of_releases(publisher: Signer) -> None:
    """An account publishes as many as genesis allows, for ever; another account its own."""
    rules = SmallRules(genesis_bytes(limits=Limits(owner_releases=2)))
    made = [PublishRelease(release_of(f"1.0.{n}")) for n in range(4)]
    assert reasons(rules, publisher, *made[:3]) == [Reason.OK, Reason.OK, Reason.QUOTA_EXCEEDED]
    rules.outcomes(publisher, revoking(made[0].release))
    refused(rules, publisher, Reason.QUOTA_EXCEEDED, made[3])
    other = PublishRelease(release_of(name="other"))
    assert reasons(rules, account("other"), other) == [Reason.OK]


def test_an_enclave_stands_in_few_releases_of_a_name(rules: SmallRules, publisher: Signer) -> None:
    """In 16 that are not revoked; one that is makes room. Other names have room of their own."""
    assert MAX_PER_ENCLAVE == 16
    made = [release_of(f"1.{n}.0", "gamma", f"own {n}") for n in range(18)]
    assert set(reasons(rules, publisher, *map(PublishRelease, made[:16]))) == {Reason.OK}
    assert len(row(rules, "gamma")) == 16
    refused(rules, publisher, Reason.QUOTA_EXCEEDED, PublishRelease(made[16]))
    assert not row(rules, "own 16")
    rules.outcomes(publisher, revoking(made[3]), PublishRelease(made[16]))
    assert [one.version[1] for one in row(rules, "gamma")] == [0, 1, 2, *range(4, 17)]
    other = replace(made[17], name="other")
    assert reasons(rules, account("other"), PublishRelease(other)) == [Reason.OK]


def test_nobody_fills_anothers_row(rules: SmallRules, released: EnclaveRelease) -> None:
    """Whoever claims to measure the same enclave, however often, keeps no release out."""
    for n in range(70):
        mallory = account(f"mallory {n}")
        assert reasons(rules, mallory, PublishRelease(release_of(name=f"m/{n}"))) == [Reason.OK]
    for n in (0, 1):
        rules.outcomes(auditor(n), endorsing(released))
    gamma = rules.open(Enclave("gamma"))
    assert reasons(rules, gamma, put_of("own", "x")) == [Reason.OK]
    newer = PublishRelease(release_of("1.3.0"))
    assert reasons(rules, account("publisher"), newer) == [Reason.OK]


@pytest.mark.parametrize(
    "operation", [PublishRelease(release_of()), endorsing(release_of()), revoking(release_of())]
)
def test_sessions_have_no_part(rules: SmallRules, alpha: Signer, operation: Operation) -> None:
    """Accounts publish, endorse and revoke; a session does not."""
    assert reasons(rules, alpha, operation, put_of("app", "x")) == [Reason.WRONG_SIGNER, Reason.OK]
    assert not [key for key in rules.state.rows if key.startswith((b"sR", b"sM", b"sO"))]


# -------------------------------------------------------------------------------------- endorsing


def test_endorse(rules: SmallRules, released: EnclaveRelease) -> None:
    """An auditor who owns nothing endorses; the outcome counts, the row names the endorsers."""
    indices = []
    for n, count in ((2, 1), (0, 2)):
        indices.append(rules.size)
        got = rules.outcomes(auditor(n), endorsing(released))
        assert got == (Outcome(Reason.OK, Votes(count, 0)),)
    both = (AUDITORS[0], AUDITORS[2])
    assert row(rules, "gamma") == (EndorsedRelease("fns", (1, 2, 0), both),)
    said = (Statement(AUDITORS[0], indices[1]), Statement(AUDITORS[2], indices[0]))
    assert record(rules, released).endorsed == said


def test_endorsing_twice_changes_nothing(rules: SmallRules, released: EnclaveRelease) -> None:
    """The count and the first entry stay."""
    rules.outcomes(auditor(0), endorsing(released))
    before = {k: v for k, v in rules.state.rows.items() if k.startswith(STATE)}
    assert rules.outcomes(auditor(0), endorsing(released)) == (Outcome(Reason.OK, Votes(1, 0)),)
    assert {k: v for k, v in rules.state.rows.items() if k.startswith(STATE)} == before


def test_only_named_auditors_endorse(rules: SmallRules, released: EnclaveRelease) -> None:
    """Not a stranger, nor the publisher, nor whoever owns a collection; they leave no entry."""
    for who in ("stranger", "publisher", "owner"):
        refused(rules, account(who), Reason.DENIED, endorsing(released))
    own = release_of("2.0.0", auditors=(account("publisher").name,))
    assert reasons(rules, account("publisher"), PublishRelease(own), endorsing(own)) == [
        Reason.OK,
        Reason.OK,
    ]


def test_another_digest(rules: SmallRules, released: EnclaveRelease) -> None:
    """An endorsement of other bytes than were published leaves no entry."""
    wrong = replace(endorsing(released), release_digest=bytes(32))
    refused(rules, auditor(0), Reason.WRONG_RELEASE_DIGEST, wrong)
    other = endorsing(replace(released, notes="what the auditor saw"))
    refused(rules, auditor(0), Reason.WRONG_RELEASE_DIGEST, other)


def test_unknown_releases(rules: SmallRules, released: EnclaveRelease) -> None:
    """What was never published is neither endorsed nor revoked, and leaves no entry."""
    unknown = replace(released, version=ReleaseVersion(1, 2, 1))
    for operation in (endorsing(unknown), revoking(unknown)):
        for who in (auditor(0), account("publisher")):
            refused(rules, who, Reason.UNKNOWN_RELEASE, operation)


# --------------------------------------------------------------------------------------- revoking


def test_the_publisher_revokes_for_ever(rules: SmallRules, released: EnclaveRelease) -> None:
    """The row is gone, the record stays; nobody endorses or revokes it again."""
    rules.outcomes(auditor(0), endorsing(released))
    index = rules.size
    got = rules.outcomes(account("publisher"), revoking(released))
    assert got == (Outcome(Reason.OK),)
    assert row(rules, "gamma") == ()
    kept = record(rules, released)
    assert (kept.is_revoked, kept.revoked_index, kept.endorsers) == (True, index, AUDITORS[:1])
    for who, operation in (
        (auditor(0), endorsing(released)),
        (auditor(1), endorsing(released)),
        (auditor(0), revoking(released)),
        (account("publisher"), revoking(released)),
    ):
        refused(rules, who, Reason.RELEASE_REVOKED, operation)


def test_an_auditor_takes_it_back_for_ever(rules: SmallRules, released: EnclaveRelease) -> None:
    """The own endorsement goes, those of others stay; also one that was never given."""
    rules.outcomes(auditor(0), endorsing(released))
    rules.outcomes(auditor(1), endorsing(released))
    assert rules.outcomes(auditor(0), revoking(released)) == (Outcome(Reason.OK, Votes(1, 0)),)
    assert rules.outcomes(auditor(2), revoking(released)) == (Outcome(Reason.OK, Votes(1, 0)),)
    assert row(rules, "gamma") == (EndorsedRelease("fns", (1, 2, 0), AUDITORS[1:2]),)
    for n in (0, 2):
        refused(rules, auditor(n), Reason.RELEASE_REVOKED, endorsing(released))
        refused(rules, auditor(n), Reason.RELEASE_REVOKED, revoking(released))
    assert [one.auditor for one in record(rules, released).withdrawn] == [AUDITORS[0], AUDITORS[2]]


def test_others_revoke_nothing(rules: SmallRules, released: EnclaveRelease) -> None:
    """Not a stranger, nor whoever owns something else; they leave no entry."""
    for who in ("stranger", "owner"):
        refused(rules, account(who), Reason.DENIED, revoking(released))


def test_a_publisher_who_is_an_auditor(rules: SmallRules, publisher: Signer) -> None:
    """Revoking is then for everybody."""
    own = release_of("2.0.0", auditors=(publisher.name,))
    rules.outcomes(publisher, PublishRelease(own), endorsing(own), revoking(own))
    assert record(rules, own).is_revoked


def test_atomic(rules: SmallRules, publisher: Signer) -> None:
    """What an atomic transaction undoes was never published, endorsed or counted."""
    rules.outcomes(publisher, PublishRelease(release_of()))
    before = {k: v for k, v in rules.state.rows.items() if k.startswith(STATE)}
    envelope = rules.envelope(
        publisher,
        PublishRelease(release_of("2.0.0", name="other")),
        revoking(release_of()),
        put_of("nowhere", "x", mode=2),
        terms=Terms(atomic=True),
    )
    undone = [Reason.NOT_EXECUTED, Reason.NOT_EXECUTED, Reason.UNKNOWN_COLLECTION]
    assert [one.reason for one in rules.executed(envelope).outcomes] == undone
    envelope = rules.envelope(
        auditor(0),
        endorsing(release_of()),
        endorsing(release_of("3.0.0")),
        terms=Terms(atomic=True),
    )
    with refuses(Reason.UNKNOWN_RELEASE):
        rules.do(envelope)
    assert {k: v for k, v in rules.state.rows.items() if k.startswith(STATE)} == before


# ------------------------------------------------------------------------- what it does to sessions


def test_a_policy_that_asks_for_a_release(rules: SmallRules, released: EnclaveRelease) -> None:
    """One endorsement opens no session, two do; a revocation is felt by the next operation."""
    gamma = Enclave("gamma")
    with refuses(Reason.NOT_ADMITTED):
        rules.open(gamma)
    rules.outcomes(auditor(0), endorsing(released))
    with refuses(Reason.NOT_ADMITTED):
        rules.open(gamma)
    rules.outcomes(auditor(1), endorsing(released))
    session = rules.open(gamma)
    assert reasons(rules, session, put_of("own", "x"), Read("own", "x")) == [Reason.OK] * 2
    rules.outcomes(account("publisher"), revoking(released))
    assert reasons(rules, session, put_of("own", "x"), Read("own", "x")) == [Reason.DENIED] * 2
    with refuses(Reason.NOT_ADMITTED):
        rules.open(Enclave("gamma"))


def test_an_endorsement_less(rules: SmallRules, released: EnclaveRelease) -> None:
    """An auditor who takes the own back stops sessions too; a third endorsement lets them go on."""
    for n in (0, 1):
        rules.outcomes(auditor(n), endorsing(released))
    session = rules.open(Enclave("gamma"))
    rules.outcomes(auditor(1), revoking(released))
    assert reasons(rules, session, put_of("own", "x")) == [Reason.DENIED]
    rules.outcomes(auditor(2), endorsing(released))
    assert reasons(rules, session, put_of("own", "x")) == [Reason.OK]


@pytest.mark.parametrize(
    "version, enclave, is_admitted",
    [
        ("1.1.9", "gamma", False),
        ("1.2.0", "gamma", True),
        ("2.0.0", "gamma", True),
        ("1.2.0", "delta", False),
    ],
)
def test_which_release(
    rules: SmallRules, publisher: Signer, version: str, enclave: str, is_admitted: bool
) -> None:
    """Of this version or newer, and of this enclave."""
    policy = encode_policy(asking_for())
    rules.outcomes(account("owner"), CreateCollection("own", CollectionTerms(policy, policy)))
    release = release_of(version)
    rules.outcomes(publisher, PublishRelease(release))
    for n in (0, 1):
        rules.outcomes(auditor(n), endorsing(release))
    if is_admitted:
        assert reasons(rules, rules.open(Enclave(enclave)), put_of("own", "x")) == [Reason.OK]
    else:
        with refuses(Reason.NOT_ADMITTED):
            rules.open(Enclave(enclave))


def test_another_name_counts_for_nothing(rules: SmallRules, released: EnclaveRelease) -> None:
    """Endorsements of a release of another name, of the same enclave, admit nobody."""
    other = replace(released, name="other")
    rules.outcomes(account("other"), PublishRelease(other))
    for n in range(3):
        rules.outcomes(auditor(n), endorsing(other))
    with refuses(Reason.NOT_ADMITTED):
        rules.open(Enclave("gamma"))


def test_endorsers_that_a_policy_does_not_name(rules: SmallRules, released: EnclaveRelease) -> None:
    """A publisher's own auditors say nothing to a policy that names others."""
    friends = tuple(sorted(account(f"friend {n}").name for n in range(2)))
    own = replace(released, version=ReleaseVersion(1, 3, 0), auditors=friends)
    rules.outcomes(account("publisher"), PublishRelease(own))
    for n in range(2):
        rules.outcomes(account(f"friend {n}"), endorsing(own))
    with refuses(Reason.NOT_ADMITTED):
        rules.open(Enclave("gamma"))


def test_several_names_in_a_policy(rules: SmallRules, released: EnclaveRelease) -> None:
    """Any of two names, or a release and a signer together: each is looked up."""
    both = AllOf((asking_for(), Match(measurement=identity_of("gamma").measurement)))
    policy = encode_policy(AnyOf((asking_for(name="other"), both)))
    owner = account("owner")
    rules.outcomes(owner, SetPolicy("own", CollectionTerms(policy, policy)))
    other = replace(released, name="other", measurements=release_of("1.2.0", "delta").measurements)
    rules.outcomes(account("other"), PublishRelease(other))
    for n in (0, 1):
        rules.outcomes(auditor(n), endorsing(released), endorsing(other))
    for who in ("gamma", "delta"):
        assert reasons(rules, rules.open(Enclave(who)), put_of("own", who)) == [Reason.OK]


def test_too_many_releases_to_look_at(rules: SmallRules, released: EnclaveRelease) -> None:
    """More than 64 names of releases of an enclave open its session, and nothing else."""
    for n in range(64):
        rules.outcomes(account(f"m {n}"), PublishRelease(release_of(name=f"m/{n}")))
    gamma = rules.open(Enclave("gamma"))
    assert reasons(rules, gamma, put_of("own", "x"), put_of("app", "x")) == [Reason.DENIED] * 2
    rules.outcomes(account("m 7"), revoking(release_of(name="m/7")))
    with refuses(Reason.NOT_ADMITTED):
        rules.open(Enclave("gamma"))
    assert released.name == "fns"


def test_too_many_policies_to_look_at(rules: SmallRules, released: EnclaveRelease) -> None:
    """More than 64 policies on an enclave's releases open its session, and nothing else."""
    owner = account("owner")
    for n in range(63):
        policy = encode_policy(asking_for((1, 2, n + 1)))
        terms = CollectionTerms(policy, policy_of("alpha"))
        rules.outcomes(owner, CreateCollection(f"c{n}", terms))
    with refuses(Reason.NOT_ADMITTED):
        rules.open(Enclave("gamma"))
    policy = encode_policy(asking_for((9, 9, 9)))
    rules.outcomes(owner, CreateCollection("last", CollectionTerms(policy, policy)))
    gamma = rules.open(Enclave("gamma"))
    assert reasons(rules, gamma, put_of("own", "x"), put_of("last", "x")) == [Reason.DENIED] * 2
    assert released.name == "fns"


def test_rows_are_gone_with_the_last_release(rules: SmallRules, publisher: Signer) -> None:
    """Nothing is left under an enclave when all of its releases are revoked."""
    made = [release_of(f"1.{n}.0", "gamma", "delta") for n in range(3)]
    rules.outcomes(publisher, *map(PublishRelease, made))
    rules.outcomes(publisher, *map(revoking, made))
    assert not [key for key in rules.state.rows if key.startswith(b"sM")]
    assert not [key for key in rules.state.rows if key[:3] in (b"sAe", b"sDe", b"sFe")]


def test_policies_without_releases_look_at_nothing(rules: SmallRules) -> None:
    """A use of a session costs no look at the registry unless its policy asks for a release."""

    class Untouchable:
        def get(self, key: bytes) -> bytes | None:
            raise AssertionError(f"asked for {key!r}")

    identity = encode_identity(identity_of("gamma"))
    assert releases_for(Untouchable(), policy_of("gamma", "alpha"), identity) == b""
    assert releases_for(rules.state, encode_policy(asking_for()), identity) == b""


def test_terms_that_ask_for_too_many_names(rules: SmallRules) -> None:
    """A policy of nine names of releases is none."""
    nine = tuple(asking_for(name=f"n{n}") for n in range(9))
    eight = encode_policy(AnyOf(nine[:8]))
    rules.outcomes(account("owner"), CreateCollection("c", CollectionTerms(eight, eight)))
    with pytest.raises(DecodeError, match="names of releases"):
        encode_policy(AnyOf(nine))


# ----------------------------------------------------------------------------------------- records

ADDRESS = st.binary(min_size=20, max_size=20)
STATEMENTS = st.lists(st.builds(Statement, ADDRESS, st.integers(0, 2**64 - 1)), max_size=16).map(
    tuple
)
RECORDS = st.builds(
    ReleaseRecord,
    st.binary(min_size=1, max_size=80),
    ADDRESS,
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    STATEMENTS,
    STATEMENTS,
)


@given(RECORDS)
def test_records_come_back(kept: ReleaseRecord) -> None:
    """A record is read as it was written; a cut one is our fault."""
    data = encode_record(kept)
    assert decode_record(data) == kept
    for end in (0, 37, len(data) - len(kept.release)):
        with pytest.raises(StateError):
            decode_record(data[:end])


@given(RECORDS, st.data())
def test_damaged_records_are_our_fault(kept: ReleaseRecord, data: st.DataObject) -> None:
    """Whatever stands there is read, or a StateError."""
    changed = data.draw(mutations(encode_record(kept)))
    try:
        decode_record(changed).decoded()
    except StateError:
        return


@pytest.mark.parametrize("damaged", ["release", "row", "publisher"])
def test_damaged_rows_are_our_fault(
    rules: SmallRules, released: EnclaveRelease, damaged: str
) -> None:
    """A record, row or publisher that does not decode stops the rules."""
    key = {
        "release": keys.release("fns", released.version.packed),
        "row": keys.releases_of(1, identity_of("gamma").measurement, "fns"),
        "publisher": keys.publisher("fns"),
    }[damaged]
    rules.state.apply({key: b"\xff"})
    newer = PublishRelease(release_of("1.2.0" if damaged == "release" else "1.3.0"))
    envelope = rules.envelope(account("publisher"), newer)
    with pytest.raises(StateError):
        rules.do(envelope)
