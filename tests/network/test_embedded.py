"""The embedded engine against an application that checks the port's promises."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from network.embedded import EmbeddedEngine, EngineLimits
from network.errors import ClosingError, EngineFailedError, OverloadedError
from tests.support.strict_application import (
    Block,
    Failure,
    Item,
    StrictApplication,
    ToldToFailError,
    as_port,
    until,
)

Engine = EmbeddedEngine[Item, Block, Block, int]


def clock_ms() -> int:
    """Milliseconds."""
    return time.time_ns() // 1_000_000


def engine_of(application: StrictApplication, limits: EngineLimits | None = None) -> Engine:
    """An engine over the application; not started."""
    return EmbeddedEngine(as_port(application), clock_ms=clock_ms, limits=limits or EngineLimits())


def submitting(engine: Engine, items: list[Item]) -> list[asyncio.Task[int]]:
    """Tasks that submit and wait, in order."""
    return [asyncio.create_task(engine.submit(item)) for item in items]


def items(count: int, **same: int) -> list[Item]:
    """Items numbered from 0."""
    return [Item(number, **same) for number in range(count)]


@pytest.fixture
async def application() -> AsyncIterator[StrictApplication]:
    """An open gate; whatever the test does, the promises are kept."""
    made = StrictApplication()
    made.gate.set()
    yield made
    made.gate.set()
    made.verify_promises()


async def test_each_waiter_gets_its_own_answer(application: StrictApplication) -> None:
    """A thousand submissions are all answered, each with what belongs to it, in their order."""
    async with engine_of(application) as engine:
        answers = await asyncio.gather(*map(engine.submit, items(1000)))
    assert answers == list(range(1000))
    ordered = [item.number for block in application.published for item in block.items]
    assert ordered == answers


async def test_groups_what_waits(application: StrictApplication) -> None:
    """While two blocks are in flight everything else waits, and then goes into one block."""
    application.gate.clear()
    async with engine_of(application) as engine:
        first = submitting(engine, items(1))
        await until(lambda: len(application.finalized) == 1)
        second = submitting(engine, items(1))
        await until(lambda: len(application.finalized) == 2)
        rest = submitting(engine, items(50))
        await until(lambda: engine.queued_operations == 50)
        application.gate.set()
        await asyncio.gather(*first, *second, *rest)
    assert [len(block.items) for block in application.published] == [1, 1, 50]


@pytest.mark.parametrize("in_flight", [1, 2, 3])
async def test_blocks_in_flight_are_bounded(in_flight: int) -> None:
    """Never more blocks than allowed are finalized and not yet published."""
    application = StrictApplication(in_flight=in_flight)
    limits = EngineLimits(block_operations=1, in_flight=in_flight)
    async with engine_of(application, limits) as engine:
        tasks = submitting(engine, items(20))
        await until(lambda: application.tried == 1)
        await until(lambda: len(application.finalized) == in_flight)
        assert not application.published
        application.gate.set()
        assert await asyncio.gather(*tasks) == list(range(20))
    application.verify_promises()


async def test_executes_while_the_last_block_is_synced(application: StrictApplication) -> None:
    """The next block is finalized while the writer thread still holds the one before."""
    application.gate.clear()
    async with engine_of(application, EngineLimits(block_operations=1)) as engine:
        tasks = submitting(engine, items(2))
        await until(lambda: len(application.finalized) == 2)
        assert not application.committed
        application.gate.set()
        await asyncio.gather(*tasks)


@pytest.mark.parametrize(
    "limits, same, expected",
    [
        pytest.param(EngineLimits(block_operations=10), {"operations": 4}, 2, id="operations"),
        pytest.param(EngineLimits(block_bytes=1000), {"size": 400}, 2, id="bytes"),
        pytest.param(EngineLimits(block_operations=10), {"operations": 11}, 1, id="one too many"),
        pytest.param(EngineLimits(block_bytes=1000), {"size": 1001}, 1, id="one too large"),
    ],
)
async def test_blocks_are_bounded(
    application: StrictApplication, limits: EngineLimits, same: dict[str, int], expected: int
) -> None:
    """A block takes no more than its bounds, but always at least one submission."""
    async with engine_of(application, limits) as engine:
        await asyncio.gather(*map(engine.submit, items(12, **same)))
    assert {len(block.items) for block in application.published} == {expected}


async def test_full_queue_refuses_at_once(application: StrictApplication) -> None:
    """What does not fit into the queue is refused and not run; what was taken is answered."""
    application.gate.clear()
    limits = EngineLimits(queue_operations=8, block_operations=1)
    async with engine_of(application, limits) as engine:
        flying = submitting(engine, items(2))
        await until(lambda: len(application.finalized) == 2)
        waiting = submitting(engine, items(2, operations=4))
        await until(lambda: engine.queued_operations == 8)
        with pytest.raises(OverloadedError):
            await engine.submit(Item(99))
        application.gate.set()
        await asyncio.gather(*flying, *waiting)
        assert engine.queued_operations == 0
        assert await engine.submit(Item(7, operations=8)) == 7
    assert 99 not in [item.number for block in application.proposed for item in block.items]


async def test_queue_is_bounded_in_bytes(application: StrictApplication) -> None:
    """Few large submissions are refused as soon as many small ones would be."""
    application.gate.clear()
    limits = EngineLimits(queue_bytes=2000, block_operations=1)
    async with engine_of(application, limits) as engine:
        flying = submitting(engine, items(2))
        await until(lambda: len(application.finalized) == 2)
        waiting = submitting(engine, items(2, size=1000))
        await until(lambda: engine.queued_operations == 2)
        with pytest.raises(OverloadedError):
            await engine.submit(Item(99))
        application.gate.set()
        await asyncio.gather(*flying, *waiting)
        assert await engine.submit(Item(7, size=2000)) == 7


async def test_closing_finishes_what_waits(application: StrictApplication) -> None:
    """Closing answers all that was taken and takes nothing more."""
    application.gate.clear()
    engine = engine_of(application, EngineLimits(block_operations=3))
    async with engine:
        tasks = submitting(engine, items(20))
        await until(lambda: application.tried == 1)
        closing = asyncio.create_task(engine.__aexit__(None, None, None))
        await asyncio.sleep(0)
        with pytest.raises(ClosingError):
            await engine.submit(Item(99))
        assert not closing.done()
        application.gate.set()
        await closing
        assert [task.result() for task in tasks] == list(range(20))
        assert len(application.published) == len(application.committed) == 7


async def test_cancelled_waiters_harm_nobody(application: StrictApplication) -> None:
    """A waiter that goes away, before or in its block, takes no other's answer along."""
    application.gate.clear()
    async with engine_of(application) as engine:
        flying = submitting(engine, items(10))
        await until(lambda: len(application.finalized) == 1)
        waiting = submitting(engine, items(10))
        await until(lambda: engine.queued_operations == 10 or len(application.finalized) == 2)
        for task in (*flying[::2], *waiting[1::2]):
            task.cancel()
        application.gate.set()
        answers = await asyncio.gather(*flying, *waiting, return_exceptions=True)
        assert [one for one in answers[:10] if isinstance(one, int)] == [1, 3, 5, 7, 9]
        assert [one for one in answers[10:] if isinstance(one, int)] == [0, 2, 4, 6, 8]
        assert await engine.submit(Item(5)) == 5


