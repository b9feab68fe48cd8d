"""The state that genesis makes."""

from dataclasses import replace

import pytest

from contracts.genesis import RULES_VERSION, genesis_state, parameters_of
from contracts.records import CollectionRecord, decode_collection, decode_list, decode_parameters
from ledger import keys
from ledger.errors import FormatError
from ledger.format.genesis import Limits, Profile, decode_genesis
from ledger.format.trust import encode_trust, trust_digest
from tests.support.small_rules import (
    COLLECTIONS,
    CORE,
    SERVICE_KEY,
    collection,
    genesis_bytes,
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
)


def test_parameters() -> None:
    """Parameters are genesis' limits and profile, and the trust document's keys and numbers."""
    genesis = decode_genesis(genesis_bytes(limits=LIMITS))
    parameters = parameters_of(genesis)
    assert (parameters.session_ms, parameters.skew_ms) == (1_001, 2)
    assert (parameters.checkpoint_age_ms, parameters.receipt_age_ms) == (1_003, 1_004)
    assert (parameters.block_interval_ms, parameters.value_bytes, parameters.denials) == (5, 6, 7)
    assert parameters.trust_digest == trust_digest(encode_trust(trust_document()))
    assert (parameters.trust_version, parameters.epoch) == (1, 1)
    assert (parameters.rules_version, parameters.rules_height) == (RULES_VERSION, 0)
    assert parameters.service_key == SERVICE_KEY
    assert parameters.nodes == (CORE.key.public_key,)
    assert parameters.is_development
    for profile in (Profile.SINGLE, Profile.CONSORTIUM):
        assert not parameters_of(replace(genesis, profile=profile)).is_development


def test_rows() -> None:
    """The state holds parameters, each collection, and each policy once in genesis' order."""
    genesis = decode_genesis(genesis_bytes())
    state = genesis_state(genesis)
    assert set(state) == {
        keys.PARAMETERS,
        keys.ADMISSIONS,
        *(keys.collection(one.name) for one in COLLECTIONS),
    }
    assert decode_parameters(state[keys.PARAMETERS] or b"") == parameters_of(genesis)
    for one in COLLECTIONS:
        row = state[keys.collection(one.name)]
        assert decode_collection(row or b"") == CollectionRecord(one.readers, one.writers)
    policies = (policy_of("alpha", "beta"), policy_of("alpha"), policy_of("beta"))
    assert decode_list(state[keys.ADMISSIONS] or b"") == policies


@pytest.mark.parametrize("bad", [b"", b"\xff", policy_of("alpha") + b"\xf8\x01\x01"])
@pytest.mark.parametrize("field", ["readers", "writers"])
def test_bad_policy(bad: bytes, field: str) -> None:
    """A policy in genesis that is empty, unreadable or not canonical is refused by its name."""
    policies = {"readers": policy_of("alpha"), "writers": policy_of("alpha"), field: bad}
    genesis = decode_genesis(genesis_bytes((collection("some/where", **policies),)))
    with pytest.raises(FormatError, match="some/where"):
        genesis_state(genesis)
