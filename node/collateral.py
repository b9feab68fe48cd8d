"""The collateral in force, as bytes: a record of the state leads to an entry's payload or genesis.

What is read here was verified before it came into force; collateral always comes from the ledger,
never from whoever presents evidence. Not here: what may replace it (`contracts.collateral`).
"""

from collections.abc import Iterator

from attestation.collateral import collateral_digest
from contracts.collateral import CollateralRecord, collateral_of, decode_collateral_record
from contracts.view import ScanView, StateView
from ledger import keys
from ledger.errors import StoreError


class CollateralShelf:
    """Finds collateral by its key. Safe wherever its view is."""

    def __init__(self, view: StateView, genesis: tuple[bytes, ...]) -> None:
        """Keep the view, and the collateral of genesis."""
        self._view = view
        self._genesis = {collateral_digest(data): data for data in genesis}

    def record(self, key: str) -> CollateralRecord | None:
        """The record in force for a key that has passed `attestation.is_key`, or None."""
        return collateral_of(self._view, key)

    def find(self, key: str) -> bytes | None:
        """The collateral in force for such a key, or None; StoreError if its bytes are gone."""
        record = self.record(key)
        return None if record is None else self.read(record)

    def read(self, record: CollateralRecord) -> bytes:
        """The bytes of a record; StoreError if they are gone."""
        if record.index:
            data = self._view.get(keys.payload(record.index, 0))
        else:
            data = self._genesis.get(record.digest)
        if data is None or collateral_digest(data) != record.digest:
            raise StoreError(
                "the bytes of collateral in force are missing: run sealedger node fsck"
            )
        return data


def standing(view: ScanView) -> Iterator[tuple[str, CollateralRecord]]:
    """Every key with its record, in the keys' order."""
    for key, data in view.scan(*keys.collaterals()):
        yield keys.name_of_collateral(key), decode_collateral_record(data)
