"""What the key service believes for good: the network id, the trust document, the limits.

All of it comes from the bytes of genesis, whose SHA-256 is the network id. The trust document is
the one that genesis holds (version 1): a newer one is another checked step (members' signatures)
that this service does not know, so it never takes one from its host. Outside of development the
document may believe hardware vendors only: no vote makes a root of software.
"""

from dataclasses import dataclass

from attestation.errors import AttestationError
from attestation.vendors import verify_production_trust
from kms.errors import KeyServiceStateError
from ledger.errors import FormatError
from ledger.format import genesis as genesis_format
from ledger.format.trust import TrustDocument, decode_trust, quorum_rule, trust_digest
from ledger.log.quorum import QuorumRule


@dataclass(frozen=True, slots=True)
class TrustAnchor:
    """The fixed points of one network; times in milliseconds of block time."""

    network_id: bytes
    trust_bytes: bytes
    trust_digest: bytes
    trust: TrustDocument
    rule: QuorumRule
    receipt_age_ms: int


def read_anchor(genesis: bytes) -> TrustAnchor:
    """The anchor of a genesis file; KeyServiceStateError if these bytes are none."""
    try:
        decoded = genesis_format.decode_genesis(genesis)
        trust = decode_trust(decoded.trust)
        rule = quorum_rule(trust)
        if decoded.profile is not genesis_format.Profile.DEVELOPMENT:
            verify_production_trust(trust.roots, trust.tcb_signer_pins)
    except (FormatError, AttestationError) as error:
        raise KeyServiceStateError(
            f"genesis is not usable ({error}): give the genesis file of this network"
        ) from error
    return TrustAnchor(
        network_id=genesis_format.network_id(genesis),
        trust_bytes=decoded.trust,
        trust_digest=trust_digest(decoded.trust),
        trust=trust,
        rule=rule,
        receipt_age_ms=decoded.limits.receipt_age_ms,
    )
