"""A replica over a real database and a real rollback lock, and an enclave that really signs.

The rules, the tree, the store and the lock are real; certifying and releasing are not here: the
publisher answers with what happened, after checking that it stands.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from attestation.verdict import encode_verdict
from contracts.prepare import prepare
from contracts.view import BlockEnd, StateView
from ledger import keys
from ledger.crypto.secret import Secret
from ledger.format.genesis import decode_genesis, network_id
from ledger.format.operation import Delete, Operation, Put, Read
from ledger.format.outcome import Coordinates, Outcome, SessionOpened
from ledger.format.sealed import MODE_SESSION, split_sealed
from ledger.format.transaction import SignerKind, decode_envelope, encode_envelope
from ledger.leveldb import LevelDB
from ledger.log.tree import Tree
from ledger.sealing import seal_value
from ledger.store import Store
from network.embedded import EmbeddedEngine, EngineLimits
from node.candidates import Submission
from node.founding import start_log
from node.home import Home
from node.ledger_store import LedgerStore
from node.replica import BlockJudge, Replica, ReplicaParts
from node.results import Again, Block, Finalized, Recorded
from tests.support.faults import Fault, FaultyLock, FaultyStore
from tests.support.small_rules import (
    Enclave,
    Signer,
    SmallRules,
    Terms,
    genesis_bytes,
    identity_of,
    new_session,
)

EVIDENCE = b"evidence"
COLLECTION = "app"
KEK = Secret(bytes(range(32)))


@dataclass(frozen=True, slots=True)
class Answer:
    """Where a submission stands and what it gave, or why it was refused."""

    index: int
    outcomes: tuple[Outcome, ...] = ()
    is_again: bool = False
    refusal: str = ""


Engine = EmbeddedEngine[Submission, Block, Finalized, Answer]


class CheckingPublisher:
    """Answers, after checking that what it answers is durable and in the tree."""

    def __init__(self, store: FaultyStore) -> None:
        self._store = store

    def publish(self, finalized: Finalized, tree: Tree, view: LedgerStore) -> list[Answer]:
        """See node.replica.Publisher."""
        head = finalized.head
        assert tree.root_at(head.size) == head.root, "the tree is not the finalized one"
        answers = []
        for result in finalized.results:
            if isinstance(result, Recorded):
                durable = self._store.inner.get(keys.entry(result.index))
                assert durable == result.executed.leaf, "an answer before its entry was durable"
                answers.append(Answer(result.index, result.executed.outcomes))
            elif isinstance(result, Again):
                answers.append(Answer(result.index, is_again=True))
            else:
                answers.append(Answer(-1, refusal=result.error.reason.name))
        return answers


class Trusting:
    """A BlockJudge that finds nothing again."""

    async def verify(self, block: Block, view: StateView) -> None:
        """See node.replica.BlockJudge."""


@dataclass(slots=True)
class OpenLedger:
    """A replica, open, and what is under it."""

    store: FaultyStore
    lock: FaultyLock
    replica: Replica[Answer]

    def close(self) -> None:
        """Close, as a process that ends does."""
        self.lock.close()
        self.store.close()

    def run(self, *submissions: Submission, now_ms: int = 0) -> list[Answer]:
        """Propose, finalize, commit, publish one block, in this thread."""
        replica = self.replica
        block = replica.propose(submissions, now_ms or replica.head.time_ms + 1000)
        finalized = replica.finalize(block)
        replica.commit(finalized)
        return replica.publish(finalized)


class SmallLedger:
    """A ledger's directory, and one enclave `alpha` that may read and write."""

    def __init__(self, directory: Path, genesis: bytes | None = None) -> None:
        """Write genesis, database and lock."""
        self.home = Home(directory)
        self.genesis = genesis_bytes() if genesis is None else genesis
        self.network_id = network_id(self.genesis)
        self.home.root.mkdir(parents=True, exist_ok=True)
        self.home.genesis.write_bytes(self.genesis)
        start_log(self.home, self.genesis, decode_genesis(self.genesis))
        self._rules = SmallRules(self.genesis)  # makes envelopes; its state is not used
        self._enclave = Enclave("alpha")
        self.signer: Signer | None = None
        self._records = 0

    def open(
        self,
        fault: Fault | None = None,
        store_below: Store | None = None,
        judge: BlockJudge | None = None,
    ) -> OpenLedger:
        """Open database (or what stands for it), lock and replica; all closed if that fails."""
        store = FaultyStore(store_below or LevelDB(self.home.data), fault)
        try:
            lock = FaultyLock(self.home.lock, self.network_id, fault)
            try:
                publisher = CheckingPublisher(store)
                replica = Replica(ReplicaParts(store, lock, publisher, judge or Trusting()))
            except BaseException:
                lock.close()
                raise
        except BaseException:
            store.close()
            raise
        return OpenLedger(store, lock, replica)

    @asynccontextmanager
    async def engine(
        self, opened: OpenLedger, limits: EngineLimits | None = None
    ) -> AsyncIterator[Engine]:
        """An engine over an open ledger."""
        engine: Engine = EmbeddedEngine(
            opened.replica,
            clock_ms=lambda: self._rules.time_ms,
            limits=limits or EngineLimits(),
        )
        async with engine:
            yield engine

    # ------------------------------------------------------------------ what a client makes

    def open_session(self, opened: OpenLedger) -> None:
        """Have the enclave's session opened; it signs from then on."""
        (answer,) = opened.run(self.opening(opened))
        detail = answer.outcomes[0].detail
        assert isinstance(detail, SessionOpened), answer
        self.signer = Signer(SignerKind.SESSION, detail.session_id, self._enclave.key.sign)

    def opening(self, opened: OpenLedger) -> Submission:
        """The OpenSession of a fresh enclave, over the newest block end."""
        replica, rules = opened.replica, self._rules
        rules.time_ms = replica.head.time_ms
        rules.log.ends = {replica.head.size: BlockEnd(replica.head.root, rules.time_ms)}
        self._enclave = Enclave("alpha")
        operation = rules.opening(self._enclave)
        verdict = encode_verdict(rules.verdict(identity_of("alpha"), operation))
        envelope = rules.envelope(new_session(self._enclave), operation)
        return self._submission(envelope, (EVIDENCE,), verdict)

    def put(self, name: str, value: bytes, if_version: int | None = None) -> Submission:
        """A transaction of one put."""
        return self.transaction(self.put_operation(name, value, if_version))

    def read(self, name: str) -> Submission:
        """A transaction of one read."""
        return self.transaction((Read(COLLECTION, name), b""))

    def delete(self, name: str) -> Submission:
        """A transaction of one deletion."""
        return self.transaction((Delete(COLLECTION, name), b""))

    def put_operation(
        self, name: str, value: bytes, if_version: int | None = None
    ) -> tuple[Operation, bytes]:
        """A put and its payload, really sealed."""
        assert self.signer is not None, "open a session first"
        self._records += 1
        record_id = sha256(b"record %d" % self._records).digest()[:16]
        at = Coordinates(COLLECTION, name, record_id, 1, MODE_SESSION, self.signer.name)
        data_key = Secret(sha256(b"data key %d" % self._records).digest())
        sealed, digest = seal_value(self.network_id, at, KEK, data_key, value)
        size = len(split_sealed(sealed)[1])
        return Put(COLLECTION, name, record_id, 1, MODE_SESSION, digest, size, if_version), sealed

    def transaction(
        self, *pairs: tuple[Operation | bytes, bytes], terms: Terms | None = None
    ) -> Submission:
        """A signed transaction of operations with their payloads."""
        assert self.signer is not None, "open a session first"
        operations, payloads = zip(*pairs, strict=True)
        envelope = self._rules.envelope(self.signer, *operations, terms=terms or Terms())
        return self._submission(envelope, payloads, None)

    def _submission(
        self, envelope: bytes, payloads: tuple[bytes, ...], verdict: bytes | None
    ) -> Submission:
        with_payloads = encode_envelope(replace(decode_envelope(envelope), payloads=payloads))
        return Submission(prepare(with_payloads, self.network_id), verdict, len(with_payloads))


async def gather(engine: Engine, *submissions: Submission) -> list[Answer | BaseException]:
    """Submit all at once; answers or exceptions, in order."""
    return await asyncio.gather(*map(engine.submit, submissions), return_exceptions=True)
