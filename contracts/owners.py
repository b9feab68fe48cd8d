"""The rules of collections: an account makes one, changes its terms, freezes it.

Only the owner may; an account that owns nothing leaves no entry. Terms are replaced as a whole, and
take effect for the next operation: a session that is no longer admitted is denied from then on.
"""

from dataclasses import replace

from attestation.errors import AttestationError
from attestation.policy import decode_policy
from ledger import keys
from ledger.format.outcome import Outcome
from ledger.format.terms import CollectionTerms, CreateCollection, FreezeCollection, SetPolicy
from ledger.reason import Reason

from contracts.admission import admit_terms, withdraw_terms
from contracts.holdings import CollectionRecord, encode_collection
from contracts.place import Place

_OK = Outcome(Reason.OK)
_DENIED = Outcome(Reason.DENIED)
_WRONG_SIGNER = Outcome(Reason.WRONG_SIGNER)
_UNKNOWN_COLLECTION = Outcome(Reason.UNKNOWN_COLLECTION)
_EXISTS = Outcome(Reason.COLLECTION_EXISTS)
_MALFORMED = Outcome(Reason.MALFORMED)
_QUOTA = Outcome(Reason.QUOTA_EXCEEDED)


def create(operation: CreateCollection, place: Place) -> Outcome:
    """Make a collection that the account owns."""
    if not place.account:
        return _WRONG_SIGNER
    if place.access(operation.collection) is not None:
        return _EXISTS
    if not _are_valid(operation.terms):
        return _MALFORMED
    held = place.owner(place.account)
    if held.collections >= place.parameters.owner_collections:
        return _QUOTA
    admit_terms(place.state, operation.terms)
    place.hold(place.account, collections=1)
    _count_auditors(operation.terms, 1, place)
    _store(operation.collection, CollectionRecord(operation.terms, place.account), place)
    return _OK


def set_policy(operation: SetPolicy, place: Place) -> Outcome:
    """Replace the terms of an own collection."""
    access = place.access(operation.collection)
    if access is None:
        return _UNKNOWN_COLLECTION
    if not access.is_owner:
        return _DENIED
    if not _are_valid(operation.terms):
        return _MALFORMED
    # New ones first: a policy that stays is not taken out and filed again.
    admit_terms(place.state, operation.terms)
    withdraw_terms(place.state, access.collection.terms)
    _count_auditors(access.collection.terms, -1, place)
    _count_auditors(operation.terms, 1, place)
    _store(operation.collection, replace(access.collection, terms=operation.terms), place)
    return _OK


def freeze(operation: FreezeCollection, place: Place) -> Outcome:
    """Stop an own collection, or let it go on."""
    access = place.access(operation.collection)
    if access is None:
        return _UNKNOWN_COLLECTION
    if not access.is_owner:
        return _DENIED
    _store(operation.collection, replace(access.collection, is_frozen=operation.frozen), place)
    return _OK


def _store(name: str, collection: CollectionRecord, place: Place) -> None:
    place.state.put(keys.collection(name), encode_collection(collection))
    place.forget(name)


def _count_auditors(terms: CollectionTerms, step: int, place: Place) -> None:
    for address in terms.auditors:
        place.hold(address, audits=step)


def _are_valid(terms: CollectionTerms) -> bool:
    try:
        decode_policy(terms.readers)
        decode_policy(terms.writers)
    except AttestationError:
        return False
    return True
