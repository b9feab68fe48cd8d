"""The hashes that evidence binds and the exact bytes that session messages are signed over. Pure.

Rules: every hash and signature starts with a label ending in NUL; variable fields are length-
prefixed (u32, big endian), fixed ones have a checked size, numbers are u64 big endian. Signing and
encryption themselves live with the keys; nothing here names TLS except the SPKI digest of Hello.
"""

import hashlib
import hmac
from dataclasses import dataclass

from attestation.errors import EvidenceError, EvidenceFault, HandshakeError

CLIENT_LABEL = b"sealedger/report/client/1\0"
KEY_SERVICE_LABEL = b"sealedger/report/key-service/1\0"

DIGEST_SIZE = 32
REPORT_DATA_SIZE = 64
MAX_KEYS = 8
MAX_KEY_BYTES = 4096
NO_SERVICE_KEY = bytes(DIGEST_SIZE)

_SESSION_LABEL = b"sealedger/session/1\0"
_HELLO_LABEL = b"sealedger/hello/1\0"
_GRANT_LABEL = b"sealedger/session-grant/1\0"
_EVIDENCE_LABEL = b"sealedger/evidence/1\0"
_LABELS = (CLIENT_LABEL, KEY_SERVICE_LABEL)
_MAX_U64 = 2**64 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportBinding:
    """What a quote's report data speaks for.

    `network_id`, `trust_digest`, `peer_service_key` (NO_SERVICE_KEY where there is none) and `root`
    have 32 bytes; `own_keys` are 1 to 8 public keys of at most 4,096 bytes in a fixed order; (size,
    root) is a recent certified checkpoint, which makes the quote fresh.
    """

    network_id: bytes
    trust_digest: bytes
    own_keys: tuple[bytes, ...]
    peer_service_key: bytes
    size: int
    root: bytes


def report_data(label: bytes, binding: ReportBinding) -> bytes:
    """The 64 bytes for a quote: SHA-256(label ‖ prefixed fields) ‖ 32 zero bytes.

    `label` is CLIENT_LABEL or KEY_SERVICE_LABEL. Raises HandshakeError for a field out of range.
    """
    if label not in _LABELS:
        raise HandshakeError("report data: unknown label")
    keys = binding.own_keys
    if not 0 < len(keys) <= MAX_KEYS or not all(0 < len(key) <= MAX_KEY_BYTES for key in keys):
        raise HandshakeError("report data: bad own keys")
    fields = (
        _fixed("network id", binding.network_id),
        _fixed("trust digest", binding.trust_digest),
        len(keys).to_bytes(4, "big"),
        *keys,
        _fixed("peer service key", binding.peer_service_key),
        _u64("size", binding.size),
        _fixed("root", binding.root),
    )
    text = b"".join(len(field).to_bytes(4, "big") + field for field in fields)
    return hashlib.sha256(label + text).digest() + bytes(REPORT_DATA_SIZE - DIGEST_SIZE)


def verify_report_data(actual: bytes, expected: bytes) -> None:
    """Raise EvidenceError unless a verified quote's report data is the expected 64 bytes."""
    if len(expected) != REPORT_DATA_SIZE or not hmac.compare_digest(actual, expected):
        raise EvidenceError(EvidenceFault.REPORT_DATA, expected=expected.hex(), got=actual.hex())


def evidence_digest(evidence: bytes) -> bytes:
    """SHA-256 over a label and encoded evidence, for `hello_transcript`."""
    return hashlib.sha256(_EVIDENCE_LABEL + evidence).digest()


def session_id(body: bytes) -> bytes:
    """The 32-byte id of the session that an OpenSession body opens."""
    return hashlib.sha256(_SESSION_LABEL + body).digest()


def hello_transcript(
    *,
    network_id: bytes,
    client_nonce: bytes,
    tls_spki_digest: bytes,
    evidence_digest: bytes,
    checkpoint_digest: bytes,
) -> bytes:
    """The bytes that the service key signs in Hello; each argument has 32 bytes.

    `checkpoint_digest` is SHA-256 of the checkpoint note that the answer carries. Raises
    HandshakeError for another size.
    """
    return b"".join(
        (
            _HELLO_LABEL,
            _fixed("network id", network_id),
            _fixed("client nonce", client_nonce),
            _fixed("TLS SPKI digest", tls_spki_digest),
            _fixed("evidence digest", evidence_digest),
            _fixed("checkpoint digest", checkpoint_digest),
        )
    )


def grant_transcript(
    *, network_id: bytes, session_id: bytes, expires_ms: int, grant_digest: bytes, leaf_hash: bytes
) -> bytes:
    """The bytes that the service key signs in a SessionGrant.

    `grant_digest` is SHA-256 of the encapsulated grant, `leaf_hash` the RFC 6962 hash of the leaf
    that holds the OpenSession; both have 32 bytes, as have the ids. `expires_ms` is Unix time.
    Raises HandshakeError for a field out of range.
    """
    return b"".join(
        (
            _GRANT_LABEL,
            _fixed("network id", network_id),
            _fixed("session id", session_id),
            _u64("expires_ms", expires_ms),
            _fixed("grant digest", grant_digest),
            _fixed("leaf hash", leaf_hash),
        )
    )


def _fixed(name: str, value: bytes) -> bytes:
    if len(value) != DIGEST_SIZE:
        raise HandshakeError(f"{name}: {len(value)} bytes, expected {DIGEST_SIZE}")
    return value


def _u64(name: str, value: int) -> bytes:
    if not 0 <= value <= _MAX_U64:
        raise HandshakeError(f"{name}: outside 64 bits")
    return value.to_bytes(8, "big")
