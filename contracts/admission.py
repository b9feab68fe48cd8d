"""Which identities policies name: whether one admits an identity, and which policies to ask.

An identity opens a session only if a policy of some collection admits it. So that this costs the
same with one collection as with a million, each policy is filed under what its matches name (a
measurement, or a signer and product); an identity is looked up under its own two names. Policies
are kept by their digest and counted; one that no collection uses any more admits nobody.

`admits` is a pure function of its arguments, so remembering it changes no answer; it makes a policy
cost well under a microsecond for each operation.
"""

import hashlib
from functools import lru_cache

from attestation.errors import AttestationError
from attestation.identity import decode_identity
from attestation.policy import Match, Policy, decode_policy, is_admitted
from ledger import keys
from ledger.format.terms import CollectionTerms

from contracts.errors import StateError
from contracts.holdings import decode_list, encode_list
from contracts.view import Changes, StateView

MAX_FILED = 1024  # policies under one name
_COUNT_BYTES = 4


@lru_cache(maxsize=16384)
def admits(policy: bytes, identity: bytes, is_development: bool) -> bool:
    """Whether canonical policy bytes admit canonical identity bytes."""
    try:
        return is_admitted(
            decode_policy(policy), decode_identity(identity), development=is_development
        )
    except AttestationError as error:
        raise StateError(f"a stored policy or identity does not decode: {error}") from error


def is_named(view: StateView, identity: bytes, is_development: bool) -> bool:
    """Whether a policy in use admits the identity."""
    for name in _names_of_identity(identity):
        for item in decode_list(view.get(keys.admission(name)) or b""):
            policy = view.get(keys.policy(item[_COUNT_BYTES:]))
            if policy is None:
                raise StateError("a filed policy is missing")
            if admits(policy, identity, is_development):
                return True
    return False


def admit_terms(state: Changes, terms: CollectionTerms) -> bool:
    """Count a collection's policies in; False, with nothing written, if a name is full."""
    return _exchange(state, (), _policies(terms))


def replace_terms(state: Changes, old: CollectionTerms, new: CollectionTerms) -> bool:
    """Count the old policies out and the new ones in; False, with nothing written, if full."""
    return _exchange(state, _policies(old), _policies(new))


def _policies(terms: CollectionTerms) -> tuple[bytes, ...]:
    return (terms.readers, terms.writers)


def _exchange(state: Changes, old: tuple[bytes, ...], new: tuple[bytes, ...]) -> bool:
    # On a layer of its own: a full name undoes the whole exchange, counts of others included.
    trial = Changes(state)
    for policy in old:
        _count(trial, policy, -1)
    for policy in new:
        _count(trial, policy, 1)
        if any(_filed(trial, name) > MAX_FILED for name in _names_of_policy(policy)):
            return False
    state.writes.update(trial.writes)
    return True


def _filed(state: Changes, name: bytes) -> int:
    return len(decode_list(state.get(keys.admission(name)) or b""))


def _count(state: Changes, policy: bytes, step: int) -> None:
    digest = hashlib.sha256(policy).digest()
    for name in _names_of_policy(policy):
        key = keys.admission(name)
        filed = {
            item[_COUNT_BYTES:]: int.from_bytes(item[:_COUNT_BYTES], "big")
            for item in decode_list(state.get(key) or b"")
        }
        filed[digest] = filed.get(digest, 0) + step
        items = (
            count.to_bytes(_COUNT_BYTES, "big") + one
            for one, count in sorted(filed.items())
            if count
        )
        state.put(key, encode_list(tuple(items)) or None)
    state.put(keys.policy(digest), policy)


def _names_of_identity(identity: bytes) -> tuple[bytes, ...]:
    try:
        decoded = decode_identity(identity)
    except AttestationError as error:
        raise StateError(f"a stored identity does not decode: {error}") from error
    names = [_measurement_name(decoded.measurement)]
    if decoded.signer:
        names.append(_signer_name(decoded.signer, decoded.product_id))
    return tuple(names)


@lru_cache(maxsize=1024)
def _names_of_policy(policy: bytes) -> tuple[bytes, ...]:
    try:
        decoded = decode_policy(policy)
    except AttestationError as error:
        raise StateError(f"a stored policy does not decode: {error}") from error
    pending: list[Policy] = [decoded]
    names: dict[bytes, None] = {}
    while pending:
        node = pending.pop()
        if not isinstance(node, Match):
            pending.extend(node.members)
        elif node.measurement:
            names[_measurement_name(node.measurement)] = None
        else:
            names[_signer_name(node.signer, node.product_id)] = None
    return tuple(names)


def _measurement_name(measurement: bytes) -> bytes:
    return b"m" + measurement


def _signer_name(signer: bytes, product_id: int) -> bytes:
    return b"s" + product_id.to_bytes(2, "big") + signer
