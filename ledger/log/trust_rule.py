"""The quorum rule that a trust document states for its log.

Not here: whether the trust document itself is to be believed.
"""

from ledger.format.trust import TrustDocument
from ledger.log.note import SignatureType, VerifierKey
from ledger.log.quorum import Cosigner, QuorumRule


def quorum_rule(trust: TrustDocument) -> QuorumRule:
    """Return the rule by which checkpoints are certified under a trust document.

    Raises NoteError or QuorumError if its names, keys and thresholds make no possible rule.
    """
    return QuorumRule(
        log_key=VerifierKey(trust.origin, SignatureType.ED25519, trust.log_key),
        cosigners=tuple(
            Cosigner(_cosigning_key(party.name, party.public_key), party.operator)
            for party in trust.cosigners
        ),
        threshold=trust.quorum,
        witnesses=tuple(_cosigning_key(party.name, party.public_key) for party in trust.witnesses),
        witness_threshold=trust.witness_quorum,
    )


def _cosigning_key(name: str, public_key: bytes) -> VerifierKey:
    return VerifierKey(name, SignatureType.COSIGNATURE, public_key)
