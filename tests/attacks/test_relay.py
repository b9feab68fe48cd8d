"""Someone between client and node, on the whole path: real client, real node, real TLS."""

import asyncio
import hashlib
from dataclasses import replace

import pytest

from enclave_client.errors import AttestationFailedError, Check, ReceiptInvalidError
from kms.messages import decode_session_grant, encode_session_grant
from ledger.crypto import xwing
from ledger.crypto.ed25519 import SigningKey
from ledger.crypto.p256 import SigningKey as SessionKey
from ledger.crypto.secret import Secret
from ledger.format.operation import (
    OpenSession,
    decode_operation,
    encode_operation,
    operation_digest,
)
from ledger.format.transaction import (
    Body,
    Envelope,
    decode_body,
    decode_envelope,
    encode_body,
    encode_envelope,
    signed_message,
)
from ledger.reason import Reason
from sealedger.v1 import node_pb2 as pb
from tests.support.planted import NAME, VALUE
from tests.support.real_node import Serving, client_of, with_endpoint
from tests.support.relay import Meddler, relaying

CHOSEN = Secret(b"the relay's own choice of secret")


async def failed_check(node: Serving, meddler: Meddler, *, proxied: bool = True) -> Check:
    """Which step stops a client that talks through the relay."""
    async with relaying(node.running.port, meddler) as relay:
        file = with_endpoint(node.file, relay.port)
        client = client_of(file, node.network.app("app"), proxied=proxied)
        with pytest.raises(AttestationFailedError) as caught:
            await client.open()
        await client.close()
    return caught.value.check


async def test_a_harmless_relay_is_only_a_proxy(node: Serving) -> None:
    """Through a relay that the app knows of, the whole path works."""
    async with relaying(node.running.port, Meddler()) as relay:
        file = with_endpoint(node.file, relay.port)
        async with client_of(file, node.network.app("app"), proxied=True) as client:
            await client.put(NAME, VALUE)
            assert (await client.get(NAME)).value == VALUE


async def test_a_relay_with_its_own_tls_certificate(node: Serving) -> None:
    """Attack: whoever ends TLS with another key is noticed before anything is sent."""
    assert await failed_check(node, Meddler(), proxied=False) is Check.TLS


class _Answers(Meddler):
    """Changes the reply of one method."""

    method = ""

    async def reply(self, method: str, data: bytes) -> bytes | None:
        return self.change(data) if method == self.method else data

    def change(self, data: bytes) -> bytes:
        raise NotImplementedError


class _ClaimsItsTls(_Answers):
    method = "Hello"

    def __init__(self) -> None:
        self.spki_digest = b""

    def change(self, data: bytes) -> bytes:
        hello = pb.HelloReply.FromString(data)
        hello.tls_spki_digest = self.spki_digest
        return hello.SerializeToString()


async def test_a_relay_writes_its_certificate_into_hello(node: Serving) -> None:
    """Attack: the TLS key in Hello is signed by the attested service key, so this breaks it."""
    meddler = _ClaimsItsTls()
    async with relaying(node.running.port, meddler) as relay:
        meddler.spki_digest = relay.tls.spki_digest
        client = client_of(with_endpoint(node.file, relay.port), node.network.app("app"))
        with pytest.raises(AttestationFailedError) as caught:
            await client.open()
        await client.close()
    assert caught.value.check is Check.SIGNATURE


class _RepeatsHello(_Answers):
    method = "Hello"

    def __init__(self) -> None:
        self.first = b""

    def change(self, data: bytes) -> bytes:
        self.first = self.first or data
        return self.first


async def test_a_relay_repeats_an_old_hello(node: Serving) -> None:
    """Attack: an answer to another client's nonce is no answer to ours."""
    meddler = _RepeatsHello()
    async with relaying(node.running.port, meddler) as relay:
        file = with_endpoint(node.file, relay.port)
        async with client_of(file, node.network.app("app"), proxied=True):
            pass
        client = client_of(file, node.network.app("app"), proxied=True)
        with pytest.raises(AttestationFailedError) as caught:
            await client.open()
        await client.close()
    assert caught.value.check is Check.SIGNATURE


class _PicksSecret(_Answers):
    method = "Attest"

    def __init__(self, signer: SigningKey | None) -> None:
        self._signer = signer
        self._kem_key = b""

    async def request(self, method: str, data: bytes) -> bytes | None:
        if method == "Attest":
            envelope = decode_envelope(pb.SubmitRequest.FromString(data).envelope)
            operation = decode_operation(envelope.operations[0])
            assert isinstance(operation, OpenSession)
            self._kem_key = operation.kem_key
            self._network_id = decode_body(envelope.body).network_id
        return data

    def change(self, data: bytes) -> bytes:
        reply = pb.SubmitReply.FromString(data)
        grant = decode_session_grant(reply.recorded.released[0].sealed_key)
        info = grant.session_id + self._network_id
        sealed = xwing.seal(self._kem_key, CHOSEN, info)
        signature = grant.signature if self._signer is None else self._signer.sign(sealed)
        forged = replace(grant, sealed_secret=sealed, signature=signature)
        reply.recorded.released[0].sealed_key = encode_session_grant(forged)
        return reply.SerializeToString()


