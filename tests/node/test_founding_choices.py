"""What a founder may say beside the platform: others' hardware, members, auditors, collections."""

import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from attestation.collateral import SnpCollateral, decode_collateral, encode_collateral
from attestation.evidence import decode_evidence
from attestation.fields import SnpFields, SnpTcb, TdxFields
from attestation.identity import Identity
from attestation.inspect import identity_of_unverified
from attestation.platforms.platform import Platform
from attestation.platforms.software import SoftwarePlatform, create_platform, read_trust
from attestation.policy import Match, SnpMatch
from attestation.vendors import INTEL_ROOT, INTEL_TCB_SIGNER
from attestation.verify import read_facts
from enclave_client.client import SecretClient
from enclave_client.network_file import NetworkFile
from enclave_client.policy_words import policy_words
from ledger.crypto.secret import Secret
from ledger.format.address import encode_address
from ledger.format.genesis import decode_genesis
from ledger.format.trust import decode_trust
from node.app import open_node
from node.cli.node import CORE_MANIFEST
from node.config import NodeConfig
from node.errors import ConfigError
from node.founding_core import STRICT, Accepted, core_policy, prove_core
from node.founding_trust import read_trust_files, software_trust, verify_trust
from node.home import Home
from tests.support.command_line import Command, Said
from tests.support.dcap_vectors import REASON, VECTORS, first_run
from tests.support.real_node import ANY_PORT, COLLECTION, Found, found, with_endpoint

LISTEN = ("--listen", ANY_PORT, "--http-listen", ANY_PORT)
ALICE, BOB, CAROL = (encode_address(bytes([number]) * 20) for number in (1, 2, 3))
NOW_S = 1_800_000_000


async def init(command: Command, home: Home, *options: str) -> Said:
    """Found a network there."""
    return await command("node", "init", "--home", str(home.root), *LISTEN, *options)


def app_in(folder: Path) -> Path:
    """An app's manifest."""
    folder.mkdir()
    (folder / "main.py").write_text("print('app')\n")
    manifest = folder / "app.toml"
    manifest.write_text(
        'name = "app"\nsigner = "a"\nproduct_id = 1\nsvn = 1\nfiles = ["main.py"]\n'
    )
    return manifest


def root_file(platform: Path) -> Path:
    """The root certificate in a directory of the software platform."""
    return next(file for name in ("root.crt", "ark.crt") if (file := platform / name).exists())


def policy_toml(platforms: list[SoftwarePlatform]) -> str:
    """A policy file that admits an app as each of these TEEs."""
    members = []
    for one in platforms:
        member = f'{{measurement = "{one.enclave.measurement.hex()}"'
        if one.enclave.tee == "snp":
            tcb = "{boot_loader = 3, tee = 0, snp = 8, microcode = 115}"
            member += f", snp = {{minimum_tcb = {tcb}}}"
        members.append(f"{member}}}")
    line = f"any = [{', '.join(members)}]\n"
    return f"[readers]\n{line}[writers]\n{line}"


async def test_clients_on_every_tee_from_the_first_entry(tmp_path: Path, command: Command) -> None:
    """A core as SGX, with the roots and collateral of machines with TDX and SEV-SNP: all attest."""
    home, manifest = Home(tmp_path / "home"), app_in(tmp_path / "app")
    options: list[str] = []
    clients: list[SoftwarePlatform] = []
    for tee in ("tdx", "snp"):
        at = tmp_path / tee
        create_platform(at, int(time.time()), tee=tee)
        clients.append(SoftwarePlatform.open(at, manifest))
        options += ["--collateral", str(at / "collateral.pb"), "--root", str(root_file(at))]
    file = tmp_path / "policy.toml"
    file.write_text(policy_toml(clients))
    said = await init(command, home, *options, "--policy", f"{COLLECTION}={file}")
    assert (said.code, said.err) == (0, "")
    genesis = decode_genesis(home.genesis.read_bytes())
    keys = [read_facts(data).key for data in genesis.collateral]
    assert keys == ["sgx/00536f667401/processor", "tdx/00536f667401/processor", "snp/Milan"]
    assert len(decode_trust(genesis.trust).roots) == 3
    core = SoftwarePlatform.open(home.platform, CORE_MANIFEST)
    network = NetworkFile.load(home.network)
    async with open_node(home, NodeConfig.load(home.config), core) as node:
        for number, platform in enumerate(clients, 1):
            async with SecretClient.connect(
                network=with_endpoint(network, node.port),
                platform=platform,
                collection=COLLECTION,
                allow_development=True,
            ) as client:
                assert (await client.put("name", b"value")).version == number


