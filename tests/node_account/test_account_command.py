"""``sealedger account`` as people type it: files, prompts, JSON, and no secret to be seen."""

import json
import os
import pty
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.crypto.secp256k1 import SigningKey
from ledger.crypto.secret import Secret
from ledger.format.address import decode_address, encode_address
from node.cli import main as program
from node.cli.account import open_account
from node.cli.output import UsageFault
from node.errors import KeystoreError
from tests.support.repository import ROOT

PASSWORD = "planted-password"
SEED = bytes(range(7, 39))
ADDRESS = encode_address(SigningKey(Secret(SEED)).address)


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a home and a password file, who types commands."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    @property
    def home(self) -> Path:
        """The home; it does not exist at first."""
        return self.folder / "home"

    @property
    def password(self) -> str:
        """The option that names the password file."""
        return f"--password-file={self.file('password', PASSWORD.encode())}"

    def file(self, name: str, data: bytes, mode: int = 0o600) -> Path:
        """A file of this mode."""
        path = self.folder / name
        path.write_bytes(data)
        path.chmod(mode)
        return path

    def types(self, *arguments: str | Path) -> Said:
        """Run ``sealedger account`` in this process; nobody sits at a terminal."""
        typed = ["sealedger", "account", *map(str, arguments), f"--home={self.home}"]
        self.monkeypatch.setattr("sys.argv", typed)
        code = 0
        try:
            program.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = self.capsys.readouterr()
        for secret in (PASSWORD, SEED.hex(), SEED.hex().upper()):
            assert secret not in said.out + said.err
        assert "Traceback" not in said.err
        return Said(code, said.out, said.err)

    def imports(self) -> Said:
        """Import the fixed key."""
        return self.types("import", self.file("key", SEED.hex().encode()), self.password, "--json")


@pytest.fixture
def person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Person]:
    """A person on a machine where scrypt is quick."""
    monkeypatch.setattr("node.keystore.SCRYPT_N", 2)
    with Path(os.devnull).open(encoding="utf-8") as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        yield Person(tmp_path, capsys, monkeypatch)


def test_a_new_account_opens(person: Person) -> None:
    """`new` writes a private file under the home, which opens with the password."""
    said = person.types("new", person.password, "--json")
    made = json.loads(said.out)
    path = Path(made["file"])
    assert (said.code, said.err) == (0, "")
    assert path == person.home / "accounts" / f"{made['address']}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(person.home.stat().st_mode) == 0o700
    password = person.folder / "password"
    assert open_account(person.home, None, password).address == decode_address(made["address"])


def test_every_new_account_is_another(person: Person) -> None:
    """Two new accounts have two keys, and stand in the list."""
    made = {json.loads(person.types("new", person.password, "--json").out)["address"] for _ in "ab"}
    listed = json.loads(person.types("list", "--json").out)["accounts"]
    assert len(made) == 2
    assert {row["address"] for row in listed} == made
    assert [row["problem"] for row in listed] == ["", ""]


def test_an_imported_key_is_the_same_key(person: Person) -> None:
    """`import` of a hex file makes the account of that key; `show --check` proves it."""
    assert json.loads(person.imports().out)["address"] == ADDRESS
    shown = person.types("show", ADDRESS, "--check", person.password, "--json")
    assert json.loads(shown.out) == {
        "address": ADDRESS,
        "file": str(person.home / "accounts" / f"{ADDRESS}.json"),
        "protection": "scrypt",
        "checked": True,
    }


def test_import_from_standard_input(person: Person) -> None:
    """`import -` reads the key from standard input."""
    source = person.file("piped", b"0x" + SEED.hex().upper().encode() + b"\n")
    with source.open(encoding="utf-8") as piped:
        person.monkeypatch.setattr("sys.stdin", piped)
        said = person.types("import", "-", person.password)
    assert said.code == 0
    assert ADDRESS in said.out


def test_an_account_is_never_written_over(person: Person) -> None:
    """A second import of the key, or a place that is taken, is refused; the file stays."""
    path = Path(json.loads(person.imports().out)["file"])
    before = path.read_bytes()
    again = person.imports()
    assert (again.code, again.out) == (1, "")
    assert "exists already" in again.err
    taken = person.types("new", person.password, "--account", path)
    assert (taken.code, taken.out) == (1, "")
    assert path.read_bytes() == before


def test_an_account_elsewhere(person: Person) -> None:
    """--account FILE places a file outside of the home, and finds it there."""
    place = person.folder / "elsewhere.json"
    said = person.types("new", person.password, "--account", place, "--json")
    address = json.loads(said.out)["address"]
    assert not person.home.exists()
    shown = person.types("show", "--account", place, "--json")
    assert json.loads(shown.out)["address"] == address
    assert json.loads(shown.out)["checked"] is False
    wrong = person.types("show", ADDRESS, "--account", place)
    assert (wrong.code, wrong.out) == (1, "")
    assert f"is not of {ADDRESS}" in wrong.err


def test_addresses_as_people_type_them(person: Person) -> None:
    """Lower case is understood, a wrong checksum is a typo: exit 2."""
    person.imports()
    assert person.types("show", ADDRESS.lower()).code == 0
    typo = person.types("show", "0x" + ADDRESS[2:].swapcase())
    assert typo.code == 2
    assert "checksum" in typo.err
    unknown = person.types("show", "0x" + "00" * 20)
    assert unknown.code == 1
    assert "No such file" in unknown.err


