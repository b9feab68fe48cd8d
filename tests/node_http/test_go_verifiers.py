"""Verifiers of others, written in Go, over our HTTP: a sound log passes, a changed byte does not.

tessera's fsck fetches checkpoint, every bundle and every tile and recomputes all of it. Its exit
code says nothing (see tests.support.go_programs), so a pass is its success line with the expected
size and root, and every kind of damage is shown not to pass. torchwood's spicy verifies one entry's
proof file, and its litewitness cosigns our checkpoints only while each tree begins with the last.
"""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import ClientSession

from ledger import keys
from ledger.log.cosignature import verify_cosignature
from ledger.log.merkle import leaf_hash
from ledger.log.note import Note, decode_note, decode_vkey, encode_note, encode_vkey
from ledger.log.proof_file import ProofFile, decode_proof_file, encode_proof_file
from ledger.log.tree import Tree
from node.certifier import Certified
from node.founding import NoTiles
from tests.support.go_programs import (
    TESSERA,
    TESSERA_VERSION,
    TORCHWOOD,
    TORCHWOOD_VERSION,
    Printed,
    go_program,
    run,
)
from tests.support.go_witness import Witness, litewitness
from tests.support.grown_node import Grown
from tests.support.http_walker import fetch, fetch_checkpoint, walk
from tests.support.log_signers import log_signer
from tests.support.published_log import ORIGIN, Written, entries_of, log_site, written_log

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fsck() -> Path:
    """tessera's fsck."""
    return go_program(TESSERA, "cmd/fsck", TESSERA_VERSION)


async def check(fsck: Path, url: str, vkey: str, directory: Path) -> Printed:
    """What fsck says about a log."""
    key = directory / "log.vkey"
    key.write_text(vkey)
    return await run(fsck, f"--storage_url={url}/", f"--public_key={key}", "--ui=false", "--N=16")


def passes(said: Printed, size: int, root: bytes) -> bool:
    """Whether it said that exactly this log is sound."""
    success = f"Successfully fsck'd log with size {size} and root"
    return (
        said.code == 0
        and any(success in line and root.hex() in line for line in said.text.splitlines())
        and "fsck failed" not in said.text
    )


async def test_fsck_of_a_real_node(grown: Grown, fsck: Path, tmp_path: Path) -> None:
    """A real node's log is sound to a verifier of others."""
    async with ClientSession() as session:
        checkpoint = await fetch_checkpoint(session, grown.url, grown.vkey)
    said = await check(fsck, grown.url, grown.vkey, tmp_path)
    assert passes(said, checkpoint.size, checkpoint.root), said.text


async def fsck_of(written: Written, fsck: Path, directory: Path) -> bool:
    """Whether a synthetic log passes."""
    latest = written.certifier.latest
    async with log_site(written) as site:
        said = await check(fsck, site.url, encode_vkey(log_signer(ORIGIN).key), directory)
    return passes(said, latest.size, latest.root)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 512, 65_537])
async def test_fsck_of_sizes(size: int, fsck: Path, tmp_path: Path) -> None:
    """A log certified at a boundary of its tiles is sound, with more in the store than that."""
    written = written_log(entries_of(size + 3))
    written.certifier.certify(size)
    assert await fsck_of(written, fsck, tmp_path)


@pytest.fixture
def small() -> Written:
    """A sound log of 600 entries."""
    return written_log(entries_of(600))


@pytest.mark.parametrize(
    "key",
    [keys.tile(0, 0), keys.tile(0, 2), keys.tile(1, 0), keys.entry(3), keys.entry(599)],
    ids=["full tile", "partial tile", "upper tile", "entry", "last entry"],
)
async def test_fsck_finds_a_flipped_bit(
    key: bytes, small: Written, fsck: Path, tmp_path: Path
) -> None:
    """One bit of one tile or entry, and the log does not pass any more."""
    row = bytearray(small.store.get(key) or b"")
    row[-1] ^= 1
    small.store.write({key: bytes(row)}, sync=True)
    assert not await fsck_of(small, fsck, tmp_path)


async def test_fsck_finds_a_forged_checkpoint(small: Written, fsck: Path, tmp_path: Path) -> None:
    """A checkpoint whose signature is another's does not pass."""
    latest = small.certifier.latest
    other = small.certifier.at(latest.size - 1)
    text = latest.note.partition(b"\n\n")[0]
    forged = text + b"\n\n" + other.note.partition(b"\n\n")[2]
    small.certifier.latest = Certified(latest.size, latest.root, forged)
    assert not await fsck_of(small, fsck, tmp_path)


async def test_fsck_of_the_untouched_log(small: Written, fsck: Path, tmp_path: Path) -> None:
    """The log that is damaged above passes while it is not."""
    assert await fsck_of(small, fsck, tmp_path)


@pytest.fixture(scope="module")
def spicy() -> Path:
    """torchwood's verifier of one entry."""
    return go_program(TORCHWOOD, "cmd/spicy", TORCHWOOD_VERSION)


