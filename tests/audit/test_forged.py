"""Logs that do not hold: each fault is found, and named by its place.

Either the files are not what the checkpoint commits to, or they are, and it commits to something
that no honest quorum certifies.
"""

import asyncio
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.genesis import RULES_VERSION
from ledger.crypto import p256
from ledger.format.leaf import BlockHeader, GenesisLeaf, encode_leaf
from ledger.format.transaction import Body, SignerKind
from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import leaf_hash
from ledger.log.tiles import encode_bundle
from node.audit.compare import PAST
from node.audit.errors import NotVerifiedError, SourceError, StateFileError
from node.audit.source import DirectorySource
from node.audit.state_file import load_state
from node.audit.verify import Options, audit_log
from tests.audit.conftest import Verify
from tests.support.audited_log import CORES, LOG, AuditedLog, change, node_signer, pins
from tests.support.log_signers import cosigner, log_signer, signed_note
from tests.support.small_log import Recorded, Signer

Spoil = Callable[[Path], object]


def without(path: str) -> Spoil:
    """Remove a file."""
    return lambda folder: (folder / path).unlink()


def flipped(path: str, at: int) -> Spoil:
    """Flip one bit."""
    return lambda folder: change(folder, path, at)


def longer(path: str, more: bytes) -> Spoil:
    """Add bytes."""
    return lambda folder: (folder / path).write_bytes((folder / path).read_bytes() + more)


def shorter(path: str) -> Spoil:
    """Cut the last byte."""
    return lambda folder: (folder / path).write_bytes((folder / path).read_bytes()[:-1])


