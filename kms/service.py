"""The key service: what the node asks it, bytes in and bytes out.

It trusts no memory of its host: it keeps epoch secrets, the trust document of genesis and one held
checkpoint, moves only with that document's quorum (certify.py), and after each start releases
nothing before its fresh nonce stands on the ledger (start.py). It has no clock; time is block time.

The held checkpoint is saved at birth, by `checkpoint_state` and by `close`, never per block: an
older one on disk costs a longer consistency proof after a restart and nothing else.

Not here: the checks themselves (certify, start, release, hello), birth of the secrets (birth.py).
"""

import os
from dataclasses import dataclass, replace

from attestation.platforms.platform import Platform
from kms.anchor import TrustAnchor, read_anchor
from kms.certify import sign_with_log_key, verify_move
from kms.errors import KeyServiceRefusal, KeyServiceStateError
from kms.hello import KeptEvidence, own_report_data, sign_hello, verify_reached
from kms.keys import EpochKeys, ServiceKeys, service_keys
from kms.messages import (
    SealingKeyStatement,
    decode_certify_request,
    decode_release_request,
    decode_sealing_key_question,
    decode_start_request,
    encode_certify_reply,
    encode_hello_evidence,
    encode_release_reply,
    encode_sealing_key_statement,
)
from kms.release import Releaser, verify_ticket
from kms.start import verify_start
from kms.state import LABEL, SALT_BYTES, Held, KeyServiceState, SealedState, open_state, seal_state
from ledger.format.operation import KeyServiceStart
from ledger.reason import Reason
from ledger.sealing import sealing_key_statement

NONCE_BYTES = 32


@dataclass(slots=True)
class _Core:
    """Everything that `close` drops."""

    state: KeyServiceState
    keys: ServiceKeys
    epochs: EpochKeys
    releaser: Releaser


class KeyService:
    """The key service of one network, open.

    `certify`, `confirm_start`, `checkpoint_state` and `close` belong to one thread at a time;
    `release` and `hello` may run beside them in others. After `close` every call is refused with
    SHUTTING_DOWN. Requests and replies are the messages of kms.proto (codecs in messages.py); a
    request that is malformed or not entitled raises KeyServiceRefusal and changes nothing.
    """

    def __init__(
        self,
        state: KeyServiceState,
        anchor: TrustAnchor,
        *,
        platform: Platform,
        store: SealedState,
        start_nonce: bytes,
    ) -> None:
        """Keep the parts; use `open_key_service` or `kms.birth`."""
        keys = service_keys(state.service_seed)
        epochs = EpochKeys(state.epochs)
        releaser = Releaser(anchor.network_id, epochs, keys.service)
        self._core: _Core | None = _Core(state, keys, epochs, releaser)
        self._anchor = anchor
        self._platform = platform
        self._store = store
        self._start = KeyServiceStart(start_nonce, keys.service.public)
        self._held = state.held
        self._saved: Held | None = state.held
        self._evidence: KeptEvidence | None = None
        self._is_started = False

    @property
    def network_id(self) -> bytes:
        """SHA-256 of genesis, 32 bytes."""
        return self._anchor.network_id

    @property
    def service_key(self) -> bytes:
        """The Ed25519 public key that signs grants and hellos, 32 bytes."""
        return self._start.service_key

    @property
    def log_key(self) -> bytes:
        """The Ed25519 public key of the log, 32 bytes."""
        return self._anchor.trust.log_key

    @property
    def start_nonce(self) -> bytes:
        """This start's 32 random bytes, to be put on the ledger in a KeyServiceStart."""
        return self._start.nonce

    @property
    def held(self) -> Held:
        """The checkpoint that the service stands on: what proofs must lead to."""
        return self._held

    @property
    def is_started(self) -> bool:
        """Whether `confirm_start` succeeded, so that `release` answers."""
        return self._is_started

    def certify(self, request: bytes) -> bytes:
        """CertifyRequest -> CertifyReply: move to a checkpoint with quorum; sign its note.

        The same checkpoint again gives a signed note again. Raises KeyServiceRefusal:
        NOT_CERTIFIED, WRONG_NETWORK, WRONG_TRUST_DOCUMENT, MALFORMED, TOO_LARGE.
        """
        core = self._open_core()
        decoded = decode_certify_request(request)
        held = verify_move(decoded, self._anchor, self._held)
        note = sign_with_log_key(decoded.note, self._anchor, core.keys.log)
        self._held = held
        return encode_certify_reply(note)

    def confirm_start(self, request: bytes) -> None:
        """StartRequest: see this start's nonce in the held checkpoint; then `release` answers.

        Raises KeyServiceRefusal: NOT_CERTIFIED, NOT_STARTED (another start's entry), NOT_GRANTED,
        WRONG_NETWORK, WRONG_SIGNER, BAD_SIGNATURE, MALFORMED, TOO_LARGE.
        """
        self._open_core()
        verify_start(decode_start_request(request), self._anchor, self._held, self._start)
        self._is_started = True

    def release(self, request: bytes) -> bytes:
        """ReleaseRequest -> ReleaseReply: one answer for each item, in order.

        Raises KeyServiceRefusal for a fault of the whole request: NOT_STARTED, NOT_CERTIFIED,
        RECEIPT_TOO_OLD, WRONG_NETWORK, MALFORMED, TOO_LARGE.
        """
        releaser = self._open_core().releaser
        if not self._is_started:
            raise KeyServiceRefusal(
                Reason.NOT_STARTED, "this start's nonce does not stand on the ledger yet"
            )
        decoded = decode_release_request(request)
        ticket = verify_ticket(decoded, self._anchor, self._held)
        return encode_release_reply([releaser.release(ticket, item) for item in decoded.items])

    async def refresh_evidence(self, checkpoint_note: bytes) -> None:
        """Make evidence over a certified note of at most the held size, and keep it for `hello`.

        Evidence over a larger checkpoint is never replaced by a smaller one. Raises
        KeyServiceRefusal NOT_CERTIFIED, and PlatformError when the platform gives no quote.
        """
        self._open_core()
        checkpoint = verify_reached(checkpoint_note, self._anchor, self._held)
        wanted = own_report_data(self._anchor, self.service_key, checkpoint)
        evidence = await self._platform.evidence(wanted)
        if self._evidence is None or self._evidence.size <= checkpoint.size:
            self._evidence = KeptEvidence(evidence, checkpoint_note, checkpoint.size)

    def hello(self, client_nonce: bytes, tls_spki_digest: bytes) -> bytes:
        """HelloEvidence, signed for a client's 32-byte nonce and the TLS key's SHA-256.

        Raises KeyServiceRefusal: NOT_STARTED before the first `refresh_evidence`, MALFORMED.
        """
        core = self._open_core()
        if self._evidence is None:
            raise KeyServiceRefusal(Reason.NOT_STARTED, "there is no evidence yet")
        signed = sign_hello(
            self._evidence,
            network_id=self.network_id,
            service_key=core.keys.service,
            client_nonce=client_nonce,
            tls_spki_digest=tls_spki_digest,
        )
        return encode_hello_evidence(signed)

    def sealing_key(self, request: bytes) -> bytes:
        """SealingKeyQuestion -> SealingKeyStatement: a collection's public sealing key, signed.

        Of the epoch of the trust document. Raises KeyServiceRefusal: NOT_STARTED, MALFORMED.
        """
        core = self._open_core()
        if not self._is_started:
            raise KeyServiceRefusal(Reason.NOT_STARTED, "this start's nonce does not stand yet")
        collection = decode_sealing_key_question(request)
        epoch = self._anchor.trust.epoch
        public = core.epochs.sealing_key(epoch, collection).public
        statement = sealing_key_statement(self.network_id, collection, epoch, public)
        return encode_sealing_key_statement(
            SealingKeyStatement(public, epoch, core.keys.service.sign(statement))
        )

    def checkpoint_state(self) -> None:
        """Save the state if the held checkpoint moved since; durable on return.

        Raises KeyServiceStateError if the disk fails; the service goes on and may try again.
        """
        core = self._open_core()
        if self._saved == self._held:
            return
        held = self._held
        save_state(replace(core.state, held=held), self._platform, self._store)
        self._saved = held

    def close(self) -> None:
        """Save as `checkpoint_state` does and drop every secret, even if saving fails."""
        if self._core is None:
            return
        try:
            self.checkpoint_state()
        finally:
            self._core.epochs.forget()
            self._core = None
            self._evidence = None
            self._is_started = False

    def _open_core(self) -> _Core:
        if self._core is None:
            raise KeyServiceRefusal(Reason.SHUTTING_DOWN, "the key service is closed")
        return self._core


