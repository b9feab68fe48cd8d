"""Files that commands write where an option says so: never over what is there, unless forced.

Asked before anything else is done, so that an operation does not stand on the ledger while its
receipt has no place. Not here: files that a command keeps up to date (homes, an auditor's state).
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from node.cli.output import UsageFault

FORCE_HELP = "Write over a file that is there."
_C = TypeVar("_C", bound=Callable[..., object])


def force_option(text: str = FORCE_HELP) -> Callable[[_C], _C]:
    """``--force``, handed over as ``force``."""
    return click.option("--force", is_flag=True, help=text)


def verify_free(path: Path, *, force: bool) -> None:
    """Check that `path` may be written: nothing is there, or a file that may go; UsageFault."""
    try:
        path.lstat()
    except OSError:  # nothing there; or it cannot be looked at, which writing will say
        return
    if not force:
        raise UsageFault(f"{path} exists already", "name another file, or --force to write over it")
    if not path.is_file():  # a device or a pipe would be replaced by a file, not written to
        raise UsageFault(f"{path} is no file", "name a file")
