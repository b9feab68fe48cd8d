"""Keystore files: others' open, ours open elsewhere, spoilt ones are refused and nothing leaks."""

import hashlib
import json
import os
import stat
import traceback
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_keyfile.keyfile import encrypt_aes_ctr
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.crypto.keccak import keccak256
from ledger.crypto.secp256k1 import ORDER, SigningKey, generate_seed
from ledger.crypto.secret import Secret
from node import keystore
from node.errors import KeystoreError
from node.keystore_file import parse_keystore
from tests.support.mutation import mutations
from tests.support.repository import ROOT

SPEC = json.loads((ROOT / "tests/vectors/accounts/web3_secret_storage.json").read_text())
CHEAP_N = 2
SEED = Secret(bytes.fromhex(SPEC["private_key"]))
PASSWORD = Secret("planted pässword".encode())
MADE = keystore.encode_keystore(SEED, PASSWORD, CHEAP_N)


def opened(data: bytes, password: Secret = PASSWORD) -> SigningKey:
    """The key of a file's bytes."""
    return keystore.open_keystore(parse_keystore(data, "file"), password)


def changed(path: str, value: Any) -> bytes:
    """Our file with the field at a dotted path set, or removed where the value is ..."""
    document = json.loads(MADE)
    *parents, last = path.split(".")
    place = document
    for name in parents:
        place = place[name]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize("name", SPEC["files"])
@pytest.mark.slow
def test_the_specifications_files_open(name: str) -> None:
    """The published files open with the published password to the published key."""
    data = json.dumps(SPEC["files"][name]).encode()
    key = opened(data, Secret(SPEC["password"].encode()))
    assert key.address.hex() == SPEC["address"]
    assert key.sign(bytes(32)) == SigningKey(SEED).sign(bytes(32))


@settings(max_examples=20)
@given(st.integers(1, ORDER - 1), st.text(min_size=1, max_size=40).map(str.encode))
def test_round_trip_and_oracle(number: int, password: bytes) -> None:
    """A file opens with its password, here and in eth-account, to the same key."""
    seed = number.to_bytes(32, "big")
    data = keystore.encode_keystore(Secret(seed), Secret(password), CHEAP_N)
    assert opened(data, Secret(password)).address == SigningKey(Secret(seed)).address
    assert bytes(Account.decrypt(json.loads(data), password.decode())) == seed


def test_files_of_other_programs_open() -> None:
    """What eth-account writes opens, its checksummed address included."""
    theirs = Account.encrypt(SEED.reveal(), PASSWORD.reveal().decode(), iterations=CHEAP_N)
    assert opened(json.dumps(theirs).encode()).address.hex() == SPEC["address"]


def test_files_with_more_beside_open() -> None:
    """Wallets add fields at the top: they are passed over; 0x before the address too."""
    document = {**json.loads(MADE), "x-wallet": {"a": [1]}, "address": "0x" + SPEC["address"]}
    assert opened(json.dumps(document).encode()).address.hex() == SPEC["address"]


def test_cut_leading_zeros_come_back() -> None:
    """A key that an old client wrote without its leading zero opens."""
    short = b"\x07" * 31
    salt, nonce = bytes(16), bytes(16)
    derived = hashlib.scrypt(b"pw", salt=salt, n=CHEAP_N, r=8, p=1, dklen=32)
    ciphertext = encrypt_aes_ctr(short, derived[:16], 0)
    crypto = {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": nonce.hex()},
        "ciphertext": ciphertext.hex(),
        "kdf": "scrypt",
        "kdfparams": {"dklen": 32, "n": CHEAP_N, "r": 8, "p": 1, "salt": salt.hex()},
        "mac": keccak256(derived[16:] + ciphertext).hex(),
    }
    data = json.dumps({"crypto": crypto, "version": 3}).encode()
    assert opened(data, Secret(b"pw")).address == SigningKey(Secret(b"\0" + short)).address


def test_two_files_of_one_key_share_nothing() -> None:
    """Salt, nonce and id are fresh each time."""
    one, other = (json.loads(keystore.encode_keystore(SEED, PASSWORD, CHEAP_N)) for _ in range(2))
    assert one["id"] != other["id"]
    assert one["crypto"]["cipherparams"] != other["crypto"]["cipherparams"]
    assert one["crypto"]["kdfparams"]["salt"] != other["crypto"]["kdfparams"]["salt"]
    assert len(one["crypto"]["kdfparams"]["salt"]) == 64


def test_a_wrong_password_is_said() -> None:
    """Another password does not open, and neither it nor the key stands in the error."""
    wrong = Secret(PASSWORD.reveal() + b"!")
    with pytest.raises(KeystoreError, match="password does not open") as refused:
        opened(MADE, wrong)
    text = "".join(traceback.format_exception(refused.value))
    assert "planted" not in text
    assert SPEC["private_key"] not in text


