"""The rules of accounts as signers. Anybody can make an account, so nothing may be free for one.

1. The signature is EIP-712 over the summary of exactly the operations that run: a wallet shows what
   happens. One operation that does not decode has no summary, so nobody signed for it.
2. What an account may not do leaves no entry, and neither does an account that owns nothing when
   its transaction is done (an atomic one may have undone its own CreateCollection). What it owns
   are collections, and releases that it published. Neither is needed for a word that
   counts: an auditor's on a release, a member's vote.
"""

from ledger import keys
from ledger.crypto.secp256k1 import is_valid
from ledger.format import eip712
from ledger.format.outcome import Outcome, Votes
from ledger.format.summary import summarize
from ledger.reason import Reason

from contracts.errors import RefusedError
from contracts.holdings import decode_owner
from contracts.prepare import Prepared
from contracts.view import Changes

_FREE = frozenset(
    {
        Reason.MALFORMED,
        Reason.UNKNOWN_COLLECTION,
        Reason.WRONG_SIGNER,
        Reason.DENIED,
        Reason.COLLECTION_EXISTS,
        Reason.QUOTA_EXCEEDED,
        Reason.NOT_FOUND,
        Reason.UNKNOWN_SESSION,
        Reason.RELEASE_EXISTS,
        Reason.UNKNOWN_RELEASE,
        Reason.RELEASE_REVOKED,
        Reason.WRONG_RELEASE_DIGEST,
        Reason.NO_CHANGE,
    }
)
_SILENT = frozenset({Reason.OK, Reason.NOT_EXECUTED})


def is_signed(prepared: Prepared) -> bool:
    """Whether the account of the body signed exactly these operations (1 above)."""
    body = prepared.body
    readable = tuple(one for one in prepared.operations if one is not None)
    if len(readable) != len(prepared.operations):
        return False
    digest = eip712.transaction_digest(
        body.network_id, body.sequence, summarize(readable), prepared.hash
    )
    return is_valid(body.signer, prepared.envelope.signature, digest)


def verify_worth(account: bytes, outcomes: tuple[Outcome, ...], state: Changes) -> None:
    """Raise RefusedError with the first reason unless an entry is due (2 above).

    `state` and `outcomes` are those of the transaction when it is done.
    """
    held = decode_owner(state.get(keys.owner(account)))
    is_owner = held.collections > 0 or held.releases > 0
    if any(isinstance(one.detail, Votes) for one in outcomes):
        return
    if is_owner and any(one.reason not in _FREE for one in outcomes):
        return
    reason = next(one.reason for one in outcomes if one.reason not in _SILENT)
    raise RefusedError(reason, "nothing is recorded of what this account may not do")
