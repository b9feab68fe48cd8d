"""A log to be audited: real sessions and signatures, certified, written as files; and its pins.

It says what the test wants, also what no honest node would certify.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from attestation.handshake import session_id
from attestation.policy import Match, encode_policy
from enclave_client.network_file import NetworkFile
from ledger.crypto import p256
from ledger.format.leaf import TransactionLeaf, decode_leaf, encode_leaf
from ledger.format.operation import OpenSession, Read
from ledger.format.outcome import Outcome, SessionOpened
from ledger.format.transaction import Body, SignerKind, encode_body
from ledger.log.note import encode_vkey
from ledger.log.tiles import bundles_of, encode_bundle, encode_path, tiles_of
from ledger.reason import Reason
from tests.support.log_signers import TestSigner, cosigner, log_signer
from tests.support.small_log import Recorded, Signer, SmallLog

ORIGIN = "dev.audited/1"
NETWORK_ID = sha256(b"the audited network").digest()
CORES = (cosigner("dev.audited/node-1"), cosigner("dev.audited/node-2"))
LOG = log_signer(ORIGIN)


def pins() -> NetworkFile:
    """The network file: both cores, of two operators, must have cosigned."""
    parties = [
        {"name": core.key.name, "public_key": core.key.public_key.hex(), "operator": f"op-{at}"}
        for at, core in enumerate(CORES)
    ]
    return NetworkFile.model_validate(
        {
            "network_id": NETWORK_ID,
            "name": "audited",
            "profile": "development",
            "endpoints": ("127.0.0.1:1",),
            "log": {"vkey": encode_vkey(LOG.key), "quorum": 2, "cosigners": parties},
            "attestation": {"roots": (b"root",), "tcb_signer_pins": (bytes(32),)},
            "key_service": {"policy": encode_policy(Match(measurement=bytes(32)))},
        }
    )


def node_signer(core: TestSigner = CORES[0]) -> Signer:
    """A core as the signer of transactions."""
    return Signer(SignerKind.NODE, core.key.public_key, core.signing.sign)


@dataclass(slots=True)
class AuditedLog:
    """A log that grows block by block."""

    log: SmallLog = field(default_factory=lambda: SmallLog(ORIGIN, NETWORK_ID, (LOG, *CORES)))

    def __post_init__(self) -> None:
        self.log.height = 1  # block 0 is genesis

    @property
    def size(self) -> int:
        """Entries."""
        return self.log.size

    def session(self) -> Signer:
        """Open a session, in a block of its own."""
        key = p256.SigningKey()
        operation = OpenSession(
            key.public, bytes(1216), bytes(32), bytes(32), bytes(32), 1, bytes(32)
        )
        signer = Signer(SignerKind.NEW_SESSION, key.public, key.sign)
        body = replace(self.log.body_of(signer, operation), sequence=0)
        opened = session_id(encode_body(body))
        detail = SessionOpened(opened, self.log.time_ms + 3_600_000, 1, b"verdict")
        self.log.record(signer, body, (operation, Outcome(Reason.OK, detail)))
        self.log.end_block()
        return Signer(SignerKind.SESSION, opened, key.sign)

    def read(self, signer: Signer, change: Callable[[Body], Body] = lambda body: body) -> Recorded:
        """A denied read, in the block that is being filled; the body as the test wants it."""
        operation = Read("app/secrets", "name")
        body = change(self.log.body_of(signer, operation))
        return self.log.record(signer, body, (operation, Outcome(Reason.DENIED)))

    def fill(self, signer: Signer, size: int, per_block: int = 10) -> None:
        """Add denied reads, in blocks, until the log has exactly `size` entries."""
        while self.size < size:
            for _ in range(min(per_block, size - self.size - 1)):
                self.read(signer)
            self.log.end_block()

    def append_changed(self, recorded: Recorded, **changes: Any) -> None:
        """Add the leaf of a transaction once more, with other fields."""
        leaf = decode_leaf(recorded.leaf)
        if not isinstance(leaf, TransactionLeaf):
            raise TypeError("no transaction")
        self.log.append_bytes(encode_leaf(replace(leaf, **changes)))

    def write(self, folder: Path, size: int | None = None) -> Path:
        """Write tiles, bundles and the certified checkpoint of a size."""
        size = self.size if size is None else size
        rows = self.log._tiles.tiles
        for tile in tiles_of(size):
            put(folder, encode_path(tile), rows[tile.level, tile.index][: 32 * tile.width])
        for bundle in bundles_of(size):
            first = bundle.index * 256
            put(
                folder,
                encode_path(bundle),
                encode_bundle(self.log.leaves[first : first + bundle.width]),
            )
        put(folder, "checkpoint", self.log.note(size))
        return folder


def put(folder: Path, path: str, data: bytes) -> None:
    """Write a file and the folders above it."""
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def change(folder: Path, path: str, at: int = -1) -> None:
    """Flip one bit of a file."""
    data = bytearray((folder / path).read_bytes())
    data[at] ^= 1
    (folder / path).write_bytes(bytes(data))


def finding_of(output: str) -> dict[str, Any]:
    """The JSON of a failed verification."""
    parsed = json.loads(output)
    if not isinstance(parsed, dict) or parsed["verified"]:
        raise AssertionError(output)
    return parsed
