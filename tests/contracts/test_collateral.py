"""The rules of collateral: what may replace what is in force, by whom, and what that changes."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation.collateral import CollateralFacts
from attestation.collateral_verdict import CollateralVerdict, encode_collateral_verdict
from attestation.verify import read_facts
from contracts.collateral import (
    CollateralRecord,
    collateral_of,
    decode_collateral_record,
    encode_collateral_record,
)
from contracts.errors import StateError
from contracts.execute import Executed
from contracts.genesis import genesis_state
from ledger.crypto.ed25519 import SigningKey
from ledger.crypto.secret import Secret
from ledger.errors import FormatError
from ledger.format.genesis import decode_genesis
from ledger.format.hygiene import UpdateCollateral
from ledger.format.operation import KeyServiceStart
from ledger.format.outcome import CollateralUpdated, Outcome
from ledger.format.transaction import SignerKind
from ledger.reason import Reason
from tests.support.refusals import refuses
from tests.support.small_hygiene import Edition, bring, facts_of
from tests.support.small_rules import (
    COLLATERAL_KEY,
    SERVICE_KEY,
    Enclave,
    Signer,
    SmallRules,
    account,
    core_signer,
    genesis_bytes,
    genesis_collateral,
    new_session,
    trust_document,
)

DIGEST = sha256(b"the bytes of new collateral").digest()
OTHER_KEY = "snp/Genoa"
GRACE_S = 3600


@pytest.fixture
def core() -> Signer:
    """The node that brings collateral."""
    return core_signer()


def verdict_of(rules: SmallRules, facts: CollateralFacts, **changes: Any) -> bytes:
    """The verdict of now on collateral that says this."""
    usual = CollateralVerdict(facts=facts, digest=DIGEST, verified_at_s=rules.time_ms // 1000)
    return encode_collateral_verdict(replace(usual, **changes))


def update(rules: SmallRules, signer: Signer, verdict: bytes | None) -> Executed:
    """An UpdateCollateral with this verdict, which must stand."""
    return rules.executed(rules.envelope(signer, UpdateCollateral(DIGEST)), verdict)


def test_newer_collateral_comes_into_force(rules: SmallRules, core: Signer) -> None:
    """The record is what the verdict says and names the entry with the bytes; the outcome is it."""
    facts = facts_of(rules, Edition(later_s=60, number_up=1))
    verdict = verdict_of(rules, facts)
    index = rules.size
    done = update(rules, core, verdict)
    assert done.outcomes == (Outcome(Reason.OK, CollateralUpdated(verdict)),)
    record = rules.collateral
    assert (record.index, record.digest) == (index, DIGEST)
    assert record.facts(COLLATERAL_KEY) == facts


@pytest.mark.parametrize(
    "edition, grows",
    [
        (Edition(), False),
        (Edition(later_s=100), False),
        (Edition(number_up=1), True),
        (Edition(list_up=1), False),
        (Edition(says="another level"), True),
        (Edition(number_up=1, list_up=1, says="all"), True),
    ],
)
def test_the_generation_grows_with_what_is_said(
    rules: SmallRules, core: Signer, edition: Edition, grows: bool
) -> None:
    """Newer dates or a list's number alone leave it; anything else said raises it."""
    before = rules.collateral.generation
    bring(rules, core, edition)
    assert rules.collateral.generation == before + grows


def test_the_first_of_its_kind_is_taken(rules: SmallRules, core: Signer) -> None:
    """Collateral for a platform that the ledger knew nothing of is generation 1; others stay."""
    before = rules.collateral
    now_s = rules.time_ms // 1000
    facts = CollateralFacts(
        key=OTHER_KEY,
        order=((3, now_s),),
        lowest_number=0,
        highest_number=0,
        valid_from_s=now_s,
        valid_until_s=now_s + 10,
        substance=bytes(32),
    )
    update(rules, core, verdict_of(rules, facts))
    record = collateral_of(rules.state, OTHER_KEY)
    assert record is not None
    assert record.generation == 1
    assert rules.collateral == before


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("lower", ["number", "date"])
def test_no_part_goes_back(rules: SmallRules, core: Signer, part: int, lower: str) -> None:
    """A lower number of any part, whatever its date, and an earlier date are refused."""
    bring(rules, core, Edition(later_s=100, number_up=5, list_up=5))
    facts = facts_of(rules, Edition(later_s=1000))
    held = rules.collateral.order[part]
    pair = (held[0] - 1, held[1] + 10_000) if lower == "number" else (held[0], held[1] - 1)
    order = (*facts.order[:part], pair, *facts.order[part + 1 :])
    before = rules.collateral
    with refuses(Reason.COLLATERAL_NOT_NEWER):
        update(rules, core, verdict_of(rules, replace(facts, order=order)))
    assert rules.collateral == before


