"""One thing that keeps a node from starting: where it is, what is wrong, what would be right."""

from collections.abc import Sequence
from dataclasses import dataclass

from node.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Problem:
    """`message` is a whole sentence that names the file, the line and the field by itself."""

    file: str
    message: str
    fix: str
    line: int | None = None
    field: str = ""


def raise_first(problems: Sequence[Problem]) -> None:
    """ConfigError of the first problem, which says how many more there are; nothing without any."""
    if not problems:
        return
    first, others = problems[0], len(problems) - 1
    more = f"; {others} more: sealedger node config check" if others else ""
    raise ConfigError(first.message, first.fix + more)
