"""The hardware vendors' roots, pinned: what production networks believe, and nothing else. Pure.

Rules: a root is believed by the SHA-256 of its DER certificate; the certificate itself comes with
collateral or a trust document and is compared. Networks of the profiles `single` and `consortium`
may name no other root and no other signer of TCB documents, whoever voted for it: a root made of
software proves nothing (design section 1). Development networks have roots of their own.

Sources: Intel SGX Provisioning Certification root CA and TCB signing key (serve SGX and TDX); AMD
root keys of the product lines (ARK). The digests are those of the certificates in real evidence of
many independent origins (the test vectors).
"""

import hashlib
from collections.abc import Iterable

from attestation.collateral import Collateral, DcapCollateral
from attestation.dcap.pem import decode_chain
from attestation.errors import CannotDecideError, DecisionFault, DecodeError
from attestation.rules import VerificationRules

INTEL_ROOT = bytes.fromhex("44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3")
AMD_ROOTS = {
    "Milan": bytes.fromhex("69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd"),
    "Genoa": bytes.fromhex("4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1"),
    "Turin": bytes.fromhex("1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a"),
}
# SHA-256 of the SubjectPublicKeyInfo of Intel's TCB signing certificate
INTEL_TCB_SIGNER = bytes.fromhex("bd7d4b9c805d92607dee34683a104abfa7b2a487e06af2edf0740a8666cbc22f")

ROOTS = frozenset((INTEL_ROOT, *AMD_ROOTS.values()))
TCB_SIGNERS = frozenset((INTEL_TCB_SIGNER,))


def verify_production_trust(roots: Iterable[bytes], tcb_signer_pins: Iterable[bytes]) -> None:
    """Check that a production network believes vendors only.

    `roots` are DER certificates, the pins SHA-256 digests. Raises CannotDecideError
    (ROOT_UNUSABLE) naming the digest of the first that is none of theirs.
    """
    digests = [hashlib.sha256(root).digest() for root in roots]
    foreign = [one for one in digests if one not in ROOTS]
    foreign += [one for one in tcb_signer_pins if one not in TCB_SIGNERS]
    if foreign:
        raise CannotDecideError(
            DecisionFault.ROOT_UNUSABLE,
            expected="a root and TCB signer of Intel or AMD in a production network",
            got=foreign[0].hex(),
        )


def vendor_rules(collateral: Collateral) -> VerificationRules:
    """Rules that believe the vendor whose root stands in `collateral`; no floor, no grace.

    Raises CannotDecideError (ROOT_UNUSABLE) for another root.
    """
    root = root_of(collateral)
    verify_production_trust((root,), ())
    return VerificationRules(roots=(root,), tcb_signer_pins=(INTEL_TCB_SIGNER,))


def root_of(collateral: Collateral) -> bytes:
    """The root (DER) that collateral ends in, believed or not; raises CannotDecideError."""
    if not isinstance(collateral, DcapCollateral):
        return collateral.ark
    try:
        return decode_chain(collateral.tcb_info_issuer_chain.encode(), 2)[1]
    except DecodeError as error:
        raise CannotDecideError(DecisionFault.COLLATERAL_UNTRUSTED, got=str(error)) from error
