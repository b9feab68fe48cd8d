"""Who may ask what, and answers that are complete and in order against a model."""

import bisect
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import contracts.asker
from attestation.policy import AnyOf, Match, encode_policy
from contracts import queries
from contracts.asker import QUERY_AGE_MS, AskContext, Asker, identify
from contracts.errors import RefusedError, StateError
from contracts.holdings import CollectionRecord, encode_collection
from contracts.queries import (
    list_collections,
    list_secrets,
    show_collection,
    show_head,
    show_history,
)
from ledger import keys
from ledger.crypto import p256
from ledger.format.eip712 import query_digest, transaction_digest
from ledger.format.genesis import Limits
from ledger.format.operation import AcquireKey, Delete, KeyServiceStart, Operation, Read
from ledger.format.query import (
    ListCollections,
    ListSecrets,
    OpenEntries,
    Query,
    Question,
    ShowCollection,
    ShowHead,
    ShowHistory,
    decode_query,
    encode_query,
    query_hash,
    query_message,
)
from ledger.format.sealed import MODE_PUBLIC
from ledger.format.summary import summarize_question
from ledger.format.terms import (
    CollectionTerms,
    CreateCollection,
    Destroy,
    FreezeCollection,
    SetPolicy,
)
from ledger.format.transaction import SignerKind, signed_message
from ledger.reason import Reason
from tests.support.refusals import refuses
from tests.support.small_rules import (
    COLLECTIONS,
    SERVICE_KEY,
    Enclave,
    Signer,
    SmallRules,
    account,
    genesis_bytes,
    put_of,
    terms_of,
)

HEAD = ShowHead("own", "x")
NETWORK_AUDITOR = account("network auditor")


@dataclass(frozen=True)
class Asked:
    """A signed question."""

    query: Query
    body: bytes
    signature: bytes


def asked(rules: SmallRules, signer: Signer, question: Question, **changes: object) -> Asked:
    """Sign a question as clients do; `changes` are fields of the query."""
    usual = Query(rules.network_id, signer.kind, signer.name, rules.time_ms, question)
    query = replace(usual, **changes)  # type: ignore[arg-type]  # a test's shorthand for fields of any type
    body = encode_query(query)
    message = query_message(query.network_id, body)
    if query.signer_kind is SignerKind.ACCOUNT:
        summary = summarize_question(question)
        message = query_digest(query.network_id, query.time_ms, summary, query_hash(body))
    return Asked(query, body, signer.sign(message))


def context(rules: SmallRules) -> AskContext:
    """Now, here."""
    return AskContext(rules.network_id, rules.parameters, rules.time_ms)


def judged(rules: SmallRules, one: Asked) -> Asker:
    """Who asks, if the rules believe it."""
    query = decode_query(one.body)
    assert query == one.query
    return identify(query, one.body, one.signature, rules.state, context(rules))


def asker(rules: SmallRules, signer: Signer) -> Asker:
    """The signer, having asked something."""
    return judged(rules, asked(rules, signer, HEAD))


@pytest.fixture
def rules() -> SmallRules:
    """A network with an auditor of its own."""
    return SmallRules(genesis_bytes(auditors=(NETWORK_AUDITOR.name,)))


@pytest.fixture
def owner(rules: SmallRules) -> Signer:
    """Owns "own": gamma reads, delta writes, an account audits."""
    signer = account("owner")
    terms = terms_of("gamma", "delta", auditors=(account("auditor").name,))
    rules.outcomes(signer, CreateCollection("own", terms))
    return signer


def signers(rules: SmallRules) -> dict[str, Signer]:
    """Everybody, by name."""
    made = {name: rules.open(Enclave(name)) for name in ("alpha", "beta", "gamma", "delta")}
    made |= {name: account(name) for name in ("owner", "auditor", "stranger")}
    return made | {"network auditor": NETWORK_AUDITOR}


MAY_ASK = {
    "app": {"alpha", "beta", "network auditor"},
    "beta/own": {"beta", "network auditor"},
    "own": {"gamma", "delta", "owner", "auditor", "network auditor"},
}


# -------------------------------------------------------------------------------------- who asks


