"""Collateral in force, for everybody who asks: what it is, its bytes, and the entry that proves it.

Read from durable state. An entry is proven under the newest certified checkpoint and then kept, as
nothing about it changes; between its block's write and its certificate the one before it answers
Hello. What genesis holds needs no entry: everybody has genesis.
"""

from attestation.collateral import is_key
from contracts.collateral import CollateralRecord
from contracts.view import ScanView
from ledger.format.receipt import Opened, Receipt, encode_receipt
from ledger.log.tree import Tree
from ledger.reason import Reason
from node.answers import refusal
from node.certifier import Certifier
from node.collateral import CollateralShelf, standing
from node.ledger_store import LedgerStore
from node.publisher import load_entry
from sealedger.v1 import node_pb2 as pb


class CollateralAnswers:
    """Answers for one node. One event loop."""

    def __init__(
        self,
        shelf: CollateralShelf,
        durable: ScanView,
        certifier: Certifier,
        log: tuple[LedgerStore, Tree],
        own_key: str,
    ) -> None:
        """Keep the parts; `shelf` reads `durable`, `own_key` is that of this node's evidence."""
        self._shelf = shelf
        self._durable = durable
        self._certifier = certifier
        self._view, self._tree = log
        self._own_key = own_key
        self._kept: dict[str, tuple[bytes, pb.CollateralEntry]] = {}

    def own(self) -> pb.CollateralEntry | None:
        """What this node's own evidence is to be judged by; None if genesis holds it."""
        record = self._shelf.record(self._own_key)
        if record is None or not record.index:
            return None
        entry = self._entry(self._own_key, record)
        if entry is None:
            _, entry = self._kept.get(self._own_key, (b"", None))
        return entry

    def answer(self, key: str) -> pb.CollateralReply:
        """All rows for an empty key, else that key's row, bytes and receipt; or a refusal."""
        if not key:
            return pb.CollateralReply(rows=(_row(*one) for one in standing(self._durable)))
        record = self._shelf.record(key) if is_key(key) else None
        if record is None:
            return _refused(Reason.NOT_FOUND, "no collateral of this key: ask without one for all")
        entry = self._entry(key, record)
        if entry is None:
            return _refused(Reason.OVERLOADED, "its entry is being certified: ask again")
        return pb.CollateralReply(rows=(_row(key, record),), entry=entry)

    def _entry(self, key: str, record: CollateralRecord) -> pb.CollateralEntry | None:
        """The collateral with its receipt, which is empty for genesis; None if not certified."""
        digest, kept = self._kept.get(key, (b"", None))
        if kept is not None and digest == record.digest:
            return kept
        data = self._shelf.read(record)
        if not record.index:
            return pb.CollateralEntry(collateral=data)
        certified = self._certifier.latest
        if record.index >= certified.size:
            return None
        stands = load_entry(record.index, self._view)
        receipt = encode_receipt(
            Receipt(
                record.index,
                self._tree.inclusion_proof(record.index, certified.size),
                certified.note,
                stands.leaf,
                (Opened(0, stands.salts[0], stands.operations[0], stands.encoded[0]),),
            )
        )
        entry = pb.CollateralEntry(collateral=data, receipt=receipt)
        self._kept[key] = (record.digest, entry)
        return entry


def _row(key: str, record: CollateralRecord) -> pb.CollateralRow:
    return pb.CollateralRow(
        key=key,
        digest=record.digest,
        number=record.lowest_number,
        valid_from_s=record.valid_from_s,
        valid_until_s=record.valid_until_s,
        index=record.index,
        generation=record.generation,
    )


def _refused(reason: Reason, hint: str) -> pb.CollateralReply:
    return pb.CollateralReply(refusal=refusal(reason, hint))
