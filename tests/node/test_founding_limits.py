"""The founder's limits on collateral, from what is typed to who attests: grace, floor, ceiling."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from attestation.platforms.software import SoftwarePlatform, create_platform, renew_collateral
from attestation.platforms.software_collateral import CollateralOptions
from enclave_client.client import SecretClient
from enclave_client.errors import AttestationFailedError, Check, RefusedError
from enclave_client.network_file import NetworkFile
from ledger.crypto.ed25519 import SigningKey
from ledger.crypto.secret import Secret
from ledger.format.genesis import decode_genesis
from ledger.format.trust import TrustDocument, decode_trust
from ledger.reason import Reason
from node.app import open_node
from node.cli.node import CORE_MANIFEST
from node.collateral_line import NodeSigner, open_line
from node.config import NodeConfig
from node.home import Home, read_private
from node.verifier import verification_rules
from tests.support.command_line import Command, Said
from tests.support.raw_client import now_ms
from tests.support.real_node import ANY_PORT, COLLECTION, client_of, listening, with_endpoint
from tests.support.software_machines import MANIFEST

HOUR_S, MINUTE_S, DAY_S = 3600, 60, 86_400
FLOOR, CEILING = 17, 20
NUMBERS = ("--tcb-floor", str(FLOOR), "--tcb-ceiling", str(CEILING))


@dataclass(slots=True)
class Clock:
    """The node's clock: the real one, and what the test adds; clients' clocks may be slow."""

    ahead_s: int = 0
    client_slow_s: int = 0

    def ms(self) -> int:
        """Unix time of the node in milliseconds."""
        return now_ms() + self.ahead_s * 1000

    def s(self) -> int:
        """Unix time of the node in seconds."""
        return self.ms() // 1000

    def client_ms(self) -> int:
        """Unix time of a client in milliseconds."""
        return self.ms() - self.client_slow_s * 1000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What block time, the node's verifier and clients go by."""
    made = Clock()
    monkeypatch.setattr("node.app.clock_ms", made.ms)
    monkeypatch.setattr("node.app.clock_s", made.s)
    monkeypatch.setattr("enclave_client.client._now_ms", made.client_ms)
    return made


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Where the network is to be."""
    return Home(tmp_path / "home")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """The manifest of an app."""
    (tmp_path / "app.py").write_text("print('app')\n")
    manifest = tmp_path / "app.toml"
    manifest.write_text(MANIFEST)
    return manifest


def machine(home: Home, options: CollateralOptions) -> None:
    """A platform that init finds in the home, with collateral as `options` wants it."""
    home.root.mkdir(mode=0o700)
    create_platform(home.platform, options.issued_s, options)


def numbered(number: int) -> CollateralOptions:
    """Collateral of an hour ago with this number."""
    return CollateralOptions(issued_s=int(time.time()) - HOUR_S, evaluation_number=number)


def ended(ago_s: int) -> CollateralOptions:
    """Collateral that was good for a day, until so long ago."""
    return CollateralOptions(issued_s=int(time.time()) - ago_s - DAY_S, validity_s=DAY_S)


async def init(command: Command, home: Home, *options: str) -> Said:
    """Found a network there."""
    listen = ("--listen", ANY_PORT, "--http-listen", ANY_PORT)
    return await command("node", "init", "--home", str(home.root), *listen, *options)


def trust_of(home: Home) -> TrustDocument:
    """The trust document of its genesis."""
    return decode_trust(decode_genesis(home.genesis.read_bytes()).trust)


def is_empty(home: Home) -> bool:
    """Whether init left nothing beside the platform that was there."""
    return list(home.root.iterdir()) == [home.platform]


@asynccontextmanager
async def running(home: Home) -> AsyncIterator[NetworkFile]:
    """The node of a home; the network file, and node.toml, lead to it."""
    core = SoftwarePlatform.open(home.platform, CORE_MANIFEST)
    async with open_node(home, NodeConfig.load(home.config), core) as node:
        settings = listening(f"127.0.0.1:{node.port}")
        home.config.write_bytes(NodeConfig.model_validate(settings).encode())
        yield with_endpoint(NetworkFile.load(home.network), node.port)


async def test_node_and_clients_judge_alike(home: Home, command: Command) -> None:
    """Genesis and network file have what was said; both sides' rules are the same, and shown."""
    machine(home, numbered(FLOOR))
    assert (await init(command, home, "--grace", "7d", *NUMBERS)).code == 0
    trust, file = trust_of(home), NetworkFile.load(home.network)
    assert (trust.grace_s, trust.tcb_floor, trust.tcb_ceiling) == (7 * DAY_S, FLOOR, CEILING)
    assert file.attestation.tcb_floor == FLOOR
    rules = verification_rules(trust)
    assert rules == file.verification_rules(trust)
    assert rules.grace_s == 7 * DAY_S
    assert (rules.evaluation_floor, rules.evaluation_ceiling) == (FLOOR, CEILING)
    shown = (await command("network", "show", "--home", str(home.root))).out
    line = "# collateral: used for 1w past its end; tcbEvaluationDataNumber from 17 to 20\n"
    assert line in shown
    assert NetworkFile.parse(shown.encode()) == file
    facts = json.loads((await command("network", "show", "--home", str(home.root), "--json")).out)
    assert facts["grace_s"] == 7 * DAY_S
    assert (facts["tcb_floor"], facts["tcb_ceiling"]) == (FLOOR, CEILING)


