"""Release: who gets which key against which entry, and what each wrong ticket is told."""

from dataclasses import replace
from hashlib import sha256

import pytest

from attestation.handshake import grant_transcript
from kms.messages import decode_session_grant, encode_release_request
from ledger import sealing
from ledger.crypto import ed25519, p256, xwing
from ledger.format.operation import AcquireKey, Delete, Operation, Put, Read
from ledger.format.outcome import Conflict, Deleted, Outcome, PutDone
from ledger.format.transaction import MAX_OPERATIONS, SignerKind
from ledger.log.merkle import leaf_hash
from ledger.reason import Reason
from tests.support.refused import refused
from tests.support.small_log import Signer
from tests.support.small_network import SmallNetwork

VALUE = b"the value that only its reader sees"


def test_a_granted_read_opens_the_value(network: SmallNetwork) -> None:
    """A reader opens what another session sealed, with the key released against its own entry."""
    stored = network.seal(network.open_session(), VALUE)
    reader = network.open_session()
    recorded = network.record_read(reader, stored)
    network.end_block()
    key = network.open_released(reader, recorded, network.granted(recorded, stored))
    assert sealing.open_value(key, stored.sealed, network.network_id, stored.at) == VALUE


def test_a_full_transaction_gets_each_of_its_keys(network: SmallNetwork) -> None:
    """256 reads of 256 values in one request give 256 keys, each under its own one-time key."""
    writer = network.open_session()
    stored = [network.seal(writer, b"value %d" % number) for number in range(8)]
    many = [stored[number % 8] for number in range(MAX_OPERATIONS)]
    reader = network.open_session()
    recorded = network.record_reads(reader, *(network.read_outcome(reader, one) for one in many))
    network.end_block()
    items = [network.item(recorded, one, at) for at, one in enumerate(many)]
    released = network.release(network.release_request(recorded, *items))
    assert len({one.sealed_key for one in released}) == MAX_OPERATIONS
    for at, (one, answer) in enumerate(zip(many, released, strict=True)):
        assert answer.reason is Reason.OK
        key = network.open_released(reader, recorded, answer.sealed_key, at)
        assert sealing.open_value(key, one.sealed, network.network_id, one.at) == one.value


def test_a_repeated_release_gives_the_same_bytes(network: SmallNetwork) -> None:
    """The same ticket gives the same bytes, also later, from another size and after a restart."""
    stored = network.seal(network.open_session(), VALUE)
    reader = network.open_session()
    recorded = network.record_read(reader, stored)
    network.end_block()
    size = network.service.held.size
    first = network.granted(recorded, stored)
    assert network.granted(recorded, stored) == first
    network.end_block()
    item = network.item(recorded, stored)
    (again,) = network.release(network.release_request(recorded, item, size=size))
    assert again.sealed_key == first
    network.service.close()
    network.reopen()
    network.start()
    assert network.granted(recorded, stored) == first


def test_a_repeated_grant_carries_the_same_secret(network: SmallNetwork) -> None:
    """The encapsulation of a grant is random, the secret in it is not."""
    key, kem = p256.SigningKey(), xwing.DecapsulationKey()
    recorded = network.record_open(kem.public, key)
    network.end_block()
    grants = [decode_session_grant(network.granted(recorded)) for _ in range(3)]
    info = grants[0].session_id + network.network_id
    assert grants[0].sealed_secret != grants[1].sealed_secret
    first, *others = (kem.open(grant.sealed_secret, info) for grant in grants)
    assert all(first == other for other in others)


def test_a_grant_is_signed_by_the_service_key(network: SmallNetwork) -> None:
    """The signature is over network, session, expiry, the sealed secret and the leaf."""
    key, kem = p256.SigningKey(), xwing.DecapsulationKey()
    recorded = network.record_open(kem.public, key)
    network.end_block()
    grant = decode_session_grant(network.granted(recorded))
    transcript = grant_transcript(
        network_id=network.network_id,
        session_id=grant.session_id,
        expires_ms=grant.expires_ms,
        grant_digest=sha256(grant.sealed_secret).digest(),
        leaf_hash=leaf_hash(recorded.leaf),
    )
    assert ed25519.is_valid(network.service.service_key, grant.signature, transcript)


def test_an_acquired_key_is_the_key_that_values_are_sealed_under(network: SmallNetwork) -> None:
    """A session's key differs by collection and by session, and is the same when asked again."""
    one, two = network.open_session(), network.open_session()
    keys = [
        network.writer_key(one, "app/secrets"),
        network.writer_key(one, "app/other"),
        network.writer_key(two, "app/secrets"),
    ]
    assert keys[0] == network.writer_key(one, "app/secrets")
    assert len({key.reveal() for key in keys}) == 3


