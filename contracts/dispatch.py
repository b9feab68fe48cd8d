"""Which rule judges an operation of a session or an account: one line for each kind.

The kinds of the hot path come first. Not here: what opens a session (`sessions`), what a node signs
(`nodes`), and the steps around an operation (`execute`).
"""

from ledger.format.hygiene import RevokeSession
from ledger.format.operation import AcquireKey, Delete, Operation, Put, Read
from ledger.format.outcome import Outcome
from ledger.format.platforms import VotePlatform
from ledger.format.releases import EndorseRelease, PublishRelease, RevokeRelease
from ledger.format.terms import CreateCollection, Destroy, FreezeCollection, SetPolicy
from ledger.reason import Reason

from contracts import owners, platforms, releases, revocations, values
from contracts.place import Place

_MALFORMED = Outcome(Reason.MALFORMED)
_WRONG_SIGNER = Outcome(Reason.WRONG_SIGNER)


def judge(operation: Operation | None, place: Place) -> Outcome:
    """The outcome of one operation of a session or an account; None did not decode."""
    match operation:
        case Put():
            return values.put(operation, place)
        case Read():
            return values.read(operation, place)
        case AcquireKey():
            return values.acquire_key(operation, place)
        case Delete():
            return values.delete(operation, place)
        case None:
            return _MALFORMED
        case _:
            return _judge_owner(operation, place)


def _judge_owner(operation: Operation, place: Place) -> Outcome:
    match operation:
        case CreateCollection():
            return owners.create(operation, place)
        case SetPolicy():
            return owners.set_policy(operation, place)
        case FreezeCollection():
            return owners.freeze(operation, place)
        case Destroy():
            return values.destroy(operation, place)
        case VotePlatform():
            return platforms.vote(operation, place)
        case RevokeSession():
            return revocations.revoke_session(operation, place)
        case PublishRelease():
            return releases.publish(operation, place)
        case EndorseRelease():
            return releases.endorse(operation, place)
        case RevokeRelease():
            return releases.revoke(operation, place)
        case _:
            return _WRONG_SIGNER
