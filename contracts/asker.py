"""Who asks, and what about. Pure; nothing is written.

1. The query is for this network, at most a minute from the ledger's clock, signed by an account,
   or by a session that may be used (standing.py).
2. A session may ask about the collections whose policies admit it now, unless the owner revoked it
   there; an account about those that it owns or audits; a network's auditors about everything. An
   unknown collection and a forbidden one give the same answer.
3. Operations that open or revoke sessions, start key services or bring collateral concern every
   collection: who may ask about any may see them, and who may ask about none is told nothing.
4. The registry of releases, and the operations that made it, are there for every account and every
   open session: whoever is asked to endorse a release, or to trust one, has to see it.
5. What ends sessions without a collection (members' votes, their own end), votes on platforms and
   the list of platforms are there for members too.
6. Judging a collection costs what its policies, and the releases that they ask for, have in bytes,
   and strangers wrote those: they are counted, so that an answer can end and say where to go on.
Not here: the answers (`queries`).
"""

from dataclasses import dataclass, field

from ledger import keys
from ledger.crypto import p256
from ledger.crypto.secp256k1 import recover_address
from ledger.format import eip712
from ledger.format.hygiene import RevokeSession
from ledger.format.operation import Operation
from ledger.format.platforms import VotePlatform
from ledger.format.query import Query, query_hash, query_message
from ledger.format.releases import EndorseRelease, PublishRelease, RevokeRelease
from ledger.format.summary import summarize_question
from ledger.format.transaction import SignerKind
from ledger.reason import Reason

from contracts.admission import Moment, admitted_until, is_named
from contracts.errors import RefusedError
from contracts.facts import facts_for
from contracts.holdings import CollectionRecord, decode_collection, decode_owner
from contracts.records import Parameters, SessionRecord, decode_session, decode_signer
from contracts.standing import verify_usable
from contracts.view import ScanView

QUERY_AGE_MS = 60_000
MAX_JUDGED_BYTES = 256 * 1024  # of collections and releases for one answer: under 0.1 s

_VOTES = (RevokeSession, VotePlatform)
_OF_RELEASES = (PublishRelease, EndorseRelease, RevokeRelease)


@dataclass(frozen=True, slots=True)
class AskContext:
    """What a query is judged by beside state."""

    network_id: bytes
    parameters: Parameters
    now_ms: int


@dataclass(slots=True)
class Asker:
    """A verified signer and what it may ask about; remembers its judgements."""

    view: ScanView
    parameters: Parameters
    now_ms: int
    account: bytes
    session: SessionRecord | None
    session_id: bytes = b""
    judged_bytes: int = 0
    _judged: dict[str, bool] = field(default_factory=dict)
    _may_ask_any: bool | None = None

    @classmethod
    def of(cls, query: Query, context: AskContext, view: ScanView) -> "Asker":
        """The signer of a query as it stands now; RefusedError if its session may not be used."""
        if query.signer_kind is SignerKind.ACCOUNT:
            return cls(view, context.parameters, context.now_ms, query.signer, None)
        session = _usable_session(query, view, context)
        return cls(view, context.parameters, context.now_ms, b"", session, query.signer)

    @property
    def is_auditor(self) -> bool:
        """Whether the signer may ask about everything."""
        return bool(self.account) and self.account in self.parameters.auditors

    @property
    def has_judged_enough(self) -> bool:
        """Whether an answer should end here and say where to go on (6 above)."""
        return self.judged_bytes >= MAX_JUDGED_BYTES

    def may_ask_any(self) -> bool:
        """Whether there is a collection that the signer may ask about (3 above)."""
        if self._may_ask_any is None:
            self._may_ask_any = self._has_part()
        return self._may_ask_any

    def may_ask(self, collection: str) -> bool:
        """Whether the signer may ask about a collection (2 above)."""
        if collection not in self._judged:
            data = self.view.get(keys.collection(collection))
            self._judged[collection] = data is not None and self.may_ask_of(
                collection, self.decoded(data)
            )
        return self._judged[collection]

    def decoded(self, data: bytes) -> CollectionRecord:
        """The record of a collection that is about to be judged, counted (6 above)."""
        self.judged_bytes += len(data)
        return decode_collection(data)

    def may_ask_of(self, name: str, collection: CollectionRecord) -> bool:
        """The same for a collection's record."""
        terms = collection.terms
        if self.session is None:
            return (
                self.is_auditor
                or self.account == collection.owner
                or self.account in terms.auditors
            )
        if self.view.get(keys.revoked_session(name, self.session_id)) is not None:
            return False
        return any(
            self.now_ms < 1000 * self._admitted_until(policy, self.session)
            for policy in (terms.readers, terms.writers)
        )

    def may_see(self, operation: Operation) -> bool:
        """Whether the signer may see an operation (2 to 5 above)."""
        if isinstance(operation, _OF_RELEASES):
            return True
        collection = getattr(operation, "collection", "")  # a vote on a session names none
        if collection:
            return self.may_ask(collection)
        if isinstance(operation, _VOTES):
            return self.may_see_votes()
        return self.may_ask_any()

    def may_see_votes(self) -> bool:
        """Whether the signer may see what members vote on (5 above)."""
        return self.account in self.parameters.members or self.may_ask_any()

    def _admitted_until(self, policy: bytes, session: SessionRecord) -> int:
        facts = facts_for(self.view, policy, session.identity)
        self.judged_bytes += len(facts)
        is_development = self.parameters.is_development
        return admitted_until(policy, session.identity, facts, is_development)

    def _has_part(self) -> bool:
        if self.session is not None:
            moment = Moment(self.parameters.is_development, self.now_ms)
            return is_named(self.view, self.session.identity, moment)
        held = decode_owner(self.view.get(keys.owner(self.account)))
        return self.is_auditor or held.collections > 0 or held.audits > 0


def identify(
    query: Query, body: bytes, signature: bytes, view: ScanView, context: AskContext
) -> Asker:
    """Check who asks (1 above); RefusedError otherwise."""
    parameters = context.parameters
    if query.network_id != context.network_id:
        raise RefusedError(Reason.WRONG_NETWORK, "the query is for another network")
    if abs(query.time_ms - context.now_ms) > QUERY_AGE_MS + parameters.skew_ms:
        raise RefusedError(
            Reason.TRANSACTION_EXPIRED, "sign the query again: its time is not the present"
        )
    asker = Asker.of(query, context, view)
    if not _is_signed(query, body, signature, asker):
        raise RefusedError(Reason.BAD_SIGNATURE, "the signer did not sign this query")
    return asker


def verify_may_ask(asker: Asker, collection: str) -> None:
    """Raise RefusedError DENIED unless the signer may ask about the collection."""
    if not asker.may_ask(collection):
        raise RefusedError(
            Reason.DENIED, "there is no such collection, or this signer may not ask about it"
        )


def _is_signed(query: Query, body: bytes, signature: bytes, asker: Asker) -> bool:
    if asker.session is not None:
        message = query_message(query.network_id, body)
        return p256.is_valid(asker.session.public_key, signature, message)
    summary = summarize_question(query.question)
    digest = eip712.query_digest(query.network_id, query.time_ms, summary, query_hash(body))
    return recover_address(digest, signature) == query.signer


def _usable_session(query: Query, view: ScanView, context: AskContext) -> SessionRecord:
    data = view.get(keys.session(query.signer))
    if data is None:
        raise RefusedError(Reason.UNKNOWN_SIGNER, "open a session first")
    session = decode_session(data)
    signer = decode_signer(view.get(keys.signer(query.signer_kind, query.signer)))
    verify_usable(session, signer, view, context.parameters, context.now_ms)
    return session
