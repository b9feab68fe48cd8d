"""Whatever an asker changes in a good request: a refusal, or the honest answer, never another key.

The honest answers of one entry with reads, a key and a denied read are known; requests are changed
byte by byte and part by part.
"""

from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms.errors import KeyServiceRefusal
from kms.messages import (
    Released,
    ReleaseRequest,
    decode_release_reply,
    decode_release_request,
    encode_certify_request,
    encode_release_request,
    encode_start_request,
)
from ledger.crypto import p256, xwing
from ledger.format.operation import AcquireKey, Read
from ledger.format.outcome import KeyAcquired, Outcome
from ledger.reason import Reason
from tests.support.small_network import IDENTITY_DIGEST, SmallNetwork

KEM = xwing.DecapsulationKey()
SESSION_KEY = p256.SigningKey()
EXAMPLES = settings(max_examples=300)


class World:
    """One network, one good request and the honest answer to each of its positions."""

    def __init__(self) -> None:
        self.network = network = SmallNetwork().start()
        stored = [network.seal(network.open_session(), b"value %d" % n) for n in range(2)]
        reader = network.open_session()
        acquired = KeyAcquired("app/secrets", 1, reader.id, IDENTITY_DIGEST, 1)
        reads = [
            (Read(one.at.collection, one.at.name), network.read_outcome(reader, one))
            for one in stored
        ]
        recorded = network.log.transact(
            reader.signer,
            (reads[0][0], Outcome(Reason.OK, reads[0][1])),
            (AcquireKey("app/secrets"), Outcome(Reason.OK, acquired)),
            (reads[1][0], Outcome(Reason.OK, reads[1][1])),
            (reads[0][0], Outcome(Reason.DENIED)),
        )
        self.opening = network.record_open(KEM.public, SESSION_KEY)
        network.end_block()
        size = network.service.held.size
        network.end_block()
        shown = (stored[0], None, stored[1], stored[0])
        items = [network.item(recorded, one, at) for at, one in enumerate(shown)]
        self.request = network.release_request(recorded, *items, size=size)
        self.bytes = encode_release_request(self.request)
        self.honest = network.release(self.request)

    def release(self, data: bytes) -> tuple[Released, ...]:
        """The answers to a request, or none if it is refused as a whole."""
        try:
            return decode_release_reply(self.network.service.release(data))
        except KeyServiceRefusal:
            return ()

    def check(self, answers: tuple[Released, ...], positions: list[int]) -> None:
        """Each answer is a refusal without a key, or the honest answer of its position."""
        for position, answer in zip(positions, answers, strict=True):
            if answer.reason is Reason.OK:
                assert position < len(self.honest)
                assert answer == self.honest[position]
            else:
                assert answer.sealed_key == b""


@pytest.fixture(scope="module")
def world() -> World:
    """The honest world; asking changes nothing in it."""
    made = World()
    assert [one.reason for one in made.honest] == [
        Reason.OK,
        Reason.OK,
        Reason.OK,
        Reason.NOT_GRANTED,
    ]
    return made


@lru_cache(maxsize=1)
def certify_world() -> tuple[SmallNetwork, bytes]:
    """A network with a block that is not certified yet, and the request that certifies it."""
    network = SmallNetwork(cores=4, quorum=3).start()
    network.service.checkpoint_state()
    network.log.end_block()
    return network, encode_certify_request(network.certify_request())


@lru_cache(maxsize=1)
def start_world() -> tuple[SmallNetwork, bytes]:
    """A network whose service is not started, and the request that would start it."""
    network = SmallNetwork()
    recorded = network.record_start()
    return network, encode_start_request(network.start_request(recorded))


def mutated(drawn: st.DataObject, data: bytes) -> bytes:
    """Bytes that differ from `data` by a flip, a cut, an insertion or a repetition."""
    changed = bytearray(data)
    kind = drawn.draw(st.sampled_from(["flip", "cut", "insert", "repeat"]))
    at = drawn.draw(st.integers(0, max(0, len(data) - 1)))
    if kind == "insert" or not data:
        changed[at:at] = drawn.draw(st.binary(min_size=1, max_size=8))
    elif kind == "cut":
        del changed[at : at + drawn.draw(st.integers(1, 40))]
    elif kind == "repeat":
        changed[at:at] = data[at : at + drawn.draw(st.integers(1, 40))]
    else:
        changed[at] ^= drawn.draw(st.integers(1, 255))
    return bytes(changed)


def changed_value(drawn: st.DataObject, value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, int):
        return drawn.draw(st.integers(0, 300) | st.sampled_from([2**32 - 1, value + 1]))
    if isinstance(value, bytes):
        return mutated(drawn, value)
    hashes = list(value)
    at = drawn.draw(st.integers(0, len(hashes)))
    kind = drawn.draw(st.sampled_from(["drop", "add", "change"]))
    if kind == "add" or at == len(hashes):
        return (*hashes[:at], bytes(32), *hashes[at:])
    hashes[at : at + 1] = [] if kind == "drop" else [bytes(32)]
    return tuple(hashes)


