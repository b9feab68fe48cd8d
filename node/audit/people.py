"""Who acted: sessions with the identity that their opening entry recorded, and signatures.

1. A session's identity is the one in the verdict of its OpenSession entry, whose session id must be
   that of the entry's body. Outcomes that name an identity's digest must name this one.
2. A transaction's signature is verified wherever that can be done: by the key in its body (a new
   session, a node), by the session's key once its opening is known, and by recovering an account's
   address where all operations of the transaction are open (the signature is over their text).
"""

from dataclasses import dataclass, field
from enum import Enum

from attestation.errors import AttestationError
from attestation.handshake import session_id
from attestation.identity import Identity, encode_identity, identity_digest
from attestation.verdict import decode_verdict
from enclave_client.openings import Event
from enclave_client.receipts import Entry
from ledger.crypto import ed25519, p256
from ledger.crypto.secp256k1 import recover_address
from ledger.errors import FormatError
from ledger.format import eip712
from ledger.format.leaf import TransactionLeaf, decode_leaf
from ledger.format.operation import decode_operation
from ledger.format.outcome import KeyAcquired, ReadGranted, SessionOpened
from ledger.format.summary import summarize
from ledger.format.transaction import (
    Body,
    SignerKind,
    decode_body,
    signed_message,
    transaction_hash,
)
from node.audit.errors import Finding, NotVerifiedError


class Signed(Enum):
    """Whether a signature was verified."""

    VERIFIED = "verified"
    UNKNOWN = "not verified"  # the key's entry or some operations are not open to the asker


@dataclass(frozen=True, slots=True)
class Session:
    """A session as its opening entry says."""

    id: bytes
    public_key: bytes
    opened_in: int
    opened_ms: int
    expires_ms: int
    identity: Identity
    digest: bytes


@dataclass(frozen=True, slots=True)
class Transaction:
    """The leaf of an opened entry, and its body."""

    leaf: TransactionLeaf
    body: Body


@dataclass(slots=True)
class People:
    """Sessions that were met. Memory grows with them."""

    sessions: dict[bytes, Session] = field(default_factory=dict)

    def learn(self, event: Event) -> None:
        """Take in an event that opened a session; others say nothing. NotVerifiedError (1)."""
        detail = event.outcome.detail
        if not isinstance(detail, SessionOpened):
            return
        entry = event.receipt.entry
        transaction = transaction_of(entry)
        if session_id(transaction.leaf.body) != detail.session_id:
            raise _wrong(event, "the session that it opened is not that of its body")
        try:
            identity = decode_verdict(detail.verdict).identity
            digest = identity_digest(encode_identity(identity))
        except AttestationError as error:
            raise _wrong(event, f"its verdict does not decode: {error}") from error
        self.sessions[detail.session_id] = Session(
            detail.session_id,
            transaction.body.signer,
            event.index,
            event.time_ms,
            detail.expires_ms,
            identity,
            digest,
        )

    def of(self, event: Event) -> Session | None:
        """The session that acted in an event, if it is known; NotVerifiedError (1)."""
        session = self.sessions.get(session_of(event) or b"")
        detail = event.outcome.detail
        if (
            session is not None
            and isinstance(detail, ReadGranted | KeyAcquired)
            and detail.identity_digest != session.digest
        ):
            raise _wrong(event, "its outcome names another identity than the session's opening")
        return session

    def verify_signature(self, event: Event, network_id: bytes) -> Signed:
        """Verify the transaction's signature if it can be (2); NotVerifiedError if it is bad."""
        entry = event.receipt.entry
        transaction = transaction_of(entry)
        body, leaf = transaction.body, transaction.leaf
        message = signed_message(network_id, leaf.body)
        kind = body.signer_kind
        if kind is SignerKind.ACCOUNT:
            if not all(entry.operations):
                return Signed.UNKNOWN
            is_good = _is_signed_by_account(entry, transaction, network_id)
        elif kind is SignerKind.NODE:
            is_good = ed25519.is_valid(body.signer, leaf.signature, message)
        else:
            key = self._key(body)
            if key is None:
                return Signed.UNKNOWN
            is_good = p256.is_valid(key, leaf.signature, message)
        if not is_good:
            raise _wrong(event, "its signer did not sign it")
        return Signed.VERIFIED

    def _key(self, body: Body) -> bytes | None:
        if body.signer_kind is SignerKind.NEW_SESSION:
            return body.signer
        session = self.sessions.get(body.signer)
        return None if session is None else session.public_key


def transaction_of(entry: Entry) -> Transaction:
    """The decoded leaf and body of a proven entry."""
    leaf = decode_leaf(entry.leaf)
    if not isinstance(leaf, TransactionLeaf):
        raise FormatError("the leaf is no transaction")
    return Transaction(leaf, decode_body(leaf.body))


def session_of(event: Event) -> bytes | None:
    """The session that acted: the signer, or the one that is opened; None for others."""
    detail = event.outcome.detail
    if isinstance(detail, SessionOpened):
        return detail.session_id
    return event.signer if event.signer_kind is SignerKind.SESSION else None


def _is_signed_by_account(entry: Entry, transaction: Transaction, network_id: bytes) -> bool:
    body, leaf = transaction.body, transaction.leaf
    try:
        summary = summarize(tuple(map(decode_operation, entry.operations)))
    except FormatError:
        return False
    digest = eip712.transaction_digest(
        network_id, body.sequence, summary, transaction_hash(leaf.body)
    )
    return recover_address(digest, leaf.signature) == body.signer


def _wrong(event: Event, what: str) -> NotVerifiedError:
    return NotVerifiedError(Finding(f"entry {event.index}", what))
