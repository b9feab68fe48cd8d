"""``sealedger collateral`` as operators type it: show, and update from everywhere."""

import hashlib
import json
import time
from dataclasses import replace
from typing import Any

import pytest

from attestation.collateral import Collateral, decode_collateral, encode_collateral
from attestation.platforms.software import create_platform, read_trust, renew_collateral
from attestation.platforms.software_collateral import CollateralOptions
from attestation.verify import read_facts
from enclave_client.errors import AttestationFailedError
from node.config import NodeConfig
from tests.cli.conftest import Shell
from tests.support.collateral_service import Mood, VendorServices, serving
from tests.support.evidence_vectors import MANIFEST, REASON, VECTORS
from tests.support.help_texts import help_text
from tests.support.real_node import Serving, listening

needs_vectors = pytest.mark.skipif(not MANIFEST.exists(), reason=REASON)


@pytest.fixture(autouse=True)
def _listening(node: Serving) -> None:
    """node.toml names the port that the node got."""
    settings = listening(f"127.0.0.1:{node.running.port}")
    config = NodeConfig.model_validate(settings)
    node.network.home.config.write_bytes(config.encode())


@pytest.fixture
def home(shell: Shell) -> tuple[str, ...]:
    """The option that names the home."""
    return ("--home", str(shell.network.home.root))


@pytest.fixture
def key(shell: Shell) -> str:
    """What the node's platform is judged by."""
    return read_facts(read_trust(shell.network.home.platform).collateral).key


def options_of(number: int = 1, ahead_s: int = 0) -> CollateralOptions:
    """Collateral of now."""
    return CollateralOptions(issued_s=int(time.time()) + ahead_s, evaluation_number=number)


def signed(shell: Shell, options: CollateralOptions) -> Collateral:
    """Collateral of the node's platform, which forgets that it made it."""
    platform = shell.network.home.platform
    before = read_trust(platform).collateral
    made = renew_collateral(platform, options)
    (platform / "collateral.pb").write_bytes(before)
    return decode_collateral(made)


async def test_genesis_is_shown(shell: Shell, home: tuple[str, ...], key: str) -> None:
    """All that is in force, as a table and as JSON; by the home or by a network file."""
    said = (await shell("collateral", "show", *home)).done
    assert key in said.out.decode()
    network = str(shell.directory / "network.toml")
    for where in (home, ("--network", network)):
        rows = (await shell("collateral", "show", *where, "--json")).done.fields["collateral"]
        assert [row["key"] for row in rows] == [key]
        assert (rows[0]["entry"], rows[0]["generation"], rows[0]["fault"]) == (0, 1, None)


async def test_one_key_is_saved(shell: Shell, home: tuple[str, ...], key: str) -> None:
    """The bytes that are in force, for a closed network or a verifier."""
    saved = shell.directory / "saved.pb"
    said = (await shell("collateral", "show", key, *home, "--save", str(saved), "--json")).done
    assert saved.read_bytes() == read_trust(shell.network.home.platform).collateral
    assert said.fields["saved"] == str(saved)
    assert len(bytes.fromhex(said.fields["digest"])) == 32
    saved.write_text("mine")
    again = ("collateral", "show", key, *home, "--save", str(saved))
    assert f"{saved} exists already" in (await shell(*again)).failed(2)
    assert saved.read_text() == "mine"
    assert (await shell(*again, "--force")).code == 0
    assert saved.read_bytes() == read_trust(shell.network.home.platform).collateral


async def test_a_key_that_is_none_or_unknown(shell: Shell, home: tuple[str, ...]) -> None:
    """Wrong usage, and a key of which the ledger knows nothing."""
    assert "is no key" in (await shell("collateral", "show", "sgx/1", *home)).failed(2)
    assert "no collateral for snp/Turin" in (
        await shell("collateral", "show", "snp/Turin", *home)
    ).failed(1)
    assert "--save" in (await shell("collateral", "show", *home, "--save", "x")).failed(2)


async def test_the_development_platform_signs_anew(
    shell: Shell, home: tuple[str, ...], key: str
) -> None:
    """One command renews a development network for a year, under the number that it had last."""
    platform = shell.network.home.platform / "collateral.pb"
    platform.write_bytes(encode_collateral(signed(shell, options_of(number=2))))
    said = (await shell("collateral", "update", *home, "--platform-directory", "--json")).done
    (row,) = said.fields["collateral"]
    assert (row["key"], row["state"], row["number"]) == (key, "updated", 2)
    again = (await shell("collateral", "update", *home, "--file", str(platform), "--json")).done
    (same,) = again.fields["collateral"]
    assert (same["state"], same["entry"]) == ("in force already", row["entry"])
    shown = (await shell("collateral", "show", *home, "--json")).done.fields["collateral"]
    assert shown[0]["entry"] == row["entry"]


