"""A ledger in memory for the client's tests: real rules, log, seals and key service; no disk.

It is honest. What lies is `fake_node.FakeNode`, which stands before it. It checks what a node may
rely on: a transaction is recorded once, and a leaf stands where its reply says.
"""

import asyncio
import time
from dataclasses import dataclass, replace
from hashlib import sha256

from attestation.platforms.software import SoftwarePlatform, SoftwareTrust
from attestation.policy import Match, encode_policy
from attestation.rules import VerificationRules
from attestation.verdict import encode_verdict
from attestation.verify import read_facts, verify
from contracts.collateral import decode_collateral_record, encode_collateral_record
from contracts.errors import RefusedError
from contracts.execute import Block, Executed, Repeated, execute
from contracts.genesis import genesis_state
from contracts.prepare import Prepared, prepare
from contracts.records import decode_session, encode_session
from contracts.view import BlockEnd
from kms.birth import create_key_service
from kms.messages import (
    CertifyRequest,
    Released,
    ReleaseItem,
    ReleaseRequest,
    StartRequest,
    decode_certify_reply,
    decode_release_reply,
    encode_certify_request,
    encode_release_request,
    encode_start_request,
)
from ledger.format.genesis import (
    Collection,
    Genesis,
    Limits,
    Profile,
    decode_genesis,
    encode_genesis,
    network_id,
)
from ledger.format.leaf import BlockHeader, GenesisLeaf, encode_leaf
from ledger.format.operation import (
    KeyServiceStart,
    OpenSession,
    Put,
    Read,
    encode_operation,
    operation_digest,
)
from ledger.format.outcome import KeyAcquired, ReadGranted, SessionOpened
from ledger.format.sealed import split_sealed
from ledger.format.transaction import (
    Body,
    Envelope,
    SignerKind,
    encode_body,
    encode_envelope,
    signed_message,
)
from ledger.format.trust import Party, TrustDocument, encode_trust
from ledger.log.checkpoint import Checkpoint, encode_checkpoint
from ledger.log.merkle import leaf_hash
from ledger.log.note import Note, SignatureType, VerifierKey, encode_note, sign_note
from ledger.log.tree import Tree
from ledger.reason import Reason
from tests.support.log_reference import MemoryTiles
from tests.support.log_signers import TestSigner, cosigner
from tests.support.small_platform import MemoryState

ORIGIN = "dev.test/1"


