"""Key derivation: HKDF (RFC 5869) with SHA-256, one label per purpose, all labels in this file.

Every input key is 32 uniformly random bytes, so only the expand step is needed (RFC 5869 section
3.3). Info is label ‖ context; labels end in NUL and no label is a prefix of another, contexts are
fixed-width or the last thing, so no two derivations share an info string.
"""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from ledger.crypto.secret import Secret

KEY_BYTES = 32

# from an epoch secret
COLLECTION = b"sealedger/collection/1\0"
SESSION = b"sealedger/session-secret/1\0"
# from a collection secret
SESSION_KEK = b"sealedger/session-kek/1\0"
SEALING_KEY = b"sealedger/sealing-key/1\0"
# from a session's key-encryption key
RECORD = b"sealedger/record/1\0"
# from a session secret
RELEASE = b"sealedger/release/1\0"
# from the service seed
LOG_KEY = b"sealedger/log-key/1\0"
SERVICE_KEY = b"sealedger/service-key/1\0"
# from a platform's sealing key
KEY_SERVICE_STATE = b"sealedger/key-service-state/1\0"

_SHA256 = hashes.SHA256()


def derive(key: Secret, label: bytes, context: bytes = b"", length: int = KEY_BYTES) -> Secret:
    """32 bytes (or `length`) derived from `key` for one purpose and context."""
    return Secret(HKDFExpand(_SHA256, length, label + context).derive(key.reveal()))
