"""``sealedger evidence``: evidence judged from files, without a node and without a connection.

Exit codes: 0 accepted, 1 refused or undecided, 2 the question cannot be answered (a file cannot be
used, an option is wrong).
"""

from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from attestation.judgement import Decision, Judgement, Question
from attestation.policy import Policy
from enclave_client.errors import PolicyFileError
from enclave_client.policy_file import PARTS, read_single_policy
from node.cli.evidence_words import judgement_fields, judgement_rows
from node.cli.given_evidence import given_path, judge, judged_by
from node.cli.node import json_option
from node.cli.output import UsageFault, show
from node.errors import NotAcceptedError

_COLOURS = {
    Decision.ACCEPTED: "bold green",
    Decision.REFUSED: "bold red",
    Decision.UNDECIDED: "bold yellow",
}


@click.group()
def evidence() -> None:
    """Judge evidence of enclaves, offline."""


@evidence.command()
@click.argument("file", type=given_path)
@judged_by
@click.option(
    "--policy",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Ask this policy about the verified identity.",
)
@click.option("--part", type=click.Choice(PARTS), help="Of a collection's policy file.")
@json_option
def verify(
    file: Path,
    beside: Callable[..., Question],
    policy: Path | None,
    part: str | None,
    as_json: bool,
) -> None:
    """Say whether the evidence in FILE is good, whose it is, and why not.

    FILE is a DCAP quote (SGX, TDX), a SEV-SNP report, an RA-TLS certificate (PEM or DER) or our own
    encoding. Intel's and AMD's roots are built in. A quote needs --collateral, a report --chain.

    Exit code 0: accepted. 1: refused or undecided. 2: a file cannot be used.
    """
    question = beside(file, _policy(policy, part))
    judgement = judge(question)
    if as_json:
        show(judgement_fields(judgement, question), as_json=True)
    else:
        _print(judgement, question)
    if judgement.decision is not Decision.ACCEPTED:
        raise _error(judgement)


def _policy(path: Path | None, part: str | None) -> Policy | None:
    if path is None:
        if part is not None:
            raise UsageFault("--part says which policy of a file is meant", "add --policy FILE")
        return None
    try:
        return read_single_policy(path, part or "")
    except PolicyFileError as error:
        raise UsageFault(error.message, error.hint) from error


def _print(judgement: Judgement, question: Question) -> None:
    """Aligned lines; on a terminal a table, with colours."""
    rows = list(judgement_rows(judgement, question))
    console = Console(highlight=False)
    if not console.is_terminal:
        show(dict(rows), as_json=False)
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        style = _COLOURS[judgement.decision] if name == "verdict" else ""
        table.add_row(name, Text(value, style))
    console.print(table)


def _error(judgement: Judgement) -> NotAcceptedError:
    first = judgement.reasons[0]
    details = [
        f"{word} {text}"
        for word, text in (("expected", first.expected), ("got", first.got))
        if text
    ]
    message = f"{judgement.decision}: {first.check}: {', '.join(details)}"
    return NotAcceptedError(message.removesuffix(": "), first.mend)
