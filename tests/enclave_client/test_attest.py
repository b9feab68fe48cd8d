"""The one at the other end has to prove itself: each lie in Hello fails at its own step."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from attestation import vendors
from attestation.errors import PlatformError
from attestation.handshake import (
    KEY_SERVICE_LABEL,
    NO_SERVICE_KEY,
    ReportBinding,
    report_data,
)
from attestation.platforms.software import create_platform, read_trust
from attestation.policy import Match, encode_policy
from enclave_client.attest import Asked, verify_hello
from enclave_client.checkpoints import CheckpointBook
from enclave_client.client import SecretClient
from enclave_client.collateral import CollateralFloor
from enclave_client.errors import (
    AttestationFailedError,
    Check,
    NetworkFileError,
    UnavailableError,
)
from enclave_client.network_file import KeyServiceEntry, NetworkFile
from enclave_client.wire import HelloAnswer
from kms.messages import decode_hello_evidence
from ledger.crypto.secret import Secret
from ledger.format.genesis import network_id
from ledger.format.trust import trust_digest
from sealedger.v1 import node_pb2 as pb
from tests.enclave_client.conftest import COLLECTION, Connect, Machine
from tests.enclave_client.fake_ledger import FakeLedger
from tests.support.production_genesis import as_production


async def _fails(connect: Connect, check: Check, **arguments: object) -> AttestationFailedError:
    with pytest.raises(AttestationFailedError) as caught:
        async with connect(**arguments):  # type: ignore[arg-type]  # passed on
            pass
    assert caught.value.check is check
    assert connect.node.ledger.sessions() == 0, (
        "our evidence was sent before the peer proved itself"
    )
    return caught.value


def _changed(**fields: bytes) -> Callable[[pb.HelloReply], pb.HelloReply]:
    def change(reply: pb.HelloReply) -> pb.HelloReply:
        for name, value in fields.items():
            setattr(reply, name, value)
        return reply

    return change


def test_a_production_network_that_believes_software_is_refused(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack: the file names the vendor's root alone, while genesis lets software in beside it."""
    root, pins = b"a vendor's root", (vendors.INTEL_TCB_SIGNER,)
    founded = FakeLedger(machine.found()).genesis
    monkeypatch.setattr(vendors, "ROOTS", frozenset((hashlib.sha256(root).digest(),)))
    genesis = as_production(founded, (root, b"software"), pins)
    honest = NetworkFile.from_genesis(as_production(founded, (root,), pins), ("[::1]:1",))
    network = honest.model_copy(update={"network_id": network_id(genesis)})
    nothing = HelloAnswer(genesis, b"", b"", b"", b"", b"")
    asked, book = Asked(bytes(32), None, 0), CheckpointBook(network.rule())
    with pytest.raises(AttestationFailedError, match="believes others") as caught:
        verify_hello(nothing, asked, network, book, CollateralFloor())
    assert caught.value.check is Check.TRUST_DOCUMENT


async def test_another_networks_node_with_the_right_code_is_refused(
    connect: Connect, machine: Machine
) -> None:
    """Right code on another network: the node of a network with the same code and machine fails."""
    other = FakeLedger(machine.found())
    network = NetworkFile.from_genesis(other.genesis, (connect.node.endpoint,))
    await _fails(connect, Check.NETWORK, network=network)


async def test_evidence_of_the_same_code_on_another_network_is_refused(
    connect: Connect, machine: Machine
) -> None:
    """The right genesis with the evidence of another network's key service fails at report data."""
    other = FakeLedger(machine.found())
    await other.key_service.refresh_evidence(other.note)
    hello = decode_hello_evidence(other.key_service.hello(bytes(32), bytes(32)))
    connect.node.on_hello = _changed(evidence=hello.evidence)
    await _fails(connect, Check.REPORT_DATA)


async def test_a_swapped_tls_certificate_is_noticed(connect: Connect) -> None:
    """A relay that ends TLS with its own key and passes Hello on fails, unless it was announced."""
    genuine = connect.node.tls.spki_digest
    await connect.node.close()
    await connect.node.open()  # another key now, while Hello speaks of the genuine one
    connect.node.signed_spki = genuine
    await _fails(connect, Check.TLS)
    async with connect(proxied=True) as c:
        await c.put("n", b"x")


async def test_a_relay_that_claims_the_tls_key_as_its_own_fails_the_signature(
    connect: Connect,
) -> None:
    """The TLS key is under the service key's signature."""
    connect.node.signed_spki = bytes(32)
    connect.node.on_hello = _changed(tls_spki_digest=connect.node.tls.spki_digest)
    await _fails(connect, Check.SIGNATURE)


async def test_a_repeated_hello_is_refused(connect: Connect) -> None:
    """An answer to somebody else's nonce is not an answer to ours."""
    connect.node.signed_nonce = bytes(32)
    await _fails(connect, Check.SIGNATURE)


async def test_a_stale_checkpoint_is_refused(connect: Connect) -> None:
    """A log that was certified half an hour ago proves nothing about now."""
    ledger = connect.node.ledger
    old_s = int(time.time()) - 1800
    stale = ledger.certified(old_s)
    connect.node.on_hello = _changed(latest_checkpoint=stale)
    error = await _fails(connect, Check.CHECKPOINT)
    assert "clock" in error.hint
    connect.node.on_hello = _changed(checkpoint=stale)
    await _fails(connect, Check.CHECKPOINT)


async def test_a_checkpoint_from_the_future_is_refused(connect: Connect) -> None:
    """A cosignature of a time that has not come means a wrong clock or a lie."""
    stamp = connect.node.ledger.certified(int(time.time()) + 600)
    connect.node.on_hello = _changed(latest_checkpoint=stamp)
    await _fails(connect, Check.CHECKPOINT)


