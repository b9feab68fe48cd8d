"""``sealedger account``: the keys that own collections, as Ethereum keystore files.

Private keys come from a file or standard input, passwords from a file or a hidden prompt: neither
ever stands in an argument, the environment or a log. `account_option`, `password_option` and
`open_account` serve every command that signs with an account.
"""

import sys
from pathlib import Path

import click

from ledger.crypto.secp256k1 import SigningKey, generate_seed
from ledger.crypto.secret import Secret
from ledger.errors import FormatError
from ledger.format.address import decode_address, encode_address
from node import keystore
from node.cli.node import home_option, json_option
from node.cli.output import UsageFault, show
from node.errors import KeystoreError
from node.home import Home

_FILE = click.Path(path_type=Path, dir_okay=False)

account_option = click.option(
    "--account", "file", type=_FILE, help="The keystore file; else the only one in the home."
)
new_account_option = click.option(
    "--account", "file", type=_FILE, help="Where to write; else <home>/accounts/<address>.json."
)
password_option = click.option(
    "--password-file", type=_FILE, help="Its first line is the password; else it is asked for."
)


@click.group()
def account() -> None:
    """Keys that own collections (Ethereum keystore files)."""


@account.command()
@home_option
@new_account_option
@password_option
@json_option
def new(home: Path, file: Path | None, password_file: Path | None, as_json: bool) -> None:
    """Make a new account: a key that only the password opens.

    Nobody can bring back a lost file or password: keep a copy of the file.
    """
    _verify_free(file)
    password = _password(password_file, twice=True)
    _store(home, file, generate_seed(), password, as_json=as_json)


@account.command("import")
@click.argument("key_file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@home_option
@new_account_option
@password_option
@json_option
def import_account(
    key_file: Path, home: Path, file: Path | None, password_file: Path | None, as_json: bool
) -> None:
    """Make an account from a private key: KEY_FILE holds 64 hex digits; - is standard input.

    A keystore file needs no import: name it with --account where an account is needed.
    """
    _verify_free(file)
    if str(key_file) == "-":
        data = sys.stdin.buffer.read(keystore.MAX_KEY_FILE_BYTES)
    else:
        data = keystore.read_private_file(key_file, keystore.MAX_KEY_FILE_BYTES)
    seed = keystore.decode_seed(data)
    _store(home, file, seed, _password(password_file, twice=True), as_json=as_json)


@account.command("show")
@click.argument("address", required=False)
@home_option
@account_option
@password_option
@click.option("--check", is_flag=True, help="Open it, and compare its key with the address.")
@json_option
def show_account(
    address: str | None,
    home: Path,
    file: Path | None,
    password_file: Path | None,
    check: bool,
    as_json: bool,
) -> None:
    """Show an account; never its key.

    Without --check the address is what the file says.
    """
    path = _path(home, address) if address is not None and file is None else _choose(home, file)
    found = keystore.read_keystore(path)
    said = found.address_bytes
    if check:
        said = keystore.open_keystore(found, _password(password_file)).address
    if address is not None and said != _decode(address):
        raise KeystoreError(f"{path} is not of {address}", "sealedger account list")
    show(
        {
            "address": None if said is None else encode_address(said),
            "file": str(path),
            "protection": found.crypto.kdf,
            "checked": check,
        },
        as_json=as_json,
    )


@account.command("list")
@home_option
@json_option
def list_accounts(home: Path, as_json: bool) -> None:
    """List the accounts of a home, as their files name them."""
    folder = Home(home).accounts
    rows = [
        {
            "address": None if one.address is None else encode_address(one.address),
            "file": str(one.path),
            "problem": one.problem,
        }
        for one in keystore.list_keystores(folder)
    ]
    if as_json:
        show({"accounts": rows}, as_json=True)
        return
    for row in rows:
        click.echo(f"{row['address'] or row['problem'] or 'no address'}  {row['file']}")
    if not rows:
        click.echo(f"no accounts in {folder}; make one: sealedger account new", err=True)


def open_account(home: Path, file: Path | None, password_file: Path | None) -> SigningKey:
    """The key of the account that a command names, or of the only one in the home.

    UsageFault if there is no telling which; KeystoreError if it does not open.
    """
    found = keystore.read_keystore(_choose(home, file))
    return keystore.open_keystore(found, _password(password_file))


def _choose(home: Path, file: Path | None) -> Path:
    if file is not None:
        return file
    folder = Home(home).accounts
    paths = [one.path for one in keystore.list_keystores(folder)]
    if len(paths) != 1:
        hint = "sealedger account new" if not paths else "--account FILE; sealedger account list"
        raise UsageFault(f"{len(paths) or 'no'} accounts in {folder}: which one is meant?", hint)
    return paths[0]


def _path(home: Path, address: str) -> Path:
    return Home(home).accounts / f"{encode_address(_decode(address))}.json"


def _decode(address: str) -> bytes:
    try:
        return decode_address(address, allow_lower=True)
    except FormatError as error:
        raise UsageFault(str(error), "sealedger account list") from error


def _verify_free(file: Path | None) -> None:
    if file is not None and file.exists():
        raise KeystoreError(f"{file} exists already", "a key is never written over")


def _store(home: Path, file: Path | None, seed: Secret, password: Secret, *, as_json: bool) -> None:
    address = encode_address(SigningKey(seed).address)
    if file is None:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = _path(home, address) if file is None else file
    keystore.write_keystore(path, keystore.encode_keystore(seed, password, keystore.SCRYPT_N))
    show({"address": address, "file": str(path)}, as_json=as_json)


def _password(file: Path | None, *, twice: bool = False) -> Secret:
    if file is not None:
        return keystore.read_password(file)
    if not sys.stdin.isatty():
        raise UsageFault("a password is needed, and nobody is here to ask", "--password-file FILE")
    typed = click.prompt("Password", hide_input=True, confirmation_prompt=twice, err=True)
    return Secret(str(typed).encode("utf-8", "surrogateescape"))
