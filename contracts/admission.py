"""Which identities policies name: whether one admits an identity, and which policies to ask.

An identity opens a session only if a policy of some collection admits it. So that this costs the
same with one collection as with a million:

1. A policy in use is kept once, by its digest, with the number of its uses.
2. It is filed under each thing that its matches name (a measurement, or a signer and product), in
   numbered places without gaps: when one is taken out, the last takes its place.
3. An identity is looked up under its own two names. Where more than 64 policies are filed under
   one, nobody looks: it is named. That opens a session and nothing else, since each operation is
   judged by its own collection's policy; and nobody can keep others out by filing policies.

`admitted_until` is a pure function of its arguments, so remembering it changes no answer; it makes
a policy cost well under a microsecond for each operation.
"""

import hashlib
from functools import lru_cache

from attestation.errors import AttestationError
from attestation.fields import TdxFields
from attestation.identity import decode_identity
from attestation.judging import NEVER, Subject
from attestation.judging import admitted_until as judge
from attestation.policy import TdxMatch, decode_policy, matches_of
from attestation.releases import decode_releases
from ledger import keys
from ledger.format.terms import CollectionTerms

from contracts.errors import StateError
from contracts.view import Changes, StateView

MAX_LOOKED_AT = 64  # policies under one name
_COUNT_BYTES = 4


@lru_cache(maxsize=16384)
def admitted_until(policy: bytes, identity: bytes, releases: bytes, is_development: bool) -> int:
    """Until which Unix second canonical policy bytes admit canonical identity bytes.

    `releases` is what the ledger knows of releases with the identity's measurement.
    """
    try:
        subject = Subject(decode_identity(identity), decode_releases(releases))
        return judge(decode_policy(policy), subject, development=is_development)
    except AttestationError as error:
        raise StateError(f"a stored policy or identity does not decode: {error}") from error


def is_named(view: StateView, identity: bytes, is_development: bool) -> bool:
    """Whether a policy in use admits the identity (3 above)."""
    for name in _names_of_identity(identity):
        filed = _number(view.get(keys.admission(name)))
        if filed > MAX_LOOKED_AT:
            return True
        for place in range(filed):
            row = _row(view, keys.policy(_row(view, keys.filed_policy(name, place))))
            if admitted_until(row[_COUNT_BYTES:], identity, b"", is_development) > NEVER:
                return True
    return False


def admit_terms(state: Changes, terms: CollectionTerms) -> None:
    """Count a collection's policies in."""
    for policy in (terms.readers, terms.writers):
        key = keys.policy(hashlib.sha256(policy).digest())
        row = state.get(key)
        uses = 0 if row is None else _number(row[:_COUNT_BYTES])
        state.put(key, _counted(uses + 1) + policy)
        if not uses:
            _file(state, policy)


def withdraw_terms(state: Changes, terms: CollectionTerms) -> None:
    """Count a collection's policies out again."""
    for policy in (terms.readers, terms.writers):
        key = keys.policy(hashlib.sha256(policy).digest())
        uses = _number(_row(state, key)[:_COUNT_BYTES])
        state.put(key, _counted(uses - 1) + policy if uses > 1 else None)
        if uses == 1:
            _take_out(state, policy)


def _file(state: Changes, policy: bytes) -> None:
    digest = hashlib.sha256(policy).digest()
    for name in _names_of_policy(policy):
        filed = _number(state.get(keys.admission(name)))
        state.put(keys.filed_policy(name, filed), digest)
        state.put(keys.place_of_policy(name, digest), _counted(filed))
        state.put(keys.admission(name), _counted(filed + 1))


def _take_out(state: Changes, policy: bytes) -> None:
    digest = hashlib.sha256(policy).digest()
    for name in _names_of_policy(policy):
        place = _number(_row(state, keys.place_of_policy(name, digest)))
        last = _number(_row(state, keys.admission(name))) - 1
        moved = _row(state, keys.filed_policy(name, last))
        state.put(keys.filed_policy(name, place), moved)
        state.put(keys.place_of_policy(name, moved), _counted(place))
        state.put(keys.filed_policy(name, last), None)
        state.put(keys.place_of_policy(name, digest), None)
        state.put(keys.admission(name), _counted(last) if last else None)


def _row(view: StateView, key: bytes) -> bytes:
    row = view.get(key)
    if row is None:
        raise StateError("the files of policies have a gap")
    return row


def _counted(number: int) -> bytes:
    return number.to_bytes(_COUNT_BYTES, "big")


def _number(data: bytes | None) -> int:
    if data is None:
        return 0
    if len(data) != _COUNT_BYTES:
        raise StateError("files of policies: wrong length")
    return int.from_bytes(data, "big")


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
    names: dict[bytes, None] = {}
    for match in matches_of(decoded):
        if match.measurement:
            names[_measurement_name(match.measurement)] = None
        elif match.signer:
            names[_signer_name(match.signer, match.product_id)] = None
        elif match.release is not None:
            names[_release_name(match.release.name)] = None
        elif isinstance(match.tee, TdxMatch):
            names[_mr_td_name(match.tee.mr_td)] = None
    return tuple(names)


def _measurement_name(measurement: bytes) -> bytes:
    return b"m" + measurement


def _signer_name(signer: bytes, product_id: int) -> bytes:
    return b"s" + product_id.to_bytes(2, "big") + signer


def _release_name(name: str) -> bytes:
    return b"r" + name.encode("ascii")


def _mr_td_name(mr_td: bytes) -> bytes:
    return b"t" + mr_td
