"""``sealedger secret`` as people type it: byte for byte, and silent where nobody asked."""

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from ledger import keys
from ledger.format.address import encode_address
from ledger.format.hygiene import RevokeSession
from ledger.format.operation import decode_operation
from ledger.format.stored import decode_stored
from tests.cli.conftest import Shell
from tests.support.owners import account
from tests.support.real_node import Serving

NAME = "team/secrets"
AT = ("--collection", NAME)
OWNER = 1  # the shell's account
PLANTED = b"planted value 77aa"
EVERY_BYTE = bytes(range(256)) + b"\r\n\n" + PLANTED


def ended(shell: Shell) -> set[bytes]:
    """The sessions that ended themselves."""
    replica = shell.node.running.replica
    rows = (replica.view.get(keys.operations(at)) for at in range(replica.head.size))
    operations = [
        decode_operation(one) for row in rows if row for one in decode_stored(row).operations
    ]
    return {one.session_id for one in operations if isinstance(one, RevokeSession)}


@pytest.fixture
async def team(shell: Shell) -> Shell:
    """A collection that admits the program."""
    assert (await shell.as_owner("collection", "create", NAME, "--allow-self")).code == 0
    return shell


@pytest.mark.parametrize("how", ["stdin", "dash", "file"])
async def test_values_survive_byte_for_byte(team: Shell, tmp_path: Path, how: str) -> None:
    """From standard input or a file, to standard output: the same bytes."""
    file = tmp_path / "value"
    file.write_bytes(EVERY_BYTE)
    source = {"stdin": (), "dash": ("-",), "file": (str(file),)}[how]
    stdin = b"" if how == "file" else EVERY_BYTE
    stored = await team.as_app("secret", "put", "a/b", *source, *AT, "--json", stdin=stdin)
    fields = stored.done.fields
    assert (fields["version"], fields["bytes"], fields["name"]) == (1, len(EVERY_BYTE), "a/b")
    assert (await team.as_app("secret", "get", "a/b", *AT)).done.out == EVERY_BYTE


async def test_nothing_at_all_is_a_value(team: Shell) -> None:
    """An empty value is stored and read as one."""
    assert (await team.as_app("secret", "put", "empty", *AT)).code == 0
    assert (await team.as_app("secret", "get", "empty", *AT)).done.out == b""


async def test_to_a_file(team: Shell, tmp_path: Path) -> None:
    """The file is private and holds the value; what is printed does not."""
    await team.as_app("secret", "put", "name", *AT, stdin=EVERY_BYTE)
    for as_json in (False, True):
        output = tmp_path / f"out-{as_json}"
        json_option = ("--json",) if as_json else ()
        got = await team.as_app("secret", "get", "name", *AT, "-o", str(output), *json_option)
        assert PLANTED not in got.done.out
        assert output.read_bytes() == EVERY_BYTE
        assert stat.S_IMODE(output.stat().st_mode) == 0o600


async def test_as_json(team: Shell) -> None:
    """Without a file the JSON has the value as base64."""
    await team.as_app("secret", "put", "name", *AT, stdin=EVERY_BYTE)
    got = (await team.as_app("secret", "get", "name", *AT, "--json")).done.fields
    assert base64.b64decode(got["value_base64"]) == EVERY_BYTE


async def test_versions(team: Shell) -> None:
    """An older version by its number; a put that expects another one says which is current."""
    for value in (b"one", b"two"):
        await team.as_app("secret", "put", "name", *AT, stdin=value)
    assert (await team.as_app("secret", "get", "name", "--version", "1", *AT)).out == b"one"
    said = await team.as_app("secret", "put", "name", "--if-version", "1", *AT, stdin=PLANTED)
    assert "VERSION_CONFLICT: version 2 is current" in said.failed()
    assert PLANTED.decode() not in said.err
    assert (await team.as_app("secret", "put", "name", "--if-version", "2", *AT)).code == 0
    assert "NOT_FOUND" in (await team.as_app("secret", "get", "none", *AT)).failed()


