"""Verification in a child process: the node's side. An edge.

Rules: the library that verifies quotes may abort its process or hold the interpreter's lock, so it
runs in one long-lived child with limits on memory and time. A child that dies, hangs or answers
nonsense means that nothing was decided: the call refuses, the child is killed, the next call starts
another. The child is a fresh interpreter (the node has threads: forking it is not safe); it
inherits no descriptor but its socket, and no environment but the module path and, where one is set,
the loader's: without it no program starts under a library OS.
"""

import asyncio
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from attestation.collateral import MAX_COLLATERAL_BYTES
from attestation.collateral_verdict import CollateralVerdict
from attestation.errors import (
    CannotDecideError,
    DecisionFault,
    DecodeError,
    EvidenceError,
    EvidenceFault,
)
from attestation.evidence import MAX_EVIDENCE_BYTES
from attestation.rules import VerificationRules
from attestation.verdict import Verdict
from attestation.worker_codec import (
    LENGTH_SIZE,
    MAX_REPLY_BYTES,
    FindKey,
    JudgeCollateral,
    JudgeEvidence,
    Request,
    decode_reply,
    encode_request,
)
from attestation.worker_process import READY

A = TypeVar("A", Verdict, CollateralVerdict, str)
_Call = asyncio.Task[Verdict] | asyncio.Task[CollateralVerdict] | asyncio.Task[str]

_MODULE_ROOT = Path(__file__).resolve().parent.parent
_PROGRAM = "attestation.worker_process"
_LOADER_PATH = "LD_LIBRARY_PATH"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """Limits of the child; times in seconds."""

    memory_bytes: int = 768 * 1024 * 1024
    start_timeout_s: float = 30.0
    verify_timeout_s: float = 5.0
    max_waiting: int = 64  # questions about evidence
    max_collateral: int = 4  # questions about collateral itself, beside those


