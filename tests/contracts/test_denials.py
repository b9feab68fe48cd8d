"""Denials close a session by rule, and nobody gets free storage (steps 5 and 6)."""

from hashlib import sha256

import pytest

from contracts.records import decode_signer
from ledger import keys
from ledger.format.genesis import Limits
from ledger.format.operation import AcquireKey, Delete, KeyServiceStart, Operation, Read
from ledger.format.transaction import SignerKind
from ledger.reason import Reason
from tests.support.refusals import refuses
from tests.support.small_rules import (
    SERVICE_KEY,
    Enclave,
    Signer,
    SmallRules,
    Terms,
    genesis_bytes,
    put_of,
)

DENIED = Read("beta/own", "x")  # for alpha
GOOD = put_of("app", "x")  # for alpha
UNKNOWN = Read("nowhere", "x")


def reasons(rules: SmallRules, signer: Signer, *operations: Operation | bytes) -> list[Reason]:
    """The reasons of a transaction that must stand."""
    return [one.reason for one in rules.outcomes(signer, *operations)]


def denials(rules: SmallRules, signer: Signer) -> tuple[int, bool]:
    """How often the signer was denied, and whether it is closed."""
    record = decode_signer(rules.state.get(keys.signer(SignerKind.SESSION, signer.name)))
    return record.denials, record.is_closed


def test_hundred_denials_close(rules: SmallRules, alpha: Signer) -> None:
    """After 100 denials, one by one, the session is closed; 99 leave it open."""
    for _ in range(99):
        assert reasons(rules, alpha, DENIED) == [Reason.DENIED]
    assert reasons(rules, alpha, GOOD) == [Reason.OK]
    assert denials(rules, alpha) == (99, False)
    assert reasons(rules, alpha, DENIED) == [Reason.DENIED]
    assert denials(rules, alpha) == (100, True)
    with refuses(Reason.SESSION_CLOSED):
        rules.do(rules.envelope(alpha, GOOD))


def test_closes_in_the_middle(rules: SmallRules, alpha: Signer) -> None:
    """The hundredth denial closes the session in the middle of a transaction: the rest is shut."""
    given = reasons(rules, alpha, GOOD, *[DENIED] * 150, GOOD)
    assert given == [Reason.OK] + [Reason.DENIED] * 100 + [Reason.SESSION_CLOSED] * 51
    touches = [key for key in rules.state.rows if key.startswith(keys.TOUCH)]
    assert len(touches) == 100, "what is shut leaves no mark"
    with refuses(Reason.SESSION_CLOSED):
        rules.do(rules.envelope(alpha, GOOD))


@pytest.mark.parametrize(
    "operation",
    [
        DENIED,
        put_of("beta/own", "x"),
        Delete("beta/own", "x"),
        AcquireKey("beta/own"),
    ],
)
def test_every_denial_counts(rules: SmallRules, alpha: Signer, operation: Operation) -> None:
    """Each denied operation counts, whatever it asked for."""
    assert reasons(rules, alpha, operation) == [Reason.DENIED]
    assert denials(rules, alpha) == (1, False)


def test_limit_of_genesis() -> None:
    """The number of denials is genesis' limit."""
    rules = SmallRules(genesis_bytes(limits=Limits(denials=1)))
    alpha = rules.open(Enclave("alpha"))
    assert reasons(rules, alpha, DENIED, GOOD) == [Reason.DENIED, Reason.SESSION_CLOSED]


def test_another_session_is_open(rules: SmallRules, alpha: Signer) -> None:
    """Closing ends one session: the same enclave may attest again."""
    reasons(rules, alpha, *[DENIED] * 100)
    again = rules.open(Enclave("alpha"))
    assert reasons(rules, again, GOOD) == [Reason.OK]


@pytest.mark.parametrize(
    "operation, reason",
    [
        (UNKNOWN, Reason.UNKNOWN_COLLECTION),
        (put_of("nowhere", "x"), Reason.UNKNOWN_COLLECTION),
        (Delete("nowhere", "x"), Reason.UNKNOWN_COLLECTION),
        (AcquireKey("nowhere"), Reason.UNKNOWN_COLLECTION),
        (b"\xff", Reason.MALFORMED),
        (b"", Reason.MALFORMED),
        (put_of("app", "x", mode=2), Reason.MALFORMED),
        (KeyServiceStart(sha256(b"").digest(), SERVICE_KEY), Reason.WRONG_SIGNER),
    ],
)
@pytest.mark.parametrize("count", [1, 100, 101, 256])
def test_reply_not_entry(
    rules: SmallRules, alpha: Signer, operation: Operation | bytes, reason: Reason, count: int
) -> None:
    """However many unknown collections or malformed operations come alone: a reply, no entry."""
    with refuses(reason):
        rules.do(rules.envelope(alpha, *[operation] * count))
    assert denials(rules, alpha) == (0, False)


def test_mixed_kinds_are_no_entry(rules: SmallRules, alpha: Signer) -> None:
    """A mixture of what cannot be judged is refused with the first reason."""
    with refuses(Reason.MALFORMED):
        rules.do(rules.envelope(alpha, b"\xff", UNKNOWN, UNKNOWN))


def test_beside_others_it_counts(rules: SmallRules, alpha: Signer) -> None:
    """Beside an operation that stands, what cannot be judged counts as denials afterwards."""
    given = reasons(rules, alpha, b"\xff", UNKNOWN, GOOD)
    assert given == [Reason.MALFORMED, Reason.UNKNOWN_COLLECTION, Reason.OK]
    assert denials(rules, alpha) == (2, False)
    given = reasons(rules, alpha, *[b"\xff"] * 200, GOOD)
    assert given == [Reason.MALFORMED] * 200 + [Reason.OK]
    assert denials(rules, alpha) == (202, True)
    with refuses(Reason.SESSION_CLOSED):
        rules.do(rules.envelope(alpha, GOOD))


def test_denial_tells_nothing(rules: SmallRules, alpha: Signer, beta: Signer) -> None:
    """Who is denied does not learn whether the name exists: outcome and detail are the same."""
    rules.outcomes(beta, put_of("beta/own", "there"))
    there, missing = rules.outcomes(alpha, Read("beta/own", "there"), Read("beta/own", "missing"))
    assert there == missing
    there, missing = rules.outcomes(
        alpha, put_of("beta/own", "there", if_version=9), Delete("beta/own", "missing", 9)
    )
    assert there == missing
    assert there.reason is Reason.DENIED


def test_denied_is_judged_first(rules: SmallRules, beta: Signer) -> None:
    """A put that is also too large, of another epoch and in conflict is denied first."""
    odd = put_of("app", "x", mode=9, size=2**31, epoch=7, if_version=3)
    assert reasons(rules, beta, odd) == [Reason.DENIED]


def test_atomic_denials_count(rules: SmallRules, alpha: Signer) -> None:
    """Denials in an atomic transaction that is undone count, and close the session."""
    data = rules.envelope(alpha, GOOD, *[DENIED] * 100, GOOD, terms=Terms(atomic=True))
    given = [one.reason for one in rules.executed(data).outcomes]
    assert given == [Reason.NOT_EXECUTED] + [Reason.DENIED] * 100 + [Reason.SESSION_CLOSED]
    with refuses(Reason.SESSION_CLOSED):
        rules.do(rules.envelope(alpha, GOOD))
