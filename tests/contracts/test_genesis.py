"""The state that genesis makes."""

from dataclasses import replace
from hashlib import sha256

import pytest

from contracts.admission import MAX_FILED
from contracts.genesis import RULES_VERSION, genesis_state, parameters_of
from contracts.holdings import CollectionRecord, decode_collection, decode_list
from contracts.records import decode_parameters
from ledger import keys
from ledger.errors import FormatError
from ledger.format.genesis import Limits, Profile, decode_genesis
from ledger.format.terms import CollectionTerms
from ledger.format.trust import encode_trust, trust_digest
from tests.support.small_rules import (
    COLLECTIONS,
    CORE,
    SERVICE_KEY,
    collection,
    genesis_bytes,
    identity_of,
    policy_of,
    trust_document,
)

LIMITS = Limits(
    session_ms=1_001,
    skew_ms=2,
    checkpoint_age_ms=1_003,
    receipt_age_ms=1_004,
    block_interval_ms=5,
    value_bytes=6,
    denials=7,
    owner_collections=8,
    owner_bytes=9,
)


def test_parameters() -> None:
    """Parameters are genesis' limits and profile, and the trust document's keys and numbers."""
    genesis = decode_genesis(genesis_bytes(limits=LIMITS))
    parameters = parameters_of(genesis)
    assert (parameters.session_ms, parameters.skew_ms) == (1_001, 2)
    assert (parameters.checkpoint_age_ms, parameters.receipt_age_ms) == (1_003, 1_004)
    assert (parameters.block_interval_ms, parameters.value_bytes, parameters.denials) == (5, 6, 7)
    assert (parameters.owner_collections, parameters.owner_bytes) == (8, 9)
    assert parameters.trust_digest == trust_digest(encode_trust(trust_document()))
    assert (parameters.trust_version, parameters.epoch) == (1, 1)
    assert (parameters.rules_version, parameters.rules_height) == (RULES_VERSION, 0)
    assert parameters.service_key == SERVICE_KEY
    assert parameters.nodes == (CORE.key.public_key,)
    assert parameters.is_development
    for profile in (Profile.SINGLE, Profile.CONSORTIUM):
        assert not parameters_of(replace(genesis, profile=profile)).is_development


def test_rows() -> None:
    """The state holds parameters, collections without owners, and policies under what they name."""
    genesis = decode_genesis(genesis_bytes())
    state = genesis_state(genesis)
    policies = (policy_of("alpha", "beta"), policy_of("alpha"), policy_of("beta"))
    both, alpha, beta = (sha256(one).digest() for one in policies)
    named = {who: keys.admission(b"m" + identity_of(who).measurement) for who in ("alpha", "beta")}
    assert set(state) == {
        keys.PARAMETERS,
        *map(keys.policy, (both, alpha, beta)),
        *named.values(),
        *(keys.collection(one.name) for one in COLLECTIONS),
    }
    assert decode_parameters(state[keys.PARAMETERS] or b"") == parameters_of(genesis)
    for one in COLLECTIONS:
        row = state[keys.collection(one.name)]
        terms = CollectionTerms(one.readers, one.writers)
        assert decode_collection(row or b"") == CollectionRecord(terms, b"", is_frozen=False)
    filed = {who: set(decode_list(state[key] or b"")) for who, key in named.items()}
    assert filed["alpha"] == {bytes((0, 0, 0, 1)) + both, bytes((0, 0, 0, 1)) + alpha}
    assert filed["beta"] == {bytes((0, 0, 0, 1)) + both, bytes((0, 0, 0, 2)) + beta}


def test_too_many_policies() -> None:
    """Genesis whose policies name one enclave more often than a file holds is refused by name."""
    many = tuple(
        collection(f"c{n}", policy_of("alpha", f"other {n}"), policy_of("alpha"))
        for n in range(MAX_FILED)
    )
    genesis_state(decode_genesis(genesis_bytes(many[:-1])))
    with pytest.raises(FormatError, match=f"c{MAX_FILED - 1}"):
        genesis_state(decode_genesis(genesis_bytes(many)))


@pytest.mark.parametrize("bad", [b"", b"\xff", policy_of("alpha") + b"\xf8\x01\x01"])
@pytest.mark.parametrize("field", ["readers", "writers"])
def test_bad_policy(bad: bytes, field: str) -> None:
    """A policy in genesis that is empty, unreadable or not canonical is refused by its name."""
    policies = {"readers": policy_of("alpha"), "writers": policy_of("alpha"), field: bad}
    genesis = decode_genesis(genesis_bytes((collection("some/where", **policies),)))
    with pytest.raises(FormatError, match="some/where"):
        genesis_state(genesis)
