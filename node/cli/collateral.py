"""``sealedger collateral``: what the network judges platforms by, shown and renewed.

Exit codes: 0 done, 1 failed (what, and what would be right), 2 wrong usage.
"""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import click

from attestation.errors import AttestationError, CannotDecideError
from attestation.verify import read_facts
from enclave_client.errors import SealedgerClientError
from enclave_client.network_file import NetworkFile
from ledger.crypto.ed25519 import SigningKey
from ledger.crypto.secret import Secret
from node.app import clock_ms, clock_s
from node.cli.collateral_fetch import KEY_WORDS, checked_key, fetch
from node.cli.node import home_option, json_option
from node.cli.output import UsageFault, show, show_error, show_rows
from node.cli.saving import force_option, verify_free
from node.cli.upkeep import progress_bar
from node.cli.words import time_words
from node.collateral_line import CollateralLine, NodeSigner, Shown, Updated, open_line
from node.collateral_sources import (
    SNP,
    Services,
    collateral_of_files,
    open_services,
    signed_anew,
)
from node.config import NodeConfig
from node.errors import NodeError
from node.home import Home, read_private, replace_file

_FILE = click.Path(path_type=Path, dir_okay=False)
_OURS = (AttestationError, NodeError, SealedgerClientError)
_WHOLE = (
    "AMD's certificates need the revocation list of their line beside them (--file for each); "
    "sealedger collateral fetch KEY --save FILE writes what is whole"
)
Row = dict[str, object]


@click.group()
def collateral() -> None:
    """What the network judges platforms by: fetch, show and renew it."""


collateral.add_command(fetch)


@collateral.command()
@home_option
@click.option(
    "--file",
    "files",
    type=_FILE,
    multiple=True,
    help="From a file: our bytes, a verifier's nine fields in JSON, or AMD's certificates and "
    "revocation list (repeatable).",
)
@click.option("--pccs", default="", metavar="URL", help="For SGX and TDX: from this PCCS.")
@click.option("--kds", default="", metavar="URL", help="For SEV-SNP: from this KDS.")
@click.option("--ca", type=_FILE, help="Certificates (PEM) that may sign for those services.")
@click.option(
    "--root-crl", type=_FILE, help="The root's revocation list, for a service without it."
)
@click.option(
    "--platform-directory",
    is_flag=False,
    flag_value=".",
    type=click.Path(path_type=Path, file_okay=False),
    help="Development: sign it anew with this software platform; without DIRECTORY, the home's.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    callback=checked_key,
    help="Only for this key (repeatable).  [default: all on the ledger]",
)
@json_option
def update(  # noqa: PLR0913  (click gives each option an argument)
    home: Path,
    files: tuple[Path, ...],
    pccs: str,
    kds: str,
    ca: Path | None,
    root_crl: Path | None,
    platform_directory: Path | None,
    keys: tuple[str, ...],
    as_json: bool,
) -> None:
    """Put new collateral in force: signed by this home's node, sent to the running node.

    Collateral is judged before it is sent. What is in force already is left; what is older in any
    part is refused.
    """
    services = Services(pccs, kds, ca, root_crl)
    given = sum((bool(files), bool(pccs or kds), platform_directory is not None))
    if given != 1:
        raise UsageFault(
            "say where the new collateral comes from, and only one way",
            "--file FILE, --pccs URL and --kds URL, or --platform-directory",
        )
    place = Home(home)
    renewal = _Renewal(services, keys)
    if files:
        renewal.take(collateral_of_files(files))
    elif platform_directory is not None:
        at = place.platform if platform_directory == Path() else platform_directory
        renewal.take(signed_anew(at, clock_s))
    rows = asyncio.run(_update(place, renewal))
    if rows or as_json:
        show_rows("collateral", [_plain(row, as_json=as_json) for row in rows], as_json=as_json)
    if renewal.faults:
        for key, error in renewal.faults[1:]:
            show_error(f"{key}: {getattr(error, 'message', error)}", getattr(error, "hint", ""))
        raise renewal.faults[0][1]