async def test_members_and_auditors(tmp_path: Path, command: Command) -> None:
    """They stand in genesis, sorted, and are shown to people and machines."""
    home = Home(tmp_path / "home")
    members = ("--member", BOB, "--member", ALICE, "--member-threshold", "2")
    said = await init(command, home, *members, "--auditor", CAROL, "--auditor", ALICE)
    assert (said.code, said.err) == (0, "")
    genesis = decode_genesis(home.genesis.read_bytes())
    trust = decode_trust(genesis.trust)
    assert (trust.members, trust.member_threshold) == ((b"\1" * 20, b"\2" * 20), 2)
    assert genesis.auditors == (b"\1" * 20, b"\3" * 20)
    shown = await command("network", "show", "--home", str(home.root))
    first, second, _, *file = shown.out.splitlines(keepends=True)
    assert first == f"# members, 2 of them decide on sessions and platforms: {ALICE} {BOB}\n"
    assert second == f"# auditors of the whole network: {ALICE} {CAROL}\n"
    assert "".join(file).encode() == home.network.read_bytes()
    assert NetworkFile.parse(shown.out.encode()) == NetworkFile.load(home.network)
    facts = json.loads((await command("network", "show", "--home", str(home.root), "--json")).out)
    assert (facts["members"], facts["member_threshold"]) == ([ALICE, BOB], 2)
    assert facts["auditors"] == [ALICE, CAROL]
    assert facts["collateral"] == ["sgx/00536f667401/processor"]


async def test_enrolled_platforms(tmp_path: Path, command: Command) -> None:
    """The core's own machine is enrolled from the start, and those that the founder names."""
    home = Home(tmp_path / "home")
    amd = "aB" * 64
    assert (await init(command, home, "--enrol", amd, "--enrol", amd)).code == 0
    core = SoftwarePlatform.open(home.platform, CORE_MANIFEST)
    evidence = decode_evidence(await core.evidence(bytes(64)))
    own = identity_of_unverified(evidence).platform_id
    assert len(own) == 16
    wanted = sorted([own.hex(), amd.lower()])
    assert list(map(bytes.hex, decode_genesis(home.genesis.read_bytes()).platforms)) == wanted
    shown = (await command("network", "show", "--home", str(home.root))).out
    assert shown.startswith(f"# platforms enrolled from the start: {' '.join(wanted)}\n")
    facts = json.loads((await command("network", "show", "--home", str(home.root), "--json")).out)
    assert facts["platforms"] == wanted
    wrong = await init(command, Home(tmp_path / "other"), "--enrol", "11")
    assert wrong.code == 2
    assert "32 or 128 hex digits" in wrong.err
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("told", [b"", bytes(16), bytes(64)])
def test_a_machine_that_tells_no_id(tmp_path: Path, told: bytes) -> None:
    """A core whose id is masked or missing is founded all the same, and nothing is enrolled."""
    home = found(tmp_path / "network", Found(machine=told)).home
    assert decode_genesis(home.genesis.read_bytes()).platforms == ()


async def test_words_that_lie_are_not_shown(tmp_path: Path, command: Command) -> None:
    """Attack: a network file whose words name another core than its policy admits."""
    home = Home(tmp_path / "home")
    assert (await init(command, home)).code == 0
    file = NetworkFile.load(home.network)
    told = file.key_service.model_copy(update={"about": "the well-known core"})
    file.model_copy(update={"key_service": told}).save(home.network)
    facts = json.loads((await command("network", "show", "--home", str(home.root), "--json")).out)
    assert facts["core"] == policy_words(file.policy())


