"""The replica: runs the rules over the store. Implements ``network.application.Application``.

0. `verify` has the verdicts of another replica's proposal found again (node.verdicts); what is
   finalized is never judged again, so that replay gives the same whatever the verifier.
1. `finalize` executes a block on top of all earlier ones: one leaf per transaction, then the header
   leaf, tiles, what stands beside the log, and the state, all in one batch.
2. `commit` writes the batch, synced, then moves the rollback lock; it runs in the writer thread.
3. `publish` cosigns and has the checkpoint certified, then makes the answers.
A block whose transactions all refused or repeated leaves no trace unless a header is due.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from contracts.errors import RefusedError
from contracts.execute import Block as RulesBlock
from contracts.execute import Executed, Repeated, execute, parameters_of
from contracts.genesis import RULES_VERSION
from contracts.records import Parameters
from contracts.view import BlockEnd, StateView
from ledger import keys
from ledger.format.leaf import BlockHeader, GenesisLeaf, decode_leaf, encode_leaf
from ledger.format.stored import Stored, encode_stored
from ledger.keys import Head
from ledger.log.merkle import leaf_hash
from ledger.log.tree import Tree
from ledger.reason import Reason
from ledger.store import Store
from node.candidates import Submission
from node.errors import DamagedError, RollbackError
from node.ledger_store import LedgerStore
from node.results import Again, Block, Finalized, Recorded, Refused, Result, Writes
from node.rollback_lock import Locked, RollbackLock

A = TypeVar("A")


class Publisher(Protocol[A]):
    """Certifies a durable tree and answers; see node.publisher."""

    def publish(self, finalized: Finalized, tree: Tree, view: LedgerStore) -> list[A]:
        """One answer for each result."""
        ...


class BlockJudge(Protocol):
    """Finds the verdicts of a block again; see node.verdicts."""

    async def verify(self, block: Block, view: StateView) -> None:
        """BlockRefusedError if it finds others."""
        ...


@dataclass(frozen=True, slots=True)
class ReplicaParts(Generic[A]):
    """What a replica is built from."""

    store: Store
    lock: RollbackLock
    publisher: Publisher[A]
    judge: BlockJudge


class Replica(Generic[A]):
    """The deterministic state machine over one store; see the port for who calls what."""

    def __init__(self, parts: ReplicaParts[A]) -> None:
        """Open at the stored head; DamagedError or RollbackError if it cannot be trusted."""
        self._parts = parts
        self._view = LedgerStore(parts.store)
        self.head = read_head(parts.store)
        self.tree = Tree.open(self._view, self.head.size, self.head.root)
        verify_lock(parts.lock.newest, self.tree)
        verify_rules(self.parameters)
        self._is_broken = False

    @property
    def view(self) -> LedgerStore:
        """Entries and state, staged blocks included."""
        return self._view

    @property
    def parameters(self) -> Parameters:
        """The rules' parameters now."""
        return parameters_of(self._view)

    def block_end(self, size: int) -> BlockEnd | None:
        """See contracts.view.LogView."""
        if not 1 <= size <= self.tree.size:
            return None
        data = self._view.get(keys.entry(size - 1))
        leaf = None if data is None else decode_leaf(data)
        if not isinstance(leaf, BlockHeader | GenesisLeaf):
            return None
        return BlockEnd(self.tree.root_at(size), leaf.time_ms)

    def propose(self, candidates: Sequence[Submission], now_ms: int) -> Block:
        """See Application.propose."""
        return Block(tuple(candidates), now_ms)

    async def verify(self, block: Block) -> None:
        """See Application.verify."""
        await self._parts.judge.verify(block, self._view)

    def finalize(self, block: Block) -> Finalized:
        """See Application.finalize."""
        last = self.head
        time_ms = max(block.now_ms, last.time_ms)
        staging = _Staging(self, last.height + 1, time_ms)
        results = tuple(map(staging.run, block.submissions))
        parameters = self.parameters
        is_due = time_ms - last.time_ms >= parameters.block_interval_ms
        if not staging.leaves and not is_due:
            return Finalized(results, None, last, b"")
        header = staging.end(parameters)
        appended = self.tree.append([leaf_hash(leaf) for leaf in staging.leaves])
        batch = staging.batch
        for (level, index), tile in appended.tiles.items():
            batch[keys.tile(level, index)] = tile
        self.head = Head(appended.size, appended.root, last.height + 1, time_ms)
        batch[keys.HEAD] = self.head.encode()
        self._view.stage(batch)
        return Finalized(results, batch, self.head, header)

    def commit(self, finalized: Finalized) -> None:
        """See Application.commit."""
        if self._is_broken:
            raise DamagedError("an earlier block could not be written")
        if finalized.batch is None:
            return
        lock = self._parts.lock
        try:
            self._parts.store.write(finalized.batch, sync=True)
            lock.advance(lock.newest, Locked(finalized.head.size, finalized.head.root))
        except BaseException:
            self._is_broken = True
            raise

    def publish(self, finalized: Finalized) -> list[A]:
        """See Application.publish."""
        if finalized.batch is not None:
            self.tree.mark_durable(finalized.head.size)
            self._view.settle(finalized.batch)
        return self._parts.publisher.publish(finalized, self.tree, self._view)


