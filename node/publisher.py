"""After a block is durable: certify the log once, then answer each submission.

1. One checkpoint serves all answers of the block; a block that wrote nothing uses the latest one.
2. Each entry gets its inclusion proof under it, and what it entitles to is released against that.
3. A repeated transaction is answered from its first entry, a refused one with its reason.
"""

from contracts.execute import parameters_of
from ledger import keys
from ledger.errors import StoreError
from ledger.format.outcome import decode_outcome
from ledger.format.stored import decode_stored
from ledger.log.tree import Tree
from ledger.reason import Reason
from node.answers import RecordedAnswer, recorded_reply, refused_reply
from node.certifier import Certified, Certifier
from node.ledger_store import LedgerStore
from node.releases import Entry, Releases, Wanted
from node.results import Again, Finalized, Recorded, Refused
from node.unadmitted import why_not_admitted
from sealedger.v1 import node_pb2 as pb

# Sealed bytes in all answers of one block; reads beyond it fetch theirs by ticket, one by one.
MAX_BLOCK_SEALED_BYTES = 16 * 1024 * 1024


class Publisher:
    """Makes the answers of a block. One thread."""

    def __init__(self, certifier: Certifier, releases: Releases) -> None:
        """Keep the parts."""
        self._certifier = certifier
        self._releases = releases

    def publish(self, finalized: Finalized, tree: Tree, view: LedgerStore) -> list[pb.SubmitReply]:
        """One reply for each result, in order (1 to 3 above)."""
        if finalized.batch is None:
            certified = self._certifier.latest
        else:
            certified = self._certifier.certify(finalized.head, finalized.header, tree)
        room = MAX_BLOCK_SEALED_BYTES
        replies = []
        for result in finalized.results:
            if isinstance(result, Refused):
                replies.append(_refusal(result, view, finalized.head.time_ms))
                continue
            reply = self._answer(result, certified, tree, view, room)
            room -= sum(map(len, reply.recorded.sealed))
            replies.append(reply)
        return replies

    def _answer(
        self,
        result: Recorded | Again,
        certified: Certified,
        tree: Tree,
        view: LedgerStore,
        room: int,
    ) -> pb.SubmitReply:
        entry = _entry(result, view)
        sealed, released = self._releases.release(
            entry, certified, tree, view, Wanted(room_bytes=room)
        )
        return recorded_reply(
            RecordedAnswer(
                transaction=result.submission.prepared.hash,
                index=entry.index,
                leaf=entry.leaf,
                hashes=tree.inclusion_proof(entry.index, certified.size),
                checkpoint=certified.note,
                outcomes=entry.encoded,
                sealed=sealed,
                released=released,
            )
        )


def _refusal(refused: Refused, view: LedgerStore, time_ms: int) -> pb.SubmitReply:
    submission, error = refused.submission, refused.error
    hint = error.hint
    if error.reason is Reason.NOT_ADMITTED and submission.verdict is not None:
        development = parameters_of(view).is_development
        hint = why_not_admitted(
            view, submission.verdict, development=development, now_s=time_ms // 1000
        )
    return refused_reply(submission.prepared.hash, error.reason, hint)


def load_entry(index: int, view: LedgerStore) -> Entry:
    """A transaction entry from the store; StoreError if it is not there."""
    leaf = view.get(keys.entry(index))
    stored = view.get(keys.operations(index))
    if leaf is None or stored is None:
        raise StoreError(f"entry {index} is not a stored transaction")
    beside = decode_stored(stored)
    return Entry(
        index,
        leaf,
        beside.operations,
        beside.salts,
        beside.outcomes,
        tuple(map(decode_outcome, beside.outcomes)),
    )


def _entry(result: Recorded | Again, view: LedgerStore) -> Entry:
    if isinstance(result, Again):
        return load_entry(result.index, view)
    envelope = result.submission.prepared.envelope
    executed = result.executed
    return Entry(
        result.index,
        executed.leaf,
        envelope.operations,
        envelope.salts,
        executed.encoded,
        executed.outcomes,
    )
