"""Evidence against the network's own collateral and trust document, in the verifier process."""

from collections.abc import Callable

from attestation.collateral import decode_collateral, read_facts
from attestation.dcap.rules import VerificationRules
from attestation.dcap.verify import find_platform
from attestation.errors import CannotDecideError, DecisionFault
from attestation.verdict import Verdict
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
        """Read which platform each collateral is for; AttestationError if one is malformed."""
        self._worker = worker
        self._rules = rules
        self._clock_s = clock_s
        self._collateral: dict[tuple[str, bytes], bytes] = {}
        for data in collateral:
            facts = read_facts(decode_collateral(data))
            self._collateral[facts.platform, facts.fmspc] = data

    async def verify(self, evidence: bytes) -> Verdict:
        """The verdict; EvidenceError or CannotDecideError."""
        platform = find_platform(evidence)
        collateral = self._collateral.get(platform)
        if collateral is None:
            raise CannotDecideError(
                DecisionFault.COLLATERAL_OTHER_PLATFORM,
                expected=f"collateral for {platform[0]} {platform[1].hex()} on the ledger",
                got="none",
            )
        return await self._worker.verify(evidence, collateral, self._rules, self._clock_s())
