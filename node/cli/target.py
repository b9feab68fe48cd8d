"""Which ledger a command speaks to, as whom, and how it prints: the options that they share.

A command for people is either an account (``--account``: the owner, without a TEE), or this
program as an attested enclave app of its own, measured by ``app.toml``. Development networks are
refused unless allowed.
"""

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from attestation.platforms.detect import AUTO, PLATFORMS, SOFTWARE, PlatformPlaces, open_platform
from enclave_client.client import SecretClient
from enclave_client.errors import (
    DeniedError,
    NetworkFileError,
    SealedgerClientError,
)
from enclave_client.network_file import NetworkFile
from enclave_client.owner import OwnerClient
from enclave_client.receipts import Receipt
from ledger.format.names import is_name
from node.cli.account import account_option, open_account, password_option
from node.cli.node import home_option, json_option
from node.cli.output import UsageFault
from node.cli.saving import force_option, verify_free
from node.home import Home, replace_file

END_TIMEOUT_S = 2.0
APP_MANIFEST = Path(__file__).resolve().parent / "app.toml"

_FILE = click.Path(path_type=Path, dir_okay=False)
_SHARED = (
    home_option,
    click.option(
        "--network",
        type=_FILE,
        help="The network file, from a source that you trust; else the home's network.toml.",
    ),
    click.option(
        "--allow-development",
        is_flag=True,
        help="Accept a development network, whose operator can read every secret.",
    ),
    json_option,
)
_PLATFORM = click.option(
    "--platform",
    type=click.Choice((AUTO, *PLATFORMS)),
    help="What proves this program; auto takes the first found.  [default: software]",
)
_RECEIPT = click.option("--receipt", type=_FILE, help="Write the receipt to this file.")
_C = TypeVar("_C", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class Target:
    """What the shared options say."""

    home: Path
    network: Path | None
    allow_development: bool
    as_json: bool
    receipt: Path | None = None
    account: Path | None = None
    password_file: Path | None = None
    platform: str | None = None
    force: bool = False

    @property
    def is_owner(self) -> bool:
        """Whether the command speaks as an account; UsageFault for options of the other kind."""
        if self.account is None and self.password_file is not None:
            raise UsageFault("--password-file belongs to an account", "--account FILE")
        if self.account is not None and self.platform is not None:
            raise UsageFault("an account needs no platform", "--account FILE or --platform NAME")
        return self.account is not None

    def network_file(self) -> NetworkFile:
        """The pinned network; UsageFault if it cannot be used or is not allowed."""
        path = Home(self.home).network if self.network is None else self.network
        try:
            network = NetworkFile.load(path)
        except NetworkFileError as error:
            raise UsageFault(error.message, error.hint) from error
        if network.is_development and not self.allow_development:
            raise UsageFault(
                f"network {network.name} ({network.origin}) is a development network: whoever runs "
                "its machine can read every secret",
                "for trials: --allow-development",
            )
        return network

    def owner(self) -> OwnerClient:
        """A client that signs as the account (the only one of the home, if none is named)."""
        network = self.network_file()
        signer = open_account(self.home, self.account, self.password_file)
        return OwnerClient.connect(
            network=network, signer=signer, allow_development=self.allow_development
        )

    @asynccontextmanager
    async def app(self, collection: str) -> AsyncIterator[SecretClient]:
        """A client that proves itself as this program, measured now; its session ends with it."""
        async with self._app(collection) as client:
            try:
                yield client
            finally:
                with suppress(SealedgerClientError, TimeoutError):  # it runs out by itself too
                    async with asyncio.timeout(END_TIMEOUT_S):
                        await client.end_session()

    def _app(self, collection: str) -> SecretClient:
        network = self.network_file()
        kind = SOFTWARE if self.platform is None else self.platform
        directory = Home(self.home).platform
        if kind == SOFTWARE and not directory.is_dir():
            raise UsageFault(
                f"{self.home} has no platform, so this program cannot prove what it is",
                "--home of a node on this machine, --platform auto in a TEE, or --account FILE to "
                "act as the owner",
            )
        places = PlatformPlaces(software=directory, manifest=APP_MANIFEST)
        return SecretClient.connect(
            network=network,
            platform=open_platform(kind, places, os.environ),
            collection=collection,
            allow_development=self.allow_development,
        )

    @contextmanager
    def explained(self, collection: str) -> Iterator[None]:
        """Say what helps when this program is not admitted; never to ask for less than is meant."""
        try:
            yield
        except DeniedError as error:
            if not self.account:
                error.hint += (
                    f"; where it is the code that {collection} does not name, its owner can admit "
                    f"this program: sealedger collection policy set {collection} --allow-self, "
                    "with all other terms"
                )
            raise

    def save(self, receipt: Receipt) -> dict[str, object]:
        """Write the receipt, if that was asked for; what to print of it."""
        if self.receipt is None:
            return {}
        replace_file(self.receipt, receipt.encode())
        return {"receipt": str(self.receipt)}


def reaching(
    *, account: bool, receipt: bool = False, app: bool = False, forced: str = ""
) -> Callable[[_C], _C]:
    """The shared options, handed over as ``target``; on wish those of accounts, receipts, apps.

    With receipts comes ``--force``, and no command starts whose receipt would replace a file;
    `forced` is its help where it forces more than that.
    """
    options: list[Callable[[Any], Any]] = [*_SHARED]
    names = ["home", "network", "allow_development", "as_json"]
    if account:
        options += [account_option, password_option]
        names += ["file", "password_file"]
    if receipt:
        options += [_RECEIPT, force_option(forced or "Write over a receipt that is there.")]
        names += ["receipt", "force"]
    if app:
        options.append(_PLATFORM)
        names.append("platform")

    def decorate(command: _C) -> _C:
        @functools.wraps(command)
        def with_target(**given: Any) -> None:
            said = {name: given.pop(name) for name in names}
            if account:
                said["account"] = said.pop("file")
            target = Target(**said)
            if target.receipt is not None:
                verify_free(target.receipt, force=target.force)
            elif target.force and not forced:
                raise UsageFault("--force writes over a receipt", "--receipt FILE")
            command(target=target, **given)

        for option in reversed(options):
            option(with_target)
        return cast("_C", with_target)

    return decorate


class NameType(click.ParamType[str]):
    """A name of a collection or secret."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name; wrong usage if it is none."""
        text = str(value)
        if not is_name(text):
            self.fail(
                "a name is 1 to 200 characters of A-Z a-z 0-9 . _ / - in segments", param, ctx
            )
        return text


NAME = NameType()
collection_option = click.option(
    "--collection", type=NAME, required=True, help="The collection's name."
)
