"""Who gets a session, and what one session gets of another's: the real node over its real port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from enclave_client import session as sessions
from enclave_client import wire
from enclave_client.checkpoints import CheckpointBook
from enclave_client.connector import Connector, Link
from enclave_client.errors import AttestationFailedError, Check, DeniedError, SealedgerClientError
from enclave_client.network_file import NetworkFile
from enclave_client.session import Opening
from enclave_client.transactions import Transaction
from enclave_client.transport import Transport
from ledger.crypto import xwing
from ledger.crypto.aead import OpenError
from ledger.crypto.p256 import SigningKey
from ledger.format.operation import AcquireKey, Delete, Operation, Read
from ledger.format.outcome import Coordinates
from ledger.format.sealed import MODE_SESSION
from ledger.log.merkle import leaf_hash
from ledger.reason import Reason
from ledger.sealing import open_released, release_key
from sealedger.v1 import node_pb2 as pb
from tests.support.planted import NAME, VALUE
from tests.support.raw_client import RawClient, now_ms
from tests.support.real_node import (
    COLLECTION,
    OTHER_COLLECTION,
    Found,
    RealNetwork,
    Serving,
    client_of,
    found,
    serving,
    with_endpoint,
)
from tests.support.relay import Meddler, relaying

SALT = bytes(16)


@asynccontextmanager
async def linked(file: NetworkFile, network: RealNetwork) -> AsyncIterator[Link]:
    """A channel to a node that proved itself."""
    book = CheckpointBook(file.rule())
    connector = Connector(file, network.app("app"), book, proxied=False, now_ms=now_ms)
    link = await connector.link()
    try:
        yield link
    finally:
        await link.transport.close()


async def attest(link: Link, sent: Transaction) -> wire.Recorded | Reason:
    """What Attest says to an OpenSession."""
    answer = wire.decode_answer(await link.transport.attest(sent.request))
    assert answer.transaction_hash == sent.hash
    return answer.result.reason if isinstance(answer.result, wire.Refusal) else answer.result


async def opening_of(node: Serving, link: Link) -> tuple[Opening, bytes]:
    """A session being opened, and the evidence for it."""
    opening = sessions.begin(node.file.network_id, link.peer)
    return opening, await node.network.app("app").evidence(opening.report_data)


async def test_same_session_key_opened_twice_with_another_kem_key(node: Serving) -> None:
    """Attack: a session key opens once; the same bytes again give the first entry."""
    async with linked(node.file, node.network) as link:
        first, evidence = await opening_of(node, link)
        sent = first.transaction(evidence, SALT, now_ms())
        recorded = await attest(link, sent)
        assert isinstance(recorded, wire.Recorded)
        second = replace(first, kem_key=xwing.DecapsulationKey())
        fresh = await node.network.app("app").evidence(second.report_data)
        again = second.transaction(fresh, SALT, now_ms())
        assert await attest(link, again) is Reason.SESSION_KEY_REUSED
        repeated = await attest(link, sent)
        assert isinstance(repeated, wire.Recorded)
        assert repeated.index == recorded.index


@pytest.mark.parametrize("swapped", ["session_key", "kem_key"])
async def test_a_quote_is_worth_nothing_with_other_keys(node: Serving, swapped: str) -> None:
    """Attack: evidence made for one pair of keys opens no session for another."""
    async with linked(node.file, node.network) as link:
        opening, evidence = await opening_of(node, link)
        other = SigningKey() if swapped == "session_key" else xwing.DecapsulationKey()
        stolen = replace(opening, **{swapped: other})  # type: ignore[arg-type]  # one of its fields
        sent = stolen.transaction(evidence, SALT, now_ms())
        assert await attest(link, sent) is Reason.WRONG_REPORT_DATA


async def test_another_payload_than_the_evidence(node: Serving) -> None:
    """Attack: the operation commits to the evidence; other evidence beside it is refused."""
    async with linked(node.file, node.network) as link:
        opening, evidence = await opening_of(node, link)
        sent = opening.transaction(evidence, SALT, now_ms())
        request = sent.request.replace(evidence[-64:], bytes(64))
        assert request != sent.request
        assert await attest(link, replace(sent, request=request)) is Reason.PAYLOAD_MISMATCH


async def test_evidence_over_a_checkpoint_that_never_was(node: Serving) -> None:
    """Attack: a root of one's own, or a size inside a block, is no checkpoint of this log."""
    async with linked(node.file, node.network) as link:
        for latest in (
            replace(link.peer.latest, root=bytes(32)),
            replace(link.peer.latest, size=link.peer.latest.size - 1),
            replace(link.peer.latest, size=2**63 - 1),
        ):
            peer = replace(link.peer, latest=latest)
            opening, evidence = await opening_of(node, replace(link, peer=peer))
            sent = opening.transaction(evidence, SALT, now_ms())
            assert await attest(link, sent) is Reason.STALE_CHECKPOINT


