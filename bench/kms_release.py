"""What a release costs: microseconds of processor time per item of a Read transaction.

`python -m bench.kms_release` prints the cost of whole release requests of 1, 16 and 256 reads, of a
session grant and of one certify, beside the floor measured in the same run: the hashes, derivations
and AES-GCM calls that a read's release cannot do without.
"""

import hashlib
import os
import time
from collections.abc import Callable

from kms.messages import encode_certify_request, encode_release_request
from ledger.crypto import aead, derive
from ledger.crypto.secret import Secret
from tests.support.small_network import SmallNetwork, Stored, TestSession

BLOCKS = 200
ROUNDS = 25
WRITERS = 8


def cost_us(call: Callable[[], object], times: int) -> float:
    """The least processor time of one call, in microseconds, over several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time_ns()
        for _ in range(times):
            call()
        best = min(best, time.process_time_ns() - started)
    return best / times / 1000


def floor_us() -> float:
    """The primitives of one read's release: 2 hashes for the outcome, 1 for the header, 2 keys."""
    key, text = Secret(os.urandom(32)), os.urandom(200)
    sealed = aead.seal_once(key, os.urandom(32), text)

    def primitives() -> None:
        hashlib.sha256(hashlib.sha256(text).digest() + text).digest()
        hashlib.sha256(text).digest()
        derive.derive(key, derive.RECORD, text[:16])
        aead.open_once(key, sealed, text)
        derive.derive(key, derive.RELEASE, text[:34])
        aead.seal_once(key, sealed[:32], text)

    return cost_us(primitives, 2000)


def read_request(network: SmallNetwork, reader: TestSession, values: list[Stored]) -> bytes:
    """A request for as many granted reads as there are values, in one transaction."""
    details = [network.read_outcome(reader, value) for value in values]
    recorded = network.record_reads(reader, *details)
    network.end_block()
    items = [network.item(recorded, value, at) for at, value in enumerate(values)]
    return encode_release_request(network.release_request(recorded, *items))


def certify_us(network: SmallNetwork) -> float:
    """One certify of a block, at the current size."""
    network.log.end_block()
    request = encode_certify_request(network.certify_request())
    network.service.certify(request)
    again = encode_certify_request(network.certify_request())
    return cost_us(lambda: network.service.certify(again), 200)


def grant_us(network: SmallNetwork) -> float:
    """One session grant."""
    recorded = network.open_session().recorded
    request = network.release_request(recorded, network.item(recorded))
    data = encode_release_request(request)
    return cost_us(lambda: network.service.release(data), 200)


def release_us(network: SmallNetwork, data: bytes, count: int) -> float:
    """One whole request of `count` reads."""
    return cost_us(lambda: network.service.release(data), max(2, 1024 // count))


def main() -> None:
    """Print the table."""
    network = SmallNetwork().start()
    reader = network.open_session()
    values = [network.seal(network.open_session(), os.urandom(512)) for _ in range(WRITERS)]
    for _ in range(BLOCKS):
        network.log.end_block(0)
    network.certify()
    floor = floor_us()
    print(f"floor, primitives of one read   {floor:8.1f} us")
    for count in (1, 16, 256):
        data = read_request(network, reader, [values[at % WRITERS] for at in range(count)])
        whole = release_us(network, data, count)
        ratio = whole / count / floor
        print(
            f"release of {count:3d} reads            {whole:8.1f} us"
            f"  {whole / count:6.1f} each, {ratio:.1f} x floor"
        )
    print(f"session grant                   {grant_us(network):8.1f} us")
    print(f"certify                         {certify_us(network):8.1f} us")


if __name__ == "__main__":
    main()