@collateral.command("show")
@click.argument("key", required=False, default="", callback=checked_key)
@home_option
@click.option("--network", type=_FILE, help="Ask a node that this network file names.")
@click.option("--save", type=_FILE, help="Write the collateral of KEY to this file.")
@force_option()
@json_option
def show_collateral(
    key: str, home: Path, network: Path | None, save: Path | None, force: bool, as_json: bool
) -> None:
    """Show what is in force, for one KEY or all: each is proven to stand on the ledger.

    It is verified under the network file's roots; a fault says why nobody can be judged by it now.
    """
    if save is not None and not key:
        raise UsageFault("--save writes the collateral of one key", f"KEY: {KEY_WORDS}")
    if save is not None:
        verify_free(save, force=force)
    place = Home(home)
    file = NetworkFile.load(network or place.network)
    address = file.endpoints[0] if network else NodeConfig.load(place.config).grpc.listen
    shown = asyncio.run(_show(address, file, key))
    if not key:
        show_rows("collateral", [_row(one, as_json=as_json) for one in shown], as_json=as_json)
        return
    if not shown:
        raise NodeError(f"no collateral for {key} on this ledger", "without KEY all are shown")
    fields = _fields(shown[0])
    if save is not None:
        replace_file(save, shown[0].offered.collateral, 0o644)
        fields["saved"] = str(save)
    show(fields if as_json else _plain(fields, as_json=False), as_json=as_json)


class _Renewal:
    """What is to be put in force, and what went wrong with which key."""

    def __init__(self, services: Services, keys: tuple[str, ...]) -> None:
        self._services = services
        self._keys = keys
        self._ready: dict[str, bytes] = {}
        self.faults: list[tuple[str, Exception]] = []

    def take(self, data: bytes) -> None:
        """Collateral that is there already."""
        try:
            key = read_facts(data).key
        except CannotDecideError as error:
            raise NodeError(f"this collateral cannot be used: {error}", _WHOLE) from error
        if self._keys and self._keys != (key,):
            raise UsageFault(f"this collateral is for {key}", f"--key {key}, or none")
        self._ready[key] = data

    async def run(self, line: CollateralLine, signer: NodeSigner) -> list[Updated]:
        """Update one key after the other; faults of one keep no other from it."""
        done = []
        async with AsyncExitStack() as stack:
            keys = tuple(self._ready) or self._keys or await self._served(line)
            desk = None
            if not self._ready:
                self._verify_served(keys)
                desk = await stack.enter_async_context(open_services(self._services))
            progress = stack.enter_context(progress_bar("updating collateral"))
            for number, key in enumerate(keys):
                progress(number, len(keys))
                try:
                    data = self._ready[key] if desk is None else await desk.fetch(key)
                    done.append(await line.update(data, signer))
                except _OURS as error:
                    self.faults.append((key, error))
            progress(len(keys), len(keys))
        return done

    def _verify_served(self, keys: tuple[str, ...]) -> None:
        for key in keys:
            if not self._services.serves(key):
                option = "--kds" if key.startswith(SNP) else "--pccs"
                raise UsageFault(f"none of the services has {key}", f"{option} URL")

    async def _served(self, line: CollateralLine) -> tuple[str, ...]:
        keys = tuple(row.key for row in await line.rows() if self._services.serves(row.key))
        if not keys:
            raise UsageFault(
                "this ledger holds no collateral that these services have",
                "--key KEY for a new one",
            )
        return keys


async def _update(place: Home, renewal: _Renewal) -> list[Row]:
    network = NetworkFile.load(place.network)
    signer = NodeSigner(network.network_id, SigningKey(Secret(read_private(place.node_key))))
    address = NodeConfig.load(place.config).grpc.listen
    async with open_line(address, network, clock_ms) as line:
        return [_updated(one) for one in await renewal.run(line, signer)]


async def _show(address: str, network: NetworkFile, key: str) -> list[Shown]:
    async with open_line(address, network, clock_ms) as line:
        keys = (key,) if key else tuple(row.key for row in await line.rows())
        shown = []
        with progress_bar("verifying") as progress:
            for number, one in enumerate(keys):
                progress(number, len(keys))
                shown.append(await line.show(one))
        return [one for one in shown if one is not None]


def _updated(updated: Updated) -> Row:
    facts = updated.facts
    return {
        "key": facts.key,
        "state": "updated" if updated.receipt is not None else "in force already",
        "number": facts.lowest_number,
        "valid_from": time_words(facts.valid_from_s * 1000),
        "valid_until": time_words(facts.valid_until_s * 1000),
        "entry": updated.index,
    }


def _row(shown: Shown, *, as_json: bool) -> Row:
    row = _fields(shown)
    if not as_json:
        row.pop("digest")
        row = _plain(row, as_json=False)
    return row


def _fields(shown: Shown) -> Row:
    facts, row = shown.facts, shown.row
    return {
        "key": facts.key,
        "number": facts.lowest_number,
        "valid_from": time_words(facts.valid_from_s * 1000),
        "valid_until": time_words(facts.valid_until_s * 1000),
        "entry": row.index,
        "generation": row.generation,
        "digest": row.digest.hex(),
        "fault": shown.fault or None,
    }


def _plain(row: Row, *, as_json: bool) -> Row:
    if as_json:
        return row
    return {name: "-" if value is None else value for name, value in row.items()}
