"""A log that holds: verified whole, again from where an audit stopped, and against its past."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.format.transaction import SignerKind
from node.audit.report import Subject, fields_of, statement
from node.audit.source import DirectorySource
from node.audit.verify import Options, audit_log
from tests.audit.conftest import SIZE, Verify
from tests.support.audited_log import CORES, AuditedLog, node_signer, pins


def test_a_whole_log_is_verified(verify: Verify, copy: Path, honest: AuditedLog) -> None:
    """Every entry is walked, and the counts are those of what was written."""
    audited = verify(copy)
    totals = audited.rules.totals
    assert audited.certified.checkpoint == honest.log.checkpoint()
    assert (audited.resumed_at, audited.extends) == (0, ())
    assert totals.blocks + totals.transactions + 1 == SIZE
    assert totals.by_kind == {
        SignerKind.NEW_SESSION: 2,
        SignerKind.SESSION: totals.transactions - 2,
    }
    assert len(audited.rules.sessions) == 2


@pytest.mark.parametrize("size", [1, 3, 255, 256, 257, 511, 512, 513])
def test_every_shape_is_verified(verify: Verify, tmp_path: Path, size: int) -> None:
    """Logs that end at, before and behind the edges of tiles; genesis alone is a log too."""
    log = AuditedLog()
    if size > 1:
        log.fill(log.session(), size)
    assert verify(log.write(tmp_path / "log")).certified.checkpoint.size == size


def test_a_state_goes_on(verify: Verify, tmp_path: Path) -> None:
    """The next run walks only what is new, and ends with the same state as a whole run."""
    log = AuditedLog()
    session = log.session()
    log.fill(session, 280)
    folder, state = tmp_path / "log", tmp_path / "state"
    first = verify(log.write(folder), state)
    assert (first.resumed_at, verify(folder, state).resumed_at) == (0, 280)
    log.fill(session, 700)
    log.write(folder)
    going_on = verify(folder, state)
    assert going_on.resumed_at == 280
    assert [one.size for one in going_on.extends] == [280]
    whole = tmp_path / "whole"
    verify(folder, whole)
    assert state.read_bytes() == whole.read_bytes()


def test_an_interrupted_walk_goes_on(tmp_path: Path, honest: AuditedLog) -> None:
    """What was verified before the first missing bundle is kept and not read again."""
    folder, state = honest.write(tmp_path / "log"), tmp_path / "state"
    clock = iter(range(0, 10_000, 31))

    async def run() -> int:
        options = Options(state, clock_s=lambda: float(next(clock)))
        source = DirectorySource(folder)
        return (await audit_log(source, pins(), options, lambda *_: None)).resumed_at

    bundle = folder / "tile/entries/002.p/88"
    data = bundle.read_bytes()
    bundle.unlink()
    with pytest.raises(Exception, match="missing"):
        asyncio.run(run())
    bundle.write_bytes(data)
    for read in ("000", "001"):
        (folder / "tile/entries" / read).unlink()
    assert asyncio.run(run()) == 512


@pytest.mark.parametrize("size", [1, 44, 256, 300, SIZE])
def test_an_older_checkpoint_is_a_prefix(
    verify: Verify, copy: Path, honest: AuditedLog, size: int
) -> None:
    """The log begins with the tree of any older certified checkpoint."""
    audited = verify(copy, older=honest.log.note(size))
    assert audited.extends == (honest.log.checkpoint(size),)


def test_nodes_and_full_tiles_in_place_of_partial_ones(verify: Verify, tmp_path: Path) -> None:
    """A pinned node's transaction is verified; a partial resource may be gone once it is full."""
    log = AuditedLog()
    log.read(node_signer(CORES[1]))
    log.log.end_block()
    session = log.session()
    log.fill(session, 400)
    folder = log.write(tmp_path / "log")
    note = log.log.note()
    log.fill(session, 520)
    log.write(folder)
    for kind in ("0", "entries"):
        (folder / f"tile/{kind}/001.p/144").unlink()
    (folder / "checkpoint").write_bytes(note)
    audited = verify(folder)
    assert audited.certified.checkpoint.size == 400
    assert audited.rules.totals.by_kind[SignerKind.NODE] == 1


def test_the_statement_can_be_pasted(verify: Verify, copy: Path) -> None:
    """It names the checkpoint, the cosigners with their times, the pins and what was left out."""
    network = pins()
    subject = Subject(str(copy), network)
    audited = verify(copy)
    text, fields = statement(audited, subject), fields_of(audited, subject)
    root = audited.certified.checkpoint.root.hex()
    for part in (
        root,
        "entries 0 to 599",
        network.network_id.hex(),
        subject.pins_digest,
        "dev.audited/node-1 at 2026-",
        "Not verified here",
        "development network",
    ):
        assert part in text
    assert fields["checkpoint_root"] == root
    assert fields["signatures_not_verified"] == 0
    assert (
        subject.pins_digest
        != replace(subject, network=network.model_copy(update={"name": "b"})).pins_digest
    )