def spicy_of(proof: ProofFile) -> bytes:
    """A proof file without `extra` as spicy reads it: without the header line."""
    header, _, rest = encode_proof_file(proof).partition(b"\n")
    assert header == b"c2sp.org/tlog-proof@v1"
    assert rest.startswith(b"index ")
    return rest


async def test_spicy_of_a_real_node(grown: Grown, spicy: Path, tmp_path: Path) -> None:
    """An entry and its proof verify to another's verifier; no other entry, hash, index or key."""
    async with ClientSession() as session:
        entries = (await walk(session, grown.url, grown.vkey)).entries
        proofs = [
            decode_proof_file(await fetch(session, f"{grown.url}/v1/entries/{index}/proof"))
            for index in (0, 7, 255, 256, len(entries) - 1)
        ]

    async def said(entry: bytes, proof: ProofFile, vkey: str = grown.vkey) -> Printed:
        file = tmp_path / "entry"
        file.write_bytes(entry)
        file.with_name("entry.spicy").write_bytes(spicy_of(proof))
        return await run(spicy, "-verify", vkey, str(file))

    for proof in proofs:
        passed = await said(entries[proof.index], proof)
        assert passed.code == 0, passed.text
        assert "verified" in passed.text
    proof = proofs[1]
    flipped = bytes((proof.hashes[2][0] ^ 1,)) + proof.hashes[2][1:]
    hashes = (*proof.hashes[:2], flipped, *proof.hashes[3:])
    for refused in (
        await said(entries[8], proof),
        await said(entries[7], replace(proof, hashes=hashes)),
        await said(entries[7], replace(proof, index=6)),
    ):
        assert refused.code == 1
        assert "could not verify inclusion" in refused.text
    unknown = await said(entries[7], proof, encode_vkey(log_signer(ORIGIN).key))
    assert unknown.code == 1
    assert "could not verify checkpoint" in unknown.text


@pytest.fixture
async def witness() -> AsyncIterator[Witness]:
    """torchwood's witness, which knows no log yet."""
    program = go_program(TORCHWOOD, "cmd/litewitness", TORCHWOOD_VERSION)
    async with litewitness(program) as one:
        yield one


async def test_a_witness_of_a_real_node(grown: Grown, witness: Witness) -> None:
    """A real node's checkpoints are cosigned as it grows, with our proofs and with no others."""
    log = decode_vkey(grown.vkey)
    witness.add_log(log)

    async def certified(session: ClientSession) -> tuple[int, bytes]:
        note = decode_note(await fetch(session, f"{grown.url}/checkpoint"))
        lines = tuple(line for line in note.signatures if line.key_id == log.key_id)
        assert len(lines) == 1 < len(note.signatures)
        return int(note.text.split(b"\n")[1]), encode_note(Note(note.text, lines))

    async with ClientSession() as session:
        old, first = await certified(session)
        await grown.put(3)
        size, second = await certified(session)
        entries = (await walk(session, grown.url, grown.vkey)).entries
    tree = Tree.open(NoTiles(), 0)
    tree.append([leaf_hash(entry) for entry in entries])
    proof = tree.consistency_proof(old, size)
    assert 0 < old < size
    assert proof

    started = int(time.time())
    answers = [(first, await witness.add_checkpoint(0, first))]
    for wrong in ((), proof[1:], (*proof[1:], proof[0]), tree.consistency_proof(old - 1, size)):
        assert (await witness.add_checkpoint(old, second, wrong)).status == 422
    answers.append((second, await witness.add_checkpoint(old, second, proof)))
    answers.append((second, await witness.add_checkpoint(size, second)))
    for note, answer in answers:
        text = decode_note(note).text
        time_s = verify_cosignature(text, answer.cosignature, witness.key)
        assert started <= time_s <= time.time()
    stale = await witness.add_checkpoint(old, second, proof)
    assert (stale.status, stale.body) == (409, b"%d\n" % size)


async def test_a_witness_sees_a_fork(small: Written, witness: Witness) -> None:
    """Another tree under the same log key is not cosigned, at a larger or at the same size."""
    log = log_signer(ORIGIN).key
    entries = list(small.entries)
    entries[3] += b"!"
    fork = written_log(entries)
    honest, forked = small.certifier, fork.certifier
    assert (await witness.add_checkpoint(0, honest.at(256).note)).status == 404
    witness.add_log(log)
    first = await witness.add_checkpoint(0, honest.at(256).note)
    verify_cosignature(decode_note(honest.at(256).note).text, first.cosignature, witness.key)

    proof = small.tree.consistency_proof(256, 600)
    forged = decode_note(honest.at(600).note)
    others = decode_note(forked.at(600).note).signatures
    refused = [
        (256, forked.at(600).note, fork.tree.consistency_proof(256, 600), 422),
        (256, forked.at(600).note, proof, 422),
        (256, forked.at(256).note, (), 422),
        (256, encode_note(Note(forged.text, others)), proof, 403),
        (256, honest.at(255).note, (), 400),
    ]
    for old, note, hashes, status in refused:
        assert (await witness.add_checkpoint(old, note, hashes)).status == status
    last = await witness.add_checkpoint(256, honest.at(600).note, proof)
    verify_cosignature(decode_note(honest.at(600).note).text, last.cosignature, witness.key)
