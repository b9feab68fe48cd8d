"""The bytes between the node and its verifier process: one request, one reply.

Rules: both sides decode strictly, so a broken child cannot hand the node an object that the verdict
codec would refuse. Frames are a length (u32, big endian) and that many bytes; a reply of another
shape means that the child is broken.
"""

from dataclasses import dataclass

from attestation.collateral import MAX_COLLATERAL_BYTES, is_key
from attestation.collateral_verdict import (
    CollateralVerdict,
    collateral_verdict_message,
    collateral_verdict_of_message,
)
from attestation.errors import (
    CannotDecideError,
    DecisionFault,
    DecodeError,
    EvidenceError,
    EvidenceFault,
)
from attestation.evidence import MAX_EVIDENCE_BYTES
from attestation.rules import VerificationRules
from attestation.verdict import Verdict, verdict_message, verdict_of_message
from attestation.wire import decode_message, encode_message
from sealedger.v1 import attestation_pb2 as pb

LENGTH_SIZE = 4
MAX_RULES_BYTES = 256 * 1024
MAX_REQUEST_BYTES = MAX_EVIDENCE_BYTES + MAX_COLLATERAL_BYTES + MAX_RULES_BYTES
MAX_REPLY_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class FindKey:
    """Which collateral does this evidence need? `attestation.verify.collateral_key`."""

    evidence: bytes


@dataclass(frozen=True, slots=True)
class JudgeEvidence:
    """The arguments of `attestation.verify.verify`."""

    evidence: bytes
    collateral: bytes
    rules: VerificationRules
    now_s: int


@dataclass(frozen=True, slots=True)
class JudgeCollateral:
    """The arguments of `attestation.verify.verify_collateral`."""

    collateral: bytes
    rules: VerificationRules
    now_s: int


Request = FindKey | JudgeEvidence | JudgeCollateral
Answer = Verdict | CollateralVerdict | str


def encode_request(request: Request) -> bytes:
    """The canonical bytes of a request; raises DecodeError when a number or size is too large."""
    try:
        return encode_message(_request_message(request), MAX_REQUEST_BYTES)
    except ValueError as error:
        raise DecodeError("verification request: a number is out of range") from error


def decode_request(data: bytes) -> Request:
    """The request of canonical bytes; raises DecodeError for anything else."""
    message = decode_message(pb.VerificationRequest, data, MAX_REQUEST_BYTES)
    if not message.collateral:
        if message.HasField("rules") or message.now_s:
            raise DecodeError("verification request: of no kind")
        return FindKey(message.evidence)
    if not message.HasField("rules"):
        raise DecodeError("verification request: no rules")
    rules = VerificationRules(
        roots=tuple(message.rules.roots),
        tcb_signer_pins=tuple(message.rules.tcb_signer_pins),
        evaluation_floor=message.rules.evaluation_floor,
        evaluation_ceiling=message.rules.evaluation_ceiling,
        grace_s=message.rules.grace_s,
        revocations_optional=message.rules.revocations_optional,
    )
    if message.evidence:
        return JudgeEvidence(message.evidence, message.collateral, rules, message.now_s)
    return JudgeCollateral(message.collateral, rules, message.now_s)


def encode_reply(result: Answer | EvidenceError | CannotDecideError) -> bytes:
    """The canonical bytes of an answer or a refusal."""
    if isinstance(result, Verdict):
        message = pb.VerificationReply(verdict=verdict_message(result))
    elif isinstance(result, CollateralVerdict):
        message = pb.VerificationReply(collateral=collateral_verdict_message(result))
    elif isinstance(result, str):
        message = pb.VerificationReply(collateral_key=result)
    else:
        refusal = pb.VerificationRefusal(
            undecided=isinstance(result, CannotDecideError),
            code=result.code,
            expected=result.expected,
            got=result.got,
        )
        message = pb.VerificationReply(refusal=refusal)
    return encode_message(message, MAX_REPLY_BYTES)


def decode_reply(data: bytes) -> Answer:
    """The answer in a reply; raises the refusal that it carries, or DecodeError."""
    message = decode_message(pb.VerificationReply, data, MAX_REPLY_BYTES)
    match message.WhichOneof("result"):
        case "verdict":
            return verdict_of_message(message.verdict)
        case "collateral":
            return collateral_verdict_of_message(message.collateral)
        case "collateral_key":
            if not is_key(message.collateral_key):
                raise DecodeError("verification reply: no key of collateral")
            return message.collateral_key
        case _:
            raise _refusal(message.refusal)


def _refusal(refusal: pb.VerificationRefusal) -> EvidenceError | CannotDecideError:
    said: EvidenceError | CannotDecideError
    try:
        if refusal.undecided:
            said = CannotDecideError(
                DecisionFault(refusal.code), expected=refusal.expected, got=refusal.got
            )
        else:
            said = EvidenceError(
                EvidenceFault(refusal.code), expected=refusal.expected, got=refusal.got
            )
    except ValueError as error:
        raise DecodeError("verification reply: unknown code") from error
    if (said.expected, said.got) != (refusal.expected, refusal.got):
        raise DecodeError("verification reply: a text that no refusal has")
    return said


def _request_message(request: Request) -> pb.VerificationRequest:
    if isinstance(request, FindKey):
        return pb.VerificationRequest(evidence=request.evidence)
    rules = request.rules
    return pb.VerificationRequest(
        evidence=request.evidence if isinstance(request, JudgeEvidence) else b"",
        collateral=request.collateral,
        rules=pb.VerificationRules(
            roots=rules.roots,
            tcb_signer_pins=rules.tcb_signer_pins,
            evaluation_floor=rules.evaluation_floor,
            evaluation_ceiling=rules.evaluation_ceiling,
            grace_s=rules.grace_s,
            revocations_optional=rules.revocations_optional,
        ),
        now_s=request.now_s,
    )
