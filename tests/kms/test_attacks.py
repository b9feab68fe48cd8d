"""The attacks of the design that a key service alone must withstand, one test of that name each."""

import os
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest

from attestation.handshake import grant_transcript
from kms.errors import KeyServiceStateError
from kms.messages import (
    CertifyRequest,
    ReleaseRequest,
    decode_session_grant,
    encode_certify_request,
    encode_release_request,
    encode_start_request,
)
from kms.service import open_key_service
from kms.state import LABEL, open_state, seal_state
from ledger.crypto import ed25519, p256, xwing
from ledger.crypto.aead import OpenError
from ledger.crypto.secret import Secret
from ledger.format.genesis import Limits
from ledger.format.leaf import TransactionLeaf, decode_leaf, encode_leaf
from ledger.format.operation import OpenSession, decode_operation, encode_operation
from ledger.format.outcome import (
    Coordinates,
    KeyAcquired,
    Outcome,
    SessionOpened,
    encode_outcome,
)
from ledger.format.sealed import (
    WRAP_SESSION,
    Wrap,
    encode_coordinates,
    encode_header,
    sealed_digest,
    split_sealed,
)
from ledger.format.transaction import SignerKind, decode_body, encode_body
from ledger.format.trust import decode_trust, encode_trust
from ledger.log.merkle import leaf_hash
from ledger.log.note import VerifierKey
from ledger.reason import Reason
from tests.support.log_signers import TestSigner, cosigner
from tests.support.refused import refused
from tests.support.small_log import Signer, SmallLog
from tests.support.small_network import (
    IDENTITY_DIGEST,
    ORIGIN,
    SmallNetwork,
    Stored,
    TestSession,
    genesis_of,
    trust_of,
)
from tests.support.small_platform import MemoryState, SmallPlatform

VALUE = b"the value that only its reader sees"


def answer(network: SmallNetwork, request: ReleaseRequest) -> tuple[Reason, bytes]:
    """The reason and the key of a request's only item."""
    (released,) = network.release(request)
    return released.reason, released.sealed_key


# ------------------------------------------------------------- relay picks the session secret


def test_relay_picks_the_session_secret_by_another_kem_key(network: SmallNetwork) -> None:
    """A relay cannot have the secret sealed to its own KEM key in place of the session's."""
    kem, relay = xwing.DecapsulationKey(), xwing.DecapsulationKey()
    recorded = network.record_open(kem.public, p256.SigningKey())
    network.end_block()
    operation = decode_operation(recorded.operations[0])
    assert isinstance(operation, OpenSession)
    item = replace(
        network.item(recorded),
        operation=encode_operation(replace(operation, kem_key=relay.public)),
    )
    asked = network.release_request(recorded, item)
    assert answer(network, asked) == (Reason.NOT_CERTIFIED, b"")


def test_relay_picks_the_session_secret_by_its_own_grant(network: SmallNetwork) -> None:
    """A grant around another secret does not verify under the service key."""
    kem = xwing.DecapsulationKey()
    recorded = network.record_open(kem.public, p256.SigningKey())
    network.end_block()
    grant = decode_session_grant(network.granted(recorded))
    info = grant.session_id + network.network_id
    forged = xwing.seal(kem.public, Secret(bytes(32)), info)

    def is_signed(sealed: bytes, expires_ms: int) -> bool:
        transcript = grant_transcript(
            network_id=network.network_id,
            session_id=grant.session_id,
            expires_ms=expires_ms,
            grant_digest=sha256(sealed).digest(),
            leaf_hash=leaf_hash(recorded.leaf),
        )
        return ed25519.is_valid(network.service.service_key, grant.signature, transcript)

    assert is_signed(grant.sealed_secret, grant.expires_ms)
    assert not is_signed(forged, grant.expires_ms)
    assert not is_signed(grant.sealed_secret, grant.expires_ms + 1)


def test_relay_opens_its_own_session_under_anothers_key(network: SmallNetwork) -> None:
    """The body's signer must be the session key that the operation names."""
    victim, relay = p256.SigningKey(), p256.SigningKey()
    kem = xwing.DecapsulationKey()
    signer = Signer(SignerKind.NEW_SESSION, relay.public, relay.sign)
    recorded = network.record_opening(signer, network.opening(kem.public, victim.public))
    network.end_block()
    asked = network.release_request(recorded, network.item(recorded))
    assert answer(network, asked) == (Reason.NOT_GRANTED, b"")


