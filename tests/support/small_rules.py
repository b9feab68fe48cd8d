"""The rules in a small house: state in a dict, block ends in a list, enclaves that really sign.

It plays the replica's part and decides nothing. Everything that happens goes through
`SmallRules.do` with plain bytes, so that the same events can be run again elsewhere. It checks what
any replica may rely on: only state keys are written, a refusal changes nothing, leaf and outcomes
are canonical.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256

from attestation.collateral import encode_collateral
from attestation.fields import SgxFields
from attestation.handshake import CLIENT_LABEL, ReportBinding, report_data
from attestation.identity import Identity
from attestation.platforms.software import QE_SIGNER
from attestation.platforms.software_collateral import (
    CPU_SVN,
    FMSPC,
    PCE_SVN,
    CollateralOptions,
    make_collateral,
)
from attestation.platforms.software_der import PlatformNumbers
from attestation.platforms.software_pki import DAY_S, new_authority
from attestation.policy import AnyOf, Match, encode_policy
from attestation.verdict import Verdict, encode_verdict
from attestation.verify import read_facts
from contracts.collateral import CollateralRecord, collateral_of
from contracts.errors import RefusedError
from contracts.execute import Block, Executed, Repeated, execute, parameters_of
from contracts.genesis import RULES_VERSION, genesis_state
from contracts.prepare import prepare
from contracts.records import Parameters
from contracts.view import BlockEnd
from ledger import keys
from ledger.crypto import p256, secp256k1
from ledger.crypto.secret import Secret
from ledger.errors import FormatError
from ledger.format.eip712 import transaction_digest
from ledger.format.genesis import (
    Collection,
    Genesis,
    Limits,
    Profile,
    decode_genesis,
    encode_genesis,
    network_id,
)
from ledger.format.leaf import MAX_LEAF_BYTES, TransactionLeaf, decode_leaf, encode_leaf
from ledger.format.operation import (
    OpenSession,
    Operation,
    Put,
    decode_operation,
    encode_operation,
    operation_digest,
    outcome_digest,
)
from ledger.format.outcome import Outcome, SessionOpened, decode_outcome, encode_outcome
from ledger.format.sealed import MODE_SESSION
from ledger.format.summary import summarize
from ledger.format.terms import CollectionTerms
from ledger.format.transaction import (
    Body,
    Envelope,
    SignerKind,
    encode_body,
    encode_envelope,
    signed_message,
    transaction_hash,
)
from ledger.format.trust import Party, TrustDocument, encode_trust
from tests.support.log_signers import cosigner

START_MS = 1_800_000_000_000
MINUTE_MS = 60_000
COLLATERAL_KEY = f"sgx/{FMSPC.hex()}/processor"
EVALUATION_NUMBER = 17
SERVICE_KEY = sha256(b"the key service").digest()
CORE = cosigner("core.example")


def identity_of(name: str, **changes: object) -> Identity:
    """An SGX enclave whose measurement is made from its name."""
    measurement = sha256(name.encode()).digest()
    usual = Identity(platform="sgx", measurement=measurement, fields=SgxFields())
    return replace(usual, **changes)  # type: ignore[arg-type]  # a test's shorthand for fields of any type


def policy_of(*names: str) -> bytes:
    """The policy that names the measurements of these enclaves."""
    matches = tuple(Match(measurement=identity_of(name).measurement) for name in names)
    return encode_policy(matches[0] if len(matches) == 1 else AnyOf(matches))


def collection(name: str, readers: bytes, writers: bytes) -> Collection:
    """A collection in genesis."""
    return Collection(name, readers, writers)


# What most tests play with: alpha does everything in "app", beta only reads there.
COLLECTIONS = (
    collection("app", policy_of("alpha", "beta"), policy_of("alpha")),
    collection("beta/own", policy_of("beta"), policy_of("beta")),
)


def trust_document(**changes: object) -> TrustDocument:
    """A first trust document with one core."""
    usual = TrustDocument(
        version=1,
        previous_digest=b"",
        members=(),
        member_threshold=0,
        origin="dev.rules.example/1",
        log_generation=1,
        log_key=sha256(b"the log").digest(),
        service_key=SERVICE_KEY,
        cosigners=(Party(CORE.key.name, CORE.key.public_key, "operator"),),
        quorum=1,
        witnesses=(),
        witness_quorum=0,
        core_policy=policy_of("core"),
        roots=(b"root",),
        tcb_signer_pins=(bytes(32),),
        tcb_floor=0,
        tcb_ceiling=0,
        rules_version=RULES_VERSION,
        rules_height=0,
        epoch=1,
        grace_s=0,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]  # a test's shorthand for fields of any type


@lru_cache(maxsize=1)
def genesis_collateral() -> bytes:
    """Real collateral for `COLLATERAL_KEY`, made once, good for ten years."""
    numbers = PlatformNumbers(ppid=bytes(16), fmspc=FMSPC, cpu_svn=CPU_SVN, pce_svn=PCE_SVN)
    issued_s = START_MS // 1000 - DAY_S
    authority = new_authority(numbers, issued_s)
    options = CollateralOptions(
        issued_s=issued_s, validity_s=3_600 * DAY_S, evaluation_number=EVALUATION_NUMBER
    )
    return encode_collateral(make_collateral(authority, QE_SIGNER, options))


def genesis_bytes(
    collections: tuple[Collection, ...] = COLLECTIONS,
    limits: Limits | None = None,
    salt: bytes = bytes(32),
    auditors: tuple[bytes, ...] = (),
    trust: TrustDocument | None = None,
    platforms: tuple[bytes, ...] = (),
) -> bytes:
    """Genesis of a development network."""
    return encode_genesis(
        Genesis(
            name="rules",
            profile=Profile.DEVELOPMENT,
            time_ms=START_MS,
            salt=salt,
            trust=encode_trust(trust or trust_document()),
            collateral=(genesis_collateral(),),
            limits=limits or Limits(),
            collections=collections,
            auditors=auditors,
            platforms=platforms,
        )
    )


class DictState:
    """A ScanView over a dict; the rules may ask for state keys only, and erase payloads."""

    def __init__(self, rows: Mapping[bytes, bytes | None]) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.erased: list[bytes] = []  # keys of payloads, in order
        self.apply(rows)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        for key in sorted(self.rows):
            if start <= key < stop:
                yield key, self.rows[key]

    def get(self, key: bytes) -> bytes | None:
        if not key.startswith(keys.STATE):
            raise AssertionError(f"the rules asked for {key!r}")
        return self.rows.get(key)

    def apply(self, writes: Mapping[bytes, bytes | None]) -> None:
        for key, value in writes.items():
            if key.startswith(b"p") and value is None:
                self.erased.append(key)
                continue
            if not key.startswith(keys.STATE):
                raise AssertionError(f"the rules wrote {key!r}")
            if value is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = value


class BlockEnds:
    """A LogView over a dict: sizes at which blocks ended."""

    def __init__(self) -> None:
        self.ends: dict[int, BlockEnd] = {}

    def block_end(self, size: int) -> BlockEnd | None:
        return self.ends.get(size)

    @property
    def newest(self) -> tuple[int, BlockEnd]:
        """The size and the end of the newest block."""
        size = max(self.ends)
        return size, self.ends[size]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a body says beside its operations; None: what is usual."""

    sequence: int | None = None
    valid_until_ms: int | None = None
    atomic: bool = False


