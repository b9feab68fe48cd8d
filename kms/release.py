"""Release: a key for an operation that is proven to stand, granted, on the certified ledger.

Once for each request (a fault refuses all of it):

1. The tree of (size, root) is the held one, or is proven to be its beginning.
2. The leaf is a transaction for this network that is included in it (entry.py).
3. It is not older than the receipt age before the held time.

Then for each item (a fault is this item's answer, the others go on):

4. The leaf commits to the outcome at this position; its reason is OK and its detail entitles to a
   key.
5. The session that the outcome names is the one that signed the body (or that the body opened).
6. Every coordinate of the derivation comes from the outcome; a Read's header must be the recorded
   one.
7. The key travels under the asking session's one-time key, so that anyone may ask: the same ticket
   gives the same bytes to the same session.

A SessionGrant differs in its encapsulation, which is random, and carries the same secret.
"""

import hashlib
from collections.abc import Callable
from functools import partial

from attestation.handshake import grant_transcript, session_id
from kms.anchor import TrustAnchor
from kms.entry import Entry, Place, verify_entry
from kms.errors import KeyServiceRefusal
from kms.keys import EpochKeys
from kms.messages import (
    Released,
    ReleaseItem,
    ReleaseRequest,
    SessionGrant,
    encode_session_grant,
)
from kms.state import Held
from ledger import sealing
from ledger.crypto import xwing
from ledger.crypto.ed25519 import SigningKey
from ledger.crypto.secret import Secret
from ledger.errors import FormatError
from ledger.format.leaf import TransactionLeaf
from ledger.format.operation import (
    SALT_BYTES,
    OpenSession,
    decode_operation,
    operation_digest,
    outcome_digest,
)
from ledger.format.outcome import (
    Coordinates,
    Detail,
    KeyAcquired,
    ReadGranted,
    SessionOpened,
    decode_outcome,
)
from ledger.format.sealed import MODE_PUBLIC, MODE_SESSION, SealedHeader
from ledger.format.transaction import Body, SignerKind
from ledger.log.errors import LogError
from ledger.log.merkle import HASH_BYTES, verify_consistency
from ledger.reason import Reason


def verify_ticket(request: ReleaseRequest, anchor: TrustAnchor, held: Held) -> Entry:
    """Check 1 to 3 and give the entry; KeyServiceRefusal otherwise."""
    try:
        verify_consistency(
            old_size=request.size,
            old_root=request.root,
            new_size=held.size,
            new_root=held.root,
            proof=request.consistency,
        )
    except LogError as error:
        raise KeyServiceRefusal(Reason.NOT_CERTIFIED, str(error)) from error
    place = Place(request.index, request.size, request.root, request.hashes)
    entry = verify_entry(request.leaf, place, anchor.network_id)
    age_ms = held.time_ms - entry.leaf.time_ms
    if age_ms > anchor.receipt_age_ms:
        raise KeyServiceRefusal(
            Reason.RECEIPT_TOO_OLD, f"the entry is {age_ms} ms old, at most {anchor.receipt_age_ms}"
        )
    return entry


