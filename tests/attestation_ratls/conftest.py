"""One software platform, and one certificate of our own, for the tests of RA-TLS."""

import pytest

from attestation.ratls.forms import DICE_OID
from attestation.ratls.make import encode_claims
from tests.support.attested import SoftwareWorld, make_world
from tests.support.ratls_certificates import Wanted, dice_value, make_certificate, spki_of


@pytest.fixture(scope="session")
def world() -> SoftwareWorld:
    """A platform with fresh keys; nothing changes it."""
    return make_world()


@pytest.fixture(scope="session")
def own(world: SoftwareWorld) -> bytes:
    """A certificate as our node makes it, DER."""
    wanted = Wanted()
    claims = encode_claims(spki_of(wanted.key))
    return make_certificate(wanted, {DICE_OID: dice_value(world, claims)})