@dataclass(frozen=True, slots=True)
class Found:
    """What a test's network is founded with."""

    platform: SoftwarePlatform
    trust: SoftwareTrust
    collections: tuple[Collection, ...]
    limits: Limits = Limits()  # noqa: RUF009  (frozen)
    core: Match | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A recorded transaction with what stands beside its leaf."""

    index: int
    prepared: Prepared
    executed: Executed


class FakeLedger:
    """One network with one core. Every call is synchronous; one block for each transaction."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.core: TestSigner = cosigner("dev.test/node-1")
        unborn = create_key_service(platform=found.platform, store=MemoryState())
        trust = self._trust(unborn.log_key, unborn.service_key)
        self.trust = trust
        self.genesis = encode_genesis(
            Genesis(
                name="test",
                profile=Profile.DEVELOPMENT,
                time_ms=now_ms(),
                salt=sha256(unborn.service_key).digest(),
                trust=encode_trust(trust),
                collateral=(found.trust.collateral,),
                limits=found.limits,
                collections=found.collections,
            )
        )
        self.network_id = network_id(self.genesis)
        self.key_service = unborn.bind(self.genesis)
        decoded = decode_genesis(self.genesis)
        facts = tuple(map(read_facts, decoded.collateral))
        self.state = {k: v for k, v in genesis_state(decoded, facts).items() if v}
        self.entries: dict[int, Entry] = {}
        self.transactions: set[bytes] = set()
        self.payloads: dict[tuple[int, int], bytes] = {}
        self._ends: dict[int, BlockEnd] = {}
        self._tiles = MemoryTiles()
        self.tree = Tree.open(self._tiles, 0)
        self.height = 0
        self._append(encode_leaf(GenesisLeaf(self.network_id, now_ms())))
        self._last = b""
        self._grew = asyncio.Event()
        self._end_block(now_ms())
        self._start()

    # ------------------------------------------------------------ the views that the rules read

    def get(self, key: bytes) -> bytes | None:
        return self.state.get(key)

    def block_end(self, size: int) -> BlockEnd | None:
        return self._ends.get(size)

    # ------------------------------------------------------------------------ what a node asks

    def submit(self, envelope: bytes) -> Entry:
        """Record a transaction, or find its first entry; RefusedError, FormatError."""
        prepared = prepare(envelope, self.network_id)
        index = self.tree.size
        time_ms = now_ms()
        block = Block(self.height, time_ms, index)
        result = execute(prepared, self._verdict(prepared), self, self, block)
        if isinstance(result, Repeated):
            return self.entries[result.index]
        if prepared.hash in self.transactions:
            raise AssertionError("one transaction was recorded twice")
        self.transactions.add(prepared.hash)
        entry = Entry(index, prepared, result)
        self.entries[index] = entry
        for position, operation in enumerate(prepared.operations):
            payload = prepared.envelope.payloads[position]
            if isinstance(operation, Put):
                self.payloads[index, position] = payload
        for key, value in result.writes.items():
            if value is None:
                self.state.pop(key, None)
            else:
                self.state[key] = value
        self._append(result.leaf)
        self._end_block(time_ms)
        self._grew.set()
        return entry

    def release(self, entry: Entry) -> tuple[list[bytes], list[Released]]:
        """For each operation: the sealed secret of a granted read, and what was released."""
        sealed = [b""] * len(entry.executed.outcomes)
        released = [Released(Reason.NOT_GRANTED)] * len(sealed)
        items = []
        for position, outcome in enumerate(entry.executed.outcomes):
            item = self._item(entry, position)
            if isinstance(outcome.detail, ReadGranted):
                at = outcome.detail
                sealed[position] = self.payloads[at.put_index, at.put_position]
                header, ciphertext = split_sealed(sealed[position])
                digest = sha256(ciphertext).digest()
                items.append(replace(item, sealed_header=header, ciphertext_digest=digest))
            elif isinstance(outcome.detail, SessionOpened):
                items.append(replace(item, operation=entry.prepared.envelope.operations[position]))
            elif isinstance(outcome.detail, KeyAcquired):
                items.append(item)
        if items:
            request = ReleaseRequest(
                index=entry.index,
                leaf=entry.executed.leaf,
                hashes=self.tree.inclusion_proof(entry.index, self.tree.size),
                size=self.tree.size,
                root=self.tree.root(),
                consistency=(),
                items=tuple(items),
            )
            answers = decode_release_reply(
                self.key_service.release(encode_release_request(request))
            )
            for item, answer in zip(items, answers, strict=True):
                released[item.position] = answer
        return sealed, released

    def cosigned(self, size: int, root: bytes, time_s: int) -> bytes:
        """A note of any size and root with the core's cosignature and no log key."""
        text = encode_checkpoint(Checkpoint(ORIGIN, size, root))
        return encode_note(Note(text, (self.core.line(text, time_s),)))

    def certified(self, time_s: int) -> bytes:
        """The certified note of the present size, cosigned at any time."""
        size, root = self.tree.size, self.tree.root()
        request = CertifyRequest(
            note=self.cosigned(size, root, time_s),
            consistency=self.tree.consistency_proof(self.key_service.held.size, size),
            header=self._last,
            header_hashes=self.tree.inclusion_proof(size - 1, size),
        )
        return decode_certify_reply(self.key_service.certify(encode_certify_request(request)))

    def two_faced_note(self, size: int, root: bytes) -> bytes:
        """A fully signed note of a tree that never was: what a broken core and quorum could do."""
        text = encode_checkpoint(Checkpoint(ORIGIN, size, root))
        log_key = VerifierKey(ORIGIN, SignatureType.ED25519, self.trust.log_key)
        core = self.key_service._core
        if core is None:
            raise AssertionError("the key service is closed")
        by_log = sign_note(text, key=log_key, sign=core.keys.log.sign)
        return encode_note(Note(text, (by_log, self.core.line(text, int(time.time())))))

    def end_sessions(self) -> None:
        """Let every open session expire now."""
        for key, value in self.state.items():
            if key.startswith(b"sS"):
                self.state[key] = encode_session(replace(decode_session(value), expires_ms=1))

    def change_collateral(self) -> None:
        """Let the collateral say something else from now on, though it is the same bytes."""
        for key, value in self.state.items():
            if key.startswith(b"sK"):
                held = decode_collateral_record(value)
                changed = replace(held, generation=held.generation + 1)
                self.state[key] = encode_collateral_record(changed)

    def forget_sessions(self) -> None:
        """Lose every session, as an older copy of the ledger would have."""
        for key in [key for key in self.state if key.startswith(b"sS")]:
            del self.state[key]

    def reads(self) -> int:
        """How many reads stand on the ledger, whatever their outcome."""
        return self._count(Read)

    def puts(self) -> int:
        """How many puts stand on the ledger, whatever their outcome."""
        return self._count(Put)

    async def wait_for_puts(self, count: int) -> None:
        """Until so many puts stand on the ledger."""
        while self.puts() < count:
            self._grew.clear()
            await self._grew.wait()

    def sessions(self) -> int:
        """How many sessions were opened."""
        return self._count(OpenSession)

    # ------------------------------------------------------------------------------- inside

    def _count(self, kind: type) -> int:
        return sum(
            isinstance(operation, kind)
            for entry in self.entries.values()
            for operation in entry.prepared.operations
        )

    def _trust(self, log_key: bytes, service_key: bytes) -> TrustDocument:
        enclave = self.found.platform.enclave
        core = self.found.core or Match(
            signer=enclave.signer, product_id=enclave.product_id, minimum_svn=enclave.svn
        )
        return TrustDocument(
            version=1,
            previous_digest=b"",
            members=(),
            member_threshold=0,
            origin=ORIGIN,
            log_generation=1,
            log_key=log_key,
            service_key=service_key,
            cosigners=(Party(self.core.key.name, self.core.key.public_key, "operator"),),
            quorum=1,
            witnesses=(),
            witness_quorum=0,
            core_policy=encode_policy(core),
            roots=(self.found.trust.root,),
            tcb_signer_pins=self.found.trust.tcb_signer_pins,
            tcb_floor=0,
            tcb_ceiling=100,
            rules_version=2,
            rules_height=0,
            epoch=1,
            grace_s=0,
        )

    def _verdict(self, prepared: Prepared) -> bytes | None:
        if prepared.body.signer_kind is not SignerKind.NEW_SESSION:
            return None
        rules = VerificationRules(
            roots=self.trust.roots,
            tcb_signer_pins=self.trust.tcb_signer_pins,
            evaluation_ceiling=self.trust.tcb_ceiling,
        )
        evidence = prepared.envelope.payloads[0]
        operation = prepared.operations[0]
        if not isinstance(operation, OpenSession) or (
            operation.evidence_digest != sha256(evidence).digest()
        ):
            raise RefusedError(Reason.PAYLOAD_MISMATCH, "the payload is not the evidence")
        collateral = self.found.trust.collateral
        return encode_verdict(verify(evidence, collateral, rules, int(time.time())))

    def _item(self, entry: Entry, position: int) -> ReleaseItem:
        salt = entry.prepared.envelope.salts[position]
        return ReleaseItem(position, salt, entry.executed.encoded[position])

    def _append(self, leaf: bytes) -> None:
        self._tiles.persist(self.tree.append([leaf_hash(leaf)]).tiles)
        self.tree.mark_durable(self.tree.size)

    def _end_block(self, time_ms: int) -> None:
        header = encode_leaf(BlockHeader(self.height, time_ms, b"", 1, 1, 1))
        self._append(header)
        size, root = self.tree.size, self.tree.root()
        self._ends[size] = BlockEnd(root, time_ms)
        self.height += 1
        self._last = header
        self.note = self.certified(int(time.time()))

    def _start(self) -> None:
        service = self.key_service
        operation = encode_operation(KeyServiceStart(service.start_nonce, service.service_key))
        salt = bytes(16)
        body = encode_body(
            Body(
                network_id=self.network_id,
                signer_kind=SignerKind.NODE,
                signer=self.core.key.public_key,
                sequence=1,
                valid_until_ms=now_ms() + 60_000,
                atomic=False,
                operation_digests=(operation_digest(salt, operation),),
            )
        )
        signature = self.core.signing.sign(signed_message(self.network_id, body))
        envelope = Envelope(body, signature, (operation,), (salt,), (b"",))
        entry = self.submit(encode_envelope(envelope))
        request = StartRequest(
            index=entry.index,
            leaf=entry.executed.leaf,
            hashes=self.tree.inclusion_proof(entry.index, self.tree.size),
            salt=salt,
            operation=operation,
            outcome=entry.executed.encoded[0],
        )
        service.confirm_start(encode_start_request(request))


def now_ms() -> int:
    """The machine's clock: evidence is judged by it, so the ledger's blocks go by it too."""
    return time.time_ns() // 1_000_000