class Releaser:
    """Gives out keys against verified tickets. Holds no state of its own; threads may share it."""

    __slots__ = ("_keys", "_network_id", "_service_key")

    def __init__(self, network_id: bytes, keys: EpochKeys, service_key: SigningKey) -> None:
        """Keep the parts."""
        self._network_id = network_id
        self._keys = keys
        self._service_key = service_key

    def release(self, ticket: Entry, item: ReleaseItem) -> Released:
        """The answer to one item (4 to 7); never raises for what the item holds."""
        try:
            return Released(Reason.OK, self._key_of(ticket, item))
        except (KeyServiceRefusal, FormatError) as error:
            return Released(error.reason)

    def _key_of(self, ticket: Entry, item: ReleaseItem) -> bytes:
        detail = _granted_detail(ticket.leaf, item)
        if isinstance(detail, ReadGranted):
            return self._read(ticket, item, detail)
        if isinstance(detail, KeyAcquired):
            return self._acquire(ticket, item.position, detail)
        if isinstance(detail, SessionOpened):
            return self._grant(ticket, item, detail)
        raise KeyServiceRefusal(Reason.NOT_GRANTED, "this outcome entitles to no key")

    def _read(self, ticket: Entry, item: ReleaseItem, read: ReadGranted) -> bytes:
        _verify_session(ticket.body, read.reader_session)
        if len(item.ciphertext_digest) != HASH_BYTES:
            raise KeyServiceRefusal(Reason.HEADER_MISMATCH, "a ciphertext digest has 32 bytes")
        # Unknown epochs are told apart from wrong headers, whatever the header.
        unwrap = self._unwrapper(read.origin)
        header = sealing.verify_header(
            item.sealed_header,
            self._network_id,
            read.origin,
            read.sealed_digest,
            item.ciphertext_digest,
        )
        return self._seal_for(ticket, item.position, read.reader_epoch, unwrap(header))

    def _unwrapper(self, origin: Coordinates) -> Callable[[SealedHeader], Secret]:
        keys = self._keys
        if origin.mode == MODE_SESSION:
            writer_key = keys.writer_key(origin.epoch, origin.collection, origin.writer_session)
            return partial(sealing.unwrap_data_key, writer_key)
        if origin.mode == MODE_PUBLIC:
            pair = keys.sealing_key(origin.epoch, origin.collection)
            return partial(sealing.unwrap_public, pair)
        raise KeyServiceRefusal(Reason.HEADER_MISMATCH, "no header of a mode that is known")

    def _acquire(self, ticket: Entry, position: int, acquired: KeyAcquired) -> bytes:
        _verify_session(ticket.body, acquired.session_id)
        key = self._keys.writer_key(acquired.epoch, acquired.collection, acquired.session_id)
        return self._seal_for(ticket, position, acquired.session_epoch, key)

    def _seal_for(self, ticket: Entry, position: int, epoch: int, key: Secret) -> bytes:
        session = self._keys.session_secret(epoch, ticket.body.signer)
        one_time = sealing.release_key(session, ticket.leaf_hash, position)
        return sealing.seal_released(one_time, key)

    def _grant(self, ticket: Entry, item: ReleaseItem, opened: SessionOpened) -> bytes:
        operation = self._open_session(ticket, item)
        this_session = session_id(ticket.leaf.body)
        if opened.session_id != this_session:
            raise KeyServiceRefusal(Reason.NOT_GRANTED, "the outcome is of another session")
        secret = self._keys.session_secret(opened.epoch, this_session)
        try:
            sealed = xwing.seal(operation.kem_key, secret, this_session + self._network_id)
        except ValueError as error:
            raise KeyServiceRefusal(Reason.MALFORMED, "the KEM key is unusable") from error
        transcript = grant_transcript(
            network_id=self._network_id,
            session_id=this_session,
            expires_ms=opened.expires_ms,
            grant_digest=hashlib.sha256(sealed).digest(),
            leaf_hash=ticket.leaf_hash,
        )
        return encode_session_grant(
            SessionGrant(
                this_session, opened.expires_ms, sealed, self._service_key.sign(transcript)
            )
        )

    def _open_session(self, ticket: Entry, item: ReleaseItem) -> OpenSession:
        committed = ticket.body.operation_digests[item.position]
        if operation_digest(item.salt, item.operation) != committed:
            raise KeyServiceRefusal(
                Reason.NOT_CERTIFIED, "the body does not commit to this operation"
            )
        operation = decode_operation(item.operation)
        body = ticket.body
        if (
            not isinstance(operation, OpenSession)
            or body.signer_kind is not SignerKind.NEW_SESSION
            or body.signer != operation.session_key
        ):
            raise KeyServiceRefusal(Reason.NOT_GRANTED, "the body does not open this session")
        if operation.service_key != self._service_key.public:
            raise KeyServiceRefusal(
                Reason.WRONG_SERVICE_KEY, "the session was opened for another key service"
            )
        return operation


def _granted_detail(leaf: TransactionLeaf, item: ReleaseItem) -> Detail | None:
    if len(item.salt) != SALT_BYTES or item.position >= len(leaf.outcome_digests):
        raise KeyServiceRefusal(Reason.MALFORMED, "a salt of another size, or no such position")
    if outcome_digest(item.salt, item.outcome) != leaf.outcome_digests[item.position]:
        raise KeyServiceRefusal(Reason.NOT_CERTIFIED, "the leaf does not commit to this outcome")
    outcome = decode_outcome(item.outcome)
    if outcome.reason is not Reason.OK:
        raise KeyServiceRefusal(Reason.NOT_GRANTED, "the ledger did not grant this operation")
    return outcome.detail


def _verify_session(body: Body, named: bytes) -> None:
    if body.signer_kind is not SignerKind.SESSION or body.signer != named:
        raise KeyServiceRefusal(Reason.NOT_GRANTED, "the outcome is of another session")
