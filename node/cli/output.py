"""How commands speak: results on standard output, errors and hints on standard error, exit codes.

0 done, 1 failed, 2 wrong usage. ``--json`` prints one JSON object per result. What people read has
no character that does anything to a terminal: files, services and nodes put words into it.
"""

import json
from collections.abc import Mapping, Sequence

import click


class UsageFault(click.ClickException):
    """The question cannot be answered as it was asked (exit code 2), and what would be right."""

    def __init__(self, message: str, hint: str = "see --help") -> None:
        """Carry the message and the hint."""
        super().__init__(message)
        self.hint = hint


def show(fields: Mapping[str, object], *, as_json: bool) -> None:
    """Print a result: one JSON object, or aligned lines with yes and no for truth."""
    if as_json:
        click.echo(json.dumps(fields, separators=(",", ":")))
        return
    width = max(map(len, fields), default=0)
    for name, value in fields.items():
        said = ("yes" if value else "no") if isinstance(value, bool) else value
        click.echo(printable(f"{name.replace('_', ' '):<{width}}  {said}"))


def show_rows(name: str, rows: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    """Print rows of the same fields: one JSON object with a list, or an aligned table.

    Headings have spaces where fields have underscores.
    """
    if as_json:
        show({name: rows}, as_json=True)
        return
    if not rows:
        click.echo(f"no {name}", err=True)
        return
    lines = [[field.replace("_", " ").upper() for field in rows[0]]]
    lines += [["-" if value is None else str(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo(printable("  ".join(cells).rstrip()))


def show_error(message: str, hint: str = "") -> None:
    """Print an error the way every command does."""
    click.echo(printable(f"sealedger: error: {message}"), err=True)
    if hint:
        click.echo(printable(f"hint: {hint}"), err=True)


def printable(text: str) -> str:
    """The text with a question mark for whatever cannot be printed; lines and tabs stay."""
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)
