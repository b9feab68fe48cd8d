"""What policies that ask for releases make of the registry, its lists and its records."""

import tracemalloc
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation.conditions import SnpMatch, TdxMatch
from attestation.errors import DecodeError
from attestation.fields import SnpTcb, TdxFields
from attestation.identity import Identity, encode_identity
from attestation.policy import AllOf, AnyOf, Match, encode_policy
from attestation.releases import EndorsedRelease, encode_releases
from contracts.admission import Moment, admitted_until, is_named
from contracts.asker import Asker
from contracts.errors import StateError
from contracts.facts import facts_for
from contracts.queries import list_releases
from contracts.registry import (
    ReleaseRecord,
    Statement,
    decode_record,
    encode_record,
)
from ledger import keys
from ledger.format.operation import Read
from ledger.format.query import ListReleases
from ledger.format.releases import (
    EnclaveRelease,
    PublishRelease,
    ReleaseMeasurement,
    ReleaseVersion,
    release_title,
)
from ledger.format.terms import CollectionTerms, CreateCollection, SetPolicy
from ledger.reason import Reason
from tests.support.attestation_examples import SNP_IDENTITY, TDX_IDENTITY
from tests.support.mutation import mutations
from tests.support.refusals import refuses
from tests.support.small_releases import (
    account,
    asking_for,
    auditor,
    endorsing,
    reasons,
    release_of,
    revoking,
)
from tests.support.small_rules import (
    Enclave,
    Signer,
    SmallRules,
    identity_of,
    policy_of,
    put_of,
)

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
    assert facts_for(Untouchable(), policy_of("gamma", "alpha"), identity) == b""
    assert facts_for(rules.state, encode_policy(asking_for()), identity) == b""


def test_terms_that_ask_for_too_many_names(rules: SmallRules) -> None:
    """A policy of nine names of releases is none."""
    nine = tuple(asking_for(name=f"n{n}") for n in range(9))
    eight = encode_policy(AnyOf(nine[:8]))
    rules.outcomes(account("owner"), CreateCollection("c", CollectionTerms(eight, eight)))
    with pytest.raises(DecodeError, match="names of releases"):
        encode_policy(AnyOf(nine))


# ------------------------------------------------------------------------- kinds of TEE, questions


@pytest.mark.parametrize("identity", [TDX_IDENTITY, SNP_IDENTITY], ids=["tdx", "snp"])
def test_each_kind_of_tee(rules: SmallRules, publisher: Signer, identity: Identity) -> None:
    """A measurement counts for the kind of TEE that the release says, and for no other."""
    oldest = SnpTcb(boot_loader=4, tee=0, snp=24, microcode=219)
    tee = SnpMatch(minimum_tcb=oldest) if identity.platform == "snp" else None
    policy = encode_policy(replace(asking_for(threshold=1), tee=tee))
    data = encode_identity(identity)
    rules.outcomes(account("owner"), CreateCollection("own", CollectionTerms(policy, policy)))
    own, other = {"tdx": (2, 3), "snp": (3, 2)}[identity.platform]
    wrong = release_of(measurements=(ReleaseMeasurement(other, identity.measurement),))
    right = replace(
        wrong,
        version=ReleaseVersion(1, 3, 0),
        measurements=(ReleaseMeasurement(own, identity.measurement),),
    )
    rules.outcomes(publisher, PublishRelease(wrong), PublishRelease(right))
    rules.outcomes(auditor(0), endorsing(wrong))
    assert not is_named(rules.state, data, Moment(True, rules.time_ms))
    rules.outcomes(auditor(0), endorsing(right))
    assert is_named(rules.state, data, Moment(True, rules.time_ms))


def test_filed_by_mrtd_too(rules: SmallRules) -> None:
    """A policy by MRTD is found under that."""
    fields = TDX_IDENTITY.fields
    assert isinstance(fields, TdxFields)
    tee = TdxMatch(mr_td=fields.mr_td)
    policy = encode_policy(Match(tee=tee))
    data = encode_identity(TDX_IDENTITY)
    assert not is_named(rules.state, data, Moment(True, rules.time_ms))
    rules.outcomes(account("owner"), CreateCollection("own", CollectionTerms(policy, policy)))
    assert is_named(rules.state, data, Moment(True, rules.time_ms))


def test_lists(rules: SmallRules, publisher: Signer) -> None:
    """Pages of any size give every release once, by name and version, and end."""
    versions = ("0.0.1", "0.0.10", "0.2.0", "2.0.0", "10.0.0")
    for name in ("b", "a", "a/b"):
        for version in reversed(versions):
            rules.outcomes(publisher, PublishRelease(release_of(version, name=name)))
    rules.outcomes(publisher, revoking(release_of("2.0.0", name="a")))
    everything = [f"{name}@{version}" for name in ("a", "a/b", "b") for version in versions]
    for name, wanted in (("", everything), ("a", everything[:5]), ("none", [])):
        for limit in (1, 2, 5, 16):
            seen, after = [], ""
            while True:
                page = list_releases(rules.state, ListReleases(name, after, limit))
                assert len(page.rows) <= limit
                seen += [title_of(one) for one in page.rows]
                after = page.next_after
                if not after:
                    break
                assert after == seen[-1]
            assert seen == wanted
    revoked = [one.is_revoked for one in list_releases(rules.state, ListReleases("a", "", 9)).rows]
    assert revoked == [False, False, False, True, False]


def test_everybody_sees_what_was_said(rules: SmallRules) -> None:
    """An account without a part in anything sees operations on releases, and no others."""
    stranger = Asker(rules.state, rules.parameters, rules.time_ms, account("stranger").name, None)
    release = release_of()
    for operation in (PublishRelease(release), endorsing(release), revoking(release)):
        assert stranger.may_see(operation)
    assert not stranger.may_see(put_of("app", "x"))
    assert not stranger.may_ask_any()


def title_of(kept: ReleaseRecord) -> str:
    """How a release in the state is called."""
    release = kept.decoded()
    return release_title(release.name, release.version)


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


def test_what_never_stood_in_the_state(rules: SmallRules) -> None:
    """A policy or identity that is none is our fault."""
    policy = encode_policy(asking_for())
    for bad in ((b"\xff", encode_identity(identity_of("gamma"))), (policy, b"\xff")):
        with pytest.raises(StateError):
            facts_for(rules.state, *bad)


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


def test_what_is_remembered_of_strangers_releases_is_bounded() -> None:
    """Attack: an enclave with as many releases as there may be, and policy after policy that asks
    for them, cost the node a few dozen megabytes, not 56 KB for each of 16,384.
    """
    auditors = tuple(sorted(sha256(b"%d" % number).digest()[:20] for number in range(16)))
    releases = encode_releases(
        tuple(
            EndorsedRelease(f"{name}{'x' * 63}", (1, 2, patch), auditors)
            for name in range(8)
            for patch in range(16)
        )
    )
    identity = encode_identity(identity_of("gamma"))
    tracemalloc.start()
    try:
        for number in range(1500):
            measured = sha256(b"%d" % number).digest()
            policy = encode_policy(Match(measurement=measured))
            # a row is joined anew for each use
            joined = b"".join((releases[:1], releases[1:]))
            assert not admitted_until(policy, identity, joined, is_development=False)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 40 * 1024 * 1024