FILES = {
    "a byte of an entry": (
        flipped("tile/entries/001", 5000),
        r"entry \d+: it is not the entry that the tree has: expected [0-9a-f]{64}, got",
    ),
    "a byte of the last entry": (
        flipped("tile/entries/002.p/88", -1),
        "entry 599: it is not the entry that the tree has",
    ),
    "a byte of a full tile": (
        flipped("tile/0/001", 32 * 7),
        "tile/0/001: the hash of entry 263 is not the one that the tree has",
    ),
    "a byte of a partial tile": (
        flipped("tile/0/002.p/88", 0),
        r"tile/0/002\.p/88: the hash of entry 512 is not the one that the tree has",
    ),
    "a byte of a tile above": (
        flipped("tile/1/000.p/2", 40),
        r"tile/1/000\.p/2, hash 1: not the hash that the tiles below make",
    ),
    "a length in a bundle": (flipped("tile/entries/000", 0), "entries/000: bundle ends inside"),
    "a bundle with more": (longer("tile/entries/000", b"\0\0"), "entries/000: .*after its last"),
    "a cut bundle": (shorter("tile/entries/002.p/88"), r"002\.p/88: bundle ends inside an entry"),
    "a cut tile": (shorter("tile/0/000"), "tile/0/000: wrong size: expected 8192 bytes, got 8191"),
    "a cut tile above": (shorter("tile/1/000.p/2"), r"tile/1/000\.p/2: wrong size"),
    "a tile too long": (longer("tile/0/000", b"\0"), "tile/0/000: it has more than 8192 bytes"),
    "a bundle without end": (longer("tile/entries/000", bytes(5_000_000)), "it has more than 435"),
    "no partial bundle": (without("tile/entries/002.p/88"), r"002\.p/88: it is missing"),
    "no partial tile": (without("tile/0/002.p/88"), r"tile/0/002\.p/88: it is missing"),
    "no partial tile above": (without("tile/1/000.p/2"), r"tile/1/000\.p/2: it is missing"),
    "no full bundle": (without("tile/entries/001"), "tile/entries/001: it is missing"),
    "no full tile": (without("tile/0/000"), "tile/0/000: it is missing"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FILES)
def test_files_that_are_not_the_logs(verify: Verify, copy: Path, fault: str) -> None:
    """One changed, missing, short or long file is found and named."""
    spoil, message = FILES[fault]
    spoil(copy)
    with pytest.raises(NotVerifiedError, match=message):
        verify(copy)


def test_a_changed_entry_with_its_tile(verify: Verify, copy: Path, honest: AuditedLog) -> None:
    """Entry and tile that agree are told by the tile above."""
    leaves = list(honest.log.leaves[:256])
    leaves[2] = encode_leaf(BlockHeader(1, honest.log.time_ms, b"", 1, 1, 1))
    (copy / "tile/entries/000").write_bytes(encode_bundle(leaves))
    (copy / "tile/0/000").write_bytes(b"".join(map(leaf_hash, leaves)))
    with pytest.raises(NotVerifiedError, match=r"entry 2: not its block's time|tile/1/000"):
        verify(copy)


def test_a_forged_tree_to_the_top(verify: Verify, copy: Path) -> None:
    """Files that agree with one another, but not with the certified root, are another history."""
    other = AuditedLog()
    other.fill(other.session(), 600)
    note = (copy / "checkpoint").read_bytes()
    other.write(copy)
    (copy / "checkpoint").write_bytes(note)
    with pytest.raises(
        NotVerifiedError, match=r"root of 600 entries: .*expected [0-9a-f]{64}, got"
    ):
        verify(copy)


NOTES = {
    "one core only": ((LOG, CORES[0]), "1 operators, 2 needed"),
    "no log key": (CORES, "no signature by the log key"),
    "a stranger for a core": ((LOG, CORES[0], cosigner("dev.audited/node-3")), "1 operators"),
    "another log key of the name": ((cosigner("x/y"), *CORES), "no signature by the log key"),
}


@pytest.mark.parametrize("fault", NOTES)
def test_a_checkpoint_without_quorum(
    verify: Verify, copy: Path, honest: AuditedLog, fault: str
) -> None:
    """A checkpoint that the pinned keys did not all sign proves nothing."""
    signers, message = NOTES[fault]
    (copy / "checkpoint").write_bytes(honest.log.note(signers=signers))
    with pytest.raises(NotVerifiedError, match=f"checkpoint: not certified.*{message}"):
        verify(copy)


def test_a_checkpoint_of_another_log(verify: Verify, copy: Path, honest: AuditedLog) -> None:
    """The right keys over another origin are not this log's."""
    at = Checkpoint("dev.other/1", honest.size, honest.log.tree.root())
    (copy / "checkpoint").write_bytes(signed_note(at, (log_signer("dev.other/1"), *CORES)))
    with pytest.raises(NotVerifiedError, match="another origin"):
        verify(copy)


def test_a_flipped_byte_of_the_checkpoint(verify: Verify, copy: Path) -> None:
    """A changed checkpoint is not certified, wherever it is changed."""
    note = (copy / "checkpoint").read_bytes()
    for at in range(0, len(note), 7):
        change(copy, "checkpoint", at)
        with pytest.raises(NotVerifiedError, match="checkpoint"):
            verify(copy)
        (copy / "checkpoint").write_bytes(note)


# ------------------------------------------------------------------ against what was known before


def test_a_cut_log(verify: Verify, tmp_path: Path, honest: AuditedLog) -> None:
    """A log that is shorter than one that was certified is reported, by state and by checkpoint."""
    state = tmp_path / "state"
    verify(honest.write(tmp_path / "log"), state)
    cut = honest.write(tmp_path / "cut", 44)
    for known in ({"state": state}, {"older": honest.log.note()}):
        with pytest.raises(
            NotVerifiedError, match=r"was cut.*expected 600 entries or more, got 44"
        ):
            verify(cut, **known)


def test_a_forked_log(verify: Verify, tmp_path: Path, honest: AuditedLog) -> None:
    """Two certified roots for one size are a fork, and both are named."""
    other = AuditedLog()
    other.fill(other.session(), 600)
    state = tmp_path / "state"
    verify(honest.write(tmp_path / "log"), state)
    roots = f"expected {honest.log.tree.root().hex()}, got {other.log.tree.root().hex()}"
    forked = other.write(tmp_path / "forked")
    for known in ({"state": state}, {"older": honest.log.note()}):
        with pytest.raises(NotVerifiedError, match=f"forked.*{roots}"):
            verify(forked, **known)


@pytest.mark.parametrize("known", [47, 256, 300, 511])
def test_a_changed_past(verify: Verify, tmp_path: Path, honest: AuditedLog, known: int) -> None:
    """A longer log that does not begin with what was verified before is a changed past."""
    other = AuditedLog()
    other.fill(other.session(), 620)
    state = tmp_path / "state"
    verify(honest.write(tmp_path / "log", known), state)
    forged = other.write(tmp_path / "forged")
    for before in ({"state": state}, {"older": honest.log.note(known)}):
        with pytest.raises(NotVerifiedError, match=f"past.*not begin with the {known} entries"):
            verify(forged, **before)


@pytest.mark.parametrize(
    "known, message",
    [(47, f"entry 1: {PAST}"), (256, "no entry before it opened"), (511, f"entry 256: {PAST}")],
)
def test_a_changed_past_with_files_that_show_nothing(
    verify: Verify, tmp_path: Path, honest: AuditedLog, known: int, message: str
) -> None:
    """A log whose tiles do not lead to its own root is held against what was verified before."""
    other = AuditedLog()
    other.fill(other.session(), 600)
    state = tmp_path / "state"
    verify(honest.write(tmp_path / "log", known), state)
    forged = other.write(tmp_path / "forged")
    (forged / "checkpoint").write_bytes(honest.log.note())
    with pytest.raises(NotVerifiedError, match=message):
        verify(forged, state)


def test_a_tile_that_shows_another_past(verify: Verify, tmp_path: Path, honest: AuditedLog) -> None:
    """A tile above that has another hash for entries verified before is named as that."""
    state = tmp_path / "state"
    verify(honest.write(tmp_path / "log", 300), state)
    folder = honest.write(tmp_path / "log")
    change(folder, "tile/1/000.p/2", 0)
    with pytest.raises(NotVerifiedError, match=r"p/2, hash 0: .*that an earlier run verified"):
        verify(folder, state)


def test_nobody_is_blamed_without_proof(verify: Verify, copy: Path) -> None:
    """Where the tree above does not decide between an entry and its tile, both are named."""
    change(copy, "tile/entries/001", 100)
    message = "entry 256: its hash is not the one in tile/0/001: expected [0-9a-f]{64}, got"
    change(copy, "tile/0/001", 50)
    with pytest.raises(NotVerifiedError, match=message):
        verify(copy)
    change(copy, "tile/0/001", 50)
    (copy / "tile/1/000.p/2").unlink()
    with pytest.raises(NotVerifiedError, match=message):
        verify(copy)


def test_a_state_of_another_network(verify: Verify, copy: Path, tmp_path: Path) -> None:
    """A state file says which network it is of, and is used for no other."""
    state = tmp_path / "state"
    verify(copy, state)
    network = pins().model_copy(update={"network_id": bytes(32)})
    with pytest.raises(StateFileError, match="of another network"):
        load_state(state, network)


def test_tiles_that_hide_the_past(verify: Verify, tmp_path: Path, honest: AuditedLog) -> None:
    """An older full tile that is gone or changed cannot stand in a proof against the past."""
    state = tmp_path / "state"
    folder = honest.write(tmp_path / "log")
    verify(folder, state)
    change(folder, "tile/0/000")
    with pytest.raises(NotVerifiedError, match="do not show that it begins with the 44"):
        verify(folder, state, honest.log.note(44))
    (folder / "tile/0/000").unlink()
    with pytest.raises(NotVerifiedError, match=r"do not show.*tile/0/000: it is missing"):
        verify(folder, state, honest.log.note(44))


# ------------------------------------------------------------------ certified, but not honest


def stranger() -> Signer:
    """A node that nobody pinned."""
    return node_signer(cosigner("dev.audited/node-9"))


def forged(signer: Signer) -> Signer:
    """The same name with a signature that is not its own."""
    return replace(signer, sign=lambda _: bytes(31) + b"\1" + bytes(31) + b"\1")


def new_session() -> Signer:
    """A key that will be a session's."""
    key = p256.SigningKey()
    return Signer(SignerKind.NEW_SESSION, key.public, key.sign)


def reopened(log: AuditedLog) -> Recorded:
    """Two openings by one key."""
    signer = new_session()
    body(signer, log, sequence=0)
    return body(signer, log, sequence=0, atomic=True)


def outcomes(log: AuditedLog, signer: Signer) -> None:
    """A transaction with two outcomes for one operation."""
    recorded = log.read(signer)
    log.append_changed(recorded, outcome_digests=(bytes(32), bytes(32)))


def header(log: AuditedLog, **changes: Any) -> bool:
    """A header with other fields."""
    good = BlockHeader(log.log.height, log.log.time_ms, b"", 1, 1, 1)
    return log.log.append(replace(good, **changes)) > 0


def reencoded(log: AuditedLog, signer: Signer) -> None:
    """A leaf in other bytes that protobuf reads as the same."""
    log.log.append_bytes(log.read(signer).leaf + b"\x9a\x06\x00")


def body(signer: Signer, log: AuditedLog, **changes: Any) -> Recorded:
    """A transaction whose body has other fields."""

    def changed(before: Body) -> Body:
        return replace(before, **changes)

    return log.read(signer, changed)


def later(log: AuditedLog, by_ms: int) -> AuditedLog:
    """End the block and move the next one's time."""
    log.log.end_block(step_ms=by_ms)
    return log


Act = Callable[[AuditedLog, Signer], object]
HISTORIES: dict[str, tuple[Act, str]] = {
    "a header's time goes back": (
        lambda log, _: header(later(log, -5000)),
        "block time goes back: expected",
    ),
    "a height is left out": (
        lambda log, _: header(log, height=log.log.height + 1),
        r"wrong block height: expected \d+, got \d+",
    ),
    "two times in a block": (
        lambda log, s: (log.read(s), header(log, time_ms=log.log.time_ms + 1)),
        "not its block's time",
    ),
    "a second genesis": (
        lambda log, _: log.log.append(GenesisLeaf(pins().network_id, log.log.time_ms)),
        "entry 0, and no other, is genesis",
    ),
    "no header at the end": (lambda log, s: log.read(s), "it has no header"),
    "trust goes back": (lambda log, _: header(log, trust_version=0), "trust version goes back"),
    "an epoch goes back": (lambda log, _: header(log, epoch=0), "epoch goes back"),
    "unknown rules": (
        lambda log, _: header(log, rules_version=RULES_VERSION + 1),
        f"the rules in force: expected rules {RULES_VERSION}, got rules {RULES_VERSION + 1}",
    ),
    "not canonical": (reencoded, "not in canonical form"),
    "no leaf": (lambda log, _: log.log.append_bytes(b"\xff"), "not a valid message"),
    "an empty entry": (lambda log, _: log.log.append_bytes(b""), "no kind"),
    "another network's": (lambda log, s: body(s, log, network_id=bytes(32)), "another network"),
    "too late": (
        lambda log, s: body(s, log, valid_until_ms=log.log.time_ms),
        r"ran at \d+ ms, but was valid until \d+ ms only",
    ),
    "a number twice": (
        lambda log, s: (body(s, log, sequence=7), body(s, log, sequence=7, atomic=True)),
        r"sequence 7 of signer [0-9a-f]{64} ran before",
    ),
    "a number below the window": (
        lambda log, s: (body(s, log, sequence=5000), body(s, log, sequence=3976)),
        "sequence 3976 of signer [0-9a-f]{64} is too far below",
    ),
    "an unknown session": (
        lambda log, s: log.read(replace(s, name=bytes(32))),
        "which no entry before it opened",
    ),
    "not the session's signature": (lambda log, s: log.read(forged(s)), "its session did not sign"),
    "an unpinned node": (lambda log, _: log.read(stranger()), "which is no pinned cosigner"),
    "not the node's signature": (lambda log, _: log.read(forged(node_signer())), "did not sign it"),
    "a signature of another width": (
        lambda log, s: log.append_changed(log.read(s), signature=bytes(65)),
        "not one of this kind of signer",
    ),
    "a new session's second number": (
        lambda log, _: log.read(new_session()),
        "a new session key signs number 0 only",
    ),
    "a session key for two sessions": (
        lambda log, _: reopened(log),
        "sequence 0 of signer [0-9a-f]{66} ran before",
    ),
    "outcomes": (outcomes, "1 operations have 2 outcomes"),
}


@pytest.mark.parametrize("fault", HISTORIES)
def test_histories_that_no_honest_quorum_certifies(
    verify: Verify, tmp_path: Path, fault: str
) -> None:
    """Certified entries that break the ledger's rules are found at the entry that does."""
    act, message = HISTORIES[fault]
    log = AuditedLog()
    session = log.session()
    log.fill(session, 20)
    before = log.size
    act(log, session)
    with pytest.raises(NotVerifiedError, match=message) as found:
        verify(log.write(tmp_path / "log"))
    entry = re.fullmatch(r"entry (\d+)", found.value.finding.where)
    assert entry is not None
    assert before <= int(entry[1]) < log.size


def test_sequences_within_the_window(verify: Verify, tmp_path: Path) -> None:
    """Numbers may come in any order and leave gaps, as long as none is 1,024 below the highest."""
    log = AuditedLog()
    session = log.session()
    for sequence in (5000, 3977, 6000, 4977, 4978, 9000):
        body(session, log, sequence=sequence)
    log.log.end_block()
    assert verify(log.write(tmp_path / "log")).rules.totals.transactions == 7


def test_the_first_finding_is_told(verify: Verify, tmp_path: Path) -> None:
    """A signature that is found out late is still named before a later entry's fault."""
    log = AuditedLog()
    session = log.session()
    log.fill(session, 20)
    log.read(forged(session))
    log.log.end_block()
    log.fill(session, 700)
    folder = log.write(tmp_path / "log")
    change(folder, "tile/entries/002.p/188", 100)
    with pytest.raises(NotVerifiedError, match="entry 20: its session did not sign it"):
        verify(folder)


def test_a_start_that_is_not_genesis(verify: Verify, tmp_path: Path) -> None:
    """A log that starts with another network's genesis is not this network's."""
    log = AuditedLog()
    log.log.leaves[0] = encode_leaf(GenesisLeaf(bytes(32), 5))
    folder = log.write(tmp_path / "log")
    (folder / "tile/0/000.p/1").write_bytes(leaf_hash(log.log.leaves[0]))
    with pytest.raises(NotVerifiedError, match=f"entry 0: it starts network {bytes(32).hex()}"):
        verify(folder)


@pytest.mark.parametrize("kind", ["none", "folder", "pipe"])
def test_sources_that_cannot_be_used(tmp_path: Path, kind: str) -> None:
    """No checkpoint, or something else in its place, says nothing about a log, and ends."""
    if kind == "folder":
        (tmp_path / "checkpoint").mkdir()
    elif kind == "pipe":
        os.mkfifo(tmp_path / "checkpoint")
    with pytest.raises(SourceError, match="no checkpoint" if kind == "none" else "not a file"):
        asyncio.run(audit_log(DirectorySource(tmp_path), pins(), Options(), lambda *_: None))
