"""The host of a real node: what it gains from its disk, its backups and the keys it may hold."""

import hashlib
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from attestation.platforms.software import SoftwarePlatform, create_platform
from enclave_client.errors import AttestationFailedError, Check
from kms.errors import KeyServiceRefusal, KeyServiceStateError
from kms.messages import (
    CertifyRequest,
    ReleaseItem,
    ReleaseRequest,
    StartRequest,
    decode_release_reply,
    encode_certify_request,
    encode_release_request,
    encode_start_request,
)
from kms.service import KeyService, open_key_service
from ledger import keys
from ledger.crypto.ed25519 import SigningKey
from ledger.crypto.secret import Secret
from ledger.format.leaf import BlockHeader, TransactionLeaf, encode_leaf
from ledger.format.operation import Read, outcome_digest
from ledger.format.outcome import Outcome, encode_outcome
from ledger.format.sealed import split_sealed
from ledger.log.checkpoint import Checkpoint, encode_checkpoint
from ledger.log.cosignature import cosign
from ledger.log.merkle import leaf_hash
from ledger.log.note import Note, SignatureLine, SignatureType, VerifierKey, encode_note, sign_note
from ledger.log.tree import Tree
from ledger.reason import Reason
from node.app import open_node
from node.config import NodeConfig
from node.errors import DamagedError, RollbackError
from node.home import SealedFile, read_private
from node.publisher import load_entry
from tests.support.log_reference import MemoryTiles
from tests.support.planted import NAME, VALUE
from tests.support.raw_client import Answered, RawClient, now_ms
from tests.support.real_node import (
    COLLECTION,
    Found,
    RealNetwork,
    Serving,
    found,
    serving,
)


@contextmanager
def refuses(reason: Reason) -> Iterator[None]:
    """The key service must say no, for this reason."""
    with pytest.raises(KeyServiceRefusal) as caught:
        yield
    assert caught.value.reason is reason, str(caught.value)


# ------------------------------------------------------------------------------ the sealed blob


async def test_sealed_blob_under_another_genesis(network: RealNetwork, tmp_path: Path) -> None:
    """Attack: another network's key service does not start under this genesis."""
    other = found(tmp_path / "other", Found(platform=network.home.platform))
    shutil.copyfile(other.home.key_service, network.home.key_service)
    with pytest.raises(KeyServiceStateError, match="another genesis"):
        async with serving(network):
            pass


async def test_another_genesis_over_the_same_home(network: RealNetwork, tmp_path: Path) -> None:
    """Attack: a genesis with the host's own policies does not fit the ledger that is there."""
    other = found(tmp_path / "other", Found(platform=network.home.platform))
    shutil.copyfile(other.home.genesis, network.home.genesis)
    with pytest.raises(DamagedError, match="another genesis"):
        async with serving(network):
            pass


async def test_sealed_blob_on_another_machine(network: RealNetwork, tmp_path: Path) -> None:
    """Attack: a copied blob is opened by no other machine."""
    create_platform(tmp_path / "machine", int(time.time()))
    moved = RealNetwork(network.home, network.file, network.apps)
    shutil.rmtree(network.home.platform)
    shutil.copytree(tmp_path / "machine", network.home.platform)
    with pytest.raises(KeyServiceStateError, match="another machine"):
        async with serving(moved):
            pass


async def test_blob_rolled_back(network: RealNetwork, tmp_path: Path) -> None:
    """Attack: an old blob under the newest ledger catches up by proof, and nothing is lost."""
    shutil.copyfile(network.home.key_service, tmp_path / "old")
    async with serving(network) as node, node.client() as client:
        await client.put(NAME, VALUE)
    assert (tmp_path / "old").read_bytes() != network.home.key_service.read_bytes()
    shutil.copyfile(tmp_path / "old", network.home.key_service)
    async with serving(network) as node, node.client() as client:
        assert (await client.get(NAME)).value == VALUE


