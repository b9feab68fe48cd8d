"""The demo: real processes on this machine, an owner, two crashes, an audit, a receipt offline.

Founds a development network in a temporary folder, then: a node; an owner who signs a collection
and stores a value without a TEE; an app that stores secrets while the node dies by kill -9 and
comes back; a second app that reads and compares; a third one, which is the second with one byte
changed, that is denied; the log audited over HTTP, and who read what; a receipt verified while no
node runs; the whole ledger recomputed. Any deviation ends it with exit code 1. It stops what it
started, by id.
"""

import argparse
import contextlib
import json
import signal
import sys
import tempfile
import time
from pathlib import Path

from deploy.demo import apps_at_work, checking, images
from deploy.demo.owner import CODE, Owner
from deploy.demo.processes import DemoError, Node, free_port, sealedger
from deploy.demo.stage import FOLLOWED, Stage, Steps

LONGEST_S = 300


def play(stage: Stage) -> None:
    """Every step in order; DemoError at the first that goes another way."""
    folder = stage.folder / "images"
    writer, reader = images.make_image(folder, "writer"), images.make_image(folder, "reader")
    altered = images.alter(reader)
    found(stage)
    process = stage.start()
    stage.steps.tell("node", f"serves as {process}", checking.show_explorer(stage))
    owner = Owner(stage, stage.folder / "owner.json", stage.folder / "owner.password")
    measurement = owner.create(writer, reader)
    digest = owner.put()
    apps_at_work.write(stage, writer)
    stage.node.kill()
    stage.steps.tell("kill -9", f"the node dies again, and is back as {stage.start()}")
    apps_at_work.read(stage, reader, {CODE: digest})
    apps_at_work.try_altered(stage, altered)
    audited = checking.audit(stage)
    entry = owner.ask_who_read(FOLLOWED, measurement)
    stage.node.stop()
    checking.verify_offline(stage, entry)
    checking.fsck(stage, audited)


def found(stage: Stage) -> None:
    """A network of one node, without any collection."""
    listen = [f"--{name}=127.0.0.1:{free_port()}" for name in ("listen", "http-listen")]
    home = f"--home={stage.node.home}"
    network = json.loads(sealedger("node", "init", "--name=demo", home, *listen, "--json"))
    stage.steps.tell(
        "found", f"network {network['network_id'][:16]}, {network['origin']}, profile development"
    )


def interrupt(number: int, _frame: object) -> None:
    """What a signal does: end the demo in order."""
    late = number == signal.SIGALRM
    raise DemoError(f"not done within {LONGEST_S} s" if late else "told to stop")


def main() -> int:
    """Play it; 0 if everything went as it must, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.demo", description="Sealedger's demo; see README.md."
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="play in DIR and leave it there")
    keep = parser.parse_args().keep
    for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    signal.alarm(LONGEST_S)
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        if keep is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sealedger-")))
        else:
            folder = keep.resolve()
            if folder.exists():
                parser.error(f"{folder} exists already: name a folder that does not")
            folder.mkdir(parents=True)
        node = Node(folder / "home", folder / "log" / "node.log")
        stack.callback(node.close)
        try:
            play(Stage(folder, node, Steps()))
        except (DemoError, OSError, ValueError, LookupError) as error:
            print(f"sealedger demo: error: {error}", file=sys.stderr)
            return 1
    print(f"done in {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
