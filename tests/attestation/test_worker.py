"""The verifier process: it may die, hang or lie, and the node only refuses."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.collateral import collateral_digest, encode_collateral
from attestation.errors import (
    CannotDecideError,
    DecisionFault,
    EvidenceError,
    EvidenceFault,
)
from attestation.verify import collateral_key, verify, verify_collateral
from attestation.worker import VerificationWorker, WorkerLimits
from attestation.worker_codec import LENGTH_SIZE, JudgeEvidence, encode_request
from attestation.worker_process import READY
from tests.support import hostile_verifier
from tests.support.attested import NOW_S, SoftwareWorld
from tests.support.repository import ROOT

HOSTILE = "tests.support.hostile_verifier"
SHORT = WorkerLimits(verify_timeout_s=0.3)


@pytest.fixture
async def worker() -> AsyncIterator[VerificationWorker]:
    """The real verifier process."""
    running = VerificationWorker()
    yield running
    await running.close()


@pytest.fixture
async def hostile() -> AsyncIterator[VerificationWorker]:
    """The same loop around a judge that misbehaves on request."""
    running = VerificationWorker(program=HOSTILE)
    yield running
    await running.close()


async def survives(worker: VerificationWorker, world: SoftwareWorld) -> None:
    """The next honest call gets its verdict."""
    evidence, collateral = world.evidence(), world.collateral_bytes()
    verdict = await worker.verify(evidence, collateral, world.rules, NOW_S)
    assert verdict == verify(evidence, collateral, world.rules, NOW_S)


async def undecided(worker: VerificationWorker, evidence: bytes, world: SoftwareWorld) -> str:
    """The call refuses because the child failed; gives the fault and its detail."""
    with pytest.raises(CannotDecideError) as caught:
        await worker.verify(evidence, b"-", world.rules, NOW_S)
    return str(caught.value)


async def test_verdicts_and_refusals_come_back(
    worker: VerificationWorker, world: SoftwareWorld
) -> None:
    """The worker answers as the function does: verdict, prover's fault, verifier's fault."""
    await survives(worker, world)
    with pytest.raises(EvidenceError) as evidence:
        await worker.verify(world.debug_evidence(), world.collateral_bytes(), world.rules, NOW_S)
    assert evidence.value.code == EvidenceFault.DEBUG
    with pytest.raises(CannotDecideError) as decision:
        await worker.verify(world.evidence(), b"", world.rules, NOW_S)
    assert decision.value.code == DecisionFault.COLLATERAL_MALFORMED


async def test_the_three_questions(worker: VerificationWorker, world: SoftwareWorld) -> None:
    """Evidence, the key of its collateral and collateral itself are judged by one child."""
    evidence, collateral = world.evidence(), world.collateral_bytes()
    assert await worker.collateral_key(evidence) == collateral_key(evidence)
    child = worker._child
    judged = await worker.verify_collateral(collateral, world.rules, NOW_S)
    assert judged == verify_collateral(collateral, world.rules, NOW_S)
    await survives(worker, world)
    with pytest.raises(EvidenceError):
        await worker.collateral_key(b"junk")
    with pytest.raises(CannotDecideError) as stale:
        await worker.verify_collateral(collateral, world.rules, NOW_S - 1)
    assert stale.value.code == DecisionFault.COLLATERAL_FROM_FUTURE
    assert worker._child is child


async def test_an_answer_to_another_question_is_none(
    hostile: VerificationWorker, world: SoftwareWorld
) -> None:
    """A child that is out of step decides nothing and is replaced."""
    await survives(hostile, world)
    child = hostile._child
    with pytest.raises(CannotDecideError) as caught:
        await hostile.verify_collateral(world.collateral_bytes(), world.rules, NOW_S)
    assert caught.value.code == DecisionFault.VERIFIER_ABORTED
    await survives(hostile, world)
    assert hostile._child is not child


async def test_one_child_serves_many_callers(
    worker: VerificationWorker, world: SoftwareWorld
) -> None:
    """Waiting calls share one process and each gets its own verdict."""
    quotes = [world.evidence() for _ in range(20)]
    collateral = world.collateral_bytes()
    calls = [
        worker.verify(quote, collateral, world.rules, NOW_S + i) for i, quote in enumerate(quotes)
    ]
    verdicts = await asyncio.gather(*calls)
    assert [verdict.verified_at_s for verdict in verdicts] == [NOW_S + i for i in range(20)]


async def test_an_aborting_library_is_survived(
    hostile: VerificationWorker, world: SoftwareWorld
) -> None:
    """Attack: the library itself aborts on a root that is not self-issued; only the child dies."""
    held = world.collateral()
    rules = replace(world.rules, roots=(world.authority.pck_ca.public_bytes(Encoding.DER),))
    collateral = encode_collateral(replace(held, root_ca_crl=held.pck_crl))
    with pytest.raises(CannotDecideError) as caught:
        await hostile.verify(world.evidence(), collateral, rules, 0)
    assert caught.value.code == DecisionFault.VERIFIER_ABORTED
    assert caught.value.got == f"exit {-signal.SIGABRT}"
    await survives(hostile, world)
    with pytest.raises(CannotDecideError) as checked:
        await hostile.verify(world.evidence(), collateral, rules, NOW_S)
    assert checked.value.code == DecisionFault.ROOT_UNUSABLE


async def test_a_hanging_child_is_killed(world: SoftwareWorld) -> None:
    """Attack: a quote that burns time costs its prover an error and nobody else the service."""
    worker = VerificationWorker(SHORT, program=HOSTILE)
    fault = await undecided(worker, hostile_verifier.HANG, world)
    assert fault.startswith(DecisionFault.VERIFIER_TIMEOUT)
    await survives(worker, world)
    await worker.close()


@pytest.mark.parametrize(
    "order, code",
    [
        (hostile_verifier.EXIT, "exit 3"),
        (hostile_verifier.RAISE, "exit 1"),
        (hostile_verifier.MEMORY, "exit 1"),
    ],
)
async def test_a_dying_child_is_replaced(
    hostile: VerificationWorker, world: SoftwareWorld, order: bytes, code: str
) -> None:
    """A child that exits, raises or wants more memory than its limit decides nothing."""
    fault = await undecided(hostile, order, world)
    assert fault == f"{DecisionFault.VERIFIER_ABORTED}: got {code}"
    await survives(hostile, world)


async def test_a_lying_child_is_replaced(hostile: VerificationWorker, world: SoftwareWorld) -> None:
    """A reply that does not decode decides nothing."""
    fault = await undecided(hostile, hostile_verifier.NONSENSE, world)
    assert fault.startswith(DecisionFault.VERIFIER_ABORTED)
    await survives(hostile, world)


async def test_the_child_inherits_no_environment(
    hostile: VerificationWorker, world: SoftwareWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in the node's environment is not in the child's."""
    monkeypatch.setenv("PLANTED", "value")
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)  # a library OS needs that one
    with pytest.raises(EvidenceError) as caught:
        await hostile.verify(
            hostile_verifier.ENVIRONMENT, world.collateral_bytes(), world.rules, NOW_S
        )
    assert caught.value.code == EvidenceFault.MALFORMED


