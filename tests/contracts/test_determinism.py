"""The same transactions give the same bytes, whatever is cached and however Python hashes."""

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from contracts.errors import RefusedError
from contracts.prepare import prepare
from ledger.format.genesis import Limits
from ledger.format.hygiene import RevokeSession, UpdateCollateral
from ledger.format.leaf import TransactionLeaf, decode_leaf
from ledger.format.operation import AcquireKey, Delete, Operation, Read
from ledger.format.outcome import Outcome
from ledger.format.platforms import PlatformVote, VotePlatform
from ledger.format.releases import (
    EndorseRelease,
    PublishRelease,
    ReleaseVersion,
    RevokeRelease,
    encode_release,
    release_digest,
)
from ledger.format.terms import CreateCollection, SetPolicy
from ledger.reason import Reason
from tests.support.rules_replay import recorded
from tests.support.rules_world import MACHINES, MEANINGS, VERSIONS_OF_FNS, release_of
from tests.support.small_hygiene import Edition, bring
from tests.support.small_rules import (
    MINUTE_MS,
    Enclave,
    Signer,
    SmallRules,
    Terms,
    account,
    core_signer,
    digests,
    genesis_bytes,
    new_session,
    put_of,
    replayed,
    trust_document,
)

REPOSITORY = Path(__file__).parents[2]


MEMBERS = ("olga", "mia", "max")


def any_operation(choose: random.Random, sessions: list[Signer]) -> Operation | bytes:
    """One of all kinds of operations, on few names."""
    place = choose.choice(("app", "app", "own", "beta/own", "nowhere"))
    name = choose.choice(("x", "y", "z/1", "z/2"))
    made: list[Callable[[], Operation | bytes]] = [
        lambda: put_of(place, name, sealed_digest=choose.randbytes(32)),
        lambda: put_of(place, name, if_version=choose.randrange(3)),
        lambda: Read(place, name),
        lambda: Read(place, name, choose.randrange(1, 4)),
        lambda: Delete(place, name),
        lambda: AcquireKey(place),
        lambda: b"\xff",
        lambda: CreateCollection("own", choose.choice(list(MEANINGS))),
        lambda: SetPolicy("own", choose.choice(list(MEANINGS))),
        lambda: RevokeSession(choose.choice(sessions).name, choose.choice(("own", "own", ""))),
        lambda: PublishRelease(release_of(choose.choice(VERSIONS_OF_FNS))),
        lambda: _endorsement(choose.choice(VERSIONS_OF_FNS)),
        lambda: RevokeRelease("fns", choose.choice(VERSIONS_OF_FNS)),
        lambda: VotePlatform(MACHINES[0], choose.choice(list(PlatformVote))),
        lambda: UpdateCollateral(choose.randbytes(32)),
    ]
    return choose.choice(made)()


def _endorsement(version: ReleaseVersion) -> EndorseRelease:
    return EndorseRelease("fns", version, release_digest(encode_release(release_of(version))))


def _opened(rules: SmallRules, choose: random.Random) -> list[Signer]:
    """Sessions of enclaves that may open one now."""
    sessions = []
    for name in ("alpha", "beta", "stranger", "alpha"):
        if choose.random() < 0.9:
            with suppress(RefusedError):
                sessions.append(rules.open(Enclave(name)))
    return sessions


@pytest.fixture(scope="module")
def history() -> SmallRules:
    """Some hundred transactions of all signers, refused and repeated ones among them."""
    choose = random.Random(9_162)
    names = tuple(sorted(account(name).name for name in MEMBERS))
    trust = trust_document(members=names, member_threshold=2)
    rules = SmallRules(genesis_bytes(limits=Limits(identity_sessions=3), trust=trust))
    core = core_signer()
    sessions = [rules.open(Enclave(name)) for name in ("alpha", "beta", "alpha")]
    signers: list[Signer] = [*sessions, core, *map(account, MEMBERS)]
    sent: list[bytes] = []
    for _ in range(400):
        if choose.random() < 0.05:
            says = choose.choice(("", f"edition {rules.size}"))
            bring(rules, core, Edition(number_up=choose.randrange(2), says=says))
            rules.end_block(0)
            sessions = _opened(rules, choose) or sessions
            signers[: len(signers) - 4] = sessions
        steps = [any_operation(choose, sessions) for _ in range(choose.randrange(1, 12))]
        terms = Terms(atomic=choose.random() < 0.3)
        sent.append(rules.envelope(choose.choice(signers), *steps, terms=terms))
        with suppress(RefusedError):
            rules.do(choose.choice(sent[-3:]))
        if choose.random() < 0.1:
            rules.end_block(choose.choice((0, 1_000, MINUTE_MS)))
            stranger = Enclave("stranger")
            with suppress(RefusedError):
                rules.do(rules.envelope(new_session(stranger), rules.opening(stranger)))
    seen = {
        (type(operation), outcome.reason)
        for envelope, results in _entries(rules)
        for operation, outcome in zip(envelope, results, strict=True)
    }
    assert len(rules.results) > 60
    of_releases = (PublishRelease, EndorseRelease, RevokeRelease)
    for kind in (UpdateCollateral, RevokeSession, VotePlatform, *of_releases):
        assert (kind, Reason.OK) in seen, kind
    assert Reason.SESSION_REVOKED in {reason for _, reason in seen}
    return rules


def _entries(rules: SmallRules) -> Iterator[tuple[tuple[object, ...], tuple[Outcome, ...]]]:
    """Operations and outcomes of all that ran."""
    results = iter(rules.results)
    wanted = next(results, None)
    for event in rules.events:
        if isinstance(event, int) or wanted is None:
            continue
        leaf = decode_leaf(wanted.leaf)
        prepared = prepare(event[0], rules.network_id)
        if isinstance(leaf, TransactionLeaf) and leaf.body == prepared.envelope.body:
            yield prepared.operations, wanted.outcomes
            wanted = next(results, None)


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
