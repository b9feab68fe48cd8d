"""Networks around a real key service, fresh for each test."""

import pytest

from tests.support.small_network import SmallNetwork


@pytest.fixture
def network() -> SmallNetwork:
    """A network of one core whose key service answers releases."""
    return SmallNetwork().start()


@pytest.fixture
def unstarted() -> SmallNetwork:
    """A network of one core whose key service was just born."""
    return SmallNetwork()
