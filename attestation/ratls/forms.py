"""The forms of RA-TLS certificates: their extensions, and what their quotes bind."""

import hashlib
from enum import StrEnum

from attestation.handshake import REPORT_DATA_SIZE

DICE_OID = "2.23.133.5.4.9"  # TCG DICE attestation architecture: tagged evidence
GRAMINE_LEGACY_OID = "0.6.9.42.840.113741.1337.6"  # the next one's tag and length stand inside it
GRAMINE_OID = "1.2.840.113741.1337.6"
TEE_QUOTE_TAG = 60000  # IANA CBOR tags: any Intel ECDSA quote, SGX or TDX


class RaTlsForm(StrEnum):
    """How a certificate carries its evidence."""

    DICE = "dice"
    GRAMINE_LEGACY = "gramine-legacy"
    GRAMINE = "gramine"


# in the order in which they are looked for
OIDS = {
    DICE_OID: RaTlsForm.DICE,
    GRAMINE_LEGACY_OID: RaTlsForm.GRAMINE_LEGACY,
    GRAMINE_OID: RaTlsForm.GRAMINE,
}


def ratls_report_data(covered: bytes) -> bytes:
    """The 64 bytes of a quote: SHA-256 of what it covers ‖ 32 zero bytes.

    Covered are the claims' bytes (`dice`), or the DER SubjectPublicKeyInfo (the other forms).
    """
    digest = hashlib.sha256(covered).digest()
    return digest + bytes(REPORT_DATA_SIZE - len(digest))
