"""Where an operation runs, and what its signer may do there.

A session acts by its identity, judged by the collection's policies as of block time, unless the
owner revoked it there; an account acts as the owner of its collections: it may write (sealed to the
collection's public key) and change the terms, but it can never be given a key.
"""

from dataclasses import dataclass, field, replace

from ledger import keys
from ledger.reason import Reason

from contracts.admission import admitted_until
from contracts.facts import facts_for
from contracts.holdings import (
    CollectionRecord,
    OwnerRecord,
    decode_collection,
    decode_owner,
    encode_owner,
)
from contracts.records import Parameters, SessionRecord
from contracts.view import Changes

TOUCHED = bytes((Reason.OK,))  # the values of touches
TOUCH_DENIED = bytes((Reason.DENIED,))


@dataclass(frozen=True, slots=True)
class Access:
    """What the signer may do in a collection."""

    may_read: bool
    may_write: bool
    is_owner: bool
    collection: CollectionRecord
    is_revoked: bool = False  # the owner said that this session has no part in it


@dataclass(slots=True)
class Place:
    """Where an operation runs: the state, the rules' parameters, its entry and position.

    `signer` is the session id, or the account's address after 12 zero bytes: who a sealed value
    names as its writer.
    """

    state: Changes
    parameters: Parameters
    time_ms: int
    index: int
    position: int
    signer: bytes
    session: SessionRecord | None
    account: bytes = b""
    is_over: bool = False  # the session ends itself with this transaction
    _judged: dict[str, Access | None] = field(default_factory=dict)

    def access(self, name: str) -> Access | None:
        """What the signer may do in a collection; None if there is no such collection."""
        if name not in self._judged:
            self._judged[name] = self._judge(name)
        return self._judged[name]

    def forget(self, name: str) -> None:
        """Judge a collection again: its record changed."""
        self._judged.pop(name, None)

    def touch(self, collection: str, name: str, mark: bytes) -> None:
        """Mark that this operation concerned the secret."""
        self.state.put(keys.touch(collection, name, self.index, self.position), mark)

    def owner(self, address: bytes) -> OwnerRecord:
        """What an account holds now."""
        return decode_owner(self.state.get(keys.owner(address)))

    def hold(
        self,
        address: bytes,
        *,
        collections: int = 0,
        stored_bytes: int = 0,
        audits: int = 0,
        releases: int = 0,
        votes: int = 0,
    ) -> None:
        """Add to what an account holds."""
        held = self.owner(address)
        changed = replace(
            held,
            collections=held.collections + collections,
            stored_bytes=held.stored_bytes + stored_bytes,
            audits=held.audits + audits,
            releases=held.releases + releases,
            votes=held.votes + votes,
        )
        self.state.put(keys.owner(address), encode_owner(changed))

    def _judge(self, name: str) -> Access | None:
        data = self.state.get(keys.collection(name))
        if data is None:
            return None
        collection = decode_collection(data)
        if self.session is None:
            is_owner = bool(collection.owner) and collection.owner == self.account
            return Access(False, is_owner, is_owner, collection)
        if self.state.get(keys.revoked_session(name, self.signer)) is not None:
            return Access(False, False, False, collection, is_revoked=True)
        terms = collection.terms
        return Access(
            self._is_admitted(terms.readers, self.session),
            self._is_admitted(terms.writers, self.session),
            False,
            collection,
        )

    def _is_admitted(self, policy: bytes, session: SessionRecord) -> bool:
        facts = facts_for(self.state, policy, session.identity)
        is_development = self.parameters.is_development
        until_s = admitted_until(policy, session.identity, facts, is_development)
        return self.time_ms < until_s * 1000
