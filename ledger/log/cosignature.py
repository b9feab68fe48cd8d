"""Timestamped Ed25519 cosignatures of a checkpoint (C2SP tlog-cosignature v1.0.1, type 0x04).

A cosignature says: as of this time, the largest consistent tree that I saw for this origin has
this root. Rules: the signed message is the domain line, a time line and the whole checkpoint text;
the signature line carries the time as 8 big-endian bytes before 64 bytes of signature. The time is
in whole seconds since 1970, never 0. One key per cosigner, for the message does not name it.

Not here: whether the cosigner is known (quorum.py). The clock is the caller's.
"""

from struct import Struct

from ledger.crypto import ed25519
from ledger.log.errors import NoteError
from ledger.log.note import (
    SignatureLine,
    SignatureType,
    SignFn,
    VerifierKey,
    call_signer,
    is_line_of,
)

MAX_TIME_S = 2**63 - 1

_DOMAIN = b"cosignature/v1\n"
_TIME = Struct(">Q")
_PAYLOAD_BYTES = _TIME.size + ed25519.SIGNATURE_BYTES


def cosignature_message(text: bytes, time_s: int) -> bytes:
    """Return the bytes that a cosigner signs for a checkpoint text at `time_s`.

    Raises NoteError for a time outside 1 to 2^63 - 1 seconds.
    """
    if not 1 <= time_s <= MAX_TIME_S:
        raise NoteError("cosignature time is not in 1 to 2^63 - 1 seconds")
    return b"%btime %d\n%b" % (_DOMAIN, time_s, text)


def cosign(text: bytes, *, key: VerifierKey, time_s: int, sign: SignFn) -> SignatureLine:
    """Return the cosignature line (type 0x04) over a checkpoint text at `time_s`.

    `sign` holds the private half of `key`. Raises NoteError for a key of another type, a time
    that is out of range, or a result of `sign` that has not 64 bytes.
    """
    if key.kind is not SignatureType.COSIGNATURE:
        raise NoteError("a checkpoint is cosigned with a key of type 0x04")
    signature = call_signer(sign, cosignature_message(text, time_s))
    return SignatureLine(key.name, key.key_id, _TIME.pack(time_s) + signature)


def verify_cosignature(text: bytes, line: SignatureLine, key: VerifierKey) -> int:
    """Check a cosignature line over a checkpoint text and return its time in seconds.

    Raises NoteError if the line is not by this key, malformed or does not verify.
    """
    if key.kind is not SignatureType.COSIGNATURE or not is_line_of(line, key):
        raise NoteError("cosignature line is not by this key")
    if len(line.signature) != _PAYLOAD_BYTES:
        raise NoteError(f"cosignature has {len(line.signature)} bytes, not {_PAYLOAD_BYTES}")
    (time_s,) = _TIME.unpack_from(line.signature)
    message = cosignature_message(text, time_s)
    if not ed25519.is_valid(key.public_key, line.signature[_TIME.size :], message):
        raise NoteError(f"cosignature by {key.name} does not verify")
    return int(time_s)
