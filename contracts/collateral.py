"""The rules of collateral: what may replace what sessions are judged by, and its record.

Every fault refuses, as for sessions; none is an entry, so a refused update stores nothing. An
update is a transaction of a node (`execute` looked at the signature) with this one operation:

1. The verdict that travels in the block is there and speaks of exactly this collateral.
2. It was judged close to the block's time, its numbers lie inside the trust document's floor and
   ceiling, and the block's time inside its window and grace.
3. Nothing of it is older than what is held: no pair of `order` went back, and one went up. So a
   lower tcbEvaluationDataNumber never passes, whatever its date; nor do the same bytes again.
4. `generation` grows when it says something else than before (`substance`) or its numbers rose:
   sessions that were judged by the one before have to attest again. Newer dates alone end none.

Collateral of genesis is in force from entry 0; its facts are read from its bytes, whose signatures
whoever founded the network has verified. Not here: signatures and chains (`attestation.verify`).
"""

import struct
from dataclasses import dataclass
from functools import lru_cache

from attestation.collateral import CollateralFacts
from attestation.collateral_verdict import MAX_PARTS
from ledger import keys

from contracts.errors import StateError
from contracts.view import StateView

_RECORD = struct.Struct(">B32s32sQQQQIIB")
_PAIR = struct.Struct(">QQ")
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CollateralRecord:
    """Collateral in force for one key: which bytes, since when, and what they say of themselves.

    Times are Unix seconds, both ends inclusive and without the trust document's grace. `order`
    holds a pair (number, time of issue) for each part.
    """

    digest: bytes  # SHA-256 of the canonical bytes
    index: int  # the entry whose payload they are; 0: genesis
    generation: int  # from 1; grows when sessions have to attest again
    valid_from_s: int
    valid_until_s: int
    order: tuple[tuple[int, int], ...]
    lowest_number: int  # of the tcbEvaluationDataNumbers; 0 where there is none
    highest_number: int
    substance: bytes  # SHA-256 of all that verdicts depend on but dates and numbers

    def facts(self, key: str) -> CollateralFacts:
        """The same as attestation has it, for its comparisons."""
        return CollateralFacts(
            key=key,
            order=self.order,
            lowest_number=self.lowest_number,
            highest_number=self.highest_number,
            valid_from_s=self.valid_from_s,
            valid_until_s=self.valid_until_s,
            substance=self.substance,
        )


def encode_collateral_record(record: CollateralRecord) -> bytes:
    """106 bytes, then 16 for each pair of `order`."""
    fixed = _RECORD.pack(
        _FORMAT,
        record.digest,
        record.substance,
        record.index,
        record.generation,
        record.valid_from_s,
        record.valid_until_s,
        record.lowest_number,
        record.highest_number,
        len(record.order),
    )
    return fixed + b"".join(_PAIR.pack(*pair) for pair in record.order)


@lru_cache(maxsize=256)
def decode_collateral_record(data: bytes) -> CollateralRecord:
    """The record; StateError if it is not ours."""
    if len(data) < _RECORD.size or data[0] != _FORMAT:
        raise StateError("collateral: not one of ours")
    _, digest, substance, index, generation, since, until, lowest, highest, parts = (
        _RECORD.unpack_from(data)
    )
    if not 0 < parts <= MAX_PARTS or len(data) != _RECORD.size + parts * _PAIR.size:
        raise StateError("collateral: wrong length")
    pairs = (_PAIR.unpack_from(data, _RECORD.size + at * _PAIR.size) for at in range(parts))
    return CollateralRecord(
        digest=digest,
        index=index,
        generation=generation,
        valid_from_s=since,
        valid_until_s=until,
        order=tuple((number, issued_s) for number, issued_s in pairs),
        lowest_number=lowest,
        highest_number=highest,
        substance=substance,
    )


def collateral_of(view: StateView, key: str) -> CollateralRecord | None:
    """The collateral in force for a key, or None; `key` has passed `attestation.is_key`."""
    data = view.get(keys.collateral(key))
    return None if data is None else decode_collateral_record(data)