@pytest.mark.usefixtures("owner")
def test_who_may_ask_about_what(rules: SmallRules) -> None:
    """Readers, writers, the owner, its auditors and the network's; nobody else, nothing more."""
    for who, signer in signers(rules).items():
        one = asker(rules, signer)
        for place, entitled in MAY_ASK.items():
            assert one.may_ask(place) == (who in entitled), (who, place)
        assert not one.may_ask("nowhere")
        assert one.may_ask_any() == (who != "stranger")
        assert one.is_auditor == (who == "network auditor")
        page = list_collections(one, ListCollections("", 1000))
        assert [name for name, _ in page.rows] == sorted(
            place for place, entitled in MAY_ASK.items() if who in entitled
        )
        assert page.next_after == ""


QUESTIONS: dict[str, Callable[[Asker, str], object]] = {
    "list": lambda one, place: list_secrets(one, ListSecrets(place, "", "", 10)),
    "head": lambda one, place: show_head(one, place, "x"),
    "history": lambda one, place: show_history(one, ShowHistory(place, "x", 0, 10)),
    "collection": show_collection,
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_unknown_and_forbidden_look_the_same(
    rules: SmallRules, owner: Signer, question: str
) -> None:
    """What is not there and what is not for the asker give the same answer, word for word."""
    rules.outcomes(owner, put_of("own", "x", mode=MODE_PUBLIC))
    ask = QUESTIONS[question]
    for signer in (account("stranger"), rules.open(Enclave("alpha"))):
        hints = set()
        for place in ("own", "nowhere"):
            with pytest.raises(RefusedError) as caught:
                ask(asker(rules, signer), place)
            assert caught.value.reason is Reason.DENIED
            hints.add(caught.value.hint)
        assert len(hints) == 1
    assert ask(asker(rules, owner), "own")


def test_rights_end_with_the_terms(rules: SmallRules, owner: Signer) -> None:
    """Who was reader, writer or auditor may not ask once the terms name somebody else."""
    before = signers(rules)
    rules.outcomes(owner, SetPolicy("own", terms_of("alpha", "alpha")))
    for who in ("gamma", "delta", "auditor"):
        one = asker(rules, before[who])
        assert not one.may_ask("own"), who
        assert not one.may_ask_any(), who
    assert asker(rules, before["alpha"]).may_ask("own")
    assert asker(rules, owner).may_ask("own")


def test_frozen_is_shown(rules: SmallRules, owner: Signer) -> None:
    """A frozen collection may be asked about as before."""
    rules.outcomes(owner, FreezeCollection("own", frozen=True))
    gamma = asker(rules, rules.open(Enclave("gamma")))
    assert show_collection(gamma, "own").is_frozen
    assert show_collection(gamma, "own").owner == owner.name


@pytest.mark.usefixtures("owner")
def test_operations_that_are_seen(rules: SmallRules) -> None:
    """Operations on a collection are for its own; opened sessions for all but strangers."""
    everyones: tuple[Operation, ...] = (
        rules.opening(Enclave("alpha")),
        KeyServiceStart(bytes(32), SERVICE_KEY),
    )
    for who, signer in signers(rules).items():
        one = asker(rules, signer)
        for place, entitled in {**MAY_ASK, "nowhere": set()}.items():
            for operation in (
                put_of(place, "x"),
                Read(place, "x"),
                Delete(place, "x"),
                AcquireKey(place),
                CreateCollection(place, terms_of()),
                SetPolicy(place, terms_of()),
                FreezeCollection(place, frozen=True),
                Destroy(place, "x"),
            ):
                assert one.may_see(operation) == (who in entitled)
        assert [one.may_see(operation) for operation in everyones] == [who != "stranger"] * 2


# ------------------------------------------------------------------------- signature, time, session


@pytest.mark.parametrize("who", ["gamma", "owner"])
def test_time(rules: SmallRules, owner: Signer, who: str) -> None:
    """A question is good for a minute and the skew, into the past and the future."""
    signer = owner if who == "owner" else rules.open(Enclave(who))
    limit = QUERY_AGE_MS + rules.parameters.skew_ms
    for away in (-limit, limit):
        one = judged(rules, asked(rules, signer, HEAD, time_ms=rules.time_ms + away))
        assert one.may_ask("own")
    for time_ms in (rules.time_ms - limit - 1, rules.time_ms + limit + 1, 0, 2**64 - 1):
        with refuses(Reason.TRANSACTION_EXPIRED):
            judged(rules, asked(rules, signer, HEAD, time_ms=time_ms))


@pytest.mark.parametrize("who", ["gamma", "owner"])
def test_network(rules: SmallRules, owner: Signer, who: str) -> None:
    """A question for another network is told so."""
    signer = owner if who == "owner" else rules.open(Enclave(who))
    with refuses(Reason.WRONG_NETWORK):
        judged(rules, asked(rules, signer, HEAD, network_id=bytes(32)))


@pytest.mark.parametrize("who", ["gamma", "owner"])
def test_signatures(rules: SmallRules, owner: Signer, who: str) -> None:
    """Only the signer's own signature over this question counts."""
    signer = owner if who == "owner" else rules.open(Enclave(who))
    good = asked(rules, signer, HEAD)
    other = asked(rules, signer, ShowHead("own", "y"))
    if who == "owner":
        strange = asked(rules, replace(account("stranger"), name=signer.name), HEAD)
    else:
        strange = asked(rules, replace(signer, sign=p256.SigningKey().sign), HEAD)
    wrong = (
        other.signature,
        strange.signature,
        good.signature[:-1],
        good.signature + b"\0",
        b"",
        bytes(len(good.signature)),
    )
    assert judged(rules, good).may_ask("own")
    for signature in wrong:
        with refuses(Reason.BAD_SIGNATURE):
            judged(rules, replace(good, signature=signature))


def test_a_transaction_s_signature_is_no_question_s(rules: SmallRules, owner: Signer) -> None:
    """What was signed to be run cannot be used to ask, for sessions and accounts."""
    gamma = rules.open(Enclave("gamma"))
    good = asked(rules, gamma, HEAD)
    with refuses(Reason.BAD_SIGNATURE):
        message = signed_message(rules.network_id, good.body)
        judged(rules, replace(good, signature=gamma.sign(message)))
    good = asked(rules, owner, HEAD)
    digest = transaction_digest(
        rules.network_id, rules.time_ms, summarize_question(HEAD), query_hash(good.body)
    )
    with refuses(Reason.BAD_SIGNATURE):
        judged(rules, replace(good, signature=owner.sign(digest)))


@pytest.mark.usefixtures("owner")
def test_only_open_sessions_ask(rules: SmallRules) -> None:
    """A session that never was, that is over, or that was closed is told so."""
    unknown = Signer(SignerKind.SESSION, bytes(32), p256.SigningKey().sign)
    with refuses(Reason.UNKNOWN_SIGNER):
        asker(rules, unknown)
    gamma, closed = rules.open(Enclave("gamma")), rules.open(Enclave("gamma"))
    rules.outcomes(closed, *[Read("app", "x")] * 100)
    with refuses(Reason.SESSION_CLOSED):
        asker(rules, closed)
    rules.end_block(rules.parameters.session_ms - 1)
    assert asker(rules, gamma).may_ask("own")
    rules.end_block(1)
    with refuses(Reason.SESSION_EXPIRED):
        asker(rules, gamma)
    question = asked(rules, gamma, HEAD).query
    with refuses(Reason.SESSION_EXPIRED):
        Asker.of(question, context(rules), rules.state)


# ------------------------------------------------------------------------------- complete, in order

NAMES = ["a", "a-", "a.b", "a/", "a/b", "a/b/c", "ab", "b", "z" * 200]
NAMES = [name for name in NAMES if not name.endswith("/")]


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.sampled_from(NAMES)),
    st.sampled_from(["", "a", "a/", "ab", "q", "~", " "]),
    st.sampled_from(["", "a", "a/b", "zz", "~", "A"]),
    st.integers(1, 4),
)
def test_lists_against_a_model(known: set[str], prefix: str, after: str, limit: int) -> None:
    """Walking the pages gives every name that starts so and comes after, once and in order."""
    rules = SmallRules()
    alpha = rules.open(Enclave("alpha"))
    for name in sorted(known, reverse=True):
        rules.outcomes(alpha, put_of("app", name), put_of("app", name))
    one = asker(rules, alpha)
    found: list[str] = []
    at = after
    while True:
        page = list_secrets(one, ListSecrets("app", prefix, at, limit))
        assert len(page.rows) <= limit
        found.extend(row.name for row in page.rows)
        assert all(row.head.version.number == 2 for row in page.rows)
        if not page.more:
            break
        at = found[-1]
    assert found == sorted(name for name in known if name.startswith(prefix) and name > after)


