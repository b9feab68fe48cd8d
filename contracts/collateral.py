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
from attestation.collateral_verdict import (
    MAX_PARTS,
    CollateralVerdict,
    decode_collateral_verdict,
    is_successor,
)
from attestation.errors import AttestationError
from ledger import keys
from ledger.format.hygiene import UpdateCollateral
from ledger.format.outcome import CollateralUpdated, Outcome
from ledger.reason import Reason

from contracts.errors import RefusedError, StateError
from contracts.records import Parameters
from contracts.view import Changes, StateView

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


def update_collateral(
    operation: UpdateCollateral,
    verdict: bytes | None,
    state: Changes,
    parameters: Parameters,
    when: tuple[int, int],
) -> Outcome:
    """Put collateral in force (1 to 4 above) at `when` = (block time in ms, entry index).

    Raises RefusedError with the first reason.
    """
    time_ms, index = when
    judged = _verdict(operation, verdict)
    _verify_timely(judged, parameters, time_ms)
    facts = judged.facts
    _verify_limits(facts, parameters, time_ms // 1000)
    held = collateral_of(state, facts.key)
    _verify_newer(facts, held)
    put_in_force(state, facts, judged.digest, index)
    return Outcome(Reason.OK, CollateralUpdated(verdict or b""))


def is_timely(verified_at_s: int, parameters: Parameters, time_ms: int) -> bool:
    """Whether a verdict of this Unix second was made about when its block was.

    It may be as old as the checkpoint under evidence may be, and off by the clocks' error; a second
    more, because verdicts have whole seconds.
    """
    age_ms = time_ms - verified_at_s * 1000
    skew_ms = parameters.skew_ms
    return -skew_ms <= age_ms <= parameters.checkpoint_age_ms + skew_ms + 1000


def put_in_force(state: Changes, facts: CollateralFacts, digest: bytes, index: int) -> None:
    """Write the record of collateral whose bytes have `digest` and stand at entry `index`."""
    held = collateral_of(state, facts.key)
    record = CollateralRecord(
        digest=digest,
        index=index,
        generation=_generation(facts, held),
        valid_from_s=facts.valid_from_s,
        valid_until_s=facts.valid_until_s,
        order=facts.order,
        lowest_number=facts.lowest_number,
        highest_number=facts.highest_number,
        substance=facts.substance,
    )
    state.put(keys.collateral(facts.key), encode_collateral_record(record))


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


def _verdict(operation: UpdateCollateral, verdict: bytes | None) -> CollateralVerdict:
    if verdict is None:
        raise RefusedError(Reason.COLLATERAL_REFUSED, "the collateral was not judged")
    try:
        judged = decode_collateral_verdict(verdict)
    except AttestationError as error:
        raise StateError("the block's verdict on collateral does not decode") from error
    if judged.digest != operation.digest:
        raise RefusedError(
            Reason.COLLATERAL_REFUSED, "the verdict is on other collateral than the operation names"
        )
    return judged


def _verify_timely(judged: CollateralVerdict, parameters: Parameters, time_ms: int) -> None:
    if not is_timely(judged.verified_at_s, parameters, time_ms):
        raise RefusedError(
            Reason.COLLATERAL_REFUSED, "it was judged at another time: send the same bytes again"
        )


def _verify_limits(facts: CollateralFacts, parameters: Parameters, now_s: int) -> None:
    numbers = (facts.lowest_number, facts.highest_number)
    floor, ceiling = parameters.tcb_floor, parameters.tcb_ceiling
    if facts.is_numbered and (numbers[0] < floor or 0 < ceiling < numbers[1]):
        raise RefusedError(
            Reason.COLLATERAL_REFUSED,
            f"its numbers {numbers[0]} and {numbers[1]} are outside the trust document's "
            f"{floor} to {ceiling or 'any'}",
        )
    if now_s + parameters.skew_ms // 1000 < facts.valid_from_s:
        raise RefusedError(Reason.COLLATERAL_REFUSED, "it is from the future: see the clock")
    if now_s > facts.valid_until_s + parameters.grace_s:
        raise RefusedError(Reason.COLLATERAL_REFUSED, "it has ended: fetch a newer edition")


def _verify_newer(facts: CollateralFacts, held: CollateralRecord | None) -> None:
    if held is not None and not is_successor(facts, held.facts(facts.key)):
        raise RefusedError(
            Reason.COLLATERAL_NOT_NEWER,
            f"a part of it is older than what is in force for {facts.key}, or it is the same",
        )


def _generation(facts: CollateralFacts, held: CollateralRecord | None) -> int:
    if held is None:
        return 1
    is_same = (facts.substance, facts.lowest_number, facts.highest_number) == (
        held.substance,
        held.lowest_number,
        held.highest_number,
    )
    return held.generation if is_same else held.generation + 1
