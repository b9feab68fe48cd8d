"""What the verifier concluded about one piece of evidence, in canonical bytes.

Rules: the proposer's verdict travels in the block; other replicas compute their own and compare the
bytes before they vote; replay only reads it. So it holds nothing that two honest verifiers with the
same inputs could see differently. Admitting the identity is `attestation.policy`.
"""

from dataclasses import dataclass

from attestation.collateral import is_key
from attestation.errors import DecodeError
from attestation.identity import Identity, identity_message, identity_of_message
from attestation.wire import decode_message, encode_message
from sealedger.v1 import attestation_pb2 as pb

MAX_VERDICT_BYTES = 3584

_REPORT_DATA_SIZE = 64
_DIGEST_SIZE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A verified quote: who it speaks of, what it binds, and when it was judged (Unix seconds)."""

    identity: Identity
    report_data: bytes  # 64
    quote_digest: bytes  # SHA-256 of the signed region: a quote is used once
    collateral_number: int  # the lower tcbEvaluationDataNumber that it was judged by; SNP: 0
    verified_at_s: int
    effective_s: int  # earlier than verified_at_s when the collateral's grace was used
    collateral_key: str  # the kind of platform
    collateral_digest: bytes  # SHA-256 of the collateral that it was judged by

    @property
    def status(self) -> str:
        """The platform's TCB status word."""
        return self.identity.tcb_status

    @property
    def advisories(self) -> tuple[str, ...]:
        """The advisories that apply to the platform, sorted."""
        return self.identity.advisories


def verdict_message(verdict: Verdict) -> pb.AttestationVerdict:
    """The checked message of a verdict, for codecs that embed it; raises DecodeError."""
    _verify(verdict)
    return pb.AttestationVerdict(
        identity=identity_message(verdict.identity),
        report_data=verdict.report_data,
        quote_digest=verdict.quote_digest,
        collateral_number=verdict.collateral_number,
        verified_at_s=verdict.verified_at_s,
        effective_s=verdict.effective_s,
        collateral_key=verdict.collateral_key,
        collateral_digest=verdict.collateral_digest,
    )


def verdict_of_message(message: pb.AttestationVerdict) -> Verdict:
    """The checked verdict of a message that was decoded strictly; raises DecodeError."""
    if not message.HasField("identity"):
        raise DecodeError("verdict: no identity")
    verdict = Verdict(
        identity=identity_of_message(message.identity),
        report_data=message.report_data,
        quote_digest=message.quote_digest,
        collateral_number=message.collateral_number,
        verified_at_s=message.verified_at_s,
        effective_s=message.effective_s,
        collateral_key=message.collateral_key,
        collateral_digest=message.collateral_digest,
    )
    _verify(verdict)
    return verdict


def encode_verdict(verdict: Verdict) -> bytes:
    """The canonical bytes, at most 3,584; raises DecodeError for a field outside its range."""
    return encode_message(verdict_message(verdict), MAX_VERDICT_BYTES)


def decode_verdict(data: bytes) -> Verdict:
    """The verdict of canonical bytes; raises DecodeError for anything else."""
    return verdict_of_message(decode_message(pb.AttestationVerdict, data, MAX_VERDICT_BYTES))


def _verify(verdict: Verdict) -> None:
    checks = (
        ("report data", len(verdict.report_data) == _REPORT_DATA_SIZE),
        ("quote digest", len(verdict.quote_digest) == _DIGEST_SIZE),
        ("collateral key", is_key(verdict.collateral_key)),
        ("collateral key", verdict.collateral_key.startswith(f"{verdict.identity.platform}/")),
        ("collateral digest", len(verdict.collateral_digest) == _DIGEST_SIZE),
        ("collateral number", 0 <= verdict.collateral_number < 2**32),
        ("time", 0 <= verdict.effective_s <= verdict.verified_at_s < 2**63),
    )
    for name, is_good in checks:
        if not is_good:
            raise DecodeError(f"verdict: bad {name}")
