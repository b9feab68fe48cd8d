"""Who must have signed a checkpoint, and the check that they did.

A rule names one log key (its name equals the origin), cosigners with the operator that each
belongs to, a threshold over distinct operators, and outside witnesses with their own threshold.
Checks, in this order, on a note:

1. It is a strict signed note around a strict checkpoint of the rule's origin.
2. No known key, that is name and key id, has two lines.
3. Every line by a known key verifies; one that fails makes the whole note bad. Unknown lines
   are ignored (C2SP signed-note, section Signatures).
4. Cosigners of at least `threshold` distinct operators are among them.
5. For a certified note only: the log key is among them, and `witness_threshold` witnesses.

Without 5 the note is cosigned: what the log key asks for before it signs.

Not here: freshness (the caller compares `time_s` with its clock), consistency with an earlier
checkpoint (merkle.py).
"""

from dataclasses import dataclass
from enum import Enum, auto

from ledger.log.checkpoint import Checkpoint, decode_checkpoint
from ledger.log.cosignature import verify_cosignature
from ledger.log.errors import NoteError, QuorumError
from ledger.log.note import (
    MAX_SIGNATURES,
    Note,
    SignatureLine,
    SignatureType,
    VerifierKey,
    check_key_name,
    decode_note,
    verify_note_signature,
)


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A core that cosigns: a key of type 0x04 and the operator whose vote it is."""

    key: VerifierKey
    operator: str


@dataclass(frozen=True, slots=True)
class QuorumRule:
    """What makes a checkpoint of one log certified.

    Raises QuorumError for a rule that cannot mean what it says: no cosigners, a threshold below 1
    or above the number of operators, a witness threshold outside 0 to the number of witnesses,
    more than 100 keys, a key of the wrong type, or one name or public key in two places.
    """

    log_key: VerifierKey
    cosigners: tuple[Cosigner, ...]
    threshold: int
    witnesses: tuple[VerifierKey, ...] = ()
    witness_threshold: int = 0

    def __post_init__(self) -> None:
        """Refuse impossible rules, so that an empty list is never a satisfied one."""
        if self.log_key.kind is not SignatureType.ED25519:
            raise QuorumError("log key is not of type 0x01")
        if not self.cosigners:
            raise QuorumError("quorum rule has no cosigners")
        operators = {cosigner.operator for cosigner in self.cosigners}
        for operator in operators:
            _check_operator(operator)
        if not 1 <= self.threshold <= len(operators):
            raise QuorumError(f"threshold {self.threshold} is not in 1 to {len(operators)}")
        if not 0 <= self.witness_threshold <= len(self.witnesses):
            raise QuorumError(
                f"witness threshold {self.witness_threshold} is not in 0 to {len(self.witnesses)}"
            )
        _check_keys(self.log_key, (*(one.key for one in self.cosigners), *self.witnesses))

    @property
    def origin(self) -> str:
        """The origin of the log, which is the log key's name."""
        return self.log_key.name


@dataclass(frozen=True, slots=True)
class Cosigned:
    """One verified cosignature: by which key name, at which time in seconds since 1970."""

    name: str
    time_s: int


@dataclass(frozen=True, slots=True)
class CosignedCheckpoint:
    """A checkpoint with the quorum of the cores, not yet signed by the log key.

    `time_s` is the latest time that `threshold` distinct operators have reached or passed.
    """

    checkpoint: Checkpoint
    time_s: int
    cosigned: tuple[Cosigned, ...]


@dataclass(frozen=True, slots=True)
class CertifiedCheckpoint:
    """A checkpoint with the log key's signature, the cores' quorum and the named witnesses.

    `time_s` is the latest time that `threshold` distinct operators have reached or passed.
    """

    checkpoint: Checkpoint
    time_s: int
    cosigned: tuple[Cosigned, ...]
    witnessed: tuple[Cosigned, ...]


def verify_quorum(note: bytes, rule: QuorumRule) -> CosignedCheckpoint:
    """Check that a note carries the cores' quorum (1 to 4 above).

    Raises NoteError, CheckpointError or QuorumError.
    """
    checkpoint, signed = _verify_lines(note, rule)
    return CosignedCheckpoint(checkpoint, _quorum_time(signed, rule), signed.cosigned)


