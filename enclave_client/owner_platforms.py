"""`Platforms`: what members do about the machines that their network stands for, as accounts.

Members vote a platform's id into the network's list and out of it; policies ask for platforms that
stand in it. The list is the node's word (`rows`); each vote returns with its verified receipt, and
the one that changes the list says so. A vote names the change of the list that stands before it: a
node that lies about that gets a vote which changes nothing.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from enclave_client import queries
from enclave_client.asking import Asking
from enclave_client.errors import InvalidRequestError, ReceiptInvalidError, RefusedError
from enclave_client.outcomes import granted_detail
from enclave_client.owner_line import OwnerLine
from enclave_client.receipts import Receipt
from enclave_client.replies import read_outcome
from enclave_client.rows import PlatformRow
from ledger.errors import FormatError
from ledger.format.operation import encode_operation
from ledger.format.outcome import Votes
from ledger.format.platforms import PlatformVote, VotePlatform, verify_platform_id
from ledger.reason import Reason

_HINTS = {
    Reason.DENIED: "only members of the network vote on platforms: is it this account?",
    Reason.QUOTA_EXCEEDED: "this account has 64 open votes on platforms: take some back first",
}
_NO_CHANGE = {
    PlatformVote.ENROL: "it is enrolled, or this account's vote for that stands",
    PlatformVote.REMOVE: "it is not enrolled, or this account's vote to remove it stands",
    PlatformVote.TAKE_BACK: "this account has no open vote on it",
}


@dataclass(frozen=True, slots=True)
class PlatformVoted:
    """A vote, or that it was taken back, stands on the ledger."""

    cast: int  # votes for the change, with this operation
    needed: int
    receipt: Receipt

    @property
    def is_done(self) -> bool:
        """Whether the list changed with this vote."""
        return self.cast >= self.needed


class Platforms:
    """A member's hand on the list of enrolled platforms."""

    def __init__(self, line: OwnerLine, asking: Asking) -> None:
        """Keep the parts; `OwnerClient.platforms` is one."""
        self._line = line
        self._asking = asking

    async def enrol(self, platform_id: bytes) -> PlatformVoted:
        """Vote to let a platform (16 bytes: PPID, 64: CHIP_ID) into the list.

        This and the next two raise RefusedError (DENIED, NO_CHANGE, QUOTA_EXCEEDED, ...), and what
        `OwnerClient.create_collection` raises.
        """
        return await self._vote(platform_id, PlatformVote.ENROL)

    async def remove(self, platform_id: bytes) -> PlatformVoted:
        """Vote to take a platform out; sessions that need it are denied from then on."""
        return await self._vote(platform_id, PlatformVote.REMOVE)

    async def take_back(self, platform_id: bytes) -> PlatformVoted:
        """Take the own open vote on a platform back."""
        return await self._vote(platform_id, PlatformVote.TAKE_BACK)

    def list(self) -> AsyncIterator[PlatformRow]:
        """Platforms that are or were enrolled or are voted on, as the node says, by id."""
        return queries.list_platforms(self._asking)

    async def _vote(self, platform_id: bytes, vote: PlatformVote) -> PlatformVoted:
        try:
            verify_platform_id(platform_id)
        except FormatError as error:
            raise InvalidRequestError(str(error)) from error
        hints = _HINTS | {Reason.NO_CHANGE: f"{_NO_CHANGE[vote]}: sealedger platform list"}
        what = f"platform {platform_id.hex()}"
        try:
            operation = VotePlatform(platform_id, vote, await self._since(platform_id))
            entry = await self._line.submit(encode_operation(operation), b"", what)
        except RefusedError as error:
            error.hint = hints.get(error.reason, error.hint)
            raise
        outcome, receipt = read_outcome(entry.outcomes[0]), Receipt(entry, 0)
        detail = granted_detail(outcome, what, receipt, hints.get(outcome.reason, ""))
        if not isinstance(detail, Votes):
            raise ReceiptInvalidError("the outcome is not of the operation that was asked for")
        return PlatformVoted(detail.cast, detail.needed, receipt)

    async def _since(self, platform_id: bytes) -> int:
        """The entry in which the list changed for the platform last, as the node says."""
        async for row in self.list():
            if row.platform_id == platform_id:
                return row.index
        return 0
