"""Transactions that are wrong in one known way each, over every entrance: always the right reason.

Each class of mutations has its expected reasons; what is changed under the signature is signed
again, so that the fault in question is the one that is judged.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from enclave_client import wire
from enclave_client.transactions import Transaction
from ledger.crypto.p256 import SigningKey
from ledger.format.operation import (
    MAX_OPERATION_BYTES,
    AcquireKey,
    Delete,
    KeyServiceStart,
    Operation,
    Put,
    Read,
    encode_operation,
    operation_digest,
)
from ledger.format.outcome import Coordinates
from ledger.format.sealed import split_sealed
from ledger.format.transaction import (
    MAX_ENVELOPE_BYTES,
    Envelope,
    SignerKind,
    decode_envelope,
    encode_envelope,
)
from ledger.reason import Reason
from sealedger.v1 import ledger_pb2
from sealedger.v1 import node_pb2 as pb
from tests.support.fuzzing import cut, flipped, junk, mangled
from tests.support.raw_client import Draft, RawClient
from tests.support.real_node import COLLECTION

pytestmark = pytest.mark.slow  # all of them together; the fast checks have test_wire

Step = tuple[Operation | bytes, bytes]
Entrance = Callable[[bytes], Awaitable[bytes]]
VALUE = b"a fuzzed value"


@pytest.fixture(params=["SubmitOne", "Attest", "Submit"])
def entrance(client: RawClient, request: pytest.FixtureRequest) -> Entrance:
    """One of the three ways in: a SubmitRequest to its SubmitReply."""
    transport = client.link.transport
    if request.param == "SubmitOne":
        return transport.submit_one
    if request.param == "Attest":
        return transport.attest

    async def stream(data: bytes) -> bytes:
        opened = transport.submit()
        try:
            await opened.write(data)
            return await opened.read()
        finally:
            opened.cancel()

    return stream


async def reason(entrance: Entrance, envelope: bytes) -> Reason:
    """What is said to an envelope; OK if it is recorded."""
    answer = wire.decode_answer(await entrance(wire.encode_submit(envelope)))
    return answer.result.reason if isinstance(answer.result, wire.Refusal) else Reason.OK


def envelope_of(sent: Transaction) -> bytes:
    """The envelope inside a request."""
    return pb.SubmitRequest.FromString(sent.request).envelope


def steps(client: RawClient, rng: random.Random) -> list[Step]:
    """One to four good operations."""
    kinds: list[Step] = [
        client.put(f"fuzz/{rng.randrange(50)}", rng.randbytes(rng.randrange(300)), COLLECTION),
        (Read(COLLECTION, f"fuzz/{rng.randrange(50)}"), b""),
        (AcquireKey(COLLECTION), b""),
        (Delete(COLLECTION, f"fuzz/{rng.randrange(50)}"), b""),
    ]
    return rng.sample(kinds, rng.randint(1, len(kinds)))


def good(client: RawClient, rng: random.Random) -> Transaction:
    """A transaction that would be recorded."""
    return client.make(*steps(client, rng))


# ------------------------------------------------------------------- bytes that say nothing


async def test_random_bytes(entrance: Entrance, rng: random.Random, rounds: int) -> None:
    """Random bytes are malformed."""
    for data in junk(rng, rounds):
        assert await reason(entrance, data) is Reason.MALFORMED


async def test_truncated_envelopes(
    client: RawClient, entrance: Entrance, rng: random.Random, rounds: int
) -> None:
    """Every beginning of a good envelope is malformed."""
    for _ in range(rounds):
        assert await reason(entrance, cut(rng, envelope_of(good(client, rng)))) is Reason.MALFORMED


MANGLED = {
    Reason.MALFORMED,
    Reason.TOO_LARGE,
    Reason.WRONG_NETWORK,
    Reason.BAD_SIGNATURE,
    Reason.UNKNOWN_SIGNER,
    Reason.PAYLOAD_MISMATCH,
}


async def test_mangled_envelopes(
    client: RawClient, entrance: Entrance, rng: random.Random, rounds: int
) -> None:
    """However a good envelope is changed, it is refused for what its bytes are."""
    for _ in range(2 * rounds):
        changed = mangled(rng, envelope_of(good(client, rng)))
        assert await reason(entrance, changed) in MANGLED


def _respelled(data: bytes, rng: random.Random) -> bytes:
    message = ledger_pb2.Envelope.FromString(data)
    parts = [
        ledger_pb2.Envelope(signature=message.signature).SerializeToString(),
        ledger_pb2.Envelope(body=message.body).SerializeToString(),
        ledger_pb2.Envelope(
            operations=message.operations, salts=message.salts, payloads=message.payloads
        ).SerializeToString(),
    ]
    spellings = (
        b"".join(parts),  # fields in another order
        data + b"\x7a\x01x",  # an unknown field
        data + ledger_pb2.Envelope(salts=message.salts).SerializeToString(),  # a field twice
        data.replace(b"\x12\x40", b"\x12\xc0\x00", 1),  # a length with a needless byte
    )
    return rng.choice(spellings)


async def test_other_spellings(
    client: RawClient, entrance: Entrance, rng: random.Random, rounds: int
) -> None:
    """The same meaning in other bytes is malformed."""
    for _ in range(rounds):
        changed = _respelled(envelope_of(good(client, rng)), rng)
        assert await reason(entrance, changed) is Reason.MALFORMED


# --------------------------------------------------------------- one part of the envelope


async def changed_part(
    entrance: Entrance, sent: Transaction, change: Callable[[Envelope], Envelope]
) -> Reason:
    """The reason for a good transaction with a part beside the body changed."""
    return await reason(entrance, encode_envelope(change(decode_envelope(envelope_of(sent)))))


async def test_changed_signatures(
    client: RawClient, entrance: Entrance, rng: random.Random, rounds: int
) -> None:
    """A signature with any other bits, of another length or another's is bad."""
    others: list[Callable[[bytes], bytes]] = [
        lambda signature: flipped(rng, signature, rng.randint(1, 4)),
        lambda signature: cut(rng, signature),
        lambda signature: signature + b"\0",
        lambda signature: bytes(len(signature)),
        lambda signature: SigningKey().sign(signature),
    ]
    for number in range(rounds):
        sent = good(client, rng)
        forged = others[number % len(others)](sent.signature)
        got = await changed_part(entrance, sent, lambda one: replace(one, signature=forged))  # noqa: B023  (used at once)
        assert got is Reason.BAD_SIGNATURE


