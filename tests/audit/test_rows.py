"""What auditors are shown of collateral that came into force."""

from hashlib import sha256

import pytest

from attestation.collateral import CollateralFacts
from attestation.collateral_verdict import CollateralVerdict, encode_collateral_verdict
from ledger.format.hygiene import UpdateCollateral
from ledger.format.outcome import CollateralUpdated, Outcome
from ledger.format.transaction import SignerKind
from ledger.reason import Reason
from node.audit.people import Signed
from node.audit.rows import line_of, row_of
from tests.audit.test_people import event_of
from tests.support.audited_log import AuditedLog
from tests.support.log_signers import cosigner
from tests.support.small_log import Signer

KEY = "tdx/00906ed50000/platform"
DIGEST = sha256(b"collateral").digest()
VERDICT = encode_collateral_verdict(
    CollateralVerdict(
        facts=CollateralFacts(
            key=KEY,
            order=((17, 1_800_000_000),),
            lowest_number=17,
            highest_number=17,
            valid_from_s=1_800_000_000,
            valid_until_s=1_800_000_001,
            substance=bytes(32),
        ),
        digest=DIGEST,
        verified_at_s=1_800_000_000,
    )
)


@pytest.mark.parametrize("verdict, name", [(VERDICT, KEY), (b"nothing of ours", None)])
def test_an_update_names_what_it_is_for(verdict: bytes, name: str | None) -> None:
    """The row's name is the key in the verdict; one that does not decode names nothing."""
    core = cosigner("core.example")
    signer = Signer(SignerKind.NODE, core.key.public_key, core.signing.sign)
    step = UpdateCollateral(DIGEST), Outcome(Reason.OK, CollateralUpdated(verdict))
    row = row_of(event_of(AuditedLog().log.transact(signer, step)), None, Signed.VERIFIED)
    assert (row["operation"], row["name"], row["outcome"]) == ("UpdateCollateral", name, "OK")
    assert f"node {core.key.public_key.hex()}" in line_of(row)
