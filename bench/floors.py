"""Floors measured in the same run: what the work costs without any ledger around it."""

import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ledger import keys
from ledger.crypto import aead, p256
from ledger.crypto.secret import Secret
from ledger.leveldb import LevelDB

BATCH = 128  # operations in one batch: what two transactions in one block bring
SEALED_BYTES = 512 + 200  # value, tag, header
RECORD_BYTES = 160  # a secret's head
BESIDE_BYTES = 190  # operation, salt and outcome


def leveldb_puts_per_s(seconds: float) -> float:
    """Puts a second into LevelDB alone: the same bytes in synced batches of 128."""
    with tempfile.TemporaryDirectory() as directory:
        store = LevelDB(Path(directory) / "floor", create=True)
        sealed = os.urandom(SEALED_BYTES)
        record = os.urandom(RECORD_BYTES)
        beside = os.urandom(BESIDE_BYTES * BATCH)
        done = 0
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            index = done // BATCH
            batch: dict[bytes, bytes | None] = {keys.operations(index): beside}
            for position in range(BATCH):
                batch[keys.payload(index, position)] = sealed
                name = f"credentials/app/{(done + position) % 20_000:05d}"
                batch[keys.head_of("bench/values", name)] = record
            store.write(batch, sync=True)
            done += BATCH
        rate = done / (time.perf_counter() - started)
        store.close()
    return rate


def sync_ms(times: int = 400) -> float:
    """Median milliseconds of one small synced batch."""
    with tempfile.TemporaryDirectory() as directory:
        store = LevelDB(Path(directory) / "sync", create=True)
        taken = []
        for number in range(times):
            started = time.perf_counter()
            store.write({keys.entry(number): bytes(1000)}, sync=True)
            taken.append((time.perf_counter() - started) * 1000)
        store.close()
    return statistics.median(taken)


def primitive_us() -> dict[str, float]:
    """Microseconds of the primitives that an operation or a transaction cannot do without."""
    key = Secret(os.urandom(32))
    value = os.urandom(512)
    sealed = aead.seal_once(key, value, b"")
    signer = p256.SigningKey()
    signature = signer.sign(value)
    return {
        "AES-256-GCM seal 512 B": _cost_us(lambda: aead.seal_once(key, value, b"")),
        "AES-256-GCM open 512 B": _cost_us(lambda: aead.open_once(key, sealed, b"")),
        "SHA-256 of 700 B": _cost_us(lambda: hashlib.sha256(sealed).digest()),
        "P-256 sign": _cost_us(lambda: signer.sign(value)),
        "P-256 verify": _cost_us(lambda: p256.is_valid(signer.public, signature, value)),
    }


def _cost_us(call: Callable[[], object], times: int = 2000) -> float:
    taken = []
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(times):
            call()
        taken.append((time.perf_counter() - started) / times * 1e6)
    return statistics.median(taken)
