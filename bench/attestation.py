"""What attestation costs: milliseconds per verification, microseconds per policy decision.

`python -m bench.attestation` prints each step beside a floor measured in the same run: the six
ECDSA verifications that a quote and its chain need (ISV, QE report, leaf, PCK CA, and the two
signed documents), done by `cryptography` alone.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from attestation.collateral import decode_collateral
from attestation.dcap.layout import parse_quote
from attestation.dcap.library import run_library
from attestation.dcap.trust import verify_collateral
from attestation.dcap.verify import verify
from attestation.evidence import decode_evidence
from attestation.policy import AnyOf, Match, is_admitted
from attestation.worker import VerificationWorker
from tests.support.attested import NOW_S, REPORT, make_world

ROUNDS = 7
CALLS = 100
SIGNATURES = 6


def cost_ms(call: Callable[[], object], calls: int = CALLS) -> float:
    """The least time of one call, in milliseconds, over several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(calls):
            call()
        best = min(best, time.perf_counter() - started)
    return best / calls * 1000


async def round_trip_ms(call: Callable[[], Awaitable[object]]) -> float:
    """The same for a coroutine."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(CALLS):
            await call()
        best = min(best, time.perf_counter() - started)
    return best / CALLS * 1000


def floor_ms() -> float:
    """Six ECDSA P-256 verifications."""
    key, message = ec.generate_private_key(ec.SECP256R1()), bytes(432)
    algorithm = ec.ECDSA(hashes.SHA256())
    signature, public = key.sign(message, algorithm), key.public_key()
    return SIGNATURES * cost_ms(lambda: public.verify(signature, message, algorithm))


async def main() -> None:
    """Print the table."""
    world = make_world()
    evidence, encoded = world.evidence(), world.collateral_bytes()
    quote, held, rules = decode_evidence(evidence).quote, decode_collateral(encoded), world.rules
    policy = AnyOf(tuple(Match(measurement=bytes([i]) * 32) for i in range(8)))
    identity = verify(evidence, encoded, rules, NOW_S).identity
    floor = floor_ms()
    worker = VerificationWorker()
    started = time.perf_counter()
    await worker.verify(evidence, encoded, rules, NOW_S)
    first = (time.perf_counter() - started) * 1000
    rows = [
        ("one software quote", cost_ms(lambda: world.quote(REPORT))),
        ("shape check of a quote", cost_ms(lambda: parse_quote(quote))),
        ("collateral checked anew", cost_ms(lambda: verify_collateral.__wrapped__(held, rules))),
        ("library alone", cost_ms(lambda: run_library(quote, held, world.root, NOW_S))),
        ("whole verification", cost_ms(lambda: verify(evidence, encoded, rules, NOW_S))),
        (
            "through the worker process",
            await round_trip_ms(lambda: worker.verify(evidence, encoded, rules, NOW_S)),
        ),
        ("first call: starts the process", first),
    ]
    await worker.close()
    print(f"{'floor: 6 signature checks':32}{floor:9.3f} ms")
    for name, cost in rows:
        print(f"{name:32}{cost:9.3f} ms {cost / floor:6.2f} x floor")
    decision = cost_ms(lambda: is_admitted(policy, identity, development=False), 10_000)
    print(f"{'policy of 8 matches':32}{decision * 1000:9.3f} us")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
