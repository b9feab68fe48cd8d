"""Which identities policies name: whether one admits an identity, and which policies to ask.

An identity opens a session only if a policy of some collection admits it. So that this costs the
same with one collection as with a million:

1. A policy in use is kept once, by its digest, with the number of its uses.
2. It is filed under each thing that its matches name (`filing`): a measurement, a signer and
   product, an MRTD, a name of releases.
3. An identity is looked up under its own names. Where more than 64 policies are filed under one,
   nobody looks: it is named. That opens a session and nothing else, since each operation is judged
   by its own collection's policy; and nobody can keep others out by filing policies.
4. So it is with the names of the releases that measure it (`registry`), 64 policies for all.

`admitted_until` is a pure function of its arguments, so remembering it changes no answer; it makes
a policy cost well under a microsecond for each operation. What is remembered is bounded in bytes
too: strangers' releases of an enclave may be 56 KB, and each word on them makes others.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, wraps

from attestation.errors import AttestationError
from attestation.facts import decode_facts
from attestation.fields import TdxFields
from attestation.identity import decode_identity
from attestation.judging import Subject
from attestation.judging import admitted_until as judge
from attestation.policy import Match, TdxMatch, decode_policy, matches_of
from ledger import keys
from ledger.format.terms import CollectionTerms

from contracts import registry
from contracts.errors import StateError
from contracts.facts import facts_for
from contracts.filing import (
    NUMBER_BYTES,
    count_filed,
    file_under,
    filed_under,
    read_number,
    row_of,
    take_out,
    write_number,
)
from contracts.view import Changes, StateView

MAX_LOOKED_AT = 64  # policies under one name
MANY_RELEASES = 2048  # bytes: some with a few endorsers each


def _judge_anew(policy: bytes, identity: bytes, facts: bytes, is_development: bool) -> int:
    try:
        subject = Subject(decode_identity(identity), decode_facts(facts))
        return judge(decode_policy(policy), subject, development=is_development)
    except AttestationError as error:
        raise StateError(f"a stored policy or identity does not decode: {error}") from error


_judge_by_few = lru_cache(maxsize=16384)(_judge_anew)
_judge_by_many = lru_cache(maxsize=512)(_judge_anew)


@wraps(_judge_anew, assigned=())
def admitted_until(policy: bytes, identity: bytes, facts: bytes, is_development: bool) -> int:
    """Until which Unix second canonical policy bytes admit canonical identity bytes.

    `facts` is what the ledger knows of the identity (`facts`).
    """
    remembering = _judge_by_few if len(facts) <= MANY_RELEASES else _judge_by_many
    return remembering(policy, identity, facts, is_development)


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where it is asked whom policies name."""

    is_development: bool
    time_ms: int  # block time


def is_named(view: StateView, identity: bytes, moment: Moment) -> bool:
    """Whether a policy in use admits the identity at this moment (3 and 4 above)."""
    for name in _names_of_identity(identity):
        if _is_named_in(view, (name,), identity, moment):
            return True
    enclave = registry.enclave_name(identity)
    if count_filed(view, enclave) > MAX_LOOKED_AT:
        return True
    names = tuple(b"r" + name for name in filed_under(view, enclave))
    return _is_named_in(view, names, identity, moment)


def policies_of_code(view: StateView, identity: bytes) -> Iterator[bytes]:
    """Canonical bytes of each policy in use that speaks of an identity's code or releases."""
    releases = registry.names_of_releases(view, identity)
    for name in (*_names_of_identity(identity), *map(_release_name, sorted(releases))):
        yield from _policies_under(view, name)


def admit_terms(state: Changes, terms: CollectionTerms) -> None:
    """Count a collection's policies in."""
    for policy in (terms.readers, terms.writers):
        digest = hashlib.sha256(policy).digest()
        row = state.get(keys.policy(digest))
        uses = 0 if row is None else read_number(row[:NUMBER_BYTES])
        state.put(keys.policy(digest), write_number(uses + 1) + policy)
        if not uses:
            for name in _names_of_policy(policy):
                file_under(state, name, digest)


def withdraw_terms(state: Changes, terms: CollectionTerms) -> None:
    """Count a collection's policies out again."""
    for policy in (terms.readers, terms.writers):
        digest = hashlib.sha256(policy).digest()
        uses = read_number(row_of(state, keys.policy(digest))[:NUMBER_BYTES])
        state.put(keys.policy(digest), write_number(uses - 1) + policy if uses > 1 else None)
        if uses == 1:
            for name in _names_of_policy(policy):
                take_out(state, name, digest)


def _is_named_in(
    view: StateView, names: tuple[bytes, ...], identity: bytes, moment: Moment
) -> bool:
    if sum(count_filed(view, name) for name in names) > MAX_LOOKED_AT:
        return True
    for name in names:
        for policy in _policies_under(view, name):
            facts = facts_for(view, policy, identity)
            until_s = admitted_until(policy, identity, facts, moment.is_development)
            if moment.time_ms < until_s * 1000:
                return True
    return False


def _policies_under(view: StateView, name: bytes) -> Iterator[bytes]:
    for digest in filed_under(view, name):
        yield row_of(view, keys.policy(digest))[NUMBER_BYTES:]


def _names_of_identity(identity: bytes) -> tuple[bytes, ...]:
    try:
        decoded = decode_identity(identity)
    except AttestationError as error:
        raise StateError(f"a stored identity does not decode: {error}") from error
    names = [_measurement_name(decoded.measurement)]
    if decoded.signer:
        names.append(_signer_name(decoded.signer, decoded.product_id))
    if isinstance(decoded.fields, TdxFields):
        names.append(_mr_td_name(decoded.fields.mr_td))
    return tuple(names)


@lru_cache(maxsize=1024)
def _names_of_policy(policy: bytes) -> tuple[bytes, ...]:
    try:
        decoded = decode_policy(policy)
    except AttestationError as error:
        raise StateError(f"a stored policy does not decode: {error}") from error
    return tuple(dict.fromkeys(map(_name_of, matches_of(decoded))))


def _name_of(match: Match) -> bytes:
    if match.measurement:
        return _measurement_name(match.measurement)
    if match.signer:
        return _signer_name(match.signer, match.product_id)
    if match.release is not None:
        return _release_name(match.release.name)
    # Nothing else is left: a match that names nothing is not valid.
    return _mr_td_name(match.tee.mr_td if isinstance(match.tee, TdxMatch) else b"")


def _measurement_name(measurement: bytes) -> bytes:
    return b"m" + measurement


def _signer_name(signer: bytes, product_id: int) -> bytes:
    return b"s" + product_id.to_bytes(2, "big") + signer


def _release_name(name: str) -> bytes:
    return b"r" + name.encode("ascii")


def _mr_td_name(mr_td: bytes) -> bytes:
    return b"t" + mr_td