def test_deleted_and_destroyed_names_are_listed(rules: SmallRules, owner: Signer) -> None:
    """A name that ended is still shown, as what it is."""
    put = put_of("own", "x", mode=MODE_PUBLIC)
    rules.outcomes(owner, put, Delete("own", "x"), replace(put, name="y"), Destroy("own", "y"))
    page = list_secrets(asker(rules, owner), ListSecrets("own", "", "", 10))
    assert [(row.name, row.head.current) for row in page.rows] == [("x", 0), ("y", 1)]
    assert [row.head.version.is_destroyed for row in page.rows] == [False, True]
    assert show_head(asker(rules, owner), "own", "x").deleted_through == 1
    with refuses(Reason.NOT_FOUND):
        show_head(asker(rules, owner), "own", "z")


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(["put", "read", "denied", "delete", "other", "miss"]), max_size=6),
        max_size=12,
    ),
    st.integers(1, 5),
    st.integers(0, 14),
)
def test_histories_against_a_model(blocks: list[list[str]], limit: int, start: int) -> None:
    """Walking a history gives every put, granted read, deletion and denial, once and in order."""
    rules = SmallRules()
    alpha, beta = rules.open(Enclave("alpha")), rules.open(Enclave("beta"))
    expected: list[tuple[int, int]] = []
    exists = False
    for steps in blocks:
        for kind in steps:
            index = rules.size
            operations: dict[str, Operation] = {
                "put": put_of("app", "x"),
                "read": Read("app", "x"),
                "denied": put_of("app", "x"),
                "delete": Delete("app", "x"),
                "other": put_of("app", "x/y"),
                "miss": Read("app", "x", 999),
            }
            (outcome,) = rules.outcomes(beta if kind == "denied" else alpha, operations[kind])
            is_done = outcome.reason in (Reason.OK, Reason.DENIED)
            if is_done and kind not in ("other", "miss"):
                expected.append((index, 0))
            exists = exists or kind == "put"
        rules.end_block(1)
    first = rules.size - start
    one = asker(rules, alpha)
    wanted = [place for place in expected if place[0] >= first]
    found: list[tuple[int, int]] = []
    at = max(first, 0)
    while True:
        places = show_history(one, ShowHistory("app", "x", at, limit))
        assert list(places) == sorted(set(places))
        found.extend(places[:limit])
        if len(places) <= limit:
            break
        at = found[-1][0] + 1  # one operation in each entry here
    assert found == wanted
    assert exists or not any(key.startswith(b"sH") and b"\0x\0" in key for key in rules.state.rows)


