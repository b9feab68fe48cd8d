"""Certified checkpoints: this core cosigns what it synced, the key service adds the log key's line.

The key service is the judge: it signs only under the trust document's quorum and only a tree that
begins with the one it holds. `latest` is what Hello, evidence and repeated answers stand on.
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from kms.errors import KeyServiceRefusal
from kms.messages import CertifyRequest, decode_certify_reply, encode_certify_request
from kms.state import Held
from ledger.keys import Head
from ledger.log.tree import Tree
from network.cosigner import Cosigner
from node.errors import RollbackError


class KeyServicePort(Protocol):
    """What the node asks of the key service: bytes in, bytes out (kms.proto).

    A call may raise KeyServiceRefusal with a reason; nothing changed then. Calls come from one
    thread. The service keeps its own memory and believes only what carries the quorum.
    """

    @property
    def held(self) -> Held:
        """The checkpoint that proofs must lead to."""
        ...

    def certify(self, request: bytes) -> bytes:
        """CertifyRequest -> CertifyReply."""
        ...

    def release(self, request: bytes) -> bytes:
        """ReleaseRequest -> ReleaseReply."""
        ...


@dataclass(frozen=True, slots=True)
class Certified:
    """A checkpoint with every signature that a receipt needs."""

    size: int
    root: bytes
    note: bytes


class Certifier:
    """Certifies durable trees, in growing order."""

    def __init__(self, cosigner: Cosigner, key_service: KeyServicePort) -> None:
        """Keep the parts; nothing is certified yet."""
        self._cosigner = cosigner
        self._key_service = key_service
        self._latest: Certified | None = None
        self._last: tuple[Head, bytes] | None = None
        self._grown = asyncio.Event()

    @property
    def latest(self) -> Certified:
        """The newest certified checkpoint of this run."""
        if self._latest is None:
            raise RuntimeError("nothing is certified before the node has started")
        return self._latest

    def certify(self, head: Head, header: bytes, tree: Tree) -> Certified:
        """Certify the durable tree of `head`, whose last leaf is `header`.

        RollbackError if the key service holds a longer or another history; that stops the node.
        """
        held = self._key_service.held
        if held.size > head.size:
            raise RollbackError(
                f"the data end at entry {head.size}, but the key service has seen {held.size}",
                "an older copy of the data was restored: bring the newest data back, or let the "
                "node catch up from a peer",
            )
        request = CertifyRequest(
            note=self._cosigner.cosign(head.size, head.root),
            consistency=tree.consistency_proof(held.size, head.size),
            header=header,
            header_hashes=tree.inclusion_proof(head.size - 1, head.size),
        )
        try:
            reply = self._key_service.certify(encode_certify_request(request))
        except KeyServiceRefusal as error:
            raise RollbackError(
                f"the key service does not certify these data: {error}",
                "they are not the history that it holds: put the data and the key service's state "
                "of one node together again",
            ) from error
        self._latest = Certified(head.size, head.root, decode_certify_reply(reply))
        self._last = (head, header)
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()
        return self._latest

    async def beyond(self, size: int) -> None:
        """Wait until a larger tree than `size` is certified."""
        while self.latest.size <= size:
            await self._grown.wait()

    def renew(self, tree: Tree) -> Certified:
        """Certify the latest tree again at the present time, so that it stays recent when idle."""
        if self._last is None:
            raise RuntimeError("nothing is certified before the node has started")
        return self.certify(*self._last, tree)
