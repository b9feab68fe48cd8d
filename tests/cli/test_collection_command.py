"""``sealedger collection`` as an owner types it."""

from pathlib import Path

import pytest

from attestation.platforms.software_enclave import enclave_of
from attestation.platforms.software_manifest import read_manifest
from enclave_client.policy_file import decode_policy_file
from enclave_client.policy_words import policy_words
from ledger.format.address import encode_address
from tests.cli.conftest import Shell
from tests.support.owners import account

NAME = "team/secrets"
OWNER = encode_address(account().address)
AUDITOR = encode_address(account(2).address)


async def test_from_manifests(shell: Shell) -> None:
    """Apps named by their manifests read and write; what was signed is what is printed."""
    made = await shell.as_owner(
        "collection", "create", NAME, "--reader", shell.manifest("app"), "--reader",
        shell.manifest("other"), "--writer", shell.manifest("app"), "--auditor", AUDITOR,
        "--ttl", "30d", "--json",
    )  # fmt: skip
    app = shell.network.app("app").enclave.measurement.hex()
    other = shell.network.app("other").enclave.measurement.hex()
    terms = {
        "readers": f"any of (measurement {app}; measurement {other})",
        "writers": f"measurement {app}",
        "auditors": [AUDITOR],
        "ttl": "30d",
    }
    fields = made.done.fields
    assert {key: fields[key] for key in terms} == terms
    shown = (await shell.as_owner("collection", "show", NAME, "--json")).done.fields
    assert shown == {"name": NAME, "owner": OWNER, "frozen": False, **terms}
    async with shell.node.client("app", NAME) as client:
        await client.put("name", b"value")
        async with shell.node.client("other", NAME) as reader:
            assert (await reader.get("name")).value == b"value"


@pytest.mark.parametrize("tee", ["tdx", "snp"])
async def test_manifests_of_other_tees(shell: Shell, tee: str) -> None:
    """An app is named as it measures in the TEE that is told."""
    manifest = shell.manifest("app")
    enclave = enclave_of(read_manifest(Path(manifest)), tee)
    options = ("--reader", manifest, "--tee", tee, "--json")
    made = await shell.as_owner("collection", "create", NAME, *options)
    assert made.done.fields["readers"] == policy_words(enclave.by_code)
    assert enclave.measurement.hex() in made.done.fields["readers"]


async def test_without_writers_only_the_owner_writes(shell: Shell) -> None:
    """What nobody was named for, nobody may do."""
    reader = shell.manifest("app")
    await shell.as_owner("collection", "create", NAME, "--reader", reader)
    shown = (await shell.as_owner("collection", "show", NAME)).done.out.decode()
    assert "writers   nobody\n" in shown
    assert "frozen    no\n" in shown
    assert "ttl       -\n" in shown
    stored = await shell.as_owner("secret", "put", "name", "--collection", NAME, stdin=b"value")
    assert stored.code == 0
    async with shell.node.client("app", NAME) as client:
        assert (await client.get("name")).value == b"value"


async def test_a_policy_file_comes_back(shell: Shell, tmp_path: Path) -> None:
    """`policy show` prints a file that `policy set` and `create` take, and that means the same."""
    await shell.as_owner("collection", "create", NAME, "--allow-self", "--ttl", "1h")
    printed = (await shell.as_owner("collection", "policy", "show", NAME)).done.out
    file = tmp_path / "policy.toml"
    file.write_bytes(printed.replace(b'"1h"', b'"2h"'))
    before = (await shell.as_owner("collection", "show", NAME, "--json")).fields
    terms = ("--policy", str(file))
    assert (await shell.as_owner("collection", "policy", "set", NAME, *terms)).code == 0
    after = (await shell.as_owner("collection", "show", NAME, "--json")).fields
    assert after == {**before, "ttl": "2h"}
    assert (await shell.as_owner("collection", "create", "team/b", *terms)).code == 0
    fields = (await shell.as_owner("collection", "policy", "show", "team/b", "--json")).fields
    assert decode_policy_file(fields["policy_file"].encode()).ttl_ms == 7_200_000


async def test_allow_self_beside_a_policy_file(shell: Shell, tmp_path: Path) -> None:
    """The program is admitted beside those whom the file names, once."""
    file = tmp_path / "policy.toml"
    app = shell.network.app("app").enclave.measurement.hex()
    file.write_text(f'writers = "nobody"\n[readers]\nmeasurement = "{app}"\n')
    arguments = ("--policy", str(file), "--allow-self")
    made = (await shell.as_owner("collection", "create", NAME, *arguments, "--json")).fields
    assert made["readers"].startswith(f"any of (measurement {app}; measurement ")
    own = made["writers"]
    file.write_bytes((await shell.as_owner("collection", "policy", "show", NAME)).out)
    again = (await shell.as_owner("collection", "policy", "set", NAME, *arguments, "--json")).fields
    assert (again["readers"], again["writers"]) == (made["readers"], own)


