"""Counting at the ports: wrappers that measure what passes and change nothing.

Costs: some microseconds for a transaction or a block, 0.2 microseconds for an operation.
"""

import time
from collections.abc import AsyncIterator, Sequence
from typing import Generic, TypeVar

import structlog

from kms.state import Held
from ledger.reason import Reason
from network.application import Application
from node.candidates import Submission
from node.certifier import KeyServicePort
from node.metrics import NodeMetrics
from node.refusals import RefusalLog
from node.results import Block, Finalized
from node.service import LedgerService, ServiceParts
from sealedger.v1 import node_pb2 as pb

A = TypeVar("A")
Answer = pb.SubmitReply | pb.ReleaseAnswer | pb.QueryReply | pb.SealingKeyReply | pb.CollateralReply

_log = structlog.get_logger()


class MeteredApplication(Generic[A]):
    """An Application that counts blocks; see network.application."""

    def __init__(
        self, application: Application[Submission, Block, Finalized, A], metrics: NodeMetrics
    ) -> None:
        """Keep the parts."""
        self._application = application
        self._metrics = metrics

    def propose(self, candidates: Sequence[Submission], now_ms: int) -> Block:
        """See Application.propose."""
        return self._application.propose(candidates, now_ms)

    async def verify(self, block: Block) -> None:
        """See Application.verify."""
        await self._application.verify(block)

    def finalize(self, block: Block) -> Finalized:
        """See Application.finalize."""
        began = time.perf_counter()
        finalized = self._application.finalize(block)
        self._metrics.block_finalize.observe(time.perf_counter() - began)
        return finalized

    def commit(self, finalized: Finalized) -> None:
        """See Application.commit; blocks without a batch are not measured."""
        began = time.perf_counter()
        self._application.commit(finalized)
        if finalized.batch is not None:
            self._metrics.block_commit.observe(time.perf_counter() - began)

    def publish(self, finalized: Finalized) -> Sequence[A]:
        """See Application.publish."""
        answers = self._application.publish(finalized)
        self._metrics.count_block(finalized)
        if finalized.batch is not None:
            head = finalized.head
            _log.debug(
                "block", height=head.height, entries=head.size, submissions=len(finalized.results)
            )
        return answers


class MeteredKeyService:
    """A KeyServicePort that measures how long certifying takes; see node.certifier."""

    def __init__(self, key_service: KeyServicePort, metrics: NodeMetrics) -> None:
        """Keep the parts."""
        self._key_service = key_service
        self._metrics = metrics

    @property
    def held(self) -> Held:
        """See KeyServicePort.held."""
        return self._key_service.held

    def certify(self, request: bytes) -> bytes:
        """See KeyServicePort.certify."""
        began = time.perf_counter()
        reply = self._key_service.certify(request)
        self._metrics.certify.observe(time.perf_counter() - began)
        return reply

    def release(self, request: bytes) -> bytes:
        """See KeyServicePort.release."""
        return self._key_service.release(request)


class MeteredService(LedgerService):
    """A LedgerService that counts refusals, whoever refused, and has them told in the log."""

    def __init__(self, parts: ServiceParts, metrics: NodeMetrics, refusals: RefusalLog) -> None:
        """Keep the parts."""
        super().__init__(parts)
        self._metrics = metrics
        self._refusals = refusals

    async def submit(self, envelope: bytes) -> pb.SubmitReply:
        """See LedgerService.submit."""
        reply = await super().submit(envelope)
        if reply.HasField("refusal"):
            self._metrics.count_refusal(Reason(reply.refusal.reason))
            self._note("submit", reply)
        return reply

    def release(self, ticket: bytes) -> pb.ReleaseAnswer:
        """See LedgerService.release."""
        answer = super().release(ticket)
        self._note("release", answer)
        return answer

    def ask(self, query: bytes, signature: bytes) -> pb.QueryReply:
        """See LedgerService.ask."""
        reply = super().ask(query, signature)
        self._note("ask", reply)
        return reply

    async def watch(self, query: bytes, signature: bytes) -> AsyncIterator[pb.QueryReply]:
        """See LedgerService.watch."""
        async for reply in super().watch(query, signature):
            self._note("watch", reply)
            yield reply

    def sealing_key(self, question: bytes) -> pb.SealingKeyReply:
        """See LedgerService.sealing_key."""
        reply = super().sealing_key(question)
        self._note("sealing_key", reply)
        return reply

    def collateral(self, key: str) -> pb.CollateralReply:
        """See LedgerService.collateral."""
        reply = super().collateral(key)
        self._note("collateral", reply)
        return reply

    def _note(self, entrance: str, reply: Answer) -> None:
        if reply.HasField("refusal"):
            self._refusals.note(entrance, Reason(reply.refusal.reason))