@dataclass(slots=True)
class Signer:
    """Who signs: the kind, the name in the body, the private half and the next number."""

    kind: SignerKind
    name: bytes
    sign: Callable[[bytes], bytes]
    sequence: int = 0


@dataclass(slots=True)
class Enclave:
    """An enclave with its session key; `name` makes the measurement."""

    name: str
    key: p256.SigningKey = field(default_factory=p256.SigningKey)
    kem_key: bytes = bytes(1216)


USUAL = Terms()


class SmallRules:
    """One network's state and block ends, and the events that made them."""

    def __init__(self, genesis: bytes | None = None) -> None:
        self.genesis = genesis_bytes() if genesis is None else genesis
        self.network_id = network_id(self.genesis)
        decoded = decode_genesis(self.genesis)
        facts = tuple(map(read_facts, decoded.collateral))
        self.state = DictState(genesis_state(decoded, facts))
        self.log = BlockEnds()
        self.time_ms = START_MS
        self.height = 0
        self.size = 0
        self.events: list[tuple[bytes, bytes | None] | int] = []
        self.results: list[Executed] = []
        self._salts = 0
        self.end_block(1000)

    @property
    def parameters(self) -> Parameters:
        """The rules' parameters now."""
        return parameters_of(self.state)

    @property
    def collateral(self) -> CollateralRecord:
        """What sessions are judged by now."""
        record = collateral_of(self.state, COLLATERAL_KEY)
        if record is None:
            raise AssertionError("genesis holds no collateral for the test's enclaves")
        return record

    # ------------------------------------------------------------------ what happens

    def end_block(self, step_ms: int) -> None:
        """The block's header; the next block is `step_ms` later."""
        self.events.append(step_ms)
        self.size += 1
        root = sha256(b"%d %d" % (self.size, self.height)).digest()
        self.log.ends[self.size] = BlockEnd(root, self.time_ms)
        self.height += 1
        self.time_ms += step_ms

    def do(self, envelope: bytes, verdict: bytes | None = None) -> Executed | Repeated:
        """Run an envelope in the block that is being filled; RefusedError changes nothing."""
        before = dict(self.state.rows)
        block = Block(self.height, self.time_ms, self.size)
        prepared = prepare(envelope, self.network_id)
        self.events.append((envelope, verdict))
        try:
            done = execute(prepared, verdict, self.state, self.log, block)
        finally:
            if self.state.rows != before:
                raise AssertionError("the rules changed the state below")
        if isinstance(done, Executed):
            _verify_entry(done, prepared.envelope, block)
            self.state.apply(done.writes)
            self.results.append(done)
            self.size += 1
        return done

    def outcomes(self, signer: Signer, *operations: Operation | bytes) -> tuple[Outcome, ...]:
        """Sign, run, and give the outcomes of a transaction that must stand."""
        return self.executed(self.envelope(signer, *operations)).outcomes

    def executed(self, envelope: bytes, verdict: bytes | None = None) -> Executed:
        """Run an envelope that must stand as a new entry."""
        done = self.do(envelope, verdict)
        assert isinstance(done, Executed), "it repeated an entry"
        return done

    # ------------------------------------------------------------------ what clients make

    def envelope(
        self, signer: Signer, *operations: Operation | bytes, terms: Terms = USUAL
    ) -> bytes:
        """A signed envelope; without a number in `terms` it takes the signer's next one."""
        sequence = terms.sequence
        if sequence is None:
            sequence = signer.sequence
            signer.sequence += 1
        until = terms.valid_until_ms
        encoded = tuple(map(_encoded, operations))
        salts = tuple(self._salt() for _ in encoded)
        body = encode_body(
            Body(
                network_id=self.network_id,
                signer_kind=signer.kind,
                signer=signer.name,
                sequence=sequence,
                valid_until_ms=self.time_ms + MINUTE_MS if until is None else until,
                atomic=terms.atomic,
                operation_digests=tuple(map(operation_digest, salts, encoded)),
            )
        )
        message = signed_message(self.network_id, body)
        if signer.kind is SignerKind.ACCOUNT:
            message = self._account_digest(body, sequence, encoded)
        signature = signer.sign(message)
        return encode_envelope(Envelope(body, signature, encoded, salts, (b"",) * len(encoded)))

    def opening(self, enclave: Enclave) -> OpenSession:
        """The operation that opens a session, over the newest block end."""
        size, end = self.log.newest
        parameters = self.parameters
        return OpenSession(
            session_key=enclave.key.public,
            kem_key=enclave.kem_key,
            evidence_digest=sha256(b"evidence").digest(),
            service_key=parameters.service_key,
            trust_digest=parameters.trust_digest,
            checkpoint_size=size,
            checkpoint_root=end.root,
        )

    def verdict(self, identity: Identity, operation: OpenSession, quote: bytes = b"") -> Verdict:
        """What a verifier says of a quote that binds this operation."""
        bound = report_data(
            CLIENT_LABEL,
            ReportBinding(
                network_id=self.network_id,
                trust_digest=operation.trust_digest,
                own_keys=(operation.session_key, operation.kem_key),
                peer_service_key=operation.service_key,
                size=operation.checkpoint_size,
                root=operation.checkpoint_root,
            ),
        )
        return Verdict(
            identity=identity,
            report_data=bound,
            quote_digest=sha256(quote or bound).digest(),
            collateral_number=EVALUATION_NUMBER,
            verified_at_s=self.time_ms // 1000,
            effective_s=self.time_ms // 1000,
            collateral_key=COLLATERAL_KEY,
            collateral_digest=self.collateral.digest,
        )

    def open(self, enclave: Enclave, identity: Identity | None = None) -> Signer:
        """Open a session that must be granted."""
        operation = self.opening(enclave)
        verdict = encode_verdict(self.verdict(identity or identity_of(enclave.name), operation))
        (outcome,) = self.executed(self.envelope(new_session(enclave), operation), verdict).outcomes
        assert isinstance(outcome.detail, SessionOpened), outcome.reason.name
        return Signer(SignerKind.SESSION, outcome.detail.session_id, enclave.key.sign)

    def _account_digest(self, body: bytes, sequence: int, encoded: tuple[bytes, ...]) -> bytes:
        summary = summarize(tuple(one for data in encoded for one in _decoded(data)))
        return transaction_digest(self.network_id, sequence, summary, transaction_hash(body))

    def _salt(self) -> bytes:
        self._salts += 1
        return sha256(b"salt %d" % self._salts).digest()[:16]


