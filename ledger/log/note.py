"""Signed notes and verifier keys (C2SP signed-note v1.0.0).

Rules: a note is UTF-8 text ending in a newline, an empty line, then one line per signature:
em dash, key name, base64 of a 4-byte key id and the signature. The signed bytes are the text with
its last newline. One spelling per note: whatever decodes re-encodes to the same bytes. At most
64 KiB and 100 signatures. Verifier keys of two types are known: 0x01 Ed25519 (a log's key) and
0x04 Ed25519 cosignature; lines of any other type are kept as unknown lines.

Not here: what the text says (checkpoint.py), which keys must sign (quorum.py).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256

from ledger.crypto import ed25519
from ledger.log.errors import NoteError
from ledger.log.spelling import decode_base64, encode_base64

MAX_NOTE_BYTES = 65_536
MAX_SIGNATURES = 100
MAX_NAME_BYTES = 255
KEY_ID_BYTES = 4

# Takes the message, returns the 64-byte Ed25519 signature (RFC 8032).
SignFn = Callable[[bytes], bytes]

_SEPARATOR = b"\n\n"
_LINE_START = "\u2014 ".encode()
# Unicode's White_Space property, written out so that no library's tables decide what is valid.
_SPACES = frozenset(
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
_CONTROLS = frozenset(range(0x20)) - {0x0A}


class SignatureType(IntEnum):
    """The signature types that the log uses (C2SP signed-note, section Signatures)."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name it signs under; `key_id` follows from the other three.

    Raises NoteError for a name of 0 or more than 255 bytes, with a space, a control character or
    `+`, and for a public key that has not 32 bytes.
    """

    name: str
    kind: SignatureType
    public_key: bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Check the parts and derive the key id (C2SP signed-note, section Signatures)."""
        name = check_key_name(self.name)
        if len(self.public_key) != ed25519.PUBLIC_BYTES:
            raise NoteError(f"public key has {len(self.public_key)} bytes, not 32")
        digest = sha256(name + b"\n" + bytes((self.kind,)) + self.public_key).digest()
        object.__setattr__(self, "key_id", digest[:KEY_ID_BYTES])


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature of a note: who, the 4-byte key id, and the bytes after it."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A signed text and its signatures in the order of the note; the text ends in a newline."""

    text: bytes
    signatures: tuple[SignatureLine, ...]


def encode_vkey(key: VerifierKey) -> str:
    """Return `name+key id+base64(type, public key)` (C2SP signed-note, section Verifier keys)."""
    body = encode_base64(bytes((key.kind,)) + key.public_key).decode()
    return f"{key.name}+{key.key_id.hex()}+{body}"


def decode_vkey(text: str) -> VerifierKey:
    """Return the key of a vkey string of type 0x01 or 0x04; raises NoteError for all others."""
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise NoteError("verifier key has not the three parts name, key id, key")
    name, key_id, body = parts
    data = decode_base64(_encode_utf8(body), "verifier key", NoteError)
    if len(data) != 1 + ed25519.PUBLIC_BYTES:
        raise NoteError(f"verifier key has {len(data)} bytes, not {1 + ed25519.PUBLIC_BYTES}")
    if data[0] not in (SignatureType.ED25519, SignatureType.COSIGNATURE):
        raise NoteError(f"verifier key has unknown type {data[0]:#04x}")
    key = VerifierKey(name, SignatureType(data[0]), data[1:])
    if key.key_id.hex() != key_id:
        raise NoteError("verifier key has another key id than its name and key give")
    return key


def encode_note(note: Note) -> bytes:
    """Return the note's bytes, at most 64 KiB.

    Raises NoteError for a text or signature that no note can carry.
    """
    _check_text(note.text)
    if not 1 <= len(note.signatures) <= MAX_SIGNATURES:
        raise NoteError(f"note has {len(note.signatures)} signatures, not 1 to {MAX_SIGNATURES}")
    data = b"".join((note.text, b"\n", *map(encode_signature_line, note.signatures)))
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError(f"note has {len(data)} bytes, at most {MAX_NOTE_BYTES} allowed")
    return data


def decode_note(data: bytes) -> Note:
    """Return the parts of a signed note; raises NoteError. No signature is verified here."""
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError(f"note has {len(data)} bytes, at most {MAX_NOTE_BYTES} allowed")
    split = data.rfind(_SEPARATOR)
    if split < 0:
        raise NoteError("note has no empty line before its signatures")
    text = data[: split + 1]
    _check_text(text)
    return Note(text, decode_signature_lines(data[split + 2 :]))