async def test_changed_operations_and_salts(
    client: RawClient, entrance: Entrance, rng: random.Random, rounds: int
) -> None:
    """Operations or salts that the body does not commit to are malformed."""
    for _ in range(rounds):
        sent = good(client, rng)
        first, *rest = sent.operations
        salt, *salts = sent.salts
        changes: list[Callable[[Envelope], Envelope]] = [
            lambda one: replace(one, operations=(flipped(rng, first), *rest)),  # noqa: B023  (used at once)
            lambda one: replace(one, salts=(flipped(rng, salt), *salts)),  # noqa: B023  (used at once)
            lambda one: replace(one, salts=one.salts[::-1]),
        ]
        for change in changes[: 3 if len(sent.salts) > 1 else 2]:
            got = await changed_part(entrance, sent, change)
            assert got is Reason.MALFORMED


async def test_changed_payloads(
    client: RawClient, entrance: Entrance, rng: random.Random, rounds: int
) -> None:
    """A sealed value that is not the named one is a mismatch, or no sealed value at all."""
    for _ in range(rounds):
        sent = client.make(client.put("fuzz/payload", VALUE, COLLECTION))
        (payload,) = decode_envelope(envelope_of(sent)).payloads
        header, ciphertext = split_sealed(payload)
        for forged, expected in (
            (header + flipped(rng, ciphertext), {Reason.PAYLOAD_MISMATCH}),
            (header + ciphertext + b"\0", {Reason.PAYLOAD_MISMATCH}),
            (header[:10], {Reason.MALFORMED}),
            (b"", {Reason.MALFORMED}),
            (mangled(rng, payload), MANGLED - {Reason.BAD_SIGNATURE}),
        ):
            got = await changed_part(entrance, sent, lambda one: replace(one, payloads=(forged,)))  # noqa: B023  (used at once)
            assert got in expected