async def test_lists(shell: Shell) -> None:
    """Own collections, in order, for people and machines."""
    empty = await shell.as_owner("collection", "list")
    assert (empty.code, empty.out, empty.err) == (0, b"", "no collections\n")
    for name in ("b", "a"):
        await shell.as_owner("collection", "create", name, "--allow-self")
    rows = (await shell.as_owner("collection", "list", "--json")).done.fields["collections"]
    assert [row["name"] for row in rows] == ["a", "b"]
    table = (await shell.as_owner("collection", "list")).done.out.decode().splitlines()
    assert table[0].split() == ["NAME", "FROZEN", "TTL", "OWNER"]
    assert table[1].split() == ["a", "no", "-", OWNER]


async def test_freeze_and_unfreeze(shell: Shell) -> None:
    """A frozen collection refuses; unfrozen it goes on."""
    await shell.as_owner("collection", "create", NAME, "--allow-self")
    frozen = await shell.as_owner("collection", "freeze", NAME, "--json")
    assert frozen.done.fields["frozen"] is True
    put = ("secret", "put", "name", "--collection", NAME)
    assert "FROZEN" in (await shell.as_app(*put, stdin=b"value")).failed()
    assert b"frozen      no" in (await shell.as_owner("collection", "unfreeze", NAME)).done.out
    assert (await shell.as_app(*put, stdin=b"value")).code == 0


async def test_receipts_are_kept(shell: Shell, tmp_path: Path) -> None:
    """The receipt that a change leaves is verified offline by the command for that."""
    file = tmp_path / "create.receipt"
    await shell.as_owner("collection", "create", NAME, "--allow-self", "--receipt", str(file))
    network = str(tmp_path / "network.toml")
    arguments = ("receipt", "verify", str(file), "--network", network, "--allow-development")
    assert b"CreateCollection" in (await shell(*arguments)).done.out


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("create", NAME), "who may read and write?"),
        (("create", "../x", "--allow-self"), "a name is"),
        (("create", NAME, "--allow-self", "--ttl", "90y"), "no length of time"),
        (("create", NAME, "--allow-self", "--auditor", "0x12"), "an address is 0x"),
        (("create", NAME, "--policy", "none.toml"), "No such file"),
        (("create", NAME, "--policy", "none.toml", "--ttl", "1d"), "--policy says all of it"),
        (("policy", "set", NAME), "who may read and write?"),
        (("show",), "Missing argument"),
        (("show", NAME, "--what"), "No such option"),
    ],
)
async def test_wrong_usage(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    """Exit code 2, what is wrong, and a hint."""
    assert said in (await shell.as_owner("collection", *arguments)).failed(2)


async def test_what_the_ledger_refuses(shell: Shell) -> None:
    """Exit code 1, the reason, and what would be right."""
    await shell.as_owner("collection", "create", NAME, "--allow-self")
    again = (await shell.as_owner("collection", "create", NAME, "--allow-self")).failed()
    assert "COLLECTION_EXISTS" in again
    assert "choose another name" in again
    stranger = (
        *shell.where, "--account", shell.keystore(2), "--password-file", shell.password,
    )  # fmt: skip
    assert (
        "only the collection's owner"
        in (await shell("collection", "freeze", NAME, *stranger)).failed()
    )
    assert "DENIED" in (await shell("collection", "show", NAME, *stranger)).failed()
    assert "UNKNOWN_COLLECTION" in (await shell.as_owner("collection", "freeze", "none")).failed()
    assert (
        "not a readable manifest"
        in (await shell.as_owner("collection", "create", "x", "--reader", "none.toml")).err
    )


async def test_accounts_that_do_not_open(shell: Shell, tmp_path: Path) -> None:
    """No account, no password, a wrong one: nothing is sent, and it is said."""
    show = ("collection", "show", NAME, *shell.where)
    assert "no accounts in" in (await shell(*show)).failed(2)
    key = ("--account", shell.keystore())
    assert "a password is needed" in (await shell(*show, *key)).failed(2)
    wrong = tmp_path / "wrong"
    wrong.write_text("battery staple")
    wrong.chmod(0o600)
    said = (await shell(*show, *key, "--password-file", str(wrong))).failed()
    assert "does not open the keystore" in said
    assert "battery" not in said


async def test_development_is_refused(shell: Shell) -> None:
    """Unless it is allowed on the command line."""
    where = [option for option in shell.owner if option != "--allow-development"]
    said = (await shell("collection", "list", *where)).failed(2)
    assert "is a development network" in said
    assert "--allow-development" in said
