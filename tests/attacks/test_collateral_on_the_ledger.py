"""New collateral on a running network: who may bring it, which, and what clients make of it."""

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.collateral import collateral_digest, encode_collateral
from attestation.dcap.pem import encode_chain
from attestation.platforms.software import QE_SIGNER, create_platform
from attestation.platforms.software_collateral import CollateralOptions, make_collateral
from attestation.platforms.software_files import PlatformFiles
from attestation.platforms.software_pki import sign_raw
from attestation.platforms.software_snp_pki import make_snp_collateral
from enclave_client import wire
from enclave_client.account import Account
from enclave_client.checkpoints import CheckpointBook
from enclave_client.connector import Dialer, read_answer
from enclave_client.errors import AttestationFailedError, Check
from enclave_client.receipts import Receipt
from enclave_client.replies import read_outcome, verify_recorded
from enclave_client.transactions import TransactionSigner, Work, sign_transaction
from enclave_client.transport import Transport
from ledger.crypto.ed25519 import SigningKey
from ledger.crypto.secret import Secret
from ledger.format.hygiene import UpdateCollateral
from ledger.format.operation import SALT_BYTES, encode_operation
from ledger.reason import Reason
from node.collateral_line import NodeSigner
from node.founding_trust import CollateralLimits
from node.fsck import Options, check_directory
from node.home import read_private
from sealedger.v1 import node_pb2 as pb
from tests.support.owners import account
from tests.support.raw_client import RawClient, now_ms
from tests.support.real_node import (
    Found,
    RealNetwork,
    Serving,
    found,
    serving,
    with_endpoint,
)
from tests.support.relay import Meddler, relaying

NUMBER = 5


def options_of(number: int = NUMBER, ago_s: int = 0) -> CollateralOptions:
    """Collateral with this number, issued so long ago."""
    return CollateralOptions(issued_s=int(time.time()) - ago_s, evaluation_number=number)


def collateral_of(platform: Path, options: CollateralOptions) -> bytes:
    """Collateral of the machine's own signers, as `options` wants it."""
    files = PlatformFiles(platform)
    tee = files.read_tee()
    if tee == "snp":
        return encode_collateral(make_snp_collateral(files.read_snp_authority(), options))
    return encode_collateral(make_collateral(files.read_authority(), QE_SIGNER, options, tee))


def signed_by_a_prover(platform: Path, options: CollateralOptions) -> bytes:
    """The newest there is, its TCB info signed by the machine's own PCK key."""
    authority = PlatformFiles(platform).read_authority()
    made = make_collateral(authority, QE_SIGNER, options)
    chain = (authority.pck, authority.root)
    der = tuple(one.public_bytes(Encoding.DER) for one in chain)
    return encode_collateral(
        replace(
            made,
            tcb_info_issuer_chain=encode_chain(der).decode(),
            tcb_info_signature=sign_raw(authority.pck_key, made.tcb_info.encode()),
        )
    )


@pytest.fixture(params=["sgx", "snp"])
async def node(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Serving]:
    """A node whose network was founded with number NUMBER, an hour ago."""
    platform = tmp_path / "machine"
    create_platform(platform, int(time.time()), options_of(ago_s=3600), tee=request.param)
    network = found(tmp_path / "network", Found(platform=platform, tee=request.param))
    async with serving(network) as running:
        yield running


def signer_of(network: RealNetwork) -> NodeSigner:
    """The node's own key."""
    key = SigningKey(Secret(read_private(network.home.node_key)))
    return NodeSigner(network.file.network_id, key)


async def bring(
    node: Serving, collateral: bytes, signer: TransactionSigner | None = None
) -> Reason:
    """Submit collateral without judging it first; what the node or the ledger says."""
    network = node.network
    operation = encode_operation(UpdateCollateral(collateral_digest(collateral)))
    work = Work((operation,), (os.urandom(SALT_BYTES),), (collateral,))
    sent = sign_transaction(signer or signer_of(network), now_ms(), now_ms(), work)
    transport = await Transport.dial(f"127.0.0.1:{node.running.port}", proxied=False)
    try:
        result = read_answer(await transport.submit_one(sent.request), sent)
    finally:
        await transport.close()
    if isinstance(result, wire.Refusal):
        return result.reason
    entry = verify_recorded(result, sent, CheckpointBook(network.file.rule()))
    return read_outcome(entry.outcomes[0]).reason


async def in_force(node: Serving) -> tuple[bytes, int, int]:
    """Digest, entry and generation of what the node says is in force."""
    transport = await Transport.dial(f"127.0.0.1:{node.running.port}", proxied=False)
    try:
        answer = wire.decode_collateral(
            await transport.collateral(wire.encode_collateral_question(""))
        )
    finally:
        await transport.close()
    assert isinstance(answer, wire.CollateralAnswer)
    (row,) = answer.rows
    return row.digest, row.index, row.generation


