"""Certificate chains as text, in the one spelling that is accepted. Pure bytes, no X.509 here.

Rules: each block is the line ``-----BEGIN CERTIFICATE-----``, base64 in lines of 64 characters, and
the END line, every line ended by one newline; nothing around or between blocks. The verification
library tolerates far more (other labels, whitespace, garbage after the leaf), which would let one
quote have many spellings: so a chain is decoded, encoded again and compared.
"""

import base64
import binascii

from attestation.errors import DecodeError

MAX_CERTIFICATE_BYTES = 8 * 1024

_BEGIN = b"-----BEGIN CERTIFICATE-----\n"
_END = b"-----END CERTIFICATE-----\n"


def encode_chain(chain: tuple[bytes, ...]) -> bytes:
    """The PEM text of DER certificates, in their order."""
    return b"".join(_block(der) for der in chain)


def decode_chain(text: bytes, count: int) -> tuple[bytes, ...]:
    """The DER of exactly `count` certificates; raises DecodeError for any other spelling."""
    if len(text) > count * MAX_CERTIFICATE_BYTES * 2:
        raise DecodeError("certificate chain: too long")
    blocks = text.split(_END)
    if len(blocks) != count + 1 or blocks.pop():
        raise DecodeError(f"certificate chain: {_odd(text, count)}")
    chain = tuple(_der(block) for block in blocks)
    if encode_chain(chain) != text:
        raise DecodeError("certificate chain: not in canonical form")
    return chain


def _odd(text: bytes, count: int) -> str:
    """What is odd about text that is not `count` blocks in their one spelling."""
    found = text.count(_BEGIN)
    if found != count:
        return f"{found} PEM blocks, expected {count}"
    if text.endswith(_END.rstrip()):
        return f"{found} PEM blocks, the last line without its newline"
    return f"{found} PEM blocks, with other text around or between them"


def _der(block: bytes) -> bytes:
    if not block.startswith(_BEGIN):
        raise DecodeError("certificate chain: not in canonical form")
    try:
        der = base64.b64decode(block[len(_BEGIN) :].replace(b"\n", b""), validate=True)
    except binascii.Error as error:
        raise DecodeError("certificate chain: not base64") from error
    if not 0 < len(der) <= MAX_CERTIFICATE_BYTES:
        raise DecodeError(f"certificate: {len(der)} bytes, at most {MAX_CERTIFICATE_BYTES}")
    return der


def _block(der: bytes) -> bytes:
    text = base64.b64encode(der)
    lines = b"".join(text[i : i + 64] + b"\n" for i in range(0, len(text), 64))
    return _BEGIN + lines + _END
