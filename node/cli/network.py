"""``sealedger network``: what clients and auditors of this node's network pin."""

from pathlib import Path

import click

from enclave_client.network_file import NetworkFile
from node.cli.node import home_option
from node.home import Home


@click.group()
def network() -> None:
    """What clients and auditors pin."""


@network.command("show")
@home_option
def show_network(home: Path) -> None:
    """Print the network file, which clients need and which is no secret."""
    click.echo(NetworkFile.load(Home(home).network).encode(), nl=False)