async def test_a_lower_number_with_a_later_date(node: Serving) -> None:
    """Attack: an edition with a lower number, signed today, does not replace a higher one.

    For SEV-SNP the number is that of the revocation list: an older list stays out.
    """
    platform = node.network.home.platform
    before = await in_force(node)
    assert await bring(node, collateral_of(platform, options_of(NUMBER - 1))) is (
        Reason.COLLATERAL_NOT_NEWER
    )
    assert await in_force(node) == before


async def test_an_earlier_date_under_the_same_number(node: Serving) -> None:
    """Attack: what was issued before what is in force does not replace it."""
    older = collateral_of(node.network.home.platform, options_of(ago_s=7200))
    assert await bring(node, older) is Reason.COLLATERAL_NOT_NEWER


async def test_old_collateral_again(node: Serving) -> None:
    """Attack: an edition that was in force once does not come back, under whatever sequence."""
    platform = node.network.home.platform
    first = collateral_of(platform, options_of(ago_s=60))
    second = collateral_of(platform, options_of())
    assert await bring(node, first) is Reason.OK
    assert await bring(node, second) is Reason.OK
    after = await in_force(node)
    assert await bring(node, first) is Reason.COLLATERAL_NOT_NEWER
    assert await bring(node, second) is Reason.COLLATERAL_NOT_NEWER
    assert await in_force(node) == after


async def test_collateral_by_a_prover_s_own_key(tmp_path: Path) -> None:
    """Attack: collateral signed by a prover's own PCK key decides nothing, whoever brings it."""
    network = found(tmp_path / "network")
    async with serving(network) as node:
        forged = signed_by_a_prover(network.home.platform, options_of(9))
        assert await bring(node, forged) is Reason.COLLATERAL_REFUSED


async def test_collateral_of_another_root(node: Serving, tmp_path: Path) -> None:
    """Attack: a platform whose root the trust document does not name."""
    other = tmp_path / "other"
    tee = PlatformFiles(node.network.home.platform).read_tee()
    create_platform(other, int(time.time()), tee=tee)
    assert await bring(node, collateral_of(other, options_of(9))) is Reason.COLLATERAL_REFUSED


async def test_who_is_no_node(node: Serving) -> None:
    """Attack: good collateral brought by a session, an account or a key that nobody named."""
    good = collateral_of(node.network.home.platform, options_of())
    network_id = node.file.network_id
    stranger = NodeSigner(network_id, SigningKey(Secret(os.urandom(32))))
    assert await bring(node, good, stranger) is Reason.UNKNOWN_SIGNER
    assert await bring(node, good, Account(network_id, account())) is Reason.WRONG_SIGNER
    async with await RawClient.open(node.file, node.network.app("app")) as client:
        assert await bring(node, good, client.session.signer) is Reason.WRONG_SIGNER
    posing = NodeSigner(bytes(32), signer_of(node.network).key)
    assert await bring(node, good, posing) is Reason.WRONG_NETWORK
    _, _, generation = await in_force(node)
    assert generation == 1


@pytest.mark.parametrize("number", [0, NUMBER - 1, NUMBER, 9, 10, 2**32 - 1])
async def test_numbers_outside_the_trust_document(tmp_path: Path, number: int) -> None:
    """Attack: below the floor, also where it hides as zero, or above the ceiling; both are in."""
    platform = tmp_path / "machine"
    create_platform(platform, int(time.time()), options_of(ago_s=3600))
    limits = CollateralLimits(tcb_floor=NUMBER, tcb_ceiling=9)
    network = found(tmp_path / "network", Found(platform=platform, collateral_limits=limits))
    async with serving(network) as node:
        brought = await bring(node, collateral_of(network.home.platform, options_of(number)))
    assert brought is (Reason.OK if number in (NUMBER, 9) else Reason.COLLATERAL_REFUSED)


async def test_a_network_without_a_ceiling(tmp_path: Path) -> None:
    """Where the founder named none, the highest number that there can be is allowed."""
    network = found(tmp_path / "network")
    async with serving(network) as node:
        highest = collateral_of(network.home.platform, options_of(2**32 - 1))
        assert await bring(node, highest) is Reason.OK


async def test_what_has_ended_comes_into_force_no_more(node: Serving) -> None:
    """Attack: an edition with a higher number whose time is over."""
    options = replace(options_of(NUMBER + 1, ago_s=600), validity_s=60)
    ended = collateral_of(node.network.home.platform, options)
    assert await bring(node, ended) is Reason.COLLATERAL_REFUSED


async def test_an_update_is_used_proven_and_replayed(node: Serving) -> None:
    """New collateral judges new sessions, ends old ones that must attest again, and replays."""
    platform = node.network.home.platform
    async with node.client() as client:
        await client.put("before", b"1")
        assert await bring(node, collateral_of(platform, options_of(NUMBER + 1))) is Reason.OK
        await client.put("after", b"2")
        assert (await client.get("before")).value == b"1"
    async with node.client() as client:
        assert (await client.get("after")).value == b"2"
    _, index, generation = await in_force(node)
    assert index > 0
    assert generation == (2 if PlatformFiles(platform).read_tee() == "sgx" else 1)


