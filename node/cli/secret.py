"""``sealedger secret``: values, one command each.

Values come from a file or standard input and go to a file or standard output, byte for byte; never
through an argument, a message or a log. Reading needs a TEE: this program proves itself as an app
of its own (`target`). An owner may put, delete, destroy and look, but is never given a value. Not
here: what only looks at names (`secret_lists`).
"""

import asyncio
import base64
import sys
from pathlib import Path

import click

from enclave_client.calls import Got, Removed, Stored
from enclave_client.errors import NotFoundError
from enclave_client.owner import Erased
from node.cli.duration_type import DURATION
from node.cli.output import UsageFault, show
from node.cli.saving import verify_free
from node.cli.secret_lists import history, list_secrets
from node.cli.target import NAME, Target, collection_option, reaching
from node.cli.words import time_words
from node.home import replace_file

MAX_INPUT_BYTES = 4 * 1024 * 1024  # no transaction is larger; the network's limit is lower
MAX_ERASED = 256  # versions that one operation erases

if_version_option = click.option(
    "--if-version",
    type=click.IntRange(min=0),
    help="Only if this is the current version (0: there is none).",
)


@click.group()
def secret() -> None:
    """Store, read and look at secrets."""


@secret.command()
@click.argument("name", type=NAME)
@click.argument(
    "source",
    metavar="[FILE]",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default="-",
)
@collection_option
@if_version_option
@click.option("--ttl", type=DURATION, default=0, help="How long it can be read, such as 90d.")
@reaching(account=True, receipt=True, app=True)
def put(
    target: Target, collection: str, name: str, source: Path, if_version: int | None, ttl: int
) -> None:
    """Store FILE (standard input without one) as the next version of NAME.

    With --account it is put by the collection's owner, who needs no TEE.
    """
    value = _read_value(source)

    async def run() -> Stored:
        if target.is_owner:
            async with target.owner() as owner:
                return await owner.put(collection, name, value, if_version, ttl)
        async with target.app(collection) as client:
            return await client.put(name, value, if_version, ttl)

    with target.explained(collection):
        stored = asyncio.run(run())
    show(
        {
            "collection": collection,
            "name": name,
            "version": stored.version,
            "bytes": len(value),
            "entry": stored.receipt.index,
            "time": time_words(stored.receipt.time_ms),
            **target.save(stored.receipt),
        },
        as_json=target.as_json,
    )


@secret.command()
@click.argument("name", type=NAME)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file."
)
@collection_option
@click.option("--version", type=click.IntRange(min=1), help="This version, not the current one.")
@reaching(
    account=False,
    receipt=True,
    app=True,
    forced="Show the value even on a terminal; write over files that are there.",
)
def get(
    target: Target,
    collection: str,
    name: str,
    output: Path | None,
    version: int | None,
) -> None:
    """Read NAME, to a file (mode 0600) or to standard output.

    The read stands on the ledger before the value is released. With --json and no file the value is
    in the JSON, as base64.
    """
    if output is None and is_terminal() and not target.force:
        raise UsageFault("the value would be shown on this terminal", "-o FILE, or --force")
    if output is not None:
        _verify_place(output, target)

    async def run() -> Got:
        async with target.app(collection) as client:
            return await client.get(name, version)

    with target.explained(collection):
        got = asyncio.run(run())
    if output is not None:
        replace_file(output, got.value)
    elif not target.as_json:
        sys.stdout.buffer.write(got.value)
        sys.stdout.buffer.flush()
    saved = target.save(got.receipt)
    if output is None and not target.as_json:
        return
    where: dict[str, object] = {"file": str(output)}
    if output is None:
        where = {"value_base64": base64.b64encode(got.value).decode()}
    show(
        {
            "collection": collection,
            "name": name,
            "version": got.version,
            "bytes": len(got.value),
            "entry": got.receipt.index,
            "time": time_words(got.receipt.time_ms),
            **where,
            **saved,
        },
        as_json=target.as_json,
    )


@secret.command()
@click.argument("name", type=NAME)
@collection_option
@if_version_option
@reaching(account=True, receipt=True, app=True)
def delete(target: Target, collection: str, name: str, if_version: int | None) -> None:
    """End NAME: no version can be read; the next put goes on counting."""

    async def run() -> Removed:
        if target.is_owner:
            async with target.owner() as owner:
                return await owner.delete(collection, name, if_version)
        async with target.app(collection) as client:
            return await client.delete(name, if_version)

    with target.explained(collection):
        removed = asyncio.run(run())
    show(
        {
            "collection": collection,
            "name": name,
            "deleted_after_version": removed.version,
            "entry": removed.receipt.index,
            "time": time_words(removed.receipt.time_ms),
            **target.save(removed.receipt),
        },
        as_json=target.as_json,
    )


@secret.command()
@click.argument("name", type=NAME)
@collection_option
@click.option("--version", type=click.IntRange(min=1), help="Only this version; else all.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@reaching(account=True, receipt=True)
def destroy(target: Target, collection: str, name: str, version: int | None, yes: bool) -> None:
    """Erase NAME's sealed values for ever. Only the collection's owner may.

    The record of them stays. With more than 256 versions the receipt is that of the last step.
    """
    _confirm(f"{collection}: {name}: {version or 'all versions'}", yes=yes)

    async def run() -> tuple[int, Erased]:
        async with target.owner() as owner:
            erased = await owner.destroy(collection, name, version)
            first = erased.first
            while version is None and erased.last - erased.first + 1 == MAX_ERASED:
                try:
                    erased = await owner.destroy(collection, name)
                except NotFoundError:  # it was the last step already
                    break
            return first, erased

    first, erased = asyncio.run(run())
    show(
        {
            "collection": collection,
            "name": name,
            "destroyed_from_version": first,
            "destroyed_to_version": erased.last,
            "entry": erased.receipt.index,
            "time": time_words(erased.receipt.time_ms),
            **target.save(erased.receipt),
        },
        as_json=target.as_json,
    )


secret.add_command(list_secrets)
secret.add_command(history)


def is_terminal() -> bool:
    """Whether standard output is a screen."""
    return sys.stdout.isatty()


def _read_value(file: Path) -> bytes:
    if str(file) == "-":
        if sys.stdin.isatty():
            click.echo("type the value, then end with Ctrl-D", err=True)
        value = sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)
    else:
        try:
            with file.open("rb") as opened:
                value = opened.read(MAX_INPUT_BYTES + 1)
        except OSError as error:
            raise UsageFault(f"{file}: {error.strerror or 'cannot be read'}") from error
    if len(value) > MAX_INPUT_BYTES:
        raise UsageFault("the value is too large", "a secret has at most 1 MiB on most networks")
    return value


def _verify_place(output: Path, target: Target) -> None:
    verify_free(output, force=target.force)
    if target.receipt is not None and output.resolve() == target.receipt.resolve():
        raise UsageFault("value and receipt cannot be one file", "-o FILE --receipt ANOTHER")


def _confirm(what: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageFault(f"destroying cannot be undone: {what}", "--yes")
    click.confirm(f"Destroy {what} for ever?", abort=True, err=True)