def test_a_changed_address_is_noticed() -> None:
    """A file that says another address than its key has does not open."""
    with pytest.raises(KeystoreError, match="says another address"):
        opened(changed("address", "00" * 20))


@pytest.mark.parametrize(
    "path, value",
    [
        ("version", 1),
        ("version", "3"),
        ("version", ...),
        ("address", "00" * 19),
        ("crypto", ...),
        ("crypto.cipher", "aes-128-cbc"),
        ("crypto.kdf", "argon2"),
        ("crypto.kdf", "pbkdf2"),
        ("crypto.more", 1),
        ("crypto.mac", "00" * 31),
        ("crypto.mac", "zz" * 32),
        ("crypto.ciphertext", "00" * 33),
        ("crypto.ciphertext", ""),
        ("crypto.cipherparams.iv", "00" * 15),
        ("crypto.kdfparams.dklen", 16),
        ("crypto.kdfparams.dklen", 64),
        ("crypto.kdfparams.n", 3),
        ("crypto.kdfparams.n", 1),
        ("crypto.kdfparams.n", 0),
        ("crypto.kdfparams.n", 2.0),
        ("crypto.kdfparams.n", True),
        ("crypto.kdfparams.n", 2**20),
        ("crypto.kdfparams.n", 2**70),
        ("crypto.kdfparams.r", 0),
        ("crypto.kdfparams.p", 65),
        ("crypto.kdfparams.salt", ""),
        ("crypto.kdfparams.salt", "00" * 65),
        ("crypto.kdfparams.salt", "000"),
        ("crypto.kdfparams.salt", "0x" + "00" * 16),
    ],
)
def test_other_shapes_are_refused_before_any_work(path: str, value: Any) -> None:
    """Wrong widths, types, kinds, and scrypt or PBKDF2 beyond the bounds: KeystoreError."""
    with pytest.raises(KeystoreError, match="file is no keystore") as refused:
        parse_keystore(changed(path, value), "file")
    assert json.loads(MADE)["crypto"]["ciphertext"] not in str(refused.value)


def test_scrypt_that_takes_too_long_is_refused() -> None:
    """n, r and p each within their bounds, but too much together."""
    document = json.loads(MADE)
    document["crypto"]["kdfparams"] |= {"n": 2**18, "r": 8, "p": 64}
    with pytest.raises(KeystoreError, match="too much memory or time"):
        parse_keystore(json.dumps(document).encode(), "file")


def test_pbkdf2_that_takes_too_long_is_refused() -> None:
    """More than 10 million rounds, or another hash, are refused."""
    for change in ({"c": 10_000_001}, {"prf": "hmac-md5"}, {"c": 0}):
        document = json.loads(json.dumps(SPEC["files"]["pbkdf2"]))
        document["crypto"]["kdfparams"] |= change
        with pytest.raises(KeystoreError, match="file is no keystore"):
            parse_keystore(json.dumps(document).encode(), "file")


@settings(max_examples=150)
@given(mutations(MADE) | st.binary(max_size=300) | st.integers(1, 20_000).map(lambda n: b"[" * n))
def test_outside_bytes_raise_one_error(data: bytes) -> None:
    """Whatever a file holds: a keystore, which opens or does not, or KeystoreError."""
    try:
        found = parse_keystore(data, "file")
    except KeystoreError:
        return
    if found.crypto.kdf == "scrypt" and found.crypto.kdfparams.n > 64:
        return  # within the bounds, but not in a test
    try:
        key = keystore.open_keystore(found, PASSWORD)
    except KeystoreError:
        return
    assert found.address is None or key.address.hex() == SPEC["address"]


def test_a_changed_nonce_is_noticed_by_the_address() -> None:
    """The format's MAC does not cover the nonce: another one gives another key, which we refuse."""
    with pytest.raises(KeystoreError, match="says another address"):
        opened(changed("crypto.cipherparams.iv", "00" * 16))


@pytest.mark.parametrize("text", [b"%s", b"0x%s", b" \n%s\r\n", b"0x%s\n"])
def test_seeds_in_hex(text: bytes) -> None:
    """64 hex digits, either case, 0x and white space around allowed."""
    digits = SPEC["private_key"].encode()
    assert keystore.decode_seed(text % digits) == SEED
    assert keystore.decode_seed(text % digits.upper()) == SEED


@given(
    st.binary(max_size=80)
    | mutations(SPEC["private_key"].encode())
    | st.sampled_from([b"00" * 32, b"ff" * 32, ORDER.to_bytes(32, "big").hex().encode()])
)
def test_what_is_no_seed_is_refused_unseen(data: bytes) -> None:
    """Anything else is refused, and the error shows none of it."""
    try:
        seed = keystore.decode_seed(data)
    except KeystoreError as error:
        shown = f"{error!r} {error.__cause__!r} {error.__context__!r}"
        assert len(data) < 16 or data.decode("latin-1") not in shown
        return
    assert seed.reveal().hex().encode() in data.lower()


