"""Evidence against the network's own collateral and trust document, in the verifier process."""

from collections.abc import Callable

from attestation.errors import CannotDecideError, DecisionFault
from attestation.rules import VerificationRules
from attestation.verdict import Verdict
from attestation.verify import read_facts
from attestation.worker import VerificationWorker
from ledger.format.trust import TrustDocument


def verification_rules(trust: TrustDocument) -> VerificationRules:
    """What a trust document says about evidence."""
    return VerificationRules(
        roots=trust.roots,
        tcb_signer_pins=trust.tcb_signer_pins,
        evaluation_floor=trust.tcb_floor,
        evaluation_ceiling=trust.tcb_ceiling,
        grace_s=trust.grace_s,
    )


class EvidenceVerifier:
    """Finds the collateral for a piece of evidence and has it judged. Collateral is always ours."""

    def __init__(
        self,
        worker: VerificationWorker,
        *,
        rules: VerificationRules,
        collateral: tuple[bytes, ...],
        clock_s: Callable[[], int],
    ) -> None:
        """Keep the parts."""
        self._worker = worker
        self._rules = rules
        self._clock_s = clock_s
        self._collateral = {read_facts(data).key: data for data in collateral}

    async def verify(self, evidence: bytes) -> Verdict:
        """The verdict; EvidenceError or CannotDecideError."""
        key = await self._worker.collateral_key(evidence)
        collateral = self._collateral.get(key)
        if collateral is None:
            raise CannotDecideError(
                DecisionFault.COLLATERAL_OTHER_PLATFORM,
                expected=f"collateral for {key} on the ledger",
                got="none",
            )
        return await self._worker.verify(evidence, collateral, self._rules, self._clock_s())
