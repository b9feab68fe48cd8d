"""``sealedger audit``: the log checked from outside, by whoever pins its network.

Exit codes: 0 verified, 1 not verified (what, where, expected and got), 2 the question cannot be
answered (a file or source cannot be used, the network is a development one and nobody allowed it).
"""

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar, cast

import click

from enclave_client.errors import NetworkFileError
from enclave_client.network_file import NetworkFile
from ledger.log.note import MAX_NOTE_BYTES
from node.audit.errors import NotVerifiedError, SourceError, StateFileError
from node.audit.http_source import HttpSource
from node.audit.mirror import copy_log
from node.audit.report import Subject, fields_of, statement
from node.audit.source import CHECKPOINT, DirectorySource, LogSource, read_checkpoint
from node.audit.verify import Audited, Options, audit_log, certify
from node.cli import audit_questions
from node.cli.account import open_account, password_option
from node.cli.audit_questions import prove_opened
from node.cli.node import json_option
from node.cli.output import UsageFault, show
from node.cli.upkeep import progress_bar
from node.home import DEFAULT_HOME

_FILE = click.Path(path_type=Path, dir_okay=False)
_NETWORK = click.option(
    "--network",
    "network_file",
    type=_FILE,
    required=True,
    help="The network file (network.toml), from a source that you trust.",
)
_DEVELOPMENT = click.option(
    "--allow-development",
    is_flag=True,
    help="Accept a development network, whose operator can forge everything.",
)
C = TypeVar("C", bound=Callable[..., object])


def pinned(command: C) -> C:
    """Options that name the network; the command gets it, checked, as ``network``."""

    @functools.wraps(command)
    def with_network(network_file: Path, allow_development: bool, **given: object) -> object:
        return command(network=load_network(network_file, allow_development), **given)

    for option in (_DEVELOPMENT, _NETWORK):
        option(with_network)
    return cast("C", with_network)


@click.group()
def audit() -> None:
    """Check the log, and ask who did what, with proofs."""


@audit.command()
@click.argument("source", metavar="URL|DIR")
@pinned
@click.option(
    "--state", type=_FILE, help="Remember here what is verified; the next run goes on from there."
)
@click.option(
    "--checkpoint", "older", type=_FILE, help="An older checkpoint that the log must begin with."
)
@click.option(
    "--jobs", type=click.IntRange(1, 64), help="Processes that compute.  [default: one per CPU]"
)
@click.option(
    "--account", type=_FILE, help="Open and prove every operation that this keystore may see, too."
)
@password_option
@json_option
def verify(  # noqa: PLR0913  (click gives each option an argument)
    source: str,
    network: NetworkFile,
    state: Path | None,
    older: Path | None,
    jobs: int | None,
    account: Path | None,
    password_file: Path | None,
    as_json: bool,
) -> None:
    """Read the whole log at a URL or in a directory, and recompute all of it.

    With an account, the node that the network file names is asked for every operation that the
    account may see; each one is opened and proven.

    Exit code 0: verified. 1: not verified; says what, where, expected and got. 2: a file or the
    source cannot be used.
    """
    subject = Subject(source, network)
    note = None if older is None else _read_note(older)
    signer = None if account is None else open_account(DEFAULT_HOME, account, password_file)
    options = Options(state, note, jobs or os.cpu_count() or 1)
    try:
        audited = asyncio.run(_verify(subject, options))
        opened = {} if signer is None else {"operations_opened": prove_opened(network, signer)}
    except NotVerifiedError as error:
        if as_json:
            show(_failed(error, subject), as_json=True)
        raise
    except (SourceError, StateFileError) as error:
        raise UsageFault(str(error), error.hint) from error
    if as_json:
        show({**fields_of(audited, subject), **opened}, as_json=True)
        return
    click.echo(statement(audited, subject))
    for count in opened.values():
        click.echo(f"{count} operations that the account may see were opened; each is proven.")


@audit.command()
@click.argument("url", metavar="URL|DIR")
@click.argument("directory", metavar="COPY", type=click.Path(path_type=Path, file_okay=False))
@pinned
@json_option
def fetch(url: str, directory: Path, network: NetworkFile, as_json: bool) -> None:
    """Copy the log into the directory COPY, its checkpoint last; or bring a copy up to date.

    Only the checkpoint is verified: verify the copy with audit verify.
    """
    try:
        show(asyncio.run(_fetch(url, directory, network)), as_json=as_json)
    except SourceError as error:
        raise UsageFault(str(error), error.hint) from error


for question in (
    audit_questions.export,
    audit_questions.who_read,
    audit_questions.session,
    audit_questions.identity,
    audit_questions.account,
):
    audit.add_command(question)


def load_network(path: Path, allow_development: bool) -> NetworkFile:
    """The pins; UsageFault if they cannot be used or nobody allowed such a network."""
    try:
        network = NetworkFile.load(path)
    except NetworkFileError as error:
        raise UsageFault(error.message, error.hint) from error
    if network.is_development and not allow_development:
        raise UsageFault(
            f"network {network.name} ({network.origin}) is a development network: its operator can "
            "forge everything",
            "for trials: --allow-development",
        )
    return network


@asynccontextmanager
async def open_source(name: str) -> AsyncIterator[LogSource]:
    """The log at a URL or in a directory; SourceError if it is neither."""
    if name.startswith(("http://", "https://")):
        async with HttpSource(name) as source:
            yield source
        return
    path = Path(name)
    if not await asyncio.to_thread(path.is_dir):
        raise SourceError(f"{name} is no directory", "name a URL (http://…) or a directory")
    yield DirectorySource(path)


async def _verify(subject: Subject, options: Options) -> Audited:
    async with open_source(subject.source) as source:
        with progress_bar("verifying") as progress:
            return await audit_log(source, subject.network, options, progress)


async def _fetch(url: str, directory: Path, network: NetworkFile) -> dict[str, object]:
    async with open_source(url) as source:
        note = await read_checkpoint(source)
        checkpoint = certify(note, network, CHECKPOINT).checkpoint
        with progress_bar("copying") as progress:
            fetched = await copy_log(source, checkpoint, note, directory, progress)
    return {
        "copy": str(directory),
        "checkpoint_size": checkpoint.size,
        "checkpoint_root": checkpoint.root.hex(),
        "fetched": fetched,
        "next": f"sealedger audit verify {directory} --network …",
    }


def _failed(error: NotVerifiedError, subject: Subject) -> dict[str, object]:
    finding = error.finding
    return {
        "verified": False,
        "source": subject.source,
        "network_id": subject.network.network_id.hex(),
        "where": finding.where,
        "what": finding.what,
        "expected": finding.expected,
        "got": finding.got,
    }


def _read_note(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_NOTE_BYTES + 1)
    except OSError as error:
        raise UsageFault(f"checkpoint {path}: {error.strerror or 'cannot be read'}") from error