def test_the_same_again_is_not_newer(rules: SmallRules, core: Signer) -> None:
    """What is in force does not replace itself, and what was replaced does not come back."""
    first = facts_of(rules, Edition())
    update(rules, core, verdict_of(rules, first))
    with refuses(Reason.COLLATERAL_NOT_NEWER):
        update(rules, core, verdict_of(rules, first))
    bring(rules, core, Edition())
    with refuses(Reason.COLLATERAL_NOT_NEWER):
        update(rules, core, verdict_of(rules, first))


def test_another_number_of_parts_is_not_newer(rules: SmallRules, core: Signer) -> None:
    """Editions that cannot be compared part by part do not replace one another."""
    facts = facts_of(rules, Edition(later_s=50))
    with refuses(Reason.COLLATERAL_NOT_NEWER):
        update(rules, core, verdict_of(rules, replace(facts, order=facts.order[:3])))


@pytest.mark.parametrize(
    "floor, ceiling, ok",
    [(0, 0, True), (18, 0, True), (19, 0, False), (0, 18, True), (0, 17, False), (18, 18, True)],
)
def test_numbers_stay_inside_the_trust_documents(
    floor: int, ceiling: int, ok: bool, core: Signer
) -> None:
    """Below the floor or above the ceiling nothing comes into force, however new."""
    trust = trust_document(tcb_floor=floor, tcb_ceiling=ceiling)
    rules = SmallRules(genesis_bytes(trust=trust))
    up = 18 - rules.collateral.lowest_number
    verdict = verdict_of(rules, facts_of(rules, Edition(number_up=up)))
    if ok:
        update(rules, core, verdict)
        return
    with refuses(Reason.COLLATERAL_REFUSED):
        update(rules, core, verdict)


def test_two_numbers_are_both_judged(core: Signer) -> None:
    """The lower one against the floor, the higher one against the ceiling."""
    rules = SmallRules(genesis_bytes(trust=trust_document(tcb_floor=10, tcb_ceiling=20)))
    facts = facts_of(rules, Edition())
    for lowest, highest in ((9, 15), (15, 21)):
        both = replace(facts, lowest_number=lowest, highest_number=highest)
        with refuses(Reason.COLLATERAL_REFUSED):
            update(rules, core, verdict_of(rules, both))


@pytest.mark.parametrize("beyond_s, ok", [(0, True), (1, False)])
def test_it_is_good_through_its_end_and_grace(beyond_s: int, ok: bool, core: Signer) -> None:
    """The last second of the grace is the last in which collateral can come into force."""
    rules = SmallRules(genesis_bytes(trust=trust_document(grace_s=GRACE_S)))
    until_s = rules.time_ms // 1000 - GRACE_S - beyond_s
    facts = facts_of(rules, Edition(valid_until_s=until_s))
    if ok:
        update(rules, core, verdict_of(rules, facts))
        return
    with refuses(Reason.COLLATERAL_REFUSED):
        update(rules, core, verdict_of(rules, facts))


@pytest.mark.parametrize("beyond_s, ok", [(0, True), (1, False)])
def test_it_is_not_from_the_future(
    rules: SmallRules, beyond_s: int, ok: bool, core: Signer
) -> None:
    """Its first second may be ahead of the block by the clocks' error, not more."""
    start_s = rules.time_ms // 1000 + rules.parameters.skew_ms // 1000 + beyond_s
    facts = replace(facts_of(rules, Edition()), valid_from_s=start_s)
    if ok:
        update(rules, core, verdict_of(rules, facts))
        return
    with refuses(Reason.COLLATERAL_REFUSED):
        update(rules, core, verdict_of(rules, facts))


