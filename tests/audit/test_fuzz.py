"""Whatever is fetched: a verdict or an error that says why, never anything else."""

import asyncio
import random
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.audit.errors import NotVerifiedError, StateFileError
from node.audit.leaves import Bundle, Unchecked, examine, verify_signatures
from node.audit.source import DirectorySource
from node.audit.state_file import load_state
from node.audit.verify import Options, audit_log
from tests.audit.conftest import SIZE
from tests.support.audited_log import NETWORK_ID, AuditedLog, pins
from tests.support.fuzzing import mangled

SEEDS = 150


def audit(folder: Path, state: Path | None = None) -> str:
    """How an audit ends: the finding's place, or nothing if the log holds."""
    try:
        asyncio.run(audit_log(DirectorySource(folder), pins(), Options(state), lambda *_: None))
    except NotVerifiedError as error:
        return error.finding.where
    return ""


@pytest.mark.slow
def test_any_change_of_any_file_is_found(copy: Path) -> None:
    """Every file of a log, changed anyhow, is a finding: nothing that was fetched is ignored."""
    files = sorted(path for path in copy.rglob("*") if path.is_file())
    assert len(files) == 8
    for seed in range(SEEDS):
        rng = random.Random(seed)
        path = rng.choice(files)
        data = path.read_bytes()
        path.write_bytes(mangled(rng, data))
        assert audit(copy), f"seed {seed}: {path.name} was changed, and nobody noticed"
        path.write_bytes(data)
    assert not audit(copy)


def test_any_change_of_the_state_file_is_an_error_or_harmless(
    tmp_path: Path, honest: AuditedLog
) -> None:
    """A damaged state file is refused by name; one that still reads never breaks the audit."""
    state = tmp_path / "state"
    folder = honest.write(tmp_path / "log", 300)
    assert not audit(folder, state)
    shutil.rmtree(folder)
    honest.write(folder)
    data = state.read_bytes()
    refused = 0
    for seed in range(SEEDS):
        state.write_bytes(mangled(random.Random(seed), data))
        try:
            load_state(state, pins())
        except StateFileError:
            refused += 1
            continue
        audit(folder, state)
    assert refused > SEEDS // 2


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=600), st.integers(1, 256), st.binary(max_size=100))
def test_any_bundle_is_examined(entries: bytes, width: int, tile: bytes) -> None:
    """Random bytes as bundle and tile are a finding, never an exception."""
    examined = examine(Bundle(0, width, 0, entries, tile, NETWORK_ID))
    assert examined.finding is not None


def test_signatures_of_anything_are_judged() -> None:
    """Signatures and keys of any bytes are bad ones, not exceptions."""
    rng = random.Random(1)
    for _ in range(200):
        signature = rng.randbytes(rng.choice((0, 64, 65)))
        row = Unchecked(SIZE, rng.randbytes(33), rng.randbytes(40), signature)
        assert verify_signatures(NETWORK_ID, (row,)) == SIZE