async def test_as_the_owner(team: Shell, tmp_path: Path) -> None:
    """An owner without a TEE puts, looks, deletes and destroys; only the program reads."""
    receipt = tmp_path / "put.receipt"
    put = await team.as_owner(
        "secret", "put", "name", *AT, "--ttl", "1d", "--receipt", str(receipt), stdin=EVERY_BYTE
    )
    assert put.code == 0
    assert (await team.as_app("secret", "get", "name", *AT)).done.out == EVERY_BYTE
    network = str(tmp_path / "network.toml")
    verified = await team(
        "receipt", "verify", str(receipt), "--network", network, "--allow-development", "--json"
    )
    assert verified.done.fields["signer_kind"] == "account"
    rows = (await team.as_owner("secret", "list", *AT, "--json")).done.fields["secrets"]
    assert [(row["name"], row["state"], row["bytes"]) for row in rows] == [
        ("name", "live", len(EVERY_BYTE))
    ]
    owner = encode_address(account(OWNER).address)
    assert (rows[0]["writer_kind"], rows[0]["writer"]) == ("account", owner)
    assert rows[0]["expires"] > rows[0]["stored"]
    assert (await team.as_owner("secret", "delete", "name", "--if-version", "1", *AT)).code == 0
    assert "No such option" in (await team.as_owner("secret", "get", "name", *AT)).failed(2)


async def test_platforms(team: Shell) -> None:
    """The program proves itself by the platform that is named, or by the first that is found."""
    auto = ("--platform", "auto")  # no machine that runs tests is a TEE that this network believes
    assert (await team.as_app("secret", "put", "name", *AT, *auto, stdin=b"value")).code == 0
    assert (await team.as_app("secret", "get", "name", *AT, *auto)).done.out == b"value"
    said = await team.as_app("secret", "get", "name", *AT, "--platform", "gramine")
    assert (said.code, said.out) == (1, b"")
    assert "/dev/attestation/attestation_type: No such file" in said.err
    owner = await team.as_owner("secret", "list", *AT, *auto)
    assert "an account needs no platform" in owner.failed(2)


async def test_a_command_ends_its_session(team: Shell) -> None:
    """So that no script, however often it calls, fills the places of this program."""
    for _ in range(3):
        stored = await team.as_app("secret", "put", "n", *AT, "--json", stdin=b"x")
        assert stored.code == 0
    assert len(ended(team)) == 3
    await team.as_app("secret", "get", "missing", *AT)
    assert len(ended(team)) == 4


async def test_lists(team: Shell) -> None:
    """Names in order; what was deleted only when asked for."""
    for name in ("b", "a", "a/x"):
        await team.as_app("secret", "put", name, *AT, stdin=PLANTED)
    await team.as_app("secret", "delete", "b", *AT)

    async def names(*arguments: str) -> list[str]:
        said = await team.as_app("secret", "list", *AT, "--json", *arguments)
        return [f"{row['name']} {row['state']}" for row in said.done.fields["secrets"]]

    assert await names() == ["a live", "a/x live"]
    assert await names("--all") == ["a live", "a/x live", "b deleted"]
    assert await names("--prefix", "a/") == ["a/x live"]
    table = (await team.as_app("secret", "list", *AT)).done.out.decode().splitlines()
    assert table[0].split()[:4] == ["NAME", "VERSION", "BYTES", "STATE"]
    assert len(table) == 3


async def test_history(team: Shell) -> None:
    """Who did what, in order; the owner and the program see the same."""
    await team.as_owner("secret", "put", "name", *AT, stdin=PLANTED)
    await team.as_app("secret", "get", "name", *AT)
    async with team.node.client("other", NAME) as other:
        with pytest.raises(Exception, match="DENIED"):
            await other.get("name")
    await team.as_owner("secret", "destroy", "name", "--yes", *AT)
    events = (await team.as_owner("secret", "history", "name", *AT, "--json")).done.fields
    seen = [(event["operation"], event["outcome"]) for event in events["history"]]
    assert seen == [("Put", "OK"), ("Read", "OK"), ("Read", "DENIED"), ("Destroy", "OK")]
    signers = [(event["signer_kind"], event["signer"]) for event in events["history"]]
    assert signers[0] == signers[3] == ("account", encode_address(account(OWNER).address))
    for kind, session in signers[1:3]:
        assert (kind, len(bytes.fromhex(session))) == ("session", 32)
    mine = await team.as_app("secret", "history", "name", *AT, "--json")
    assert mine.done.fields == events
    later = str(events["history"][2]["entry"])
    rest = await team.as_app("secret", "history", "name", *AT, "--from", later, "--json")
    assert rest.done.fields["history"] == events["history"][2:]
    table = (await team.as_app("secret", "history", "name", *AT)).done.out.decode()
    assert len(table.splitlines()) == 5
    assert f"  session {signers[1][1][:16]}\n" in table
    assert max(map(len, table.splitlines())) < 130