def test_the_verdict_is_of_now(rules: SmallRules, core: Signer) -> None:
    """A verdict older than a checkpoint may be, or from the future, puts nothing in force."""
    facts = facts_of(rules, Edition())
    parameters = rules.parameters
    oldest_s = (parameters.checkpoint_age_ms + parameters.skew_ms) // 1000 + 1
    now_s = rules.time_ms // 1000
    for at_s in (now_s - oldest_s - 1, now_s + parameters.skew_ms // 1000 + 1):
        with refuses(Reason.COLLATERAL_REFUSED):
            update(rules, core, verdict_of(rules, facts, verified_at_s=at_s))
    update(rules, core, verdict_of(rules, facts, verified_at_s=now_s - oldest_s))


def test_the_verdict_is_on_these_bytes(rules: SmallRules, core: Signer) -> None:
    """Without a verdict, or with one on other bytes, nothing comes into force."""
    facts = facts_of(rules, Edition())
    with refuses(Reason.COLLATERAL_REFUSED):
        update(rules, core, None)
    with refuses(Reason.COLLATERAL_REFUSED):
        update(rules, core, verdict_of(rules, facts, digest=bytes(32)))
    with pytest.raises(StateError):
        update(rules, core, b"no verdict at all")


def test_only_a_node_updates(rules: SmallRules, alpha: Signer, core: Signer) -> None:
    """A session, an account, a session to be and a key that the trust document does not name."""
    verdict = verdict_of(rules, facts_of(rules, Edition()))
    stranger = SigningKey(Secret(bytes(32)))
    signers = {
        Reason.WRONG_SIGNER: (alpha, account("owner"), new_session(Enclave("alpha"))),
        Reason.UNKNOWN_SIGNER: (Signer(SignerKind.NODE, stranger.public, stranger.sign),),
        Reason.BAD_SIGNATURE: (replace(core, sign=stranger.sign),),
    }
    before = rules.collateral
    for reason, group in signers.items():
        for signer in group:
            with refuses(reason):
                update(rules, signer, verdict)
    assert rules.collateral == before


def test_it_stands_alone(rules: SmallRules, core: Signer) -> None:
    """A block carries one verdict for a transaction: two operations would share it."""
    verdict = verdict_of(rules, facts_of(rules, Edition()))
    start = KeyServiceStart(bytes(32), SERVICE_KEY)
    one = UpdateCollateral(DIGEST)
    for operations in ((one, one), (start, one), (one, start)):
        with refuses(Reason.MALFORMED):
            rules.do(rules.envelope(core, *operations), verdict)


def test_genesis_collateral_is_in_force_from_the_start(rules: SmallRules) -> None:
    """As entry 0, of generation 1, with what its bytes say."""
    record = rules.collateral
    assert (record.index, record.generation) == (0, 1)
    assert record.digest == sha256(genesis_collateral()).digest()
    assert record.facts(COLLATERAL_KEY) == read_facts(genesis_collateral())


def test_genesis_holds_one_for_each_key() -> None:
    """Two for one key, or facts that are not those of its collateral, found nothing."""
    genesis = decode_genesis(genesis_bytes())
    facts = read_facts(genesis_collateral())
    twice = replace(genesis, collateral=genesis.collateral * 2)
    with pytest.raises(FormatError, match="twice"):
        genesis_state(twice, (facts, facts))
    for wrong in ((), (facts, facts)):
        with pytest.raises(FormatError, match="facts"):
            genesis_state(genesis, wrong)


records = st.builds(
    CollateralRecord,
    digest=st.binary(min_size=32, max_size=32),
    index=st.integers(0, 2**64 - 1),
    generation=st.integers(1, 2**64 - 1),
    valid_from_s=st.integers(0, 2**63 - 1),
    valid_until_s=st.integers(0, 2**63 - 1),
    order=st.lists(
        st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)), min_size=1, max_size=8
    ).map(tuple),
    lowest_number=st.integers(0, 2**32 - 1),
    highest_number=st.integers(0, 2**32 - 1),
    substance=st.binary(min_size=32, max_size=32),
)


@given(record=records)
def test_records_round_trip(record: CollateralRecord) -> None:
    """What is encoded is decoded; cut or longer it is none of ours."""
    data = encode_collateral_record(record)
    assert decode_collateral_record(data) == record
    for wrong in (data[:-1], data + b"\0", data[:50], b"", b"\2" + data[1:]):
        with pytest.raises(StateError):
            decode_collateral_record(wrong)
