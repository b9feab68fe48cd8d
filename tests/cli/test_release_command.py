"""``sealedger release`` as a publisher and auditors type it."""

import json
from pathlib import Path

import pytest

from attestation.platforms.software_manifest import measure, read_manifest
from enclave_client.release_file import decode_release_file
from ledger.format.address import encode_address
from tests.cli.conftest import Said, Shell
from tests.support.owners import account

SOURCE = "5f" * 32
PUBLISHER, STRANGER = 1, 5
AUDITORS = (2, 3, 4)
ADDRESSES = sorted(encode_address(account(number).address) for number in AUDITORS)


@pytest.fixture
def file(shell: Shell) -> str:
    """A release file without measurements."""
    path = shell.directory / "release.toml"
    auditors = ", ".join(f'"{one}"' for one in ADDRESSES)
    path.write_text(
        f'name = "fns"\nversion = "1.2.0"\nsource_digest = "{SOURCE}"\n'
        f'notes = "the first"\nauditors = [{auditors}]\n'
    )
    return str(path)


async def publish(shell: Shell, file: str, *more: str) -> Said:
    """Publish it with the app's measurement."""
    arguments = ("release", "publish", file, "--measure", shell.manifest("app"))
    return await shell(*arguments, *more, *shell.by(PUBLISHER), "--json")


async def endorse(shell: Shell, number: int, *more: str, stdin: bytes = b"") -> Said:
    """Endorse it as one account."""
    arguments = ("release", "endorse", "fns", "1.2.0", *more)
    return await shell(*arguments, *shell.by(number), stdin=stdin)


async def test_a_life(shell: Shell, file: str, tmp_path: Path) -> None:
    """Published, endorsed by digest, listed, shown, revoked; each change has a receipt."""
    receipts = {name: tmp_path / name for name in ("publish", "endorse", "revoke")}
    made = (await publish(shell, file, "--receipt", str(receipts["publish"]))).done.fields
    measured = measure(read_manifest(Path(shell.manifest("app")))).hex()
    assert made["release"] == "fns@1.2.0"
    assert made["measurements"] == [f"sgx {measured}"]
    every = ("--tee", "sgx", "--tee", "tdx", "--tee", "snp")
    offline = ("release", "digest", file, "--measure", shell.manifest("app"), "--json")
    lines = (await shell(*offline, *every)).done.fields["measurements"]
    assert [line.split()[0] for line in lines] == ["sgx", "tdx", "snp"]
    assert made["auditors"] == ADDRESSES
    digest = (await shell(*offline)).done.fields["digest"]
    assert digest == made["digest"]
    reviewed = ("--digest", digest, "--yes", "--receipt", str(receipts["endorse"]), "--json")
    endorsed = (await endorse(shell, AUDITORS[0], *reviewed)).done.fields
    assert (endorsed["endorsers"], endorsed["digest"]) == (1, digest)
    listed = (await shell("release", "list", *shell.by(STRANGER), "--json")).done.fields
    (row,) = listed["releases"]
    assert row["endorsed"] == [
        {"auditor": encode_address(account(AUDITORS[0]).address), "entry": endorsed["entry"]}
    ]
    assert (row["digest"], row["published_in_entry"]) == (digest, made["entry"])
    table = await shell("release", "list", "fns", *shell.by(STRANGER))
    head, line = table.done.out.decode().splitlines()
    assert head.split() == ["RELEASE", "ENDORSERS", "REVOKED", "PUBLISHER", "DIGEST"]
    assert line.startswith("fns@1.2.0  1 of 3     no ")
    arguments = ("release", "revoke", "fns", "1.2.0", "--yes")
    kept = ("--receipt", str(receipts["revoke"]), "--json")
    gone = (await shell(*arguments, *kept, *shell.by(PUBLISHER))).done.fields
    assert (gone["revoked"], gone["endorsers"]) == ("the release", None)
    shown = await shell("release", "show", "fns", "1.2.0", *shell.by(STRANGER), "--json")
    fields = shown.done.fields
    assert (fields["revoked_in_entry"], fields["revoked"]) == (gone["entry"], gone["time"])
    assert fields["published"] == made["time"]
    for name, operation in (
        ("publish", b"PublishRelease"), ("endorse", b"EndorseRelease"), ("revoke", b"RevokeRelease")
    ):  # fmt: skip
        network = ("--network", str(tmp_path / "network.toml"), "--allow-development")
        said = await shell("receipt", "verify", str(receipts[name]), *network)
        assert operation in said.done.out
        assert b"fns@1.2.0" in said.out
        assert (digest.encode() in said.out) == (name != "revoke")