def replayed(
    genesis: bytes,
    events: list[tuple[bytes, bytes | None] | int],
    kind: type[SmallRules] = SmallRules,
) -> SmallRules:
    """The same events over a fresh state; refusals are refusals again."""
    again = kind(genesis)
    for event in events[1:]:  # the first block end belongs to every start
        if isinstance(event, int):
            again.end_block(event)
            continue
        try:
            again.do(*event)
        except RefusedError as error:
            if not error.hint:
                raise AssertionError("a refusal without a hint") from error
    return again


def digests(rules: SmallRules) -> list[str]:
    """One digest per entry over its leaf, outcomes and writes, in the order they were made."""
    lines = []
    for done in rules.results:
        rows = (key + b"=" + (value or b"\0none") for key, value in done.writes.items())
        lines.append(sha256(b"\n".join((done.leaf, *done.encoded, *rows))).hexdigest())
    return lines


def new_session(enclave: Enclave) -> Signer:
    """The signer of an OpenSession."""
    return Signer(SignerKind.NEW_SESSION, enclave.key.public, enclave.key.sign)


def account(name: str) -> Signer:
    """An account, whose key is made from its name; it signs EIP-712 digests."""
    key = secp256k1.SigningKey(Secret(sha256(f"account {name}".encode()).digest()))
    return Signer(SignerKind.ACCOUNT, key.address, key.sign)


