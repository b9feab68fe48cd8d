"""What ``sealedger node fsck``, ``status`` and ``config check`` print."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from node import fsck
from node.checks import HomeCheck
from node.cli.output import show
from node.cli.words import time_words
from node.errors import ConfigError, DamagedError, NodeError
from node.fsck_home import HomeReport
from node.status import Status


@contextmanager
def progress_bar(what: str) -> Iterator[fsck.Progress]:
    """A bar on standard error; nothing at all where that is no terminal."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def show_fsck(done: HomeReport, *, as_json: bool) -> None:
    """Print the report; DamagedError if it is not clean, so that the command fails."""
    report = done.report
    lines = [str(finding) for finding in report.findings]
    fields: dict[str, object] = {
        "network_id": report.network_id.hex(),
        "entries": report.head.size,
        "root": report.head.root.hex(),
        **asdict(report.counts),
        "lock_renewed": done.is_lock_renewed,
        "clean": report.is_clean,
    }
    if as_json:
        fields |= {"complete": report.is_whole, "findings": lines}
    else:
        fields |= {f"finding_{number}": line for number, line in enumerate(lines, 1)}
    show(fields, as_json=as_json)
    if not report.is_clean:
        end = "" if report.is_whole else "; the check stopped there"
        count = f"{len(lines)} finding{'s' if len(lines) > 1 else ''}"
        raise DamagedError(f"{count}, the first: {lines[0]}{end}", done.hint)


def show_check(checked: HomeCheck, home: Path, *, as_json: bool) -> None:
    """Print every problem; ConfigError if there is one, so that the command fails."""
    problems = checked.problems
    fields: dict[str, object] = {
        "home": str(home),
        "running": checked.is_running,
        "ok": not problems,
    }
    if as_json:
        fields["problems"] = [
            {
                "file": one.file,
                "line": one.line,
                "field": one.field,
                "problem": one.message,
                "fix": one.fix,
            }
            for one in problems
        ]
    for number, one in enumerate(() if as_json else problems, 1):
        fields |= {f"problem_{number}": one.message, f"fix_{number}": one.fix}
    show(fields, as_json=as_json)
    if problems:
        first = problems[0]
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise ConfigError(f"{count}, the first: {first.message}", first.fix)


def show_status(status: Status, *, as_json: bool) -> None:
    """Print what a node said; NodeError if it does not serve."""
    if status.health != "SERVING":
        raise NodeError(f"the node answers, and is {status.health}", "it is stopping: see its log")
    show(
        {
            "health": status.health,
            "network_id": status.network_id.hex(),
            "origin": status.origin,
            "entries": status.entries,
            "block_time": time_words(status.block_time_ms),
        },
        as_json=as_json,
    )
