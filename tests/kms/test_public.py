"""Values that an owner sealed to a collection's public key: released like any, moved like none."""

import os
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest

from kms.messages import (
    Released,
    SealingKeyStatement,
    decode_sealing_key_statement,
    encode_sealing_key_question,
)
from ledger import sealing
from ledger.crypto import ed25519, xwing
from ledger.crypto.secret import Secret
from ledger.format.outcome import Coordinates, ReadGranted
from ledger.format.sealed import (
    MODE_PUBLIC,
    MODE_SESSION,
    encode_coordinates,
    encode_header,
    open_header,
    sealed_digest,
    split_sealed,
)
from ledger.reason import Reason
from tests.support.refused import refused
from tests.support.small_network import SmallNetwork, Stored, TestSession

VALUE = b"an owner's first value"
OWNER = bytes(12) + b"o" * 20
COLLECTION = "app/secrets"


@pytest.fixture
def two_epochs() -> SmallNetwork:
    """A network whose key service holds the epochs 1 and 2."""
    return SmallNetwork().start().add_epoch(2)


def statement(network: SmallNetwork, collection: str = COLLECTION) -> SealingKeyStatement:
    """What the key service says of a collection's key."""
    question = encode_sealing_key_question(collection)
    return decode_sealing_key_statement(network.service.sealing_key(question))


def coordinates(**changes: object) -> Coordinates:
    """Fresh coordinates of an owner's value."""
    usual = Coordinates(COLLECTION, "tls/key", os.urandom(16), 1, MODE_PUBLIC, OWNER)
    return replace(usual, **changes)  # type: ignore[arg-type]  # a test's shorthand for fields of any type


def sealed_for(network: SmallNetwork, at: Coordinates, public: bytes | None = None) -> Stored:
    """A value as an owner seals it, to the collection's key or another."""
    key = public or statement(network, at.collection).public_key
    sealed, digest = sealing.seal_value_public(
        network.network_id, at, key, Secret(os.urandom(32)), VALUE
    )
    return Stored(at, sealed, digest, VALUE)


def released(
    network: SmallNetwork, reader: TestSession, stored: Stored, read: ReadGranted | None = None
) -> Released:
    """What the key service answers to a granted read."""
    detail = read or network.read_outcome(reader, stored)
    recorded = network.record_reads(reader, detail)
    network.end_block()
    (answer,) = network.release(network.release_request(recorded, network.item(recorded, stored)))
    return answer


def test_a_reader_opens_an_owner_s_value(network: SmallNetwork) -> None:
    """A session reads what an owner without a session sealed; the same ticket, the same bytes."""
    stored = sealed_for(network, coordinates())
    reader = network.open_session()
    recorded = network.record_read(reader, stored)
    network.end_block()
    first = network.granted(recorded, stored)
    key = network.open_released(reader, recorded, first)
    assert sealing.open_value(key, stored.sealed, network.network_id, stored.at) == VALUE
    network.end_block()
    assert network.granted(recorded, stored) == first


def test_two_modes_in_one_request(network: SmallNetwork) -> None:
    """Values of sessions and of owners are released side by side."""
    public, reader = sealed_for(network, coordinates()), network.open_session()
    own = network.seal(reader, b"a session's")
    both = (public, own, public)
    recorded = network.record_reads(reader, *(network.read_outcome(reader, one) for one in both))
    network.end_block()
    items = [network.item(recorded, one, at) for at, one in enumerate(both)]
    for at, answer in enumerate(network.release(network.release_request(recorded, *items))):
        key = network.open_released(reader, recorded, answer.sealed_key, at)
        opened = sealing.open_value(key, both[at].sealed, network.network_id, both[at].at)
        assert opened == both[at].value


MOVES: dict[str, Callable[[Coordinates], Coordinates]] = {
    "name": lambda at: replace(at, name="stolen"),
    "collection": lambda at: replace(at, collection="thief/own"),
    "mode": lambda at: replace(at, mode=MODE_SESSION),
    "unknown mode": lambda at: replace(at, mode=3),
    "epoch": lambda at: replace(at, epoch=2),
    "writer": lambda at: replace(at, writer_session=bytes(12) + b"t" * 20),
    "record": lambda at: replace(at, record_id=bytes(16)),
}


@pytest.mark.parametrize("move", MOVES)
def test_transplanted_as_it_is(two_epochs: SmallNetwork, move: str) -> None:
    """An owner's sealed bytes under another place's outcome release nothing."""
    network = two_epochs
    stored = sealed_for(network, coordinates())
    thief = network.open_session()
    read = replace(network.read_outcome(thief, stored), origin=MOVES[move](stored.at))
    assert released(network, thief, stored, read) == Released(Reason.HEADER_MISMATCH)


@pytest.mark.parametrize("move", MOVES)
def test_transplanted_and_rewritten(two_epochs: SmallNetwork, move: str) -> None:
    """An owner's wrap under a header rewritten for another place does not open."""
    network = two_epochs
    stored = sealed_for(network, coordinates())
    at = MOVES[move](stored.at)
    before = encode_coordinates(network.network_id, stored.at)
    header = encode_coordinates(network.network_id, at) + stored.header[len(before) :]
    digest = sealed_digest(header, stored.ciphertext_digest)
    moved = Stored(at, header + split_sealed(stored.sealed)[1], digest, VALUE)
    assert released(network, network.open_session(), moved) == Released(Reason.HEADER_MISMATCH)


