"""The bytes between the node and its verifier process: one request, one reply.

Rules: both sides decode strictly, so a broken child cannot hand the node an object that the verdict
codec would refuse. Frames are a length (u32, big endian) and that many bytes; a reply of another
shape means that the child is broken.
"""

from dataclasses import dataclass

from attestation.collateral import MAX_COLLATERAL_BYTES
from attestation.dcap.rules import VerificationRules
from attestation.errors import (
    CannotDecideError,
    DecisionFault,
    DecodeError,
    EvidenceError,
    EvidenceFault,
)
from attestation.evidence import MAX_EVIDENCE_BYTES
from attestation.verdict import Verdict, verdict_message, verdict_of_message
from attestation.wire import decode_message, encode_message
from sealedger.v1 import attestation_pb2 as pb

LENGTH_SIZE = 4
MAX_RULES_BYTES = 256 * 1024
MAX_REQUEST_BYTES = MAX_EVIDENCE_BYTES + MAX_COLLATERAL_BYTES + MAX_RULES_BYTES
MAX_REPLY_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the verifier: the arguments of `attestation.dcap.verify.verify`."""

    evidence: bytes
    collateral: bytes
    rules: VerificationRules
    now_s: int


def encode_request(request: Request) -> bytes:
    """The canonical bytes of a request; raises DecodeError when a number or size is too large."""
    rules = request.rules
    try:
        message = pb.VerificationRequest(
            evidence=request.evidence,
            collateral=request.collateral,
            rules=pb.VerificationRules(
                roots=rules.roots,
                tcb_signer_pins=rules.tcb_signer_pins,
                evaluation_floor=rules.evaluation_floor,
                evaluation_ceiling=rules.evaluation_ceiling,
                grace_s=rules.grace_s,
            ),
            now_s=request.now_s,
        )
    except ValueError as error:
        raise DecodeError("verification request: a number is out of range") from error
    return encode_message(message, MAX_REQUEST_BYTES)


def decode_request(data: bytes) -> Request:
    """The request of canonical bytes; raises DecodeError for anything else."""
    message = decode_message(pb.VerificationRequest, data, MAX_REQUEST_BYTES)
    if not message.HasField("rules"):
        raise DecodeError("verification request: no rules")
    rules = VerificationRules(
        roots=tuple(message.rules.roots),
        tcb_signer_pins=tuple(message.rules.tcb_signer_pins),
        evaluation_floor=message.rules.evaluation_floor,
        evaluation_ceiling=message.rules.evaluation_ceiling,
        grace_s=message.rules.grace_s,
    )
    return Request(message.evidence, message.collateral, rules, message.now_s)


def encode_reply(result: Verdict | EvidenceError | CannotDecideError) -> bytes:
    """The canonical bytes of a verdict or a refusal."""
    if isinstance(result, Verdict):
        message = pb.VerificationReply(verdict=verdict_message(result))
    else:
        refusal = pb.VerificationRefusal(
            undecided=isinstance(result, CannotDecideError),
            code=result.code,
            expected=result.expected,
            got=result.got,
        )
        message = pb.VerificationReply(refusal=refusal)
    return encode_message(message, MAX_REPLY_BYTES)


def decode_reply(data: bytes) -> Verdict:
    """The verdict of a reply; raises the refusal that it carries, or DecodeError."""
    message = decode_message(pb.VerificationReply, data, MAX_REPLY_BYTES)
    if message.WhichOneof("result") == "verdict":
        return verdict_of_message(message.verdict)
    refusal = message.refusal
    try:
        if refusal.undecided:
            raise CannotDecideError(
                DecisionFault(refusal.code), expected=refusal.expected, got=refusal.got
            )
        raise EvidenceError(EvidenceFault(refusal.code), expected=refusal.expected, got=refusal.got)
    except ValueError as error:
        raise DecodeError("verification reply: unknown code") from error
