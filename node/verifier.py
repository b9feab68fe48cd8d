"""Evidence and collateral against what the network says, in the verifier process.

Evidence is judged by the collateral in force, never by a prover's; which one that is, the verifier
process reads off the evidence, so that this process parses no certificate of a stranger.
"""

from collections.abc import Callable
from typing import Protocol

from attestation.collateral import is_key
from attestation.collateral_verdict import CollateralVerdict
from attestation.errors import CannotDecideError, DecisionFault
from attestation.renewal import renewal_words
from attestation.rules import VerificationRules
from attestation.verdict import Verdict
from ledger.errors import StoreError
from ledger.format.trust import TrustDocument
from node.collateral import CollateralShelf

# What newer collateral may mend.
_COLLATERAL_FAULTS = frozenset(
    {
        DecisionFault.COLLATERAL_EXPIRED,
        DecisionFault.COLLATERAL_FROM_FUTURE,
        DecisionFault.COLLATERAL_MALFORMED,
        DecisionFault.COLLATERAL_NO_REVOCATIONS,
        DecisionFault.COLLATERAL_NUMBER,
        DecisionFault.COLLATERAL_OTHER_PLATFORM,
        DecisionFault.COLLATERAL_UNTRUSTED,
    }
)


class CollateralFaultError(CannotDecideError):
    """Nothing could be decided for want of collateral; `mend` is who can help, and how."""

    def __init__(self, error: CannotDecideError, mend: str) -> None:
        """The same error, with its mend."""
        super().__init__(DecisionFault(error.code), expected=error.expected, got=error.got)
        self.mend = mend


class Judge(Protocol):
    """`attestation.verify` behind a wall; see attestation.worker."""

    async def verify(
        self, evidence: bytes, collateral: bytes, rules: VerificationRules, now_s: int
    ) -> Verdict:
        """The verdict on evidence; EvidenceError or CannotDecideError."""
        ...

    async def collateral_key(self, evidence: bytes) -> str:
        """The key of the collateral that evidence needs; EvidenceError or CannotDecideError."""
        ...

    async def verify_collateral(
        self, collateral: bytes, rules: VerificationRules, now_s: int
    ) -> CollateralVerdict:
        """The verdict on collateral; CannotDecideError."""
        ...


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
    """Has evidence and collateral judged now, by the network's own rules."""

    def __init__(
        self,
        judge: Judge,
        *,
        rules: VerificationRules,
        shelf: CollateralShelf,
        clock_s: Callable[[], int],
    ) -> None:
        """Keep the parts."""
        self._judge = judge
        self._rules = rules
        self._shelf = shelf
        self._clock_s = clock_s

    async def verify(self, evidence: bytes) -> Verdict:
        """The verdict; EvidenceError or CannotDecideError, of collateral a CollateralFaultError."""
        key = await self.key_of(evidence)
        now_s = self._clock_s()
        try:
            return await self._judge.verify(evidence, self._held(key), self._rules, now_s)
        except CannotDecideError as error:
            if error.code not in _COLLATERAL_FAULTS:
                raise
            raise CollateralFaultError(error, renewal_words(key, self._rules.roots)) from error

    async def verify_collateral(self, collateral: bytes) -> CollateralVerdict:
        """The verdict on collateral by itself; CannotDecideError."""
        return await self._judge.verify_collateral(collateral, self._rules, self._clock_s())

    async def key_of(self, evidence: bytes) -> str:
        """What collateral evidence needs; EvidenceError or CannotDecideError."""
        key = await self._judge.collateral_key(evidence)
        if not is_key(key):
            raise CannotDecideError(DecisionFault.RESULT_UNKNOWN)
        return key

    def _held(self, key: str) -> bytes:
        try:
            collateral = self._shelf.find(key)
        except StoreError as error:
            raise CannotDecideError(
                DecisionFault.COLLATERAL_MALFORMED, got=f"{key}: {error}"
            ) from error
        if collateral is None:
            raise CannotDecideError(
                DecisionFault.COLLATERAL_OTHER_PLATFORM,
                expected=f"collateral for {key} on the ledger",
                got="none",
            )
        return collateral
