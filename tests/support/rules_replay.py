"""Runs recorded events of the rules again, as a program: JSON in, one digest per entry out.

`python -m tests.support.rules_replay` reads {"genesis": hex, "events": [...]} from standard input;
an event is a number (a block end and the milliseconds after it) or [envelope, verdict] in hex.
"""

import json
import sys

from tests.support.small_rules import SmallRules, digests, replayed


def recorded(rules: SmallRules) -> str:
    """The events of a network, for the program's standard input."""
    events = [
        event if isinstance(event, int) else [one and one.hex() for one in event]
        for event in rules.events
    ]
    return json.dumps({"genesis": rules.genesis.hex(), "events": events})


def main() -> None:
    """Run what standard input says, print the digests and the size of the state."""
    record = json.load(sys.stdin)
    events = [
        event
        if isinstance(event, int)
        else (bytes.fromhex(event[0]), None if event[1] is None else bytes.fromhex(event[1]))
        for event in record["events"]
    ]
    rules = replayed(bytes.fromhex(record["genesis"]), events)
    sys.stdout.write("\n".join(digests(rules)))


if __name__ == "__main__":
    main()