@pytest.mark.parametrize(
    "options, wanted, said",
    [
        ((), (0, 1, 0), ""),
        (("--grace", "30d"), (30 * DAY_S, 1, 0), "used for 30d past its end"),
        (("--tcb-floor", "3"), (0, 3, 0), "tcbEvaluationDataNumber from 3 on"),
        (("--tcb-ceiling", "3"), (0, 1, 3), "tcbEvaluationDataNumber from 1 to 3"),
        (("--tcb-ceiling", "0"), (0, 1, 0), ""),
    ],
)
async def test_what_is_not_said(
    home: Home, command: Command, options: tuple[str, ...], wanted: tuple[int, ...], said: str
) -> None:
    """No grace, any number: alone or together, and only what was limited is a comment."""
    machine(home, numbered(3))
    assert (await init(command, home, *options)).code == 0
    trust = trust_of(home)
    assert (trust.grace_s, trust.tcb_floor, trust.tcb_ceiling) == wanted
    shown = (await command("network", "show", "--home", str(home.root))).out
    comments = [line for line in shown.splitlines() if line.startswith("# collateral")]
    assert comments == ([f"# collateral: {said}"] if said else [])


@pytest.mark.parametrize("option", ["--tcb-floor", "--tcb-ceiling", "--grace"])
@pytest.mark.parametrize("value", ["-1", "x"])
async def test_no_number_and_no_length(
    tmp_path: Path, command: Command, option: str, value: str
) -> None:
    """Wrong usage, and no home."""
    home = Home(tmp_path / "home")
    assert (await init(command, home, option, value)).code == 2
    assert not home.root.exists()


@pytest.mark.parametrize("number", [FLOOR - 1, CEILING + 1])
async def test_founding_collateral_outside(
    home: Home, tmp_path: Path, command: Command, number: int
) -> None:
    """The core's own, or what is given for clients' machines: nothing is made, the hint helps."""
    machine(home, numbered(number))
    said = await init(command, home, *NUMBERS)
    assert said.code == 1
    assert f"expected 17 to 20, got {number} and {number}" in said.err
    assert "choose --tcb-floor and --tcb-ceiling around it" in said.err
    assert is_empty(home)
    renew_collateral(home.platform, numbered(FLOOR))
    other = tmp_path / "other"
    create_platform(other, int(time.time()) - HOUR_S, numbered(number), tee="tdx")
    files = ("--collateral", str(other / "collateral.pb"), "--root", str(other / "root.crt"))
    said = await init(command, home, *NUMBERS, *files)
    assert (said.code, "expected 17 to 20" in said.err) == (1, True)
    assert is_empty(home)


@pytest.mark.parametrize("grace", [(), ("--grace", "50m")])
async def test_founding_collateral_that_ended(
    home: Home, command: Command, grace: tuple[str, ...]
) -> None:
    """Without a grace, or after it, nothing is founded."""
    machine(home, ended(ago_s=55 * MINUTE_S))
    said = await init(command, home, *grace)
    assert said.code == 1
    assert "collateral-expired" in said.err
    assert "move this platform away" in said.err
    assert is_empty(home)


async def refused_client(file: NetworkFile, platform: SoftwarePlatform) -> str:
    """Why a new client does not believe the node."""
    with pytest.raises(AttestationFailedError) as caught:
        await client_of(file, platform).open()
    assert caught.value.check is Check.EVIDENCE
    return caught.value.message


async def refused_put(client: SecretClient) -> Reason:
    """Why an app's session goes on no more."""
    with pytest.raises(RefusedError, match="sealedger collateral update") as caught:
        await client.put("late", b"value")
    return caught.value.reason


async def test_within_the_grace_and_after_it(
    home: Home, app: Path, command: Command, clock: Clock
) -> None:
    """Past the collateral's end sessions open and go on until the grace ends, then none does."""
    machine(home, ended(ago_s=55 * MINUTE_S))
    said = await init(command, home, "--grace", "1h", "--app", f"{COLLECTION}={app}")
    assert (said.code, said.err) == (0, "")
    platform = SoftwarePlatform.open(home.platform, app)
    async with running(home) as file, client_of(file, platform) as client:
        assert (await client.put("name", b"value")).version == 1
        clock.ahead_s = 4 * MINUTE_S  # the grace has a minute left
        async with client_of(file, platform) as late:
            assert (await late.get("name")).value == b"value"
        clock.ahead_s, clock.client_slow_s = 5 * MINUTE_S + 1, 50  # it ended, for the node alone
        assert await refused_put(client) is Reason.EVIDENCE_UNDECIDED
        clock.client_slow_s = 0
        assert "grace 3600 s" in await refused_client(file, platform)
        newer = renew_collateral(home.platform, CollateralOptions(issued_s=int(time.time())))
        signer = NodeSigner(file.network_id, SigningKey(Secret(read_private(home.node_key))))
        async with open_line(file.endpoints[0], file, clock.ms) as line:
            await line.update(newer, signer)
        assert (await client.put("name", b"newer")).version == 2


async def test_updates_outside_the_numbers(home: Home, command: Command, tmp_path: Path) -> None:
    """`collateral update` says the founder's numbers; both borders are inside."""
    machine(home, numbered(FLOOR))
    assert (await init(command, home, *NUMBERS)).code == 0
    file = tmp_path / "newer.pb"
    update = ("collateral", "update", "--home", str(home.root), "--file", str(file), "--json")
    async with running(home):
        for number in (FLOOR - 1, CEILING + 1):
            options = CollateralOptions(issued_s=int(time.time()), evaluation_number=number)
            file.write_bytes(renew_collateral(home.platform, options))
            said = await command(*update)
            assert said.code == 1
            assert f"expected 17 to 20, got {number} and {number}" in said.err
        for number in (FLOOR, CEILING):
            options = CollateralOptions(issued_s=int(time.time()), evaluation_number=number)
            file.write_bytes(renew_collateral(home.platform, options))
            said = await command(*update)
            assert (said.code, json.loads(said.out)["collateral"][0]["state"]) == (0, "updated")