def environment_of(pid: int) -> list[bytes]:
    """What a process was started with."""
    return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")


async def test_the_child_finds_libraries_as_its_parent(
    world: SoftwareWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loader's path, without which nothing starts under a library OS, is handed on alone."""
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
    monkeypatch.setenv("LD_PRELOAD", "")
    worker = VerificationWorker()
    await survives(worker, world)
    child = worker._child
    assert child is not None
    told = environment_of(child.process.pid)
    await worker.close()
    assert b"LD_LIBRARY_PATH=/nowhere" in told
    assert not [one for one in told if one.startswith(b"LD_PRELOAD")]


async def test_a_child_killed_while_idle_is_replaced(
    worker: VerificationWorker, world: SoftwareWorld
) -> None:
    """A child that the system killed between two calls is noticed by the second."""
    await survives(worker, world)
    child = worker._child
    assert child is not None
    os.kill(child.process.pid, signal.SIGKILL)
    await asyncio.to_thread(child.process.wait)
    await survives(worker, world)


async def test_a_program_that_does_not_start_decides_nothing(world: SoftwareWorld) -> None:
    """A child that never says it is ready is a refusal, not a wait for ever."""
    worker = VerificationWorker(program="tests.support.no_such_module")
    fault = await undecided(worker, b"evidence", world)
    assert fault.startswith(DecisionFault.VERIFIER_ABORTED)
    await worker.close()


async def test_a_cancelled_call_leaves_the_child_running(
    worker: VerificationWorker, world: SoftwareWorld
) -> None:
    """A caller who goes away neither kills the child nor mixes up the answers."""
    await survives(worker, world)
    child = worker._child
    call = asyncio.create_task(
        worker.verify(world.evidence(), world.collateral_bytes(), world.rules, NOW_S)
    )
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await survives(worker, world)
    assert worker._child is child


async def test_too_many_waiting_calls_are_refused(world: SoftwareWorld) -> None:
    """The queue is bounded: one call more than the limit is told so at once."""
    worker = VerificationWorker(WorkerLimits(max_waiting=2))
    evidence, collateral = world.evidence(), world.collateral_bytes()
    calls = [worker.verify(evidence, collateral, world.rules, NOW_S) for _ in range(3)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    busy = [result for result in results if isinstance(result, CannotDecideError)]
    assert [error.code for error in busy] == [DecisionFault.VERIFIER_BUSY]
    await worker.close()


async def test_questions_about_collateral_leave_room(world: SoftwareWorld) -> None:
    """Attack: an operator with bad collateral of a megabyte, again and again; sessions go on."""
    running = VerificationWorker()
    junk = b"\x0a" + bytes(2**20 - 1)
    try:
        await survives(running, world)
        flood = [running.verify_collateral(junk, world.rules, NOW_S) for _ in range(60)]
        flooding = asyncio.gather(*flood, return_exceptions=True)
        await asyncio.sleep(0)
        await survives(running, world)
        codes = [answer.code for answer in await flooding if isinstance(answer, CannotDecideError)]
    finally:
        await running.close()
    assert sorted(map(str, codes)) == sorted(
        ["collateral-malformed"] * WorkerLimits().max_collateral
        + ["verifier-busy"] * (60 - WorkerLimits().max_collateral)
    )


async def test_a_flood_of_evidence_does_not_keep_collateral_out(world: SoftwareWorld) -> None:
    """Attack: strangers keep the queue full of evidence; an operator's new collateral is judged."""
    running = VerificationWorker(WorkerLimits(max_waiting=3))
    evidence, collateral = world.evidence(), world.collateral_bytes()
    flood = [running.verify(evidence, collateral, world.rules, NOW_S) for _ in range(9)]
    flooding = asyncio.gather(*flood, return_exceptions=True)
    try:
        await asyncio.sleep(0)
        judged = await running.verify_collateral(collateral, world.rules, NOW_S)
        answers = await flooding
    finally:
        await running.close()
    assert judged.digest == collateral_digest(collateral)
    assert sum(isinstance(answer, CannotDecideError) for answer in answers) == 6


async def test_oversized_arguments_are_not_sent(
    worker: VerificationWorker, world: SoftwareWorld
) -> None:
    """Too much evidence is the prover's fault, too much collateral ours; no child is started."""
    with pytest.raises(EvidenceError):
        await worker.verify(bytes(100_000), b"", world.rules, NOW_S)
    with pytest.raises(EvidenceError):
        await worker.collateral_key(b"")
    for collateral in (b"", bytes(1024 * 1024 + 1)):
        with pytest.raises(CannotDecideError):
            await worker.verify(b"evidence", collateral, world.rules, NOW_S)
        with pytest.raises(CannotDecideError):
            await worker.verify_collateral(collateral, world.rules, NOW_S)
    with pytest.raises(CannotDecideError):
        await worker.verify(b"evidence", b"collateral", world.rules, -1)
    assert worker._child is None


def test_an_orphan_that_hangs_ends_itself(world: SoftwareWorld) -> None:
    """Without a parent to kill it, a hanging child is ended by its own alarm, in the kernel."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            command = (sys.executable, "-P", "-m", HOSTILE, str(WorkerLimits().memory_bytes), "1")
            child = subprocess.Popen(command, stdin=theirs.fileno(), env={"PYTHONPATH": str(ROOT)})
        ready = (len(READY)).to_bytes(LENGTH_SIZE, "big") + READY
        assert ours.recv(len(ready), socket.MSG_WAITALL) == ready
        request = encode_request(JudgeEvidence(hostile_verifier.HANG, b"-", world.rules, NOW_S))
        ours.sendall(len(request).to_bytes(LENGTH_SIZE, "big") + request)
    assert child.wait(30) == -signal.SIGALRM


async def test_close_ends_calls_and_child(world: SoftwareWorld) -> None:
    """After close no process is left, calls under way have failed, later ones are refused."""
    worker = VerificationWorker(program=HOSTILE)
    await survives(worker, world)
    child = worker._child
    assert child is not None
    call = asyncio.create_task(worker.verify(hostile_verifier.HANG, b"-", world.rules, NOW_S))
    await asyncio.sleep(0)
    await worker.close()
    with pytest.raises(CannotDecideError):
        await call
    assert child.process.returncode is not None
    fault = await undecided(worker, b"evidence", world)
    assert fault == DecisionFault.VERIFIER_CLOSED.value


async def test_close_before_the_first_call_and_while_starting(world: SoftwareWorld) -> None:
    """Closing an unused worker is nothing; closing one that starts its child leaves no child."""
    await VerificationWorker().close()
    worker = VerificationWorker()
    call = asyncio.create_task(
        worker.verify(world.evidence(), world.collateral_bytes(), world.rules, NOW_S)
    )
    await asyncio.sleep(0)
    await worker.close()
    await asyncio.gather(call, return_exceptions=True)
    assert worker._child is None
