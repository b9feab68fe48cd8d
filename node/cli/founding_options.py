"""The options of ``sealedger node init``; what they mean is `founding`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from attestation.identity import TCB_STATUSES
from attestation.platforms.detect import AUTO, PLATFORMS, SOFTWARE
from attestation.platforms.software_files import SGX, TEES
from ledger.format.platforms import PLATFORM_ID_BYTES
from node.cli.duration_type import DURATION
from node.cli.hex_type import Hex
from node.founding_trust import USUAL

DEVELOPMENT = "development"
MISSING = {
    "single": "an outside witness who signs every checkpoint",
    "consortium": "four operators' cores that certify together",
}
_FILE = click.Path(path_type=Path, dir_okay=False)
_Command = Callable[..., Any]

_OPTIONS = (
    click.option("--name", default="local", show_default=True, help="The network's name."),
    click.option(
        "--profile",
        type=click.Choice((DEVELOPMENT, *MISSING)),
        default=DEVELOPMENT,
        show_default=True,
        help="How much a host alone can do. This version founds the first only.",
    ),
    click.option(
        "--app",
        "apps",
        multiple=True,
        metavar="COLLECTION=MANIFEST",
        help="A collection, and the manifest of an app that may read and write it, on the "
        "software platform. Repeatable.",
    ),
    click.option(
        "--policy",
        "policies",
        multiple=True,
        metavar="COLLECTION=FILE",
        help="A collection, and the policy file with its readers and writers. Repeatable.",
    ),
    click.option("--listen", default="127.0.0.1:8700", show_default=True, help="For gRPC."),
    click.option("--http-listen", default="127.0.0.1:8701", show_default=True, help="For HTTP."),
    click.option("--endpoint", help="What clients connect to.  [default: as --listen]"),
    click.option(
        "--lock",
        type=_FILE,
        help="The rollback lock's place, better on another disk.  [default: in the home]",
    ),
    click.option(
        "--platform",
        type=click.Choice((AUTO, *PLATFORMS)),
        default=SOFTWARE,
        show_default=True,
        help="Where the core runs: auto is the TEE that is found, software simulates one.",
    ),
    click.option(
        "--tee",
        type=click.Choice(TEES),
        help=f"The kind of TEE that the software platform stands for.  [default: {SGX}]",
    ),
    click.option(
        "--collateral",
        type=_FILE,
        multiple=True,
        help="Collateral of the core's hardware, or of clients'. Repeatable.",
    ),
    click.option(
        "--root",
        "roots",
        type=_FILE,
        multiple=True,
        help="A root to believe that is no vendor's, PEM or DER. Repeatable.",
    ),
    click.option(
        "--tcb-status",
        "statuses",
        type=click.Choice(sorted(TCB_STATUSES)),
        multiple=True,
        metavar="STATUS",
        help="A TCB status of the core's hardware to accept beside UpToDate. Repeatable.",
    ),
    click.option(
        "--advisory",
        "advisories",
        multiple=True,
        metavar="ID",
        help="A vendor's advisory to accept with such a status. Repeatable.",
    ),
    click.option(
        "--grace",
        "grace_ms",
        type=DURATION,
        help="How long collateral is used past its end, such as 7d.  [default: not at all]",
    ),
    click.option(
        "--tcb-floor",
        "floor",
        type=click.IntRange(min=1),
        metavar="N",
        default=USUAL.tcb_floor,
        show_default=True,
        help="The lowest tcbEvaluationDataNumber of collateral that is used.",
    ),
    click.option(
        "--tcb-ceiling",
        "ceiling",
        type=click.IntRange(min=0),
        metavar="N",
        default=USUAL.tcb_ceiling,
        help="The highest that is used; 0 is any.  [default: 0]",
    ),
    click.option(
        "--member",
        "members",
        multiple=True,
        metavar="ADDRESS",
        help="An account that votes on sessions and on platforms. Repeatable.",
    ),
    click.option(
        "--member-threshold",
        "threshold",
        type=click.IntRange(min=1),
        metavar="K",
        help="How many members decide together.",
    ),
    click.option(
        "--enrol",
        "platforms",
        type=Hex(*PLATFORM_ID_BYTES, name="platform_id"),
        multiple=True,
        help="A platform that is enrolled from the start, beside the core's own. Repeatable.",
    ),
    click.option(
        "--auditor",
        "auditors",
        multiple=True,
        metavar="ADDRESS",
        help="An account that may ask about everything in the network. Repeatable.",
    ),
)


def founding_options(command: _Command) -> _Command:
    """All options of init but the home."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