def verify_certified(note: bytes, rule: QuorumRule) -> CertifiedCheckpoint:
    """Check that a note is certified (1 to 5 above).

    Raises NoteError, CheckpointError or QuorumError.
    """
    checkpoint, signed = _verify_lines(note, rule)
    time_s = _quorum_time(signed, rule)
    if not signed.by_log:
        raise QuorumError("note has no signature by the log key")
    if len(signed.witnessed) < rule.witness_threshold:
        raise QuorumError(
            f"note has {len(signed.witnessed)} witnesses, {rule.witness_threshold} needed"
        )
    return CertifiedCheckpoint(checkpoint, time_s, signed.cosigned, signed.witnessed)


class _Role(Enum):
    LOG = auto()
    COSIGNER = auto()
    WITNESS = auto()


@dataclass(frozen=True, slots=True)
class _Known:
    role: _Role
    key: VerifierKey


@dataclass(frozen=True, slots=True)
class _Signed:
    by_log: bool
    cosigned: tuple[Cosigned, ...]
    witnessed: tuple[Cosigned, ...]


def _verify_lines(data: bytes, rule: QuorumRule) -> tuple[Checkpoint, _Signed]:
    note = decode_note(data)
    checkpoint = decode_checkpoint(note.text)
    if checkpoint.origin != rule.origin:
        raise QuorumError("checkpoint is of another origin")
    found = _known_lines(note, rule)
    times: dict[_Role, list[Cosigned]] = {role: [] for role in _Role}
    for known, line in found:
        if known.role is _Role.LOG:
            verify_note_signature(note.text, line, known.key)
            time_s = 0
        else:
            time_s = verify_cosignature(note.text, line, known.key)
        times[known.role].append(Cosigned(line.name, time_s))
    signed = _Signed(
        bool(times[_Role.LOG]), tuple(times[_Role.COSIGNER]), tuple(times[_Role.WITNESS])
    )
    return checkpoint, signed


def _known_lines(note: Note, rule: QuorumRule) -> list[tuple[_Known, SignatureLine]]:
    known = {(rule.log_key.name, rule.log_key.key_id): _Known(_Role.LOG, rule.log_key)}
    for cosigner in rule.cosigners:
        known[cosigner.key.name, cosigner.key.key_id] = _Known(_Role.COSIGNER, cosigner.key)
    for witness in rule.witnesses:
        known[witness.name, witness.key_id] = _Known(_Role.WITNESS, witness)
    found: dict[tuple[str, bytes], tuple[_Known, SignatureLine]] = {}
    for line in note.signatures:
        identity = (line.name, line.key_id)
        if identity in found:
            raise QuorumError("note has two signature lines by one known key")
        if identity in known:
            found[identity] = known[identity], line
    return list(found.values())


def _quorum_time(signed: _Signed, rule: QuorumRule) -> int:
    operator_of = {cosigner.key.name: cosigner.operator for cosigner in rule.cosigners}
    latest: dict[str, int] = {}
    for cosigned in signed.cosigned:
        operator = operator_of[cosigned.name]
        latest[operator] = max(cosigned.time_s, latest.get(operator, 0))
    if len(latest) < rule.threshold:
        raise QuorumError(f"note has {len(latest)} operators, {rule.threshold} needed")
    return sorted(latest.values(), reverse=True)[rule.threshold - 1]


def _check_operator(operator: str) -> None:
    try:
        check_key_name(operator)
    except NoteError as fault:
        raise QuorumError(f"operator: {fault}") from None


def _check_keys(log_key: VerifierKey, others: tuple[VerifierKey, ...]) -> None:
    keys = (log_key, *others)
    if len(keys) > MAX_SIGNATURES:
        raise QuorumError(f"quorum rule has {len(keys)} keys, at most {MAX_SIGNATURES} allowed")
    if any(key.kind is not SignatureType.COSIGNATURE for key in others):
        raise QuorumError("a cosigner's or witness's key is not of type 0x04")
    if len({key.name for key in keys}) != len(keys):
        raise QuorumError("quorum rule has one name twice")
    if len({key.public_key for key in keys}) != len(keys):
        raise QuorumError("quorum rule has one public key twice")
