"""The same transactions give the same bytes, whatever is cached and however Python hashes."""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from contracts.errors import RefusedError
from ledger.format.operation import AcquireKey, Delete, Operation, Read
from tests.support.rules_replay import recorded
from tests.support.small_rules import (
    MINUTE_MS,
    Enclave,
    Signer,
    SmallRules,
    Terms,
    core_signer,
    digests,
    new_session,
    put_of,
    replayed,
)

REPOSITORY = Path(__file__).parents[2]


def any_operation(choose: random.Random) -> Operation | bytes:
    """One of all kinds of operations, on few names."""
    place = choose.choice(("app", "app", "app", "beta/own", "nowhere"))
    name = choose.choice(("x", "y", "z/1", "z/2"))
    made: list[Callable[[], Operation | bytes]] = [
        lambda: put_of(place, name, sealed_digest=choose.randbytes(32)),
        lambda: put_of(place, name, if_version=choose.randrange(3)),
        lambda: Read(place, name),
        lambda: Read(place, name, choose.randrange(1, 4)),
        lambda: Delete(place, name),
        lambda: AcquireKey(place),
        lambda: b"\xff",
    ]
    return choose.choice(made)()


@pytest.fixture(scope="module")
def history() -> SmallRules:
    """Some hundred transactions of several sessions, refused and repeated ones among them."""
    choose = random.Random(9_162)
    rules = SmallRules()
    signers: list[Signer] = [rules.open(Enclave(name)) for name in ("alpha", "beta", "alpha")]
    signers.append(core_signer())
    sent: list[bytes] = []
    for _ in range(300):
        steps = [any_operation(choose) for _ in range(choose.randrange(1, 12))]
        terms = Terms(atomic=choose.random() < 0.3)
        sent.append(rules.envelope(choose.choice(signers), *steps, terms=terms))
        with suppress(RefusedError):
            rules.do(choose.choice(sent[-3:]))
        if choose.random() < 0.1:
            rules.end_block(choose.choice((0, 1_000, MINUTE_MS)))
            stranger = Enclave("stranger")
            with suppress(RefusedError):
                rules.do(rules.envelope(new_session(stranger), rules.opening(stranger)))
    assert len(rules.results) > 60
    return rules


def clear_caches() -> int:
    """Empty every function cache of the packages that the rules are made of."""
    cleared = 0
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("contracts", "ledger", "attestation"):
            for one in vars(module).values():
                clear = getattr(one, "cache_clear", None)
                if clear is not None:
                    clear()
                    cleared += 1
    return cleared


def test_twice(history: SmallRules) -> None:
    """Run again over a fresh state, leaves, outcomes, writes and their order are the same bytes."""
    again = replayed(history.genesis, history.events)
    assert digests(again) == digests(history)
    assert list(again.state.rows.items()) == list(history.state.rows.items())


def test_without_caches(history: SmallRules) -> None:
    """With every cache emptied before each transaction, the bytes are the same."""

    class Forgetful(SmallRules):
        def do(self, envelope: bytes, verdict: bytes | None = None) -> object:  # type: ignore[override]  # replayed ignores what it gives
            assert clear_caches() >= 5
            return super().do(envelope, verdict)

    again = replayed(history.genesis, history.events, Forgetful)
    assert digests(again) == digests(history)


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_other_process(history: SmallRules, seed: str) -> None:
    """In another process that hashes strings otherwise, the bytes are the same."""
    done = subprocess.run(
        (sys.executable, "-m", "tests.support.rules_replay"),
        input=recorded(history),
        capture_output=True,
        check=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONHASHSEED": seed},
        text=True,
        timeout=120,
    )
    assert done.stdout.split("\n") == digests(history)


def test_digests_see_a_change(history: SmallRules) -> None:
    """One millisecond more at each block end gives other digests: the comparisons can fail."""
    later = [one + 1 if isinstance(one, int) else one for one in history.events]
    assert digests(replayed(history.genesis, later)) != digests(history)
