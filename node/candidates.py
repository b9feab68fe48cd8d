"""What the node checks before a transaction is ordered: its bytes and its payloads.

An early refusal only: signature, session, sequence and policy are judged by the rules, in the
block. Payloads are judged here because rules never read them: a sealed value must be the one that
its operation names, evidence and collateral must be verified before they can be proposed.
Collateral is looked at only for a node of the trust document: nobody else can put it in force. What
stands on the ledger already is not judged again: the rules answer it with its first entry, whatever
became of collateral since, and who copies it from there cannot keep the verifier busy.
"""

import hashlib
from dataclasses import dataclass
from typing import Protocol

from attestation.collateral import MAX_COLLATERAL_BYTES
from attestation.collateral_verdict import encode_collateral_verdict
from attestation.errors import AttestationError, CannotDecideError, DecisionFault
from attestation.verdict import encode_verdict
from contracts.errors import RefusedError
from contracts.execute import parameters_of
from contracts.prepare import Prepared, prepare
from contracts.view import StateView
from ledger import keys
from ledger.crypto import ed25519
from ledger.errors import FormatError
from ledger.format.hygiene import UpdateCollateral
from ledger.format.operation import OpenSession, Operation, Put
from ledger.format.outcome import Coordinates
from ledger.format.sealed import encode_coordinates, sealed_digest, split_sealed
from ledger.format.transaction import Body, SignerKind, signed_message, writer_of
from ledger.reason import Reason
from node.verifier import CollateralFaultError, EvidenceVerifier

# Not a word on the evidence: the same bytes may be sent again.
_MOMENT: dict[str, Reason] = {
    DecisionFault.VERIFIER_BUSY: Reason.OVERLOADED,
    DecisionFault.VERIFIER_CLOSED: Reason.SHUTTING_DOWN,
}


@dataclass(frozen=True, slots=True)
class Submission:
    """A checked transaction that waits to be ordered.

    `verdict` is that on the evidence of an OpenSession or the collateral of an UpdateCollateral.
    """

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
    """Decodes envelopes, judges payloads, has evidence and collateral verified."""

    def __init__(self, network_id: bytes, verifier: EvidenceVerifier, view: StateView) -> None:
        """Keep the parts; `view` says which nodes there are, and what ran."""
        self._network_id = network_id
        self._verifier = verifier
        self._view = view

    async def check(self, envelope: bytes) -> Submission:
        """See Checker; `envelope` is at most 4 MiB."""
        try:
            prepared = prepare(envelope, self._network_id)
            writer = writer_of(prepared.body)
            pairs = zip(prepared.operations, prepared.envelope.payloads, strict=True)
            for operation, payload in pairs:
                verify_payload(operation, payload, self._network_id, writer)
            verdict = await self._verdict(prepared)
        except FormatError as error:
            raise RefusedError(error.reason, str(error)) from error
        return Submission(prepared, verdict, len(envelope))

    async def _verdict(self, prepared: Prepared) -> bytes | None:
        judged = [one for one in prepared.operations if isinstance(one, _JUDGED)]
        if not judged:
            return None
        if len(prepared.operations) != 1:
            name = type(judged[0]).__name__
            raise FormatError(f"{name} stands alone in its transaction", Reason.WRONG_SIGNER)
        if self._ran(prepared.body):
            return None
        payload = prepared.envelope.payloads[0]
        if isinstance(judged[0], OpenSession):
            return await self._judge_evidence(payload)
        self._verify_node(prepared)
        return await self._judge_collateral(payload)

    def _ran(self, body: Body) -> bool:
        """Whether the signer's number ran something: then no verdict is looked at."""
        key = keys.sequence(body.signer_kind, body.signer, body.sequence)
        return self._view.get(key) is not None

    async def _judge_evidence(self, evidence: bytes) -> bytes:
        try:
            return encode_verdict(await self._verifier.verify(evidence))
        except CannotDecideError as error:
            reason = _MOMENT.get(error.code, Reason.EVIDENCE_UNDECIDED)
            mend = f"; {error.mend}" if isinstance(error, CollateralFaultError) else ""
            raise RefusedError(reason, f"{error}{mend}") from error
        except AttestationError as error:
            raise RefusedError(Reason.EVIDENCE_REFUSED, str(error)) from error

    async def _judge_collateral(self, collateral: bytes) -> bytes:
        try:
            return encode_collateral_verdict(await self._verifier.verify_collateral(collateral))
        except AttestationError as error:
            code = error.code if isinstance(error, CannotDecideError) else ""
            reason = _MOMENT.get(code, Reason.COLLATERAL_REFUSED)
            raise RefusedError(reason, str(error)) from error

    def _verify_node(self, prepared: Prepared) -> None:
        """The rules ask the same; here it keeps strangers from the verifier."""
        body = prepared.body
        if body.signer_kind is not SignerKind.NODE:
            raise RefusedError(Reason.WRONG_SIGNER, "collateral is updated by a node")
        if body.signer not in parameters_of(self._view).nodes:
            raise RefusedError(Reason.UNKNOWN_SIGNER, "the trust document names no such node")
        message = signed_message(body.network_id, prepared.envelope.body)
        if not ed25519.is_valid(body.signer, prepared.envelope.signature, message):
            raise RefusedError(
                Reason.BAD_SIGNATURE, "sign the body with the signer's own key, low s"
            )


_JUDGED = (OpenSession, UpdateCollateral)


def has_payload(operation: Operation | None) -> bool:
    """Whether something stands beside such an operation: a sealed value, evidence, collateral."""
    return isinstance(operation, Put | OpenSession | UpdateCollateral)


def verify_payload(
    operation: Operation | None, payload: bytes, network_id: bytes, writer: bytes
) -> None:
    """Check that a payload is the one its operation names; FormatError otherwise."""
    if isinstance(operation, Put):
        is_named = _is_sealed_for(operation, payload, network_id, writer)
    elif isinstance(operation, OpenSession):
        is_named = hashlib.sha256(payload).digest() == operation.evidence_digest
    elif isinstance(operation, UpdateCollateral):
        if len(payload) > MAX_COLLATERAL_BYTES:
            raise FormatError(f"collateral: {len(payload)} bytes", Reason.TOO_LARGE)
        is_named = hashlib.sha256(payload).digest() == operation.digest
    elif payload:
        raise FormatError("only Put, OpenSession and UpdateCollateral have payloads")
    else:
        is_named = True
    if not is_named:
        raise FormatError(
            "a payload is not what its operation names: a sealed value, evidence or collateral",
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