def test_files_are_private_and_written_once(tmp_path: Path) -> None:
    """Mode 0600 whatever the umask, folder 0700, nothing left beside, never written over."""
    path = tmp_path / "accounts" / "a.json"
    before = os.umask(0)
    try:
        keystore.write_keystore(path, MADE)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with pytest.raises(KeystoreError, match="exists already"):
        keystore.write_keystore(path, b"other")
    assert path.read_bytes() == MADE
    assert list(path.parent.iterdir()) == [path]
    assert opened(path.read_bytes()).address.hex() == SPEC["address"]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A path under a file is an error with the path, not a trace."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(KeystoreError, match=r"cannot write|exists already"):
        keystore.write_keystore(tmp_path / "file" / "a.json", MADE)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_files_that_others_can_read_are_refused(tmp_path: Path, mode: int) -> None:
    """Keystores, key and password files with any right for others are refused, with the remedy."""
    path = tmp_path / "file"
    path.write_bytes(MADE)
    path.chmod(mode)
    for read in (keystore.read_keystore, keystore.read_password):
        with pytest.raises(KeystoreError, match="can be read by others") as refused:
            read(path)
        assert refused.value.hint == f"chmod 600 {path}"


def private(path: Path, data: bytes) -> Path:
    """A file of mode 0600."""
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def test_missing_and_huge_files(tmp_path: Path) -> None:
    """What is not there, is a folder or too long is an error with the path."""
    with pytest.raises(KeystoreError, match="No such file") as refused:
        keystore.read_keystore(tmp_path / "none")
    assert "account list" in refused.value.hint
    with pytest.raises(KeystoreError, match="No such file") as refused:
        keystore.read_password(tmp_path / "none")
    assert refused.value.hint == "check the path"
    with pytest.raises(KeystoreError, match="cannot read"):
        keystore.read_keystore(tmp_path)
    huge = private(tmp_path / "huge", b" " * (keystore.MAX_KEYSTORE_BYTES + 1))
    with pytest.raises(KeystoreError, match="over 16384 bytes"):
        keystore.read_keystore(huge)


@pytest.mark.parametrize(
    "data, password",
    [
        (b"pw", b"pw"),
        (b"pw\n", b"pw"),
        (b"pw\r\nsecond line", b"pw"),
        (b" p w \n", b" p w "),
        ("pässword\n".encode(), "pässword".encode()),
        (b"\xff\xfe\n", b"\xff\xfe"),
    ],
)
def test_password_files(tmp_path: Path, data: bytes, password: bytes) -> None:
    """The first line as it is, without its end."""
    assert keystore.read_password(private(tmp_path / "pw", data)) == Secret(password)


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n", b"\npw"])
def test_empty_passwords_are_refused(tmp_path: Path, data: bytes) -> None:
    """An empty password protects nothing."""
    with pytest.raises(KeystoreError, match="empty"):
        keystore.read_password(private(tmp_path / "pw", data))


def test_a_folder_is_listed_with_its_problems(tmp_path: Path) -> None:
    """Every .json file in order, with its address or why not; others are passed over."""
    private(tmp_path / "b.json", MADE)
    private(tmp_path / "a.json", b"{}")
    private(tmp_path / "note.txt", b"")
    nameless = private(tmp_path / "c.json", json.dumps(SPEC["files"]["scrypt"]).encode())
    first, second, third = keystore.list_keystores(tmp_path)
    assert "is no keystore" in first.problem
    assert second == keystore.Listed(tmp_path / "b.json", bytes.fromhex(SPEC["address"]))
    assert third == keystore.Listed(nameless, None)
    assert keystore.list_keystores(tmp_path / "none") == ()


def test_a_seed_that_is_no_key_is_not_stored() -> None:
    """Zero is refused before anything is encrypted."""
    with pytest.raises(KeystoreError, match="not a private key"):
        keystore.encode_keystore(Secret(bytes(32)), PASSWORD, CHEAP_N)


def test_the_file_holds_no_secret() -> None:
    """Neither key nor password stands in a file."""
    seed = generate_seed()
    data = keystore.encode_keystore(seed, PASSWORD, CHEAP_N)
    assert seed.reveal().hex().encode() not in data
    assert b"planted" not in data


@pytest.mark.slow
def test_the_shipped_cost() -> None:
    """What commands write has geth's standard scrypt cost, and opens within our own bounds."""
    data = keystore.encode_keystore(SEED, PASSWORD, keystore.SCRYPT_N)
    params = json.loads(data)["crypto"]["kdfparams"]
    assert (params["n"], params["r"], params["p"]) == (262_144, 8, 1)
    assert opened(data).address.hex() == SPEC["address"]