async def test_a_payload_where_none_belongs(client: RawClient, entrance: Entrance) -> None:
    """Nothing may be stored beside a read."""
    for step in (Read(COLLECTION, "n"), AcquireKey(COLLECTION), Delete(COLLECTION, "n")):
        sent = client.make((step, b"free storage"))
        assert await reason(entrance, envelope_of(sent)) is Reason.MALFORMED


# ------------------------------------------------------------------------ signed bodies


def session_changes(
    client: RawClient, rng: random.Random
) -> list[tuple[dict[str, object], Reason]]:
    """A field of the body, and what is said of it."""
    now = client.clock_ms()
    return [
        ({"network_id": rng.randbytes(32)}, Reason.WRONG_NETWORK),
        ({"network_id": flipped(rng, client.network.network_id)}, Reason.WRONG_NETWORK),
        ({"signer": rng.randbytes(32)}, Reason.UNKNOWN_SIGNER),
        ({"signer": flipped(rng, client.session.id)}, Reason.UNKNOWN_SIGNER),
        ({"signer": rng.randbytes(rng.choice((0, 31, 33)))}, Reason.MALFORMED),
        ({"network_id": rng.randbytes(rng.choice((0, 31, 33)))}, Reason.MALFORMED),
        ({"signer_kind": SignerKind.NODE, "signer": rng.randbytes(32)}, Reason.UNKNOWN_SIGNER),
        ({"valid_until_ms": 0}, Reason.TRANSACTION_EXPIRED),
        ({"valid_until_ms": now - rng.randrange(1, 10**9)}, Reason.TRANSACTION_EXPIRED),
        ({"valid_until_ms": now + 10**6 + rng.randrange(10**9)}, Reason.VALID_TOO_LONG),
        ({"valid_until_ms": 2**64 - 1}, Reason.VALID_TOO_LONG),
        ({"operation_digests": ()}, Reason.MALFORMED),
        ({"operation_digests": (rng.randbytes(32),)}, Reason.MALFORMED),
    ]