def test_which_account_is_meant(person: Person) -> None:
    """None or several in the home, and none named: exit 2, and a hint."""
    none = person.types("show")
    assert (none.code, "hint: sealedger account new" in none.err) == (2, True)
    person.imports()
    assert person.types("show").code == 0
    person.types("new", person.password)
    several = person.types("show")
    assert several.code == 2
    assert "2 accounts" in several.err
    assert "--account FILE" in several.err
    with pytest.raises(UsageFault, match="2 accounts"):
        open_account(person.home, None, None)


def test_a_wrong_password(person: Person) -> None:
    """Exit 1, and what it may be."""
    person.imports()
    other = person.file("other", b"not the password")
    said = person.types("show", "--check", "--password-file", other)
    assert (said.code, said.out) == (1, "")
    assert "the password does not open the keystore" in said.err
    with pytest.raises(KeystoreError):
        open_account(person.home, None, other)


def test_without_a_terminal_nothing_is_asked(person: Person) -> None:
    """No password file and nobody to ask: exit 2 and the option, nothing written."""
    said = person.types("new")
    assert (said.code, said.out) == (2, "")
    assert "hint: --password-file FILE" in said.err
    assert not person.home.exists()


@pytest.mark.parametrize("mode", [0o644, 0o640])
def test_files_that_others_can_read_are_refused(person: Person, mode: int) -> None:
    """Key, password and keystore files: exit 1 and the chmod that helps."""
    key = person.file("wide key", SEED.hex().encode(), mode)
    password = person.file("wide password", PASSWORD.encode(), mode)
    for arguments in (("import", key, person.password), ("new", "--password-file", password)):
        said = person.types(*arguments)
        assert (said.code, said.out) == (1, "")
        assert "hint: chmod 600" in said.err
    assert not (person.home / "accounts").exists()
    stored = Path(json.loads(person.imports().out)["file"])
    stored.chmod(mode)
    assert "can be read by others" in person.types("show").err
    assert "can be read by others" in person.types("list").out


@pytest.mark.parametrize("data", [b"", b"not hex", SEED.hex().encode()[:-1], b"00" * 32, b"{}"])
def test_what_is_no_key_is_not_imported(person: Person, data: bytes) -> None:
    """Exit 1 with what would be right; nothing is written, and it is not shown."""
    said = person.types("import", person.file("key", data), person.password)
    assert (said.code, said.out) == (1, "")
    assert "private key" in said.err
    assert not person.home.exists()


def test_lists_for_people(person: Person) -> None:
    """Addresses and files, one a line; an empty home says how to begin."""
    empty = person.types("list")
    assert (empty.code, empty.out) == (0, "")
    assert "sealedger account new" in empty.err
    path = json.loads(person.imports().out)["file"]
    (person.home / "accounts" / "zz.json").touch(mode=0o600)
    first, second = person.types("list").out.splitlines()
    assert first == f"{ADDRESS}  {path}"
    assert "is no keystore" in second


def typed_at_a_terminal(home: Path, *passwords: str) -> Said:
    """``account new`` in a process of its own, at whose terminal these passwords are typed."""
    program_text = (
        "import os, sys\n"
        "os.close(os.open(os.ttyname(0), os.O_RDWR))\n"  # becomes the controlling terminal
        "from node import keystore\n"
        "keystore.SCRYPT_N = 2\n"
        "from node.cli.main import main\n"
        "main()\n"
    )
    master, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", program_text, "account", "new", "--json", f"--home={home}"],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        cwd=ROOT,
        start_new_session=True,
    ) as process:
        os.close(terminal)  # so that reading fails, and does not wait, if the program ends early
        seen = b""
        for number, password in enumerate(passwords):
            wanted = b"confirmation: " if number % 2 else b"Password: "
            while seen.count(wanted) <= number // 2:
                seen += os.read(master, 1024)
            os.write(master, password.encode() + b"\n")
        out, _ = process.communicate(timeout=60)
    seen += os.read(master, 4096)
    os.close(master)
    return Said(process.returncode, out.decode(), seen.decode())


def test_the_prompt_hides_and_asks_twice(tmp_path: Path) -> None:
    """At a terminal the password is asked twice, not shown, and opens the account."""
    home, password = tmp_path / "home", tmp_path / "password"
    said = typed_at_a_terminal(home, PASSWORD, PASSWORD)
    assert said.code == 0
    assert "Password: " in said.err
    assert "Repeat for confirmation: " in said.err
    assert PASSWORD not in said.err + said.out
    password.write_text(PASSWORD)
    password.chmod(0o600)
    address = json.loads(said.out)["address"]
    assert open_account(home, None, password).address == decode_address(address)


def test_the_prompt_asks_again_after_a_slip(tmp_path: Path) -> None:
    """Two different passwords are not taken: it asks anew."""
    said = typed_at_a_terminal(tmp_path / "home", PASSWORD, "slip", PASSWORD, PASSWORD)
    assert said.code == 0
    assert "do not match" in said.err
    assert PASSWORD not in said.err
