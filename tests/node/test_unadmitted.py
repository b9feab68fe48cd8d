"""What an enclave is told that no policy admits: what its own code is asked for, no more."""

from dataclasses import replace

import pytest

from attestation.fields import TdxFields
from attestation.identity import Identity
from attestation.policy import AllOf, AnyOf, Match, Policy, ReleaseMatch, TdxMatch, encode_policy
from attestation.verdict import Verdict, encode_verdict
from ledger.format.releases import PublishRelease
from ledger.format.terms import CollectionTerms, CreateCollection
from node import unadmitted
from node.unadmitted import MAX_FINDINGS, MAX_MATCHES, MAX_POLICIES, why_not_admitted
from tests.support.small_releases import release_of
from tests.support.small_rules import (
    START_MS,
    Enclave,
    SmallRules,
    account,
    identity_of,
)

INTEL = b"\x11" * 16
GUEST = identity_of("guest", platform_id=INTEL, signer=b"s" * 32, product_id=7, svn=2)
CODE = Match(measurement=GUEST.measurement)


@pytest.fixture
def rules() -> SmallRules:
    """A network whose collections speak of other enclaves."""
    return SmallRules()


def file(rules: SmallRules, *policies: Policy) -> None:
    """A collection for each policy."""
    for number, policy in enumerate(policies):
        encoded = encode_policy(policy)
        owner = account(f"owner {number}")
        rules.outcomes(owner, CreateCollection(f"c{number}", CollectionTerms(encoded, encoded)))


def told(rules: SmallRules, identity: Identity = GUEST) -> str:
    """What the enclave is told."""
    verdict = verdict_of(rules, identity)
    return why_not_admitted(
        rules.state, encode_verdict(verdict), development=False, now_s=START_MS // 1000
    )


def verdict_of(rules: SmallRules, identity: Identity) -> Verdict:
    """A verifier's word on an identity."""
    verdict = rules.verdict(identity, rules.opening(Enclave("guest")))
    kind = verdict.collateral_key.replace("sgx", identity.platform)
    return replace(verdict, collateral_key=kind)


def test_code_that_nobody_names(rules: SmallRules) -> None:
    """The code is told as the ledger saw it, and of others' policies nothing."""
    file(rules, Match(measurement=bytes(32), platform_ids=(b"p" * 16,)))
    said = told(rules)
    assert said == (
        f"no collection's policy names this code: measurement {GUEST.measurement.hex()}, "
        f"signer {GUEST.signer.hex()}, product 7"
    )
    unsigned = replace(GUEST, signer=b"", product_id=0, svn=0)
    assert told(rules, unsigned).endswith(GUEST.measurement.hex())


@pytest.mark.parametrize(
    "policy, identity, expected",
    [
        (
            CODE,
            replace(GUEST, tcb_status="OutOfDate"),
            "tcb_status: expected UpToDate, got OutOfDate",
        ),
        (
            replace(CODE, tcb_statuses=("OutOfDate",)),
            replace(GUEST, tcb_status="OutOfDate", advisories=("INTEL-SA-1",)),
            "advisories: expected none, or UpToDate, got INTEL-SA-1",
        ),
        (
            replace(CODE, enrolled=True),
            GUEST,
            "enrolled: expected by the members, got no",
        ),
        (
            replace(CODE, platform_ids=(b"p" * 16,)),
            GUEST,
            f"platform_id: expected one of the 1 named, got {INTEL.hex()}",
        ),
        (
            Match(signer=GUEST.signer, product_id=7, minimum_svn=3),
            GUEST,
            "minimum_svn: expected >= 3, got 2",
        ),
        (
            Match(tee=TdxMatch(mr_td=b"t" * 48, rtmr1=b"r" * 48)),
            Identity(platform="tdx", measurement=b"m" * 48, fields=TdxFields(mr_td=b"t" * 48)),
            f"tdx.rtmr1: expected {(b'r' * 48).hex()}, got {bytes(48).hex()}",
        ),
    ],
    ids=["status", "advisories", "enrolled", "platform", "svn", "register"],
)
def test_what_its_code_is_asked_for(
    rules: SmallRules, policy: Policy, identity: Identity, expected: str
) -> None:
    """The field that is not met, with what was expected and what came."""
    file(rules, policy)
    assert told(rules, identity) == f"a policy names this code, and asks for more: {expected}"


def test_a_release_that_is_not_endorsed(rules: SmallRules) -> None:
    """Where the ledger knows the release, its endorsements are told."""
    release = release_of("1.2.0", "guest")
    rules.outcomes(account("publisher"), PublishRelease(release))
    asked = ReleaseMatch(name="fns", minimum=(1, 2, 0), auditors=release.auditors, threshold=2)
    file(rules, Match(release=asked))
    said = told(rules)
    assert "release: expected fns >= 1.2.0, endorsed by 2 of 3 auditors, got fns 1.2.0" in said
    assert "(endorsed by 0)" in said


def test_the_nearest_policy_is_told(rules: SmallRules) -> None:
    """Of several, the match that misses least; of that, what is not met alone."""
    far = replace(CODE, enrolled=True, platform_ids=(b"p" * 16,))
    near = replace(CODE, enrolled=True)
    other = Match(measurement=bytes(32), tcb_statuses=("OutOfDate",))
    file(rules, AnyOf((other, far)), AllOf((near, other)))
    said = told(rules)
    assert "enrolled:" in said
    assert "platform_id" not in said
    assert "OutOfDate" not in said


def test_it_is_one_short_line(rules: SmallRules) -> None:
    """Much that is missing is counted, long values are cut; it fits what a client shows."""
    far = replace(
        CODE,
        enrolled=True,
        platform_ids=(b"p" * 16,),
        tcb_statuses=tuple(sorted({"UpToDate", "SWHardeningNeeded", "ConfigurationNeeded"})),
        grace_s=1,
    )
    file(rules, far)
    said = told(rules, replace(GUEST, tcb_status="OutOfDate", tcb_date_s=1, debug=True))
    assert said.count(": expected ") == MAX_FINDINGS
    assert said.endswith("more")
    assert said.isprintable()
    assert len(said) <= 1000


def test_a_bounded_number_is_looked_at(rules: SmallRules, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attack: as many policies of as many matches as there may be on one enclave's code."""
    for number in range(64):
        matches = tuple(
            replace(CODE, enrolled=True, advisories=(f"A{number}-{one}",)) for one in range(63)
        )
        encoded = encode_policy(AnyOf(matches))
        terms = CollectionTerms(encoded, encoded)
        rules.outcomes(account(f"owner {number}"), CreateCollection(f"c{number}", terms))
    looked: list[str] = []

    def counted(name: str) -> None:
        real = getattr(unadmitted, name)

        def count(*given: object, **more: object) -> object:
            looked.append(name)
            return real(*given, **more)

        monkeypatch.setattr(unadmitted, name, count)

    counted("decode_policy")
    counted("explain")
    assert "enrolled:" in told(rules)
    assert 1 <= looked.count("decode_policy") <= MAX_POLICIES
    assert looked.count("explain") == MAX_MATCHES