async def test_destroy(team: Shell) -> None:
    """Never without being asked twice; afterwards the value is gone and says so."""
    for _ in range(2):
        await team.as_app("secret", "put", "name", *AT, stdin=PLANTED)
    said = (await team.as_owner("secret", "destroy", "name", *AT)).failed(2)
    assert "cannot be undone" in said
    one = await team.as_owner("secret", "destroy", "name", "--version", "1", "--yes", *AT, "--json")
    fields = one.done.fields
    assert (fields["destroyed_from_version"], fields["destroyed_to_version"]) == (1, 1)
    assert (await team.as_app("secret", "get", "name", *AT)).out == PLANTED
    assert (await team.as_owner("secret", "destroy", "name", "--yes", *AT)).code == 0
    assert "DESTROYED" in (await team.as_app("secret", "get", "name", *AT)).failed()


async def test_destroying_many_versions(team: Shell) -> None:
    """More than one operation may erase: the command goes on until all are gone."""
    await team.as_owner("collection", "policy", "set", NAME, "--writer", team.manifest("app"))
    async with team.node.client("app", NAME) as app:
        for _ in range(257):
            await app.put("many", b"")
    said = await team.as_owner("secret", "destroy", "many", "--yes", *AT, "--json")
    fields = said.done.fields
    assert (fields["destroyed_from_version"], fields["destroyed_to_version"]) == (1, 257)