def open_key_service(*, genesis: bytes, platform: Platform, store: SealedState) -> KeyService:
    """Open what was sealed for this genesis; draws a fresh start nonce.

    Raises KeyServiceStateError if nothing is sealed, it does not open here, or it is of another
    genesis or trust document; PlatformError when the platform gives no sealing key.
    """
    anchor = read_anchor(genesis)
    blob = store.load()
    if blob is None:
        raise KeyServiceStateError(
            "there is no sealed key-service state: put back the file that this node wrote, or "
            "initialise a new network"
        )
    state = open_state(blob, platform.sealing_key(LABEL))
    verify_belongs(state, anchor)
    nonce = os.urandom(NONCE_BYTES)
    return KeyService(state, anchor, platform=platform, store=store, start_nonce=nonce)


def verify_belongs(state: KeyServiceState, anchor: TrustAnchor) -> None:
    """Check that a state is of this network; KeyServiceStateError says what differs."""
    if state.network_id != anchor.network_id:
        raise KeyServiceStateError(
            "the sealed key-service state belongs to another genesis: start it with the genesis "
            "file that it was made for"
        )
    if state.trust != anchor.trust_bytes:
        raise KeyServiceStateError(
            "the sealed key-service state judges by another trust document than genesis holds: "
            "start the build that wrote it"
        )
    keys = service_keys(state.service_seed)
    if (keys.log.public, keys.service.public) != (anchor.trust.log_key, anchor.trust.service_key):
        raise KeyServiceStateError(
            "genesis names other keys than this key service has: use the genesis file that was "
            "made with its two public keys"
        )
    if anchor.trust.epoch not in state.epochs:
        raise KeyServiceStateError(
            f"the key service has no secret of epoch {anchor.trust.epoch}, which genesis names: "
            "a new key service starts at epoch 1"
        )


def save_state(state: KeyServiceState, platform: Platform, store: SealedState) -> None:
    """Seal under a fresh salt and save; KeyServiceStateError or PlatformError if that fails."""
    store.save(seal_state(state, platform.sealing_key(LABEL), os.urandom(SALT_BYTES)))
