"""``sealedger node``: found, run and check a node."""

import asyncio
import os
from pathlib import Path
from typing import Any

import click

from attestation.platforms.ias import verify_no_ias
from attestation.platforms.software_enclave import enclave_of
from attestation.platforms.software_files import SGX, TEES
from attestation.platforms.software_manifest import read_manifest
from attestation.policy import AnyOf, Match, encode_policy
from ledger.format.genesis import Collection, decode_genesis, network_id
from ledger.format.names import verify_name
from node.app import clock_ms
from node.checks import check_files
from node.cli.output import show
from node.cli.upkeep import progress_bar, show_check, show_fsck, show_status
from node.config import NodeConfig
from node.core_platform import core_places, open_core_platform
from node.errors import ConfigError
from node.first_home import FirstHome, found_home
from node.founding import read_genesis
from node.fsck_home import check_home
from node.home import DEFAULT_HOME, Home
from node.logs import configure_logs
from node.problems import raise_first
from node.serving import serve
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
@click.option("--endpoint", help="What clients connect to.  [default: as --listen]")
@click.option(
    "--lock",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The rollback lock's place, better on another disk.  [default: in the home]",
)
@click.option(
    "--tee",
    type=click.Choice(TEES),
    default=SGX,
    show_default=True,
    help="The kind of TEE that the software platform stands for.",
)
@json_option
def init(as_json: bool, apps: tuple[str, ...], tee: str, **chosen: Any) -> None:
    """Found a development network of one node.

    Everything on this machine can read a development network's secrets: it is for trials.
    """
    verify_no_ias(os.environ)
    first = FirstHome(collections=_collections(apps, tee), tee=tee, **chosen)
    network = found_home(first, CORE_MANIFEST, clock_ms())
    show(
        {
            "network_id": network.network_id.hex(),
            "origin": network.origin,
            "home": str(first.home),
            "network_file": str(Home(first.home).network),
            "next": f"sealedger node start --home {first.home}",
        },
        as_json=as_json,
    )


@node.command()
@home_option
def start(home: Path) -> None:
    """Run the node until it is told to stop (SIGINT or SIGTERM).

    A second signal stops it at once.
    """
    place = Home(home)
    checked = check_files(place, CORE_MANIFEST, os.environ)
    raise_first(checked.problems)
    config = checked.config
    configure_logs(config.log)
    platform = open_core_platform(
        config.platform.kind,
        core_places(place, config.platform, CORE_MANIFEST),
        decode_genesis(read_genesis(place.genesis)).profile,
        os.environ,
    )
    asyncio.run(serve(place, config, platform))


@node.group("config")
def config_group() -> None:
    """The node's settings and files."""


@config_group.command("check")
@home_option
@json_option
def check_config(home: Path, as_json: bool) -> None:
    """Say what would keep the node from starting: settings, files, modes, addresses.

    Changes nothing; the node may be running. Exit code 1 if there is any problem.
    """
    checked = check_files(Home(home), CORE_MANIFEST, os.environ)
    show_check(checked, home, as_json=as_json)


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


def _collections(apps: tuple[str, ...], tee: str) -> tuple[Collection, ...]:
    admitted: dict[str, list[Match]] = {}
    for app in apps:
        name, equals, manifest = app.partition("=")
        if not equals:
            raise ConfigError(f"--app {app}: expected COLLECTION=MANIFEST")
        match = enclave_of(read_manifest(Path(manifest)), tee).by_code
        matches = admitted.setdefault(verify_name(name), [])
        if match not in matches:
            matches.append(match)
    return tuple(
        Collection(name, policy, policy)
        for name, policy in (
            (name, encode_policy(AnyOf(tuple(matches)))) for name, matches in admitted.items()
        )
    )