@pytest.mark.parametrize("own_signature", [False, True])
async def test_relay_picks_the_session_secret(node: Serving, *, own_signature: bool) -> None:
    """Attack: a secret sealed by a relay to the client's key lacks the service key's signature."""
    signer = SigningKey(Secret(bytes(range(32)))) if own_signature else None
    assert await failed_check(node, _PicksSecret(signer)) is Check.GRANT


class _OpensForItself(Meddler):
    """Swaps keys in the OpenSession and signs again, to own the session that it relays."""

    def __init__(self, *, swap_session_key: bool) -> None:
        self._swap_session_key = swap_session_key
        self._key = SessionKey()
        self._kem = xwing.DecapsulationKey()
        self.reason: Reason | None = None

    async def request(self, method: str, data: bytes) -> bytes | None:
        if method != "Attest":
            return data
        envelope = decode_envelope(pb.SubmitRequest.FromString(data).envelope)
        body, operation = decode_body(envelope.body), decode_operation(envelope.operations[0])
        assert isinstance(operation, OpenSession)
        operation = replace(operation, kem_key=self._kem.public)
        if self._swap_session_key:
            operation = replace(operation, session_key=self._key.public)
            body = replace(body, signer=self._key.public)
        return self._signed(envelope, body, encode_operation(operation))

    def _signed(self, envelope: Envelope, body: Body, operation: bytes) -> bytes:
        digest = operation_digest(envelope.salts[0], operation)
        signed = encode_body(replace(body, operation_digests=(digest,)))
        signature = self._key.sign(signed_message(body.network_id, signed))
        changed = replace(envelope, body=signed, signature=signature, operations=(operation,))
        return pb.SubmitRequest(envelope=encode_envelope(changed)).SerializeToString()

    async def reply(self, method: str, data: bytes) -> bytes | None:
        if method == "Attest":
            self.reason = Reason(pb.SubmitReply.FromString(data).refusal.reason)
        return data


@pytest.mark.parametrize(
    "swap_session_key, reason",
    [(False, Reason.BAD_SIGNATURE), (True, Reason.WRONG_REPORT_DATA)],
)
async def test_a_relay_opens_the_session_for_itself(
    node: Serving, *, swap_session_key: bool, reason: Reason
) -> None:
    """Attack: keys of a relay are in no quote; the ledger refuses, and the client notices."""
    meddler = _OpensForItself(swap_session_key=swap_session_key)
    async with relaying(node.running.port, meddler) as relay:
        file = with_endpoint(node.file, relay.port)
        client = client_of(file, node.network.app("app"), proxied=True)
        with pytest.raises(ReceiptInvalidError):
            await client.open()
        await client.close()
    assert meddler.reason is reason


class _SwapsValues(Meddler):
    """Exchanges what two reads of one transaction brought."""

    def __init__(self, field: str) -> None:
        self._field = field
        self.swapped = 0

    async def reply(self, method: str, data: bytes) -> bytes | None:
        if method != "Submit":
            return data
        reply = pb.SubmitReply.FromString(data)
        if len(reply.recorded.released) == 2 and reply.recorded.sealed[0]:
            parts = getattr(reply.recorded, self._field)
            first, second = parts[0], parts[1]
            del parts[:]
            parts.extend((second, first))
            self.swapped += 1
        return reply.SerializeToString()


@pytest.mark.parametrize("field", ["sealed", "released", "outcomes"])
async def test_a_relay_swaps_two_values(node: Serving, field: str) -> None:
    """Attack: a value under another name's read is refused, never returned."""
    meddler = _SwapsValues(field)
    async with relaying(node.running.port, meddler) as relay:
        file = with_endpoint(node.file, relay.port)
        async with client_of(file, node.network.app("app"), proxied=True) as client:
            await client.put("one", b"first")
            await client.put("two", b"second")
            results = await asyncio.gather(
                client.get("one"), client.get("two"), return_exceptions=True
            )
    assert meddler.swapped == 1
    assert all(isinstance(one, ReceiptInvalidError) for one in results), results


class _ChangesCheckpoint(_Answers):
    method = "SubmitOne"

    def change(self, data: bytes) -> bytes:
        reply = pb.SubmitReply.FromString(data)
        note = reply.recorded.checkpoint
        at = note.index(b"\n\n")
        reply.recorded.checkpoint = note[: at + 2] + note[at + 2 :].splitlines(True)[0]
        return reply.SerializeToString()


async def test_log_key_alone(node: Serving) -> None:
    """Attack: a checkpoint with the log key's signature and no core's is not certified."""
    async with relaying(node.running.port, _ChangesCheckpoint()) as relay:
        file = with_endpoint(node.file, relay.port)
        async with client_of(file, node.network.app("app"), proxied=True) as client:
            with pytest.raises(ReceiptInvalidError, match="operators"):
                await client.put(NAME, VALUE)


def test_the_chosen_secret_has_the_size_of_a_real_one() -> None:
    """The relay's choice would fit, so size is not what stops it."""
    assert len(CHOSEN) == len(hashlib.sha256(b"").digest())