async def test_a_file_in_json(shell: Shell, home: tuple[str, ...], key: str) -> None:
    """The nine fields as other verifiers write them, for one named key."""
    made = signed(shell, options_of(number=3))
    fields = {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in ((name, getattr(made, name)) for name in made.__dataclass_fields__)
    }
    file = shell.directory / "collateral.json"
    file.write_text(json.dumps(fields))
    wrong = await shell("collateral", "update", *home, "--file", str(file), "--key", "snp/Milan")
    assert key in wrong.failed(2)
    said = (await shell("collateral", "update", *home, "--file", str(file), "--key", key)).done
    assert "updated" in said.out.decode()


async def test_a_root_that_the_network_does_not_take(shell: Shell, home: tuple[str, ...]) -> None:
    """The hint names both roots, and says where the network's stand."""
    trust = read_trust(shell.network.home.platform)
    own = hashlib.sha256(trust.root).hexdigest()
    for tee in ("sgx", "snp"):
        other = shell.directory / tee
        create_platform(other, int(time.time()), tee=tee)
        file = ("--file", str(other / "collateral.pb"))
        said = (await shell("collateral", "update", *home, *file)).failed()
        foreign = hashlib.sha256(read_trust(other).root).hexdigest()
        assert f"signed under the root {foreign}; this network takes the root {own}, and" in said
        assert "trust document" in said
        assert "sealedger network show --json" in said
    late = shell.directory / "late"
    late.write_bytes(encode_collateral(signed(shell, options_of(number=1, ahead_s=10_000))))
    said = (await shell("collateral", "update", *home, "--file", str(late))).failed()
    assert "fetch the vendor's current edition" in said
    shown = (await shell("network", "show", *home, "--json")).done.fields
    assert shown["roots"] == [own]


@needs_vectors
async def test_a_vendor_s_root_is_called_so(shell: Shell, home: tuple[str, ...]) -> None:
    """Real collateral in a development network; AMD's without its list says what is wanting."""
    file = str(VECTORS / "sgx/konvera-gramine/collateral.json")
    said = (await shell("collateral", "update", *home, "--file", file)).failed()
    assert "signed under Intel's root 44a0196b" in said
    files = (str(VECTORS / f"sev-snp/virtee-milan/{name}.der") for name in ("ark", "ask"))
    options = [word for one in files for word in ("--file", one)]
    said = (await shell("collateral", "update", *home, *options)).failed()
    assert "no revocation list" in said
    assert "--file for each" in said


async def test_from_a_pccs(shell: Shell, home: tuple[str, ...], key: str) -> None:
    """All keys on the ledger that the service's vendor has, and again what is in force already."""
    services = VendorServices({key: signed(shell, options_of(number=2))})
    async with serving(services) as url:
        said = (await shell("collateral", "update", *home, "--pccs", url, "--json")).done
        assert [row["state"] for row in said.fields["collateral"]] == ["updated"]
        said = (await shell("collateral", "update", *home, "--pccs", url, "--json")).done
        assert [row["state"] for row in said.fields["collateral"]] == ["in force already"]
        none = await shell("collateral", "update", *home, "--kds", url)
        assert "no collateral that these services have" in none.failed(2)
        missing = ("--key", "snp/Milan", "--key", key)
        assert "--kds" in (
            await shell("collateral", "update", *home, "--pccs", url, *missing)
        ).failed(2)


async def test_one_key_s_fault_keeps_no_other_back(
    shell: Shell, home: tuple[str, ...], key: str
) -> None:
    """What could be fetched is in force; the command fails for the rest."""
    services = VendorServices({key: signed(shell, options_of(number=2))})
    absent = "sgx/00906ed50000/platform"
    async with serving(services) as url:
        said = await shell(
            "collateral", "update", *home, "--pccs", url, "--key", absent, "--key", key, "--json"
        )
    assert said.code == 1
    assert [row["key"] for row in said.fields["collateral"]] == [key]
    assert "no such document" in said.err


