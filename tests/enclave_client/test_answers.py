"""Answers that lie: each is noticed, named, and gives nothing to the caller."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from attestation.handshake import grant_transcript
from enclave_client.errors import (
    AttestationFailedError,
    Check,
    LogForkedError,
    ReceiptInvalidError,
)
from kms.messages import SessionGrant, decode_session_grant, encode_session_grant
from ledger.crypto import ed25519, xwing
from ledger.crypto.secret import Secret
from ledger.format.operation import OpenSession
from ledger.format.outcome import Outcome, PutDone, ReadGranted, decode_outcome, encode_outcome
from ledger.reason import Reason
from sealedger.v1 import node_pb2 as pb
from tests.enclave_client.conftest import Connect
from tests.enclave_client.fake_ledger import FakeLedger
from tests.enclave_client.fake_node import FakeNode

Change = Callable[[pb.Recorded], None]


async def _get_fails(connect: Connect, change: Change) -> ReceiptInvalidError:
    """Store two values honestly, read both at once with changed answers; nothing may come out."""

    def lie(reply: pb.SubmitReply) -> pb.SubmitReply:
        change(reply.recorded)
        return reply

    async with connect() as c:
        await c.put("a", b"value of a")
        await c.put("b", b"value of b")
        connect.node.on_reply = lie
        results = await asyncio.gather(c.get("a"), c.get("b"), return_exceptions=True)
    errors = [result for result in results if isinstance(result, ReceiptInvalidError)]
    assert len(errors) == len(results), results
    return errors[0]


def _outcomes_swapped(recorded: pb.Recorded) -> None:
    one, two = recorded.outcomes
    del recorded.outcomes[:]
    recorded.outcomes.extend((two, one))


def _outcome_forged(recorded: pb.Recorded) -> None:
    for at, data in enumerate(recorded.outcomes):
        detail = decode_outcome(data).detail
        assert isinstance(detail, ReadGranted)
        recorded.outcomes[at] = encode_outcome(Outcome(Reason.OK, replace(detail, version=9)))


def _values_swapped(recorded: pb.Recorded) -> None:
    one, two = recorded.sealed
    del recorded.sealed[:]
    recorded.sealed.extend((two, one))


def _values_and_keys_swapped(recorded: pb.Recorded) -> None:
    _values_swapped(recorded)
    keys = [one.sealed_key for one in recorded.released]
    recorded.released[0].sealed_key, recorded.released[1].sealed_key = keys[1], keys[0]


def _keys_swapped(recorded: pb.Recorded) -> None:
    keys = [one.sealed_key for one in recorded.released]
    recorded.released[0].sealed_key, recorded.released[1].sealed_key = keys[1], keys[0]


def _ciphertext_flipped(recorded: pb.Recorded) -> None:
    for at, data in enumerate(recorded.sealed):
        recorded.sealed[at] = data[:-1] + bytes((data[-1] ^ 1,))


def _value_cut(recorded: pb.Recorded) -> None:
    for at, data in enumerate(recorded.sealed):
        recorded.sealed[at] = data[:40]


def _no_quorum(recorded: pb.Recorded) -> None:
    text, lines = recorded.checkpoint.split(b"\n\n")
    recorded.checkpoint = text + b"\n\n" + lines.splitlines(keepends=True)[0]


def _root_changed(recorded: pb.Recorded) -> None:
    lines = recorded.checkpoint.split(b"\n")
    lines[2] = b"A" * 43 + b"="
    recorded.checkpoint = b"\n".join(lines)


def _wrong_index(recorded: pb.Recorded) -> None:
    recorded.index -= 1


def _proof_cut(recorded: pb.Recorded) -> None:
    recorded.hashes = recorded.hashes[:-32]


def _leaf_changed(recorded: pb.Recorded) -> None:
    recorded.leaf = recorded.leaf[:-1] + bytes((recorded.leaf[-1] ^ 1,))


@pytest.mark.parametrize(
    "change",
    [
        _outcomes_swapped,
        _outcome_forged,
        _values_swapped,
        _values_and_keys_swapped,
        _keys_swapped,
        _ciphertext_flipped,
        _value_cut,
        _no_quorum,
        _root_changed,
        _wrong_index,
        _proof_cut,
        _leaf_changed,
    ],
)
async def test_a_changed_answer_gives_nothing(connect: Connect, change: Change) -> None:
    """Outcome of another operation, swapped values or keys, no quorum, forged proof: refused."""
    error = await _get_fails(connect, change)
    assert "value of" not in f"{error!r} {error}"


async def test_the_entry_of_another_transaction_is_no_receipt(
    connect: Connect, node: FakeNode
) -> None:
    """A genuine, certified entry that is not ours proves nothing about our call."""
    async with connect() as c:
        await c.put("a", b"first")
        first = node.ledger.entries[max(node.ledger.entries)]

        def lie(reply: pb.SubmitReply) -> pb.SubmitReply:
            tree = node.ledger.tree
            recorded = reply.recorded
            recorded.index, recorded.leaf = first.index, first.executed.leaf
            recorded.hashes = b"".join(tree.inclusion_proof(first.index, tree.size))
            del recorded.outcomes[:]
            recorded.outcomes.extend(first.executed.encoded)
            return reply

        node.on_reply = lie
        with pytest.raises(ReceiptInvalidError, match="another transaction"):
            await c.put("a", b"second")


async def test_a_put_answered_with_a_reads_outcome_is_refused(
    connect: Connect, node: FakeNode
) -> None:
    """An outcome that was forged into the leaf's place fails, whatever it says."""
    async with connect() as c:
        await c.put("a", b"x")

        def lie(reply: pb.SubmitReply) -> pb.SubmitReply:
            reply.recorded.outcomes[0] = encode_outcome(Outcome(Reason.OK, PutDone(77)))
            return reply

        node.on_reply = lie
        with pytest.raises(ReceiptInvalidError):
            await c.put("a", b"y")


