"""``sealedger node init`` on hardware: Gramine's device on a machine that has its own root."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from attestation.collateral import decode_collateral
from attestation.platforms import software_collateral
from attestation.platforms.detect import PlatformPlaces
from attestation.platforms.gramine import GraminePlatform
from attestation.platforms.platform import Platform
from attestation.platforms.software import read_trust, renew_collateral
from attestation.platforms.software_collateral import CollateralOptions
from attestation.policy import Match, encode_policy
from enclave_client.client import SecretClient
from enclave_client.errors import SealedgerClientError
from enclave_client.network_file import NetworkFile
from kms.errors import KeyServiceStateError
from ledger.format.genesis import Profile, decode_genesis
from ledger.format.trust import decode_trust
from node import core_platform
from node.app import open_node
from node.checks import check_files
from node.cli.node import CORE_MANIFEST
from node.config import NodeConfig, PlatformConfig
from node.home import Home
from tests.support.collateral_service import VendorServices, serving
from tests.support.command_line import Command, Said
from tests.support.gramine_device import SgxMachine
from tests.support.real_node import ANY_PORT, COLLECTION, with_endpoint

LISTEN = ("--listen", ANY_PORT, "--http-listen", ANY_PORT)
POLICY = 'measurement = "{}"\n'


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> SgxMachine:
    """A machine with SGX."""
    return SgxMachine.make(tmp_path_factory.mktemp("machine") / "sgx", int(time.time()))


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app's manifest."""
    return manifest_in(tmp_path / "app", "app")


def manifest_in(folder: Path, name: str) -> Path:
    """An app of one file, and its manifest."""
    folder.mkdir()
    (folder / "main.py").write_text(f"print({name!r})\n")
    manifest = folder / f"{name}.toml"
    manifest.write_text(
        f'name = "{name}"\nsigner = "a"\nproduct_id = 1\nsvn = 1\nfiles = ["main.py"]\n'
    )
    return manifest


