"""Addresses of accounts as people see them: ``0x`` and 40 hex digits, the case a checksum (EIP-55).

Inside, an address is 20 bytes. A letter is upper case where the same digit of Keccak-256 over the
lower-case text is 8 or more, so that about one mistyped address in 4,000 goes unnoticed.
"""

import re

from ledger.crypto.keccak import keccak256
from ledger.crypto.secp256k1 import ADDRESS_BYTES
from ledger.errors import FormatError
from ledger.format.strict import verify_length

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def encode_address(address: bytes) -> str:
    """The checksummed text of 20 bytes, 42 characters; FormatError for another length."""
    digits = verify_length("address", address, ADDRESS_BYTES).hex()
    mask = keccak256(digits.encode()).hex()
    cased = (digit.upper() if by >= "8" else digit for digit, by in zip(digits, mask, strict=False))
    return "0x" + "".join(cased)


def decode_address(text: str, *, allow_lower: bool = False) -> bytes:
    """The 20 bytes of a checksummed address; FormatError for anything else.

    `allow_lower` also takes the spelling without any checksum, all lower case: for what machines
    wrote, not for what people type.
    """
    if _ADDRESS.fullmatch(text) is None:
        raise FormatError("an address is 0x and 40 hex digits")
    address = bytes.fromhex(text[2:])
    if text != encode_address(address) and not (allow_lower and text == text.lower()):
        raise FormatError("the address's checksum (its upper and lower case) is wrong: a typo?")
    return address
