"""Where a node's time goes: microseconds of its event loop per operation, stage by stage.

`python -m bench.stages` runs real transactions of 128 puts and of 128 reads through the node's own
parts in this process, gRPC left out: check (decode, commitments, payload digests), finalize (the
rules, leaf, tiles), commit (the batch handed to LevelDB, and its sync), publish (certify, proofs,
release), encode. Thread time, so waiting for the disk does not count. Medians.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from attestation.platforms.software import SoftwarePlatform
from bench.load import VALUE_BYTES, name_of
from bench.local_node import COLLECTION, found
from contracts.prepare import prepare
from enclave_client.checkpoints import CheckpointBook
from enclave_client.connector import Connector
from enclave_client.keeper import SessionKeeper
from enclave_client.session import Session
from enclave_client.transactions import Work, sign_transaction
from ledger import sealing
from ledger.crypto.secret import Secret
from ledger.format.operation import Put, Read, encode_operation
from ledger.format.outcome import Coordinates
from ledger.format.sealed import MODE_SESSION
from node.app import RunningNode, clock_ms, open_node
from node.candidates import Submission, verify_payload
from node.cli.node import CORE_MANIFEST
from node.config import LogConfig, NodeConfig
from node.home import Home
from node.logs import configure_logs
from sealedger.v1 import node_pb2

OPERATIONS = 128
ROUNDS = 150
STAGES = ("check", "finalize", "commit", "publish", "encode")

Make = Callable[[Session, int], tuple[bytes, bytes]]


def put_of(session: Session, number: int) -> tuple[bytes, bytes]:
    """(operation, payload) of a sealed put."""
    randomness = os.urandom(48)
    key = session.writer_keys[COLLECTION]
    at = Coordinates(
        COLLECTION, name_of(number), randomness[:16], key.epoch, MODE_SESSION, session.id
    )
    network_id = session.signer.network_id
    value = bytes(VALUE_BYTES)
    sealed, digest = sealing.seal_value(network_id, at, key.kek, Secret(randomness[16:]), value)
    put = Put(at.collection, at.name, at.record_id, at.epoch, at.mode, digest, VALUE_BYTES + 16)
    return encode_operation(put), sealed


def read_of(session: Session, number: int) -> tuple[bytes, bytes]:
    """(operation, payload) of a read."""
    del session
    return encode_operation(Read(COLLECTION, name_of(number))), b""


def envelope_of(session: Session, make: Make, first: int) -> bytes:
    """A signed transaction of 128 operations."""
    made = [make(session, first + number) for number in range(OPERATIONS)]
    work = Work(
        tuple(operation for operation, _ in made),
        tuple(os.urandom(16) for _ in made),
        tuple(payload for _, payload in made),
    )
    signed = sign_transaction(session.signer, session.next_sequence(), clock_ms(), work)
    return node_pb2.SubmitRequest.FromString(signed.request).envelope


def one_round(node: RunningNode, envelope: bytes) -> list[float]:
    """Thread time of each stage, in microseconds per operation."""
    replica = node.replica
    marks = [time.thread_time()]
    prepared = prepare(envelope, node.key_service.network_id)
    pairs = zip(prepared.operations, prepared.envelope.payloads, strict=True)
    for operation, payload in pairs:
        verify_payload(operation, payload, prepared.body.network_id, prepared.body.signer)
    marks.append(time.thread_time())
    block = replica.propose([Submission(prepared, None, len(envelope))], clock_ms())
    finalized = replica.finalize(block)
    marks.append(time.thread_time())
    replica.commit(finalized)
    marks.append(time.thread_time())
    (reply,) = replica.publish(finalized)
    marks.append(time.thread_time())
    if not reply.HasField("recorded"):
        raise RuntimeError(f"refused: {reply.refusal.hint}")
    reply.SerializeToString()
    marks.append(time.thread_time())
    return [(b - a) / OPERATIONS * 1e6 for a, b in pairwise(marks)]


async def measure() -> dict[str, list[float]]:
    """Medians of each stage for puts and reads."""
    configure_logs(LogConfig(level="error"))
    result = {}
    with tempfile.TemporaryDirectory(prefix="sealedger-bench-") as directory:
        home = found(Path(directory))
        config = NodeConfig.load(home.root / "node.toml")
        core = SoftwarePlatform.open(home.root / "platform", CORE_MANIFEST)
        async with open_node(Home(home.root), config, core) as node:
            network = home.network(node.port)
            book = CheckpointBook(network.rule())
            connector = Connector(network, home.platform, book, proxied=False, now_ms=clock_ms)
            link = await connector.link()
            session = await SessionKeeper(connector, clock_ms).current(link)
            await connector.acquire(link, session, COLLECTION)
            for name, make in (("put", put_of), ("put again", put_of), ("read", read_of)):
                rounds = [
                    one_round(node, envelope_of(session, make, number * OPERATIONS))
                    for number in range(ROUNDS)
                ]
                result[name] = [statistics.median(column) for column in zip(*rounds, strict=True)]
            await link.transport.close()
    return result


def main() -> None:
    """Print the table."""
    print(f"{'us per operation':<18}" + "".join(f"{stage:>10}" for stage in (*STAGES, "sum")))
    for name, costs in asyncio.run(measure()).items():
        cells = "".join(f"{cost:>10.1f}" for cost in (*costs, sum(costs)))
        print(f"{name:<18}{cells}")


if __name__ == "__main__":
    main()