class _Staging:
    """One block while it executes: its own writes over everything before it."""

    def __init__(self, replica: Replica[Any], height: int, time_ms: int) -> None:
        self._replica = replica
        self._height = height
        self._time_ms = time_ms
        self._first = replica.tree.size
        self.leaves: list[bytes] = []
        self.batch: Writes = {}

    def get(self, key: bytes) -> bytes | None:
        if key in self.batch:
            return self.batch[key]
        return self._replica.view.get(key)

    def run(self, submission: Submission) -> Result:
        index = self._first + len(self.leaves)
        block = RulesBlock(self._height, self._time_ms, index)
        try:
            done = execute(submission.prepared, submission.verdict, self, self._replica, block)
        except RefusedError as error:
            return Refused(submission, error)
        if isinstance(done, Repeated):
            return Again(submission, done.index)
        self._record(submission, index, done)
        return Recorded(submission, index, done)

    def end(self, parameters: Parameters) -> bytes:
        header = encode_leaf(
            BlockHeader(
                height=self._height,
                time_ms=self._time_ms,
                state_root=b"",
                trust_version=parameters.trust_version,
                epoch=parameters.epoch,
                rules_version=parameters.rules_version,
            )
        )
        self.batch[keys.entry(self._first + len(self.leaves))] = header
        self.leaves.append(header)
        return header

    def _record(self, submission: Submission, index: int, done: Executed) -> None:
        envelope = submission.prepared.envelope
        batch = self.batch
        self.leaves.append(done.leaf)
        batch[keys.entry(index)] = done.leaf
        batch[keys.operations(index)] = encode_stored(
            Stored(envelope.operations, envelope.salts, done.encoded)
        )
        for position, payload in enumerate(envelope.payloads):
            # What was not put is not kept: a denied writer gets no storage.
            if payload and done.outcomes[position].reason is Reason.OK:
                batch[keys.payload(index, position)] = payload
        batch.update(done.writes)


def read_head(store: Store) -> Head:
    """The stored head; DamagedError if there is none."""
    data = store.get(keys.HEAD)
    if data is None:
        raise DamagedError("the data directory holds no ledger", "run sealedger node init")
    return keys.decode_head(data)


def verify_rules(parameters: Parameters) -> None:
    """Check that this program knows the ledger's rules; DamagedError says what to start instead."""
    if parameters.rules_version != RULES_VERSION:
        raise DamagedError(
            f"this ledger runs rules {parameters.rules_version}, this program knows "
            f"{RULES_VERSION}",
            "start the release that knows these rules, or found the network anew: sealedger node "
            "init with another --home; the data are left as they are",
        )


def verify_lock(locked: Locked, tree: Tree) -> None:
    """Check that the tree is the locked one or longer; RollbackError otherwise."""
    if tree.size < locked.size:
        raise RollbackError(
            f"the data end at entry {tree.size}, but this node already signed {locked.size}",
            "an older copy of the data was restored: bring the newest data back, or let the node "
            "catch up from a peer; do not delete the rollback lock",
        )
    if tree.root_at(locked.size) != locked.root:
        raise RollbackError(
            f"the data hold another history than the one this node signed at {locked.size}",
            "these data belong to another copy of the ledger: bring the right data back",
        )
