"""A sequence number runs one body once; time limits of transactions (steps 3 and 4)."""

import pytest

from contracts.execute import SEQUENCE_WINDOW, SESSION_VALID_MS, Repeated
from ledger.format.genesis import Limits
from ledger.format.operation import Read
from ledger.format.outcome import Outcome, PutDone
from ledger.reason import Reason
from tests.support.refusals import refuses
from tests.support.small_rules import (
    MINUTE_MS,
    Enclave,
    Signer,
    SmallRules,
    Terms,
    genesis_bytes,
    put_of,
)

PUT = put_of("app", "x")


def with_number(rules: SmallRules, signer: Signer, number: int) -> bytes:
    """A put under this number."""
    return rules.envelope(signer, PUT, terms=Terms(sequence=number))


def test_window_is_1024() -> None:
    """The window has 1,024 numbers (design section 4)."""
    assert SEQUENCE_WINDOW == 1024


def test_same_body_repeats(rules: SmallRules, alpha: Signer) -> None:
    """The same sequence and body give the first entry again, and no second version."""
    envelope = rules.envelope(alpha, PUT)
    index = rules.size
    rules.executed(envelope)
    assert rules.do(envelope) == Repeated(index)
    rules.end_block(MINUTE_MS)
    assert rules.do(envelope) == Repeated(index)
    assert rules.outcomes(alpha, PUT) == (Outcome(Reason.OK, PutDone(2)),)


def test_repeat_outlives_everything(rules: SmallRules) -> None:
    """A retry gets its first entry even when it is late, expired or far below the window."""
    limits = Limits(session_ms=2 * MINUTE_MS)
    rules = SmallRules(genesis_bytes(limits=limits))
    signer = rules.open(Enclave("alpha"))
    envelope = rules.envelope(signer, PUT)
    index = rules.size
    rules.executed(envelope)
    rules.executed(with_number(rules, signer, 100_000))
    rules.end_block(10 * MINUTE_MS)
    assert rules.do(envelope) == Repeated(index)
    with refuses(Reason.SESSION_EXPIRED):
        rules.do(with_number(rules, signer, 100_001))


def test_repeat_of_closed_session(rules: SmallRules, beta: Signer) -> None:
    """A retry by a session that was closed meanwhile gets its first entry."""
    envelope = rules.envelope(beta, *[PUT] * 120)
    index = rules.size
    rules.executed(envelope)
    assert rules.do(envelope) == Repeated(index)
    with refuses(Reason.SESSION_CLOSED):
        rules.do(rules.envelope(beta, Read("app", "x")))


def test_other_body(rules: SmallRules, alpha: Signer) -> None:
    """Another body under a number that ran is refused, and the number stays what it was."""
    first = with_number(rules, alpha, 5)
    index = rules.size
    rules.executed(first)
    with refuses(Reason.SEQUENCE_REUSED):
        rules.do(with_number(rules, alpha, 5))
    assert rules.do(first) == Repeated(index)


def test_any_order_in_window(rules: SmallRules, alpha: Signer) -> None:
    """Numbers run once each in any order while they are in the window."""
    for number in (2_000, 1_500, 977, 1_999, 0 + 978):
        rules.executed(with_number(rules, alpha, number))


def test_below_window(rules: SmallRules, alpha: Signer) -> None:
    """Below the window a number that never ran never will, also later."""
    rules.executed(with_number(rules, alpha, 2_000))
    late = with_number(rules, alpha, 2_000 - SEQUENCE_WINDOW)
    for _ in range(2):
        with refuses(Reason.SEQUENCE_PASSED):
            rules.do(late)
        rules.end_block(1_000)
    rules.executed(with_number(rules, alpha, 2_000 - SEQUENCE_WINDOW + 1))
    with refuses(Reason.SEQUENCE_PASSED):
        rules.do(late)


def test_lower_number_keeps_window(rules: SmallRules, alpha: Signer) -> None:
    """A lower number in the window does not move the window back."""
    rules.executed(with_number(rules, alpha, 5_000))
    rules.executed(with_number(rules, alpha, 4_500))
    with refuses(Reason.SEQUENCE_PASSED):
        rules.do(with_number(rules, alpha, 5_000 - SEQUENCE_WINDOW))


def test_largest_number(rules: SmallRules, alpha: Signer) -> None:
    """The largest number runs, and leaves only the window below it."""
    largest = 2**64 - 1
    rules.executed(with_number(rules, alpha, largest))
    rules.executed(with_number(rules, alpha, largest - SEQUENCE_WINDOW + 1))
    with refuses(Reason.SEQUENCE_PASSED):
        rules.do(with_number(rules, alpha, 0))


def test_signers_have_own_numbers(rules: SmallRules, alpha: Signer, beta: Signer) -> None:
    """Numbers belong to one signer: two sessions may use the same ones."""
    rules.executed(with_number(rules, alpha, 7))
    rules.executed(rules.envelope(beta, Read("app", "x"), terms=Terms(sequence=7)))


def test_refusal_keeps_number(rules: SmallRules, alpha: Signer) -> None:
    """A refused transaction has not used its number."""
    with refuses(Reason.UNKNOWN_COLLECTION):
        rules.do(rules.envelope(alpha, Read("nowhere", "x"), terms=Terms(sequence=0)))
    rules.executed(with_number(rules, alpha, 0))


@pytest.mark.parametrize("late_ms", [0, 1])
def test_withheld(rules: SmallRules, alpha: Signer, late_ms: int) -> None:
    """At valid_until and after it a transaction does not run any more."""
    until = rules.time_ms + MINUTE_MS
    envelope = rules.envelope(alpha, PUT, terms=Terms(valid_until_ms=until))
    rules.end_block(MINUTE_MS + late_ms)
    with refuses(Reason.TRANSACTION_EXPIRED):
        rules.do(envelope)


def test_just_in_time(rules: SmallRules, alpha: Signer) -> None:
    """One millisecond before valid_until it runs."""
    until = rules.time_ms + MINUTE_MS
    envelope = rules.envelope(alpha, PUT, terms=Terms(valid_until_ms=until))
    rules.end_block(MINUTE_MS - 1)
    rules.executed(envelope)


def test_valid_too_long(rules: SmallRules, alpha: Signer) -> None:
    """A session's transaction is valid for at most ten minutes and the skew."""
    most = rules.time_ms + SESSION_VALID_MS + rules.parameters.skew_ms
    assert SESSION_VALID_MS == 10 * MINUTE_MS
    with refuses(Reason.VALID_TOO_LONG):
        rules.do(rules.envelope(alpha, PUT, terms=Terms(valid_until_ms=most + 1)))
    with refuses(Reason.VALID_TOO_LONG):
        rules.do(rules.envelope(alpha, PUT, terms=Terms(valid_until_ms=2**64 - 1)))
    rules.executed(rules.envelope(alpha, PUT, terms=Terms(valid_until_ms=most)))


def test_session_ends(rules: SmallRules, alpha: Signer) -> None:
    """A session acts until the millisecond before its expiry, and not at it."""
    expires_ms = rules.time_ms + rules.parameters.session_ms
    rules.end_block(rules.parameters.session_ms - 1)
    rules.executed(rules.envelope(alpha, PUT))
    rules.end_block(1)
    assert rules.time_ms == expires_ms
    with refuses(Reason.SESSION_EXPIRED):
        rules.do(rules.envelope(alpha, PUT))
