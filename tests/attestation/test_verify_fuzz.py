"""Whatever bytes come, verification ends in a verdict or in one of its two errors."""

from hypothesis import given
from hypothesis import strategies as st

from attestation.collateral import decode_collateral, is_key
from attestation.collateral_verdict import decode_collateral_verdict, encode_collateral_verdict
from attestation.errors import CannotDecideError, EvidenceError
from attestation.verify import collateral_key, read_facts, verify, verify_collateral
from tests.support.attested import NOW_S, evidence_of, make_world
from tests.support.mutation import mutations

WORLD = make_world()
QUOTE = WORLD.quote()
EVIDENCE = evidence_of(QUOTE)
COLLATERAL = WORLD.collateral_bytes()
FACTS = read_facts(COLLATERAL)
VERDICT = verify(EVIDENCE, COLLATERAL, WORLD.rules, NOW_S)

quotes = mutations(QUOTE) | st.binary(min_size=1, max_size=2000)


@given(quotes)
def test_mutated_quotes_are_refused_or_the_same_quote(quote: bytes) -> None:
    """A changed quote is refused; only one that says the same thing may pass."""
    try:
        verdict = verify(evidence_of(quote or b"\0"), COLLATERAL, WORLD.rules, NOW_S)
    except (EvidenceError, CannotDecideError):
        return
    assert verdict == VERDICT


@given(mutations(EVIDENCE) | st.binary(max_size=500))
def test_mutated_evidence_is_refused_or_the_same(evidence: bytes) -> None:
    """Changed evidence is refused as the prover's fault or by what it no longer fits."""
    try:
        verdict = verify(evidence, COLLATERAL, WORLD.rules, NOW_S)
        collateral_key(evidence)
    except (EvidenceError, CannotDecideError):
        return
    assert verdict == VERDICT


@given(mutations(COLLATERAL) | st.binary(max_size=500))
def test_mutated_collateral_decides_nothing(collateral: bytes) -> None:
    """Changed collateral never changes a verdict, and is never the prover's fault."""
    try:
        verdict = verify(EVIDENCE, collateral, WORLD.rules, NOW_S)
    except CannotDecideError:
        return
    assert verdict == VERDICT
    assert decode_collateral(collateral) == decode_collateral(COLLATERAL)


@given(st.integers(-(2**70), 2**70))
def test_any_time_gives_a_verdict_or_no_decision(now_s: int) -> None:
    """No time makes verification fail in another way."""
    try:
        verdict = verify(EVIDENCE, COLLATERAL, WORLD.rules, now_s)
    except (EvidenceError, CannotDecideError):
        return
    assert verdict.verified_at_s == now_s


@given(mutations(COLLATERAL) | st.binary(max_size=500), st.integers(-(2**70), 2**70))
def test_mutated_collateral_by_itself(collateral: bytes, now_s: int) -> None:
    """Judged by itself, changed collateral gives a verdict on the same content or no decision."""
    try:
        verdict = verify_collateral(collateral, WORLD.rules, now_s)
    except CannotDecideError:
        return
    assert verdict.facts == FACTS
    assert decode_collateral_verdict(encode_collateral_verdict(verdict)) == verdict


@given(mutations(EVIDENCE) | quotes.filter(bool).map(evidence_of) | st.binary(max_size=500))
def test_the_key_of_any_evidence(evidence: bytes) -> None:
    """Asking which collateral evidence needs gives a key that collateral can have, or refuses."""
    try:
        assert is_key(collateral_key(evidence))
    except EvidenceError:
        return