async def test_replay_gives_the_same_years_later(tmp_path: Path) -> None:
    """The verdict stands on the ledger: replay reads it, whatever has ended meanwhile."""
    network = found(tmp_path / "network")
    async with serving(network) as node:
        brief = replace(options_of(NUMBER), validity_s=2)
        assert await bring(node, collateral_of(network.home.platform, brief)) is Reason.OK
        head = node.running.replica.head
    genesis = network.home.genesis.read_bytes()
    report = check_directory(network.home.data, genesis, Options())
    assert report.is_clean
    assert report.head.size >= head.size


# ---------------------------------------------------------------- what clients believe


class Changes(Meddler):
    """Changes Hello's reply, as long as it is told to."""

    def __init__(self) -> None:
        self.change: Callable[[pb.HelloReply], None] | None = None

    async def reply(self, method: str, data: bytes) -> bytes | None:
        """See Meddler."""
        if method != "Hello" or self.change is None:
            return data
        hello = pb.HelloReply.FromString(data)
        self.change(hello)
        return hello.SerializeToString()


@asynccontextmanager
async def dialing(node: Serving) -> AsyncIterator[tuple[Dialer, Changes]]:
    """A client's dialer through a relay that it knows of."""
    meddler = Changes()
    async with relaying(node.running.port, meddler) as relay:
        file = with_endpoint(node.file, relay.port)
        book = CheckpointBook(file.rule())
        yield Dialer(file, book, proxied=True, now_ms=now_ms), meddler


async def dial(dialer: Dialer) -> None:
    """Judge the node once; AttestationFailedError if it fails."""
    link = await dialer.link()
    await link.transport.close()


async def refused(dialer: Dialer) -> str:
    """Why the node is refused; it must be for its evidence."""
    with pytest.raises(AttestationFailedError) as caught:
        await dial(dialer)
    assert caught.value.check is Check.EVIDENCE
    return caught.value.message


def hide(hello: pb.HelloReply) -> None:
    """Show genesis' collateral as if nothing had come after it."""
    hello.ClearField("collateral")


async def test_a_node_that_hides_newer_collateral(node: Serving) -> None:
    """Attack: a client that has seen newer collateral never accepts older again."""
    platform = node.network.home.platform
    async with dialing(node) as (dialer, meddler):
        meddler.change = hide
        await dial(dialer)  # it cannot know better yet
        assert await bring(node, collateral_of(platform, options_of(NUMBER + 1))) is Reason.OK
        meddler.change = None
        await dial(dialer)
        meddler.change = hide
        assert "older" in await refused(dialer)
        meddler.change = None
        await dial(dialer)


async def test_a_node_that_shows_yesterday_s_entry(node: Serving) -> None:
    """Attack: an entry that really stands, but was replaced, is older than what was seen."""
    platform = node.network.home.platform
    assert await bring(node, collateral_of(platform, options_of(NUMBER, ago_s=60))) is Reason.OK
    first = pb.CollateralEntry()
    async with dialing(node) as (dialer, meddler):
        meddler.change = lambda hello: first.CopyFrom(hello.collateral)
        await dial(dialer)
        meddler.change = None
        assert await bring(node, collateral_of(platform, options_of(NUMBER + 1))) is Reason.OK
        await dial(dialer)
        meddler.change = lambda hello: hello.collateral.CopyFrom(first)
        assert "older" in await refused(dialer)


async def test_collateral_that_is_not_proven(node: Serving) -> None:
    """Attack: no receipt, a cut one, one of another operation, or for other collateral."""
    platform = node.network.home.platform
    assert await bring(node, collateral_of(platform, options_of(NUMBER + 1))) is Reason.OK
    newest = collateral_of(platform, options_of(NUMBER + 2))
    async with node.client() as client:
        put = (await client.put("any", b"thing")).receipt
    assert isinstance(put, Receipt)
    async with dialing(node) as (dialer, meddler):
        await dial(dialer)

        def other_receipt(data: bytes) -> Callable[[pb.HelloReply], None]:
            def change(hello: pb.HelloReply) -> None:
                hello.collateral.receipt = data

            return change

        def cut(hello: pb.HelloReply) -> None:
            hello.collateral.receipt = hello.collateral.receipt[:-2]

        def other_collateral(hello: pb.HelloReply) -> None:
            hello.collateral.collateral = newest

        for change in (other_receipt(b""), other_receipt(put.encode()), cut, other_collateral):
            meddler.change = change
            assert "not proven" in await refused(dialer)
        meddler.change = None
        await dial(dialer)
