"""``sealedger audit export`` and questions: who did what, as far as an account may see it.

Each answer is proven, names the session's code as its opening entry recorded it, and has a receipt
that ``sealedger receipt verify`` accepts. What is opened is proven; that nothing is left out is the
word of the node, whose code was attested before it was asked.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import click

from enclave_client.network_file import NetworkFile
from ledger.crypto.secp256k1 import SigningKey
from ledger.errors import FormatError
from ledger.format.address import decode_address, encode_address
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
_NOT_IN_HISTORY = (
    " Reads that were neither granted nor denied to a session (NOT_FOUND, DESTROYED, EXPIRED, "
    "FROZEN) are in no history: ask without --history."
)
receipts_option = click.option(
    "--receipts",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write one receipt file for each answer into this directory.",
)
from_option = click.option(
    "--from-entry", type=click.IntRange(min=0), default=0, help="Begin at this entry."
)


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, in words; where it begins; what the answer leaves out by itself."""

    words: str
    from_entry: int = 0
    lacks: str = ""

    @property
    def said(self) -> str:
        """The words, and from which entry on if that is not the first."""
        return self.words + (f" from entry {self.from_entry} on" if self.from_entry else "")


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
@click.option(
    "--history",
    "by_history",
    is_flag=True,
    help="Only reads that were granted, or denied to a session: found at once in any log.",
)
@from_option
@receipts_option
@reaching(account=True)
def who_read(
    target: Target,
    collection: str,
    name: str,
    by_history: bool,
    from_entry: int,
    receipts: Path | None,
) -> None:
    """Who read NAME, or tried to: when, with which code, which version, and the outcome.

    The node looks through its log for every read that was tried. That takes the longer the more
    there is: --from-entry begins later, --history asks the secret's history alone.
    """

    def ask(answers: Answers) -> AsyncIterator[Answer]:
        way = answers.history_reads if by_history else answers.who_read
        return way(collection, name, from_entry)

    what = f"reads of {name} in {collection}{' that its history has' if by_history else ''}"
    lacks = _NOT_IN_HISTORY if by_history else ""
    _tell(target, _Question(what, from_entry, lacks), receipts, ask)


@click.command()
@click.argument("session_id", metavar="ID", type=Hex(32, shortened=True))
@receipts_option
@reaching(account=True)
def session(target: Target, session_id: bytes, receipts: Path | None) -> None:
    """What a session did, its opening with the attested code first.

    Only what it signed itself: who ended it stands among what the owner or the members did (audit
    account, audit export).
    """
    what = f"operations of session {session_id.hex()}"
    _tell(target, _Question(what), receipts, lambda answers: answers.of_session(session_id))


@click.command()
@click.argument("measurement", type=Hex(32, 48))
@from_option
@receipts_option
@reaching(account=True)
def identity(target: Target, measurement: bytes, from_entry: int, receipts: Path | None) -> None:
    """What code with this MEASUREMENT did, in all its sessions."""
    what = _Question(f"operations of code {measurement.hex()}", from_entry)
    _tell(target, what, receipts, lambda answers: answers.of_identity(measurement, from_entry))


@click.command()
@click.argument("address", type=_Address())
@from_option
@receipts_option
@reaching(account=True)
def account(target: Target, address: bytes, from_entry: int, receipts: Path | None) -> None:
    """What the account ADDRESS did."""
    what = _Question(f"operations of account {encode_address(address)}", from_entry)
    _tell(target, what, receipts, lambda answers: answers.of_account(address, from_entry))


def _tell(target: Target, question: _Question, receipts: Path | None, ask: Ask) -> None:
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
        show({"question": question.said, "log_size": size, "answers": rows}, as_json=True)
        return
    for row in rows:
        click.echo(line_of(row))
    click.echo(_summary(question, len(rows), size, network))


def _summary(question: _Question, count: int, size: int, network: NetworkFile) -> str:
    """What the answers stand on, to be pasted below them."""
    said = question.said.replace("s ", " ", 1) if count == 1 else question.said
    return (
        f"{count or 'no'} {said}; each proven to stand on the certified log {network.origin} of "
        f"network {network.network_id.hex()}, of which {size} entries were shown. That none is "
        f"missing is the word of the node, whose code was attested.{question.lacks}"
    )


def _who(target: Target) -> tuple[NetworkFile, SigningKey]:
    network = target.network_file()
    return network, open_account(target.home, target.account, target.password_file)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