async def test_shown_for_people(shell: Shell, file: str) -> None:
    """One line for each auditor and measurement; as a release file it means the same."""
    made = (await publish(shell, file)).fields
    digest = (await shell("release", "list", *shell.by(5), "--json")).fields["releases"][0][
        "digest"
    ]
    stood = (await endorse(shell, AUDITORS[1], "--digest", digest, "--yes", "--json")).fields
    show = ("release", "show", "fns", "1.2.0")
    lines = (await shell(*show, *shell.by(STRANGER))).done.out.decode().splitlines()
    by_address = {encode_address(account(number).address): number for number in AUDITORS}
    said = {
        AUDITORS[0]: "has not endorsed it",
        AUDITORS[1]: f"endorsed it, {stood['time']}, entry {stood['entry']}",
        AUDITORS[2]: "has not endorsed it",
    }
    assert lines == [
        "release        fns@1.2.0",
        "state          endorsed by 1 of 3 auditors",
        f"published      {made['time']}, entry {made['entry']}",
        f"publisher      {encode_address(account(PUBLISHER).address)}",
        "notes          the first",
        f"measures as    {made['measurements'][0].replace(' ', '  ')}",
        f"source digest  {SOURCE}",
        f"digest         {digest}",
        *(
            f"{'' if at else 'auditors':<13}  {one}  {said[by_address[one]]}"
            for at, one in enumerate(ADDRESSES)
        ),
    ]
    printed = (await shell(*show, "--file", *shell.by(STRANGER))).done.out
    release = decode_release_file(printed)
    assert (release.name, release.notes) == ("fns", "the first")
    copy = shell.directory / "copy.toml"
    copy.write_bytes(printed)
    again = (await shell("release", "digest", str(copy))).done.out.decode()
    assert f"digest         {digest}" in again
    as_json = await shell(*show, "--file", "--json", *shell.by(STRANGER))
    assert as_json.done.fields["release_file"].encode() == printed


async def test_before_it_is_published(shell: Shell, file: str, tmp_path: Path) -> None:
    """A file's release, and what was published, in the lines in which they are shown later."""
    measuring = (file, "--measure", shell.manifest("app"), "--tee", "sgx", "--tee", "tdx")
    fields = (await shell("release", "digest", *measuring, "--json")).done.fields
    said = (await shell("release", "digest", *measuring)).done.out.decode().splitlines()
    sgx, tdx = (one.replace(" ", "  ") for one in fields["measurements"])
    assert said == [
        "release        fns@1.2.0",
        "notes          the first",
        f"measures as    {sgx}",
        f"               {tdx}",
        f"source digest  {SOURCE}",
        f"digest         {fields['digest']}",
        *(f"{'' if at else 'auditors':<13}  {one}" for at, one in enumerate(ADDRESSES)),
    ]
    receipt = tmp_path / "published"
    kept = ("--receipt", str(receipt), *shell.by(PUBLISHER))
    published = (await shell("release", "publish", *measuring, *kept)).done.out.decode()
    assert published.splitlines()[: len(said)] == said
    last = [line.split()[0] for line in published.splitlines()[len(said) :]]
    assert last == ["entry", "time", "receipt"]


async def test_what_was_taken_back_is_shown(shell: Shell, file: str) -> None:
    """An auditor who refuses and a publisher who revoked are told in words."""
    digest = (await publish(shell, file)).fields["digest"]
    await endorse(shell, AUDITORS[0], "--digest", digest, "--yes")
    revoke = ("release", "revoke", "fns", "1.2.0", "--yes", "--json")
    back = (await shell(*revoke, *shell.by(AUDITORS[0]))).done.fields
    gone = (await shell(*revoke, *shell.by(PUBLISHER))).done.fields
    show = ("release", "show", "fns", "1.2.0", *shell.by(STRANGER))
    lines = (await shell(*show)).done.out.decode().splitlines()
    address = encode_address(account(AUDITORS[0]).address)
    assert f"{address}  refuses it for ever, entry {back['entry']}" in " ".join(lines)
    where = f"{gone['time']}, entry {gone['entry']}"
    assert lines[1] == (
        f"state          REVOKED for everybody by its publisher, {where}; "
        "it was endorsed by 0 of 3 auditors"
    )


