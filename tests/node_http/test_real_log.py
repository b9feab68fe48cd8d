"""A real node's published log, asked as strangers ask it."""

import asyncio
import json
import tomllib
from pathlib import Path

import metamorphic_log
import pytest
from aiohttp import ClientSession

from ledger.format.leaf import BlockHeader, GenesisLeaf, TransactionLeaf, decode_leaf
from ledger.log.checkpoint import decode_checkpoint
from ledger.log.merkle import leaf_hash
from ledger.log.note import decode_note
from ledger.log.proof_file import decode_proof_file, verify_proof_file
from ledger.log.quorum import verify_certified
from ledger.log.tiles import (
    TILE_WIDTH,
    EntryBundle,
    HashTile,
    decode_bundle,
    encode_path,
    tile_width,
)
from node.certifier import Certified
from node.http.views import NetworkView, ReadinessView, StatusView
from sealedger.version import VERSION
from tests.support.grown_node import Grown
from tests.support.http_walker import fetch, fetch_checkpoint, walk
from tests.support.planted import HIDDEN, VALUE
from tests.support.raw_http import get, status_of, told
from tests.support.real_node import Found, found, serving


async def test_a_stranger_walks_it(grown: Grown) -> None:
    """All tiles and entries over HTTP give the signed root, and each entry is a leaf of ours."""
    async with ClientSession() as session:
        walked = await walk(session, grown.url, grown.vkey)
    assert walked.checkpoint.size == len(walked.entries) > TILE_WIDTH
    kinds = [type(decode_leaf(entry)) for entry in walked.entries]
    assert kinds[0] is GenesisLeaf
    assert kinds[-1] is BlockHeader
    assert set(kinds[1:]) == {TransactionLeaf, BlockHeader}
    assert not any(hidden in entry for hidden in HIDDEN for entry in walked.entries)


async def test_the_checkpoint_is_certified(grown: Grown) -> None:
    """The checkpoint satisfies the quorum rule that clients pin."""
    async with ClientSession() as session:
        note = await fetch(session, f"{grown.url}/checkpoint")
    certified = verify_certified(note, grown.process.network.file.rule())
    assert certified.checkpoint == decode_checkpoint(decode_note(note).text)


async def test_compressed_bundles(grown: Grown) -> None:
    """Who asks for gzip gets it, with the same entries; who does not, does not."""
    url = f"{grown.url}/{encode_path(EntryBundle(0))}"
    async with ClientSession(auto_decompress=False) as session:
        plain, packed = {"Accept-Encoding": "identity"}, {"Accept-Encoding": "br, gzip"}
        async with session.get(url, headers=plain) as said:
            assert "Content-Encoding" not in said.headers
            assert said.headers["Vary"] == "Accept-Encoding"
            entries = decode_bundle(await said.read(), TILE_WIDTH)
        async with session.get(url, headers=packed) as said:
            assert said.headers["Content-Encoding"] == "gzip"
            assert said.headers["Vary"] == "Accept-Encoding"
            compressed = await said.read()
    async with ClientSession() as session:
        assert decode_bundle(await fetch(session, url), TILE_WIDTH) == entries
    assert len(compressed) < sum(map(len, entries))


async def test_headers_of_the_log(grown: Grown) -> None:
    """Types, caching and CORS are those of the tile specification; absence is never cached."""
    wanted = {
        "/checkpoint": ("text/plain; charset=utf-8", "public, max-age=1"),
        "/tile/0/000": ("application/octet-stream", "public, max-age=31536000, immutable"),
        "/tile/1/000.p/1": ("application/octet-stream", "public, max-age=31536000, immutable"),
        "/tile/entries/000": ("application/octet-stream", "public, max-age=31536000, immutable"),
        "/v1/entries/0/proof": ("text/plain; charset=utf-8", "public, max-age=1"),
        "/tile/2/000.p/1": ("application/json", "no-store"),
        "/tile/00/000": ("application/json", "no-store"),
    }
    async with ClientSession() as session:
        for path, headers in wanted.items():
            async with session.get(grown.url + path) as said:
                got = (said.headers["Content-Type"], said.headers["Cache-Control"])
                assert got == headers, path
                assert said.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/x000/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/07",
        "tile/0/000.p/1/",
        "tile/0/000/",
        "tile/64/000",
        "tile/-1/000",
        "tile/data/000",
        "tile/8/0/000",
        "tile/entries/000.p",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/x009/x223/x372/x036/x854/x775/808",
        "tile/0/%30%30%30",
        "tile/0/000%2Ep/1",
        "tile/",
        "tile",
        "v1/entries/00/proof",
        "v1/entries/-1/proof",
        "v1/entries/99999999999999999999/proof",
        "v1/entries/9223372036854775807/proof",
        "v1/entries/1/proof/",
    ],
)
async def test_other_spellings_are_absent(grown: Grown, path: str) -> None:
    """What is not spelled as the specification says, or can never be there, is 404."""
    said = await told(grown.process.http_port, get(b"/" + path.encode()))
    assert status_of(said) == 404
    assert set(json.loads(said.partition(b"\r\n\r\n")[2])) == {"error", "hint"}


