"""The shape of an Ethereum keystore file, version 3, checked before any key derivation runs.

Widths are exact, numbers bounded: scrypt takes at most 512 MiB and eight times the usual work,
PBKDF2 at most 10 million rounds, so that a file from elsewhere cannot stall or fill the machine.
Keys beside those of the specification (wallets add some) are dropped at the top, refused inside.
"""

import json
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from node.errors import KeystoreError

MAX_SCRYPT_BLOCKS = 2**22  # n * r, of 128 bytes each
MAX_SCRYPT_WORK = 2**24  # n * r * p
MAX_PBKDF2_ROUNDS = 10_000_000

Bytes16 = Annotated[str, Field(pattern="^[0-9a-fA-F]{32}$")]
Bytes32 = Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")]
Salt = Annotated[str, Field(pattern="^([0-9a-fA-F]{2}){1,64}$")]
Ciphertext = Annotated[str, Field(pattern="^([0-9a-fA-F]{2}){1,32}$")]
Address = Annotated[str, Field(pattern="^(0x)?[0-9a-fA-F]{40}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class _Scrypt(_Part):
    dklen: Literal[32]
    n: int = Field(ge=2, le=MAX_SCRYPT_BLOCKS)
    r: int = Field(ge=1, le=64)
    p: int = Field(ge=1, le=64)
    salt: Salt

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.n & (self.n - 1):
            raise ValueError("n is not a power of two")
        blocks = self.n * self.r
        if blocks > MAX_SCRYPT_BLOCKS or blocks * self.p > MAX_SCRYPT_WORK:
            raise ValueError("scrypt would take too much memory or time")
        return self


class _Pbkdf2(_Part):
    dklen: Literal[32]
    c: int = Field(ge=1, le=MAX_PBKDF2_ROUNDS)
    prf: Literal["hmac-sha256"]
    salt: Salt


class _CipherParams(_Part):
    iv: Bytes16


class _ScryptCrypto(_Part):
    cipher: Literal["aes-128-ctr"]
    cipherparams: _CipherParams
    ciphertext: Ciphertext
    kdf: Literal["scrypt"]
    kdfparams: _Scrypt
    mac: Bytes32


class _Pbkdf2Crypto(_Part):
    cipher: Literal["aes-128-ctr"]
    cipherparams: _CipherParams
    ciphertext: Ciphertext
    kdf: Literal["pbkdf2"]
    kdfparams: _Pbkdf2
    mac: Bytes32


class KeystoreFile(BaseModel):
    """One keystore file; the address is what it says, not what its key has."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)

    address: Address | None = None
    crypto: Annotated[_ScryptCrypto | _Pbkdf2Crypto, Field(discriminator="kdf")]
    id: Annotated[str, Field(max_length=64)] | None = None
    version: Literal[3]

    @property
    def address_bytes(self) -> bytes | None:
        """The 20 bytes of the address that the file says, if it says one."""
        return None if self.address is None else bytes.fromhex(self.address.removeprefix("0x"))

    def encode(self) -> bytes:
        """The file's bytes: JSON in one line."""
        return json.dumps(self.model_dump(exclude_none=True)).encode() + b"\n"


def parse_keystore(data: bytes, where: str) -> KeystoreFile:
    """Check JSON bytes; KeystoreError names `where` and the first field that is wrong."""
    try:
        return KeystoreFile.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise KeystoreError(
            f"{where} is no keystore: {field + ': ' if field else ''}{first['msg']}",
            "expected an Ethereum keystore file, version 3",
        ) from None
