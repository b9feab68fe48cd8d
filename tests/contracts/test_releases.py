"""Releases: who publishes, endorses and revokes them, and what that leaves."""

from dataclasses import replace

import pytest

from attestation.releases import EndorsedRelease
from contracts.holdings import OwnerRecord, decode_owner
from contracts.registry import (
    MAX_PER_ENCLAVE,
    ReleaseRecord,
    Statement,
)
from ledger import keys
from ledger.format.genesis import Limits
from ledger.format.operation import Operation
from ledger.format.outcome import Outcome, Votes
from ledger.format.releases import (
    EnclaveRelease,
    PublishRelease,
    ReleaseVersion,
    encode_release,
)
from ledger.reason import Reason
from tests.support.refusals import refuses
from tests.support.small_releases import (
    AUDITORS,
    STATE,
    account,
    auditor,
    endorsing,
    reasons,
    record,
    refused,
    release_of,
    revoking,
    row,
)
from tests.support.small_rules import (
    Enclave,
    Signer,
    SmallRules,
    Terms,
    genesis_bytes,
    put_of,
)

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
