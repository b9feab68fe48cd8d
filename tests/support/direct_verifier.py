"""The verifier without its process: for tests that ask thousands of questions."""

from attestation.judge_file import judge_file
from attestation.judgement import Decision, Judgement, Question
from attestation.rules import VerificationRules
from attestation.verdict import Verdict
from attestation.verify import collateral_key, verify


class DirectVerifier:
    """`attestation.verify`, called in this process."""

    async def verify(
        self, evidence: bytes, collateral: bytes, rules: VerificationRules, now_s: int
    ) -> Verdict:
        """The verdict."""
        return verify(evidence, collateral, rules, now_s)

    async def collateral_key(self, evidence: bytes) -> str:
        """The key."""
        return collateral_key(evidence)


def judged(question: Question) -> Judgement:
    """The answer. `judge_file` waits for nobody but its verifier, so no event loop is needed."""
    asking = judge_file(question, DirectVerifier())
    try:
        asking.send(None)
    except StopIteration as done:
        answer: Judgement = done.value
        return answer
    raise AssertionError("the direct verifier waited")


def first(judgement: Judgement) -> tuple[Decision, str]:
    """The decision, and the code of its first reason."""
    return judgement.decision, judgement.reasons[0].check
