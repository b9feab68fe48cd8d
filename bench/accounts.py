"""What one account transaction costs beyond a session's: digest, signature, recovery, summary.

``python -m bench.accounts`` prints medians in microseconds of processor time, beside floors
measured in the same run: the three Keccak hashes of a digest, and libsecp256k1's own recovery.
"""

import statistics
import time
from collections.abc import Callable

from coincurve import PublicKey

from ledger.crypto.keccak import keccak256
from ledger.crypto.secp256k1 import SigningKey, generate_seed, recover_address
from ledger.format.eip712 import transaction_digest
from ledger.format.operation import Operation, Read
from ledger.format.summary import summarize

ROUNDS = 31
CALLS = 200


def cost_us(call: Callable[[], object], calls: int = CALLS) -> float:
    """Median over the rounds of the processor time of one call, in microseconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time_ns()
        for _ in range(calls):
            call()
        times.append((time.process_time_ns() - start) / calls / 1000)
    return statistics.median(times)


def main() -> None:
    """Print the table."""
    key = SigningKey(generate_seed())
    network, body_hash = bytes(range(32)), bytes(32)
    one: tuple[Operation, ...] = (Read("app/secrets", "db/password"),)
    many = one * 256
    summary = summarize(one)
    digest = transaction_digest(network, 7, summary, body_hash)
    signature = key.sign(digest)
    with_id = signature[:64] + bytes((signature[64] - 27,))
    words, prefixed = bytes(160), bytes(66)
    rows: dict[str, Callable[[], object]] = {
        "floor: three Keccak hashes": lambda: (
            keccak256(summary.encode()),
            keccak256(words),
            keccak256(prefixed),
        ),
        "digest": lambda: transaction_digest(network, 7, summary, body_hash),
        "sign": lambda: key.sign(digest),
        "floor: recovery in libsecp256k1": lambda: PublicKey.from_signature_and_message(
            with_id, digest, hasher=None
        ),
        "recover": lambda: recover_address(digest, signature),
        "summary of one operation": lambda: summarize(one),
    }
    for name, call in rows.items():
        print(f"{name:<34} {cost_us(call):8.1f} us")
    print(f"{'summary of 256 operations':<34} {cost_us(lambda: summarize(many), 5):8.1f} us")


if __name__ == "__main__":
    main()
