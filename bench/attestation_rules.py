"""What judging costs at each use of a session: microseconds of the rules, over state in a dict.

A policy is judged for each collection that a transaction touches, collateral once for each
transaction. A remembered answer is what nearly every use gets; anew is the first use of a policy.
"""

import statistics
import time
from collections.abc import Callable

from attestation.conditions import ReleaseMatch
from attestation.facts import decode_facts
from attestation.identity import encode_identity
from attestation.policy import AnyOf, Match, encode_policy
from attestation.releases import EndorsedRelease, encode_releases
from contracts.admission import admitted_until
from contracts.facts import facts_for
from contracts.records import SessionRecord, SignerRecord, decode_session, decode_signer
from contracts.standing import verify_usable
from ledger import keys
from tests.support.small_rules import Enclave, SmallRules, genesis_bytes, identity_of

CALLS = 2000
_MATCHES = 8
_PLATFORM = bytes(range(16))
_AUDITORS = tuple(bytes([number]) * 20 for number in range(1, 17))
# words, names of releases, releases of each with one measurement, endorsers of each; the last is
# the most that rules and policies allow: 56 KB
_RELEASES = (("one release", 1, 1, 3), ("16 releases", 1, 16, 16), ("128 releases", 8, 16, 16))


def judging_us(rounds: int) -> dict[str, float]:
    """Each row's median."""
    rules = SmallRules(genesis_bytes(platforms=(_PLATFORM,)))
    identity = identity_of("alpha", platform_id=_PLATFORM)
    encoded = encode_identity(identity)
    enrolled = encode_policy(Match(measurement=identity.measurement, enrolled=True))
    named = Match(measurement=identity.measurement)
    others = tuple(Match(measurement=bytes([one]) * 32) for one in range(1, _MATCHES))
    plain = encode_policy(AnyOf((*others, named)))
    rows: dict[str, Callable[[], object]] = {
        "policy of 8 matches, remembered": lambda: _judge(rules, plain, encoded),
        "policy of 8 matches, anew": lambda: _judge_anew(rules, plain, encoded),
        "by an enrolled platform, remembered": lambda: _judge(rules, enrolled, encoded),
        "by an enrolled platform, anew": lambda: _judge_anew(rules, enrolled, encoded),
    }
    for words, names, count, endorsers in _RELEASES:
        wanted = []
        for number in range(names):
            name = f"fns{count}-{number}"
            row = keys.releases_of(1, identity.measurement, name)
            rules.state.rows[row] = encode_releases(_releases(name, count, endorsers))
            wanted.append(Match(release=_wanted(name)))
        policy = encode_policy(AnyOf(tuple(wanted)))
        rows |= {
            f"by {words}, remembered": _judging(rules, policy, encoded, _judge),
            f"by {words}, anew": _judging(rules, policy, encoded, _judge_anew),
        }
    costs = {name: _cost_us(call, rounds) for name, call in rows.items()}
    return costs | {"collateral and session, each transaction": _standing_us(rules, rounds)}


def _judge(rules: SmallRules, policy: bytes, identity: bytes) -> bool:
    """As contracts.place does for each collection."""
    facts = facts_for(rules.state, policy, identity)
    return rules.time_ms < admitted_until(policy, identity, facts, True) * 1000


def _judge_anew(rules: SmallRules, policy: bytes, identity: bytes) -> bool:
    decode_facts.cache_clear()
    facts = facts_for(rules.state, policy, identity)
    return rules.time_ms < admitted_until.__wrapped__(policy, identity, facts, True) * 1000


def _judging(
    rules: SmallRules,
    policy: bytes,
    identity: bytes,
    judge: Callable[[SmallRules, bytes, bytes], bool],
) -> Callable[[], bool]:
    if not judge(rules, policy, identity):
        raise RuntimeError("the bench's own policy does not admit")
    return lambda: judge(rules, policy, identity)


def _wanted(name: str) -> ReleaseMatch:
    return ReleaseMatch(name=name, minimum=(1, 0, 0), auditors=_AUDITORS[:3], threshold=2)


def _releases(name: str, count: int, endorsers: int) -> tuple[EndorsedRelease, ...]:
    return tuple(
        EndorsedRelease(name, (1, number, 0), _AUDITORS[:endorsers]) for number in range(count)
    )


def _standing_us(rules: SmallRules, rounds: int) -> float:
    session, signer = _opened(rules)
    parameters, now_ms = rules.parameters, rules.time_ms
    return _cost_us(lambda: verify_usable(session, signer, rules.state, parameters, now_ms), rounds)


def _opened(rules: SmallRules) -> tuple[SessionRecord, SignerRecord]:
    signer = rules.open(Enclave("alpha"))
    data = rules.state.get(keys.session(signer.name))
    if data is None:
        raise RuntimeError("the bench's own session is not there")
    return decode_session(data), decode_signer(None)


def _cost_us(call: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(CALLS):
            call()
        taken.append((time.process_time() - started) / CALLS * 1e6)
    return statistics.median(taken)
