"""State records: fixed-width where it can be, one encoder and decoder each. Integers big-endian.

Records are written by these rules only, so a record that does not decode is a StateError (ours).
Decoders are cached by bytes: sessions, collections and parameters are read for each operation.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache

from ledger.format.terms import ADDRESS_BYTES
from ledger.format.transaction import split

from contracts.errors import StateError

_SIGNER = struct.Struct(">QIBB")
_SEQUENCE = struct.Struct(">32sQ")
_SESSION = struct.Struct(">33s32sQIQ32sQB")
_PARAMETERS = struct.Struct(">QIIQQQQQQIIIQIIIIII32s32s")
_COUNTS = 3  # bytes
_NODE_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Parameters:
    """What genesis and trust documents set, as the rules use it."""

    trust_version: int
    epoch: int
    rules_version: int
    rules_height: int
    session_ms: int
    skew_ms: int
    checkpoint_age_ms: int
    receipt_age_ms: int
    block_interval_ms: int
    value_bytes: int
    denials: int
    owner_collections: int
    owner_bytes: int
    identity_sessions: int  # open ones of one identity
    owner_releases: int  # published ones of one account
    grace_s: int  # how long collateral is used after its end
    tcb_floor: int  # lowest number of collateral
    tcb_ceiling: int  # highest; 0: none
    member_threshold: int
    trust_digest: bytes
    service_key: bytes
    is_development: bool
    nodes: tuple[bytes, ...]  # Ed25519 keys that may sign as a node
    members: tuple[bytes, ...]  # addresses that vote
    auditors: tuple[bytes, ...]  # addresses that may ask about everything


def encode_parameters(parameters: Parameters) -> bytes:
    """Fixed part, a byte for development, numbers of nodes and members, then the three lists."""
    fixed = _PARAMETERS.pack(
        parameters.trust_version,
        parameters.epoch,
        parameters.rules_version,
        parameters.rules_height,
        parameters.session_ms,
        parameters.skew_ms,
        parameters.checkpoint_age_ms,
        parameters.receipt_age_ms,
        parameters.block_interval_ms,
        parameters.value_bytes,
        parameters.denials,
        parameters.owner_collections,
        parameters.owner_bytes,
        parameters.identity_sessions,
        parameters.owner_releases,
        parameters.grace_s,
        parameters.tcb_floor,
        parameters.tcb_ceiling,
        parameters.member_threshold,
        parameters.trust_digest,
        parameters.service_key,
    )
    nodes, members = parameters.nodes, parameters.members
    counts = bytes((parameters.is_development, len(nodes), len(members)))
    return b"".join((fixed, counts, *nodes, *members, *parameters.auditors))


@lru_cache(maxsize=8)
def decode_parameters(data: bytes) -> Parameters:
    """The parameters; StateError if they are not ours."""
    at = _PARAMETERS.size + _COUNTS
    if len(data) < at or data[_PARAMETERS.size] > 1:
        raise StateError("parameters: not ours")
    development, nodes, members = data[_PARAMETERS.size : at]
    to_members = at + _NODE_KEY_BYTES * nodes
    to_auditors = to_members + ADDRESS_BYTES * members
    if len(data) < to_auditors or (len(data) - to_auditors) % ADDRESS_BYTES:
        raise StateError("parameters: not ours")
    fields = (
        *_PARAMETERS.unpack_from(data),
        bool(development),
        split(data[at:to_members], _NODE_KEY_BYTES),
        split(data[to_members:to_auditors], ADDRESS_BYTES),
        split(data[to_auditors:], ADDRESS_BYTES),
    )
    return Parameters(*fields)


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session that was opened: its key, who it is, until when (block time), judged by what."""

    public_key: bytes
    identity_digest: bytes
    expires_ms: int
    epoch: int
    index: int
    quote_digest: bytes
    generation: int  # of the collateral that its evidence was judged by
    collateral_key: str
    identity: bytes  # attestation's canonical identity bytes


def encode_session(session: SessionRecord) -> bytes:
    """Fixed part, then the collateral's key and the identity."""
    key = session.collateral_key.encode("ascii")
    return (
        _SESSION.pack(
            session.public_key,
            session.identity_digest,
            session.expires_ms,
            session.epoch,
            session.index,
            session.quote_digest,
            session.generation,
            len(key),
        )
        + key
        + session.identity
    )


@lru_cache(maxsize=4096)
def decode_session(data: bytes) -> SessionRecord:
    """The record; StateError if it is cut."""
    if len(data) <= _SESSION.size:
        raise StateError("session: wrong length")
    *fixed, key_bytes = _SESSION.unpack_from(data)
    middle = _SESSION.size + key_bytes
    key, identity = data[_SESSION.size : middle], data[middle:]
    if not key.isascii() or not identity:
        raise StateError("session: not one of ours")
    fields = (*fixed, key.decode("ascii"), identity)
    return SessionRecord(*fields)


@dataclass(frozen=True, slots=True)
class SignerRecord:
    """How far a signer's sequence numbers went, how often it was denied, and how it ended."""

    highest: int = 0
    denials: int = 0
    is_closed: bool = False  # after too many denials
    is_revoked: bool = False  # by members


def encode_signer(signer: SignerRecord) -> bytes:
    """14 bytes."""
    return _SIGNER.pack(signer.highest, signer.denials, signer.is_closed, signer.is_revoked)


def decode_signer(data: bytes | None) -> SignerRecord:
    """The record; a signer that was never seen has a fresh one."""
    if data is None:
        return SignerRecord()
    if len(data) != _SIGNER.size:
        raise StateError("signer: wrong length")
    highest, denials, closed, revoked = _SIGNER.unpack(data)
    if closed > 1 or revoked > 1:
        raise StateError("signer: not one of ours")
    return SignerRecord(highest, denials, bool(closed), bool(revoked))


@dataclass(frozen=True, slots=True)
class SequenceRecord:
    """What a sequence number ran: which body, at which entry."""

    transaction: bytes
    index: int


def encode_sequence(record: SequenceRecord) -> bytes:
    """40 bytes."""
    return _SEQUENCE.pack(record.transaction, record.index)


def decode_sequence(data: bytes) -> SequenceRecord:
    """The record; StateError if it has another length."""
    if len(data) != _SEQUENCE.size:
        raise StateError("sequence: wrong length")
    return SequenceRecord(*_SEQUENCE.unpack(data))