async def test_old_trust_document(node: Serving) -> None:
    """Attack: a session for another trust document than the current one is refused."""
    async with linked(node.file, node.network) as link:
        peer = replace(link.peer, trust_digest=bytes(32))
        opening, evidence = await opening_of(node, replace(link, peer=peer))
        sent = opening.transaction(evidence, SALT, now_ms())
        assert await attest(link, sent) is Reason.WRONG_TRUST_DOCUMENT


async def test_an_old_network_file_is_noticed(node: Serving) -> None:
    """A client that pins other cosigners than genesis names goes no further."""
    log = node.file.log
    party = log.cosigners[0].model_copy(update={"public_key": b"\x07" * 32})
    old = node.file.model_copy(update={"log": log.model_copy(update={"cosigners": (party,)})})
    with pytest.raises(AttestationFailedError) as caught:
        await client_of(old, node.network.app("app")).open()
    assert caught.value.check is Check.TRUST_DOCUMENT


# ------------------------------------------------------------------------------ two networks


@pytest.fixture
async def twin(network: RealNetwork, tmp_path: Path) -> AsyncIterator[Serving]:
    """Another network of the same code on the same machine, believing the same root."""
    shared = Found(platform=network.home.platform)
    async with serving(found(tmp_path / "twin", shared)) as running:
        yield running


async def test_right_code_on_another_network_as_client(node: Serving, twin: Serving) -> None:
    """Attack: evidence for one network opens nothing on its twin, signed again or not."""
    async with linked(node.file, node.network) as here, linked(twin.file, twin.network) as there:
        opening, evidence = await opening_of(node, here)
        sent = opening.transaction(evidence, SALT, now_ms())
        assert await attest(there, sent) is Reason.WRONG_NETWORK
        moved = replace(opening, network_id=twin.file.network_id, peer=there.peer)
        signed = moved.transaction(evidence, SALT, now_ms())
        assert await attest(there, signed) is Reason.WRONG_REPORT_DATA
        assert isinstance(await attest(here, sent), wire.Recorded)


async def test_right_code_on_another_network_as_node(node: Serving, twin: Serving) -> None:
    """Attack: the same core of another network is not the one that the client pins."""
    file = with_endpoint(node.file, twin.running.port)
    with pytest.raises(AttestationFailedError) as caught:
        await client_of(file, node.network.app("app")).open()
    assert caught.value.check is Check.NETWORK


class _Masquerade(Meddler):
    """Shows one network's genesis and log, and the other network's evidence."""

    def __init__(self, real: Transport, fields: tuple[str, ...]) -> None:
        self._real = real
        self._fields = fields
        self._nonce = b""

    async def request(self, method: str, data: bytes) -> bytes | None:
        self._nonce = data
        return data

    async def reply(self, method: str, data: bytes) -> bytes | None:
        assert method == "Hello"
        shown = pb.HelloReply.FromString(data)
        real = pb.HelloReply.FromString(await self._real.hello(self._nonce))
        for name in self._fields:
            setattr(shown, name, getattr(real, name))
        return shown.SerializeToString()


