"""What fuzzing found, each as the smallest thing that shows it."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.collateral import encode_collateral
from attestation.errors import CannotDecideError, DecisionFault, EvidenceFault
from attestation.platforms.software_pki import sign_raw
from attestation.rules import load_root
from attestation.verify import verify
from tests.fuzz_nightly.worlds import (
    dcap_collateral,
    encoded_evidence,
    intel,
    rules,
)
from tests.support.attested import NOW_S
from tests.support.der_edits import Item, body_of, read_items, resign, write

_SUBJECT = 5  # in a body: version, serial, algorithm, issuer, dates, subject


def _twice(name: Item) -> None:
    name.items[0].items *= 2


def _no_text(name: Item) -> None:
    name.items[0].items[0].items[1].tag = 0x02


@pytest.mark.parametrize("spoil", [_twice, _no_text])
def test_a_root_whose_name_cannot_be_read(spoil: Callable[[Item], None]) -> None:
    """A self-signed root with an attribute twice, or not of text, is refused as unusable.

    Members vote on roots: a ValueError here would have been one in every client and node.
    """
    authority = intel().authority
    der = authority.root.public_bytes(Encoding.DER)
    (body,) = read_items(body_of(der)) or []
    spoil(body.items[_SUBJECT])
    spoiled = resign(write(body), authority.root_key, der)
    with pytest.raises(CannotDecideError) as caught:
        load_root(spoiled)
    assert caught.value.code == DecisionFault.ROOT_UNUSABLE


@pytest.mark.parametrize("old, new", [('"version":3', '"version":[]'), ('"pceId"', '"pceid"')])
def test_a_document_that_the_library_cannot_read_is_not_the_prover_s_fault(
    old: str, new: str
) -> None:
    """TCB info of another form, signed by the pinned signer: the collateral is said to be bad."""
    collateral = dcap_collateral("sgx")
    text = collateral.tcb_info.replace(old, new)
    signature = sign_raw(intel().authority.tcb_signer_key, text.encode())
    fields = {name: getattr(collateral, name) for name in collateral.__slots__}
    changed = type(collateral)(**{**fields, "tcb_info": text, "tcb_info_signature": signature})
    with pytest.raises(CannotDecideError) as caught:
        verify(encoded_evidence("sgx"), encode_collateral(changed), rules(), NOW_S)
    assert caught.value.code == DecisionFault.COLLATERAL_MALFORMED
    assert caught.value.code != EvidenceFault.REFUSED
