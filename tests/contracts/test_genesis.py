"""The state that genesis makes."""

from dataclasses import replace
from hashlib import sha256

import pytest

from attestation.verify import read_facts
from contracts.genesis import RULES_VERSION, genesis_state, parameters_of
from contracts.holdings import CollectionRecord, decode_collection
from contracts.records import decode_parameters
from ledger import keys
from ledger.errors import FormatError
from ledger.format.genesis import Limits, Profile, decode_genesis
from ledger.format.terms import CollectionTerms
from ledger.format.trust import encode_trust, trust_digest
from tests.support.small_rules import (
    COLLATERAL_KEY,
    COLLECTIONS,
    CORE,
    SERVICE_KEY,
    collection,
    genesis_bytes,
    genesis_collateral,
    identity_of,
    policy_of,
    trust_document,
)

FACTS = (read_facts(genesis_collateral()),)
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
    identity_sessions=10,
    owner_releases=11,
)


def name_of(who: str) -> bytes:
    """Under what policies that name an enclave's measurement are filed."""
    return b"m" + identity_of(who).measurement


def test_parameters() -> None:
    """Parameters are genesis' limits and profile, and the trust document's keys and numbers."""
    genesis = decode_genesis(genesis_bytes(limits=LIMITS))
    parameters = parameters_of(genesis)
    assert (parameters.session_ms, parameters.skew_ms) == (1_001, 2)
    assert (parameters.checkpoint_age_ms, parameters.receipt_age_ms) == (1_003, 1_004)
    assert (parameters.block_interval_ms, parameters.value_bytes, parameters.denials) == (5, 6, 7)
    assert (parameters.owner_collections, parameters.owner_bytes) == (8, 9)
    assert (parameters.identity_sessions, parameters.owner_releases) == (10, 11)
    assert (parameters.grace_s, parameters.tcb_floor, parameters.tcb_ceiling) == (0, 0, 0)
    assert (parameters.members, parameters.member_threshold) == ((), 0)
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
    state = genesis_state(genesis, FACTS)
    policies = (policy_of("alpha", "beta"), policy_of("alpha"), policy_of("beta"))
    both, alpha, beta = (sha256(one).digest() for one in policies)
    named = {who: keys.admission(name_of(who)) for who in ("alpha", "beta")}
    assert set(state) == {
        keys.PARAMETERS,
        keys.collateral(COLLATERAL_KEY),
        *map(keys.policy, (both, alpha, beta)),
        *named.values(),
        *(keys.filed_policy(name_of(who), place) for who in named for place in (0, 1)),
        *(keys.place_of_policy(name_of("alpha"), digest) for digest in (both, alpha)),
        *(keys.place_of_policy(name_of("beta"), digest) for digest in (both, beta)),
        *(keys.collection(one.name) for one in COLLECTIONS),
    }
    assert decode_parameters(state[keys.PARAMETERS] or b"") == parameters_of(genesis)
    for one in COLLECTIONS:
        row = state[keys.collection(one.name)]
        terms = CollectionTerms(one.readers, one.writers)
        assert decode_collection(row or b"") == CollectionRecord(terms, b"", is_frozen=False)
    assert [state[key] for key in named.values()] == [b"\0\0\0\2"] * 2
    for who, digests in (("alpha", (both, alpha)), ("beta", (both, beta))):
        for place, digest in enumerate(digests):
            assert state[keys.filed_policy(name_of(who), place)] == digest
            assert state[keys.place_of_policy(name_of(who), digest)] == bytes((0, 0, 0, place))
    uses = [(state[keys.policy(one)] or b"")[:4] for one in (both, alpha, beta)]
    assert uses == [b"\0\0\0\1", b"\0\0\0\1", b"\0\0\0\2"]


@pytest.mark.parametrize("bad", [b"", b"\xff", policy_of("alpha") + b"\xf8\x01\x01"])
@pytest.mark.parametrize("field", ["readers", "writers"])
def test_bad_policy(bad: bytes, field: str) -> None:
    """A policy in genesis that is empty, unreadable or not canonical is refused by its name."""
    policies = {"readers": policy_of("alpha"), "writers": policy_of("alpha"), field: bad}
    genesis = decode_genesis(genesis_bytes((collection("some/where", **policies),)))
    with pytest.raises(FormatError, match="some/where"):
        genesis_state(genesis, FACTS)