LOG = ("genesis", "checkpoint", "latest_checkpoint")


@pytest.mark.parametrize(
    "fields, check",
    [
        (("genesis",), Check.CHECKPOINT),
        (LOG, Check.REPORT_DATA),
        ((*LOG, "signature"), Check.REPORT_DATA),
        ((*LOG, "evidence"), Check.SIGNATURE),
    ],
    ids=["genesis", "log", "signature", "evidence"],
)
async def test_right_code_on_another_network_as_key_service(
    node: Serving, twin: Serving, fields: tuple[str, ...], check: Check
) -> None:
    """Attack: a twin's key service behind this network's genesis and log is found out."""
    real = await Transport.dial(f"127.0.0.1:{node.running.port}", proxied=False)
    async with relaying(twin.running.port, _Masquerade(real, fields)) as relay:
        file = with_endpoint(node.file, relay.port)
        with pytest.raises(AttestationFailedError) as caught:
            await client_of(file, node.network.app("app"), proxied=True).open()
    await real.close()
    assert caught.value.check is check


# ------------------------------------------------------------------------------- denied apps


async def test_an_app_that_no_policy_names(node: Serving) -> None:
    """An enclave that is nowhere admitted gets a refusal, not an entry."""
    size = node.running.replica.head.size
    with pytest.raises(DeniedError) as caught:
        await node.client("stranger").open()
    assert caught.value.reason is Reason.NOT_ADMITTED
    assert node.running.replica.head.size == size


def _attempts() -> dict[str, tuple[Operation, bytes]]:
    return {
        "read": (Read(COLLECTION, NAME), b""),
        "read version": (Read(COLLECTION, NAME, 1), b""),
        "read nothing": (Read(COLLECTION, "no/such/name"), b""),
        "acquire": (AcquireKey(COLLECTION), b""),
        "delete": (Delete(COLLECTION, NAME), b""),
        "delete version": (Delete(COLLECTION, NAME, 1), b""),
    }


async def test_denied_app_gets_no_key_whatever_it_sends(node: Serving) -> None:
    """Attack: each operation of a denied session is an entry that entitles to nothing."""
    async with node.client() as owner:
        await owner.put(NAME, VALUE)
    async with await RawClient.open(node.file, node.network.app("other")) as denied:
        at = Coordinates(COLLECTION, NAME, bytes(16), 1, MODE_SESSION, denied.session.id)
        steps = (*_attempts().values(), denied.sealed(at, b"forged"))
        alone = [await denied.run(step) for step in steps]
        together = await denied.run(*steps)
        mixed = await denied.run((AcquireKey(OTHER_COLLECTION), b""), *steps)
        for answered in (*alone, together):
            assert set(answered.reasons) == {Reason.DENIED}
            assert Reason.OK not in answered.released
        assert mixed.reasons == [Reason.OK] + [Reason.DENIED] * len(steps)
        assert mixed.released == [Reason.OK] + [Reason.NOT_GRANTED] * len(steps)
        for answered in (*alone, together, mixed):
            assert not any(answered.recorded.sealed)
        for position in range(1, len(steps) + 1):
            refusal = await denied.redeem(mixed.ticket(position))
            assert isinstance(refusal, wire.Refusal)
            assert refusal.reason is Reason.NOT_GRANTED
    async with node.client() as owner:
        assert (await owner.get(NAME)).version == 1


async def test_a_hundred_denials_close_the_session(node: Serving) -> None:
    """A session that only tries is closed by rule, in the middle of a transaction."""
    async with await RawClient.open(node.file, node.network.app("other")) as denied:
        answered = await denied.run(*((Read(COLLECTION, f"n/{n}"), b"") for n in range(102)))
        assert answered.reasons == [Reason.DENIED] * 100 + [Reason.SESSION_CLOSED] * 2
        last = denied.make((AcquireKey(OTHER_COLLECTION), b""))
        assert await denied.refused(last) is Reason.SESSION_CLOSED


