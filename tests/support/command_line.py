"""The program as it is typed, run in this process: what it prints, and its exit code."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from node.cli.main import main


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


Command = Callable[..., Awaitable[Said]]


def command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the program with the arguments given, in a thread of this process."""

    def call() -> int:
        try:
            main()
        except SystemExit as error:
            return error.code if isinstance(error.code, int) else -1
        return 0

    async def run(*arguments: str) -> Said:
        monkeypatch.setattr("sys.argv", ["sealedger", *arguments])
        capsys.readouterr()
        code = await asyncio.to_thread(call)
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return run
