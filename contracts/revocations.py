"""The rules of ending a session: by itself, for a collection by its owner, for good by members.

0. A session ends itself, so that its identity has the place of it free again (`slots`).
1. The owner of a collection says so once; from the next operation on the session has no part in it.
2. Without a collection it is a member's vote. When as many distinct members as the trust document
   asks for have cast one, the session is closed at once. A vote cannot be taken back, and casting
   it again changes nothing; only the votes of those who are members now count.
3. Anybody else is denied, and learns nothing of which sessions there are.
A revoked session does not come back; the enclave may open another one as long as policies admit it,
so who distrusts the code changes the policy or revokes its release instead.
"""

from dataclasses import replace

from ledger import keys
from ledger.format.hygiene import RevokeSession
from ledger.format.outcome import Outcome, Votes
from ledger.format.terms import ADDRESS_BYTES
from ledger.format.transaction import SignerKind, split
from ledger.reason import Reason

from contracts.errors import StateError
from contracts.place import Place
from contracts.records import decode_signer, encode_signer

_OK = Outcome(Reason.OK)
_DENIED = Outcome(Reason.DENIED)
_WRONG_SIGNER = Outcome(Reason.WRONG_SIGNER)
_UNKNOWN_COLLECTION = Outcome(Reason.UNKNOWN_COLLECTION)
_UNKNOWN_SESSION = Outcome(Reason.UNKNOWN_SESSION)
_REVOKED = bytes((Reason.SESSION_REVOKED,))


def revoke_session(operation: RevokeSession, place: Place) -> Outcome:
    """End the own session (0 above), revoke for an own collection (1) or cast a vote (2)."""
    if place.session is not None:
        return _end(operation, place)
    if operation.collection:
        return _revoke(operation, place)
    if place.account not in place.parameters.members:
        return _DENIED
    if place.state.get(keys.session(operation.session_id)) is None:
        return _UNKNOWN_SESSION
    return _vote(operation.session_id, place)


def _end(operation: RevokeSession, place: Place) -> Outcome:
    if operation.session_id != place.signer or operation.collection:
        return _WRONG_SIGNER
    place.is_over = True
    return _OK


def _revoke(operation: RevokeSession, place: Place) -> Outcome:
    access = place.access(operation.collection)
    if access is None:
        return _UNKNOWN_COLLECTION
    if not access.is_owner:
        return _DENIED
    if place.state.get(keys.session(operation.session_id)) is None:
        return _UNKNOWN_SESSION
    place.state.put(keys.revoked_session(operation.collection, operation.session_id), _REVOKED)
    return _OK


def _vote(session_id: bytes, place: Place) -> Outcome:
    key = keys.session_votes(session_id)
    rows = place.state.get(key) or b""
    if len(rows) % ADDRESS_BYTES:
        raise StateError("votes: wrong length")
    voters = split(rows, ADDRESS_BYTES)
    if place.account not in voters:
        voters += (place.account,)
        place.state.put(key, rows + place.account)
    members = place.parameters.members
    cast = sum(voter in members for voter in voters)
    needed = place.parameters.member_threshold
    if cast >= needed:
        _close(session_id, place)
    return Outcome(Reason.OK, Votes(cast, needed))


def _close(session_id: bytes, place: Place) -> None:
    key = keys.signer(SignerKind.SESSION, session_id)
    signer = decode_signer(place.state.get(key))
    place.state.put(key, encode_signer(replace(signer, is_revoked=True)))