# ------------------------------------------------------------------------------------ tickets


async def test_a_copied_receipt_released_by_somebody_else(node: Serving) -> None:
    """Attack: whoever holds the ticket gets bytes that only the reading session can open."""
    async with (
        await RawClient.open(node.file, node.network.app("app")) as reader,
        await RawClient.open(node.file, node.network.app("other")) as thief,
    ):
        await reader.acquire(COLLECTION)
        await reader.run(reader.put(NAME, VALUE, COLLECTION))
        read = await reader.run((Read(COLLECTION, NAME), b""))
        first = read.recorded.released[0]
        copied = await thief.redeem(read.ticket())
        assert first is not None
        assert isinstance(copied, wire.ReleasedSecret)
        assert copied.released == first
        assert VALUE not in copied.sealed
        hashed = leaf_hash(read.recorded.leaf)
        with pytest.raises(OpenError):
            open_released(release_key(thief.session.secret, hashed, 0), first.sealed_key)
        assert open_released(release_key(reader.session.secret, hashed, 0), first.sealed_key)


async def test_a_ticket_made_from_the_public_log_alone(node: Serving) -> None:
    """Attack: the leaf is public, salts are not: without them Release shows no sealed secret."""
    async with await RawClient.open(node.file, node.network.app("app")) as reader:
        await reader.acquire(COLLECTION)
        await reader.run(reader.put(NAME, VALUE, COLLECTION))
        read = await reader.run((Read(COLLECTION, NAME), b""))
        ticket = read.ticket()
        opened = ticket.opened[0]
        for guess in (
            replace(opened, salt=bytes(16)),
            replace(opened, operation=b""),
            replace(opened, outcome=opened.outcome[:-1]),
            replace(opened, position=1),
            replace(opened, position=255),
        ):
            refusal = await reader.redeem(replace(ticket, opened=(guess,)))
            assert isinstance(refusal, wire.Refusal), guess
            assert refusal.reason in (Reason.MALFORMED, Reason.NOT_CERTIFIED)


async def test_a_ticket_for_what_is_no_transaction(node: Serving) -> None:
    """Attack: genesis and block headers stand on the log, but entitle to nothing."""
    async with await RawClient.open(node.file, node.network.app("app")) as client:
        answered = await client.run((AcquireKey(COLLECTION), b""))
        ticket = answered.ticket()
        view = node.running.replica.view
        for index in (0, ticket.index + 1):
            leaf = view.get(b"e" + index.to_bytes(8, "big"))
            assert leaf is not None
            refusal = await client.redeem(replace(ticket, index=index, leaf=leaf))
            assert isinstance(refusal, wire.Refusal)
            assert refusal.reason in (Reason.MALFORMED, Reason.NOT_CERTIFIED)


async def test_one_session_cannot_sign_for_another(node: Serving) -> None:
    """Attack: a body that names another session, signed with one's own key."""
    async with (
        await RawClient.open(node.file, node.network.app("app")) as victim,
        await RawClient.open(node.file, node.network.app("other")) as thief,
    ):
        await victim.acquire(COLLECTION)
        await victim.run(victim.put(NAME, VALUE, COLLECTION))
        forged = thief.make((Read(COLLECTION, NAME), b""), signer=victim.session.id, sequence=900)
        assert await thief.refused(forged) is Reason.BAD_SIGNATURE
        read = victim.make((Read(COLLECTION, NAME), b""))
        answers = await asyncio.gather(thief.answer(read), victim.answer(read))
        assert [isinstance(one, wire.Recorded) for one in answers] == [True, True]
        with pytest.raises(SealedgerClientError):
            async with node.client("other", COLLECTION) as other:
                await other.get(NAME)