def test_same_session_key_opened_twice_with_another_kem_key(network: SmallNetwork) -> None:
    """Two openings are two sessions: the second one's secret opens nothing of the first."""
    key, first, second = p256.SigningKey(), xwing.DecapsulationKey(), xwing.DecapsulationKey()
    one = network.record_open(first.public, key)
    two = network.record_open(second.public, key)
    network.end_block()
    grants = [decode_session_grant(network.granted(recorded)) for recorded in (one, two)]
    secrets = [
        kem.open(grant.sealed_secret, grant.session_id + network.network_id)
        for kem, grant in zip((first, second), grants, strict=True)
    ]
    assert grants[0].session_id != grants[1].session_id
    assert secrets[0] != secrets[1]


def test_an_outcome_that_names_another_session_gives_no_grant(network: SmallNetwork) -> None:
    """The session id is computed from the body, not believed."""
    key, kem = p256.SigningKey(), xwing.DecapsulationKey()
    victim = network.open_session()
    signer = Signer(SignerKind.NEW_SESSION, key.public, key.sign)
    opened = SessionOpened(victim.id, network.log.time_ms, 1, b"")
    step = network.opening(kem.public, key.public), Outcome(Reason.OK, opened)
    recorded = network.log.transact(signer, step)
    network.end_block()
    asked = network.release_request(recorded, network.item(recorded))
    assert answer(network, asked) == (Reason.NOT_GRANTED, b"")


# ------------------------------------------------- header transplanted to another place

MOVES: dict[str, Callable[[Coordinates], Coordinates]] = {
    "name": lambda at: replace(at, name="stolen"),
    "collection": lambda at: replace(at, collection="thief/own"),
    "mode": lambda at: replace(at, mode=2),
    "epoch": lambda at: replace(at, epoch=2),
    "writer": lambda at: replace(at, writer_session=sha256(b"the thief").digest()),
    "record": lambda at: replace(at, record_id=bytes(16)),
}


@pytest.fixture
def two_epochs() -> SmallNetwork:
    """A network whose key service holds the epochs 1 and 2."""
    return SmallNetwork().start().add_epoch(2)


def read_as(
    network: SmallNetwork, reader: TestSession, stored: Stored, at: Coordinates, digest: bytes
) -> ReleaseRequest:
    """The request of a granted read whose outcome says these coordinates and this digest."""
    read = network.read_outcome(reader, stored)
    recorded = network.record_reads(reader, replace(read, origin=at, sealed_digest=digest))
    network.end_block()
    return network.release_request(recorded, network.item(recorded, stored))


@pytest.mark.parametrize("move", MOVES)
def test_header_transplanted_as_it_is(two_epochs: SmallNetwork, move: str) -> None:
    """A victim's sealed bytes, put again elsewhere, release nothing: coordinates must match."""
    network = two_epochs
    stored = network.seal(network.open_session(), VALUE)
    thief = network.open_session()
    asked = read_as(network, thief, stored, MOVES[move](stored.at), stored.digest)
    assert answer(network, asked) == (Reason.HEADER_MISMATCH, b"")


@pytest.mark.parametrize("move", MOVES)
def test_header_transplanted_and_rewritten(two_epochs: SmallNetwork, move: str) -> None:
    """A victim's wrap under a header rewritten for another place does not open."""
    network = two_epochs
    stored = network.seal(network.open_session(), VALUE)
    thief = network.open_session()
    at = MOVES[move](stored.at)
    header = stored.header
    coordinates = encode_coordinates(network.network_id, stored.at)
    assert header.startswith(coordinates)
    moved = encode_coordinates(network.network_id, at) + header[len(coordinates) :]
    sealed = moved + split_sealed(stored.sealed)[1]
    digest = sealed_digest(moved, stored.ciphertext_digest)
    asked = read_as(network, thief, replace(stored, sealed=sealed), at, digest)
    assert answer(network, asked) == (Reason.HEADER_MISMATCH, b"")


