"""A small network of the rules, and the sessions of two enclaves in it."""

import pytest

from attestation.policy import encode_policy
from ledger.format.releases import EnclaveRelease, PublishRelease
from ledger.format.terms import CollectionTerms, CreateCollection
from tests.support.small_releases import account, asking_for, release_of
from tests.support.small_rules import Enclave, Signer, SmallRules


@pytest.fixture
def rules() -> SmallRules:
    """A network with the collections "app" and "beta/own"."""
    return SmallRules()


@pytest.fixture
def alpha(rules: SmallRules) -> Signer:
    """A session that reads and writes "app" and has no part in "beta/own"."""
    return rules.open(Enclave("alpha"))


@pytest.fixture
def beta(rules: SmallRules) -> Signer:
    """A session that reads "app", and reads and writes "beta/own"."""
    return rules.open(Enclave("beta"))


@pytest.fixture
def publisher() -> Signer:
    """An account that owns nothing."""
    return account("publisher")


@pytest.fixture
def released(rules: SmallRules, publisher: Signer) -> EnclaveRelease:
    """A release of gamma, and a collection "own" that reads it if two of three endorse it."""
    release = release_of()
    rules.outcomes(publisher, PublishRelease(release))
    policy = encode_policy(asking_for())
    rules.outcomes(account("owner"), CreateCollection("own", CollectionTerms(policy, policy)))
    return release