WRONG = {
    "members without a number": (("--member", ALICE), "belong together"),
    "a number without members": (("--member-threshold", "1"), "belong together"),
    "more than there are": (("--member", ALICE, "--member-threshold", "2"), "there is 1 member"),
    "the same twice": (
        ("--member", ALICE, "--member", ALICE, "--member-threshold", "1"), "is said twice",
    ),
    "an auditor twice": (("--auditor", BOB, "--auditor", BOB), "is said twice"),
    "no address": (("--auditor", "0x12"), "0x and 40 hex digits"),
    "a typo": (("--auditor", "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"), "a typo?"),
    "single": (("--profile", "single"), "needs an outside witness"),
    "consortium": (("--profile", "consortium"), "needs four operators' cores"),
    "no such policy": (("--policy", "a/b=/none"), "/none"),
    "no policy": (("--policy", "a/b"), "expected COLLECTION=FILE"),
    "no advisory": (("--advisory", "no good"), "bad advisories"),
    "a long grace": (("--grace", "31d"), "--grace 31d: at most 30d"),
    "parts of a second": (("--grace", "1500ms"), "no whole number of seconds"),
    "a ceiling under the floor": (("--tcb-floor", "18", "--tcb-ceiling", "17"), "is under"),
    "a floor that is too high": (("--tcb-floor", "2"), "expected 2 to any, got 1 and 1"),
    "no such floor": (("--tcb-floor", str(2**32)), f"--tcb-floor {2**32}: at most"),
    "no such ceiling": (("--tcb-ceiling", str(2**32)), f"--tcb-ceiling {2**32}: at most"),
    "no name": (("--name", "a b"), "'a b' is no name"),
    "no name of a collection": (("--app", "a b=app.toml"), "'a b' is no name"),
    "no such manifest": (("--app", "a/b=/none"), "/none: not a readable manifest"),
    "no such collateral": (("--collateral", "/none"), "cannot read /none"),
    "no root": (("--root", __file__), "not one root certificate"),
    "no place for a home": (("--home", "/proc/none"), "/proc/none"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
async def test_what_cannot_be_makes_no_home(tmp_path: Path, command: Command, what: str) -> None:
    """Each is refused with the reason, before anything is left behind."""
    options, expected = WRONG[what]
    home = Home(tmp_path / "home")
    said = await init(command, home, *options)
    assert said.code == 1
    assert expected in said.err
    assert "\nhint: " in said.err
    assert not home.root.exists()


async def test_a_threshold_of_nobody_is_wrong_usage(tmp_path: Path, command: Command) -> None:
    """No votes are no vote."""
    said = await init(command, Home(tmp_path / "home"), "--member-threshold", "0")
    assert said.code == 2


@pytest.mark.parametrize(
    "more, expected",
    [
        (f'auditors = ["{ALICE}"]\n', "has readers and writers only"),
        ('ttl = "1d"\n', "has readers and writers only"),
        ("", "is said already"),
    ],
    ids=["auditors", "ttl", "twice"],
)
async def test_policy_files_that_genesis_cannot_hold(
    tmp_path: Path, command: Command, more: str, expected: str
) -> None:
    """Collections of genesis have readers and writers, and each is said once."""
    home, file = Home(tmp_path / "home"), tmp_path / "policy.toml"
    file.write_text(f'{more}readers = "nobody"\nwriters = "nobody"\n')
    given = ("--policy", f"a/b={file}")
    said = await init(command, home, *given, *given)
    assert (said.code, expected in said.err) == (1, True)
    assert not home.root.exists()


def snp_parts(folder: Path) -> tuple[SnpCollateral, list[Path]]:
    """SEV-SNP collateral, and its certificates and list in a file each, as AMD gives them."""
    create_platform(folder, NOW_S, tee="snp")
    collateral = decode_collateral(read_trust(folder).collateral)
    if not isinstance(collateral, SnpCollateral):
        raise TypeError("collateral of another kind")
    files = []
    for name in ("ark", "ask", "crl"):
        files.append(folder / f"{name}.der")
        files[-1].write_bytes(getattr(collateral, name))
    return collateral, files


def test_amds_parts_are_put_together(tmp_path: Path) -> None:
    """Certificates and list in files of their own become one collateral, beside others'."""
    collateral, files = snp_parts(tmp_path / "snp")
    create_platform(tmp_path / "sgx", NOW_S)
    other = tmp_path / "sgx" / "collateral.pb"
    roots = [tmp_path / "snp" / "ark.crt", tmp_path / "sgx" / "root.crt"]
    ark, ask, crl = files
    trust = read_trust_files([crl, other, ask, ark], roots)
    assert trust.collateral == (other.read_bytes(), encode_collateral(collateral))
    assert set(verify_trust(trust, NOW_S + 60)) == {"sgx/00536f667401/processor", "snp/Milan"}
    assert trust.tcb_signer_pins == read_trust(tmp_path / "sgx").tcb_signer_pins


def test_amds_parts_that_are_missing(tmp_path: Path) -> None:
    """Without the list the collateral decides nothing, without the root it is none."""
    _, (ark, ask, crl) = snp_parts(tmp_path / "snp")
    roots = [tmp_path / "snp" / "ark.crt"]
    with pytest.raises(ConfigError, match="without-revocation-list") as raised:
        verify_trust(read_trust_files([ark, ask], roots), NOW_S + 60)
    assert "AMD's revocation list" in raised.value.hint
    for parts in ([ask, crl], [ark, crl], [crl]):
        with pytest.raises(ConfigError, match=r"ARK with ASK or ASVK"):
            read_trust_files(parts, roots)


@pytest.mark.skipif(not VECTORS.is_dir(), reason=REASON)
def test_intels_collateral_needs_no_root(tmp_path: Path) -> None:
    """Real collateral founds on Intel's pinned root and signer, in its own time only."""
    vector, run = first_run("sgx/konvera-gramine")
    file = VECTORS / vector["id"] / run["collateral"]
    trust = read_trust_files([file], [])
    assert [hashlib.sha256(root).digest() for root in trust.roots] == [INTEL_ROOT]
    assert trust.tcb_signer_pins == (INTEL_TCB_SIGNER,)
    at_s = int(run["now"])
    (key,) = verify_trust(trust, at_s)
    assert key.startswith("sgx/")
    year_s = 366 * 24 * 3600
    for other_s, said in ((at_s + year_s, "collateral-expired"), (at_s - year_s, "future")):
        with pytest.raises(ConfigError, match=said):
            verify_trust(trust, other_s)
    broken = tmp_path / "broken.json"
    broken.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(ConfigError, match=r"broken\.json"):
        read_trust_files([broken], [])


class Replaying:
    """A platform that answers with evidence over other report data."""

    name = "replaying"

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def evidence(self, report_data: bytes) -> bytes:
        return await self._platform.evidence(report_data[::-1])

    def sealing_key(self, label: bytes, *, svn: int | None = None) -> Secret:
        return self._platform.sealing_key(label, svn=svn)


async def test_evidence_over_other_report_data(tmp_path: Path) -> None:
    """A core that cannot bind what it is asked to bind is not founded on."""
    create_platform(tmp_path / "sgx", NOW_S)
    trust = software_trust(read_trust(tmp_path / "sgx"))
    platform = SoftwarePlatform.open(tmp_path / "sgx", app_in(tmp_path / "app"))
    collateral = verify_trust(trust, NOW_S + 60)
    identity = await prove_core(platform, collateral, trust.rules, NOW_S + 60)
    assert identity.measurement == platform.enclave.measurement
    with pytest.raises(ConfigError, match="other report data"):
        await prove_core(Replaying(platform), collateral, trust.rules, NOW_S + 60)


def snp_identity(**fields: object) -> Identity:
    """A SEV-SNP guest."""
    told = replace(SnpFields(reported_tcb=SnpTcb(snp=8, microcode=115)), **fields)  # type: ignore[arg-type]  # by name
    return Identity(platform="snp", measurement=b"\7" * 48, tcb_status="NotRated", fields=told)


def test_the_policy_of_a_guest() -> None:
    """SEV-SNP: this code, on firmware that is not older; nothing weaker passes by itself.

    Numbers of another product line say nothing: an old Milan has a higher microcode than any Genoa.
    """
    policy = core_policy(snp_identity(), Accepted(("OutOfDate",), ()), NOW_S)
    minimum = SnpMatch(minimum_tcb=SnpTcb(snp=8, microcode=115), products=("Milan",))
    assert policy == Match(measurement=b"\7" * 48, tee=minimum)
    for fields in ({"guest_policy": 1 << 18}, {"is_vlek": True}, {"vmpl": 2}):
        with pytest.raises(ConfigError, match=r"does not pass .*snp\.") as raised:
            core_policy(snp_identity(**fields), STRICT, NOW_S)
        assert raised.value.hint == "change how this guest is launched"


def test_the_policy_of_a_trust_domain() -> None:
    """TDX: this code; what the founder accepts has one spelling, however it is typed."""
    identity = Identity(
        platform="tdx",
        measurement=b"\7" * 48,
        tcb_status="OutOfDate",
        advisories=("A", "B"),
        fields=TdxFields(),
    )
    accepted = Accepted(("OutOfDate", "OutOfDate"), ("B", "A", "B"))
    assert core_policy(identity, accepted, NOW_S) == Match(
        measurement=b"\7" * 48, tcb_statuses=("OutOfDate", "UpToDate"), advisories=("A", "B")
    )
    with pytest.raises(ConfigError, match="tcb_status: expected UpToDate, got OutOfDate") as raised:
        core_policy(identity, STRICT, NOW_S)
    assert raised.value.hint.endswith("--tcb-status OutOfDate --advisory A --advisory B")