def test_header_of_another_secret_shown_for_a_granted_one(network: SmallNetwork) -> None:
    """A thief who may read its own secret cannot show the header of another one."""
    victims = network.seal(network.open_session(), VALUE)
    thief = network.open_session()
    own = network.seal(thief, b"own")
    recorded = network.record_read(thief, own)
    network.end_block()
    asked = network.release_request(recorded, network.item(recorded, victims))
    assert answer(network, asked) == (Reason.HEADER_MISMATCH, b"")


def test_header_of_another_network(network: SmallNetwork) -> None:
    """A header that names another network is refused even where its digest is recorded."""
    writer = network.open_session()
    stored = network.seal(writer, VALUE)
    coordinates = encode_coordinates(bytes(32), stored.at)
    moved = coordinates + stored.header[len(coordinates) :]
    sealed = moved + split_sealed(stored.sealed)[1]
    digest = sealed_digest(moved, stored.ciphertext_digest)
    asked = read_as(network, writer, replace(stored, sealed=sealed), stored.at, digest)
    assert answer(network, asked) == (Reason.HEADER_MISMATCH, b"")


def test_header_with_a_shifted_border_to_the_ciphertext_digest(network: SmallNetwork) -> None:
    """Header and digest are hashed side by side, so their sizes are checked: no bytes move over."""
    stored = network.seal(network.open_session(), VALUE)
    reader = network.open_session()
    recorded = network.record_read(reader, stored)
    network.end_block()
    good = network.item(recorded, stored)
    both = good.sealed_header + good.ciphertext_digest
    border = len(good.sealed_header)
    for at in (0, border - 1, border + 1, len(both)):
        item = replace(good, sealed_header=both[:at], ciphertext_digest=both[at:])
        asked = network.release_request(recorded, item)
        assert answer(network, asked) == (Reason.HEADER_MISMATCH, b"")


def test_header_of_a_mode_that_is_not_known(network: SmallNetwork) -> None:
    """A value that was sealed, wrapped and recorded under another mode is not released as this."""
    writer = network.open_session()
    stored = network.seal(writer, VALUE, replace(network.coordinates(writer), mode=2))
    recorded = network.record_read(writer, stored)
    network.end_block()
    asked = network.release_request(recorded, network.item(recorded, stored))
    assert answer(network, asked) == (Reason.HEADER_MISMATCH, b"")


@pytest.mark.parametrize("wrap", [b"", bytes(16), bytes(2048)])
def test_header_with_a_wrap_that_holds_no_key(network: SmallNetwork, wrap: bytes) -> None:
    """A recorded header whose wrap does not open gives no key, whatever the wrap's size."""
    writer = network.open_session()
    stored = network.seal(writer, VALUE)
    coordinates = encode_coordinates(network.network_id, stored.at)
    header = encode_header(coordinates, (Wrap(WRAP_SESSION, wrap),))
    sealed = header + split_sealed(stored.sealed)[1]
    digest = sealed_digest(header, stored.ciphertext_digest)
    asked = read_as(network, writer, replace(stored, sealed=sealed), stored.at, digest)
    assert answer(network, asked) == (Reason.HEADER_MISMATCH, b"")


# ------------------------------------------------------------ another session's entitlement


def test_a_read_in_the_name_of_another_session(network: SmallNetwork) -> None:
    """An outcome for one session in the entry of another gives no key to either."""
    stored = network.seal(network.open_session(), VALUE)
    victim, thief = network.open_session(), network.open_session()
    recorded = network.record_reads(thief, network.read_outcome(victim, stored))
    network.end_block()
    asked = network.release_request(recorded, network.item(recorded, stored))
    assert answer(network, asked) == (Reason.NOT_GRANTED, b"")


def test_a_key_acquired_in_the_name_of_another_session(network: SmallNetwork) -> None:
    """A writer key goes only to the session that asked for it."""
    victim, thief = network.open_session(), network.open_session()
    acquired = KeyAcquired("app/secrets", 1, victim.id, IDENTITY_DIGEST, 1)
    operation = decode_operation(network.record_acquire(thief, "app/secrets").operations[0])
    recorded = network.log.transact(thief.signer, (operation, Outcome(Reason.OK, acquired)))
    network.end_block()
    asked = network.release_request(recorded, network.item(recorded))
    assert answer(network, asked) == (Reason.NOT_GRANTED, b"")


