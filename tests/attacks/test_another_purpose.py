"""Genuine evidence of the right code that was made for something else: nowhere is it worth more."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import pytest

from attestation.errors import EvidenceError, EvidenceFault
from attestation.evidence import encode_evidence
from attestation.handshake import (
    CLIENT_LABEL,
    KEY_SERVICE_LABEL,
    NO_SERVICE_KEY,
    ReportBinding,
    report_data,
)
from attestation.ratls.certificate import RaTlsCertificate, read_certificate, verify_binding
from attestation.ratls.forms import ratls_report_data
from attestation.ratls.make import encode_claims
from attestation.verify import verify
from enclave_client import session as sessions
from enclave_client import wire
from enclave_client.attest import Peer
from enclave_client.checkpoints import CheckpointBook
from enclave_client.connector import Connector, Link
from enclave_client.errors import AttestationFailedError, Check
from enclave_client.session import Opening
from ledger.format.genesis import decode_genesis
from ledger.log.checkpoint import decode_checkpoint
from ledger.log.note import decode_note
from ledger.reason import Reason
from node.verifier import verification_rules
from sealedger.v1 import node_pb2 as pb
from tests.support.raw_client import now_ms
from tests.support.real_node import Serving, client_of, with_endpoint
from tests.support.relay import Meddler, relaying

Words = Callable[[Opening], bytes]
Change = Callable[[pb.HelloReply], Awaitable[None]]


def _binding(opening: Opening, keys: tuple[bytes, ...], peer_key: bytes) -> ReportBinding:
    peer: Peer = opening.peer
    return ReportBinding(
        network_id=opening.network_id,
        trust_digest=peer.trust_digest,
        own_keys=keys,
        peer_service_key=peer_key,
        size=peer.latest.size,
        root=peer.latest.root,
    )


def _keys(opening: Opening) -> tuple[bytes, ...]:
    return opening.session_key.public, opening.kem_key.public


# what an app's quote speaks of, in place of the session that it is shown for
SAID: dict[str, Words] = {
    "a TLS key": lambda opening: ratls_report_data(encode_claims(opening.session_key.public)),
    "a key as Gramine binds it": lambda opening: ratls_report_data(opening.session_key.public),
    "a key service": lambda opening: report_data(
        KEY_SERVICE_LABEL, _binding(opening, _keys(opening), opening.peer.trust.service_key)
    ),
    "keys in another order": lambda opening: report_data(
        CLIENT_LABEL, _binding(opening, _keys(opening)[::-1], opening.peer.trust.service_key)
    ),
    "one key more": lambda opening: report_data(
        CLIENT_LABEL,
        _binding(opening, (*_keys(opening), bytes(32)), opening.peer.trust.service_key),
    ),
    "any service": lambda opening: report_data(
        CLIENT_LABEL, _binding(opening, _keys(opening), NO_SERVICE_KEY)
    ),
    "nothing": lambda _: bytes(64),
}


@pytest.mark.parametrize("said", SAID)
async def test_an_apps_quote_for_something_else_opens_no_session(node: Serving, said: str) -> None:
    """Attack: the right app, asked by somebody for a quote over other words."""
    async with _Dialed(node) as link:
        opening = sessions.begin(node.file.network_id, link.peer)
        evidence = await node.network.app("app").evidence(SAID[said](opening))
        assert await _attest(link, opening, evidence) is Reason.WRONG_REPORT_DATA


async def test_the_nodes_certificate_is_neither_client_nor_key_service(node: Serving) -> None:
    """Attack: the core's quote over its TLS key, which everybody gets, used as anything else."""
    evidence = encode_evidence((await _certificate(node)).evidence)

    async def with_it(hello: pb.HelloReply) -> None:
        hello.evidence = evidence

    async with _Dialed(node) as link:
        opening = sessions.begin(node.file.network_id, link.peer)
        assert await _attest(link, opening, evidence) is Reason.WRONG_REPORT_DATA
    assert await _shown(node, with_it) is Check.REPORT_DATA


async def test_the_cores_quote_as_a_client_is_no_key_service(node: Serving) -> None:
    """Attack: the core itself, asked for evidence as an app, over its own service key."""

    async def as_client(hello: pb.HelloReply) -> None:
        async with _Dialed(node) as link:
            opening = sessions.begin(node.file.network_id, link.peer)
        shown = decode_checkpoint(decode_note(hello.checkpoint).text)
        binding = ReportBinding(
            network_id=opening.network_id,
            trust_digest=opening.peer.trust_digest,
            own_keys=(opening.peer.trust.service_key,),
            peer_service_key=NO_SERVICE_KEY,
            size=shown.size,
            root=shown.root,
        )
        core = node.network.core()
        hello.evidence = await core.evidence(report_data(CLIENT_LABEL, binding))

    assert await _shown(node, as_client) is Check.REPORT_DATA


async def test_the_key_services_quote_is_no_certificate(node: Serving) -> None:
    """Attack: a certificate of one's own around the evidence that Hello hands to everybody."""
    certificate = await _certificate(node)
    genesis = decode_genesis(node.network.home.genesis.read_bytes())
    async with _Dialed(node) as link:
        answer = wire.decode_hello(await link.transport.hello(wire.encode_hello(bytes(32))))
        rules = verification_rules(link.peer.trust)
    now_s = now_ms() // 1000
    own = verify(encode_evidence(certificate.evidence), genesis.collateral[0], rules, now_s)
    verify_binding(certificate, own.report_data)
    hello = verify(answer.evidence, genesis.collateral[0], rules, now_s)
    with pytest.raises(EvidenceError) as caught:
        verify_binding(certificate, hello.report_data)
    assert caught.value.code == EvidenceFault.REPORT_DATA


class _Dialed:
    """A channel to a node that proved itself."""

    def __init__(self, node: Serving) -> None:
        book = CheckpointBook(node.file.rule())
        app = node.network.app("app")
        self._connector = Connector(node.file, app, book, proxied=False, now_ms=now_ms)
        self._link: Link | None = None

    async def __aenter__(self) -> Link:
        self._link = await self._connector.link()
        return self._link

    async def __aexit__(self, *_: object) -> None:
        if self._link is not None:
            await self._link.transport.close()


class _Changed(Meddler):
    """Changes Hello's reply."""

    def __init__(self, change: Change) -> None:
        self._change = change

    async def reply(self, method: str, data: bytes) -> bytes | None:
        assert method == "Hello"
        hello = pb.HelloReply.FromString(data)
        await self._change(hello)
        return hello.SerializeToString()


async def _certificate(node: Serving) -> RaTlsCertificate:
    """What the node's port shows to everybody."""
    address = ("127.0.0.1", node.running.port)
    return read_certificate((await asyncio.to_thread(ssl.get_server_certificate, address)).encode())


async def _shown(node: Serving, change: Change) -> Check:
    """The check that a client behind a relay with this change fails at."""
    async with relaying(node.running.port, _Changed(change)) as relay:
        file = with_endpoint(node.file, relay.port)
        with pytest.raises(AttestationFailedError) as caught:
            await client_of(file, node.network.app("app"), proxied=True).open()
    return caught.value.check


async def _attest(link: Link, opening: Opening, evidence: bytes) -> Reason:
    sent = opening.transaction(evidence, bytes(16), now_ms())
    answer = wire.decode_answer(await link.transport.attest(sent.request))
    assert isinstance(answer.result, wire.Refusal)
    return answer.result.reason
