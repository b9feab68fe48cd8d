"""What the verifier concluded about collateral, in canonical bytes; the rules read nothing else.

Rules: like the verdict on evidence (`attestation.verdict`): the proposer's travels in the block,
other replicas compute their own and compare, replay only reads it. Replacing held collateral needs
the same key and no pair of `order` lower, and one higher: a lower tcbEvaluationDataNumber never
passes, whatever its date.
"""

from dataclasses import dataclass

from attestation.collateral import MAX_ORDER, CollateralFacts, is_key
from attestation.errors import DecodeError
from attestation.wire import decode_message, encode_message
from sealedger.v1 import attestation_pb2 as pb

MAX_COLLATERAL_VERDICT_BYTES = 512
MAX_PARTS = 8

_DIGEST_SIZE = 32
_MAX_U32 = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CollateralVerdict:
    """Collateral whose signatures, chains, pins and limits hold at `verified_at_s` (Unix)."""

    facts: CollateralFacts
    digest: bytes  # SHA-256 of its canonical bytes
    verified_at_s: int


def encode_collateral_verdict(verdict: CollateralVerdict) -> bytes:
    """The canonical bytes, at most 512; raises DecodeError for a field outside its range."""
    return encode_message(collateral_verdict_message(verdict), MAX_COLLATERAL_VERDICT_BYTES)


def decode_collateral_verdict(data: bytes) -> CollateralVerdict:
    """The verdict of canonical bytes; raises DecodeError for anything else."""
    return collateral_verdict_of_message(
        decode_message(pb.CollateralVerdict, data, MAX_COLLATERAL_VERDICT_BYTES)
    )


def collateral_verdict_message(verdict: CollateralVerdict) -> pb.CollateralVerdict:
    """The checked message, for codecs that embed it; raises DecodeError."""
    _verify(verdict)
    facts = verdict.facts
    return pb.CollateralVerdict(
        key=facts.key,
        digest=verdict.digest,
        order=[number for pair in facts.order for number in pair],
        lowest_number=facts.lowest_number,
        highest_number=facts.highest_number,
        valid_from_s=facts.valid_from_s,
        valid_until_s=facts.valid_until_s,
        substance=facts.substance,
        verified_at_s=verdict.verified_at_s,
    )


def collateral_verdict_of_message(message: pb.CollateralVerdict) -> CollateralVerdict:
    """The checked verdict of a message that was decoded strictly; raises DecodeError."""
    numbers = tuple(message.order)
    if len(numbers) % 2:
        raise DecodeError("collateral verdict: half a pair")
    verdict = CollateralVerdict(
        facts=CollateralFacts(
            key=message.key,
            order=tuple(zip(numbers[::2], numbers[1::2], strict=True)),
            lowest_number=message.lowest_number,
            highest_number=message.highest_number,
            valid_from_s=message.valid_from_s,
            valid_until_s=message.valid_until_s,
            substance=message.substance,
        ),
        digest=message.digest,
        verified_at_s=message.verified_at_s,
    )
    _verify(verdict)
    return verdict


def is_successor(candidate: CollateralFacts, held: CollateralFacts) -> bool:
    """Whether `candidate` may replace `held`: for the same platforms, newer, back in nothing."""
    if candidate.key != held.key or len(candidate.order) != len(held.order):
        return False
    return candidate.order != held.order and all(
        new >= old for new, old in zip(candidate.order, held.order, strict=True)
    )


def _verify(verdict: CollateralVerdict) -> None:
    facts = verdict.facts
    checks = (
        ("key", is_key(facts.key)),
        ("digest", len(verdict.digest) == _DIGEST_SIZE),
        ("substance", len(facts.substance) == _DIGEST_SIZE),
        ("order", 0 < len(facts.order) <= MAX_PARTS),
        ("order", all(0 <= number <= MAX_ORDER for pair in facts.order for number in pair)),
        ("numbers", 0 <= facts.lowest_number <= facts.highest_number <= _MAX_U32),
        ("window", 0 <= facts.valid_from_s <= facts.valid_until_s <= MAX_ORDER),
        ("time", 0 <= verdict.verified_at_s <= MAX_ORDER),
    )
    for name, is_good in checks:
        if not is_good:
            raise DecodeError(f"collateral verdict: bad {name}")
