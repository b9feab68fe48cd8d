"""One software platform for the tests of attestation."""

import pytest

from tests.support.attested import SoftwareWorld, make_world


@pytest.fixture(scope="session")
def world() -> SoftwareWorld:
    """A platform with fresh keys; nothing changes it."""
    return make_world()
