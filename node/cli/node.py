"""``sealedger node``: found, run and check a node."""

import asyncio
import signal
from pathlib import Path

import click

from attestation.platforms.software import SoftwarePlatform, create_platform, read_trust
from attestation.platforms.software_manifest import measure, read_manifest
from attestation.policy import AnyOf, Match, encode_policy
from ledger.format.genesis import Collection, network_id
from ledger.format.names import verify_name
from node.app import clock_ms, clock_s, open_node
from node.cli.output import show
from node.cli.upkeep import progress_bar, show_fsck, show_status
from node.config import NodeConfig
from node.errors import ConfigError, NodeError
from node.founding import CorePlatform, FoundingPlan, found_development_network, read_genesis
from node.fsck_home import check_home
from node.home import DEFAULT_HOME, Home
from node.logs import configure_logs
from node.status import ask_status

CORE_MANIFEST = Path(__file__).resolve().parent.parent / "core.toml"

home_option = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_HOME,
    show_default="~/.sealedger",
    help="The node's directory.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def node() -> None:
    """Found, run and check a node."""


@node.command()
@home_option
@click.option("--name", default="local", show_default=True, help="The network's name.")
@click.option(
    "--app",
    "apps",
    multiple=True,
    metavar="COLLECTION=MANIFEST",
    help="A collection, and the manifest of an app that may read and write it. Repeatable.",
)
@click.option("--listen", default="127.0.0.1:8700", show_default=True, help="For gRPC.")
@click.option("--http-listen", default="127.0.0.1:8701", show_default=True, help="For HTTP.")
@json_option
def init(
    home: Path, name: str, apps: tuple[str, ...], listen: str, http_listen: str, as_json: bool
) -> None:
    """Found a development network of one node.

    Everything on this machine can read a development network's secrets: it is for trials.
    """
    place = Home(home)
    if place.genesis.exists():
        raise ConfigError(f"{home} already holds a node", "choose another --home")
    place.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not place.platform.exists():
        create_platform(place.platform, clock_s())
    platform = SoftwarePlatform.open(place.platform, CORE_MANIFEST)
    enclave = platform.enclave
    core = Match(signer=enclave.signer, product_id=enclave.product_id, minimum_svn=enclave.svn)
    settings: dict[str, object] = {"grpc": {"listen": listen}, "http": {"listen": http_listen}}
    config = NodeConfig.check(settings, f"--listen {listen} --http-listen {http_listen}")
    place.config.write_bytes(config.encode())
    plan = FoundingPlan(verify_name(name), _collections(apps), listen)
    network = found_development_network(
        place, plan, CorePlatform(platform, read_trust(place.platform), core), clock_ms()
    )
    show(
        {
            "network_id": network.network_id.hex(),
            "origin": network.origin,
            "home": str(home),
            "network_file": str(place.network),
            "next": f"sealedger node start --home {home}",
        },
        as_json=as_json,
    )


@node.command()
@home_option
def start(home: Path) -> None:
    """Run the node until it is told to stop (SIGINT or SIGTERM)."""
    place = Home(home)
    config = NodeConfig.load(place.config)
    configure_logs(config.log)
    manifest = config.platform.manifest or CORE_MANIFEST
    platform = SoftwarePlatform.open(place.platform, manifest)
    asyncio.run(_serve(place, config, platform))


@node.command()
@home_option
@click.option(
    "--renew-lock",
    is_flag=True,
    help="Write a new rollback lock if it is missing or unreadable and the ledger is clean.",
)
@json_option
def fsck(home: Path, renew_lock: bool, as_json: bool) -> None:
    """Recompute log and state from genesis and compare every row. The node must be stopped."""
    place = Home(home)
    config = NodeConfig.load(place.config)
    with progress_bar("checking") as progress:
        done = check_home(
            place, config.ledger.lock or place.lock, renew_lock=renew_lock, progress=progress
        )
    show_fsck(done, as_json=as_json)


@node.command()
@home_option
@json_option
def status(home: Path, as_json: bool) -> None:
    """Ask the running node how it is; the database is not opened."""
    place = Home(home)
    config = NodeConfig.load(place.config)
    network = network_id(read_genesis(place.genesis))
    show_status(asyncio.run(ask_status(config.grpc.listen, network)), as_json=as_json)


async def _serve(home: Home, config: NodeConfig, platform: SoftwarePlatform) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with open_node(home, config, platform) as running:
        stopping = asyncio.create_task(stop.wait())
        failing = asyncio.create_task(running.engine.failed())
        await asyncio.wait({stopping, failing}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        failing.cancel()
        if not stop.is_set():
            raise NodeError(
                f"the node stopped: {failing.result()}",
                "what was acknowledged stands; start it again, and run sealedger node fsck",
            )


def _collections(apps: tuple[str, ...]) -> tuple[Collection, ...]:
    admitted: dict[str, list[Match]] = {}
    for app in apps:
        name, equals, manifest = app.partition("=")
        if not equals:
            raise ConfigError(f"--app {app}: expected COLLECTION=MANIFEST")
        match = Match(measurement=measure(read_manifest(Path(manifest))))
        matches = admitted.setdefault(verify_name(name), [])
        if match not in matches:
            matches.append(match)
    return tuple(
        Collection(name, policy, policy)
        for name, policy in (
            (name, encode_policy(AnyOf(tuple(matches)))) for name, matches in admitted.items()
        )
    )
