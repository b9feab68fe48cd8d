"""The rules of what a node signs: the start of its key service, and new collateral.

New collateral stands alone in its transaction, because a block carries one verdict for each. Only
keys that the trust document names get this far (`execute`); what a session or an account signs of
these is not for its signer.
"""

from ledger.format.hygiene import UpdateCollateral
from ledger.format.operation import KeyServiceStart, Operation
from ledger.format.outcome import Outcome
from ledger.reason import Reason

from contracts.collateral import update_collateral
from contracts.errors import RefusedError
from contracts.prepare import Prepared
from contracts.records import Parameters
from contracts.view import Changes


def run(
    prepared: Prepared,
    verdict: bytes | None,
    state: Changes,
    parameters: Parameters,
    when: tuple[int, int],
) -> tuple[Outcome, ...]:
    """One outcome for each operation, at `when` = (block time in ms, entry index).

    `verdict` is the block's verdict on the collateral of an UpdateCollateral. Raises RefusedError.
    """
    operation = prepared.operations[0]
    if isinstance(operation, UpdateCollateral) and len(prepared.operations) == 1:
        return (update_collateral(operation, verdict, state, parameters, when),)
    if any(isinstance(one, UpdateCollateral) for one in prepared.operations):
        raise RefusedError(Reason.MALFORMED, "UpdateCollateral stands alone in its transaction")
    return tuple(_judge(one, parameters) for one in prepared.operations)


def _judge(operation: Operation | None, parameters: Parameters) -> Outcome:
    if operation is None:
        return Outcome(Reason.MALFORMED)
    if not isinstance(operation, KeyServiceStart):
        return Outcome(Reason.WRONG_SIGNER)
    if operation.service_key != parameters.service_key:
        return Outcome(Reason.WRONG_SERVICE_KEY)
    return Outcome(Reason.OK)
