"""What the rules cost: microseconds of processor time per operation of a 256-operation transaction.

`python -m bench.contracts_execute` prints medians for prepare and execute over a state of 20,000
names in a dict, for puts of new names, puts of known names, reads and a mixture, and the floor
measured in the same run: the two SHA-256 calls that commit to one outcome and the signature's
share. What a floor must also do, encoding protobuf and state rows, is counted as ours.
`--profile` prints where the time of execute goes instead.
"""

import cProfile
import pstats
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from hashlib import sha256

from contracts.execute import Block, Executed, execute
from contracts.prepare import Prepared, prepare
from ledger.crypto import p256
from ledger.format.operation import Operation, Read, outcome_digest
from tests.support.small_rules import Enclave, Signer, SmallRules, put_of

OPERATIONS = 256
NAMES = 20_000
ROUNDS = 120


def median_us(calls: Iterable[Callable[[], object]], each: int) -> float:
    """Median processor time of the calls, in microseconds, divided by `each`."""
    times = []
    for call in calls:
        start = time.process_time_ns()
        call()
        times.append(time.process_time_ns() - start)
    return statistics.median(times) / 1000 / each


def floor_us() -> float:
    """Two hashes for each outcome, one signature check for each transaction; per operation."""
    key = p256.SigningKey()
    message, outcome = bytes(8_300), bytes(200)
    signature = key.sign(message)
    salts = [sha256(b"%d" % number).digest()[:16] for number in range(OPERATIONS)]

    def primitives() -> None:
        p256.is_valid(key.public, signature, message)
        for salt in salts:
            outcome_digest(salt, outcome)

    return median_us([primitives] * ROUNDS, OPERATIONS)


class Bench:
    """A network with one session that does everything, and random names."""

    def __init__(self) -> None:
        self.rules = SmallRules()
        self.session: Signer = self.rules.open(Enclave("alpha"))
        self.random = random.Random(20_000)
        self.fresh = 0

    def new_put(self) -> Operation:
        """A put of a name that was never used."""
        self.fresh += 1
        return put_of("app", f"service/credential-{self.fresh:08d}")

    def put(self) -> Operation:
        """A put of a known name."""
        return put_of("app", self.known())

    def read(self) -> Operation:
        """A read of a known name."""
        return Read("app", self.known())

    def mixed(self) -> Operation:
        """One put for each read."""
        return self.put() if self.random.random() < 0.5 else self.read()

    def known(self) -> str:
        """One of the names that `fill` made."""
        return f"service/credential-{self.random.randrange(1, NAMES):08d}"

    def fill(self) -> None:
        """Put all names."""
        while self.fresh < NAMES:
            self.commit(self.run(self.prepared(self.new_put)))

    def envelope(self, make: Callable[[], Operation]) -> bytes:
        """A signed transaction of 256 operations."""
        return self.rules.envelope(self.session, *(make() for _ in range(OPERATIONS)))

    def prepared(self, make: Callable[[], Operation]) -> Prepared:
        """The same, prepared."""
        return prepare(self.envelope(make), self.rules.network_id)

    def run(self, prepared: Prepared) -> Executed:
        """Execute one transaction over the state."""
        rules = self.rules
        block = Block(rules.height, rules.time_ms, rules.size)
        done = execute(prepared, None, rules.state, rules.log, block)
        if not isinstance(done, Executed):
            raise TypeError("a transaction of the bench did not run")
        return done

    def cost_us(self, make: Callable[[], Operation]) -> tuple[float, float]:
        """Microseconds per operation of prepare and of execute."""
        network = self.rules.network_id
        envelopes = [self.envelope(make) for _ in range(ROUNDS)]
        prepared = [prepare(envelope, network) for envelope in envelopes]
        return (
            median_us((partial(prepare, one, network) for one in envelopes), OPERATIONS),
            median_us((partial(self.run, one) for one in prepared), OPERATIONS),
        )

    def commit(self, done: Executed) -> None:
        """Apply the changes, as a block's end does."""
        self.rules.state.apply(done.writes)
        self.rules.size += 1


def report(bench: Bench, floor: float) -> None:
    """Print one line for each kind of transaction."""
    for name, make in (
        ("put of a new name", bench.new_put),
        ("put of a known name", bench.put),
        ("read", bench.read),
        ("mixed", bench.mixed),
    ):
        preparing, executing = bench.cost_us(make)
        print(
            f"{name:20s} execute {executing:6.2f} us/op  x{executing / floor:5.1f} of the floor"
            f"    prepare {preparing:6.2f} us/op"
        )


def profile(bench: Bench) -> None:
    """Print where the time of execute goes, for a mixture of puts and reads."""
    prepared = [bench.prepared(bench.mixed) for _ in range(ROUNDS)]
    profiler = cProfile.Profile()
    profiler.enable()
    for one in prepared:
        bench.run(one)
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(22)


def main() -> None:
    """Print the table, or the profile."""
    bench = Bench()
    bench.fill()
    if "--profile" in sys.argv[1:]:
        profile(bench)
        return
    floor = floor_us()
    print(f"floor: 2 SHA-256 per outcome, 1/{OPERATIONS} signature   {floor:6.2f} us/op")
    report(bench, floor)


if __name__ == "__main__":
    main()
