"""The apps' part: one stores while the node dies, one reads, one is denied."""

import json
from pathlib import Path

from deploy.demo.processes import DemoError, output, running
from deploy.demo.stage import Stage

CREDENTIALS = 400
SECRETS = CREDENTIALS + 3
DENIED = 3


def write(stage: Stage, image: Path) -> None:
    """The first app stores; in the middle of it the node is killed."""
    stage.steps.tell("writer", f"stores a TLS key, its certificate, a file, {CREDENTIALS} logins")
    with running(stage.app(image, f"--credentials={CREDENTIALS}")) as writer:
        if writer.stdout is None or not writer.stdout.readline():
            raise DemoError("the writer failed")
        stage.node.kill()
        if writer.poll() is not None:
            raise DemoError("the writer had ended before the node was killed")
        stage.steps.tell(
            "kill -9", "the node dies while the writer writes", f"and is back as {stage.start()}"
        )
        writer.communicate()
        if writer.returncode:
            raise DemoError(f"the writer ended with {writer.returncode}")
    stage.steps.tell(
        "writer", f"went on by itself: {SECRETS} secrets stored, each with a verified receipt"
    )


def read(stage: Stage, image: Path, others: dict[str, str]) -> None:
    """The second app reads everything and compares; `others` are digests of what others stored."""
    stage.digests.write_text(json.dumps(json.loads(stage.digests.read_text()) | others))
    said = output(stage.app(image, *_reading(stage, stage.receipt)))
    count, files = map(int, said.split())
    if not files:
        raise DemoError("no file was searched for values")
    if count != SECRETS + len(others):
        raise DemoError(f"{count} secrets were read, not {SECRETS + len(others)}")
    stage.steps.tell(
        "reader",
        f"{count} secrets read, the owner's too, all equal, none stored twice;",
        "the TLS key fits; no value stands in any file of the node's home and log",
    )


def try_altered(stage: Stage, image: Path) -> None:
    """The third app differs from the second by one byte, and gets nothing."""
    command = stage.app(image, *_reading(stage, stage.folder / "none.receipt"))
    said = output(command, code=DENIED).strip()
    if said != "NOT_ADMITTED":
        raise DemoError(f"the altered reader was told {said!r}")
    stage.steps.tell("altered", f"the reader with one byte changed: denied ({said}), no key")


def _reading(stage: Stage, receipt: Path) -> tuple[str, ...]:
    """Where a reader leaves its receipt, and where it looks for what must not be there."""
    places = (stage.node.home, stage.node.log.parent)
    return (f"--receipt={receipt}", *(f"--search={one}" for one in places))