async def test_nothing_uncertified(grown: Grown) -> None:
    """One hash or entry more than the checkpoint has is 404, at every level."""
    async with ClientSession() as session:
        size = (await fetch_checkpoint(session, grown.url, grown.vkey)).size
        beyond = [f"v1/entries/{size}/proof"]
        for level in range(4):
            index, width = divmod(size >> 8 * level, TILE_WIDTH)
            assert tile_width(level, index, size) == width
            beyond.append(encode_path(HashTile(level, index, width + 1)))
        beyond.append(encode_path(EntryBundle(size // 256, size % 256 + 1)))
        for path in beyond:
            async with session.get(f"{grown.url}/{path}") as said:
                assert said.status == 404, path


async def test_proofs_verify(grown: Grown) -> None:
    """An entry's proof file verifies by the pinned rule, against the entry from its bundle."""
    rule = grown.process.network.file.rule()
    async with ClientSession() as session:
        size = (await fetch_checkpoint(session, grown.url, grown.vkey)).size
        bundle = EntryBundle(1, size - 256) if size < 512 else EntryBundle(1)
        data = await fetch(session, f"{grown.url}/{encode_path(bundle)}")
        entries = decode_bundle(data, bundle.width)
        for index in (256, 257, 255 + bundle.width):
            proof = decode_proof_file(await fetch(session, f"{grown.url}/v1/entries/{index}/proof"))
            assert (proof.index, proof.extra) == (index, None)
            verify_proof_file(proof, leaf_hash=leaf_hash(entries[index - 256]), rule=rule)


async def test_proofs_verify_elsewhere(grown: Grown) -> None:
    """The same file verifies in a program that is not ours, and not for another entry."""
    async with ClientSession() as session:
        data = await fetch(session, f"{grown.url}/{encode_path(EntryBundle(0))}")
        proof = decode_proof_file(await fetch(session, f"{grown.url}/v1/entries/7/proof"))
    entries = decode_bundle(data, TILE_WIDTH)
    note, path = proof.checkpoint.decode(), list(proof.hashes)

    def verify(entry: bytes) -> None:
        metamorphic_log.checkpoint_verify_inclusion(
            note, [grown.vkey], proof.index, leaf_hash(entry), path
        )

    verify(entries[7])
    with pytest.raises(metamorphic_log.VerifyError):
        verify(entries[8])


async def test_public_facts(grown: Grown) -> None:
    """Network and status say what the pinned file and the checkpoint say."""
    file = grown.process.network.file
    async with ClientSession() as session:
        network = NetworkView.model_validate_json(await fetch(session, f"{grown.url}/v1/network"))
        status = StatusView.model_validate_json(await fetch(session, f"{grown.url}/v1/status"))
        checkpoint = await fetch_checkpoint(session, grown.url, grown.vkey)
    assert network.network_id == file.network_id.hex()
    assert (network.name, network.origin, network.vkey) == (file.name, file.origin, file.log.vkey)
    given = grown.process.network.home.network.read_text()
    assert tomllib.loads(network.network_file) == tomllib.loads(given)
    assert (status.entries, status.root) == (checkpoint.size, checkpoint.root.hex())
    assert (status.epoch, status.trust_version, status.version) == (1, 1, VERSION)
    assert status.height * 2 >= status.entries - 1 > status.height


async def test_health(grown: Grown) -> None:
    """A node that serves is alive and ready, and gives its reasons."""
    async with ClientSession() as session:
        assert await fetch(session, f"{grown.url}/healthz") == b'{"status":"serving"}'
        said = await fetch(session, f"{grown.url}/readyz")
    readiness = ReadinessView.model_validate_json(said)
    assert readiness.ready
    assert set(readiness.checks) == {
        "key_service", "engine", "evidence", "checkpoint", "collateral",
    }  # fmt: skip


async def test_readers_beside_a_writer(grown: Grown) -> None:
    """While entries are added, whatever checkpoint a reader gets, its tiles are there already."""
    writing = asyncio.create_task(grown.put(40))
    sizes = []
    async with ClientSession() as session:
        while not writing.done():
            sizes.append((await walk(session, grown.url, grown.vkey)).checkpoint.size)
    await writing
    assert sizes == sorted(sizes)
    assert len(set(sizes)) > 1


async def test_what_is_staged_is_not_served(tmp_path: Path) -> None:
    """A node that has more than it has certified serves only what is certified."""
    wanted = Found(apps=("app",), grants={"app/secrets": ("app",)})
    async with serving(found(tmp_path / "network", wanted)) as node:
        async with node.client() as client:
            await client.put("name", VALUE)
        running = node.running
        older = running.certifier.latest
        async with node.client() as client:
            await client.put("name", VALUE)
        running.certifier._latest = Certified(older.size, older.root, older.note)
        url = f"http://127.0.0.1:{running.http_port}"
        assert running.replica.head.size > older.size
        async with ClientSession() as session:
            walked = await walk(session, url, node.file.log.vkey)
            assert walked.checkpoint.size == older.size
            for path in (
                f"tile/0/000.p/{older.size + 1}",
                f"tile/entries/000.p/{older.size + 1}",
                f"v1/entries/{older.size}/proof",
            ):
                async with session.get(f"{url}/{path}") as said:
                    assert said.status == 404
            status = StatusView.model_validate_json(await fetch(session, f"{url}/v1/status"))
            assert status.entries == older.size