class _Child:
    """One running verifier process and the stream to it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.process = process
        self._reader = reader
        self._writer = writer

    async def read_frame(self) -> bytes:
        size = int.from_bytes(await self._reader.readexactly(LENGTH_SIZE), "big")
        if size > MAX_REPLY_BYTES:
            raise DecodeError(f"verifier process: a reply of {size} bytes")
        return await self._reader.readexactly(size)

    async def write_frame(self, data: bytes) -> None:
        self._writer.write(len(data).to_bytes(LENGTH_SIZE, "big") + data)
        await self._writer.drain()

    async def kill(self) -> int:
        """End it at once; the exit code says what had happened if it was dead already."""
        self.process.kill()
        self._writer.transport.abort()
        return await asyncio.to_thread(self.process.wait)


class VerificationWorker:
    """`attestation.verify` in a child process. For one event loop; closes once."""

    def __init__(self, limits: WorkerLimits | None = None, *, program: str = _PROGRAM) -> None:
        """Store the limits and the module that the child runs; the child starts on first use."""
        self._limits = limits or WorkerLimits()
        self._program = program
        self._turn = asyncio.Lock()
        self._child: _Child | None = None
        self._calls: dict[_Call, bool] = {}  # whether each is about collateral itself
        self._closed = False

    async def verify(
        self, evidence: bytes, collateral: bytes, rules: VerificationRules, now_s: int
    ) -> Verdict:
        """The verdict on encoded `evidence`; raises EvidenceError or CannotDecideError.

        Calls of all methods queue: at most `max_waiting` about evidence, and beside them few about
        collateral itself, which may be large. So one operator does not keep everybody's sessions
        waiting, and no flood of evidence keeps out the collateral that ends it. A cancelled call
        lets the child finish, so that a caller who goes away cannot make the node start processes.
        """
        return await self._ask(JudgeEvidence(evidence, collateral, rules, now_s), Verdict)

    async def collateral_key(self, evidence: bytes) -> str:
        """The key of the collateral that encoded `evidence` needs; raises as `verify` does."""
        return await self._ask(FindKey(evidence), str)

    async def verify_collateral(
        self, collateral: bytes, rules: VerificationRules, now_s: int
    ) -> CollateralVerdict:
        """The verdict on encoded `collateral`; raises CannotDecideError."""
        return await self._ask(JudgeCollateral(collateral, rules, now_s), CollateralVerdict)

    async def _ask(self, request: Request, kind: type[A]) -> A:
        if self._closed:
            raise CannotDecideError(DecisionFault.VERIFIER_CLOSED)
        about_collateral = isinstance(request, JudgeCollateral)
        limits = self._limits
        limit = limits.max_collateral if about_collateral else limits.max_waiting
        if sum(one is about_collateral for one in self._calls.values()) >= limit:
            raise CannotDecideError(DecisionFault.VERIFIER_BUSY)
        call = asyncio.create_task(self._call(_encode(request), kind))
        self._calls[call] = about_collateral
        call.add_done_callback(self._forget)
        return await asyncio.shield(call)

    async def close(self) -> None:
        """End the child; calls under way fail with VERIFIER_ABORTED or VERIFIER_CLOSED."""
        self._closed = True
        await self._discard()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await self._discard()  # a child that was just starting

    def _forget(self, call: asyncio.Task[A]) -> None:
        self._calls.pop(call, None)
        if not call.cancelled():
            call.exception()  # retrieved here too: the caller may have gone away

    async def _call(self, request: bytes, kind: type[A]) -> A:
        async with self._turn:
            reply = await self._exchange(await self._running_child(), request)
            try:
                return _answer(reply, kind)
            except DecodeError as error:
                await self._discard()
                raise CannotDecideError(DecisionFault.VERIFIER_ABORTED, got=str(error)) from error

    async def _exchange(self, child: _Child, request: bytes) -> bytes:
        try:
            async with asyncio.timeout(self._limits.verify_timeout_s):
                await child.write_frame(request)
                return await child.read_frame()
        except TimeoutError as error:
            await self._discard()
            raise CannotDecideError(DecisionFault.VERIFIER_TIMEOUT) from error
        except (EOFError, OSError, DecodeError) as error:
            code = await self._discard()
            raise CannotDecideError(DecisionFault.VERIFIER_ABORTED, got=f"exit {code}") from error

    async def _discard(self) -> int | None:
        child, self._child = self._child, None
        return None if child is None else await child.kill()

    async def _running_child(self) -> _Child:
        if self._closed:
            raise CannotDecideError(DecisionFault.VERIFIER_CLOSED)
        if self._child is not None and self._child.process.poll() is None:
            return self._child
        await self._discard()
        self._child = child = await self._start()
        try:
            async with asyncio.timeout(self._limits.start_timeout_s):
                if await child.read_frame() == READY:
                    return child
        except (TimeoutError, EOFError, OSError, DecodeError):
            pass
        code = await self._discard()
        raise CannotDecideError(DecisionFault.VERIFIER_ABORTED, got=f"exit {code} at its start")

    async def _start(self) -> _Child:
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.to_thread(self._spawn, theirs)
            reader, writer = await asyncio.open_connection(sock=ours)
        except OSError as error:
            ours.close()
            raise CannotDecideError(DecisionFault.VERIFIER_ABORTED, got="cannot start") from error
        finally:
            theirs.close()
        return _Child(process, reader, writer)

    def _spawn(self, channel: socket.socket) -> subprocess.Popen[bytes]:
        # The child's own alarm comes after ours: it only matters when this process has died.
        alarm_s = int(self._limits.verify_timeout_s) + 2
        numbers = (str(self._limits.memory_bytes), str(alarm_s))
        return subprocess.Popen(  # noqa: S603  (our own module and numbers, no shell)
            (sys.executable, "-P", "-m", self._program, *numbers),
            stdin=channel.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=os.sep,
            env={"PYTHONPATH": str(_MODULE_ROOT), **_loader_path()},
        )


def _loader_path() -> dict[str, str]:
    path = os.environ.get(_LOADER_PATH)
    return {_LOADER_PATH: path} if path else {}


def _answer(reply: bytes, kind: type[A]) -> A:
    answer = decode_reply(reply)
    if not isinstance(answer, kind):
        raise DecodeError("verification reply: the answer to another question")
    return answer


def _encode(request: Request) -> bytes:
    evidence = b"-" if isinstance(request, JudgeCollateral) else request.evidence
    collateral = b"-" if isinstance(request, FindKey) else request.collateral
    if not 0 < len(evidence) <= MAX_EVIDENCE_BYTES:
        raise EvidenceError(
            EvidenceFault.MALFORMED,
            expected=f"1 to {MAX_EVIDENCE_BYTES} bytes",
            got=str(len(evidence)),
        )
    if not collateral:
        raise CannotDecideError(DecisionFault.COLLATERAL_MALFORMED, got="none")
    if len(collateral) > MAX_COLLATERAL_BYTES:
        raise CannotDecideError(DecisionFault.COLLATERAL_MALFORMED, got="too large")
    try:
        return encode_request(request)
    except DecodeError as error:
        raise CannotDecideError(DecisionFault.ROOT_UNUSABLE, got=str(error)) from error
