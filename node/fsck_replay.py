"""Executes stored transactions again from genesis, on a scratch store that ends up with the state.

1. A transaction is made of its leaf (body, signature) and of what stands beside it (operations,
   salts); the verdict on evidence or collateral is the one in the stored outcome: replay only
   reads verdicts.
2. It must run, and give exactly the stored leaf and outcomes.
3. A block ends with the header that its height, its time and the parameters make.
4. Each block's state and tiles go into the scratch store, unsynced: it is thrown away afterwards.

Written apart from the replica's own loop, so that a fault there is not repeated here; the rules and
the tree are shared. Not here: reading the store that is checked (fsck.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from contracts.execute import Block, Executed, execute, parameters_of
from contracts.prepare import prepare
from contracts.view import BlockEnd
from ledger import keys
from ledger.errors import FormatError
from ledger.format.genesis import network_id
from ledger.format.hygiene import UpdateCollateral
from ledger.format.leaf import (
    BlockHeader,
    GenesisLeaf,
    TransactionLeaf,
    decode_leaf,
    encode_leaf,
)
from ledger.format.operation import OpenSession, Operation
from ledger.format.outcome import CollateralUpdated, Outcome, SessionOpened, decode_outcome
from ledger.format.stored import Stored
from ledger.format.transaction import Envelope, encode_envelope, writer_of
from ledger.keys import Head
from ledger.log.merkle import leaf_hash
from ledger.log.tree import Tree
from ledger.reason import Reason
from ledger.store import Store
from node.candidates import has_payload, verify_payload
from node.errors import DamagedError
from node.founding import known_genesis, write_genesis
from node.ledger_store import LedgerStore
from node.results import Writes


@dataclass(frozen=True, slots=True)
class Replayed:
    """A transaction that ran again as recorded."""

    operations: tuple[Operation | None, ...]
    outcomes: tuple[Outcome, ...]
    writer: bytes

    def payloads(self) -> Iterator[tuple[int, str]]:
        """The positions that were stored with a payload, and what it is if it may not be gone."""
        for position, operation in enumerate(self.operations):
            if self.outcomes[position].reason is Reason.OK and has_payload(operation):
                yield position, _KEPT.get(type(operation), "")

    def verify_payload(self, position: int, payload: bytes, network_id: bytes) -> None:
        """Check a stored payload; FormatError if no operation names it."""
        if position >= len(self.operations) or not has_payload(self.operations[position]):
            raise FormatError("it belongs to no operation")
        verify_payload(self.operations[position], payload, network_id, self.writer)


_KEPT: dict[type[object], str] = {OpenSession: "evidence", UpdateCollateral: "collateral"}
NOTHING = Replayed((), (), b"")


class Replay:
    """The ledger as its entries make it; `head` and `tree` are those of the last ended block."""

    def __init__(self, scratch: Store, genesis: bytes) -> None:
        """Write genesis into an empty scratch store."""
        decoded = known_genesis(genesis)
        self.network_id = network_id(genesis)
        self._scratch = scratch
        self._view = LedgerStore(scratch)
        self.head: Head = write_genesis(scratch, genesis, decoded)
        self.tree = Tree.open(self._view, self.head.size, self.head.root)
        self._genesis_leaf = encode_leaf(GenesisLeaf(self.network_id, decoded.time_ms))
        self._begin()

    @property
    def is_between_blocks(self) -> bool:
        """Whether no entry waits for its block's header."""
        return not self._hashes

    def get(self, key: bytes) -> bytes | None:
        """See contracts.view.StateView."""
        if key in self._writes:
            return self._writes[key]
        return self._view.get(key)

    def block_end(self, size: int) -> BlockEnd | None:
        """See contracts.view.LogView."""
        if not 1 <= size <= self.tree.size:
            return None
        data = self._scratch.get(keys.entry(size - 1))
        leaf = None if data is None else decode_leaf(data)
        if not isinstance(leaf, BlockHeader | GenesisLeaf):
            return None
        return BlockEnd(self.tree.root_at(size), leaf.time_ms)

    def verify_genesis(self, data: bytes) -> None:
        """Check entry 0; DamagedError if it is another."""
        if data != self._genesis_leaf:
            raise DamagedError("it is not the one that genesis makes")

    def count(self, data: bytes) -> None:
        """Take a leaf into the tree as it stands; each leaf once, whatever else is said of it."""
        self._hashes.append(leaf_hash(data))

    def run(self, index: int, data: bytes, leaf: TransactionLeaf, stored: Stored) -> Replayed:
        """Execute the transaction of entry `index` again.

        Raises DamagedError, FormatError, ContractError where it does not run as recorded.
        """
        envelope = Envelope(
            leaf.body,
            leaf.signature,
            stored.operations,
            stored.salts,
            (b"",) * len(stored.operations),
        )
        prepared = prepare(encode_envelope(envelope), self.network_id)
        self._verify_place(leaf.height, leaf.time_ms)
        block = Block(leaf.height, leaf.time_ms, index)
        done = execute(prepared, _verdict(stored), self, self, block)
        if not isinstance(done, Executed):
            raise DamagedError(f"it repeats the transaction of entry {done.index}")
        if done.encoded != stored.outcomes:
            raise DamagedError("its outcomes are not what the rules give")
        if done.leaf != data:
            raise DamagedError("its leaf is not what the rules give")
        self._writes.update(done.writes)
        return Replayed(prepared.operations, done.outcomes, writer_of(prepared.body))

    def end_block(self, data: bytes, header: BlockHeader) -> None:
        """Close the block whose header is the leaf counted last; DamagedError if it is another."""
        try:
            self._verify_place(header.height, header.time_ms)
            if data != self._header(header.time_ms):
                raise DamagedError("its header is not what the entries before it make")
        finally:
            self._close(data, header)

    def _begin(self) -> None:
        self._writes: Writes = {}
        self._hashes: list[bytes] = []
        self._time_ms: int | None = None

    def _verify_place(self, height: int, time_ms: int) -> None:
        if height != self.head.height + 1:
            raise DamagedError(f"it says height {height}, expected {self.head.height + 1}")
        if self._time_ms is None:
            self._time_ms = time_ms
        if time_ms != self._time_ms or time_ms < self.head.time_ms:
            raise DamagedError("its time is not its block's, or before the block before")

    def _header(self, time_ms: int) -> bytes:
        parameters = parameters_of(self)
        return encode_leaf(
            BlockHeader(
                height=self.head.height + 1,
                time_ms=time_ms,
                state_root=b"",
                trust_version=parameters.trust_version,
                epoch=parameters.epoch,
                rules_version=parameters.rules_version,
            )
        )

    def _close(self, data: bytes, header: BlockHeader) -> None:
        writes = self._writes
        appended = self.tree.append(self._hashes)
        for (level, index), tile in appended.tiles.items():
            writes[keys.tile(level, index)] = tile
        writes[keys.entry(appended.size - 1)] = data
        self._view.stage(writes)
        self._scratch.write(writes, sync=False)
        self._view.settle(writes)
        self.tree.mark_durable(appended.size)
        self.head = Head(appended.size, appended.root, header.height, header.time_ms)
        self._begin()


def _verdict(stored: Stored) -> bytes | None:
    detail = decode_outcome(stored.outcomes[0]).detail
    return detail.verdict if isinstance(detail, SessionOpened | CollateralUpdated) else None