async def test_a_checkpoint_without_quorum_is_refused(connect: Connect) -> None:
    """A note that only the log key signed is not certified."""
    ledger = connect.node.ledger
    lines = ledger.note.split(b"\n\n")
    signatures = lines[1].splitlines(keepends=True)
    log_only = lines[0] + b"\n\n" + signatures[0]
    connect.node.on_hello = _changed(latest_checkpoint=log_only)
    await _fails(connect, Check.CHECKPOINT)


async def test_evidence_for_other_report_data_is_refused(connect: Connect) -> None:
    """A genuine quote of the right code for another service key fails at report data."""
    ledger = connect.node.ledger
    binding = ReportBinding(
        network_id=ledger.network_id,
        trust_digest=trust_digest(b"another"),
        own_keys=(bytes(32),),
        peer_service_key=NO_SERVICE_KEY,
        size=1,
        root=bytes(32),
    )
    wrong = await ledger.found.platform.evidence(report_data(KEY_SERVICE_LABEL, binding))
    connect.node.on_hello = _changed(evidence=wrong)
    await _fails(connect, Check.REPORT_DATA)


async def test_evidence_of_wrong_code_is_refused(connect: Connect) -> None:
    """A network file that names another signer does not admit this key service, and says why."""
    policy = encode_policy(Match(signer=b"\x01" * 32, product_id=1, minimum_svn=1))
    network = connect.network.model_copy(update={"key_service": KeyServiceEntry(policy=policy)})
    error = await _fails(connect, Check.IDENTITY, network=network)
    assert "signer" in error.message


async def test_an_older_version_of_the_right_code_is_refused(connect: Connect) -> None:
    """The minimum SVN of the pinned policy holds."""
    enclave = connect.node.ledger.found.platform.enclave
    policy = encode_policy(Match(signer=enclave.signer, product_id=1, minimum_svn=2))
    network = connect.network.model_copy(update={"key_service": KeyServiceEntry(policy=policy)})
    error = await _fails(connect, Check.IDENTITY, network=network)
    assert "minimum_svn" in error.message


async def test_evidence_under_another_root_is_refused(connect: Connect, tmp_path: Path) -> None:
    """A quote of another machine's root, which the network file does not pin, fails."""
    create_platform(tmp_path / "platform", int(time.time()))
    other = read_trust(tmp_path / "platform")
    entry = connect.network.attestation.model_copy(update={"roots": (other.root,)})
    network = connect.network.model_copy(update={"attestation": entry})
    await _fails(connect, Check.EVIDENCE, network=network)


async def test_the_pinned_floor_holds_above_the_networks_own(connect: Connect) -> None:
    """A client may ask for newer collateral than the network has."""
    entry = connect.network.attestation.model_copy(update={"tcb_floor": 50})
    network = connect.network.model_copy(update={"attestation": entry})
    await _fails(connect, Check.EVIDENCE, network=network)


async def test_changed_evidence_is_refused(connect: Connect) -> None:
    """One flipped bit in the quote's signature fails."""

    def flip(reply: pb.HelloReply) -> pb.HelloReply:
        evidence = bytearray(reply.evidence)
        evidence[500] ^= 1
        reply.evidence = bytes(evidence)
        return reply

    connect.node.on_hello = flip
    await _fails(connect, Check.EVIDENCE)


async def test_a_network_file_with_another_quorum_is_refused(connect: Connect) -> None:
    """Pins that are not genesis' own say which one differs."""
    other = connect.network.log.cosigners[0].model_copy(update={"operator": "somebody-else"})
    log = connect.network.log.model_copy(update={"cosigners": (other,)})
    error = await _fails(
        connect, Check.TRUST_DOCUMENT, network=connect.network.model_copy(update={"log": log})
    )
    assert "cosigners" in error.message


async def test_a_development_network_is_refused_without_permission(
    connect: Connect, machine: Machine
) -> None:
    """Development networks protect nothing, so nobody uses one by accident."""
    with pytest.raises(NetworkFileError) as caught:
        SecretClient.connect(
            network=connect.network, platform=machine.program("app"), collection=COLLECTION
        )
    assert "allow_development" in caught.value.hint


async def test_a_node_that_is_not_there_is_unavailable(connect: Connect) -> None:
    """Nothing listening is an error with a hint, at once."""
    await connect.node.close()
    with pytest.raises(UnavailableError) as caught:
        async with connect():
            pass
    assert "node runs" in caught.value.hint


async def test_the_next_endpoint_is_tried(connect: Connect) -> None:
    """A dead endpoint in the network file does not keep a client away."""
    endpoints = ("127.0.0.1:1", connect.node.endpoint)
    network = connect.network.model_copy(update={"endpoints": endpoints})
    async with connect(network=network) as c:
        await c.put("n", b"x")


async def test_our_platform_without_a_quote_is_our_own_fault(connect: Connect) -> None:
    """A program whose platform cannot quote hears that, not that the node is bad."""
    client = SecretClient.connect(
        network=connect.network,
        platform=_NoQuote(),
        collection=COLLECTION,
        allow_development=True,
    )
    with pytest.raises(AttestationFailedError) as caught:
        await client.open()
    assert caught.value.check is Check.OWN_EVIDENCE


class _NoQuote:
    """A platform whose device is missing."""

    name = "none"

    async def evidence(self, report_data: bytes) -> bytes:
        raise PlatformError("the quoting device is missing")

    def sealing_key(self, label: bytes, *, svn: int | None = None) -> Secret:
        raise PlatformError("the quoting device is missing")
