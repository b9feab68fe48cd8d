"""Openings of sessions that are wrong in one known way each, or in any way at all."""

import os
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from attestation.evidence import decode_evidence, encode_evidence
from enclave_client import session as sessions
from enclave_client import wire
from enclave_client.session import Opening
from enclave_client.transactions import Transaction
from ledger.crypto.p256 import SigningKey
from ledger.format.operation import (
    OpenSession,
    decode_operation,
    encode_operation,
    operation_digest,
)
from ledger.format.transaction import (
    SignerKind,
    decode_body,
    decode_envelope,
    encode_body,
    encode_envelope,
    signed_message,
)
from ledger.reason import Reason
from sealedger.v1 import node_pb2 as pb
from tests.support.fuzzing import flipped, junk, mangled
from tests.support.raw_client import RawClient, now_ms
from tests.support.real_node import NodeProcess

pytestmark = pytest.mark.slow  # all of them together; the fast checks have test_wire

EVIDENCE = {Reason.EVIDENCE_REFUSED, Reason.EVIDENCE_UNDECIDED}


async def attest(client: RawClient, envelope: bytes) -> Reason:
    """What Attest says; OK if a session opened."""
    reply = await client.link.transport.attest(wire.encode_submit(envelope))
    result = wire.decode_answer(reply).result
    return result.reason if isinstance(result, wire.Refusal) else Reason.OK


async def begin(client: RawClient, node: NodeProcess) -> tuple[Opening, bytes]:
    """A good opening and its evidence."""
    opening = sessions.begin(client.network.network_id, client.link.peer)
    return opening, await node.network.app("app").evidence(opening.report_data)


def envelope_of(sent: Transaction) -> bytes:
    """The envelope inside a request."""
    return pb.SubmitRequest.FromString(sent.request).envelope


def signed(
    sent: Transaction, key: SigningKey, change: Callable[[OpenSession], OpenSession]
) -> bytes:
    """The envelope with a changed operation, signed again by the same key."""
    envelope = decode_envelope(envelope_of(sent))
    operation = decode_operation(envelope.operations[0])
    assert isinstance(operation, OpenSession)
    changed = encode_operation(change(operation))
    digests = (operation_digest(envelope.salts[0], changed),)
    body = encode_body(replace(decode_body(envelope.body), operation_digests=digests))
    signature = key.sign(signed_message(decode_body(body).network_id, body))
    return encode_envelope(replace(envelope, body=body, signature=signature, operations=(changed,)))


async def test_evidence_that_is_none(
    client: RawClient, node: NodeProcess, rng: random.Random, rounds: int
) -> None:
    """Random evidence that the operation commits to is refused as evidence."""
    for data in junk(rng, rounds):
        opening, _ = await begin(client, node)
        sent = opening.transaction(data, os.urandom(16), now_ms())
        assert await attest(client, envelope_of(sent)) is Reason.EVIDENCE_REFUSED


async def test_mangled_quotes(
    client: RawClient, node: NodeProcess, rng: random.Random, rounds: int
) -> None:
    """A changed quote, committed to and signed for, proves nothing."""
    for _ in range(2 * rounds):
        opening, evidence = await begin(client, node)
        decoded = decode_evidence(evidence)
        quote = mangled(rng, decoded.quote) or b"\0"
        changed = encode_evidence(replace(decoded, quote=quote))
        sent = opening.transaction(changed, os.urandom(16), now_ms())
        assert await attest(client, envelope_of(sent)) in EVIDENCE


async def test_mangled_openings(
    client: RawClient, node: NodeProcess, rng: random.Random, rounds: int
) -> None:
    """However a good opening is changed on its way, it opens nothing."""
    for _ in range(2 * rounds):
        opening, evidence = await begin(client, node)
        sent = opening.transaction(evidence, os.urandom(16), now_ms())
        got = await attest(client, mangled(rng, envelope_of(sent)))
        assert got in EVIDENCE | {
            Reason.MALFORMED,
            Reason.BAD_SIGNATURE,
            Reason.WRONG_NETWORK,
            Reason.PAYLOAD_MISMATCH,
            Reason.TOO_LARGE,
            Reason.UNKNOWN_SIGNER,
        }


async def test_signed_openings_with_one_wrong_field(
    client: RawClient, node: NodeProcess, rng: random.Random, rounds: int
) -> None:
    """Each field of an opening is judged by its own reason."""
    for _ in range(max(1, rounds // 12)):
        opening, evidence = await begin(client, node)
        sent = opening.transaction(evidence, os.urandom(16), now_ms())
        changes: list[tuple[dict[str, object], Reason]] = [
            ({"kem_key": rng.randbytes(1216)}, Reason.WRONG_REPORT_DATA),
            ({"kem_key": rng.randbytes(1215)}, Reason.MALFORMED),
            ({"session_key": SigningKey().public}, Reason.WRONG_SIGNER),
            ({"session_key": bytes(33)}, Reason.WRONG_SIGNER),
            ({"evidence_digest": rng.randbytes(32)}, Reason.PAYLOAD_MISMATCH),
            ({"service_key": rng.randbytes(32)}, Reason.WRONG_SERVICE_KEY),
            ({"trust_digest": rng.randbytes(32)}, Reason.WRONG_TRUST_DOCUMENT),
            ({"checkpoint_root": rng.randbytes(32)}, Reason.STALE_CHECKPOINT),
            ({"checkpoint_size": rng.randrange(10**6, 2**64)}, Reason.STALE_CHECKPOINT),
            ({"checkpoint_size": 0}, Reason.STALE_CHECKPOINT),
        ]
        for change, expected in changes:
            envelope = signed(sent, opening.session_key, lambda one: replace(one, **change))  # type: ignore[arg-type]  # noqa: B023
            assert await attest(client, envelope) is expected, change
        assert await attest(client, envelope_of(sent)) is Reason.OK


async def test_a_session_key_that_is_no_point(client: RawClient, node: NodeProcess) -> None:
    """Keys that are not on the curve sign nothing and open nothing."""
    for bad in (bytes(33), b"\x02" + b"\xff" * 32, b"\x05" + bytes(32), b"\x04" * 33):
        opening, evidence = await begin(client, node)
        sent = opening.transaction(evidence, os.urandom(16), now_ms())
        envelope = decode_envelope(envelope_of(sent))
        body = replace(decode_body(envelope.body), signer=bad, signer_kind=SignerKind.NEW_SESSION)
        changed = replace(envelope, body=encode_body(body))
        got = await attest(client, encode_envelope(changed))
        assert got in (Reason.BAD_SIGNATURE, Reason.MALFORMED)


async def test_evidence_larger_than_any(client: RawClient, node: NodeProcess) -> None:
    """Evidence over its limit is refused before anything looks inside."""
    opening, evidence = await begin(client, node)
    for size in (70_000, 1_000_000, 4 * 1024 * 1024 - 4096):
        sent = opening.transaction(evidence.ljust(size, b"\0"), os.urandom(16), now_ms())
        assert await attest(client, envelope_of(sent)) is Reason.EVIDENCE_REFUSED


async def test_flipped_bits_of_good_evidence(
    client: RawClient, node: NodeProcess, rng: random.Random, rounds: int
) -> None:
    """One wrong bit anywhere in a quote is enough."""
    for _ in range(2 * rounds):
        opening, evidence = await begin(client, node)
        decoded = decode_evidence(evidence)
        changed = encode_evidence(replace(decoded, quote=flipped(rng, decoded.quote)))
        sent = opening.transaction(changed, os.urandom(16), now_ms())
        assert await attest(client, envelope_of(sent)) in EVIDENCE
