"""What the node does for a client, without gRPC: hello, submit, release, questions, collateral.

Every refusal is a value with a reason and a hint. Anything else that goes wrong here is ours and
stops the node (the engine says so); the client is told INTERNAL and asks again after the restart.
"""

import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass

from contracts.errors import RefusedError
from kms.errors import KeyServiceRefusal
from kms.messages import Released, decode_hello_evidence
from kms.service import KeyService
from ledger.errors import FormatError
from ledger.format.leaf import TransactionLeaf, decode_leaf
from ledger.format.receipt import Receipt, decode_receipt
from ledger.format.transaction import transaction_hash
from ledger.keys import entry
from ledger.reason import Reason
from network.embedded import EmbeddedEngine
from network.errors import ClosingError, EngineFailedError, OverloadedError
from node.answers import (
    envelope_body,
    refusal,
    refused_answer,
    refused_reply,
    released_answer,
    sealing_key_reply,
)
from node.asking import Asking
from node.candidates import EnvelopeChecker, Submission
from node.certifier import Certifier
from node.collateral_answers import CollateralAnswers
from node.publisher import load_entry
from node.releases import Releases, Wanted
from node.replica import Replica
from node.results import Block, Finalized
from sealedger.v1 import node_pb2 as pb

# Bytes of envelopes that are being judged or ordered, of all callers together. Each takes about
# three times its size meanwhile; whoever comes above the limit is told at once to come again.
MAX_TAKEN_BYTES = 64 * 1024 * 1024

Engine = EmbeddedEngine[Submission, Block, Finalized, pb.SubmitReply]


@dataclass(frozen=True, slots=True)
class ServiceParts:
    """What the service stands on."""

    genesis: bytes
    tls_spki_digest: bytes
    checker: EnvelopeChecker
    engine: Engine
    replica: Replica[pb.SubmitReply]
    certifier: Certifier
    releases: Releases
    key_service: KeyService
    asking: Asking
    collateral: CollateralAnswers


class LedgerService:
    """The node's three answers. One event loop."""

    def __init__(self, parts: ServiceParts) -> None:
        """Keep the parts."""
        self._parts = parts
        self._taken_bytes = 0
        self._is_stopping = False

    def hello(self, nonce: bytes) -> pb.HelloReply:
        """Evidence, genesis and a recent checkpoint, signed for this nonce and TLS key.

        Raises KeyServiceRefusal (MALFORMED for a nonce of another size than 32 bytes).
        """
        parts = self._parts
        hello = decode_hello_evidence(parts.key_service.hello(nonce, parts.tls_spki_digest))
        return pb.HelloReply(
            genesis=parts.genesis,
            checkpoint=hello.checkpoint,
            evidence=hello.evidence,
            tls_spki_digest=parts.tls_spki_digest,
            signature=hello.signature,
            time_ms=parts.replica.head.time_ms,
            latest_checkpoint=parts.certifier.latest.note,
            collateral=parts.collateral.own(),
        )

    def collateral(self, key: str) -> pb.CollateralReply:
        """The collateral in force: of one key with its receipt, or all without."""
        return self._parts.collateral.answer(key)

    async def submit(self, envelope: bytes) -> pb.SubmitReply:
        """Check, order, record, certify, release; a refusal is a reply."""
        if self._is_stopping:
            hint = "the node is stopping: send the same bytes again, later or to another node"
            return _refused(envelope, Reason.SHUTTING_DOWN, hint)
        if self._taken_bytes + len(envelope) > MAX_TAKEN_BYTES:
            hint = "too many bytes are waiting: send the same bytes again"
            return _refused(envelope, Reason.OVERLOADED, hint)
        self._taken_bytes += len(envelope)
        try:
            return await self._submit(envelope)
        finally:
            self._taken_bytes -= len(envelope)

    async def _submit(self, envelope: bytes) -> pb.SubmitReply:
        try:
            submission = await self._parts.checker.check(envelope)
            return await self._parts.engine.submit(submission)
        except RefusedError as error:
            return _refused(envelope, error.reason, error.hint)
        except OverloadedError as error:
            return _refused(envelope, Reason.OVERLOADED, f"{error}: send the same bytes again")
        except ClosingError as error:
            return _refused(envelope, Reason.SHUTTING_DOWN, f"{error}: send the same bytes again")
        except EngineFailedError as error:
            return _refused(
                envelope, Reason.INTERNAL, f"{error}: send the same bytes after its restart"
            )

    def release(self, ticket: bytes) -> pb.ReleaseAnswer:
        """What a receipt's first opened operation entitles to; the same ticket, the same answer."""
        try:
            receipt = decode_receipt(ticket)
            sealed, released = self._release(receipt)
        except FormatError as error:
            return refused_answer(error.reason, str(error))
        except KeyServiceRefusal as error:
            return refused_answer(error.reason, str(error))
        if released.reason is not Reason.OK:
            return refused_answer(released.reason, "the key service does not release this")
        return released_answer(sealed, released)

    def ask(self, query: bytes, signature: bytes) -> pb.QueryReply:
        """Answer one signed question."""
        return self._parts.asking.ask(query, signature)

    def watch(self, query: bytes, signature: bytes) -> AsyncIterator[pb.QueryReply]:
        """Answer a signed question, and go on answering."""
        return self._parts.asking.watch(query, signature)

    def stop_taking(self) -> None:
        """Refuse what is submitted from now on; what was taken before is answered."""
        self._is_stopping = True

    def stop_watches(self) -> None:
        """End every watch: they would go on for ever."""
        self._parts.asking.stop()

    def sealing_key(self, question: bytes) -> pb.SealingKeyReply:
        """A collection's public sealing key, vouched for by the service key."""
        try:
            return sealing_key_reply(self._parts.key_service.sealing_key(question))
        except KeyServiceRefusal as error:
            return pb.SealingKeyReply(refusal=refusal(error.reason, str(error)))

    def _release(self, receipt: Receipt) -> tuple[bytes, Released]:
        parts = self._parts
        certified, tree, view = parts.certifier.latest, parts.replica.tree, parts.replica.view
        opened = receipt.opened[0]
        position = opened.position
        if receipt.index >= certified.size or view.get(entry(receipt.index)) != receipt.leaf:
            raise FormatError("no such entry on this ledger", Reason.NOT_CERTIFIED)
        if not isinstance(decode_leaf(receipt.leaf), TransactionLeaf):
            raise FormatError("the entry is no transaction")
        stands = load_entry(receipt.index, view)
        if position >= len(stands.outcomes):
            raise FormatError("no such operation in this entry")
        # Leaves are public; salts are not. Without them nobody is shown a sealed secret's names.
        theirs = opened.salt + opened.operation + opened.outcome
        ours = stands.salts[position] + stands.operations[position] + stands.encoded[position]
        if not hmac.compare_digest(theirs, ours):
            raise FormatError("the ticket does not open this operation", Reason.NOT_CERTIFIED)
        sealed, released = parts.releases.release(
            stands, certified, tree, view, Wanted(frozenset({position}))
        )
        return sealed[position], released[position]


def _refused(envelope: bytes, reason: Reason, hint: str) -> pb.SubmitReply:
    return refused_reply(transaction_hash(envelope_body(envelope)), reason, hint)