def test_a_long_history_in_one_entry(rules: SmallRules, owner: Signer) -> None:
    """Many operations of one entry on one name stand with their positions."""
    put = put_of("own", "x", mode=MODE_PUBLIC)
    index = rules.size
    rules.outcomes(owner, *[put] * 255, Destroy("own", "x"))
    one = asker(rules, owner)
    places = show_history(one, ShowHistory("own", "x", 0, 1000))
    assert list(places) == [(index, position) for position in range(256)]
    assert show_history(one, ShowHistory("own", "x", index + 1, 1000)) == ()
    assert len(show_history(one, ShowHistory("own", "x", 0, 10))) == 11
    assert show_history(one, ShowHistory("own", "nothing", 0, 10)) == ()


def test_histories_look_at_few_versions(rules: SmallRules, owner: Signer) -> None:
    """The first version of an answer is searched for, not walked to."""
    put = put_of("own", "x", mode=MODE_PUBLIC)
    for _ in range(40):
        rules.outcomes(owner, *[put] * 25)
    one = asker(rules, owner)
    asked_for: list[bytes] = []
    get = one.view.get

    def counting(key: bytes) -> bytes | None:
        asked_for.append(key)
        return get(key)

    one.view.get = counting  # type: ignore[method-assign]  # counts what is read
    last = rules.size - 1
    places = show_history(one, ShowHistory("own", "x", last, 10))
    assert list(places) == [(last, position) for position in range(11)]
    assert len(asked_for) < 40


def test_a_version_that_vanished_is_our_fault(rules: SmallRules, owner: Signer) -> None:
    """A gap in the versions is a StateError, never an incomplete answer."""
    rules.outcomes(owner, *[put_of("own", "x", mode=MODE_PUBLIC)] * 3)
    one = asker(rules, owner)
    rules.state.apply({keys.version_of("own", "x", 1): None})
    with pytest.raises(StateError, match="vanished"):
        show_history(one, ShowHistory("own", "x", 0, 10))
    assert one.may_ask("own")
    rules.state.apply({keys.collection("own"): None})
    with pytest.raises(StateError, match="vanished"):
        show_collection(one, "own")


