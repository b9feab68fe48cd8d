"""A network of one key service and one small log, with sessions that really open and read.

Every key, seal, signature and proof is real. The rules (who may do what) are not here: the test
says each outcome, so that it can say a wrong one.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from attestation.handshake import session_id
from kms.birth import create_key_service
from kms.messages import (
    CertifyRequest,
    Released,
    ReleaseItem,
    ReleaseRequest,
    StartRequest,
    decode_certify_reply,
    decode_release_reply,
    decode_session_grant,
    encode_certify_request,
    encode_release_request,
    encode_start_request,
)
from kms.service import KeyService, open_key_service
from kms.state import LABEL, open_state, seal_state
from ledger import sealing
from ledger.crypto import p256, xwing
from ledger.crypto.secret import Secret
from ledger.format.genesis import Genesis, Limits, Profile, encode_genesis, network_id
from ledger.format.operation import AcquireKey, KeyServiceStart, OpenSession, Read
from ledger.format.outcome import (
    Coordinates,
    KeyAcquired,
    Outcome,
    ReadGranted,
    SessionOpened,
)
from ledger.format.sealed import MODE_SESSION, split_sealed
from ledger.format.transaction import SignerKind, encode_body
from ledger.format.trust import Party, TrustDocument, encode_trust
from ledger.log.merkle import leaf_hash
from ledger.reason import Reason
from tests.support.log_signers import TestSigner, cosigner
from tests.support.small_log import START_MS, Recorded, Signer, SmallLog
from tests.support.small_platform import MemoryState, SmallPlatform

ORIGIN = "dev.ledger.example/1"
IDENTITY_DIGEST = sha256(b"the identity of the test's enclave").digest()


@dataclass(frozen=True, slots=True)
class TestSession:
    """A session as its enclave knows it."""

    __test__ = False

    id: bytes
    secret: Secret
    signer: Signer
    recorded: Recorded


@dataclass(frozen=True, slots=True)
class Stored:
    """A sealed value as its writer left it."""

    at: Coordinates
    sealed: bytes
    digest: bytes
    value: bytes

    @property
    def header(self) -> bytes:
        return split_sealed(self.sealed)[0]

    @property
    def ciphertext_digest(self) -> bytes:
        return sha256(split_sealed(self.sealed)[1]).digest()


def trust_of(
    log_key: bytes, service_key: bytes, cosigners: Sequence[TestSigner], quorum: int
) -> TrustDocument:
    """A first trust document with one operator per cosigner."""
    return TrustDocument(
        version=1,
        previous_digest=b"",
        members=(),
        member_threshold=0,
        origin=ORIGIN,
        log_generation=1,
        log_key=log_key,
        service_key=service_key,
        cosigners=tuple(
            Party(one.key.name, one.key.public_key, f"operator-{number}")
            for number, one in enumerate(cosigners)
        ),
        quorum=quorum,
        witnesses=(),
        witness_quorum=0,
        core_policy=b"any core",
        roots=(b"root",),
        tcb_signer_pins=(bytes(32),),
        tcb_floor=0,
        tcb_ceiling=100,
        rules_version=2,
        rules_height=0,
        epoch=1,
        grace_s=0,
    )


def genesis_of(trust: TrustDocument, limits: Limits | None = None) -> bytes:
    """Genesis bytes around a trust document."""
    return encode_genesis(
        Genesis(
            name="test-network",
            profile=Profile.DEVELOPMENT,
            time_ms=START_MS,
            salt=bytes(range(32)),
            trust=encode_trust(trust),
            collateral=(),
            limits=limits or Limits(),
            collections=(),
        )
    )


class SmallNetwork:
    """A born key service, its genesis and its log."""

    def __init__(
        self, cores: int = 1, quorum: int = 1, platform: SmallPlatform | None = None
    ) -> None:
        self.platform = platform or SmallPlatform()
        self.store = MemoryState()
        self.cores = tuple(cosigner(f"core-{number}.example") for number in range(cores))
        unbound = create_key_service(platform=self.platform, store=self.store)
        trust = trust_of(unbound.log_key, unbound.service_key, self.cores, quorum)
        self.genesis = genesis_of(trust)
        self.network_id = network_id(self.genesis)
        self.service = unbound.bind(self.genesis)
        self.log = SmallLog(ORIGIN, self.network_id, self.cores)

    # ------------------------------------------------------------------ the node's part

    def add_epoch(self, epoch: int) -> "SmallNetwork":
        """Give the service a secret of one more epoch, as a hand-over does, and start it again."""
        self.service.close()
        key = self.platform.sealing_key(LABEL)
        blob = self.store.load()
        if blob is None:
            raise AssertionError("closing the service sealed nothing")
        state = open_state(blob, key)
        epochs = {**state.epochs, epoch: Secret(os.urandom(32))}
        self.store.save(seal_state(replace(state, epochs=epochs), key, os.urandom(32)))
        self.reopen()
        return self.start()

    def reopen(self) -> KeyService:
        """Open the sealed state again, as a restart does; the old service stays as it is."""
        self.service = open_key_service(
            genesis=self.genesis, platform=self.platform, store=self.store
        )
        return self.service

    def certify_request(self, note: bytes | None = None, size: int | None = None) -> CertifyRequest:
        """The request that moves the service from what it holds to a size (the current one)."""
        wanted = self.log.size if size is None else size
        return CertifyRequest(
            note=self.log.note(wanted) if note is None else note,
            consistency=self.log.consistency(min(self.service.held.size, wanted), wanted),
            header=self.log.leaves[wanted - 1],
            header_hashes=self.log.inclusion(wanted - 1, wanted),
        )

    def certify(self) -> bytes:
        """Certify the current size; gives the note with the log key's line."""
        request = encode_certify_request(self.certify_request())
        return decode_certify_reply(self.service.certify(request))

    def end_block(self, step_ms: int = 1_000) -> bytes:
        """End the block and certify it."""
        self.log.end_block(step_ms)
        return self.certify()

    def node_signer(self, number: int = 0) -> Signer:
        """A core's node key as a signer of transactions."""
        core = self.cores[number]
        return Signer(SignerKind.NODE, core.key.public_key, core.signing.sign)

    def record_start(self) -> Recorded:
        """Put this start's nonce on the log, in a block of its own, and certify it."""
        start = KeyServiceStart(self.service.start_nonce, self.service.service_key)
        recorded = self.log.transact(self.node_signer(), (start, Outcome(Reason.OK)))
        self.end_block()
        return recorded

    def start_request(self, recorded: Recorded) -> StartRequest:
        """The request that shows a start's entry."""
        return StartRequest(
            index=recorded.index,
            leaf=recorded.leaf,
            hashes=self.log.inclusion(recorded.index, self.service.held.size),
            salt=recorded.salts[0],
            operation=recorded.operations[0],
            outcome=recorded.outcomes[0],
        )

    def start(self) -> "SmallNetwork":
        """Make the service answer releases."""
        recorded = self.record_start()
        self.service.confirm_start(encode_start_request(self.start_request(recorded)))
        return self

    # ---------------------------------------------------------------- sessions and values

    def opening(self, kem_key: bytes, session_key: bytes) -> OpenSession:
        """An OpenSession for this key service."""
        return OpenSession(
            session_key=session_key,
            kem_key=kem_key,
            evidence_digest=sha256(b"evidence").digest(),
            service_key=self.service.service_key,
            trust_digest=sha256(b"trust").digest(),
            checkpoint_size=self.log.size,
            checkpoint_root=self.log.tree.root(),
        )

    def record_open(self, kem_key: bytes, key: p256.SigningKey, epoch: int = 1) -> Recorded:
        """Put a granted OpenSession on the log."""
        signer = Signer(SignerKind.NEW_SESSION, key.public, key.sign)
        return self.record_opening(signer, self.opening(kem_key, key.public), epoch)

    def record_opening(self, signer: Signer, operation: OpenSession, epoch: int = 1) -> Recorded:
        """Put any OpenSession on the log, granted."""
        body = self.log.body_of(signer, operation)
        expires_ms = self.log.time_ms + 3_600_000
        opened = SessionOpened(session_id(encode_body(body)), expires_ms, epoch, b"verdict")
        return self.log.record(signer, body, (operation, Outcome(Reason.OK, opened)))

    def open_session(self) -> TestSession:
        """Open a session on the log and take its secret from the key service's grant."""
        key, kem = p256.SigningKey(), xwing.DecapsulationKey()
        recorded = self.record_open(kem.public, key)
        self.end_block()
        grant = decode_session_grant(self.granted(recorded))
        secret = kem.open(grant.sealed_secret, grant.session_id + self.network_id)
        signer = Signer(SignerKind.SESSION, grant.session_id, key.sign)
        return TestSession(grant.session_id, secret, signer, recorded)

    def record_acquire(self, session: TestSession, collection: str, epoch: int = 1) -> Recorded:
        """Put a granted AcquireKey on the log."""
        acquired = KeyAcquired(collection, epoch, session.id, IDENTITY_DIGEST, 1)
        step = AcquireKey(collection), Outcome(Reason.OK, acquired)
        return self.log.transact(session.signer, step)

    def writer_key(self, session: TestSession, collection: str, epoch: int = 1) -> Secret:
        """The session's key of a collection, as the key service releases it."""
        recorded = self.record_acquire(session, collection, epoch)
        self.end_block()
        return self.open_released(session, recorded, self.granted(recorded))

    def seal(self, session: TestSession, value: bytes, at: Coordinates | None = None) -> Stored:
        """Seal a value as the session's enclave does."""
        at = at or self.coordinates(session)
        key = self.writer_key(session, at.collection, at.epoch)
        sealed, digest = sealing.seal_value(self.network_id, at, key, Secret(os.urandom(32)), value)
        return Stored(at, sealed, digest, value)

    def coordinates(self, session: TestSession) -> Coordinates:
        """Fresh coordinates of a session's value."""
        return Coordinates("app/secrets", "tls/key", os.urandom(16), 1, MODE_SESSION, session.id)

    def read_outcome(self, session: TestSession, stored: Stored) -> ReadGranted:
        """The detail of a granted read of a stored value."""
        return ReadGranted(
            collection=stored.at.collection,
            name=stored.at.name,
            version=1,
            origin=stored.at,
            sealed_digest=stored.digest,
            reader_session=session.id,
            identity_digest=IDENTITY_DIGEST,
            put_index=1,
            put_position=0,
            reader_epoch=1,
        )

    def record_reads(self, session: TestSession, *details: ReadGranted) -> Recorded:
        """Put granted reads on the log, in one transaction."""
        return self.log.transact(
            session.signer,
            *(
                (Read(detail.collection, detail.name), Outcome(Reason.OK, detail))
                for detail in details
            ),
        )

    def record_read(self, session: TestSession, stored: Stored) -> Recorded:
        """Put a granted read on the log."""
        return self.record_reads(session, self.read_outcome(session, stored))

    def item(
        self, recorded: Recorded, stored: Stored | None = None, position: int = 0
    ) -> ReleaseItem:
        """The item of one operation, with the header of a stored value for a Read."""
        return ReleaseItem(
            position=position,
            salt=recorded.salts[position],
            outcome=recorded.outcomes[position],
            operation=recorded.operations[position],
            sealed_header=stored.header if stored else b"",
            ciphertext_digest=stored.ciphertext_digest if stored else b"",
        )

    def release_request(
        self, recorded: Recorded, *items: ReleaseItem, size: int | None = None
    ) -> ReleaseRequest:
        """The request for items of an entry, proven in a size (the held one)."""
        held = self.service.held.size
        wanted = held if size is None else size
        return ReleaseRequest(
            index=recorded.index,
            leaf=recorded.leaf,
            hashes=self.log.inclusion(recorded.index, wanted),
            size=wanted,
            root=self.log.tree.root_at(wanted),
            consistency=self.log.consistency(wanted, held),
            items=items,
        )

    def release(self, request: ReleaseRequest) -> tuple[Released, ...]:
        """What the key service answers."""
        return decode_release_reply(self.service.release(encode_release_request(request)))

    def granted(self, recorded: Recorded, stored: Stored | None = None) -> bytes:
        """The sealed key of the entry's only operation, which must be granted."""
        request = self.release_request(recorded, self.item(recorded, stored))
        (released,) = self.release(request)
        if released.reason is not Reason.OK:
            raise AssertionError(f"not released: {released.reason.name}")
        return released.sealed_key

    def open_released(
        self, session: TestSession, recorded: Recorded, sealed_key: bytes, position: int = 0
    ) -> Secret:
        """The released key, opened as the session's enclave does."""
        one_time = sealing.release_key(session.secret, leaf_hash(recorded.leaf), position)
        return sealing.open_released(one_time, sealed_key)
