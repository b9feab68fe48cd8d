"""All or nothing (step 7)."""

from ledger import keys
from ledger.format.operation import AcquireKey, Delete, Operation, Read
from ledger.format.outcome import Conflict, Outcome, PutDone
from ledger.format.transaction import SignerKind
from ledger.reason import Reason
from tests.support.refusals import refuses
from tests.support.small_rules import Signer, SmallRules, Terms, put_of

ATOMIC = Terms(atomic=True)
NOT_EXECUTED = Outcome(Reason.NOT_EXECUTED)


def atomic(
    rules: SmallRules, signer: Signer, *operations: Operation | bytes
) -> tuple[Outcome, ...]:
    """The outcomes of an atomic transaction that must stand."""
    return rules.executed(rules.envelope(signer, *operations, terms=ATOMIC)).outcomes


def test_all(rules: SmallRules, alpha: Signer) -> None:
    """When every operation is good, all take effect in order, each seeing those before it."""
    outcomes = atomic(
        rules,
        alpha,
        put_of("app", "x", if_version=0),
        put_of("app", "x", if_version=1),
        Read("app", "x"),
        Delete("app", "x", 2),
        put_of("app", "y"),
    )
    assert [one.reason for one in outcomes] == [Reason.OK] * 5
    assert rules.outcomes(alpha, Read("app", "x"))[0].reason is Reason.NOT_FOUND
    assert rules.outcomes(alpha, Read("app", "y"))[0].reason is Reason.OK


def test_nothing(rules: SmallRules, alpha: Signer) -> None:
    """One failure undoes every other operation; the failed one keeps its own outcome."""
    rules.outcomes(alpha, put_of("app", "old"))
    before = dict(rules.state.rows)
    outcomes = atomic(
        rules,
        alpha,
        put_of("app", "new"),
        Delete("app", "old"),
        Read("app", "old", 1),
        put_of("app", "new", if_version=7),
        AcquireKey("app"),
    )
    conflict = Outcome(Reason.VERSION_CONFLICT, Conflict(1))
    missing = Outcome(Reason.NOT_FOUND)
    assert outcomes == (NOT_EXECUTED, NOT_EXECUTED, missing, conflict, NOT_EXECUTED)
    changed = {key for key in rules.state.rows if rules.state.rows[key] != before.get(key)}
    signer = keys.signer(SignerKind.SESSION, alpha.name)
    assert changed == {signer, keys.sequence(SignerKind.SESSION, alpha.name, alpha.sequence - 1)}


def test_undone_reads_are_not_granted(rules: SmallRules, alpha: Signer) -> None:
    """A read that an atomic transaction undid carries nothing that a release could use."""
    rules.outcomes(alpha, put_of("app", "x"))
    read, _ = atomic(rules, alpha, Read("app", "x"), Read("app", "missing"))
    assert read == NOT_EXECUTED
    assert not [key for key in rules.state.rows if key.startswith(keys.TOUCH)]


def test_marks_of_denied_stay(rules: SmallRules, alpha: Signer, beta: Signer) -> None:
    """The marks of denied operations stay when the rest is undone, and only they."""
    rules.outcomes(alpha, put_of("app", "x"))
    index = rules.size
    outcomes = atomic(
        rules, beta, Read("app", "x"), put_of("app", "x"), Delete("app", "y"), Read("app", "x")
    )
    denied = Outcome(Reason.DENIED)
    assert outcomes == (NOT_EXECUTED, denied, denied, NOT_EXECUTED)
    touches = [key for key in rules.state.rows if key.startswith(keys.TOUCH)]
    assert touches == [keys.touch("app", "x", index, 1), keys.touch("app", "y", index, 2)]


def test_malformed_undoes(rules: SmallRules, alpha: Signer) -> None:
    """An operation that does not decode undoes an atomic transaction too."""
    assert atomic(rules, alpha, put_of("app", "x"), b"\xff") == (
        NOT_EXECUTED,
        Outcome(Reason.MALFORMED),
    )


def test_nothing_judged(rules: SmallRules, alpha: Signer) -> None:
    """An atomic transaction of nothing that can be judged is a reply, not an entry."""
    with refuses(Reason.MALFORMED):
        rules.do(rules.envelope(alpha, b"\xff", Read("nowhere", "x"), terms=ATOMIC))


def test_not_atomic(rules: SmallRules, alpha: Signer) -> None:
    """Without atomic each operation stands for itself."""
    outcomes = rules.outcomes(alpha, put_of("app", "x"), b"\xff", put_of("app", "x", if_version=1))
    assert outcomes == (
        Outcome(Reason.OK, PutDone(1)),
        Outcome(Reason.MALFORMED),
        Outcome(Reason.OK, PutDone(2)),
    )