@pytest.fixture
def device(tmp_path: Path, machine: SgxMachine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The core's device, where every command looks for one."""
    with machine.running(CORE_MANIFEST, tmp_path / "device") as tree:
        look_at(monkeypatch, tree)
        yield tree


def look_at(monkeypatch: pytest.MonkeyPatch, tree: Path) -> None:
    """Let commands find this device, and no other TEE that the machine of the test may have."""
    real = core_platform.core_places

    def places(home: Home, config: PlatformConfig, manifest: Path) -> PlatformPlaces:
        nowhere = tree.parent / "nowhere"
        found = real(home, config, manifest)
        return replace(found, attestation=tree, reports=nowhere, sgx=nowhere, drivers=nowhere)

    for module in ("node.cli.node", "node.checks"):
        monkeypatch.setattr(f"{module}.core_places", places)


def believing(machine: SgxMachine) -> tuple[str, ...]:
    """Options that make a network believe a machine."""
    return ("--collateral", str(machine.collateral), "--root", str(machine.root))


async def init(command: Command, home: Home, *options: str, platform: str = "gramine") -> Said:
    """Found a network there."""
    places = ("--home", str(home.root), *LISTEN)
    return await command("node", "init", *places, "--platform", platform, *options)


def policy_file(folder: Path, machine: SgxMachine, app: Path) -> str:
    """A collection whose readers and writers are the app, as an option's value."""
    one = POLICY.format(machine.enclave(app).measurement.hex())
    file = folder / "policy.toml"
    file.write_text(f"[readers]\n{one}[writers]\n{one}")
    return f"{COLLECTION}={file}"


@contextmanager
def app_platform(folder: Path, machine: SgxMachine, app: Path) -> Iterator[Platform]:
    """The app as an enclave of the machine."""
    with machine.platform(app, folder / f"device-of-{app.stem}") as platform:
        yield platform


def client_of(file: NetworkFile, platform: Platform) -> SecretClient:
    """A client that is allowed to use a development network."""
    return SecretClient.connect(
        network=file, platform=platform, collection=COLLECTION, allow_development=True
    )


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize("kind", ["gramine", "auto"])
async def test_founded_on_gramine(
    tmp_path: Path, command: Command, machine: SgxMachine, kind: str
) -> None:
    """The core policy is the verified identity's; roots and pins are the collateral's."""
    home = Home(tmp_path / "home")
    said = await init(command, home, *believing(machine), platform=kind)
    assert (said.code, said.err) == (0, "")
    assert not home.platform.exists()
    assert NodeConfig.load(home.config).platform.kind == "gramine"
    genesis = decode_genesis(home.genesis.read_bytes())
    trust, core = decode_trust(genesis.trust), machine.enclave(CORE_MANIFEST)
    assert genesis.profile is Profile.DEVELOPMENT
    assert trust.origin == "dev.local/1"
    assert trust.core_policy == encode_policy(
        Match(signer=core.signer, product_id=core.product_id, minimum_svn=core.svn)
    )
    own = read_trust(machine.directory)
    assert (trust.roots, trust.tcb_signer_pins) == ((own.root,), own.tcb_signer_pins)
    assert genesis.collateral == (own.collateral,)
    assert check_files(home, CORE_MANIFEST, {}).problems == ()


async def test_runs_and_keeps_its_secrets(
    tmp_path: Path, command: Command, machine: SgxMachine, device: Path, app: Path
) -> None:
    """A client on the same kind of machine attests, puts and reads; a restart loses nothing."""
    home = Home(tmp_path / "home")
    policy = ("--policy", policy_file(tmp_path, machine, app))
    assert (await init(command, home, *believing(machine), *policy)).code == 0
    config, file = NodeConfig.load(home.config), NetworkFile.load(home.network)
    with app_platform(tmp_path, machine, app) as platform:
        async with (
            open_node(home, config, GraminePlatform.open(device)) as node,
            client_of(with_endpoint(file, node.port), platform) as client,
        ):
            await client.put("name", b"value")
        async with (
            open_node(home, config, GraminePlatform.open(device)) as again,
            client_of(with_endpoint(file, again.port), platform) as client,
        ):
            assert (await client.get("name")).value == b"value"


async def test_another_app_and_another_machine_are_strangers(
    tmp_path: Path, command: Command, machine: SgxMachine, device: Path, app: Path
) -> None:
    """Other code is not admitted, and neither is the right code under another machine's root."""
    home = Home(tmp_path / "home")
    policy = ("--policy", policy_file(tmp_path, machine, app))
    assert (await init(command, home, *believing(machine), *policy)).code == 0
    file = NetworkFile.load(home.network)
    other = manifest_in(tmp_path / "other", "other")
    stranger = SgxMachine.make(tmp_path / "stranger", int(time.time()))
    config = NodeConfig.load(home.config)
    async with open_node(home, config, GraminePlatform.open(device)) as node:
        reached = with_endpoint(file, node.port)
        for where, what, why in (
            (machine, other, "policy"), (stranger, app, "root-unknown"),
        ):  # fmt: skip
            with (
                app_platform(tmp_path, where, what) as platform,
                pytest.raises(SealedgerClientError, match=why),
            ):
                async with client_of(reached, platform) as client:
                    await client.get("name")


async def test_another_machines_sealing_key(
    tmp_path: Path, command: Command, machine: SgxMachine, device: Path
) -> None:
    """A home that was carried to another machine does not open: its key is another."""
    home = Home(tmp_path / "home")
    assert (await init(command, home, *believing(machine))).code == 0
    (device / "keys" / "_sgx_mrsigner").write_bytes(b"another machine!")
    with pytest.raises(KeyServiceStateError):
        async with open_node(home, NodeConfig.load(home.config), GraminePlatform.open(device)):
            pass


@pytest.mark.usefixtures("device")
async def test_refusals_leave_nothing(
    tmp_path: Path, command: Command, machine: SgxMachine
) -> None:
    """Without the right trust nothing is founded: each refusal says what would be right."""
    home = Home(tmp_path / "home")
    other = SgxMachine.make(tmp_path / "other", int(time.time()))
    later = tmp_path / "later"
    SgxMachine.make(later, int(time.time()) + 90_000)
    ended = tmp_path / "ended"
    SgxMachine.make(ended, int(time.time()) - 400 * 86_400)
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    own, root = ("--collateral", str(machine.collateral)), ("--root", str(machine.root))
    cases = {
        "no collateral for this platform: it is sgx/00536f667401/processor, given are none": (),
        "a root and TCB signer of Intel or AMD": own,
        "root-unknown": believing(other),
        "no collateral ends in this root": (*own, *root, "--root", str(other.root)),
        "collateral-from-future": ("--collateral", f"{later}/collateral.pb", "--root",
                                   f"{later}/root.crt"),
        "collateral-expired": ("--collateral", f"{ended}/collateral.pb", "--root",
                               f"{ended}/root.crt"),
        "sgx/00536f667401/processor twice": (*own, *root, *believing(other)),
        "expected 1 to": ("--collateral", str(empty)),
        "cannot read": ("--collateral", str(tmp_path / "missing")),
        "not one root certificate": (*own, "--root", str(machine.collateral)),
    }  # fmt: skip
    for expected, options in cases.items():
        said = await init(command, home, *options)
        assert (said.code, expected in said.err) == (1, True), (expected, said.err)
        assert not home.root.exists(), expected


@pytest.mark.usefixtures("device")
async def test_collateral_of_another_fmspc(
    tmp_path: Path, command: Command, machine: SgxMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Collateral of another kind of processor, though of the same root, is named as missing."""
    kept = machine.collateral.read_bytes()
    other = tmp_path / "other.pb"
    with monkeypatch.context() as patched:
        patched.setattr(software_collateral, "FMSPC", bytes.fromhex("00606a000000"))
        options = CollateralOptions(issued_s=int(time.time()))
        other.write_bytes(renew_collateral(machine.directory, options))
    machine.collateral.write_bytes(kept)
    home = Home(tmp_path / "home")
    believed = ("--collateral", str(other), "--root", str(machine.root))
    said = await init(command, home, *believed)
    assert said.code == 1
    assert "it is sgx/00536f667401/processor, given are sgx/00606a000000/processor" in said.err
    assert "hint: fetch the collateral of sgx/00536f667401/processor" in said.err
    assert not home.root.exists()
    both = await init(command, home, *believed, "--collateral", str(machine.collateral))
    assert both.code == 0
    assert len(decode_genesis(home.genesis.read_bytes()).collateral) == 2


async def test_a_debug_enclave(
    tmp_path: Path, command: Command, machine: SgxMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A core whose memory the host may read founds nothing."""
    home = Home(tmp_path / "home")
    with machine.running(CORE_MANIFEST, tmp_path / "device", debug=True) as tree:
        look_at(monkeypatch, tree)
        said = await init(command, home, *believing(machine))
    assert said.code == 1
    assert "own evidence is refused: debug-enabled" in said.err
    assert "hint: build and sign the enclave without debugging" in said.err
    assert not home.root.exists()


async def test_a_tcb_that_is_not_up_to_date(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The strict policy refuses it and says what to type; typed, it is what clients pin."""
    machine = SgxMachine.make(tmp_path / "sgx", int(time.time()))
    advisories = ("INTEL-SA-00615", "INTEL-SA-00657")
    worse = CollateralOptions(
        issued_s=int(time.time()), status="SWHardeningNeeded", advisories=advisories
    )
    renew_collateral(machine.directory, worse)
    home = Home(tmp_path / "home")
    accepted = ("--tcb-status", "SWHardeningNeeded")
    named = tuple(word for name in advisories for word in ("--advisory", name))
    with machine.running(CORE_MANIFEST, tmp_path / "device") as tree:
        look_at(monkeypatch, tree)
        refused = await init(command, home, *believing(machine))
        assert "tcb_status: expected UpToDate, got SWHardeningNeeded" in refused.err
        assert f"{' '.join((*accepted, *named))}\n" in refused.err
        halfway = await init(command, home, *believing(machine), *accepted)
        assert (refused.code, halfway.code, home.root.exists()) == (1, 1, False)
        assert "advisories: expected none, or UpToDate" in halfway.err
        said = await init(command, home, *believing(machine), *accepted, *named)
    assert (said.code, said.err) == (0, "")
    policy = decode_trust(decode_genesis(home.genesis.read_bytes()).trust).core_policy
    core = machine.enclave(CORE_MANIFEST)
    assert policy == encode_policy(
        Match(
            signer=core.signer,
            product_id=core.product_id,
            minimum_svn=core.svn,
            tcb_statuses=("SWHardeningNeeded", "UpToDate"),
            advisories=advisories,
        )
    )


async def test_gramine_without_a_sealing_key(
    tmp_path: Path, command: Command, machine: SgxMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside of SGX there is no key: refused before any file of trust is even looked at."""
    home = Home(tmp_path / "home")
    with machine.running(CORE_MANIFEST, tmp_path / "device", key=b"") as tree:
        look_at(monkeypatch, tree)
        said = await init(command, home, "--collateral", str(tmp_path / "missing"))
    assert said.code == 1
    assert "there is no such key outside of SGX" in said.err
    assert not home.root.exists()


@pytest.mark.parametrize("kind", ["tsm", "auto"])
async def test_a_platform_without_sealing_keys(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A guest of TDX or SEV-SNP founds nothing: where its secrets had to come from is said."""
    real = core_platform.core_places
    reports, drivers = tmp_path / "report", tmp_path / "misc"
    reports.mkdir()
    (drivers / "tdx_guest").mkdir(parents=True)

    def places(home: Home, config: PlatformConfig, manifest: Path) -> PlatformPlaces:
        found = real(home, config, manifest)
        nowhere = tmp_path / "nowhere"
        return replace(found, attestation=nowhere, reports=reports, drivers=drivers)

    monkeypatch.setattr("node.cli.node.core_places", places)
    home = Home(tmp_path / "home")
    said = await init(command, home, platform=kind)
    assert said.code == 1
    assert "gives no sealing key: the epoch secret has to come from a peer" in said.err
    assert "or from members' shares" in said.err
    assert not home.root.exists()


async def test_no_tee(tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Auto never simulates: it says why each TEE was not found, and what to type for trials."""
    look_at(monkeypatch, tmp_path / "device")
    home = Home(tmp_path / "home")
    said = await init(command, home, platform="auto")
    assert said.code == 1
    assert "no TEE found: gramine: " in said.err
    assert "hint: for trials without one: --platform software" in said.err
    assert not home.root.exists()


@pytest.mark.parametrize("option", ["--tee", "--app"])
async def test_options_of_the_software_platform(
    tmp_path: Path, command: Command, option: str
) -> None:
    """What names simulated code is refused on hardware."""
    value = "sgx" if option == "--tee" else "a/b=app.toml"
    said = await init(command, Home(tmp_path / "home"), option, value)
    assert said.code == 1
    assert f"{option} is for the software platform, not for gramine" in said.err
    assert not (tmp_path / "home").exists()


@pytest.mark.usefixtures("device")
async def test_collateral_is_fetched_before_there_is_a_network(
    tmp_path: Path, command: Command, machine: SgxMachine
) -> None:
    """A refusal names the key, a service has its collateral, and with that file init founds."""
    home, saved = Home(tmp_path / "home"), tmp_path / "collateral.pb"
    refused = await init(command, home)
    key = "sgx/00536f667401/processor"
    assert f"fetch the collateral of {key} and give it with --collateral FILE" in refused.err
    held = decode_collateral(machine.collateral.read_bytes())
    async with serving(VendorServices({key: held})) as url:
        fetch = ("collateral", "fetch", key, "--pccs", url, "--save", str(saved))
        fetched = await command(*fetch)
        again = await command(*fetch)
        assert (await command(*fetch, "--force")).code == 0
    assert (fetched.code, fetched.err) == (0, "")
    assert (again.code, "exists already" in again.err, "--force" in again.err) == (2, True, True)
    assert key in fetched.out
    assert saved.read_bytes() == machine.collateral.read_bytes()
    said = await init(command, home, "--collateral", str(saved), "--root", str(machine.root))
    assert said.code == 0


@pytest.mark.parametrize(
    "options, hint",
    [
        (("sgx/00536f667401/processor", "--kds", "https://localhost"), "--pccs URL"),
        (("snp/Milan", "--pccs", "https://localhost"), "--kds URL"),
        (("sgx/1", "--pccs", "https://localhost"), "sgx/FMSPC/processor"),
    ],
)
async def test_fetching_what_no_service_has(
    tmp_path: Path, command: Command, options: tuple[str, ...], hint: str
) -> None:
    """A key that is none, or of the other vendor, is wrong usage; nothing is written."""
    saved = tmp_path / "collateral.pb"
    said = await command("collateral", "fetch", *options, "--save", str(saved))
    assert said.code == 2
    assert f"hint: {hint}" in said.err
    assert not saved.exists()
