"""What is judged before it is ordered, and what is not judged again."""

from dataclasses import replace
from hashlib import sha256

import pytest

from attestation.collateral_verdict import CollateralVerdict, encode_collateral_verdict
from attestation.errors import CannotDecideError, DecisionFault
from attestation.rules import VerificationRules
from attestation.vendors import ROOTS
from attestation.verdict import Verdict, encode_verdict
from contracts.errors import RefusedError
from contracts.execute import Repeated
from ledger.format.genesis import decode_genesis
from ledger.format.hygiene import UpdateCollateral
from ledger.format.transaction import decode_envelope, encode_envelope
from ledger.format.trust import decode_trust
from ledger.reason import Reason
from node.candidates import EnvelopeChecker
from node.collateral import CollateralShelf
from node.verifier import EvidenceVerifier, verification_rules
from tests.support.refusals import refuses
from tests.support.small_hygiene import Edition, facts_of
from tests.support.small_rules import (
    Enclave,
    SmallRules,
    core_signer,
    identity_of,
    new_session,
)

EVIDENCE = b"evidence"
NEW_COLLATERAL = b"a new edition"


class BusyJudge:
    """A verifier that others keep busy."""

    async def verify(
        self, evidence: bytes, collateral: bytes, rules: VerificationRules, now_s: int
    ) -> Verdict:
        """No answer."""
        raise CannotDecideError(DecisionFault.VERIFIER_BUSY)

    async def collateral_key(self, evidence: bytes) -> str:
        """No answer."""
        raise CannotDecideError(DecisionFault.VERIFIER_BUSY)

    async def verify_collateral(
        self, collateral: bytes, rules: VerificationRules, now_s: int
    ) -> CollateralVerdict:
        """No answer."""
        raise CannotDecideError(DecisionFault.VERIFIER_BUSY)


class JudgeOfMilan(BusyJudge):
    """A verifier that reads off any evidence that it needs AMD's collateral."""

    async def collateral_key(self, evidence: bytes) -> str:
        """That of a processor line."""
        return "snp/Milan"


@pytest.fixture
def rules() -> SmallRules:
    """A small network."""
    return SmallRules()


@pytest.fixture
def checker(rules: SmallRules) -> EnvelopeChecker:
    """A node of that network, whose verifier has no time."""
    genesis = decode_genesis(rules.genesis)
    verifier = EvidenceVerifier(
        BusyJudge(),
        rules=verification_rules(decode_trust(genesis.trust)),
        shelf=CollateralShelf(rules.state, genesis.collateral),
        clock_s=lambda: rules.time_ms // 1000,
    )
    return EnvelopeChecker(rules.network_id, verifier, rules.state)


async def test_a_session_that_stands_is_not_judged_again(
    rules: SmallRules, checker: EnvelopeChecker
) -> None:
    """Whoever lost the answer to an OpenSession gets it, whatever became of the verifier."""
    enclave = Enclave("alpha")
    operation = rules.opening(enclave)
    envelope = with_payload(rules.envelope(new_session(enclave), operation), EVIDENCE)
    with refuses(Reason.OVERLOADED):
        await checker.check(envelope)
    verdict = rules.verdict(identity_of("alpha"), operation)
    rules.executed(envelope, encode_verdict(verdict))
    again = await checker.check(envelope)
    assert isinstance(rules.do(envelope, again.verdict), Repeated)


@pytest.mark.parametrize("is_hardware", [True, False])
async def test_evidence_of_a_vendor_that_genesis_does_not_name(
    rules: SmallRules, is_hardware: bool
) -> None:
    """Whoever is refused for want of its collateral is not sent for an update that cannot help."""
    genesis = decode_genesis(rules.genesis)
    believed = verification_rules(decode_trust(genesis.trust))
    assert not {sha256(root).digest() for root in believed.roots} & ROOTS
    verifier = EvidenceVerifier(
        JudgeOfMilan(),
        rules=replace(believed, roots=()) if is_hardware else believed,
        shelf=CollateralShelf(rules.state, genesis.collateral),
        clock_s=lambda: rules.time_ms // 1000,
    )
    enclave = Enclave("alpha")
    envelope = with_payload(rules.envelope(new_session(enclave), rules.opening(enclave)), EVIDENCE)
    with pytest.raises(RefusedError) as caught:
        await EnvelopeChecker(rules.network_id, verifier, rules.state).check(envelope)
    assert caught.value.reason is Reason.EVIDENCE_UNDECIDED
    never = "no root of AMD's Milan is among those of the network, and none can be added"
    start = "no update mends it" if is_hardware else "for hardware no update does"
    assert caught.value.hint.endswith(f"; {start}: {never}")


async def test_collateral_that_stands_is_not_judged_again(
    rules: SmallRules, checker: EnvelopeChecker
) -> None:
    """Attack: a node's update, copied from the ledger by a stranger, costs the verifier nothing."""
    facts, digest = facts_of(rules, Edition()), sha256(NEW_COLLATERAL).digest()
    envelope = with_payload(rules.envelope(core_signer(), UpdateCollateral(digest)), NEW_COLLATERAL)
    with refuses(Reason.OVERLOADED):
        await checker.check(envelope)
    verdict = CollateralVerdict(facts=facts, digest=digest, verified_at_s=rules.time_ms // 1000)
    rules.executed(envelope, encode_collateral_verdict(verdict))
    again = await checker.check(envelope)
    assert isinstance(rules.do(envelope, again.verdict), Repeated)


async def test_another_body_under_a_number_that_ran_is_not_judged(
    rules: SmallRules, checker: EnvelopeChecker
) -> None:
    """Attack: the key of an open session, with other evidence, is refused without a look at it."""
    enclave = Enclave("alpha")
    rules.open(enclave)
    rules.end_block(1000)
    other = with_payload(rules.envelope(new_session(enclave), rules.opening(enclave)), EVIDENCE)
    judged = await checker.check(other)
    with refuses(Reason.SESSION_KEY_REUSED):
        rules.do(other, judged.verdict)


def with_payload(envelope: bytes, payload: bytes) -> bytes:
    """The envelope with what its only operation names."""
    return encode_envelope(replace(decode_envelope(envelope), payloads=(payload,)))
