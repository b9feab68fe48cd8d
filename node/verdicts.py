"""The verdicts of a block that another replica proposed, found out again before this one votes.

1. A verdict stands where one belongs: with an OpenSession or an UpdateCollateral that is alone in
   its transaction. Payloads are those that their operations name.
2. It was found close to the block's time, by the proposer's word; it is found again as of then.
3. Evidence is judged by the collateral that the verdict names: what is in force before the block,
   or what an earlier transaction of the block brings. If it names any other, the rules refuse the
   session, whatever the verdict says.
4. The bytes are the same. So two versions of a verifier that disagree show before a vote; what was
   decided is finalized and replayed from the block alone, whatever a verifier says later.
"""

from attestation.collateral import collateral_digest
from attestation.collateral_verdict import decode_collateral_verdict, encode_collateral_verdict
from attestation.errors import AttestationError
from attestation.rules import VerificationRules
from attestation.verdict import decode_verdict, encode_verdict
from contracts.collateral import is_timely
from contracts.execute import parameters_of
from contracts.view import StateView
from ledger.errors import LedgerError
from ledger.format.hygiene import UpdateCollateral
from ledger.format.operation import OpenSession
from ledger.format.transaction import writer_of
from network.errors import BlockRefusedError
from node.candidates import Submission, verify_payload
from node.collateral import CollateralShelf
from node.results import Block
from node.verifier import Judge


class VerdictJudge:
    """Finds a block's verdicts again. One event loop."""

    def __init__(
        self, judge: Judge, *, rules: VerificationRules, genesis_collateral: tuple[bytes, ...]
    ) -> None:
        """Keep the parts."""
        self._judge = judge
        self._rules = rules
        self._genesis = genesis_collateral

    async def verify(self, block: Block, view: StateView) -> None:
        """Check a block on top of `view` (1 to 4 above); BlockRefusedError with the first fault."""
        brought: dict[bytes, bytes] = {}
        try:
            parameters = parameters_of(view)
            for submission in block.submissions:
                _verify_payloads(submission)
                at_s = await self._verify(submission, view, brought)
                if at_s and not is_timely(at_s, parameters, block.now_ms):
                    raise BlockRefusedError("a verdict was not found at the block's time")
        except (AttestationError, LedgerError) as error:
            raise BlockRefusedError(f"a verdict or payload cannot be found again: {error}") from (
                error
            )

    async def _verify(
        self, submission: Submission, view: StateView, brought: dict[bytes, bytes]
    ) -> int:
        """When the submission's verdict was found, in Unix seconds; 0 if it has none."""
        said = submission.verdict
        if said is None:
            return 0
        prepared = submission.prepared
        operation, payload = prepared.operations[0], prepared.envelope.payloads[0]
        if len(prepared.operations) == 1 and isinstance(operation, UpdateCollateral):
            at_s = decode_collateral_verdict(said).verified_at_s
            found = await self._judge.verify_collateral(payload, self._rules, at_s)
            _verify_same(said, encode_collateral_verdict(found))
            brought[found.digest] = payload
            return at_s
        if len(prepared.operations) != 1 or not isinstance(operation, OpenSession):
            raise BlockRefusedError("a verdict stands where none belongs")
        verdict = decode_verdict(said)
        collateral = brought.get(verdict.collateral_digest)
        if collateral is None:
            collateral = CollateralShelf(view, self._genesis).find(verdict.collateral_key)
        if collateral is not None and collateral_digest(collateral) == verdict.collateral_digest:
            again = await self._judge.verify(
                payload, collateral, self._rules, verdict.verified_at_s
            )
            _verify_same(said, encode_verdict(again))
        return verdict.verified_at_s


def _verify_payloads(submission: Submission) -> None:
    prepared = submission.prepared
    writer = writer_of(prepared.body)
    pairs = zip(prepared.operations, prepared.envelope.payloads, strict=True)
    for operation, payload in pairs:
        verify_payload(operation, payload, prepared.body.network_id, writer)


def _verify_same(theirs: bytes, ours: bytes) -> None:
    if theirs != ours:
        raise BlockRefusedError("this replica finds another verdict than the block carries")
