"""Verifiers of others, written in Go, over our HTTP: a sound log passes, a changed byte does not.

tessera's fsck fetches checkpoint, every bundle and every tile and recomputes all of it. Its exit
code says nothing (see tests.support.go_programs), so a pass is its success line with the expected
size and root, and every kind of damage is shown not to pass.
"""

from pathlib import Path

import pytest
from aiohttp import ClientSession

from ledger import keys
from ledger.log.note import encode_vkey
from node.certifier import Certified
from tests.support.go_programs import TESSERA, TESSERA_VERSION, Printed, go_program, run
from tests.support.grown_node import Grown
from tests.support.http_walker import fetch_checkpoint
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