async def test_asked_before_it_is_endorsed(
    shell: Shell, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is endorsed is shown on standard error; only a yes endorses it."""
    digest = (await publish(shell, file)).fields["digest"]
    monkeypatch.setattr("node.cli.release._verify_can_ask", lambda _: None)
    no = await endorse(shell, AUDITORS[0], stdin=b"n\n")
    assert (no.code, no.out) == (1, b"")
    assert digest in no.err
    assert "Endorse fns@1.2.0, exactly this?" in no.err
    yes = await endorse(shell, AUDITORS[0], "--json", stdin=b"y\n")
    assert yes.code == 0
    assert yes.fields["endorsers"] == 1
    revoke = ("release", "revoke", "fns", "1.2.0", *shell.by(AUDITORS[0]))
    assert (await shell(*revoke, stdin=b"n\n")).code == 1
    gone = await shell(*revoke, "--json", stdin=b"y\n")
    assert (gone.fields["revoked"], gone.fields["endorsers"]) == ("the own endorsement", 0)


async def test_nobody_to_ask(shell: Shell, file: str) -> None:
    """Without a terminal nothing is endorsed or revoked unless it was said which."""
    await publish(shell, file)
    assert "--digest HEX --yes" in (await endorse(shell, AUDITORS[0])).failed(2)
    assert "nobody looked at" in (await endorse(shell, AUDITORS[0], "--yes")).failed(2)
    revoke = ("release", "revoke", "fns", "1.2.0", *shell.by(PUBLISHER))
    assert "hint: --yes" in (await shell(*revoke)).failed(2)


async def test_another_digest_than_reviewed(shell: Shell, file: str) -> None:
    """What stands on the ledger is not what was reviewed: nothing is signed."""
    digest = (await publish(shell, file)).fields["digest"]
    said = (await endorse(shell, AUDITORS[0], "--digest", "00" * 32, "--yes")).failed()
    assert digest in said
    assert "do not endorse what you did not rebuild" in said
    assert (await endorse(shell, AUDITORS[0], "--digest", "00" * 32)).failed() == said
    assert "hint: --yes" in (await endorse(shell, AUDITORS[0], "--digest", digest)).failed(2)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("publish", "none.toml"), "No such file"),
        (("digest", "none.toml"), "No such file"),
        (("show", "fns", "1.2"), "a version is three numbers"),
        (("show", "../fns", "1.2.0"), "a name is"),
        (("show", "fns"), "Missing argument"),
        (("list", "a" * 65), "a name is"),
        (("endorse", "fns", "1.2.0", "--digest", "00"), "expected 64 hex digits"),
        (("endorse", "fns", "1.2.0", "--digest", "zz" * 32), "expected 64 hex digits"),
    ],
)
async def test_wrong_usage(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    """Exit code 2, what is wrong, and a hint."""
    more = () if arguments[0] == "digest" else shell.by(PUBLISHER)
    assert said in (await shell("release", *arguments, *more)).failed(2)


async def test_what_the_ledger_refuses(shell: Shell, file: str) -> None:
    """Exit code 1, the reason, and what would be right."""
    digest = (await publish(shell, file)).fields["digest"]
    assert "publish the next one" in (await publish(shell, file)).failed()
    refused = await endorse(shell, STRANGER, "--digest", digest, "--yes")
    assert "only the auditors that a release names" in refused.failed()
    stranger = shell.by(STRANGER)
    assert (
        "DENIED" in (await shell("release", "revoke", "fns", "1.2.0", "--yes", *stranger)).failed()
    )
    assert "UNKNOWN_RELEASE" in (await shell("release", "show", "fns", "9.9.9", *stranger)).failed()
    empty = await shell("release", "list", "none", *stranger)
    assert (empty.code, empty.out, empty.err) == (0, b"", "no releases\n")


async def test_a_file_with_a_fault(shell: Shell, file: str) -> None:
    """It names the field, and where a file is shown."""
    said = (await shell("release", "publish", file, *shell.by(PUBLISHER))).failed(2)
    assert "1 to 16 measurements" in said
    assert "docs/releases.md" in said


async def test_audited(shell: Shell, file: str, tmp_path: Path) -> None:
    """An export names the release and its version, with a receipt for each operation."""
    digest = (await publish(shell, file)).fields["digest"]
    await endorse(shell, AUDITORS[0], "--digest", digest, "--yes")
    await shell.as_owner("collection", "create", "own", "--allow-self")
    table = tmp_path / "all.jsonl"
    await shell("audit", "export", "-o", str(table), *shell.by(PUBLISHER))
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    said = [
        (row["operation"], row["name"], row["asked_version"], row["outcome"])
        for row in rows
        if "Release" in row["operation"]
    ]
    assert said == [
        ("PublishRelease", "fns", "1.2.0", "OK"),
        ("EndorseRelease", "fns", "1.2.0", "OK"),
    ]
    csv = tmp_path / "all.csv"
    export = ("audit", "export", "--format", "csv", "-o", str(csv), *shell.by(PUBLISHER))
    assert (await shell(*export)).code == 0
    assert ",fns,,1.2.0," in csv.read_text()