@EXAMPLES
@given(drawn=st.data())
def test_changed_bytes_release_no_other_key(world: World, drawn: st.DataObject) -> None:
    """A request with changed bytes is refused or answered honestly."""
    data = mutated(drawn, world.bytes)
    answers = world.release(data)
    if answers:
        positions = [item.position for item in decode_release_request(data).items]
        world.check(answers, positions)


@EXAMPLES
@given(drawn=st.data())
def test_changed_proofs_release_nothing(world: World, drawn: st.DataObject) -> None:
    """A request with another index, leaf, proof, size or root is refused as a whole."""
    name = drawn.draw(
        st.sampled_from([one.name for one in fields(ReleaseRequest) if one.name != "items"])
    )
    value = changed_value(drawn, getattr(world.request, name))
    if value == getattr(world.request, name):
        return
    request = replace(world.request, **{name: value})
    assert world.release(encode_release_request(request)) == ()


@EXAMPLES
@given(drawn=st.data())
def test_changed_items_release_no_other_key(world: World, drawn: st.DataObject) -> None:
    """An item with another part, or with parts of another item, gives its own key or none."""
    at = drawn.draw(st.integers(0, len(world.request.items) - 1))
    item = world.request.items[at]
    name = drawn.draw(st.sampled_from([one.name for one in fields(item) if one.name != "position"]))
    other = drawn.draw(st.sampled_from(world.request.items))
    value = drawn.draw(st.sampled_from(["mutate", "swap"]))
    changed = changed_value(drawn, getattr(item, name))
    if value == "swap":
        changed = getattr(other, name)
    items = list(world.request.items)
    items[at] = replace(item, **{name: changed})
    answers = world.release(encode_release_request(replace(world.request, items=tuple(items))))
    assert len(answers) == len(items)
    world.check(answers, list(range(len(items))))
    for position, answer in enumerate(answers):
        if position != at:
            assert answer == world.honest[position]


@EXAMPLES
@given(position=st.integers(0, 2**32 - 1) | st.integers(0, 5), at=st.integers(0, 3))
def test_items_at_another_position_release_nothing(world: World, position: int, at: int) -> None:
    """An item moved to another position of the same entry gives no key there."""
    item = replace(world.request.items[at], position=position)
    (answer,) = world.release(encode_release_request(replace(world.request, items=(item,))))
    if position == at:
        assert answer == world.honest[at]
    else:
        assert answer.reason in (Reason.NOT_CERTIFIED, Reason.MALFORMED)
        assert answer.sealed_key == b""


@EXAMPLES
@given(junk=st.binary(max_size=300))
def test_random_requests_are_refused(world: World, junk: bytes) -> None:
    """Random bytes at each entrance raise KeyServiceRefusal and change nothing."""
    service = world.network.service
    held, is_started = service.held, service.is_started
    for call in (service.certify, service.confirm_start, service.release):
        with pytest.raises(KeyServiceRefusal):
            call(junk)
    assert (service.held, service.is_started) == (held, is_started)


@EXAMPLES
@given(drawn=st.data())
def test_changed_certify_requests_move_nowhere_else(drawn: st.DataObject) -> None:
    """A changed certify request is refused, or moves to the one real checkpoint."""
    network, data = certify_world()
    real = network.log.checkpoint()
    before = network.reopen().held
    assert 0 < before.size < real.size
    try:
        network.service.certify(mutated(drawn, data))
    except KeyServiceRefusal:
        assert network.service.held == before
    else:
        held = network.service.held
        assert (held.size, held.root) == (real.size, real.root)


@EXAMPLES
@given(drawn=st.data())
def test_changed_start_requests_do_not_start(drawn: st.DataObject) -> None:
    """A changed start request is refused; no part of it is without effect."""
    network, data = start_world()
    changed = mutated(drawn, data)
    if changed == data:
        return
    with pytest.raises(KeyServiceRefusal):
        network.service.confirm_start(changed)
    assert not network.service.is_started


@EXAMPLES
@given(drawn=st.data())
def test_changed_openings_give_the_secret_to_nobody_else(
    world: World, drawn: st.DataObject
) -> None:
    """A changed OpenSession item gives no grant, so no other KEM key ever gets the secret."""
    network = world.network
    recorded = world.opening
    good = network.item(recorded)
    name = drawn.draw(st.sampled_from(["salt", "operation", "outcome"]))
    value = mutated(drawn, getattr(good, name))
    if value == getattr(good, name):
        return
    changed = {name: value}
    request = network.release_request(recorded, replace(good, **changed))  # type: ignore[arg-type]  # only bytes are named
    (answer,) = world.release(encode_release_request(request))
    assert answer.reason is not Reason.OK
    assert answer.sealed_key == b""