def encode_signature_line(line: SignatureLine) -> bytes:
    """Return one signature line with its newline; raises NoteError for impossible parts."""
    name = _check_name(line.name)
    if len(line.key_id) != KEY_ID_BYTES or not line.signature:
        raise NoteError("signature line needs a 4-byte key id and a signature")
    return b"".join((_LINE_START, name, b" ", encode_base64(line.key_id + line.signature), b"\n"))


def decode_signature_lines(data: bytes) -> tuple[SignatureLine, ...]:
    """Return 1 to 100 signature lines, as in a note or a witness's answer; raises NoteError."""
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError(f"signatures have {len(data)} bytes, at most {MAX_NOTE_BYTES} allowed")
    if not data.endswith(b"\n"):
        raise NoteError("last signature line has no newline")
    lines = data[:-1].split(b"\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"note has {len(lines)} signatures, at most {MAX_SIGNATURES} allowed")
    return tuple(map(_decode_signature_line, lines))


def sign_note(text: bytes, *, key: VerifierKey, sign: SignFn) -> SignatureLine:
    """Return the Ed25519 signature line (type 0x01) of a note text.

    `sign` holds the private half of `key`. Raises NoteError for a key of another type, a text
    that no note can carry, or a result of `sign` that has not 64 bytes.
    """
    if key.kind is not SignatureType.ED25519:
        raise NoteError("a note is signed with a key of type 0x01")
    _check_text(text)
    return SignatureLine(key.name, key.key_id, call_signer(sign, text))


def verify_note_signature(text: bytes, line: SignatureLine, key: VerifierKey) -> None:
    """Check a type 0x01 signature line over a note text; raises NoteError."""
    if key.kind is not SignatureType.ED25519 or not is_line_of(line, key):
        raise NoteError("signature line is not by this key")
    if not ed25519.is_valid(key.public_key, line.signature, text):
        raise NoteError(f"signature by {key.name} does not verify")


def check_key_name(name: str) -> bytes:
    """Return the UTF-8 of a name that we let a key or an origin have.

    Raises NoteError for 0 or more than 255 bytes, a space, a control character or a plus sign.
    """
    encoded = _check_name(name)
    if len(encoded) > MAX_NAME_BYTES:
        raise NoteError(f"key name has {len(encoded)} bytes, at most {MAX_NAME_BYTES} allowed")
    return encoded


def is_line_of(line: SignatureLine, key: VerifierKey) -> bool:
    """Return whether the line claims this key: same name and same key id."""
    return line.key_id == key.key_id and line.name == key.name


def call_signer(sign: SignFn, message: bytes) -> bytes:
    """Return `sign(message)`; raises NoteError if it is no 64-byte signature."""
    signature = sign(message)
    if len(signature) != ed25519.SIGNATURE_BYTES:
        raise NoteError(f"signer gave {len(signature)} bytes, not {ed25519.SIGNATURE_BYTES}")
    return signature


def _decode_signature_line(line: bytes) -> SignatureLine:
    if not line.startswith(_LINE_START):
        raise NoteError("signature line does not start with an em dash and a space")
    name, space, body = line[len(_LINE_START) :].rpartition(b" ")
    if not space:
        raise NoteError("signature line has no space after the key name")
    data = decode_base64(body, "signature", NoteError)
    if len(data) <= KEY_ID_BYTES:
        raise NoteError("signature line has no signature after its key id")
    text = _decode_utf8(name)
    _check_name(text)
    return SignatureLine(text, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


def _check_text(text: bytes) -> None:
    if not text.endswith(b"\n"):
        raise NoteError("note text does not end in a newline")
    _decode_utf8(text)
    if not _CONTROLS.isdisjoint(text):
        raise NoteError("note text has a control character")


def _check_name(name: str) -> bytes:
    if not name or "+" in name or not _SPACES.isdisjoint(name):
        raise NoteError("key name is empty or has a space or a plus sign")
    encoded = _encode_utf8(name)
    if not _CONTROLS.isdisjoint(encoded):
        raise NoteError("key name has a control character")
    return encoded


def _encode_utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise NoteError("text has a lone surrogate") from None


def _decode_utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise NoteError("note is not UTF-8") from None
