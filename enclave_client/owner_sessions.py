"""`Sessions`: what owners and members do about sessions, signing as an account.

An owner ends a session's part in a collection of his at once; members end a session everywhere,
when as many as the network asks for have voted. Neither keeps the enclave from opening another one:
who distrusts the code changes the policy, or its publisher revokes the release. The id of a session
stands as the signer in the history of what it did.
"""

from dataclasses import dataclass

from enclave_client.arguments import verified_name
from enclave_client.errors import InvalidRequestError, ReceiptInvalidError, RefusedError
from enclave_client.outcomes import granted_detail
from enclave_client.owner_line import OwnerLine
from enclave_client.receipts import Receipt
from enclave_client.replies import read_outcome
from ledger.format.hygiene import RevokeSession
from ledger.format.operation import encode_operation
from ledger.format.outcome import Detail, Votes
from ledger.reason import Reason

SESSION_BYTES = 32

_HINTS = {
    Reason.DENIED: "the owner of a collection revokes for it, a member votes to revoke for "
    "everything: is it this account?",
    Reason.UNKNOWN_COLLECTION: "check the collection's name",
    Reason.UNKNOWN_SESSION: "no session of this network has this id: take it from the history of "
    "what it did",
}


@dataclass(frozen=True, slots=True)
class Parted:
    """The session has no part in the collection any more."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Voted:
    """A vote stands on the ledger; the session is revoked when `cast` has reached `needed`."""

    cast: int
    needed: int
    receipt: Receipt

    @property
    def is_revoked(self) -> bool:
        """Whether the session may not be used any more."""
        return self.cast >= self.needed


class Sessions:
    """An account's hand on the sessions of enclaves."""

    def __init__(self, line: OwnerLine) -> None:
        """Keep the part; `OwnerClient.sessions` is one."""
        self._line = line

    async def revoke(self, session_id: bytes, collection: str) -> Parted:
        """End the session's part in an own collection; its next operation there is refused.

        Raises RefusedError (DENIED, UNKNOWN_SESSION, ...) and what
        `OwnerClient.create_collection` raises; so does `vote`.
        """
        _, receipt = await self._run(session_id, verified_name(collection))
        return Parted(receipt)

    async def vote(self, session_id: bytes) -> Voted:
        """Vote, as a member, to revoke the session for everything; a vote counts once."""
        detail, receipt = await self._run(session_id, "")
        if not isinstance(detail, Votes):
            raise ReceiptInvalidError("the outcome is not of the operation that was asked for")
        return Voted(detail.cast, detail.needed, receipt)

    async def _run(self, session_id: bytes, collection: str) -> tuple[Detail | None, Receipt]:
        if len(session_id) != SESSION_BYTES:
            raise InvalidRequestError(f"the id of a session has {SESSION_BYTES} bytes")
        what = f"session {session_id.hex()}"
        operation = RevokeSession(session_id, collection)
        try:
            entry = await self._line.submit(encode_operation(operation), b"", what)
        except RefusedError as error:
            error.hint = _HINTS.get(error.reason, error.hint)
            raise
        outcome, receipt = read_outcome(entry.outcomes[0]), Receipt(entry, 0)
        return granted_detail(outcome, what, receipt, _HINTS.get(outcome.reason, "")), receipt
