"""``sealedger node``: found, run and check a node."""

import asyncio
import os
from pathlib import Path
from typing import Any

import click

from attestation.platforms.ias import verify_no_ias
from ledger.format.genesis import decode_genesis, network_id
from node.app import clock_ms
from node.checks import check_files
from node.cli.founding import first_home
from node.cli.founding_options import founding_options
from node.cli.output import show
from node.cli.upkeep import progress_bar, show_check, show_fsck, show_status
from node.config import NodeConfig, PlatformConfig
from node.core_platform import core_places, open_core_platform
from node.first_home import found_home
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
@founding_options
@json_option
def init(home: Path, as_json: bool, **chosen: Any) -> None:
    """Found a development network of one node.

    On the software platform everything on this machine can read the network's secrets: it is for
    trials. On hardware (docs/deploy) the core proves itself first, with the collateral given.
    """
    verify_no_ias(os.environ)
    first = first_home(home, chosen)
    places = core_places(Home(home), PlatformConfig(), CORE_MANIFEST)
    network = asyncio.run(found_home(first, places, clock_ms()))
    show(
        {
            "network_id": network.network_id.hex(),
            "origin": network.origin,
            "platform": NodeConfig.load(Home(home).config).platform.kind,
            "core": network.key_service.about,
            "home": str(home),
            "network_file": str(Home(home).network),
            "next": f"sealedger node start --home {home}",
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