def test_a_node_that_signs_as_if_it_were_a_session(network: SmallNetwork) -> None:
    """A signer of another kind with the same 32 bytes is no session."""
    stored = network.seal(network.open_session(), VALUE)
    node = network.node_signer()
    session = replace(network.open_session(), id=node.name, signer=node)
    recorded = network.record_read(session, stored)
    network.end_block()
    asked = network.release_request(recorded, network.item(recorded, stored))
    assert answer(network, asked) == (Reason.NOT_GRANTED, b"")


def test_a_released_key_is_of_no_use_to_who_asks_for_it(network: SmallNetwork) -> None:
    """Anyone may ask; only the session's secret opens the answer, at its own leaf and position."""
    stored = network.seal(network.open_session(), VALUE)
    reader, other = network.open_session(), network.open_session()
    recorded = network.record_read(reader, stored)
    network.end_block()
    sealed_key = network.granted(recorded, stored)
    network.open_released(reader, recorded, sealed_key)
    for session, position in ((other, 0), (reader, 1)):
        with pytest.raises(OpenError):
            network.open_released(session, recorded, sealed_key, position)


def test_right_code_on_another_network(network: SmallNetwork) -> None:
    """An entry whose body is for another network releases nothing here."""
    session = network.open_session()
    acquired = KeyAcquired("app/secrets", 1, session.id, IDENTITY_DIGEST, 1)
    operation = decode_operation(network.record_acquire(session, "app/secrets").operations[0])
    step = operation, Outcome(Reason.OK, acquired)
    recorded = network.log.transact(session.signer, step, network_id=bytes(32))
    network.end_block()
    with refused(Reason.WRONG_NETWORK):
        network.release(network.release_request(recorded, network.item(recorded)))


def test_an_outcome_that_the_leaf_does_not_commit_to(network: SmallNetwork) -> None:
    """A denied read cannot be shown with a granted outcome beside it."""
    stored = network.seal(network.open_session(), VALUE)
    thief = network.open_session()
    granted = network.record_read(thief, stored)
    operation = decode_operation(granted.operations[0])
    denied = network.log.transact(thief.signer, (operation, Outcome(Reason.DENIED)))
    network.end_block()
    outcome = encode_outcome(Outcome(Reason.OK, network.read_outcome(thief, stored)))
    item = replace(network.item(denied, stored), outcome=outcome)
    asked = network.release_request(denied, item)
    assert answer(network, asked) == (Reason.NOT_CERTIFIED, b"")


@pytest.mark.parametrize("count", [1, 3])
def test_a_leaf_with_another_number_of_outcomes(network: SmallNetwork, count: int) -> None:
    """A leaf that has not one outcome for each operation is refused as a whole."""
    session = network.open_session()
    good = network.record_acquire(session, "app/secrets")
    leaf = decode_leaf(good.leaf)
    assert isinstance(leaf, TransactionLeaf)
    body = replace(decode_body(leaf.body), operation_digests=(bytes(32), bytes(32)))
    data = encode_leaf(
        replace(leaf, body=encode_body(body), outcome_digests=leaf.outcome_digests * count)
    )
    recorded = replace(good, index=network.log.append_bytes(data), leaf=data)
    network.end_block()
    with refused(Reason.MALFORMED):
        network.release(network.release_request(recorded, network.item(recorded)))


