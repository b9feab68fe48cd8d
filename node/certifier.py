"""Certified checkpoints: this core cosigns what it synced, the key service adds the log key's line.

The key service is the judge: it signs only under the trust document's quorum and only a tree that
begins with the one it holds. `latest` is what Hello, evidence and repeated answers stand on.
"""

from dataclasses import dataclass
from typing import Protocol

from kms.messages import CertifyRequest, decode_certify_reply, encode_certify_request
from kms.state import Held
from ledger.keys import Head
from ledger.log.tree import Tree
from network.cosigner import Cosigner


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

    @property
    def latest(self) -> Certified:
        """The newest certified checkpoint of this run."""
        if self._latest is None:
            raise RuntimeError("nothing is certified before the node has started")
        return self._latest

    def certify(self, head: Head, header: bytes, tree: Tree) -> Certified:
        """Certify the durable tree of `head`, whose last leaf is `header`.

        KeyServiceRefusal if the key service holds another history; that stops the node.
        """
        request = CertifyRequest(
            note=self._cosigner.cosign(head.size, head.root),
            consistency=tree.consistency_proof(self._key_service.held.size, head.size),
            header=header,
            header_hashes=tree.inclusion_proof(head.size - 1, head.size),
        )
        reply = self._key_service.certify(encode_certify_request(request))
        self._latest = Certified(head.size, head.root, decode_certify_reply(reply))
        self._last = (head, header)
        return self._latest

    def renew(self, tree: Tree) -> Certified:
        """Certify the latest tree again at the present time, so that it stays recent when idle."""
        if self._last is None:
            raise RuntimeError("nothing is certified before the node has started")
        return self.certify(*self._last, tree)
