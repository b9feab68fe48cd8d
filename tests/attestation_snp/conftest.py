"""One product line of an AMD that does not exist."""

import pytest

from tests.support.snp_world import SnpWorld


@pytest.fixture(scope="session")
def world() -> SnpWorld:
    """Milan; nothing changes it."""
    return SnpWorld()
