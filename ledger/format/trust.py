"""The trust document: who is believed about this network, versioned and hash-chained.

Version 1 stands in genesis. Version v+1 is signed by the member threshold of v and of v+1 and names
the digest of v, never back (design section 6; TUF's rule for root metadata). Until members can sign
(the governance work) only version 1 exists, and genesis is the only way in.
"""

import hashlib
from dataclasses import dataclass

from sealedger.v1 import ledger_pb2 as pb

from ledger.errors import FormatError
from ledger.format.strict import decode_strict, encode, verify_length
from ledger.log.errors import LogError
from ledger.log.note import SignatureType, VerifierKey
from ledger.log.quorum import Cosigner, QuorumRule

MAX_TRUST_BYTES = 48 * 1024
MAX_MEMBERS = 64
# As long as an edition of Intel's lasts: past that nobody would notice that no newer one comes.
MAX_GRACE_S = 30 * 24 * 3600
_DOMAIN = b"sealedger/trust/1\0"


@dataclass(frozen=True, slots=True)
class Party:
    """A cosigner or witness: its key name, Ed25519 key and who operates it."""

    name: str
    public_key: bytes
    operator: str


@dataclass(frozen=True, slots=True)
class TrustDocument:
    """Everything that clients, auditors and key services believe about the network."""

    version: int
    previous_digest: bytes  # `trust_digest` of the document before; empty in version 1
    members: tuple[bytes, ...]  # 20-byte addresses
    member_threshold: int
    origin: str
    log_generation: int
    log_key: bytes
    service_key: bytes
    cosigners: tuple[Party, ...]
    quorum: int  # distinct operators among the cosigners
    witnesses: tuple[Party, ...]
    witness_quorum: int
    core_policy: bytes
    roots: tuple[bytes, ...]  # DER certificates
    tcb_signer_pins: tuple[bytes, ...]  # SHA-256 of SubjectPublicKeyInfo
    tcb_floor: int
    tcb_ceiling: int  # 0: none
    rules_version: int
    rules_height: int
    epoch: int
    grace_s: int  # how long collateral is used after its end, at most MAX_GRACE_S


def trust_digest(data: bytes) -> bytes:
    """The digest of a document's bytes: what report data and the next version name."""
    return hashlib.sha256(_DOMAIN + data).digest()


def encode_trust(trust: TrustDocument) -> bytes:
    """The canonical bytes of a trust document."""
    return encode(
        pb.TrustDocument(
            version=trust.version,
            previous_digest=trust.previous_digest,
            members=trust.members,
            member_threshold=trust.member_threshold,
            origin=trust.origin,
            log_generation=trust.log_generation,
            log_key=trust.log_key,
            service_key=trust.service_key,
            cosigners=map(_party_message, trust.cosigners),
            quorum=trust.quorum,
            witnesses=map(_party_message, trust.witnesses),
            witness_quorum=trust.witness_quorum,
            core_policy=trust.core_policy,
            roots=trust.roots,
            tcb_signer_pins=trust.tcb_signer_pins,
            tcb_floor=trust.tcb_floor,
            tcb_ceiling=trust.tcb_ceiling,
            rules_version=trust.rules_version,
            rules_height=trust.rules_height,
            epoch=trust.epoch,
            grace_s=trust.grace_s,
        )
    )


def decode_trust(data: bytes) -> TrustDocument:
    """Decode a trust document of at most 48 KiB; FormatError for anything that cannot be meant."""
    message = decode_strict(pb.TrustDocument, data, MAX_TRUST_BYTES)
    if len(message.previous_digest) != (0 if message.version == 1 else 32):
        raise FormatError("trust document: previous_digest does not fit the version")
    trust = TrustDocument(
        version=message.version,
        previous_digest=message.previous_digest,
        members=tuple(verify_length("member", member, 20) for member in message.members),
        member_threshold=message.member_threshold,
        origin=message.origin,
        log_generation=message.log_generation,
        log_key=verify_length("log_key", message.log_key, 32),
        service_key=verify_length("service_key", message.service_key, 32),
        cosigners=tuple(map(_party, message.cosigners)),
        quorum=message.quorum,
        witnesses=tuple(map(_party, message.witnesses)),
        witness_quorum=message.witness_quorum,
        core_policy=message.core_policy,
        roots=tuple(message.roots),
        tcb_signer_pins=tuple(verify_length("pin", pin, 32) for pin in message.tcb_signer_pins),
        tcb_floor=message.tcb_floor,
        tcb_ceiling=message.tcb_ceiling,
        rules_version=message.rules_version,
        rules_height=message.rules_height,
        epoch=message.epoch,
        grace_s=message.grace_s,
    )
    _verify_counts(trust)
    return trust


def quorum_rule(trust: TrustDocument) -> QuorumRule:
    """Who must have signed a checkpoint; FormatError if the document's keys cannot make a rule."""
    kind = SignatureType.COSIGNATURE
    try:
        return QuorumRule(
            log_key=VerifierKey(trust.origin, SignatureType.ED25519, trust.log_key),
            cosigners=tuple(
                Cosigner(VerifierKey(party.name, kind, party.public_key), party.operator)
                for party in trust.cosigners
            ),
            threshold=trust.quorum,
            witnesses=tuple(
                VerifierKey(party.name, kind, party.public_key) for party in trust.witnesses
            ),
            witness_threshold=trust.witness_quorum,
        )
    except LogError as error:
        raise FormatError(f"trust document: {error}") from error


def _verify_counts(trust: TrustDocument) -> None:
    wrong = {
        "version": trust.version < 1,
        "origin": trust.origin.partition("/")[0] == ""
        or not trust.origin.endswith(f"/{trust.log_generation}"),
        # No members and no threshold: nobody can change it. A threshold of 0 would let anybody.
        "members": min(len(trust.members), 1) > trust.member_threshold
        or trust.member_threshold > len(trust.members)
        or len(set(trust.members)) != len(trust.members)
        or len(trust.members) > MAX_MEMBERS,
        "core_policy": not trust.core_policy,
        "roots": not trust.roots,
        "tcb_ceiling": 0 < trust.tcb_ceiling < trust.tcb_floor,
        "rules_version": trust.rules_version < 1,
        "epoch": trust.epoch < 1,
        "grace_s": trust.grace_s > MAX_GRACE_S,
    }
    for field, is_wrong in wrong.items():
        if is_wrong:
            raise FormatError(f"trust document: {field} cannot be meant")
    quorum_rule(trust)


def _party_message(party: Party) -> pb.Cosigner:
    return pb.Cosigner(name=party.name, public_key=party.public_key, operator=party.operator)


def _party(message: pb.Cosigner) -> Party:
    if not message.name or not message.operator:
        raise FormatError("trust document: a party needs a name and an operator")
    return Party(
        message.name, verify_length("public_key", message.public_key, 32), message.operator
    )
