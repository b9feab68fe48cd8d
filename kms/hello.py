"""The key service's own evidence, and Hello: the service key's signature for one client.

Evidence speaks for the network id, the trust digest, the service key and (size, root) of a
certified checkpoint that the service has reached; it is made anew every few minutes, not per call
(design section 5). The signature binds it to the client's nonce and to the TLS key that the client
sees. Not here: when to make it anew, the TLS key, judging evidence (attestation.dcap).
"""

import hashlib
from dataclasses import dataclass

from attestation.errors import HandshakeError
from attestation.handshake import (
    KEY_SERVICE_LABEL,
    NO_SERVICE_KEY,
    ReportBinding,
    evidence_digest,
    hello_transcript,
    report_data,
)
from kms.anchor import TrustAnchor
from kms.errors import KeyServiceRefusal
from kms.messages import HelloEvidence
from kms.state import Held
from ledger.crypto.ed25519 import SigningKey
from ledger.log.checkpoint import Checkpoint
from ledger.log.errors import LogError
from ledger.log.quorum import verify_certified
from ledger.reason import Reason


@dataclass(frozen=True, slots=True)
class KeptEvidence:
    """Encoded evidence, the certified note in its report data, and that note's size."""

    evidence: bytes
    note: bytes
    size: int


def verify_reached(note: bytes, anchor: TrustAnchor, held: Held) -> Checkpoint:
    """The checkpoint of a certified note that is not beyond the held one; KeyServiceRefusal."""
    try:
        checkpoint = verify_certified(note, anchor.rule).checkpoint
    except LogError as error:
        raise KeyServiceRefusal(Reason.NOT_CERTIFIED, str(error)) from error
    if checkpoint.size > held.size or (
        checkpoint.size == held.size and checkpoint.root != held.root
    ):
        raise KeyServiceRefusal(
            Reason.NOT_CERTIFIED, "the checkpoint is not one that this key service has reached"
        )
    return checkpoint


def own_report_data(anchor: TrustAnchor, service_key: bytes, checkpoint: Checkpoint) -> bytes:
    """The 64 bytes that the key service's quote speaks for."""
    return report_data(
        KEY_SERVICE_LABEL,
        ReportBinding(
            network_id=anchor.network_id,
            trust_digest=anchor.trust_digest,
            own_keys=(service_key,),
            peer_service_key=NO_SERVICE_KEY,
            size=checkpoint.size,
            root=checkpoint.root,
        ),
    )


def sign_hello(
    kept: KeptEvidence,
    *,
    network_id: bytes,
    service_key: SigningKey,
    client_nonce: bytes,
    tls_spki_digest: bytes,
) -> HelloEvidence:
    """The evidence, signed for a client; KeyServiceRefusal MALFORMED for a size other than 32."""
    try:
        transcript = hello_transcript(
            network_id=network_id,
            client_nonce=client_nonce,
            tls_spki_digest=tls_spki_digest,
            evidence_digest=evidence_digest(kept.evidence),
            checkpoint_digest=hashlib.sha256(kept.note).digest(),
        )
    except HandshakeError as error:
        raise KeyServiceRefusal(Reason.MALFORMED, str(error)) from error
    return HelloEvidence(kept.evidence, kept.note, service_key.sign(transcript))
