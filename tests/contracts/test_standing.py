"""Sessions are judged again at each use (contracts.standing, 1 to 3), and what opens one is new."""

from dataclasses import replace

import pytest

from attestation.identity import Identity
from attestation.policy import Match, ReleaseMatch, encode_policy
from attestation.verdict import Verdict, encode_verdict
from contracts.asker import AskContext, Asker, identify
from contracts.execute import Repeated
from contracts.queries import list_collections, show_head
from contracts.records import decode_session
from ledger import keys
from ledger.format.hygiene import RevokeSession, UpdateCollateral
from ledger.format.operation import AcquireKey, OpenSession, Read
from ledger.format.query import ListCollections, Query, ShowHead, encode_query, query_message
from ledger.format.releases import (
    EnclaveRelease,
    EndorseRelease,
    PublishRelease,
    ReleaseMeasurement,
    ReleaseVersion,
    RevokeRelease,
    encode_release,
    release_digest,
)
from ledger.format.terms import CollectionTerms, CreateCollection, SetPolicy
from ledger.reason import Reason
from tests.support.refusals import refuses
from tests.support.small_hygiene import Edition, bring
from tests.support.small_rules import (
    COLLATERAL_KEY,
    Enclave,
    Signer,
    SmallRules,
    account,
    collection,
    core_signer,
    genesis_bytes,
    identity_of,
    new_session,
    put_of,
    terms_of,
    trust_document,
)

CHANGES = {
    "a higher number": Edition(number_up=1),
    "a list that grew": Edition(list_up=1, says="one more serial is revoked"),
    "another level": Edition(says="one more advisory"),
    "number and says": Edition(number_up=3, says="everything"),
}
PUT = put_of("app", "x")


@pytest.fixture
def core() -> Signer:
    """The node that brings collateral."""
    return core_signer()


def opens(
    rules: SmallRules, operation: OpenSession, enclave: Enclave, **changes: object
) -> Verdict:
    """Send an OpenSession with a verdict that differs from a good one."""
    verdict = rules.verdict(identity_of(enclave.name), operation)
    verdict = replace(verdict, **changes)  # type: ignore[arg-type]  # a test's shorthand for fields of any type
    rules.executed(rules.envelope(new_session(enclave), operation), encode_verdict(verdict))
    return verdict


def asker(rules: SmallRules, signer: Signer) -> Asker:
    """The session as one who asks, if it may."""
    query = Query(rules.network_id, signer.kind, signer.name, rules.time_ms, ShowHead("app", "x"))
    body = encode_query(query)
    signature = signer.sign(query_message(rules.network_id, body))
    context = AskContext(rules.network_id, rules.parameters, rules.time_ms)
    return identify(query, body, signature, rules.state, context)


# ------------------------------------------------------------------------- collateral and use


def test_a_session_remembers_its_collateral(rules: SmallRules, alpha: Signer) -> None:
    """The record names the collateral that the evidence was judged by, and its generation."""
    session = decode_session(rules.state.rows[keys.session(alpha.name)])
    assert (session.collateral_key, session.generation) == (COLLATERAL_KEY, 1)


def test_newer_dates_alone_end_nothing(rules: SmallRules, alpha: Signer, core: Signer) -> None:
    """An edition that says the same keeps sessions going, however often it comes."""
    for _ in range(3):
        bring(rules, core, Edition())
        assert rules.outcomes(alpha, PUT)[0].reason is Reason.OK
    assert rules.collateral.generation == 1


@pytest.mark.parametrize("what", CHANGES)
def test_what_says_more_ends_sessions(
    rules: SmallRules, alpha: Signer, core: Signer, what: str
) -> None:
    """A session from before is refused at its next use, also for what was already on its way."""
    in_flight = rules.envelope(alpha, PUT, Read("app", "x"))
    bring(rules, core, CHANGES[what])
    before = dict(rules.state.rows)
    for envelope in (in_flight, rules.envelope(alpha, AcquireKey("app"))):
        with refuses(Reason.COLLATERAL_CHANGED):
            rules.do(envelope)
    assert rules.state.rows == before
    with refuses(Reason.COLLATERAL_CHANGED):
        asker(rules, alpha)
    rules.end_block(1_000)
    again = rules.open(Enclave("alpha"))
    assert rules.outcomes(again, PUT)[0].reason is Reason.OK
    bring(rules, core, Edition())
    with refuses(Reason.COLLATERAL_CHANGED):  # for ever
        rules.do(rules.envelope(alpha, PUT))


def test_what_ran_before_is_still_answered(rules: SmallRules, alpha: Signer, core: Signer) -> None:
    """The same bytes again give their first entry, whatever became of the session since."""
    envelope = rules.envelope(alpha, PUT)
    index = rules.size
    rules.executed(envelope)
    bring(rules, core, Edition(number_up=1))
    assert rules.do(envelope) == Repeated(index)


