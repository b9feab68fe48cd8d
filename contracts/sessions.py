"""The rules of sessions: which evidence opens one. Every fault here refuses; none is an entry.

1. The transaction has exactly this operation, signed by the key that the session will use (so the
   key is a point on P-256: the signature was checked under it).
2. It names the current trust document and service key, and a block end of this log that is young
   enough: that makes the evidence fresh on every replica without any server state.
3. The verdict that travels in the block is there, was made about now by the collateral that is in
   force (standing.py), and its report data binds all of it.
4. The quote opened no session before (a session key cannot: its sequence 0 ran).
5. At least one policy on the ledger admits the identity (admission.py says how that is found).
6. The identity has not too many sessions open (slots.py).
"""

from attestation.errors import AttestationError
from attestation.handshake import CLIENT_LABEL, ReportBinding, report_data, session_id
from attestation.identity import encode_identity, identity_digest
from attestation.verdict import Verdict, decode_verdict
from ledger import keys
from ledger.format.operation import OpenSession
from ledger.format.outcome import Outcome, SessionOpened
from ledger.reason import Reason

from contracts.admission import Moment, is_named
from contracts.errors import RefusedError, StateError
from contracts.prepare import Prepared
from contracts.records import Parameters, SessionRecord, encode_session
from contracts.slots import take_slot
from contracts.standing import generation_of
from contracts.view import Changes, LogView


def open_session(
    prepared: Prepared,
    verdict: bytes | None,
    state: Changes,
    parameters: Parameters,
    log: LogView,
    when: tuple[int, int],
) -> Outcome:
    """Open a session (1 to 6 above) at `when` = (block time in ms, entry index).

    Raises RefusedError with the first reason.
    """
    time_ms, index = when
    operation = _only_operation(prepared)
    _verify_names(operation, parameters)
    _verify_fresh(operation, parameters, log, time_ms)
    judged = _verdict(verdict)
    generation = generation_of(judged, state, parameters, time_ms)
    _verify_binding(prepared, operation, judged, parameters)
    if state.get(keys.quote(judged.quote_digest)) is not None:
        raise RefusedError(Reason.EVIDENCE_REUSED, "make a new quote: this one opened a session")
    identity = encode_identity(judged.identity)
    _verify_admitted(identity, state, parameters, time_ms)
    digest = identity_digest(identity)
    opened = session_id(prepared.envelope.body)
    take_slot(opened, digest, state, parameters, time_ms)
    record = SessionRecord(
        public_key=operation.session_key,
        identity_digest=digest,
        expires_ms=time_ms + parameters.session_ms,
        epoch=parameters.epoch,
        index=index,
        quote_digest=judged.quote_digest,
        generation=generation,
        collateral_key=judged.collateral_key,
        identity=identity,
    )
    state.put(keys.session(opened), encode_session(record))
    state.put(keys.quote(judged.quote_digest), opened)
    detail = SessionOpened(opened, record.expires_ms, record.epoch, verdict or b"")
    return Outcome(Reason.OK, detail)


def _only_operation(prepared: Prepared) -> OpenSession:
    body = prepared.body
    operation = prepared.operations[0]
    if len(prepared.operations) != 1 or not isinstance(operation, OpenSession):
        raise RefusedError(
            Reason.WRONG_SIGNER, "a new session key signs one OpenSession and nothing else"
        )
    if operation.session_key != body.signer or body.sequence != 0:
        raise RefusedError(
            Reason.WRONG_SIGNER, "sign with the session key that the operation names, sequence 0"
        )
    return operation


def _verify_names(operation: OpenSession, parameters: Parameters) -> None:
    if operation.trust_digest != parameters.trust_digest:
        raise RefusedError(
            Reason.WRONG_TRUST_DOCUMENT, "fetch the current trust document with Hello"
        )
    if operation.service_key != parameters.service_key:
        raise RefusedError(Reason.WRONG_SERVICE_KEY, "fetch the current service key with Hello")


def _verify_fresh(
    operation: OpenSession, parameters: Parameters, log: LogView, time_ms: int
) -> None:
    end = log.block_end(operation.checkpoint_size)
    if end is None or end.root != operation.checkpoint_root:
        raise RefusedError(Reason.STALE_CHECKPOINT, "the evidence names no checkpoint of this log")
    if time_ms - end.time_ms > parameters.checkpoint_age_ms:
        raise RefusedError(
            Reason.STALE_CHECKPOINT, "make evidence over a checkpoint of the last minutes"
        )


def _verdict(verdict: bytes | None) -> Verdict:
    if verdict is None:
        raise RefusedError(Reason.EVIDENCE_UNDECIDED, "the evidence was not judged")
    try:
        return decode_verdict(verdict)
    except AttestationError as error:
        raise StateError("the block's verdict does not decode") from error


def _verify_binding(
    prepared: Prepared, operation: OpenSession, verdict: Verdict, parameters: Parameters
) -> None:
    expected = report_data(
        CLIENT_LABEL,
        ReportBinding(
            network_id=prepared.body.network_id,
            trust_digest=parameters.trust_digest,
            own_keys=(operation.session_key, operation.kem_key),
            peer_service_key=parameters.service_key,
            size=operation.checkpoint_size,
            root=operation.checkpoint_root,
        ),
    )
    if verdict.report_data != expected:
        raise RefusedError(
            Reason.WRONG_REPORT_DATA, "the quote does not bind these keys, network and checkpoint"
        )


def _verify_admitted(identity: bytes, state: Changes, parameters: Parameters, time_ms: int) -> None:
    if not is_named(state, identity, Moment(parameters.is_development, time_ms)):
        raise RefusedError(Reason.NOT_ADMITTED, "no collection's policy admits this enclave")
