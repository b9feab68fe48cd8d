"""``sealedger secret list`` and ``history``: what stands under the names of a collection, no value.

As the owner, or as an attested app whose collection it is (`target`).
"""

import asyncio
import time
from collections.abc import AsyncIterator

import click

from enclave_client.openings import Event
from enclave_client.rows import SecretRow
from node.cli.output import show_rows
from node.cli.target import NAME, Target, collection_option, reaching
from node.cli.words import event_fields, secret_fields


@click.command("list")
@collection_option
@click.option("--prefix", default="", help="Only names that start like this.")
@click.option("--all", "with_deleted", is_flag=True, help="Also names that were deleted.")
@reaching(account=True, app=True)
def list_secrets(target: Target, collection: str, prefix: str, with_deleted: bool) -> None:
    """List the names of a collection; nothing is recorded."""

    async def run() -> list[SecretRow]:
        if target.is_owner:
            async with target.owner() as owner:
                return await _all(owner.list(collection, prefix))
        async with target.app(collection) as client:
            return await _all(client.list(prefix))

    with target.explained(collection):
        rows = asyncio.run(run())
    now_ms = time.time_ns() // 1_000_000
    shown = [
        secret_fields(row, now_ms, short=not target.as_json)
        for row in rows
        if with_deleted or not row.is_deleted
    ]
    show_rows("secrets", shown, as_json=target.as_json)


@click.command()
@click.argument("name", type=NAME)
@collection_option
@click.option(
    "--from", "from_index", type=click.IntRange(min=0), default=0, help="From this entry on."
)
@reaching(account=True, app=True)
def history(target: Target, collection: str, name: str, from_index: int) -> None:
    """Show who put, read, was denied, deleted and destroyed NAME; each entry is proven.

    Not what ended otherwise: audit who-read has the reads that found nothing or were stopped.
    """

    async def run() -> list[Event]:
        if target.is_owner:
            async with target.owner() as owner:
                return await _events(owner.history(collection, name, from_index))
        async with target.app(collection) as client:
            return await _events(client.history(name, from_index))

    with target.explained(collection):
        events = asyncio.run(run())
    rows = [event_fields(event, short=not target.as_json) for event in events]
    show_rows("history", rows, as_json=target.as_json)


async def _all(rows: AsyncIterator[SecretRow]) -> list[SecretRow]:
    return [row async for row in rows]


async def _events(events: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in events]