def test_each_epoch_has_its_own_keys(network: SmallNetwork) -> None:
    """What an older epoch sealed is read after a newer one came, each under its own key."""
    before = network.seal(network.open_session(), VALUE)
    network.add_epoch(2)
    writer = network.open_session()
    after = network.seal(writer, VALUE, replace(network.coordinates(writer), epoch=2))
    reader = network.open_session()
    for stored in (before, after):
        recorded = network.record_read(reader, stored)
        network.end_block()
        key = network.open_released(reader, recorded, network.granted(recorded, stored))
        assert sealing.open_value(key, stored.sealed, network.network_id, stored.at) == VALUE
    assert network.writer_key(writer, "app/secrets", 2) != network.writer_key(writer, "app/secrets")


def test_one_wrong_item_does_not_stop_the_others(network: SmallNetwork) -> None:
    """Each item has its own answer: granted, wrong header, not committed, denied."""
    stored = network.seal(network.open_session(), VALUE)
    reader = network.open_session()
    granted = Outcome(Reason.OK, network.read_outcome(reader, stored))
    read = Read(stored.at.collection, stored.at.name)
    denied = read, Outcome(Reason.DENIED)
    recorded = network.log.transact(
        reader.signer, (read, granted), (read, granted), (read, granted), denied, (read, granted)
    )
    network.end_block()
    items = [network.item(recorded, stored, position) for position in range(5)]
    items[1] = replace(items[1], sealed_header=items[1].sealed_header[:-1] + b"\0")
    items[2] = replace(items[2], outcome=items[0].outcome + b"\0")
    released = network.release(network.release_request(recorded, *items))
    assert [one.reason for one in released] == [
        Reason.OK,
        Reason.HEADER_MISMATCH,
        Reason.NOT_CERTIFIED,
        Reason.NOT_GRANTED,
        Reason.OK,
    ]
    assert [bool(one.sealed_key) for one in released] == [True, False, False, False, True]


@pytest.mark.parametrize(
    "operation, outcome",
    [
        (Read("app/secrets", "a"), Outcome(Reason.DENIED)),
        (Read("app/secrets", "a"), Outcome(Reason.NOT_FOUND)),
        (Read("app/secrets", "a"), Outcome(Reason.NOT_EXECUTED)),
        (Read("app/secrets", "a"), Outcome(Reason.OK)),
        (AcquireKey("app/secrets"), Outcome(Reason.DENIED)),
        (AcquireKey("app/secrets"), Outcome(Reason.OK)),
        (Delete("app/secrets", "a"), Outcome(Reason.OK, Deleted(1))),
        (Delete("app/secrets", "a", 1), Outcome(Reason.VERSION_CONFLICT, Conflict(2))),
        (
            Put("app/secrets", "a", bytes(16), 1, 1, bytes(32), 100),
            Outcome(Reason.OK, PutDone(1)),
        ),
    ],
)
def test_an_outcome_that_grants_nothing_gives_no_key(
    network: SmallNetwork, operation: Operation, outcome: Outcome
) -> None:
    """A denied or not-found read, a put, a delete and an outcome without detail give no key."""
    session = network.open_session()
    recorded = network.log.transact(session.signer, (operation, outcome))
    network.end_block()
    (answer,) = network.release(network.release_request(recorded, network.item(recorded)))
    assert (answer.reason, answer.sealed_key) == (Reason.NOT_GRANTED, b"")


def test_an_unknown_epoch_is_said(network: SmallNetwork) -> None:
    """Neither key nor session of an epoch that the service does not hold is ever made up."""
    stored = network.seal(network.open_session(), VALUE)
    reader = network.open_session()
    read = network.read_outcome(reader, stored)
    recorded = network.record_reads(
        reader,
        replace(read, origin=replace(read.origin, epoch=2)),
        replace(read, reader_epoch=2),
    )
    opened = network.record_open(xwing.DecapsulationKey().public, p256.SigningKey(), epoch=2)
    acquired = network.record_acquire(reader, "app/secrets", epoch=2)
    network.end_block()
    items = [network.item(recorded, stored, position) for position in range(2)]
    answers = list(network.release(network.release_request(recorded, *items)))
    for other in (opened, acquired):
        answers += network.release(network.release_request(other, network.item(other)))
    assert [answer.reason for answer in answers] == [Reason.EPOCH_UNKNOWN] * 4
    assert not any(answer.sealed_key for answer in answers)