def test_other_platforms_do_not_matter(rules: SmallRules, alpha: Signer) -> None:
    """Collateral for other machines ends no session."""
    rows = rules.state.rows
    for key in ("tdx/00536f667401/processor", "sgx/00906ed50000/platform", "snp/Milan"):
        rows[keys.collateral(key)] = rows[keys.collateral(COLLATERAL_KEY)]
    assert rules.outcomes(alpha, PUT)[0].reason is Reason.OK
    del rows[keys.collateral(COLLATERAL_KEY)]
    with refuses(Reason.COLLATERAL_CHANGED):
        rules.do(rules.envelope(alpha, PUT))


@pytest.mark.parametrize("grace_s", [0, 7])
def test_the_end_of_collateral(core: Signer, grace_s: int) -> None:
    """The last second of collateral and grace counts in; a longer edition lets sessions go on."""
    rules = SmallRules(genesis_bytes(trust=trust_document(grace_s=grace_s)))
    alpha = rules.open(Enclave("alpha"))
    ends_s = rules.time_ms // 1000 + 60
    bring(rules, core, Edition(valid_until_s=ends_s))
    rules.end_block((ends_s + grace_s) * 1000 + 999 - rules.time_ms)
    assert rules.outcomes(alpha, PUT)[0].reason is Reason.OK
    assert asker(rules, alpha).may_ask("app")
    opens(rules, rules.opening(last := Enclave("alpha")), last)
    rules.end_block(1)
    with refuses(Reason.COLLATERAL_CHANGED):
        rules.do(rules.envelope(alpha, PUT))
    with refuses(Reason.COLLATERAL_CHANGED):
        asker(rules, alpha)
    late = Enclave("alpha")
    with refuses(Reason.EVIDENCE_UNDECIDED):
        opens(rules, rules.opening(late), late)
    bring(rules, core, Edition(valid_until_s=ends_s + 3_600))
    assert rules.outcomes(alpha, PUT)[0].reason is Reason.OK


# ------------------------------------------------------------------- collateral and OpenSession


@pytest.mark.parametrize("edition", [Edition(), Edition(number_up=1)])
def test_judged_by_what_was_replaced(rules: SmallRules, core: Signer, edition: Edition) -> None:
    """Evidence judged by another edition than the one in force opens nothing; again it does."""
    enclave = Enclave("alpha")
    operation = rules.opening(enclave)
    old = rules.collateral.digest
    bring(rules, core, edition)
    before = dict(rules.state.rows)
    with refuses(Reason.EVIDENCE_UNDECIDED):
        opens(rules, operation, enclave, collateral_digest=old)
    assert rules.state.rows == before
    opens(rules, operation, enclave)


@pytest.mark.parametrize("key", ["sgx/00906ed50000/processor", "sgx/00536f667401/platform"])
def test_no_collateral(rules: SmallRules, key: str) -> None:
    """A verdict by collateral that the ledger does not hold opens nothing."""
    enclave = Enclave("alpha")
    with refuses(Reason.EVIDENCE_UNDECIDED):
        opens(rules, rules.opening(enclave), enclave, collateral_key=key)


@pytest.mark.parametrize("age_s, is_good", [(-31, 0), (-30, 1), (0, 1), (630, 1), (631, 0)])
def test_age_of_the_verdict(rules: SmallRules, age_s: int, is_good: int) -> None:
    """An old verdict opens nothing: it is at most as old as a checkpoint may be, and the skew."""
    assert (rules.parameters.checkpoint_age_ms, rules.parameters.skew_ms) == (600_000, 30_000)
    rules.end_block(999 - rules.time_ms % 1000)
    rules.end_block(0)
    enclave = Enclave("alpha")
    operation = rules.opening(enclave)
    judged_s = rules.time_ms // 1000 - age_s
    times = {"verified_at_s": judged_s, "effective_s": judged_s}
    if is_good:
        opens(rules, operation, enclave, **times)
        return
    with refuses(Reason.EVIDENCE_UNDECIDED):
        opens(rules, operation, enclave, **times)


def test_who_signs_collateral(rules: SmallRules, alpha: Signer) -> None:
    """A session or an account brings none, whatever verdict lies beside it."""
    for signer in (alpha, account("owner")):
        with refuses(Reason.WRONG_SIGNER):
            rules.do(rules.envelope(signer, UpdateCollateral(bytes(32))), b"verdict")


# ------------------------------------------------------------------------------ policies and time


def with_grace(rules_ms: int, grace_s: int) -> tuple[SmallRules, Identity, int]:
    """A network whose policy tolerates a status for a while; an identity; when that ends."""
    lacking = identity_of(
        "alpha", tcb_status="SWHardeningNeeded", tcb_date_s=rules_ms // 1000 - 3_600
    )
    policy = encode_policy(
        Match(
            measurement=lacking.measurement,
            tcb_statuses=("SWHardeningNeeded", "UpToDate"),
            grace_s=grace_s,
        )
    )
    rules = SmallRules(genesis_bytes((collection("app", policy, policy),)))
    return rules, lacking, lacking.tcb_date_s + grace_s