async def test_ledger_rolled_back_under_the_newest_blob(
    network: RealNetwork, tmp_path: Path
) -> None:
    """Attack: an older copy of the data is refused with a message, even with the old lock."""
    async with serving(network) as node, node.client() as client:
        await client.put(NAME, b"before")
    shutil.copytree(network.home.root, tmp_path / "backup")
    async with serving(network) as node, node.client() as client:
        await client.put(NAME, VALUE)
    shutil.rmtree(network.home.data)
    shutil.copytree(tmp_path / "backup" / "data", network.home.data)
    with pytest.raises(RollbackError, match="already signed"):
        async with serving(network):
            pass
    shutil.copytree(tmp_path / "backup" / "lock", network.home.lock.parent, dirs_exist_ok=True)
    with pytest.raises(RollbackError, match="key service has seen"):
        async with serving(network):
            pass


def shown_to(service: KeyService, node: Serving) -> CertifyRequest:
    """What moves a key service to where the node's log stands now: all of it is public."""
    running = node.running
    size, tree = running.certifier.latest.size, running.replica.tree
    header = running.replica.view.get(keys.entry(size - 1))
    assert header is not None
    return CertifyRequest(
        note=running.certifier.latest.note,
        consistency=tree.consistency_proof(service.held.size, size),
        header=header,
        header_hashes=tree.inclusion_proof(size - 1, size),
    )


async def granted_read(node: Serving) -> tuple[RawClient, Answered]:
    """A value that is stored, and the proven entry of a read of it."""
    client = await RawClient.open(node.file, node.network.app("app"))
    await client.acquire(COLLECTION)
    await client.run(client.put(NAME, VALUE, COLLECTION))
    return client, await client.run((Read(COLLECTION, NAME), b""))


def ticket_of(read: Answered, held: Checkpoint, tree: Tree) -> ReleaseRequest:
    """The release request of a read, proven in a tree of `held`."""
    header, ciphertext = split_sealed(read.recorded.sealed[0])
    return ReleaseRequest(
        index=read.recorded.index,
        leaf=read.recorded.leaf,
        hashes=tree.inclusion_proof(read.recorded.index, held.size),
        size=held.size,
        root=held.root,
        consistency=(),
        items=(
            ReleaseItem(
                0,
                read.sent.salts[0],
                read.recorded.outcomes[0],
                sealed_header=header,
                ciphertext_digest=digest(ciphertext),
            ),
        ),
    )