def terms_of(readers: str = "alpha", writers: str = "alpha", **changes: object) -> CollectionTerms:
    """The terms that name the measurements of one reader and one writer."""
    usual = CollectionTerms(policy_of(readers), policy_of(writers))
    return replace(usual, **changes)  # type: ignore[arg-type]  # a test's shorthand for fields of any type


def core_signer() -> Signer:
    """The core as the signer of a node's transactions."""
    return Signer(SignerKind.NODE, CORE.key.public_key, CORE.signing.sign)


def put_of(collection: str, name: str, **changes: object) -> Put:
    """A put of 100 bytes in the first epoch."""
    usual = Put(collection, name, sha256(b"record").digest()[:16], 1, MODE_SESSION, bytes(32), 100)
    return replace(usual, **changes)  # type: ignore[arg-type]  # a test's shorthand for fields of any type


def _decoded(data: bytes) -> Iterator[Operation]:
    try:
        yield decode_operation(data)
    except FormatError:
        return


def _encoded(operation: Operation | bytes) -> bytes:
    return operation if isinstance(operation, bytes) else encode_operation(operation)


def _verify_entry(done: Executed, envelope: Envelope, block: Block) -> None:
    leaf = decode_leaf(done.leaf)
    if not isinstance(leaf, TransactionLeaf) or encode_leaf(leaf) != done.leaf:
        raise AssertionError("the leaf is no canonical transaction leaf")
    if len(done.leaf) > MAX_LEAF_BYTES or len(done.leaf) >= 65_536:
        raise AssertionError("the leaf is too long")
    if (leaf.height, leaf.time_ms, leaf.body) != (block.height, block.time_ms, envelope.body):
        raise AssertionError("the leaf does not say what ran where")
    if tuple(map(decode_outcome, done.encoded)) != done.outcomes:
        raise AssertionError("an outcome does not decode to itself")
    if tuple(map(encode_outcome, done.outcomes)) != done.encoded:
        raise AssertionError("an outcome is not canonical")
    if leaf.outcome_digests != tuple(map(outcome_digest, envelope.salts, done.encoded)):
        raise AssertionError("the leaf does not commit to the outcomes")
