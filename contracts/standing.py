"""Whether a session may be used: asked again at each use, since what let it in may have turned bad.

1. By block time it has not ended.
2. Members did not revoke it, and too many denials did not close it.
3. What it was judged by still stands: the collateral for its platform has the generation that the
   session remembers (`collateral` says when that grows), and block time is not past the end and
   grace of the edition in force. Newer dates alone end nothing, and let a session live longer.
All of it is compared as of block time, so every replica answers alike. It costs one more row for
each transaction and nothing for each operation. Not here: policies and what an owner revoked for a
collection (`place`), whether evidence opens a session at all (`sessions`).
"""

from attestation.verdict import Verdict
from ledger.reason import Reason

from contracts.collateral import CollateralRecord, collateral_of, is_timely
from contracts.errors import RefusedError
from contracts.records import Parameters, SessionRecord, SignerRecord
from contracts.view import StateView

_EXPIRED = (Reason.SESSION_EXPIRED, "attest again")
_REVOKED = (Reason.SESSION_REVOKED, "members revoked this session: ask them before attesting again")
_CLOSED = (Reason.SESSION_CLOSED, "it was closed, or denied too often: attest again")
_CHANGED = (
    Reason.COLLATERAL_CHANGED,
    "what is known of this platform changed since the session was opened: attest again",
)
_UNDECIDED = Reason.EVIDENCE_UNDECIDED
_RENEWED = "an operator of the network renews it (sealedger collateral update --help)"


def verify_usable(
    session: SessionRecord,
    signer: SignerRecord,
    view: StateView,
    parameters: Parameters,
    time_ms: int,
) -> None:
    """Raise RefusedError with the first reason why the session may not be used (1 to 3 above)."""
    fault = _fault(session, signer, view, parameters, time_ms)
    if fault is not None:
        raise RefusedError(*fault)


def is_usable(
    session: SessionRecord,
    signer: SignerRecord,
    view: StateView,
    parameters: Parameters,
    time_ms: int,
) -> bool:
    """Whether the session may be used (1 to 3 above)."""
    return _fault(session, signer, view, parameters, time_ms) is None


def generation_of(verdict: Verdict, view: StateView, parameters: Parameters, time_ms: int) -> int:
    """The generation of the collateral that a verdict on evidence was made by.

    Raises RefusedError EVIDENCE_UNDECIDED unless it was made about now, by the very bytes that are
    in force, and these have not ended. The same evidence may be sent again then.
    """
    if not is_timely(verdict.verified_at_s, parameters, time_ms):
        raise RefusedError(_UNDECIDED, "the evidence was judged at another time: send it again")
    key = verdict.collateral_key
    record = collateral_of(view, key)
    if record is None:
        raise RefusedError(_UNDECIDED, f"the ledger holds no collateral for {key}: {_RENEWED}")
    if record.digest != verdict.collateral_digest:
        raise RefusedError(
            _UNDECIDED, "the collateral changed while this was judged: send it again"
        )
    if _has_ended(record, parameters, time_ms):
        raise RefusedError(_UNDECIDED, f"the collateral for {key} has ended: {_RENEWED}")
    return record.generation


def _fault(
    session: SessionRecord,
    signer: SignerRecord,
    view: StateView,
    parameters: Parameters,
    time_ms: int,
) -> tuple[Reason, str] | None:
    if time_ms >= session.expires_ms:  # 1
        return _EXPIRED
    if signer.is_revoked:  # 2
        return _REVOKED
    if signer.is_closed:
        return _CLOSED
    record = collateral_of(view, session.collateral_key)  # 3
    if (
        record is None
        or record.generation != session.generation
        or _has_ended(record, parameters, time_ms)
    ):
        return _CHANGED
    return None


def _has_ended(record: CollateralRecord, parameters: Parameters, time_ms: int) -> bool:
    return time_ms // 1000 > record.valid_until_s + parameters.grace_s
