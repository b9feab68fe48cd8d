"""What goes into our own certificate, so that verifiers that are not ours can read its evidence.

Order of work: `encode_claims` of the key, evidence over `ratls_report_data` of the claims, then the
extension, under DICE_OID. It is not critical: the DICE specification would have it so, but TLS
libraries then refuse the certificate (CCC "Interoperable RA-TLS" says to leave the flag off).
"""

import hashlib

from attestation.evidence import Evidence, EvidenceKind
from attestation.ratls.cbor import encode, encode_tagged
from attestation.ratls.claims import KEY_HASH_CLAIM, SHA256
from attestation.ratls.forms import TEE_QUOTE_TAG


def encode_claims(spki: bytes) -> bytes:
    """The claims of a key: its `pubkey-hash`, SHA-256 over the DER SubjectPublicKeyInfo."""
    entry = encode([SHA256, hashlib.sha256(spki).digest()])
    return encode({KEY_HASH_CLAIM: entry})


def encode_extension(evidence: Evidence, claims: bytes) -> bytes | None:
    """The extension's value, or None where no form exists for this kind of evidence.

    For SEV-SNP there is none: the CCC defines no CBOR tag for its reports, and the number that some
    libraries use (0x1a7504) was never registered.
    """
    if evidence.kind is not EvidenceKind.DCAP:
        return None
    return encode_tagged(TEE_QUOTE_TAG, [evidence.quote, claims])