@pytest.mark.parametrize("which", ["collection", "epoch", "stranger"])
def test_sealed_to_another_key(two_epochs: SmallNetwork, which: str) -> None:
    """What was sealed to the key of another collection, epoch or network does not open here."""
    network = two_epochs
    keys = {
        "collection": statement(network, "thief/own").public_key,
        "epoch": statement(network).public_key,
        "stranger": statement(SmallNetwork().start()).public_key,
    }
    at = coordinates(epoch=2 if which == "epoch" else 1)
    stored = sealed_for(network, at, keys[which])
    assert released(network, network.open_session(), stored) == Released(Reason.HEADER_MISMATCH)


def test_an_epoch_that_is_not_held(network: SmallNetwork) -> None:
    """A value of an epoch that the service does not hold is told so."""
    stored = sealed_for(network, coordinates(epoch=9))
    assert released(network, network.open_session(), stored) == Released(Reason.EPOCH_UNKNOWN)


def test_each_mode_opens_its_own_wraps(network: SmallNetwork) -> None:
    """A header of one mode with the other mode's wraps only has none that is opened."""
    reader = network.open_session()
    own = network.seal(reader, VALUE)
    public = sealed_for(network, coordinates())
    for one, other in ((own, public), (public, own)):
        inside = open_header(other.header, network.network_id, other.at)
        assert inside is not None
        header = encode_header(encode_coordinates(network.network_id, one.at), inside.wraps)
        sealed = header + split_sealed(one.sealed)[1]
        mixed = Stored(one.at, sealed, sealed_digest(header, one.ciphertext_digest), VALUE)
        assert released(network, reader, mixed) == Released(Reason.HEADER_MISMATCH)


@pytest.mark.parametrize("width", [0, 31, 33])
def test_a_wrapped_key_of_another_width(network: SmallNetwork, width: int) -> None:
    """An owner who wrapped something else than 32 bytes has wrapped no key."""
    at = coordinates()
    public = statement(network).public_key
    sealed, _ = sealing.seal_value_public(
        network.network_id, at, public, Secret(os.urandom(32)), VALUE
    )
    place = encode_coordinates(network.network_id, at)
    wrapped = xwing.seal(public, Secret(bytes(width)), b"sealedger/wrap-public/1\0" + place)
    inside = open_header(split_sealed(sealed)[0], network.network_id, at)
    assert inside is not None
    header = encode_header(place, (replace(inside.wraps[0], data=wrapped),))
    ciphertext = split_sealed(sealed)[1]
    digest = sealed_digest(header, sha256(ciphertext).digest())
    stored = Stored(at, header + ciphertext, digest, VALUE)
    assert released(network, network.open_session(), stored) == Released(Reason.HEADER_MISMATCH)


# ------------------------------------------------------------------------------ the public key


def test_the_service_key_signs_which_key_it_is(network: SmallNetwork) -> None:
    """The signature covers network, epoch, collection and key, each of them."""
    said = statement(network)
    service_key = network.service.service_key
    assert (said.epoch, len(said.public_key)) == (1, 1216)

    def is_valid(network_id: bytes, collection: str, epoch: int, key: bytes) -> bool:
        message = sealing.sealing_key_statement(network_id, collection, epoch, key)
        return ed25519.is_valid(service_key, said.signature, message)

    right = (network.network_id, COLLECTION, 1, said.public_key)
    assert is_valid(*right)
    other = statement(network, "thief/own").public_key
    assert not is_valid(bytes(32), *right[1:])
    assert not is_valid(right[0], "thief/own", *right[2:])
    assert not is_valid(*right[:2], 2, right[3])
    assert not is_valid(*right[:3], other)


def test_keys_are_of_one_collection_and_epoch(two_epochs: SmallNetwork) -> None:
    """Each collection has another key; it is the same after a restart."""
    network = two_epochs
    names = (COLLECTION, "app/secret", "app", "x" * 200)
    keys = {name: statement(network, name).public_key for name in names}
    assert len(set(keys.values())) == len(names)
    network.service.close()
    network.reopen()
    network.start()
    assert {name: statement(network, name).public_key for name in names} == keys


def test_no_key_before_the_start_and_after_the_end(network: SmallNetwork) -> None:
    """A key service whose start does not stand names no key, nor does a closed one."""
    question = encode_sealing_key_question(COLLECTION)
    network.service.close()
    with refused(Reason.SHUTTING_DOWN):
        network.service.sealing_key(question)
    network.reopen()
    with refused(Reason.NOT_STARTED):
        network.service.sealing_key(question)


@pytest.mark.parametrize("name", ["", "a//b", "..", "a b", "x" * 201])
def test_a_name_that_is_none(network: SmallNetwork, name: str) -> None:
    """There is no key of what cannot be a collection."""
    with refused(Reason.MALFORMED):
        network.service.sealing_key(encode_sealing_key_question(name))
    with refused(Reason.TOO_LARGE):
        network.service.sealing_key(encode_sealing_key_question("x" * 300))