@pytest.mark.parametrize("walked", [1, 2, 3, 100])
@pytest.mark.parametrize("limit", [1, 2, 100])
@pytest.mark.parametrize("judged", [1, 500, 10**6])
def test_pages_of_collections(
    owner: Signer,
    rules: SmallRules,
    monkeypatch: pytest.MonkeyPatch,
    walked: int,
    limit: int,
    judged: int,
) -> None:
    """Pages of collections lead through all of them, also where most are not for the asker."""
    monkeypatch.setattr(queries, "MAX_WALKED", walked)
    monkeypatch.setattr(contracts.asker, "MAX_JUDGED_BYTES", judged)
    other = account("other")
    for number in range(8):
        made = CreateCollection(f"c{number}", terms_of())
        rules.outcomes(owner if number % 3 == 0 else other, made)
    found: list[str] = []
    at, pages = "", 0
    while True:
        page = list_collections(asker(rules, owner), ListCollections(at, limit))
        assert len(page.rows) <= limit
        found.extend(name for name, _ in page.rows)
        pages += 1
        if not page.next_after:
            break
        assert page.next_after > at
        at = page.next_after
    assert found == ["c0", "c3", "c6", "own"]
    assert bisect.bisect(found, "own") == len(found)
    total = 9 + len(COLLECTIONS)
    assert pages <= total + 1
    nothing = list_collections(asker(rules, account("stranger")), ListCollections("", 1))
    assert (nothing.rows, nothing.next_after) == ((), "")


# ------------------------------------------------------------------------------------ the limits


def test_queries_write_nothing(rules: SmallRules, owner: Signer) -> None:
    """Asking leaves the state as it was."""
    rules.outcomes(owner, put_of("own", "x", mode=MODE_PUBLIC))
    before = dict(rules.state.rows)
    one = asker(rules, owner)
    for ask in QUESTIONS.values():
        ask(one, "own")
    list_collections(one, ListCollections("", 10))
    assert rules.state.rows == before


@pytest.mark.parametrize("kind", [SignerKind.NODE, SignerKind.NEW_SESSION])
def test_nodes_do_not_ask(rules: SmallRules, kind: SignerKind) -> None:
    """A query is of a session or an account by its format."""
    width = {SignerKind.NODE: 32, SignerKind.NEW_SESSION: 33}[kind]
    body = encode_query(
        Query(rules.network_id, kind, bytes(width), rules.time_ms, ShowCollection("app"))
    )
    with pytest.raises(Exception, match="only sessions and accounts ask"):
        decode_query(body)


def test_denials_of_questions_close_nothing() -> None:
    """Asking for what is forbidden is no entry and does not count."""
    rules = SmallRules(genesis_bytes(limits=Limits(denials=1)))
    beta = rules.open(Enclave("beta"))
    alpha = rules.open(Enclave("alpha"))
    for _ in range(5):
        with refuses(Reason.DENIED):
            list_secrets(asker(rules, alpha), ListSecrets("beta/own", "", "", 1))
    assert asker(rules, alpha).may_ask("app")
    assert asker(rules, beta).may_ask("beta/own")


def test_open_entries_is_a_question(rules: SmallRules, owner: Signer) -> None:
    """Questions about entries are signed like the others."""
    assert judged(rules, asked(rules, owner, OpenEntries(0, 10, "own", bytes(32)))).may_ask_any()
    assert judged(rules, asked(rules, owner, OpenEntries(0, 2, indices=(1, 5)))).may_ask_any()


def test_policies_of_strangers_do_not_make_an_answer_long(rules: SmallRules) -> None:
    """Attack: collections with policies that cost a millisecond each, made by strangers by the
    thousand, are not all judged for one answer; the pages still lead to the session's own.
    """
    session = rules.open(Enclave("alpha"))
    costly = tuple(
        Match(measurement=sha256(b"%d" % number).digest(), advisories=("A", "B", "C"))
        for number in range(60)
    )
    for number in range(200):
        own = Match(measurement=sha256(b"stranger %d" % number).digest())
        policy = encode_policy(AnyOf((*costly, own)))
        record = CollectionRecord(CollectionTerms(policy, policy), bytes(20))
        rules.state.apply({keys.collection(f"a{number}"): encode_collection(record)})
    found: list[str] = []
    at, pages = "", 0
    while pages == 0 or at:
        one = asker(rules, session)
        page = list_collections(one, ListCollections(at, 1000))
        assert one.judged_bytes < contracts.asker.MAX_JUDGED_BYTES + 20 * 1024
        found.extend(name for name, _ in page.rows)
        at, pages = page.next_after, pages + 1
    assert found == ["app"]
    assert pages > 2