def test_the_end_of_a_policy_s_grace() -> None:
    """From the second on in which the grace ends, a running session is denied; so are questions."""
    start_ms = SmallRules().time_ms
    rules, lacking, ends_s = with_grace(start_ms, 3_600 + 120)
    session = rules.open(Enclave("alpha"), lacking)
    rules.end_block(ends_s * 1000 - 1 - rules.time_ms)
    rules.end_block(0)
    assert rules.outcomes(session, PUT, Read("app", "x"))[1].reason is Reason.OK
    assert asker(rules, session).may_ask("app")
    rules.open(Enclave("alpha"), lacking)
    rules.end_block(1)
    denied = rules.outcomes(session, PUT, Read("app", "x"), AcquireKey("app"))
    assert [one.reason for one in denied] == [Reason.DENIED] * 3
    assert not asker(rules, session).may_ask("app")
    late = Enclave("alpha")
    verdict = rules.verdict(lacking, operation := rules.opening(late))
    with refuses(Reason.NOT_ADMITTED):
        rules.do(rules.envelope(new_session(late), operation), encode_verdict(verdict))


def test_a_policy_that_changed(rules: SmallRules) -> None:
    """A transaction in flight is judged by the policy of its block, not of its signing."""
    owner, gamma = account("owner"), "gamma"
    rules.outcomes(owner, CreateCollection("own", terms_of(gamma, gamma)))
    session = rules.open(Enclave(gamma))
    in_flight = [rules.envelope(session, put_of("own", "x")) for _ in range(2)]
    assert rules.executed(in_flight[0]).outcomes[0].reason is Reason.OK
    rules.outcomes(owner, SetPolicy("own", terms_of()))
    assert rules.executed(in_flight[1]).outcomes[0].reason is Reason.DENIED
    assert not asker(rules, session).may_ask("own")


def test_a_release_that_was_revoked(rules: SmallRules) -> None:
    """What is in flight when its release is revoked is denied, and no session opens any more."""
    publisher, auditor, owner = account("publisher"), account("auditor"), account("owner")
    release = EnclaveRelease(
        name="fns",
        version=ReleaseVersion(1, 2, 0),
        measurements=(ReleaseMeasurement(1, identity_of("gamma").measurement),),
        source_digest=bytes(32),
        notes="",
        auditors=(auditor.name,),
    )
    wanted = ReleaseMatch(name="fns", minimum=(1, 2, 0), auditors=(auditor.name,), threshold=1)
    policy = encode_policy(Match(release=wanted))
    rules.outcomes(publisher, PublishRelease(release))
    rules.outcomes(owner, CreateCollection("own", CollectionTerms(policy, policy)))
    early = Enclave("gamma")
    with refuses(Reason.NOT_ADMITTED):
        opens(rules, rules.opening(early), early)
    digest = release_digest(encode_release(release))
    rules.outcomes(auditor, EndorseRelease("fns", release.version, digest))
    session = rules.open(Enclave("gamma"))
    in_flight = [rules.envelope(session, put_of("own", "x")) for _ in range(2)]
    assert rules.executed(in_flight[0]).outcomes[0].reason is Reason.OK
    assert asker(rules, session).may_ask("own")
    rules.outcomes(publisher, RevokeRelease("fns", release.version))
    assert rules.executed(in_flight[1]).outcomes[0].reason is Reason.DENIED
    assert not asker(rules, session).may_ask("own")
    late = Enclave("gamma")
    with refuses(Reason.NOT_ADMITTED):
        opens(rules, rules.opening(late), late)


# ----------------------------------------------------------------------------------- questions


def test_questions_of_a_session_that_its_owner_revoked(rules: SmallRules) -> None:
    """It may ask about other collections, not about this one; operations on sessions it may see."""
    owner = account("owner")
    rules.outcomes(owner, CreateCollection("own", terms_of("alpha", "alpha")))
    session = rules.open(Enclave("alpha"))
    rules.outcomes(owner, RevokeSession(session.name, "own"))
    one = asker(rules, session)
    assert one.may_ask("app")
    assert not one.may_ask("own")
    names = [name for name, _ in list_collections(one, ListCollections("", 10)).rows]
    assert names == ["app"]
    assert not one.may_see(RevokeSession(session.name, "own"))
    assert one.may_see(RevokeSession(session.name, ""))
    assert one.may_see(UpdateCollateral(bytes(32)))
    with refuses(Reason.DENIED):
        show_head(one, "own", "x")


def test_votes_are_seen_by_who_has_a_part(rules: SmallRules) -> None:
    """A stranger sees no vote, an owner does: it concerns sessions that may use his collection."""
    stranger, owner = account("stranger"), account("owner")
    rules.outcomes(owner, CreateCollection("own", terms_of()))
    for signer, may_see in ((stranger, False), (owner, True)):
        context = AskContext(rules.network_id, rules.parameters, rules.time_ms)
        query = Query(
            rules.network_id, signer.kind, signer.name, rules.time_ms, ShowHead("own", "x")
        )
        one = Asker.of(query, context, rules.state)
        assert one.may_see(RevokeSession(bytes(32), "")) == may_see
        assert one.may_see(RevokeSession(bytes(32), "app")) is False
