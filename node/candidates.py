"""What the node checks before a transaction is ordered: its bytes and its payloads.

An early refusal only: signature, session, sequence and policy are judged by the rules, in the
block. Payloads are judged here because rules never read them: a sealed value must be the one that
its operation names, evidence must be verified before it can be proposed.
"""

import hashlib
from dataclasses import dataclass
from typing import Protocol

from attestation.errors import AttestationError, CannotDecideError, DecisionFault
from attestation.verdict import encode_verdict
from contracts.errors import RefusedError
from contracts.prepare import Prepared, prepare
from ledger.errors import FormatError
from ledger.format.operation import OpenSession, Operation, Put
from ledger.format.outcome import Coordinates
from ledger.format.sealed import encode_coordinates, sealed_digest, split_sealed
from ledger.format.transaction import writer_of
from ledger.reason import Reason
from node.verifier import EvidenceVerifier

# Not a word on the evidence: the same bytes may be sent again.
_MOMENT: dict[str, Reason] = {
    DecisionFault.VERIFIER_BUSY: Reason.OVERLOADED,
    DecisionFault.VERIFIER_CLOSED: Reason.SHUTTING_DOWN,
}


@dataclass(frozen=True, slots=True)
class Submission:
    """A checked transaction that waits to be ordered; with the verdict if it opens a session."""

    prepared: Prepared
    verdict: bytes | None
    size: int

    @property
    def operations(self) -> int:
        """How many operations it has."""
        return len(self.prepared.operations)


class Checker(Protocol):
    """What turns an envelope into a submission."""

    async def check(self, envelope: bytes) -> Submission:
        """The submission; RefusedError with the reason."""
        ...


class EnvelopeChecker:
    """Decodes envelopes, judges payloads, has evidence verified."""

    def __init__(self, network_id: bytes, verifier: EvidenceVerifier) -> None:
        """Keep the parts."""
        self._network_id = network_id
        self._verifier = verifier

    async def check(self, envelope: bytes) -> Submission:
        """See Checker; `envelope` is at most 4 MiB."""
        try:
            prepared = prepare(envelope, self._network_id)
            verdict = None
            writer = writer_of(prepared.body)
            pairs = zip(prepared.operations, prepared.envelope.payloads, strict=True)
            for operation, payload in pairs:
                verify_payload(operation, payload, self._network_id, writer)
                if isinstance(operation, OpenSession):
                    verdict = await self._judge(prepared, payload)
        except FormatError as error:
            raise RefusedError(error.reason, str(error)) from error
        return Submission(prepared, verdict, len(envelope))

    async def _judge(self, prepared: Prepared, payload: bytes) -> bytes:
        if len(prepared.operations) != 1:
            raise FormatError("OpenSession stands alone in its transaction", Reason.WRONG_SIGNER)
        try:
            return encode_verdict(await self._verifier.verify(payload))
        except CannotDecideError as error:
            reason = _MOMENT.get(error.code, Reason.EVIDENCE_UNDECIDED)
            raise RefusedError(reason, str(error)) from error
        except AttestationError as error:
            raise RefusedError(Reason.EVIDENCE_REFUSED, str(error)) from error


def has_payload(operation: Operation | None) -> bool:
    """Whether something stands beside such an operation: a sealed value or evidence."""
    return isinstance(operation, Put | OpenSession)


def verify_payload(
    operation: Operation | None, payload: bytes, network_id: bytes, writer: bytes
) -> None:
    """Check that a payload is the one its operation names; FormatError otherwise."""
    if isinstance(operation, Put):
        is_named = _is_sealed_for(operation, payload, network_id, writer)
    elif isinstance(operation, OpenSession):
        is_named = hashlib.sha256(payload).digest() == operation.evidence_digest
    elif payload:
        raise FormatError("only Put and OpenSession have payloads")
    else:
        is_named = True
    if not is_named:
        raise FormatError(
            "a payload is not what its operation names: a sealed value, or evidence",
            Reason.PAYLOAD_MISMATCH,
        )


def _is_sealed_for(put: Put, payload: bytes, network_id: bytes, writer: bytes) -> bool:
    header, ciphertext = split_sealed(payload)
    at = Coordinates(put.collection, put.name, put.record_id, put.epoch, put.mode, writer)
    return (
        sealed_digest(header, hashlib.sha256(ciphertext).digest()) == put.sealed_digest
        and len(ciphertext) == put.size
        and header.startswith(encode_coordinates(network_id, at))
    )
