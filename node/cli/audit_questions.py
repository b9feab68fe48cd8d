"""``sealedger audit export`` and questions: who did what, as far as an account may see it.

Each answer is proven, names the session's code as its opening entry recorded it, and has a receipt
that ``sealedger receipt verify`` accepts. What is opened is proven; that nothing is left out is the
word of the node, whose code was attested before it was asked.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import click

from enclave_client.network_file import NetworkFile
from ledger.crypto.secp256k1 import SigningKey
from ledger.errors import FormatError
from ledger.format.address import decode_address
from node.audit.answers import Answer, Answers
from node.audit.asker import open_asker
from node.audit.errors import OutputError
from node.audit.rows import line_of
from node.audit.table import Format, receipt_name, save_receipts, table_file
from node.cli.account import open_account
from node.cli.hex_type import Hex
from node.cli.output import UsageFault, show
from node.cli.saving import force_option, verify_free
from node.cli.target import NAME, Target, collection_option, reaching
from node.cli.upkeep import progress_bar

Ask = Callable[[Answers], AsyncIterator[Answer]]
receipts_option = click.option(
    "--receipts",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write one receipt file for each answer into this directory.",
)
from_option = click.option(
    "--from-entry", type=click.IntRange(min=0), default=0, help="Begin at this entry."
)


class _Address(click.ParamType[bytes]):
    """An account's address."""

    name = "address"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        try:
            return decode_address(str(value), allow_lower=True)
        except FormatError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv"]),
    default="jsonl",
    show_default=True,
    help="JSON Lines with a receipt in each, or CSV without.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file; it is there when everything is in it.",
)
@force_option()
@from_option
@reaching(account=True)
def export(target: Target, form: str, output: Path, force: bool, from_entry: int) -> None:
    """Write every operation that the account may see, each one verified."""
    verify_free(output, force=force)
    network, signer = _who(target)

    async def run() -> tuple[int, int]:
        count = last = 0
        with table_file(output, cast("Format", form)) as table, progress_bar("exporting") as shown:
            async with open_asker(network, signer, _now_ms) as asker:
                async for answer in Answers(asker, shown).everything(from_entry):
                    table.add(answer)
                    count += 1
                last = asker.largest
        return count, last

    try:
        count, size = asyncio.run(run())
    except OutputError as error:
        raise UsageFault(str(error), error.hint) from error
    show({"file": str(output), "operations": count, "log_size": size}, as_json=target.as_json)


def prove_opened(network: NetworkFile, signer: SigningKey) -> int:
    """Open and prove every operation that an account may see; how many there are."""

    async def run() -> int:
        with progress_bar("opening") as shown:
            async with open_asker(network, signer, _now_ms) as asker:
                return len([1 async for _ in Answers(asker, shown).everything()])

    return asyncio.run(run())


@click.command("who-read")
@click.argument("name", type=NAME)
@collection_option
@receipts_option
@reaching(account=True)
def who_read(target: Target, collection: str, name: str, receipts: Path | None) -> None:
    """Who read NAME, or tried to: when, with which code, which version, and the outcome."""
    _tell(
        target, f"reads of {name} in {collection}", receipts, lambda a: a.who_read(collection, name)
    )


@click.command()
@click.argument("session_id", metavar="ID", type=Hex(32))
@receipts_option
@reaching(account=True)
def session(target: Target, session_id: bytes, receipts: Path | None) -> None:
    """What a session did, its opening with the attested code first."""
    what = f"operations of session {session_id.hex()}"
    _tell(target, what, receipts, lambda answers: answers.of_session(session_id))


@click.command()
@click.argument("measurement", type=Hex(32, 48))
@from_option
@receipts_option
@reaching(account=True)
def identity(target: Target, measurement: bytes, from_entry: int, receipts: Path | None) -> None:
    """What code with this MEASUREMENT did, in all its sessions."""
    what = f"operations of code {measurement.hex()}"
    _tell(target, what, receipts, lambda answers: answers.of_identity(measurement, from_entry))


@click.command()
@click.argument("address", type=_Address())
@from_option
@receipts_option
@reaching(account=True)
def account(target: Target, address: bytes, from_entry: int, receipts: Path | None) -> None:
    """What the account ADDRESS did."""
    what = f"operations of account 0x{address.hex()}"
    _tell(target, what, receipts, lambda answers: answers.of_account(address, from_entry))


def _tell(target: Target, what: str, receipts: Path | None, ask: Ask) -> None:
    network, signer = _who(target)

    async def run() -> tuple[list[Answer], int]:
        with progress_bar("asking") as shown:
            async with open_asker(network, signer, _now_ms) as asker:
                found = [answer async for answer in ask(Answers(asker, shown))]
                return found, asker.largest

    answers, size = asyncio.run(run())
    if receipts is not None:
        try:
            save_receipts(receipts, answers)
        except OutputError as error:
            raise UsageFault(str(error), error.hint) from error
    rows = [
        {**one.row, **({} if receipts is None else {"receipt": str(receipts / receipt_name(one))})}
        for one in answers
    ]
    if target.as_json:
        show({"question": what, "log_size": size, "answers": rows}, as_json=True)
        return
    for row in rows:
        click.echo(line_of(row))
    click.echo(_summary(what, len(rows), size, network))


def _summary(what: str, count: int, size: int, network: NetworkFile) -> str:
    """What the answers stand on, to be pasted below them."""
    return (
        f"{count or 'no'} {what}; each proven to stand on the certified log {network.origin} of "
        f"network {network.network_id.hex()}, of which {size} entries were shown. That none is "
        "missing is the word of the node, whose code was attested."
    )


def _who(target: Target) -> tuple[NetworkFile, SigningKey]:
    network = target.network_file()
    return network, open_account(target.home, target.account, target.password_file)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