def test_a_salt_of_another_size(unstarted: SmallNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    """Salts have 16 bytes, even where an entry commits to a longer one."""
    with monkeypatch.context() as patch:
        patch.setattr(SmallLog, "salt", lambda _log, position: bytes((position,)) * 17)
        start = unstarted.record_start()
    with refused(Reason.MALFORMED):
        unstarted.service.confirm_start(encode_start_request(unstarted.start_request(start)))
    session = unstarted.start().open_session()
    with monkeypatch.context() as patch:
        patch.setattr(SmallLog, "salt", lambda _log, position: bytes((position,)) * 17)
        recorded = unstarted.record_acquire(session, "app/secrets")
    unstarted.end_block()
    asked = unstarted.release_request(recorded, unstarted.item(recorded))
    assert answer(unstarted, asked) == (Reason.MALFORMED, b"")


# ---------------------------------------------------------------- time and start


def test_destroyed_value_with_a_hoarded_ticket(network: SmallNetwork) -> None:
    """A ticket works until the receipt age of block time has passed, and never after."""
    stored = network.seal(network.open_session(), VALUE)
    reader = network.open_session()
    recorded = network.record_read(reader, stored)
    at_ms = network.log.time_ms
    size = network.log.size + 1
    network.end_block()
    network.log.time_ms = at_ms + Limits().receipt_age_ms
    network.end_block(1)
    item = network.item(recorded, stored)
    assert answer(network, network.release_request(recorded, item))[0] is Reason.OK
    network.end_block()
    for wanted in (None, size):
        with refused(Reason.RECEIPT_TOO_OLD):
            network.release(network.release_request(recorded, item, size=wanted))


def test_release_before_start(unstarted: SmallNetwork) -> None:
    """Before its nonce stands on the ledger the service releases nothing, not even a refusal."""
    key, kem = p256.SigningKey(), xwing.DecapsulationKey()
    recorded = unstarted.record_open(kem.public, key)
    unstarted.end_block()
    asked = unstarted.release_request(recorded, unstarted.item(recorded))
    with refused(Reason.NOT_STARTED):
        unstarted.release(asked)
    with refused(Reason.NOT_STARTED):
        unstarted.service.release(b"whatever it is")
    unstarted.start()
    assert unstarted.granted(recorded)


# --------------------------------------------------------------- the sealed blob


def test_sealed_blob_under_another_genesis(network: SmallNetwork) -> None:
    """The state opens only with the genesis that it was made for, even one with the same keys."""
    network.service.close()
    anchor = network.service._anchor
    trust = decode_trust(anchor.trust_bytes)
    stranger = cosigner("stranger.example").key.public_key
    others = [
        genesis_of(trust, Limits(receipt_age_ms=10**9)),
        genesis_of(replace(trust, grace_s=1)),
        genesis_of(trust_of(stranger, trust.service_key, network.cores, 1)),
    ]
    for genesis in others:
        with pytest.raises(KeyServiceStateError, match="another genesis"):
            open_key_service(genesis=genesis, platform=network.platform, store=network.store)
    for genesis in (b"", b"\xff", network.genesis[:-1], network.genesis + b"\0"):
        with pytest.raises(KeyServiceStateError, match="genesis"):
            open_key_service(genesis=genesis, platform=network.platform, store=network.store)


def test_blob_rolled_back(network: SmallNetwork) -> None:
    """An older sealed state releases nothing by itself, nor with the entries of earlier starts."""
    old_start = network.record_start()
    stored = network.seal(network.open_session(), VALUE)
    reader = network.open_session()
    recorded = network.record_read(reader, stored)
    network.end_block()
    network.service.checkpoint_state()
    old_blob = network.store.blobs[-1]
    ticket = encode_release_request(
        network.release_request(recorded, network.item(recorded, stored))
    )
    network.log.end_block(10 * Limits().receipt_age_ms)
    network.log.end_block()
    network.certify()
    network.service.close()

    network.store.blobs.append(old_blob)
    rolled_back = network.reopen()
    with refused(Reason.NOT_STARTED):
        rolled_back.release(ticket)
    with refused(Reason.NOT_STARTED):
        rolled_back.confirm_start(encode_start_request(network.start_request(old_start)))
    network.start()
    with refused(Reason.RECEIPT_TOO_OLD):
        network.release(network.release_request(recorded, network.item(recorded, stored)))


def test_blob_cloned(network: SmallNetwork) -> None:
    """A copy of the state does not start with the original's entry; elsewhere it does not open."""
    network.service.checkpoint_state()
    entry = network.record_start()
    copy = MemoryState()
    copy.blobs.append(network.store.blobs[-1])
    clone = open_key_service(genesis=network.genesis, platform=network.platform, store=copy)
    assert clone.start_nonce != network.service.start_nonce
    clone.certify(
        encode_certify_request(
            replace(network.certify_request(), consistency=network.log.consistency(clone.held.size))
        )
    )
    with refused(Reason.NOT_STARTED):
        clone.confirm_start(encode_start_request(network.start_request(entry)))
    elsewhere = SmallPlatform("machine two")
    with pytest.raises(KeyServiceStateError, match="does not open here"):
        open_key_service(genesis=network.genesis, platform=elsewhere, store=copy)


def test_a_rolled_back_blob_cannot_join_a_fork(network: SmallNetwork) -> None:
    """The old state holds its old checkpoint: another history of the log is refused."""
    network.end_block()
    network.service.close()
    service = network.reopen()
    fork = SmallLog(ORIGIN, network.network_id, network.cores)
    fork.time_ms = network.log.time_ms
    while fork.size <= service.held.size:
        fork.end_block()
    at = fork.size - 1
    request = CertifyRequest(
        fork.note(), fork.consistency(service.held.size), fork.leaves[at], fork.inclusion(at)
    )
    with refused(Reason.NOT_CERTIFIED):
        service.certify(encode_certify_request(request))


# --------------------------------------------------- forged trees, keys and documents


@pytest.mark.parametrize("signers", [0, 1, 2])
def test_consistent_forged_tree_without_quorum(signers: int) -> None:
    """A tree that extends the held one moves nothing and releases nothing without the quorum."""
    network = SmallNetwork(cores=4, quorum=3).start()
    stored = network.seal(network.open_session(), VALUE)
    thief = network.open_session()
    held = network.service.held
    recorded = network.record_read(thief, stored)
    network.log.end_block()
    log = network.log
    strangers = [cosigner(f"stranger-{number}.example") for number in range(4)]
    note = log.note(signers=[*network.cores[:signers], *strangers])
    with refused(Reason.NOT_CERTIFIED):
        network.service.certify(encode_certify_request(network.certify_request(note=note)))
    assert network.service.held == held
    request = ReleaseRequest(
        index=recorded.index,
        leaf=recorded.leaf,
        hashes=log.inclusion(recorded.index),
        size=log.size,
        root=log.tree.root(),
        consistency=log.consistency(held.size),
        items=(network.item(recorded, stored),),
    )
    for consistency in (request.consistency, ()):
        with refused(Reason.NOT_CERTIFIED):
            network.release(replace(request, consistency=consistency))


async def test_one_bad_holder_of_the_log_key() -> None:
    """The log key's signature without the cosigners' moves nothing and makes no evidence."""
    network = SmallNetwork(cores=4, quorum=3).start()
    core = network.service._core
    assert core is not None
    holder = TestSigner(network.service._anchor.rule.log_key, core.keys.log)
    held = network.service.held
    network.log.end_block()
    for signers in ([holder], [holder, *network.cores[:2]]):
        note = network.log.note(signers=signers)
        with refused(Reason.NOT_CERTIFIED):
            network.service.certify(encode_certify_request(network.certify_request(note=note)))
        with refused(Reason.NOT_CERTIFIED):
            await network.service.refresh_evidence(note)
    assert network.service.held == held
    assert network.platform.report_data == []


def test_old_trust_document(network: SmallNetwork) -> None:
    """A block under a newer trust document stops a key service that judges by an old one."""
    network.log.end_block(trust_version=2)
    with refused(Reason.WRONG_TRUST_DOCUMENT):
        network.certify()


def test_another_trust_document_in_the_sealed_state(network: SmallNetwork) -> None:
    """A state that judges by a document other than genesis' is refused, whatever its version."""
    network.service.close()
    key = network.platform.sealing_key(LABEL)
    state = open_state(network.store.blobs[-1], key)
    trust = decode_trust(state.trust)
    stranger = cosigner("stranger.example")
    party = replace(trust.cosigners[0], public_key=stranger.key.public_key)
    for other in (
        replace(trust, cosigners=(party,)),
        replace(trust, version=2, previous_digest=bytes(32)),
    ):
        changed = replace(state, trust=encode_trust(other))
        network.store.save(seal_state(changed, key, os.urandom(32)))
        with pytest.raises(KeyServiceStateError, match="another trust document"):
            network.reopen()


def test_k_of_a_former_member_set() -> None:
    """Keys that the trust document does not name are no quorum, even under the same names."""
    network = SmallNetwork(cores=4, quorum=3).start()
    network.log.end_block()
    former = [as_named(core, cosigner(f"former-{core.key.name}")) for core in network.cores]
    note = network.log.note(signers=former)
    with refused(Reason.NOT_CERTIFIED):
        network.service.certify(encode_certify_request(network.certify_request(note=note)))


def as_named(core: TestSigner, stranger: TestSigner) -> TestSigner:
    """The stranger's key under the core's name."""
    key = VerifierKey(core.key.name, core.key.kind, stranger.key.public_key)
    return TestSigner(key, stranger.signing)