async def test_signed_bodies_with_one_wrong_field(
    client: RawClient, entrance: Entrance, rng: random.Random, rounds: int
) -> None:
    """Wrong network, unknown signer, late, too early: each by its own reason."""
    for _ in range(max(1, rounds // 12)):
        for change, expected in session_changes(client, rng):
            sent = client.make((Read(COLLECTION, "n"), b""), **change)
            assert await reason(entrance, envelope_of(sent)) is expected, change


async def test_signers_of_other_kinds(client: RawClient, entrance: Entrance) -> None:
    """An account or node signs nothing of a session's; a new session key opens and no more."""
    key = SigningKey()
    read = (Read(COLLECTION, "n"), b"")
    account = client.draft(read, signer_kind=SignerKind.ACCOUNT, signer=bytes(20))
    assert await reason(entrance, envelope_of(client.sign(account))) is Reason.BAD_SIGNATURE
    for step in (read, (AcquireKey(COLLECTION), b"")):
        fresh = client.draft(
            step, signer_kind=SignerKind.NEW_SESSION, signer=key.public, sequence=0
        )
        signed = client.sign(fresh, key.sign)
        assert await reason(entrance, envelope_of(signed)) is Reason.WRONG_SIGNER
    start = client.make((KeyServiceStart(bytes(32), bytes(32)), b""))
    assert await reason(entrance, envelope_of(start)) is Reason.WRONG_SIGNER


async def test_replayed_and_reused(
    client: RawClient, entrance: Entrance, rng: random.Random, rounds: int
) -> None:
    """The same bytes again are the same entry; the same number for another body is refused."""
    for _ in range(max(3, rounds // 8)):
        sent = good(client, rng)
        first, *again = [wire.decode_answer(await entrance(sent.request)).result for _ in range(3)]
        assert isinstance(first, wire.Recorded)
        for one in again:
            assert isinstance(one, wire.Recorded)
            assert (one.index, one.leaf, one.outcomes) == (first.index, first.leaf, first.outcomes)
        other = client.make(*steps(client, rng), sequence=sent.sequence, atomic=True)
        assert await reason(entrance, envelope_of(other)) is Reason.SEQUENCE_REUSED


# ----------------------------------------------------------------------------- operations


async def test_operations_that_mean_nothing(
    client: RawClient, entrance: Entrance, rng: random.Random, rounds: int
) -> None:
    """Signed, but unreadable or for collections that are not there: no entry, a reason."""
    for data in junk(rng, rounds // 2, 200):
        sent = client.make((data, b""))
        assert await reason(entrance, envelope_of(sent)) is Reason.MALFORMED
    read = encode_operation(Read(COLLECTION, "n"))
    for _ in range(rounds):
        sent = client.make((read + (mangled(rng, read) or b"\0"), b""))
        assert await reason(entrance, envelope_of(sent)) is Reason.MALFORMED
    for step in (Read("no/such", "n"), Delete("no/such", "n"), AcquireKey("no/such")):
        sent = client.make((step, b""))
        assert await reason(entrance, envelope_of(sent)) is Reason.UNKNOWN_COLLECTION


async def test_names_that_are_none(client: RawClient, entrance: Entrance) -> None:
    """Names outside the alphabet, empty or climbing are malformed, wherever they stand."""
    for name in ("", "/", "a//b", "..", "a/../b", ".", "a b", "n\0", "ä", "n" * 201, "a/"):
        raw = ledger_pb2.Operation(read=ledger_pb2.Read(collection=COLLECTION, name=name))
        sent = client.make((raw.SerializeToString(), b""))
        assert await reason(entrance, envelope_of(sent)) is Reason.MALFORMED, name


@pytest.mark.parametrize("mode", [0, 2, 255, 256, 2**31, 2**32 - 1])
async def test_puts_of_modes_that_are_not_known(
    client: RawClient, entrance: Entrance, mode: int
) -> None:
    """A mode that no reader knows stores nothing, also one that no header can hold."""
    at = Coordinates(COLLECTION, "fuzz/mode", bytes(16), 1, mode % 256, client.session.id)
    put, payload = client.sealed(at, VALUE)
    assert isinstance(put, Put)
    sent = client.make((replace(put, mode=mode), payload))
    got = wire.decode_answer(await entrance(sent.request)).result
    if isinstance(got, wire.Refusal):
        assert got.reason in (Reason.MALFORMED, Reason.PAYLOAD_MISMATCH)
    else:
        assert client.prove(sent, got).reasons == [Reason.MALFORMED]


# ----------------------------------------------------------------------------------- sizes


async def test_too_large(client: RawClient, entrance: Entrance) -> None:
    """An envelope over 4 MiB, an operation over 20 KiB, a body over its limit: too large."""
    assert await reason(entrance, bytes(MAX_ENVELOPE_BYTES + 1)) is Reason.TOO_LARGE
    assert await reason(entrance, bytes(2 * MAX_ENVELOPE_BYTES - 1024)) is Reason.TOO_LARGE
    sent = client.make((bytes(MAX_OPERATION_BYTES + 1), b""))
    assert await reason(entrance, envelope_of(sent)) is Reason.TOO_LARGE
    envelope = Envelope(bytes(9000), bytes(64), (b"x",), (bytes(16),), (b"",))
    assert await reason(entrance, encode_envelope(envelope)) is Reason.TOO_LARGE


async def test_too_many_operations(client: RawClient, entrance: Entrance) -> None:
    """257 operations are malformed, however well they are signed."""
    sent = client.make(*[(Read(COLLECTION, "n"), b"")] * 257)
    assert await reason(entrance, envelope_of(sent)) is Reason.MALFORMED


async def test_a_body_that_commits_to_something_else(client: RawClient, entrance: Entrance) -> None:
    """More digests than operations, or fewer, are malformed."""
    read = encode_operation(Read(COLLECTION, "n"))
    salts = (bytes(16), bytes(15) + b"\1")
    digests = tuple(operation_digest(salt, read) for salt in salts)
    for operations, committed in (((read,), digests), ((read, read), digests[:1])):
        draft = client.draft(*((one, b"") for one in operations), operation_digests=committed)
        drafted = Draft(draft.operations, draft.payloads, draft.body, salts[: len(operations)])
        sent = client.sign(drafted)
        assert await reason(entrance, envelope_of(sent)) is Reason.MALFORMED
