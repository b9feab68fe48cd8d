"""Rows into files, whole or not at all: JSON Lines with receipts, CSV; and receipt files."""

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol, TextIO

from node.audit.answers import Answer
from node.audit.errors import OutputError

Format = Literal["jsonl", "csv"]


class Table(Protocol):
    """Takes answers one by one."""

    def add(self, answer: Answer) -> None:
        """Write one."""
        ...


class JsonLines:
    """One JSON object a line: the row, and its receipt file as text."""

    def __init__(self, file: TextIO) -> None:
        """Write to an open file."""
        self._file = file

    def add(self, answer: Answer) -> None:
        """See Table."""
        line = {**answer.row, "receipt": answer.event.receipt.encode().decode()}
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")


class Csv:
    """RFC 4180, a header line first; what does not apply is empty."""

    def __init__(self, file: TextIO) -> None:
        """Write to an open file."""
        self._writer = csv.writer(file)
        self._has_header = False

    def add(self, answer: Answer) -> None:
        """See Table."""
        if not self._has_header:
            self._writer.writerow(answer.row)
            self._has_header = True
        self._writer.writerow(["" if cell is None else cell for cell in answer.row.values()])


@contextmanager
def table_file(path: Path, form: Format) -> Iterator[Table]:
    """A table that stands at `path` once the block has ended well; OutputError otherwise."""
    beside = path.with_name(f"{path.name}.new")
    try:
        with beside.open("w", encoding="utf-8", newline="") as file:
            yield JsonLines(file) if form == "jsonl" else Csv(file)
        beside.replace(path)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror}", "name a file in a directory that exists"
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def save_receipts(folder: Path, answers: Sequence[Answer]) -> None:
    """Write one receipt file for each answer, named by entry and position; OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for answer in answers:
            answer.event.receipt.save(folder / receipt_name(answer))
    except OSError as error:
        raise OutputError(
            f"cannot write into {folder}: {error.strerror}", "name a directory that can be written"
        ) from error


def receipt_name(answer: Answer) -> str:
    """The file name of an answer's receipt."""
    return f"{answer.event.index}-{answer.event.position}.tlog-proof"
