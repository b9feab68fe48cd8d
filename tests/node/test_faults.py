"""A disk that fails before or after any call: the engine stops, and a restart finds the truth."""

from dataclasses import dataclass

import pytest

from ledger.errors import StoreError
from ledger.format.outcome import PutDone, ReadGranted
from ledger.leveldb import LevelDB
from network.embedded import EngineLimits
from network.errors import EngineFailedError
from node.candidates import Submission
from node.errors import DamagedError
from node.fsck import Options, check_directory
from tests.support.faults import Call, Fault, When
from tests.support.memory_store import MemoryStore
from tests.support.small_ledger import Answer, SmallLedger, gather

NAMES = ("a", "b", "c")
PER_NAME = 4
SMALL_BLOCKS = EngineLimits(block_operations=2)


@dataclass(frozen=True, slots=True)
class Ran:
    """What was submitted, and what came back."""

    submissions: list[Submission]
    answers: list[Answer | BaseException]

    def acknowledged(self) -> list[tuple[Submission, Answer]]:
        """What was answered."""
        pairs = zip(self.submissions, self.answers, strict=True)
        return [(one, answer) for one, answer in pairs if isinstance(answer, Answer)]

    def rejected(self) -> list[BaseException]:
        """What was not."""
        return [one for one in self.answers if isinstance(one, BaseException)]


async def run_until_failure(ledger: SmallLedger, fault: Fault) -> Ran:
    """Submit puts at once, in small blocks, over a disk that fails; then close."""
    fault.is_armed = False
    opened = ledger.open(fault)
    fault.is_armed = True
    submissions = [ledger.put(name, b"%d" % number) for number in range(PER_NAME) for name in NAMES]
    try:
        async with ledger.engine(opened, SMALL_BLOCKS) as engine:
            ran = Ran(submissions, await gather(engine, *submissions))
            if fault.happened:
                assert isinstance(await engine.failed(), StoreError | OSError)
                with pytest.raises(EngineFailedError):
                    await engine.submit(submissions[0])
    finally:
        opened.close()
    opened.store.verify()
    return ran


def verify_after_restart(ledger: SmallLedger, ran: Ran) -> None:
    """Nothing acknowledged is lost; the same bytes again run what did not run; nothing twice."""
    locked = _verify_clean(ledger)
    opened = ledger.open()
    assert opened.replica.head.size >= locked
    for submission, before in ran.acknowledged():
        (again,) = opened.run(submission)
        assert again.is_again
        assert again.index == before.index
    answers = [opened.run(submission)[0] for submission in ran.submissions]
    assert all(not answer.refusal for answer in answers)
    assert len({answer.index for answer in answers}) == len(answers)
    for name in NAMES:
        (read,) = opened.run(ledger.read(name))
        detail = read.outcomes[0].detail
        assert isinstance(detail, ReadGranted)
        assert detail.version == PER_NAME
    (more,) = opened.run(ledger.put("a", b"more"))
    assert more.outcomes[0].detail == PutDone(PER_NAME + 1)
    opened.close()
    _verify_clean(ledger)


def _verify_clean(ledger: SmallLedger) -> int:
    opened = ledger.open()
    newest = opened.lock.newest
    opened.close()
    report = check_directory(ledger.home.data, ledger.genesis, Options(newest))
    assert report.is_clean, report.findings
    return newest.size


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("call", ["write", "advance"])
async def test_failing_write(ledger: SmallLedger, call: Call, number: int, when: When) -> None:
    """A write or lock that fails stops the engine; answers given stand, all others are told."""
    fault = Fault(call, number, when)
    ran = await run_until_failure(ledger, fault)
    assert fault.happened
    assert ran.rejected()
    assert all(isinstance(one, EngineFailedError) for one in ran.rejected())
    assert len(ran.acknowledged()) <= 2 * number
    verify_after_restart(ledger, ran)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", [0, 1, 2, 3, 5, 8, 13, 21])
async def test_failing_read(ledger: SmallLedger, number: int, when: When) -> None:
    """A read that fails while a block executes or is answered stops the engine the same way."""
    fault = Fault("get", number, when)
    ran = await run_until_failure(ledger, fault)
    assert fault.happened == bool(ran.rejected())
    assert all(isinstance(one, EngineFailedError) for one in ran.rejected())
    verify_after_restart(ledger, ran)


@pytest.mark.parametrize("number", range(3))
def test_failing_read_while_opening(ledger: SmallLedger, number: int) -> None:
    """A read that fails while the ledger opens is an error, and the next start finds it whole."""
    with pytest.raises(StoreError):
        ledger.open(Fault("get", number, "before"))
    _verify_clean(ledger)


@pytest.mark.parametrize("call", ["write", "advance"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_replica_commits_nothing_after_a_failure(
    ledger: SmallLedger, call: Call, when: When
) -> None:
    """Even an engine that goes on after a failed commit gets nothing more into the store."""
    opened = ledger.open(Fault(call, 0, when))
    replica = opened.replica
    blocks = [
        replica.finalize(replica.propose([ledger.put("a", b"%d" % number)], 0))
        for number in range(2)
    ]
    with pytest.raises((StoreError, OSError)):
        replica.commit(blocks[0])
    for block in blocks:
        with pytest.raises(DamagedError, match="an earlier block"):
            replica.commit(block)
    opened.store.verify()
    opened.close()
    _verify_clean(ledger)


async def test_no_failure_at_all(ledger: SmallLedger) -> None:
    """The same load over a disk that never fails answers everything."""
    fault = Fault("write", 10_000, "before")
    ran = await run_until_failure(ledger, fault)
    assert not ran.rejected()
    verify_after_restart(ledger, ran)


async def test_power_cut(ledger: SmallLedger) -> None:
    """What was acknowledged survives the loss of all that was not synced, after every block."""
    store = LevelDB(ledger.home.data)
    memory = MemoryStore(dict(store.scan(b"", b"\xff")))
    store.close()
    told: list[tuple[Submission, int]] = []
    for number in range(6):
        opened = ledger.open(store_below=memory)
        async with ledger.engine(opened, SMALL_BLOCKS) as engine:
            submissions = [ledger.put(name, b"%d" % number) for name in NAMES]
            answers = await gather(engine, *submissions)
            memory = memory.crash()
        for submission, answer in zip(submissions, answers, strict=True):
            assert isinstance(answer, Answer)
            told.append((submission, answer.index))
        opened.close()
    opened = ledger.open(store_below=memory)
    for submission, index in told:
        (again,) = opened.run(submission)
        assert (again.is_again, again.index) == (True, index)
    (more,) = opened.run(ledger.put("a", b"more"))
    assert more.outcomes[0].detail == PutDone(7)
    opened.close()
