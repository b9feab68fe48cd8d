"""How commands speak: results on standard output, errors and hints on standard error, exit codes.

0 done, 1 failed, 2 wrong usage. ``--json`` prints one JSON object per result.
"""

import json
from collections.abc import Mapping

import click


class UsageFault(click.ClickException):
    """The question cannot be answered as it was asked (exit code 2), and what would be right."""

    def __init__(self, message: str, hint: str = "see --help") -> None:
        """Carry the message and the hint."""
        super().__init__(message)
        self.hint = hint


def show(fields: Mapping[str, object], *, as_json: bool) -> None:
    """Print a result: one JSON object, or aligned lines."""
    if as_json:
        click.echo(json.dumps(fields, separators=(",", ":")))
        return
    width = max(map(len, fields), default=0)
    for name, value in fields.items():
        click.echo(f"{name.replace('_', ' '):<{width}}  {value}")


def show_error(message: str, hint: str = "") -> None:
    """Print an error the way every command does."""
    click.echo(f"sealedger: error: {message}", err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)