async def test_a_service_that_is_down(shell: Shell, home: tuple[str, ...], key: str) -> None:
    """The error says what to do, and nothing changed."""
    services = VendorServices({key: signed(shell, options_of())}, {"tcb": Mood.BROKEN})
    async with serving(services) as url:
        said = await shell("collateral", "update", *home, "--pccs", url)
    assert "try again later" in said.failed()
    said = await shell("collateral", "update", *home, "--pccs", "http://example.com")
    assert "not a URL that can be used" in said.failed()


async def test_what_is_older_is_told_before_it_is_sent(shell: Shell, home: tuple[str, ...]) -> None:
    """An operator learns what is wrong from his own command."""
    newer, older = shell.directory / "newer.pb", shell.directory / "older.pb"
    newer.write_bytes(encode_collateral(signed(shell, options_of(number=4))))
    older.write_bytes(encode_collateral(signed(shell, options_of(number=3))))
    await shell("collateral", "update", *home, "--file", str(newer))
    assert (
        "not newer in all its parts"
        in (await shell("collateral", "update", *home, "--file", str(older))).failed()
    )


async def test_what_cannot_be_used_is_told_before_it_is_sent(
    shell: Shell, home: tuple[str, ...]
) -> None:
    """Collateral that has ended says so, with what would be right."""
    ended = replace(options_of(number=2, ahead_s=-1000), validity_s=10)
    file = shell.directory / "ended.pb"
    file.write_bytes(encode_collateral(signed(shell, ended)))
    said = await shell("collateral", "update", *home, "--file", str(file))
    assert "collateral-expired" in said.failed()


async def test_a_network_whose_collateral_ended_is_mended(
    shell: Shell, home: tuple[str, ...]
) -> None:
    """No client attests the node any more and sessions are over; one command brings them back."""
    brief = replace(options_of(number=2), validity_s=1)
    file = shell.directory / "brief.pb"
    file.write_bytes(encode_collateral(signed(shell, brief)))
    assert (await shell("collateral", "update", *home, "--file", str(file))).done.out
    deadline = time.monotonic() + 10
    while not (row := await only_row(shell, home))["fault"]:
        assert time.monotonic() < deadline, "the collateral did not end"
    assert "collateral-expired" in row["fault"]
    with pytest.raises(AttestationFailedError) as caught:
        await shell.node.client().open()
    assert "sealedger collateral update" in caught.value.hint
    mended = shell.directory / "mended.pb"
    mended.write_bytes(encode_collateral(signed(shell, options_of(number=2))))
    assert (await shell("collateral", "update", *home, "--file", str(mended))).done.out
    assert (await only_row(shell, home))["fault"] is None
    async with shell.node.client() as client:
        await client.put("after", b"1")


async def only_row(shell: Shell, home: tuple[str, ...]) -> dict[str, Any]:
    """What is shown of the one key."""
    said = (await shell("collateral", "show", *home, "--json")).done
    (row,) = said.fields["collateral"]
    return dict(row)


async def test_one_source_at_a_time(shell: Shell, home: tuple[str, ...]) -> None:
    """Nothing said, or two sources said, is wrong usage."""
    two = ("--file", "x", "--platform-directory")
    for options in ((), two, ("--pccs", "https://x", "--file", "y")):
        said = await shell("collateral", "update", *home, *options)
        assert "where the new collateral comes from" in said.failed(2)


async def test_files_that_cannot_be_used(shell: Shell, home: tuple[str, ...]) -> None:
    """No such file, and one in no form that is known."""
    assert "cannot read" in (await shell("collateral", "update", *home, "--file", "nix")).failed()
    file = shell.directory / "junk"
    file.write_bytes(b"\0" * 100)
    said = await shell("collateral", "update", *home, "--file", str(file))
    assert "in no form that is known" in said.failed()


async def test_no_node_answers(shell: Shell, home: tuple[str, ...]) -> None:
    """The node has to run: its ledger takes the update."""
    root = shell.network.home
    root.config.write_bytes(NodeConfig.model_validate(listening("127.0.0.1:1")).encode())
    assert (
        "cannot be reached"
        in (await shell("collateral", "update", *home, "--platform-directory")).failed()
    )


def test_the_platform_s_directory_is_no_default() -> None:
    """The help says what the option is without its value; without the option nothing is signed."""
    said = " ".join(help_text("collateral update").split())
    assert "this software platform; without DIRECTORY, the home's." in said
    assert "[default: the home's]" not in said
