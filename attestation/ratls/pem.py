"""One certificate from a file: DER, or PEM with nothing but white space around it.

Rules: a file that starts as PEM is PEM (RFC 7468, section 5): one block, base64 in lines of any
length, LF or CRLF. The spelling is free because nothing depends on it: what is judged is the DER.
"""

import base64
import binascii

from attestation.errors import DecodeError

MAX_FILE_BYTES = 64 * 1024

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_END = b"-----END CERTIFICATE-----"


def read_der(data: bytes) -> bytes:
    """The DER of a file of at most 64 KiB; raises DecodeError."""
    if not 0 < len(data) <= MAX_FILE_BYTES:
        raise DecodeError(f"certificate: {len(data)} bytes, expected 1 to {MAX_FILE_BYTES}")
    text = data.strip()
    if not text.startswith(b"-----"):
        return data
    if not text.startswith(_BEGIN) or not text.endswith(_END):
        raise DecodeError("certificate: PEM that is not one certificate")
    lines = text[len(_BEGIN) : -len(_END)].split()
    try:
        return base64.b64decode(b"".join(lines), validate=True)
    except binascii.Error as error:
        raise DecodeError("certificate: PEM that is not base64, or several blocks") from error
