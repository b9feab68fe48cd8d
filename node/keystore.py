"""Accounts on disk: one private key in one Ethereum keystore file (Web3 Secret Storage, version 3).

1. The key is encrypted under a password (scrypt, AES-128-CTR, a Keccak MAC) by the kept library;
   what it is given has been checked here before: shape, widths, and what its scrypt may cost.
2. A file is written once, mode 0600, durably, and never over another one; a file that others can
   read is refused, so are password and key files.
3. The address in a file is a label that anybody may change: `open_keystore` compares it with the
   key's own. That also notices a changed nonce, which the format's MAC does not cover; a file
   without an address (the specification allows it) has no such guard, ours all have one.
Not here: asking for passwords (``node.cli.account``).
"""

import os
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from ledger.crypto.secp256k1 import SEED_BYTES, SigningKey
from ledger.crypto.secret import Secret
from ledger.format.address import encode_address
from node.errors import KeystoreError
from node.keystore_file import KeystoreFile, parse_keystore

MAX_KEYSTORE_BYTES = 16 * 1024
MAX_PASSWORD_BYTES = 4096
MAX_KEY_FILE_BYTES = 256
SCRYPT_N = 2**18  # with r = 8 and p = 1: 256 MiB and about a second, as geth does it

_SEED_HEX = re.compile(rb"(?:0x)?([0-9a-fA-F]{64})")


@dataclass(frozen=True, slots=True)
class Listed:
    """One file of an accounts folder: whose it says that it is, or why it cannot be used."""

    path: Path
    address: bytes | None
    problem: str = ""


def encode_keystore(seed: Secret, password: Secret, scrypt_n: int) -> bytes:
    """The file of a 32-byte private key, with fresh salt, nonce and id; `scrypt_n` is the cost.

    KeystoreError if the seed is no private key.
    """
    from eth_keyfile.keyfile import create_keyfile_json  # noqa: PLC0415  # 0.2 s: only who needs it

    address = _load(seed).address
    made = create_keyfile_json(
        seed.reveal(), password.reveal(), version=3, kdf="scrypt", iterations=scrypt_n, salt_size=32
    )
    # In lower case without 0x, as geth writes it; the library would write a checksummed one.
    return KeystoreFile.model_validate({**made, "address": address.hex()}).encode()


def open_keystore(keystore: KeystoreFile, password: Secret) -> SigningKey:
    """Decrypt the key; KeystoreError if the password is wrong or the file is not what it says."""
    from eth_keyfile.exceptions import EthKeyfileValueError  # noqa: PLC0415  # as in encode_keystore
    from eth_keyfile.keyfile import decode_keyfile_json  # noqa: PLC0415  # the same

    try:
        seed = decode_keyfile_json(keystore.model_dump(), password.reveal())
    except EthKeyfileValueError as error:
        raise KeystoreError(
            "the password does not open the keystore", "a wrong password, or a changed file"
        ) from error
    except (ValueError, MemoryError) as error:
        raise KeystoreError("the keystore cannot be opened: out of memory for scrypt") from error
    key = _load(Secret(seed.rjust(SEED_BYTES, b"\0")))  # old clients cut leading zeros off
    if keystore.address_bytes not in (None, key.address):
        raise KeystoreError(
            f"the keystore says another address than its key has: {encode_address(key.address)}",
            "the file was changed: bring back the copy",
        )
    return key


def read_keystore(path: Path) -> KeystoreFile:
    """Read a file and check its shape; KeystoreError names what is wrong. No password needed."""
    hint = "name a keystore file: --account; sealedger account list shows those of a home"
    return parse_keystore(read_private_file(path, MAX_KEYSTORE_BYTES, hint), str(path))


def write_keystore(path: Path, data: bytes) -> None:
    """Write a new file durably, mode 0600; KeystoreError if `path` exists or writing fails."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_once(path, data)
    except FileExistsError as error:
        raise KeystoreError(f"{path} exists already", "a key is never written over") from error
    except OSError as error:
        raise KeystoreError(f"cannot write {path}: {error.strerror}") from error


def list_keystores(folder: Path) -> tuple[Listed, ...]:
    """Every ``*.json`` file of a folder, by name; none if the folder does not exist."""
    return tuple(map(_listed, sorted(folder.glob("*.json"))))


def read_password(path: Path) -> Secret:
    """The first line of a password file; KeystoreError if it is empty, too long or not private."""
    line = read_private_file(path, MAX_PASSWORD_BYTES).split(b"\n", 1)[0].removesuffix(b"\r")
    if not line:
        raise KeystoreError(f"{path}: the password is empty", "its first line is the password")
    return Secret(line)


def decode_seed(data: bytes) -> Secret:
    """A private key from 64 hex digits, 0x and white space around allowed; else KeystoreError."""
    found = _SEED_HEX.fullmatch(data.strip())
    if found is None:
        raise KeystoreError(
            "a private key is 64 hex digits",
            "a keystore file needs no import: name it with --account FILE",
        )
    seed = Secret(bytes.fromhex(found[1].decode()))
    _load(seed)
    return seed


def read_private_file(path: Path, limit: int, hint: str = "check the path") -> bytes:
    """Read at most `limit` bytes; KeystoreError if there are more or others may read the file.

    `hint` helps if it cannot be read at all.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(limit + 1)
    except OSError as error:
        raise KeystoreError(f"cannot read {path}: {error.strerror}", hint) from error
    if mode & 0o077:
        raise KeystoreError(f"{path} can be read by others (mode {mode:04o})", f"chmod 600 {path}")
    if len(data) > limit:
        raise KeystoreError(f"{path}: over {limit} bytes", "is it the right file?")
    return data


def _load(seed: Secret) -> SigningKey:
    try:
        return SigningKey(seed)
    except ValueError as error:
        raise KeystoreError(str(error)) from error


def _listed(path: Path) -> Listed:
    try:
        return Listed(path, read_keystore(path).address_bytes)
    except KeystoreError as error:
        return Listed(path, None, str(error))


def _write_once(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(file, "wb") as writer:
            writer.write(data)
            writer.flush()
            os.fsync(writer.fileno())
        path.hardlink_to(beside)  # unlike a rename, this fails if there is a file already
    finally:
        beside.unlink()
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
