"""What keeps sessions honest after they were opened: newer collateral, and an end before its time.

Not here: who may ask for either, and what a session loses by it (``contracts``); what collateral is
and says (``attestation``).
"""

from dataclasses import dataclass

from sealedger.v1 import ledger_pb2 as pb

from ledger.format.names import verify_name
from ledger.format.strict import verify_length


@dataclass(frozen=True, slots=True)
class UpdateCollateral:
    """New collateral for one kind of platform; the payload beside it is that collateral."""

    digest: bytes  # SHA-256 of the payload


@dataclass(frozen=True, slots=True)
class RevokeSession:
    """Ends a session: by itself, for an owner's collection, or everywhere by votes of members."""

    session_id: bytes
    collection: str  # empty: the session itself, or a member's vote


HygieneOperation = UpdateCollateral | RevokeSession


def hygiene_message(operation: HygieneOperation) -> pb.Operation:
    """The message of one of these operations."""
    match operation:
        case UpdateCollateral(digest):
            return pb.Operation(update_collateral=pb.UpdateCollateral(digest=digest))
        case _:
            revoke = pb.RevokeSession(
                session_id=operation.session_id, collection=operation.collection
            )
            return pb.Operation(revoke_session=revoke)


def decode_collateral(message: pb.Operation) -> UpdateCollateral:
    """The operation of a strictly decoded message; FormatError if it cannot be meant."""
    return UpdateCollateral(verify_length("digest", message.update_collateral.digest, 32))


def decode_revoke_session(message: pb.Operation) -> RevokeSession:
    """The operation of a strictly decoded message; FormatError if it cannot be meant."""
    revoke = message.revoke_session
    return RevokeSession(
        verify_length("session_id", revoke.session_id, 32),
        verify_name(revoke.collection) if revoke.collection else "",
    )
