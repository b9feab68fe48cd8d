"""The formats' example bytes: one small network with fixed keys, kept in tests/vectors/formats.

`python -m tests.ledger_format.make_vectors` writes the files anew; tests compare them, and the
examples in docs/spec/formats.md, with what is built here. Everything hangs together: the receipt
verifies under the trust document in genesis and opens the read of the sealed secret. Opaque parts
(policies, certificates, evidence, KEM keys) are fixed bytes that only have the right width.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from ledger import sealing
from ledger.crypto import derive, ed25519, p256
from ledger.crypto.secret import Secret
from ledger.format import operation as ops
from ledger.format import outcome as outs
from ledger.format.genesis import Collection, Genesis, Limits, Profile, encode_genesis, network_id
from ledger.format.hygiene import RevokeSession, UpdateCollateral
from ledger.format.leaf import BlockHeader, GenesisLeaf, Leaf, TransactionLeaf, encode_leaf
from ledger.format.platforms import PlatformVote, VotePlatform
from ledger.format.query import (
    ListCollections,
    ListPlatforms,
    ListReleases,
    ListSecrets,
    OpenEntries,
    Query,
    Question,
    ShowCollection,
    ShowHead,
    ShowHistory,
    encode_query,
    query_message,
)
from ledger.format.receipt import Opened, Receipt, encode_receipt
from ledger.format.releases import (
    EnclaveRelease,
    EndorseRelease,
    PublishRelease,
    ReleaseMeasurement,
    ReleaseVersion,
    RevokeRelease,
    encode_release,
    release_digest,
)
from ledger.format.sealed import MODE_PUBLIC, MODE_SESSION, encode_coordinates, split_sealed
from ledger.format.stored import Stored, encode_stored
from ledger.format.terms import (
    CollectionTerms,
    CreateCollection,
    Destroy,
    FreezeCollection,
    SetPolicy,
)
from ledger.format.transaction import (
    Body,
    Envelope,
    SignerKind,
    encode_body,
    encode_envelope,
    signed_message,
    transaction_hash,
)
from ledger.format.trust import Party, TrustDocument, encode_trust, trust_digest
from ledger.log.checkpoint import Checkpoint, encode_checkpoint
from ledger.log.cosignature import cosign
from ledger.log.merkle import leaf_hash
from ledger.log.note import Note, SignatureType, VerifierKey, encode_note, sign_note
from ledger.log.tree import Tree
from ledger.reason import Reason
from tests.support.log_reference import MemoryTiles

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "tests/vectors/formats"
ORIGIN = "made by tests/ledger_format/make_vectors.py with fixed inputs"
LOG_ORIGIN = "dev.example.org/ledger/1"
TIME_MS = 1_790_000_000_000
P256_SCALAR = int.from_bytes(sha256(b"session key").digest(), "big") % p256.ORDER


def fixed(what: str, width: int = 32) -> bytes:
    """Bytes of any width that are the same in every run, named by what they stand for."""
    blocks = (sha256(b"%b %d" % (what.encode(), n)).digest() for n in range(width // 32 + 1))
    return b"".join(blocks)[:width]


SERVICE_SEED = Secret(fixed("service seed"))
LOG_KEY = ed25519.SigningKey(derive.derive(SERVICE_SEED, derive.LOG_KEY))
SERVICE_KEY = ed25519.SigningKey(derive.derive(SERVICE_SEED, derive.SERVICE_KEY))
CORE_KEY = ed25519.SigningKey(Secret(fixed("core key")))
EPOCH_SECRET = Secret(fixed("epoch secret"))
DATA_KEY = Secret(fixed("data key"))
VALUE = b"correct horse battery staple"
WRITER, READER = fixed("writer session"), fixed("reader session")

TRUST = TrustDocument(
    version=1,
    previous_digest=b"",
    members=(fixed("member", 20),),
    member_threshold=1,
    origin=LOG_ORIGIN,
    log_generation=1,
    log_key=LOG_KEY.public,
    service_key=SERVICE_KEY.public,
    cosigners=(Party("core-a.example.org", CORE_KEY.public, "operator-a"),),
    quorum=1,
    witnesses=(),
    witness_quorum=0,
    core_policy=b"core policy",
    roots=(b"root certificate",),
    tcb_signer_pins=(fixed("TCB signer"),),
    tcb_floor=17,
    tcb_ceiling=0,
    rules_version=1,
    rules_height=0,
    epoch=1,
    grace_s=86_400,
)
GENESIS = Genesis(
    name="example",
    profile=Profile.DEVELOPMENT,
    time_ms=TIME_MS,
    salt=fixed("salt"),
    trust=encode_trust(TRUST),
    collateral=(b"collateral",),
    limits=Limits(),
    collections=(Collection("app/secrets", b"readers", b"writers"),),
    auditors=(fixed("network auditor", 20),),
)
NETWORK_ID = network_id(encode_genesis(GENESIS))

AT = outs.Coordinates("app/secrets", "db/password", fixed("record", 16), 1, MODE_SESSION, WRITER)
COLLECTION_SECRET = sealing.collection_secret(EPOCH_SECRET, AT.collection)
WRITER_KEK = sealing.session_kek(COLLECTION_SECRET, WRITER)
SEALED, SEALED_DIGEST = sealing.seal_value(NETWORK_ID, AT, WRITER_KEK, DATA_KEY, VALUE)
HEADER, CIPHERTEXT = split_sealed(SEALED)

SEALING_KEY = sealing.sealing_key(COLLECTION_SECRET).public
SEALING_STATEMENT = sealing.sealing_key_statement(NETWORK_ID, AT.collection, 1, SEALING_KEY)
OWNER = fixed("owner", 20)
PLATFORM = fixed("platform", 16)
TERMS = CollectionTerms(b"readers", b"writers", (fixed("auditor", 20),), 86_400_000)
RELEASE = EnclaveRelease(
    name="fns",
    version=ReleaseVersion(1, 2, 0),
    measurements=(
        ReleaseMeasurement(1, fixed("SGX measurement")),
        ReleaseMeasurement(2, fixed("TDX measurement", 48)),
        ReleaseMeasurement(3, fixed("SNP measurement", 48)),
    ),
    source_digest=fixed("source"),
    notes='first with "streams"; see CHANGELOG',
    auditors=tuple(sorted((fixed("auditor", 20), fixed("second auditor", 20)))),
)
RELEASE_DIGEST = release_digest(encode_release(RELEASE))

OPERATIONS: dict[str, ops.Operation] = {
    "operation OpenSession": ops.OpenSession(
        session_key=fixed("session key", 33),
        kem_key=fixed("KEM key", 1216),
        evidence_digest=sha256(b"evidence").digest(),
        service_key=SERVICE_KEY.public,
        trust_digest=trust_digest(encode_trust(TRUST)),
        checkpoint_size=5,
        checkpoint_root=fixed("root"),
    ),
    "operation AcquireKey": ops.AcquireKey("app/secrets"),
    "operation Put": ops.Put(
        "app/secrets", "db/password", AT.record_id, 1, 1, SEALED_DIGEST, len(CIPHERTEXT), 0
    ),
    "operation Read": ops.Read("app/secrets", "db/password"),
    "operation Read of version 3": ops.Read("app/secrets", "db/password", 3),
    "operation Delete": ops.Delete("app/secrets", "db/password", 1),
    "operation Put with a time to live": ops.Put(
        *("app/secrets", "db/password", AT.record_id, 1, MODE_PUBLIC, SEALED_DIGEST, 44),
        ttl_ms=3_600_000,
    ),
    "operation CreateCollection": CreateCollection("team/secrets", TERMS),
    "operation SetPolicy": SetPolicy("team/secrets", CollectionTerms(b"readers", b"writers")),
    "operation FreezeCollection": FreezeCollection("team/secrets", frozen=True),
    "operation FreezeCollection that ends it": FreezeCollection("team/secrets", frozen=False),
    "operation Destroy": Destroy("team/secrets", "db/password"),
    "operation Destroy of version 3": Destroy("team/secrets", "db/password", 3),
    "operation KeyServiceStart": ops.KeyServiceStart(fixed("nonce"), SERVICE_KEY.public),
    "operation UpdateCollateral": UpdateCollateral(sha256(b"collateral").digest()),
    "operation PublishRelease": PublishRelease(RELEASE),
    "operation EndorseRelease": EndorseRelease("fns", RELEASE.version, RELEASE_DIGEST),
    "operation RevokeRelease": RevokeRelease("fns", RELEASE.version),
    "operation RevokeRelease of version 0.0.0": RevokeRelease("fns", ReleaseVersion(0, 0, 0)),
    "operation RevokeSession": RevokeSession(READER, "team/secrets"),
    "operation RevokeSession by a member": RevokeSession(READER, ""),
    "operation VotePlatform of an Intel platform": VotePlatform(PLATFORM, PlatformVote.ENROL),
    "operation VotePlatform of an AMD platform": VotePlatform(
        fixed("chip", 64), PlatformVote.REMOVE, 57
    ),
    "operation VotePlatform that takes a vote back": VotePlatform(PLATFORM, PlatformVote.TAKE_BACK),
}
GRANTED = outs.ReadGranted(
    collection="app/secrets",
    name="db/password",
    version=1,
    origin=AT,
    sealed_digest=SEALED_DIGEST,
    reader_session=READER,
    identity_digest=fixed("reader identity"),
    put_index=1,
    put_position=0,
    reader_epoch=1,
)
OUTCOMES = {
    "outcome SessionOpened": outs.Outcome(
        Reason.OK, outs.SessionOpened(READER, TIME_MS + 3_600_000, 1, b"verdict")
    ),
    "outcome KeyAcquired": outs.Outcome(
        Reason.OK, outs.KeyAcquired("app/secrets", 1, WRITER, fixed("writer identity"), 1)
    ),
    "outcome PutDone": outs.Outcome(Reason.OK, outs.PutDone(1)),
    "outcome ReadGranted": outs.Outcome(Reason.OK, GRANTED),
    "outcome Deleted": outs.Outcome(Reason.OK, outs.Deleted(1)),
    "outcome Destroyed": outs.Outcome(Reason.OK, outs.Destroyed(1, 3)),
    "outcome CollateralUpdated": outs.Outcome(
        Reason.OK, outs.CollateralUpdated(b"collateral verdict")
    ),
    "outcome Votes": outs.Outcome(Reason.OK, outs.Votes(2, 3)),
    "outcome Votes that nobody counts": outs.Outcome(Reason.OK, outs.Votes(0, 0)),
    "outcome Conflict": outs.Outcome(Reason.VERSION_CONFLICT, outs.Conflict(0)),
    "outcome OK without detail": outs.Outcome(Reason.OK),
    "outcome DENIED": outs.Outcome(Reason.DENIED),
}

QUESTIONS: dict[str, Question] = {
    "query ListSecrets": ListSecrets("app/secrets", "db/", "db/password", 100),
    "query ShowHead": ShowHead("app/secrets", "db/password"),
    "query ShowHistory": ShowHistory("app/secrets", "db/password", 0, 1000),
    "query ShowCollection": ShowCollection("app/secrets"),
    "query ListCollections": ListCollections("", 100),
    "query OpenEntries": OpenEntries(3, 100, "app/secrets", READER),
    "query OpenEntries of indices": OpenEntries(0, 2, indices=(1, 3)),
    "query ListReleases": ListReleases("", "", 100),
    "query ListReleases of one name": ListReleases("fns", "fns@1.2.0", 100),
    "query ListPlatforms": ListPlatforms(b"", 100),
    "query ListPlatforms behind one": ListPlatforms(PLATFORM, 100),
}
QUERIES = {
    name: Query(NETWORK_ID, SignerKind.SESSION, READER, TIME_MS, question)
    for name, question in QUESTIONS.items()
} | {
    "query ShowHead of an account": Query(
        NETWORK_ID, SignerKind.ACCOUNT, OWNER, TIME_MS, QUESTIONS["query ShowHead"]
    )
}

SALTS = (fixed("salt of the read", 16), fixed("salt of the key", 16))
ASKED = tuple(
    ops.encode_operation(OPERATIONS[name]) for name in ("operation Read", "operation AcquireKey")
)
ANSWERED = tuple(
    outs.encode_outcome(OUTCOMES[name]) for name in ("outcome ReadGranted", "outcome DENIED")
)


def _p256_key() -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(P256_SCALAR, ec.SECP256R1())


def _session_signature(message: bytes) -> bytes:
    """The deterministic (RFC 6979) low-s signature: `p256.SigningKey` has a fresh key each time."""
    algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    r, s = decode_dss_signature(_p256_key().sign(message, algorithm))
    return r.to_bytes(32, "big") + min(s, p256.ORDER - s).to_bytes(32, "big")


SESSION_PUBLIC = (
    _p256_key()
    .public_key()
    .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
)


def signed(signer: bytes, salts: tuple[bytes, ...], operations: tuple[bytes, ...]) -> Envelope:
    """A transaction of a session, signed with the one session key of the examples."""
    body = Body(
        network_id=NETWORK_ID,
        signer_kind=SignerKind.SESSION,
        signer=signer,
        sequence=7,
        valid_until_ms=TIME_MS + 600_000,
        atomic=False,
        operation_digests=tuple(map(ops.operation_digest, salts, operations)),
    )
    data = encode_body(body)
    signature = _session_signature(signed_message(NETWORK_ID, data))
    return Envelope(data, signature, operations, salts, (b"",) * len(operations))


def executed(height: int, envelope: Envelope, outcomes: tuple[bytes, ...]) -> TransactionLeaf:
    """The leaf of a transaction with these outcomes."""
    digests = tuple(map(ops.outcome_digest, envelope.salts, outcomes))
    time_ms = TIME_MS + height * 30_000
    return TransactionLeaf(height, time_ms, envelope.body, envelope.signature, digests)


def header_of(height: int) -> BlockHeader:
    """The header leaf of a block."""
    return BlockHeader(height, TIME_MS + height * 30_000, b"", 1, 1, 1)


ENVELOPE = signed(READER, SALTS, ASKED)
LEAF = executed(2, ENVELOPE, ANSWERED)
PUT_LEAF = executed(
    1,
    signed(
        WRITER,
        (fixed("salt of the put", 16),),
        (ops.encode_operation(OPERATIONS["operation Put"]),),
    ),
    (outs.encode_outcome(OUTCOMES["outcome PutDone"]),),
)
GENESIS_LEAF = GenesisLeaf(NETWORK_ID, TIME_MS)
LEAVES: tuple[Leaf, ...] = (GENESIS_LEAF, PUT_LEAF, header_of(1), LEAF, header_of(2))
ENTRIES = tuple(map(encode_leaf, LEAVES))
READ_INDEX = 3
RELEASE_KEY = sealing.release_key(
    sealing.session_secret(EPOCH_SECRET, READER), leaf_hash(encode_leaf(LEAF)), 0
)


def signed_checkpoint(tree: Tree) -> bytes:
    """The tree's checkpoint with the log key's line and the core's."""
    text = encode_checkpoint(Checkpoint(LOG_ORIGIN, tree.size, tree.root()))
    log = VerifierKey(LOG_ORIGIN, SignatureType.ED25519, LOG_KEY.public)
    core = VerifierKey("core-a.example.org", SignatureType.COSIGNATURE, CORE_KEY.public)
    lines = (
        sign_note(text, key=log, sign=LOG_KEY.sign),
        cosign(text, key=core, time_s=TIME_MS // 1000 + 61, sign=CORE_KEY.sign),
    )
    return encode_note(Note(text, lines))


def make_receipt(*opened: Opened) -> Receipt:
    """A receipt of the read's transaction leaf, entry 3 of the log of ENTRIES."""
    tiles = MemoryTiles()
    tree = Tree.open(tiles, 0)
    tiles.persist(tree.append([leaf_hash(entry) for entry in ENTRIES]).tiles)
    proof = tree.inclusion_proof(READ_INDEX, tree.size)
    return Receipt(READ_INDEX, proof, signed_checkpoint(tree), ENTRIES[READ_INDEX], opened)


RECEIPT = make_receipt(Opened(0, SALTS[0], ASKED[0], ANSWERED[0]))
STORED = Stored(ASKED, SALTS, ANSWERED)


@dataclass(frozen=True, slots=True)
class Example:
    """One example's file, its name (the same on the page) and its bytes."""

    file: str
    name: str
    data: bytes

    @property
    def text(self) -> str:
        """As it is written down: a receipt is text, all else is hex."""
        return self.data.decode() if self.name == "receipt file" else self.data.hex()


def build_examples() -> list[Example]:
    """Every example, built from the values above."""
    trust, genesis, body = encode_trust(TRUST), encode_genesis(GENESIS), ENVELOPE.body
    files: dict[str, dict[str, bytes]] = {
        "trust_document": {"trust document": trust, "trust digest": trust_digest(trust)},
        "genesis": {"genesis": genesis, "network id": NETWORK_ID},
        "operation": {name: ops.encode_operation(one) for name, one in OPERATIONS.items()}
        | {"salt": SALTS[0], "operation digest": ops.operation_digest(SALTS[0], ASKED[0])},
        "release": {"release": encode_release(RELEASE), "release digest": RELEASE_DIGEST},
        "outcome": {name: outs.encode_outcome(one) for name, one in OUTCOMES.items()}
        | {
            "outcome salt": ops.outcome_salt(SALTS[0]),
            "outcome digest": ops.outcome_digest(SALTS[0], ANSWERED[0]),
        },
        "query": {name: encode_query(one) for name, one in QUERIES.items()}
        | {"signed query": query_message(NETWORK_ID, encode_query(QUERIES["query ShowHead"]))},
        "body": {"body": body, "transaction hash": transaction_hash(body)},
        "envelope": {
            "signed message": signed_message(NETWORK_ID, body),
            "session public key": SESSION_PUBLIC,
            "signature": ENVELOPE.signature,
            "envelope": encode_envelope(ENVELOPE),
        },
        "leaf": {
            "transaction leaf": encode_leaf(LEAF),
            "block header leaf": encode_leaf(header_of(2)),
            "genesis leaf": encode_leaf(GENESIS_LEAF),
        },
        "stored_operations": {"stored operations": encode_stored(STORED)},
        "sealed_secret": {
            "coordinates": encode_coordinates(NETWORK_ID, AT),
            "sealed header": HEADER,
            "sealed secret": SEALED,
            "sealed digest": SEALED_DIGEST,
        },
        "keys": {
            "epoch secret": EPOCH_SECRET.reveal(),
            "collection secret": COLLECTION_SECRET.reveal(),
            "writer's key-encryption key": WRITER_KEK.reveal(),
            "record key": derive.derive(WRITER_KEK, derive.RECORD, AT.record_id).reveal(),
            "data key": DATA_KEY.reveal(),
            "value": VALUE,
            "public sealing key": SEALING_KEY,
            "signature of the sealing key": SERVICE_KEY.sign(SEALING_STATEMENT),
            "reader's session secret": sealing.session_secret(EPOCH_SECRET, READER).reveal(),
            "leaf hash": leaf_hash(encode_leaf(LEAF)),
            "release key": RELEASE_KEY.reveal(),
            "released data key": sealing.seal_released(RELEASE_KEY, DATA_KEY),
        },
        "receipt": {"receipt file": encode_receipt(RECEIPT)},
    }
    return [
        Example(file, name, data) for file, group in files.items() for name, data in group.items()
    ]


def encode_file(file: str) -> str:
    """The content of one file of vectors."""
    examples = {one.name: one.text for one in build_examples() if one.file == file}
    content = {"origin": ORIGIN, "examples": examples}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in sorted({example.file for example in build_examples()}):
        (FOLDER / f"{name}.json").write_text(encode_file(name), encoding="utf-8")