async def test_a_terminal_is_not_shown_a_value(
    team: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused before anything is read, unless forced."""
    await team.as_app("secret", "put", "name", *AT, stdin=PLANTED)
    size = team.node.running.replica.head.size
    monkeypatch.setattr("node.cli.secret.is_terminal", lambda: True)
    assert "would be shown on this terminal" in (
        await team.as_app("secret", "get", "name", *AT)
    ).failed(2)
    assert team.node.running.replica.head.size == size
    assert (await team.as_app("secret", "get", "name", "--force", *AT)).done.out == PLANTED


async def test_files_are_not_written_over(team: Shell, tmp_path: Path) -> None:
    """A file that is there stays, and nothing is read or put, unless forced; a device always."""
    await team.as_app("secret", "put", "name", *AT, stdin=PLANTED)
    kept = tmp_path / "kept"
    kept.write_text("mine")
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nothing")
    size = team.node.running.replica.head.size
    get = ("secret", "get", "name", *AT)
    for path in map(str, (kept, dangling)):
        for option in ("-o", "--receipt"):
            said = (await team.as_app(*get, option, path)).failed(2)
            assert f"{path} exists already" in said
            assert "--force" in said
    put = ("secret", "put", "name", *AT, "--receipt", str(kept))
    assert "exists already" in (await team.as_app(*put, stdin=b"other")).failed(2)
    device = (*get, "-o", "/dev/null", "--force")
    assert "is no file" in (await team.as_app(*device)).failed(2)
    one = (*get, "-o", str(tmp_path / "x"), "--receipt", str(tmp_path / "x"))
    assert "cannot be one file" in (await team.as_app(*one)).failed(2)
    assert team.node.running.replica.head.size == size
    assert kept.read_text() == "mine"
    receipt = tmp_path / "receipt"
    both = (*get, "-o", str(kept), "--receipt", str(receipt))
    assert (await team.as_app(*both, "--force")).code == 0
    assert kept.read_bytes() == PLANTED
    assert (await team.as_app(*put, "--force", stdin=b"other")).code == 0
    assert b"c2sp.org/tlog-proof@v1" in kept.read_bytes()


async def test_force_without_a_receipt(team: Shell) -> None:
    """Where --force means the receipt alone, it is not taken for a yes to anything else."""
    said = await team.as_owner("secret", "destroy", "name", *AT, "--force", "--yes")
    assert "--force writes over a receipt" in said.failed(2)


async def test_changed_code_is_not_admitted(team: Shell, program: Path) -> None:
    """One byte of the program changed: no session, and the hint says what an owner can do."""
    await team.as_app("secret", "put", "name", *AT, stdin=PLANTED)
    (program.parent / "code").write_text("as it was not")
    said = (await team.as_app("secret", "get", "name", *AT)).failed()
    assert "NOT_ADMITTED" in said
    assert f"collection policy set {NAME} --allow-self" in said
    await team.as_owner("collection", "policy", "set", NAME, "--allow-self")
    assert (await team.as_app("secret", "get", "name", *AT)).done.out == PLANTED


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("put", "../x"), "a name is"),
        (("put", "name", "no/such/file"), "No such file"),
        (("put", "name", "--ttl", "soon"), "no length of time"),
        (("put", "name", "--if-version", "-1"), "not in the range"),
        (("get", "name", "--version", "0"), "not in the range"),
        (("list", "--password-file", "x"), "--password-file belongs to an account"),
        (("put",), "Missing argument"),
    ],
)
async def test_wrong_usage(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    """Exit code 2, what is wrong, and a hint; nothing was sent."""
    assert said in (await shell.as_app("secret", *arguments, *AT)).failed(2)


async def test_values_that_are_too_large(team: Shell) -> None:
    """More than this network takes is not sent, more than any takes is not even read."""
    said = await team.as_app("secret", "put", "name", *AT, stdin=bytes(1024 * 1024 + 1))
    assert "at most 1048576 bytes" in said.failed()
    endless = await team.as_app("secret", "put", "name", "/dev/zero", *AT)
    assert "too large" in endless.failed(2)


async def test_places_that_cannot_be_used(shell: Shell, tmp_path: Path) -> None:
    """No network file, no platform, no node: each says what is missing."""
    put = ("secret", "put", "name", *AT, "--allow-development")
    nowhere = ("--home", str(tmp_path / "none"))
    assert "network.toml" in (await shell(*put, *nowhere)).failed(2)
    network = ("--network", str(tmp_path / "network.toml"))
    assert "has no platform" in (await shell(*put, *nowhere, *network)).failed(2)
    away = shell.node.file.model_copy(update={"endpoints": ("127.0.0.1:1",)})
    away.save(tmp_path / "network.toml")
    assert "cannot be reached" in (await shell.as_app(*put)).failed()
    broken = tmp_path / "network.toml"
    broken.write_text("profile = 5")
    assert "field" in (await shell.as_app(*put)).failed(2)


async def test_nothing_shows_what_was_planted(
    team: Shell, node: Serving, log: list[Any], tmp_path: Path
) -> None:
    """Neither output, nor the node's log, nor its files hold a value that nobody asked for."""
    said = [
        await team.as_app("secret", "put", "name", *AT, stdin=PLANTED),
        await team.as_owner("secret", "put", "name", *AT, stdin=PLANTED),
        await team.as_app("secret", "get", "name", *AT, "-o", str(tmp_path / "out")),
        await team.as_app("secret", "list", *AT),
        await team.as_app("secret", "history", "name", *AT, "--json"),
        await team.as_app("secret", "get", "other", *AT),
        await team.as_app("secret", "put", "name", "--if-version", "9", *AT, stdin=PLANTED),
    ]
    (tmp_path / "out").unlink()
    hidden = (PLANTED, base64.b64encode(PLANTED), PLANTED.hex().encode())
    written = [path.read_bytes() for path in node.network.home.root.rglob("*") if path.is_file()]
    texts = [one.out + one.err.encode() for one in said] + written
    texts += [json.dumps(event, default=str).encode() for event in log]
    assert not [text for text in texts for one in hidden if one in text]
