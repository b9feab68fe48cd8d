"""A small real log: leaves in a Merkle tree, blocks that end in headers, notes that cosigners sign.

It plays the node's part toward the key service and decides nothing: outcomes are what the test
says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from ledger.format.leaf import BlockHeader, GenesisLeaf, Leaf, TransactionLeaf, encode_leaf
from ledger.format.operation import Operation, encode_operation, operation_digest, outcome_digest
from ledger.format.outcome import Outcome, encode_outcome
from ledger.format.transaction import Body, SignerKind, encode_body, signed_message
from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import leaf_hash
from ledger.log.tree import Tree
from tests.support.log_reference import MemoryTiles
from tests.support.log_signers import TestSigner, signed_note

START_MS = 1_800_000_000_000


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs a transaction: the kind, the name in the body, and the private half."""

    kind: SignerKind
    name: bytes
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A transaction on the log, with what stands beside it."""

    index: int
    leaf: bytes
    body: bytes
    salts: tuple[bytes, ...]
    operations: tuple[bytes, ...]
    outcomes: tuple[bytes, ...]


class SmallLog:
    """A log with real proofs; `time_ms` is the time of the block that is being filled."""

    def __init__(self, origin: str, network_id: bytes, cosigners: Sequence[TestSigner]) -> None:
        self.origin = origin
        self.network_id = network_id
        self.cosigners = tuple(cosigners)
        self.time_ms = START_MS
        self.height = 0
        self.leaves: list[bytes] = []
        self._tiles = MemoryTiles()
        self.tree = Tree.open(self._tiles, 0)
        self._sequence = 0
        self.append(GenesisLeaf(network_id, START_MS))

    @property
    def size(self) -> int:
        return self.tree.size

    def append(self, leaf: Leaf) -> int:
        """Add any leaf; gives its index."""
        return self.append_bytes(encode_leaf(leaf))

    def append_bytes(self, data: bytes) -> int:
        """Add any bytes as a leaf; gives the index."""
        self._tiles.persist(self.tree.append([leaf_hash(data)]).tiles)
        self.tree.mark_durable(self.tree.size)
        self.leaves.append(data)
        return len(self.leaves) - 1

    def transact(
        self,
        signer: Signer,
        *steps: tuple[Operation, Outcome],
        network_id: bytes | None = None,
    ) -> Recorded:
        """Record operations with the outcomes that the test wants."""
        body = self.body_of(signer, *(operation for operation, _ in steps), network_id=network_id)
        return self.record(signer, body, *steps)

    def body_of(
        self, signer: Signer, *operations: Operation, network_id: bytes | None = None
    ) -> Body:
        """The body that the next transaction of these operations has."""
        return Body(
            network_id=network_id or self.network_id,
            signer_kind=signer.kind,
            signer=signer.name,
            sequence=self._sequence,
            valid_until_ms=self.time_ms + 60_000,
            atomic=False,
            operation_digests=tuple(
                operation_digest(self.salt(position), encode_operation(operation))
                for position, operation in enumerate(operations)
            ),
        )

    def salt(self, position: int) -> bytes:
        """The salt of an operation of the next transaction."""
        return sha256(b"salt %d %d" % (self._sequence, position)).digest()[:16]

    def record(self, signer: Signer, body: Body, *steps: tuple[Operation, Outcome]) -> Recorded:
        """Sign a body and put it on the log with the outcomes of its operations."""
        salts = tuple(self.salt(position) for position in range(len(steps)))
        operations = tuple(encode_operation(operation) for operation, _ in steps)
        outcomes = tuple(encode_outcome(outcome) for _, outcome in steps)
        data = encode_body(body)
        leaf = encode_leaf(
            TransactionLeaf(
                height=self.height,
                time_ms=self.time_ms,
                body=data,
                signature=signer.sign(signed_message(self.network_id, data)),
                outcome_digests=tuple(map(outcome_digest, salts, outcomes)),
            )
        )
        self._sequence += 1
        return Recorded(self.append_bytes(leaf), leaf, data, salts, operations, outcomes)

    def end_block(self, step_ms: int = 1_000, trust_version: int = 1) -> None:
        """Add the block's header; the next block is `step_ms` later."""
        self.append(BlockHeader(self.height, self.time_ms, b"", trust_version, 1, 1))
        self.height += 1
        self.time_ms += step_ms

    def checkpoint(self, size: int | None = None) -> Checkpoint:
        """The checkpoint of a size, by default the current one."""
        wanted = self.size if size is None else size
        return Checkpoint(self.origin, wanted, self.tree.root_at(wanted))

    def note(self, size: int | None = None, signers: Sequence[TestSigner] | None = None) -> bytes:
        """The note of a size, signed by all cosigners or by the given signers."""
        return signed_note(self.checkpoint(size), self.cosigners if signers is None else signers)

    def consistency(self, old_size: int, size: int | None = None) -> tuple[bytes, ...]:
        """The proof that the tree of `size` begins with that of `old_size`."""
        return self.tree.consistency_proof(old_size, self.size if size is None else size)

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """The proof that a leaf stands in the tree of `size`."""
        return self.tree.inclusion_proof(index, self.size if size is None else size)
