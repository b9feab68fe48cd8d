"""``sealedger release``: versions of enclave programs, and the auditors who endorse them.

A publisher says in a release file what a version measures; auditors rebuild it, compare, and
endorse exactly what they compared; policies ask for endorsed releases. All of it is signed by
accounts and stands on the ledger. What is shown of one release is proven by its entries.
"""

import asyncio
import sys
from pathlib import Path

import click

from enclave_client.errors import InvalidRequestError, ReleaseFileError
from enclave_client.owner_releases import Endorsed, ProvenRelease, Published, Revoked
from enclave_client.release_file import encode_release_file, read_release_file
from enclave_client.rows import ReleaseRow
from ledger.format.address import encode_address
from ledger.format.releases import (
    EnclaveRelease,
    parse_version,
    release_title,
)
from node.cli.output import UsageFault, show, show_rows
from node.cli.release_options import DIGEST, RELEASE_NAME, VERSION, Measured, measuring
from node.cli.release_words import (
    digest_of,
    proven_fields,
    release_fields,
    row_fields,
    show_proven,
    show_release_fields,
)
from node.cli.target import Target, reaching
from node.cli.words import Fields, plain, time_words

_FILE = click.Path(path_type=Path, dir_okay=False)
_yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group()
def release() -> None:
    """Publish versions of enclave programs, endorse and revoke them."""


@release.command()
@click.argument("release_file", metavar="FILE", type=_FILE)
@measuring
@reaching(account=True, receipt=True)
def publish(target: Target, release_file: Path, measured: Measured) -> None:
    """Publish the release that FILE (TOML) describes: once, never to be changed."""
    wanted = _read(release_file, measured)

    async def run() -> Published:
        async with target.owner() as owner:
            return await owner.releases.publish(wanted)

    done = asyncio.run(run())
    stood = {
        "entry": done.receipt.index,
        "time": time_words(done.receipt.time_ms),
        **target.save(done.receipt),
    }
    _show_release(wanted, stood, as_json=target.as_json)


@release.command()
@click.argument("release_file", metavar="FILE", type=_FILE)
@measuring
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def digest(release_file: Path, measured: Measured, as_json: bool) -> None:
    """Print the digest of the release that FILE describes; no connection is made.

    It is what an auditor endorses: make FILE from your own build and compare.
    """
    _show_release(_read(release_file, measured), {}, as_json=as_json)


@release.command()
@click.argument("name", type=RELEASE_NAME)
@click.argument("version", type=VERSION)
@click.option(
    "--digest", "reviewed", type=DIGEST, help="The digest of what was reviewed, and no other."
)
@_yes_option
@reaching(account=True, receipt=True)
def endorse(target: Target, name: str, version: str, reviewed: bytes | None, yes: bool) -> None:
    """Stand for NAME VERSION with the account, as one of the release's auditors.

    Shows what is endorsed and asks; with --digest and --yes it does not ask. Another digest than
    --digest on the ledger is never endorsed.
    """
    if yes and reviewed is None:
        raise UsageFault(
            "--yes would endorse what nobody looked at", "--digest HEX says what was reviewed"
        )
    if not yes and reviewed is None:
        _verify_can_ask("--digest HEX --yes")

    async def run() -> tuple[ProvenRelease, Endorsed]:
        async with target.owner() as owner:
            found = await owner.releases.show(name, version)
            if reviewed not in (None, found.digest):
                raise InvalidRequestError(
                    f"{found.row.title} on the ledger is not what was reviewed: its digest is "
                    f"{found.digest.hex()}",
                    "sealedger release show prints it; do not endorse what you did not rebuild",
                )
            if not yes:
                _verify_can_ask("--yes: it is what was reviewed")
                show_proven(found, err=True)
                await asyncio.to_thread(_confirm, f"Endorse {found.row.title}, exactly this?")
            return found, await owner.releases.endorse(name, version, found.digest)

    found, done = asyncio.run(run())
    fields = {
        "release": found.row.title,
        "digest": found.digest.hex(),
        "endorsers": done.endorsers,
        "entry": done.receipt.index,
        "time": time_words(done.receipt.time_ms),
        **target.save(done.receipt),
    }
    _show(target, fields)


@release.command()
@click.argument("name", type=RELEASE_NAME)
@click.argument("version", type=VERSION)
@_yes_option
@reaching(account=True, receipt=True)
def revoke(target: Target, name: str, version: str, yes: bool) -> None:
    """Take NAME VERSION back for ever: for everybody as its publisher, or the own endorsement.

    Asks; with --yes it does not. Sessions that were admitted by it are denied from the next
    operation on.
    """
    title = release_title(name, parse_version(version))
    if not yes:
        _verify_can_ask("--yes")
        _confirm(f"Revoke {title} for ever?")

    async def run() -> Revoked:
        async with target.owner() as owner:
            return await owner.releases.revoke(name, version)

    done = asyncio.run(run())
    fields = {
        "release": title,
        "revoked": "the release" if done.endorsers is None else "the own endorsement",
        "endorsers": done.endorsers,
        "entry": done.receipt.index,
        "time": time_words(done.receipt.time_ms),
        **target.save(done.receipt),
    }
    _show(target, fields)


@release.command("list")
@click.argument("name", type=RELEASE_NAME, required=False)
@reaching(account=True)
def list_releases(target: Target, name: str | None) -> None:
    """List the releases of NAME, or of all names, as the node says."""

    async def run() -> list[ReleaseRow]:
        async with target.owner() as owner:
            return [row async for row in owner.releases.list(name or "")]

    rows = asyncio.run(run())
    if target.as_json:
        show_rows("releases", list(map(row_fields, rows)), as_json=True)
        return
    table = [
        {
            "release": row.title,
            "endorsers": f"{len(row.endorsed)} of {len(row.release.auditors)}",
            "revoked": "yes" if row.is_revoked else "no",
            "publisher": encode_address(row.publisher),
            "digest": digest_of(row.release),
        }
        for row in rows
    ]
    show_rows("releases", table, as_json=False)


@release.command("show")
@click.argument("name", type=RELEASE_NAME)
@click.argument("version", type=VERSION)
@click.option("--file", "as_file", is_flag=True, help="Print it as a release file.")
@reaching(account=True)
def show_release(target: Target, name: str, version: str, as_file: bool) -> None:
    """Show NAME VERSION, who endorses it, and the entries that prove it."""

    async def run() -> ProvenRelease:
        async with target.owner() as owner:
            return await owner.releases.show(name, version)

    found = asyncio.run(run())
    if as_file:
        text = encode_release_file(found.row.release).decode()
        if target.as_json:
            show({"release": found.row.title, "release_file": text}, as_json=True)
        else:
            click.echo(text, nl=False)
        return
    if target.as_json:
        show(proven_fields(found), as_json=True)
    else:
        show_proven(found)


def _read(file: Path, measured: Measured) -> EnclaveRelease:
    try:
        return read_release_file(file, measured)
    except ReleaseFileError as error:
        raise UsageFault(error.message, error.hint) from error


def _verify_can_ask(hint: str) -> None:
    if not sys.stdin.isatty():
        raise UsageFault("nobody is here to ask", hint)


def _confirm(question: str) -> None:
    click.confirm(question, abort=True, err=True)


def _show_release(found: EnclaveRelease, more: Fields, *, as_json: bool) -> None:
    if as_json:
        show({**release_fields(found), **more}, as_json=True)
    else:
        show_release_fields(found, more)


def _show(target: Target, fields: Fields) -> None:
    show(fields if target.as_json else plain(fields), as_json=target.as_json)