async def test_two_roots_for_one_size_are_an_alarm_that_stops_the_client(
    connect: Connect, node: FakeNode
) -> None:
    """A quorum that certifies two trees is caught with both notes in hand; nothing goes on."""
    rogue = _SecondTree(node.ledger)
    async with connect() as c:
        await c.put("a", b"x")
        node.on_reply = rogue.answer
        with pytest.raises(LogForkedError) as caught:
            await asyncio.gather(c.put("b", b"x"), c.get("a"))
        first, second = caught.value.notes
        assert first.splitlines()[1] == second.splitlines()[1]
        assert first.splitlines()[2] != second.splitlines()[2]
        with pytest.raises(LogForkedError):
            await c.get("a")


class _SecondTree:
    """Signs with the core's and the log's real keys another root for the size last seen."""

    def __init__(self, ledger: FakeLedger) -> None:
        self.ledger = ledger
        self.seen = ledger.tree.size

    def answer(self, reply: pb.SubmitReply) -> pb.SubmitReply:
        ledger = self.ledger
        size = int(ledger.note.splitlines()[1]) - 2  # what the client saw with its last put
        note = ledger.two_faced_note(size, bytes(32))
        reply.recorded.checkpoint = note
        return reply


def _grant_changed(
    change: Callable[[SessionGrant], SessionGrant],
) -> Callable[[pb.SubmitReply], pb.SubmitReply]:
    def lie(reply: pb.SubmitReply) -> pb.SubmitReply:
        released = reply.recorded.released[0]
        if released.sealed_key:
            grant = decode_session_grant(released.sealed_key)
            changed = change(grant)
            released.sealed_key = encode_session_grant(changed)
        return reply

    return lie


async def _grant_fails(connect: Connect) -> None:
    with pytest.raises(AttestationFailedError) as caught:
        async with connect():
            pass
    assert caught.value.check is Check.GRANT


async def test_a_relay_that_picks_the_session_secret_fails(
    connect: Connect, node: FakeNode
) -> None:
    """A secret sealed to our key by anybody but the attested service key is refused."""

    def pick(grant: SessionGrant) -> SessionGrant:
        opened = node.ledger.entries[max(node.ledger.entries)].prepared.operations[0]
        assert isinstance(opened, OpenSession)
        chosen = xwing.seal(
            opened.kem_key, Secret(bytes(32)), grant.session_id + node.ledger.network_id
        )
        return replace(grant, sealed_secret=chosen)

    node.on_reply = _grant_changed(pick)
    await _grant_fails(connect)


async def test_a_relay_that_signs_the_picked_secret_itself_fails(
    connect: Connect, node: FakeNode
) -> None:
    """A transcript signed by another key than the trust document's service key is refused."""
    own = ed25519.SigningKey(Secret(bytes(32)))

    def sign(grant: SessionGrant) -> SessionGrant:
        transcript = grant_transcript(
            network_id=node.ledger.network_id,
            session_id=grant.session_id,
            expires_ms=grant.expires_ms,
            grant_digest=bytes(32),
            leaf_hash=bytes(32),
        )
        return replace(grant, signature=own.sign(transcript))

    node.on_reply = _grant_changed(sign)
    await _grant_fails(connect)


async def test_a_grant_with_a_longer_life_is_refused(connect: Connect, node: FakeNode) -> None:
    """The expiry of the grant is the recorded one."""
    node.on_reply = _grant_changed(lambda grant: replace(grant, expires_ms=grant.expires_ms + 1))
    await _grant_fails(connect)


async def test_another_sessions_grant_is_refused(connect: Connect, node: FakeNode) -> None:
    """A genuine grant of somebody else's session is none of ours."""
    grants: list[SessionGrant] = []

    def repeat(grant: SessionGrant) -> SessionGrant:
        grants.append(grant)
        return grants[0]

    node.on_reply = _grant_changed(repeat)
    async with connect() as c:
        node.on_reply = lambda reply: reply
        await c.put("a", b"x")
    node.on_reply = _grant_changed(repeat)
    await _grant_fails(connect)


async def test_a_released_writers_key_that_does_not_open_is_refused(
    connect: Connect, node: FakeNode
) -> None:
    """A key-encryption key that the key service did not seal for this ticket is not used."""

    def lie(reply: pb.SubmitReply) -> pb.SubmitReply:
        for one in reply.recorded.released:
            one.sealed_key = bytes(len(one.sealed_key))
        return reply

    async with connect() as c:
        node.on_reply = lie
        with pytest.raises(ReceiptInvalidError, match="does not open"):
            await c.put("a", b"x")
    assert node.ledger.puts() == 0
