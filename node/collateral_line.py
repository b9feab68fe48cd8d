"""A line to a running node about collateral: what is in force, and, for its operator, updating it.

The node is not asked to prove itself: when its collateral has ended it could not, and that is when
this is needed most. What it answers counts only with proof: an update's receipt is verified by
the network file, shown collateral by its digest, its receipt and its vendor's signatures.
"""

import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from attestation.collateral import CollateralFacts, collateral_digest, decode_collateral
from attestation.collateral_verdict import is_successor
from attestation.errors import AttestationError, CannotDecideError
from attestation.rules import VerificationRules
from attestation.vendors import AMD_ROOTS, INTEL_ROOT, root_of
from attestation.verify import read_facts, verify_collateral
from enclave_client import wire
from enclave_client.checkpoints import CheckpointBook
from enclave_client.collateral import verify_offered
from enclave_client.connector import read_answer
from enclave_client.errors import (
    AttestationFailedError,
    Check,
    ReceiptInvalidError,
    UnavailableError,
)
from enclave_client.network_file import NetworkFile
from enclave_client.receipts import Receipt
from enclave_client.replies import read_outcome, verify_recorded
from enclave_client.transactions import Work, sign_transaction
from enclave_client.transport import Transport
from enclave_client.wire import CollateralAnswer, CollateralRow, OfferedCollateral, Refusal
from ledger.crypto.ed25519 import SigningKey
from ledger.format.genesis import Genesis, decode_genesis, network_id
from ledger.format.hygiene import UpdateCollateral
from ledger.format.operation import SALT_BYTES, encode_operation
from ledger.format.transaction import Body, SignerKind, signed_message
from ledger.format.trust import decode_trust
from ledger.reason import Reason
from node.errors import NodeError

_VENDORS = {
    INTEL_ROOT: "Intel's root",
    **{root: f"AMD's root of {line}" for line, root in AMD_ROOTS.items()},
}


@dataclass(frozen=True, slots=True)
class NodeSigner:
    """A node's key as a signer of transactions; see enclave_client.transactions."""

    network_id: bytes
    key: SigningKey

    @property
    def kind(self) -> SignerKind:
        """Always a node."""
        return SignerKind.NODE

    @property
    def name(self) -> bytes:
        """The public key, which the trust document names."""
        return self.key.public

    def sign_body(self, body: Body, encoded: bytes, operations: tuple[bytes, ...]) -> bytes:
        """The Ed25519 signature over a transaction's body."""
        del body, operations  # the bytes bind both
        return self.key.sign(signed_message(self.network_id, encoded))


@dataclass(frozen=True, slots=True)
class Shown:
    """Collateral in force, proven to be so; `fault` says why nobody can be judged by it now."""

    row: CollateralRow
    facts: CollateralFacts
    offered: OfferedCollateral
    fault: str


@dataclass(frozen=True, slots=True)
class Updated:
    """What is in force now, since which entry; the receipt is None if it was so already."""

    facts: CollateralFacts
    index: int
    receipt: Receipt | None


@dataclass(frozen=True, slots=True)
class Pinned:
    """What answers are held against."""

    network: NetworkFile
    genesis_collateral: tuple[bytes, ...]
    rules: VerificationRules
    clock_ms: Callable[[], int]

    @property
    def now_s(self) -> int:
        """Unix seconds."""
        return self.clock_ms() // 1000