def digest(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


async def test_blob_cloned(node: Serving, tmp_path: Path) -> None:
    """Attack: a second key service of the same blob releases nothing, whatever it is shown."""
    client, read = await granted_read(node)
    await client.close()
    copy = tmp_path / "state.sealed"
    shutil.copyfile(node.network.home.key_service, copy)
    clone = open_key_service(
        genesis=node.network.home.genesis.read_bytes(),
        platform=node.network.core(),
        store=SealedFile(copy),
    )
    clone.certify(encode_certify_request(shown_to(clone, node)))
    running = node.running
    held = Checkpoint(node.file.origin, clone.held.size, clone.held.root)
    request = ticket_of(read, held, running.replica.tree)
    with refuses(Reason.NOT_STARTED):
        clone.release(encode_release_request(request))
    start = load_entry(1, running.replica.view)
    shown = StartRequest(
        index=1,
        leaf=start.leaf,
        hashes=running.replica.tree.inclusion_proof(1, held.size),
        salt=start.salts[0],
        operation=start.operations[0],
        outcome=start.encoded[0],
    )
    with refuses(Reason.NOT_STARTED):
        clone.confirm_start(encode_start_request(shown))
    with refuses(Reason.NOT_STARTED):
        clone.release(encode_release_request(request))
    clone.close()
    (released,) = decode_release_reply(running.key_service.release(encode_release_request(request)))
    assert released.reason is Reason.OK


# ------------------------------------------------------------------------------- forged trees


@dataclass(frozen=True, slots=True)
class Forged:
    """A tree of the host's making, with a read that no rule granted as its last entry but one."""

    tree: Tree
    checkpoint: Checkpoint
    header: bytes
    read: Answered

    def request(self, note: bytes, old_size: int) -> bytes:
        """The request to move to it."""
        size = self.checkpoint.size
        return encode_certify_request(
            CertifyRequest(
                note=note,
                consistency=self.tree.consistency_proof(old_size, size),
                header=self.header,
                header_hashes=self.tree.inclusion_proof(size - 1, size),
            )
        )


def forge(node: Serving, read: Answered, *, keep: int) -> Forged:
    """A tree that begins with the first `keep` entries of the real one."""
    running = node.running
    leaves = [running.replica.view.get(keys.entry(index)) for index in range(keep)]
    outcome = encode_outcome(Outcome(Reason.OK, read.outcomes[0].detail))
    stolen = encode_leaf(
        TransactionLeaf(
            height=99,
            time_ms=now_ms(),
            body=read.sent.body,
            signature=bytes(64),
            outcome_digests=(outcome_digest(read.sent.salts[0], outcome),),
        )
    )
    header = encode_leaf(BlockHeader(99, now_ms(), b"", 1, 1, 1))
    tree = Tree.open(MemoryTiles(), 0)
    tree.append([leaf_hash(leaf) for leaf in (*leaves, stolen, header) if leaf is not None])
    return Forged(tree, Checkpoint(node.file.origin, tree.size, tree.root()), header, read)


def cosignature(node: Serving, text: bytes, seed: bytes, name: str = "") -> SignatureLine:
    """A cosigner's line by any key."""
    key = SigningKey(Secret(seed))
    name = name or node.file.log.cosigners[0].name
    verifier = VerifierKey(name, SignatureType.COSIGNATURE, key.public)
    return cosign(text, key=verifier, time_s=int(time.time()), sign=key.sign)


@pytest.mark.parametrize("signer", ["nobody", "stranger", "log key"])
async def test_consistent_forged_tree_without_quorum(node: Serving, signer: str) -> None:
    """Attack: a longer tree with a forged grant in it, without the cores' quorum, moves nothing."""
    client, read = await granted_read(node)
    await client.close()
    service = node.running.key_service
    held = service.held
    forged = forge(node, read, keep=held.size)
    text = encode_checkpoint(forged.checkpoint)
    log_key = SigningKey(Secret(bytes(32)))
    lines = {
        "nobody": (),
        "stranger": (cosignature(node, text, bytes(32)),),
        "log key": (
            sign_note(
                text,
                key=VerifierKey(node.file.origin, SignatureType.ED25519, log_key.public),
                sign=log_key.sign,
            ),
        ),
    }[signer]
    note = encode_note(Note(text, lines)) if lines else text + b"\n"
    with refuses(Reason.NOT_CERTIFIED):
        service.certify(forged.request(note, held.size))
    ticket = ticket_of(read, forged.checkpoint, forged.tree)
    with refuses(Reason.NOT_CERTIFIED):
        service.release(encode_release_request(ticket))
    assert service.held == held


async def test_forged_tree_with_quorum_that_is_not_consistent(node: Serving) -> None:
    """Attack: even the quorum cannot make the key service forget what it holds."""
    client, read = await granted_read(node)
    await client.close()
    service = node.running.key_service
    held = service.held
    seed = read_private(node.network.home.node_key)
    for keep in (held.size - 2, 1):
        forged = forge(node, read, keep=keep)
        text = encode_checkpoint(forged.checkpoint)
        note = encode_note(Note(text, (cosignature(node, text, seed),)))
        with refuses(Reason.NOT_CERTIFIED):
            service.certify(forged.request(note, min(held.size, forged.checkpoint.size)))
    assert service.held == held
    async with node.client() as again:
        assert (await again.get(NAME)).value == VALUE


# ----------------------------------------------------------------------------------- the core


async def test_other_code_as_the_core(network: RealNetwork) -> None:
    """Attack: a node whose core is other code, with every key in place, convinces no client."""
    other = SoftwarePlatform.open(network.home.platform, network.apps / "stranger.toml")
    sealing = network.core().sealing_key

    class Impostor:
        name = "software"

        async def evidence(self, report_data: bytes) -> bytes:
            return await other.evidence(report_data)

        def sealing_key(self, label: bytes, *, svn: int | None = None) -> Secret:
            return sealing(label, svn=svn)

    config = NodeConfig.load(network.home.config)
    async with open_node(network.home, config, Impostor()) as running:
        client = Serving(network, running).client()
        with pytest.raises(AttestationFailedError) as caught:
            await client.open()
        assert caught.value.check is Check.IDENTITY
    with pytest.raises(KeyServiceStateError, match="another"):
        async with open_node(network.home, config, other):
            pass
