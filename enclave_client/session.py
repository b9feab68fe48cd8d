"""A session: our evidence for the node, and what the key service grants for it.

Opening, after the node proved itself (`attest`):
1. A fresh P-256 session key and X-Wing key; both, the network, the node's service key and a recent
   certified checkpoint go into our report data. One quote opens one session.
2. One OpenSession transaction, signed by the session key; its payload is the evidence.
3. The answer is an entry like any other (`replies`), with the outcome SessionOpened of our body.
4. The grant is signed by the service key for this session, expiry and leaf: a relay that picks the
   secret itself fails here.
5. The secret opens with our key for this session and network only.
Not here: sending (`connector`), operations (`calls`).
"""

import hashlib
from dataclasses import dataclass, field

from attestation.handshake import (
    CLIENT_LABEL,
    ReportBinding,
    grant_transcript,
    report_data,
    session_id,
)
from enclave_client import wire
from enclave_client.attest import Peer
from enclave_client.checkpoints import CheckpointBook
from enclave_client.errors import AttestationFailedError, Check, ReceiptInvalidError
from enclave_client.outcomes import refused
from enclave_client.receipts import Entry, Receipt
from enclave_client.replies import read_outcome, verify_recorded
from enclave_client.transactions import Signer, Transaction, Work, sign_transaction
from ledger.crypto import ed25519
from ledger.crypto.aead import OpenError
from ledger.crypto.p256 import SigningKey
from ledger.crypto.secret import Secret
from ledger.crypto.xwing import DecapsulationKey
from ledger.format.operation import OpenSession, encode_operation
from ledger.format.outcome import SessionOpened
from ledger.format.transaction import SignerKind
from ledger.reason import Reason

RENEW_AT = 0.9  # of a session's life


@dataclass(frozen=True, slots=True)
class WriterKey:
    """The session's key-encryption key of a collection, and the epoch that it belongs to."""

    epoch: int
    kek: Secret


@dataclass(slots=True)
class Session:
    """An open session. Mutable: it counts its sequence numbers and keeps its writer keys."""

    id: bytes
    signer: Signer
    secret: Secret
    opened_ms: int  # by our clock
    life_ms: int  # by block time, so that our clock may be off
    writer_keys: dict[str, WriterKey] = field(default_factory=dict)
    is_over: bool = False  # the ledger said so
    _sequence: int = 0

    def next_sequence(self) -> int:
        """A sequence number that this session has not used."""
        self._sequence += 1
        return self._sequence

    def is_due(self, now_ms: int) -> bool:
        """Whether it is time to open the next session."""
        return self.is_over or now_ms >= self.opened_ms + int(self.life_ms * RENEW_AT)

    def is_expired(self, now_ms: int) -> bool:
        """Whether nothing can be signed in it any more."""
        return self.is_over or now_ms >= self.opened_ms + self.life_ms


@dataclass(frozen=True, slots=True)
class Opening:
    """A session being opened: keys that live only here, and what the evidence must bind."""

    network_id: bytes
    peer: Peer
    session_key: SigningKey
    kem_key: DecapsulationKey

    @property
    def report_data(self) -> bytes:
        """The 64 bytes for our quote (1 above)."""
        return report_data(
            CLIENT_LABEL,
            ReportBinding(
                network_id=self.network_id,
                trust_digest=self.peer.trust_digest,
                own_keys=(self.session_key.public, self.kem_key.public),
                peer_service_key=self.peer.trust.service_key,
                size=self.peer.latest.size,
                root=self.peer.latest.root,
            ),
        )

    def transaction(self, evidence: bytes, salt: bytes, now_ms: int) -> Transaction:
        """The OpenSession transaction (2 above); `salt` is 16 random bytes."""
        operation = OpenSession(
            session_key=self.session_key.public,
            kem_key=self.kem_key.public,
            evidence_digest=hashlib.sha256(evidence).digest(),
            service_key=self.peer.trust.service_key,
            trust_digest=self.peer.trust_digest,
            checkpoint_size=self.peer.latest.size,
            checkpoint_root=self.peer.latest.root,
        )
        signer = Signer(
            self.network_id, SignerKind.NEW_SESSION, self.session_key.public, self.session_key
        )
        work = Work((encode_operation(operation),), (salt,), (evidence,))
        return sign_transaction(signer, 0, now_ms, work)

    def finish(
        self, sent: Transaction, recorded: wire.Recorded, book: CheckpointBook, now_ms: int
    ) -> Session:
        """The open session (3 to 5 above).

        Raises ReceiptInvalidError, RefusedError or AttestationFailedError (session-grant).
        """
        entry = verify_recorded(recorded, sent, book)  # 3
        opened = _opened(entry, session_id(sent.body))
        released = recorded.released[0] if recorded.released else None
        if released is None or released.reason is not Reason.OK:
            reason = released.reason if released else Reason.NOT_GRANTED
            raise refused(reason, "the key service did not grant the session")
        secret = self._secret(wire.decode_grant(released.sealed_key), opened, entry.leaf_hash)
        signer = Signer(self.network_id, SignerKind.SESSION, opened.session_id, self.session_key)
        life_ms = opened.expires_ms - entry.time_ms
        return Session(opened.session_id, signer, secret, now_ms, life_ms)

    def _secret(self, grant: wire.Grant, opened: SessionOpened, leaf_hash: bytes) -> Secret:
        if (grant.session_id, grant.expires_ms) != (opened.session_id, opened.expires_ms):
            raise AttestationFailedError(Check.GRANT, "it is for another session")
        transcript = grant_transcript(  # 4
            network_id=self.network_id,
            session_id=opened.session_id,
            expires_ms=opened.expires_ms,
            grant_digest=hashlib.sha256(grant.sealed_secret).digest(),
            leaf_hash=leaf_hash,
        )
        if not ed25519.is_valid(self.peer.trust.service_key, grant.signature, transcript):
            raise AttestationFailedError(
                Check.GRANT,
                "it is not signed by the attested service key",
                "someone between tries to choose the session's secret: do not use this endpoint",
            )
        try:
            return self.kem_key.open(  # 5
                grant.sealed_secret, opened.session_id + self.network_id
            )
        except OpenError as error:
            raise AttestationFailedError(Check.GRANT, "it does not open with our key") from error


def begin(network_id: bytes, peer: Peer) -> Opening:
    """Draw the keys of a new session with a proven peer."""
    return Opening(network_id, peer, SigningKey(), DecapsulationKey())


def _opened(entry: Entry, expected: bytes) -> SessionOpened:
    outcome = read_outcome(entry.outcomes[0])
    if outcome.reason is not Reason.OK:
        raise refused(outcome.reason, "the session was not opened", receipt=Receipt(entry, 0))
    if not isinstance(outcome.detail, SessionOpened) or outcome.detail.session_id != expected:
        raise ReceiptInvalidError("the outcome is not that of our OpenSession")
    return outcome.detail