class CollateralLine:
    """One connection; use `open_line`."""

    def __init__(self, transport: Transport, pinned: Pinned) -> None:
        """Keep the parts."""
        self._transport = transport
        self._pinned = pinned
        self._book = CheckpointBook(pinned.network.rule())
        self._sequence = 0

    async def rows(self) -> tuple[CollateralRow, ...]:
        """What the node says is in force; nothing of it is proven."""
        answer = await self._ask("")
        return () if answer is None else answer.rows

    async def show(self, key: str) -> Shown | None:
        """The collateral in force for a key, proven; None if the node says that there is none.

        Raises ReceiptInvalidError, AttestationFailedError where the node's word is not proven.
        """
        answer = await self._ask(key)
        if answer is None:
            return None
        if len(answer.rows) != 1 or answer.rows[0].key != key or answer.offered is None:
            raise ReceiptInvalidError(f"{key}: the node's answer is to another question")
        row, offered, pinned = answer.rows[0], answer.offered, self._pinned
        if row.index:
            verified = verify_offered(offered, pinned.network, self._book)
            if verified.index != row.index:
                raise ReceiptInvalidError(f"{key}: the receipt is of another entry")
        elif offered.collateral not in pinned.genesis_collateral:
            raise ReceiptInvalidError(f"{key}: genesis holds no such collateral")
        facts = read_facts(offered.collateral)
        if facts.key != key:
            raise ReceiptInvalidError(f"{key}: the node shows collateral for {facts.key}")
        try:
            verify_collateral(offered.collateral, pinned.rules, pinned.now_s)
        except CannotDecideError as error:
            return Shown(row, facts, offered, str(error))
        return Shown(row, facts, offered, "")

    async def update(self, collateral: bytes, signer: NodeSigner) -> Updated:
        """Put collateral in force, unless it is so already.

        It is judged here first. Raises NodeError where it is at fault or not newer, or the ledger
        refuses it; UnavailableError, ReceiptInvalidError.
        """
        pinned = self._pinned
        try:
            facts = verify_collateral(collateral, pinned.rules, pinned.now_s).facts
        except CannotDecideError as error:
            hint = _hint(collateral, pinned.rules.roots)
            raise NodeError(f"this collateral cannot be used: {error}", hint) from error
        held = await self.show(facts.key)
        if held is not None:
            if held.offered.collateral == collateral:
                return Updated(facts, held.row.index, None)
            if not is_successor(facts, held.facts):
                raise NodeError(
                    f"{facts.key}: it is not newer in all its parts than what is in force since "
                    f"entry {held.row.index}",
                    "a lower number or an earlier date never replaces a newer one: fetch the "
                    "vendor's current edition",
                )
        receipt = await self._submit(facts, collateral, signer)
        return Updated(facts, receipt.index, receipt)

    async def _submit(
        self, facts: CollateralFacts, collateral: bytes, signer: NodeSigner
    ) -> Receipt:
        operation = encode_operation(UpdateCollateral(collateral_digest(collateral)))
        now_ms = self._pinned.clock_ms()
        self._sequence = max(self._sequence + 1, now_ms)
        work = Work((operation,), (os.urandom(SALT_BYTES),), (collateral,))
        sent = sign_transaction(signer, self._sequence, now_ms, work)
        result = read_answer(await self._transport.submit_one(sent.request), sent)
        if isinstance(result, Refusal):
            raise NodeError(
                f"{facts.key}: the ledger refused it ({result.reason.name})", result.hint
            )
        entry = verify_recorded(result, sent, self._book)
        outcome = read_outcome(entry.outcomes[0])
        if outcome.reason is not Reason.OK:
            raise NodeError(f"{facts.key}: the ledger refused it ({outcome.reason.name})")
        return Receipt(entry, 0)

    async def _ask(self, key: str) -> CollateralAnswer | None:
        request = wire.encode_collateral_question(key)
        answer = wire.decode_collateral(await self._transport.collateral(request))
        if not isinstance(answer, Refusal):
            return answer
        if answer.reason is Reason.NOT_FOUND:
            return None
        raise UnavailableError(f"the node does not answer: {answer.reason.name}", answer.hint)


def _hint(collateral: bytes, roots: tuple[bytes, ...]) -> str:
    """What would be right instead of collateral that cannot be used."""
    try:
        root = root_of(decode_collateral(collateral))
    except AttestationError:
        root = b""
    if not root or root in roots:
        return "fetch the vendor's current edition; pins and limits are those of the trust document"
    return (
        f"it is signed under {_root_words(root)}; this network takes {_root_list(roots)}, and "
        "nothing of another vendor or root, nor can one be added: its roots stand in its trust "
        "document and in the network file (attestation.roots; sealedger network show --json)"
    )


def _root_list(roots: tuple[bytes, ...]) -> str:
    return " and ".join(map(_root_words, roots))


def _root_words(root: bytes) -> str:
    digest = hashlib.sha256(root).digest()
    return f"{_VENDORS.get(digest, 'the root')} {digest.hex()}"


@asynccontextmanager
async def open_line(
    address: str, network: NetworkFile, clock_ms: Callable[[], int]
) -> AsyncIterator[CollateralLine]:
    """A line to the node at host:port; UnavailableError if nothing answers there.

    AttestationFailedError if it is of another network than the pinned one.
    """
    transport = await Transport.dial(address, proxied=False)
    try:
        genesis = await _genesis(transport, network)
        trust = decode_trust(genesis.trust)
        rules = network.verification_rules(trust)
        yield CollateralLine(transport, Pinned(network, genesis.collateral, rules, clock_ms))
    finally:
        await transport.close()


async def _genesis(transport: Transport, network: NetworkFile) -> Genesis:
    """The pinned network's genesis, which any node can show: its hash is the network id."""
    hello = wire.decode_hello(await transport.hello(wire.encode_hello(os.urandom(32))))
    if network_id(hello.genesis) != network.network_id:
        raise AttestationFailedError(
            Check.NETWORK,
            f"{transport.endpoint} is a node of another network than the network file pins",
            "check the address, or take the network file of the network that you mean",
        )
    return decode_genesis(hello.genesis)
