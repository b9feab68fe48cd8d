"""A small network of the rules, and the sessions of two enclaves in it."""

import pytest

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
