"""What a key service takes from genesis for good."""

import hashlib

import pytest

from attestation import vendors
from kms.anchor import read_anchor
from kms.errors import KeyServiceStateError
from tests.support.production_genesis import as_production
from tests.support.small_network import SmallNetwork

SOFTWARE_ROOT = b"root"


def production_genesis(network: SmallNetwork) -> bytes:
    """The network's genesis as a witnessed one of profile `single`, its root still of software."""
    return as_production(network.genesis, (SOFTWARE_ROOT,), (vendors.INTEL_TCB_SIGNER,))


def test_a_root_of_software_makes_no_production_network(unstarted: SmallNetwork) -> None:
    """Whoever wrote the trust document, outside of development only vendors' roots are believed."""
    genesis = production_genesis(unstarted)
    with pytest.raises(KeyServiceStateError, match=hashlib.sha256(SOFTWARE_ROOT).hexdigest()):
        read_anchor(genesis)


def test_a_vendors_root_makes_one(unstarted: SmallNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same genesis is taken once its root is a vendor's."""
    digest = hashlib.sha256(SOFTWARE_ROOT).digest()
    monkeypatch.setattr(vendors, "ROOTS", frozenset((digest,)))
    assert read_anchor(production_genesis(unstarted)).trust.roots == (SOFTWARE_ROOT,)


def test_a_foreign_tcb_signer_makes_no_production_network(
    unstarted: SmallNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pins of a production network are the vendors' too."""
    monkeypatch.setattr(vendors, "ROOTS", frozenset((hashlib.sha256(SOFTWARE_ROOT).digest(),)))
    monkeypatch.setattr(vendors, "TCB_SIGNERS", frozenset((bytes(32),)))
    with pytest.raises(KeyServiceStateError, match=vendors.INTEL_TCB_SIGNER.hex()):
        read_anchor(production_genesis(unstarted))