def test_a_session_for_another_key_service_gets_no_grant(network: SmallNetwork) -> None:
    """The OpenSession names the service key that its evidence was made for."""
    key, kem = p256.SigningKey(), xwing.DecapsulationKey()
    operation = replace(network.opening(kem.public, key.public), service_key=bytes(32))
    signer = Signer(SignerKind.NEW_SESSION, key.public, key.sign)
    recorded = network.record_opening(signer, operation)
    network.end_block()
    (answer,) = network.release(network.release_request(recorded, network.item(recorded)))
    assert (answer.reason, answer.sealed_key) == (Reason.WRONG_SERVICE_KEY, b"")


@pytest.mark.parametrize(
    "kem_key", [bytes(xwing.PUBLIC_BYTES), b"\xff" * xwing.PUBLIC_BYTES], ids=["zero", "ones"]
)
def test_an_unusable_kem_key_gets_no_grant(network: SmallNetwork, kem_key: bytes) -> None:
    """A KEM key that nothing can be sealed to is this item's fault, not a crash."""
    recorded = network.record_open(kem_key, p256.SigningKey())
    network.end_block()
    (answer,) = network.release(network.release_request(recorded, network.item(recorded)))
    assert (answer.reason, answer.sealed_key) == (Reason.MALFORMED, b"")


@pytest.mark.parametrize("position", [1, 255, 256, 2**32 - 1])
def test_a_position_that_the_entry_has_not_is_refused(network: SmallNetwork, position: int) -> None:
    """There is no key for an operation that does not exist."""
    session = network.open_session()
    recorded = network.record_acquire(session, "app/secrets")
    network.end_block()
    item = replace(network.item(recorded), position=position)
    (answer,) = network.release(network.release_request(recorded, item))
    assert (answer.reason, answer.sealed_key) == (Reason.MALFORMED, b"")


@pytest.mark.parametrize("positions", [(), (0, 0), (1, 0), tuple(range(257))])
def test_items_are_bounded_and_in_order(network: SmallNetwork, positions: tuple[int, ...]) -> None:
    """1 to 256 items with growing positions; anything else refuses the whole request."""
    recorded = network.record_acquire(network.open_session(), "app/secrets")
    network.end_block()
    items = [replace(network.item(recorded), position=position) for position in positions]
    with refused(Reason.MALFORMED):
        network.release(network.release_request(recorded, *items))


def test_a_request_over_4_mib_is_refused(network: SmallNetwork) -> None:
    """Size is judged before anything else is read."""
    recorded = network.record_acquire(network.open_session(), "app/secrets")
    network.end_block()
    item = replace(network.item(recorded), sealed_header=bytes(4 * 1024 * 1024))
    with refused(Reason.TOO_LARGE):
        network.release(network.release_request(recorded, item))


def test_a_ticket_that_proves_nothing_is_refused(network: SmallNetwork) -> None:
    """A changed leaf, index, size, root or proof refuses the whole request."""
    recorded = network.record_acquire(network.open_session(), "app/secrets")
    network.end_block()
    size = network.service.held.size
    network.end_block()
    good = network.release_request(recorded, network.item(recorded), size=size)
    held = network.service.held
    for wrong in (
        replace(good, hashes=good.hashes[:-1]),
        replace(good, hashes=(*good.hashes, bytes(32))),
        replace(good, hashes=(bytes(32), *good.hashes[1:])),
        replace(good, consistency=good.consistency[:-1]),
        replace(good, consistency=(*good.consistency, bytes(32))),
        replace(good, consistency=()),
        replace(good, root=bytes(32)),
        replace(good, root=held.root),
        replace(good, root=b""),
        replace(good, size=0),
        replace(good, size=held.size),
        replace(good, size=2**64 - 1),
        replace(good, index=good.index + 1),
        replace(good, index=2**64 - 1),
        replace(good, leaf=good.leaf[:-1]),
        replace(good, leaf=good.leaf + b"\0"),
        replace(good, leaf=b""),
    ):
        with refused(Reason.NOT_CERTIFIED):
            network.release(wrong)
    assert network.release(good)[0].reason is Reason.OK


def test_a_proof_in_pieces_of_another_size_is_refused(network: SmallNetwork) -> None:
    """Hashes are 32 bytes each."""
    recorded = network.record_acquire(network.open_session(), "app/secrets")
    network.end_block()
    request = network.release_request(recorded, network.item(recorded))
    with refused(Reason.MALFORMED):
        network.service.release(encode_release_request(replace(request, hashes=(b"short",))))


def test_a_header_is_no_ticket(network: SmallNetwork) -> None:
    """Only a transaction's leaf releases anything."""
    recorded = network.record_acquire(network.open_session(), "app/secrets")
    network.end_block()
    at = network.log.size - 1
    request = replace(
        network.release_request(recorded, network.item(recorded)),
        index=at,
        leaf=network.log.leaves[at],
        hashes=network.log.inclusion(at),
    )
    with refused(Reason.MALFORMED):
        network.release(request)