async def test_idle_engine_makes_blocks(application: StrictApplication) -> None:
    """Without submissions a block comes after each interval, so that a header can be written."""
    async with engine_of(application, EngineLimits(block_interval_s=0.01)) as engine:
        await until(lambda: len(application.published) >= 3)
        assert await engine.submit(Item(3)) == 3
    assert not application.published[0].items


@pytest.mark.parametrize("call", ["propose", "finalize", "commit", "publish"])
@pytest.mark.parametrize("number", [0, 1, 3])
async def test_any_failure_stops_everything(call: str, number: int) -> None:
    """After a failed call nothing more is proposed, committed or published, and all waiters know.

    Answers that were given before stand; every other one is EngineFailedError with the cause.
    """
    application = StrictApplication(failure=Failure(call, number))
    application.gate.set()
    engine = engine_of(application, EngineLimits(block_operations=2))
    async with engine:
        tasks = submitting(engine, items(30))
        done = await asyncio.gather(*tasks, return_exceptions=True)
        failure = await engine.failed()
        with pytest.raises(EngineFailedError):
            await engine.submit(Item(99))
    application.verify_promises()
    assert isinstance(failure, ToldToFailError)
    answered = [one for one in done if isinstance(one, int)]
    assert answered == [item.number for block in application.published for item in block.items]
    assert len(answered) <= 2 * number
    rejected = [one for one in done if not isinstance(one, int)]
    assert all(isinstance(one, EngineFailedError) and one.__cause__ for one in rejected)


async def test_block_after_a_failed_commit_is_not_committed() -> None:
    """A block that was in flight behind a failing one never reaches the application's commit."""
    application = StrictApplication(failure=Failure("commit", 0))
    engine = engine_of(application, EngineLimits(block_operations=1))
    async with engine:
        tasks = submitting(engine, items(5))
        await until(lambda: len(application.finalized) == 2)
        application.gate.set()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(one, EngineFailedError) for one in done)
    application.verify_promises()
    assert application.tried == 1
    assert not application.committed
    assert len(application.finalized) == 2


async def test_failure_while_closing_leaves_nobody_waiting() -> None:
    """A commit that fails while the engine closes still rejects every waiter."""
    application = StrictApplication(failure=Failure("commit", 1))
    engine = engine_of(application, EngineLimits(block_operations=1))
    async with engine:
        tasks = submitting(engine, items(6))
        await until(lambda: len(application.finalized) == 2)
        closing = asyncio.create_task(engine.__aexit__(None, None, None))
        application.gate.set()
        await closing
        assert all(task.done() for task in tasks)
        done = await asyncio.gather(*tasks, return_exceptions=True)
    application.verify_promises()
    assert [one for one in done if isinstance(one, int)] in ([], [0])


async def test_idle_failure_is_noticed() -> None:
    """An engine that fails without a single waiter says so too."""
    application = StrictApplication(failure=Failure("finalize", 0))
    application.gate.set()
    async with engine_of(application, EngineLimits(block_interval_s=0.001)) as engine:
        assert isinstance(await asyncio.wait_for(engine.failed(), 10), ToldToFailError)
